"""Text files as blocks of UTF-8 bytes, whatever they are encoded in, compressed or not."""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import chain
from pathlib import Path
from typing import BinaryIO

from ignite_workflow.data.compressed import opened
from ignite_workflow.data.quotes import doubled, with_doubled
from ignite_workflow.errors import ConfigError, DataError

__all__ = ["TAIL_BYTES", "TextFile", "open_text"]

_BLOCK_BYTES = 8 * 1024 * 1024  # 2 MB costs a quarter more per byte in polars, 16 MB falls out of the cache
_LOOKED_BYTES = 1024 * 1024
_FIRST_BYTES = 1024 * 1024  # of the block that others wait for: it decides how they are read
_SAMPLE_BYTES = 128 * 1024  # no longer than the csv module lets a cell be
TAIL_BYTES = 64 * 1024
_LONGEST_LINE = 64 * 1024 * 1024  # no header is longer
_COMMONEST = "cp1252"
_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # begins as the mark of UTF-16 does
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_MARK = b"\n" + codecs.BOM_UTF8
_RUN = re.compile(rb"[\x80-\xff]+")
_LETTER = r"[^\W\d_]"
_SIGN_IN_WORD = re.compile(rf"{_LETTER}[^\x00-\x7f\w\u2019·\u2013\u2014]{_LETTER}|[£¥¤¹¼½¾]{_LETTER}|{_LETTER}[¿¡£¥¤¹]")
_SHOWN = 20  # characters to each side of the first that is foreign


@dataclass(frozen=True)
class TextFile:
    """A text file whose encoding is known.

    Attributes:
        path: of the file; one compressed by gzip or zstd is decompressed.
        encoding: a name Python knows; ``"utf-8"`` is passed on as it stands.
        returns: lines end in a carriage return alone, as old Macintosh programs write them.
        guessed: nobody said what the encoding is.
        example: what the first foreign characters are in this encoding; empty where a byte order mark says it.
        end: the last bytes, where they were seen already.
        escapes: quotes inside of quoted cells are written ``\\"``: they are given as two quotes.
    """

    path: Path
    encoding: str
    returns: bool
    guessed: bool = False
    example: str = ""
    end: bytes | None = field(default=None, compare=False, repr=False)
    escapes: bool = False

    def with_escapes(self) -> TextFile:
        """The same file, quotes inside of whose quoted cells are written with a backslash."""
        return replace(self, escapes=True, end=None if self.end is None else doubled(self.end))

    @property
    def notes(self) -> tuple[str, ...]:
        """What was guessed."""
        notes, name = [], self.path.name
        if self.guessed and self.encoding != "utf-8":
            example = f", then it reads {self.example!r}" if self.example else ""
            notes.append(f"{name}: not UTF-8, read as {self.encoding}{example}; if that is wrong: data.read.encoding.")
        if self.escapes:
            written = 'quotes inside of quoted cells are written \\", other backslashes stay'
            notes.append(f"{name}: {written}; otherwise: data.read.escapes=false.")
        return tuple(notes)

    def blocks(self, start: int = 0) -> Iterator[bytes | bytearray]:
        """The content as UTF-8 without byte order mark, lines ended by a newline, in blocks cut anywhere.

        A block stands until the next one is asked for: both may be the same memory.

        Args:
            start: bytes at the beginning that are left out; the rest is cut where it is cut without that.

        Raises:
            DataError: the compressed file is damaged, or bytes do not fit the encoding.
        """
        with opened(self.path) as file:
            try:
                for block in with_doubled(self._transcoded(file)) if self.escapes else self._transcoded(file):
                    size = len(block)
                    if start < size:
                        yield block[start:] if start else block
                    start = max(0, start - size)
            except UnicodeDecodeError as error:
                raise DataError(
                    f"{self.path}: not {self.encoding} ({error.reason}). Say what it is: data.read.encoding."
                ) from error

    def sample(self) -> bytes:
        """The beginning of the content, as ``blocks`` gives it: the first line at least."""
        sample = b""
        for block in self.blocks():
            sample += block
            if len(sample) >= _SAMPLE_BYTES and (b"\n" in sample or len(sample) > _LONGEST_LINE):
                break
        return sample[: max(_SAMPLE_BYTES, sample.find(b"\n") + 1)]

    def tail(self) -> bytes:
        """The end of the content, as ``blocks`` gives it, cut anywhere: all of it where it is short."""
        if self.end is not None:
            return self.end
        end = b""
        for block in self.blocks():
            end = _end(end, block)
        return end[-TAIL_BYTES:]

    def _transcoded(self, file: BinaryIO) -> Iterator[bytes | bytearray]:
        if self.encoding == "utf-8" and not self.returns:
            first = file.read(min(_FIRST_BYTES, _BLOCK_BYTES))
            begun: list[bytes | bytearray] = [first] if first else []
            blocks = chain(begun, _read_blocks(file, _BLOCK_BYTES))
            yield from _without_marks(blocks) if first.startswith(codecs.BOM_UTF8) else blocks
            return
        text = io.TextIOWrapper(file, encoding=self.encoding, newline=None if self.returns else "")
        try:
            yield from _without_marks(part.encode() for part in iter(partial(text.read, _BLOCK_BYTES), ""))
        finally:
            text.detach()  # the file is closed by who opened it


def _without_marks(blocks: Iterable[bytes | bytearray]) -> Iterator[bytes | bytearray]:
    """Blocks cut anywhere without byte order marks at the beginning of lines, as where files were joined."""
    rest, begins = b"", True  # a line
    for block in blocks:
        data = b"".join((rest, block)) if rest else block
        while begins and data.startswith(codecs.BOM_UTF8):
            data = data[len(codecs.BOM_UTF8) :]
        end = next((size for size in (3, 2) if data.endswith(_MARK[:size])), 0)
        if begins and codecs.BOM_UTF8.startswith(data):
            end = len(data)
        rest = bytes(data[len(data) - end :]) if end else b""
        data = data[: len(data) - end] if end else data
        while b"\xef" in data and _MARK in data:
            data = data.replace(_MARK, b"\n")
        begins = data.endswith(b"\n") if data else begins
        yield data
    yield rest


def open_text(path: Path, encoding: str | None) -> TextFile:
    """Look at a whole file once, for its encoding and the way its lines end.

    Args:
        path: of the file.
        encoding: what a person said it is; None finds out.

    Raises:
        ConfigError: Python knows no encoding of that name.
        DataError: the file is empty or in two encodings, or nothing is found that its bytes could be.
    """
    with opened(path) as file:
        start = file.read(_SAMPLE_BYTES)
    if not start:
        raise DataError(f"{path}: the file is empty.")
    guessed, example, end = encoding is None, "", None
    if encoding is None:
        encoding, example, end = _find_encoding(path, start)
    elif not _is_encoding(encoding):
        raise ConfigError(
            f"data.read.encoding: {encoding!r} is no encoding Python knows; such as utf-8, latin-1, cp1252."
        )
    name = codecs.lookup(encoding).name
    without_mark = f"{name}-le" if name in ("utf-16", "utf-32") else name
    returns = "\n".encode(without_mark) not in start and "\r".encode(without_mark) in start
    return TextFile(path, name, returns, guessed=guessed, example=example, end=None if returns else end)


def _is_encoding(name: str) -> bool:
    try:
        codecs.lookup(name)
    except LookupError:
        return False
    return True


def _find_encoding(path: Path, start: bytes) -> tuple[str, str, bytes | None]:
    """The encoding, an example of what it makes of the file where it was guessed, and the end of what is UTF-8."""
    for mark, encoding in _BYTE_ORDER_MARKS:
        if start.startswith(mark):
            return encoding, "", None
    encoding = _wide_encoding(start)
    if encoding:
        return encoding, _example(start, encoding), None
    foreign, at, end = _first_block_not_utf8(path)
    if foreign is None:
        return "utf-8", "", end
    if _is_mostly_utf8(foreign):
        raise DataError(
            f"{path}: line {_line_at(path, at)} holds bytes that are not UTF-8, as the rest is. Write the file in one "
            f"encoding; data.read.encoding={_COMMONEST} reads all of it as that."
        )
    encoding = _COMMONEST if _is_western(foreign) else _likeliest(path, foreign)
    return encoding, _example(foreign, encoding), None


def _wide_encoding(start: bytes) -> str:
    """UTF-16 without a byte order mark: every other byte of plain letters is zero."""
    even, odd = start[::2].count(0), start[1::2].count(0)
    if len(start) >= 4 and max(even, odd) > 0.4 * (len(start) / 2) and min(even, odd) < 0.1 * max(even, odd):
        return "utf-16-be" if even > odd else "utf-16-le"
    return ""


def _is_mostly_utf8(foreign: bytes) -> bool:
    """Whether more letters are UTF-8 than bytes are not: other encodings look like it by chance only."""
    text = foreign.decode(errors="surrogateescape")
    odd = sum("\udc80" <= character <= "\udcff" for character in text)
    return sum(not character.isascii() for character in text) > 2 * odd


def _line_at(path: Path, position: int) -> int:
    with opened(path) as file:
        lines = 1
        while position > 0 and (block := file.read(min(position, _BLOCK_BYTES))):
            lines, position = lines + block.count(b"\n"), position - len(block)
    return lines


def _is_western(foreign: bytes) -> bool:
    """Whether foreign letters stand alone in words of plain ones, and no foreign sign stands in a word."""
    runs = _RUN.findall(foreign)
    if sum(map(len, runs)) > 1.5 * len(runs):
        return False
    text = foreign.decode(_COMMONEST, errors="replace")
    return "\ufffd" not in text and _SIGN_IN_WORD.search(text) is None


def _likeliest(path: Path, foreign: bytes) -> str:
    from charset_normalizer import from_bytes  # only files that are neither UTF-8 nor Western pay for its import

    # lines of ASCII say nothing, and the search looks at samples only
    best = from_bytes(b"\n".join(line for line in foreign.split(b"\n") if not line.isascii())).best()
    if best is None:
        raise DataError(
            f"{path}: not UTF-8, and nothing tells what else. Say what it is: data.read.encoding=cp1251 or so."
        )
    return best.encoding


def _example(foreign: bytes, encoding: str) -> str:
    text = foreign.decode(encoding, errors="replace")
    at = next((at for at, character in enumerate(text) if not character.isascii()), 0)
    line = text[max(0, at - _SHOWN) : at + _SHOWN]
    start = line.rfind("\n", 0, min(at, _SHOWN)) + 1
    return line[start:].split("\n")[0].strip()


def _first_block_not_utf8(path: Path) -> tuple[bytes | None, int, bytes]:
    """A sample around the first bytes that are not UTF-8 and their place, or None and the end of a file of UTF-8."""
    decoder, end, taken = codecs.getincrementaldecoder("utf-8")(), b"", 0
    with opened(path) as file:
        for block in _and_end(_read_blocks(file, _LOOKED_BYTES)):
            end, taken = _end(end, block), taken + len(block)
            if block.isascii() and block and not decoder.getstate()[0]:
                continue  # many times faster than decoding
            try:
                decoder.decode(block, final=not block)
            except UnicodeDecodeError as error:
                sample = _around(error.object, error.start) if block else end  # at the end a letter is cut short
                return sample, taken - len(error.object) + error.start, b""
    return None, 0, end[-TAIL_BYTES:]


def _read_blocks(file: BinaryIO, size: int) -> Iterator[bytearray]:
    """What is left of a file, always in the same memory: getting new memory takes longer than reading into it."""
    block = bytearray(size)
    while count := file.readinto(block):  # type: ignore[attr-defined]
        del block[count:]
        yield block


def _and_end(blocks: Iterator[bytearray]) -> Iterator[bytes | bytearray]:
    yield from blocks
    yield b""


def _end(before: bytes, block: bytes | bytearray) -> bytes:
    """Enough of the end of two blocks."""
    return bytes(block[-TAIL_BYTES:]) if len(block) >= TAIL_BYTES else before[-TAIL_BYTES:] + block


def _around(block: bytes, position: int) -> bytes:
    return block[max(0, position - _SAMPLE_BYTES // 2) : position + _SAMPLE_BYTES // 2]
