"""Text files as blocks of UTF-8 bytes, whatever they are encoded in, compressed or not."""

from __future__ import annotations

import codecs
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import chain
from pathlib import Path
from typing import BinaryIO

from ignite_workflow.data.compressed import open_decompressed
from ignite_workflow.data.quotes import doubled, with_doubled, with_swapped
from ignite_workflow.data.text_encoding import TAIL_BYTES, find_encoding, last_bytes, read_blocks
from ignite_workflow.errors import ConfigError, DataError

__all__ = ["TAIL_BYTES", "TextFile", "open_text"]

_BLOCK_BYTES = 8 * 1024 * 1024  # 2 MB costs a quarter more per byte in polars, 16 MB falls out of the cache
_FIRST_BYTES = 1024 * 1024  # of the block that others wait for: it decides how they are read
_SAMPLE_BYTES = 128 * 1024  # no longer than the csv module lets a cell be
_LONGEST_LINE = 64 * 1024 * 1024  # no header is longer
_MARK = b"\n" + codecs.BOM_UTF8


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
        single: single quotes hold cells together: they are given as double ones, and double ones as single.
    """

    path: Path
    encoding: str
    returns: bool
    guessed: bool = False
    example: str = ""
    end: bytes | None = field(default=None, compare=False, repr=False)
    escapes: bool = False
    single: bool = False

    def with_escapes(self) -> TextFile:
        """The same file, quotes inside of whose quoted cells are written with a backslash."""
        return replace(self, escapes=True, end=None if self.end is None else doubled(self.end))

    def with_single_quotes(self) -> TextFile:
        """The same file, whose cells are held together by single quotes."""
        return replace(self, single=True, end=None if self.end is None else with_swapped(self.end))

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
        if self.single:
            notes.append(f"{name}: cells are held together by single quotes; otherwise: data.read.quotes=false.")
        return tuple(notes)

    def blocks(self, start: int = 0) -> Iterator[bytes | bytearray]:
        """The content as UTF-8 without byte order mark, lines ended by a newline, in blocks cut anywhere.

        A block stands until the next one is asked for: both may be the same memory.

        Args:
            start: bytes at the beginning that are left out; the rest is cut where it is cut without that.

        Raises:
            DataError: the compressed file is damaged, or bytes do not fit the encoding.
        """
        with open_decompressed(self.path) as file:
            try:
                for block in self._rewritten(file):
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
            end = last_bytes(end, block)
        return end[-TAIL_BYTES:]

    def _rewritten(self, file: BinaryIO) -> Iterator[bytes | bytearray]:
        blocks = self._transcoded(file)
        blocks = map(with_swapped, blocks) if self.single else blocks
        return with_doubled(blocks) if self.escapes else blocks

    def _transcoded(self, file: BinaryIO) -> Iterator[bytes | bytearray]:
        if self.encoding == "utf-8" and not self.returns:
            first = file.read(min(_FIRST_BYTES, _BLOCK_BYTES))
            begun: list[bytes | bytearray] = [first] if first else []
            blocks = chain(begun, read_blocks(file, _BLOCK_BYTES))
            yield from _without_marks(blocks) if first.startswith(codecs.BOM_UTF8) else blocks
            return
        text = io.TextIOWrapper(file, encoding=self.encoding, newline=None if self.returns else "")
        try:
            yield from _without_marks(part.encode() for part in iter(partial(text.read, _BLOCK_BYTES), ""))
        finally:
            text.detach()  # the file is closed by who opened it


def _without_marks(blocks: Iterable[bytes | bytearray]) -> Iterator[bytes | bytearray]:
    """Blocks without byte order marks at the beginning of lines, as where files were joined.

    Args:
        blocks: cut anywhere, but each longer than such a mark, save for the last.
    """
    rest, begins = b"", True  # a line
    for block in blocks:
        data = b"".join((rest, block)) if rest else block
        while begins and data.startswith(codecs.BOM_UTF8):
            data = data[len(codecs.BOM_UTF8) :]
        end = next((size for size in (3, 2) if data.endswith(_MARK[:size])), 0)
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
    with open_decompressed(path) as file:
        start = file.read(_SAMPLE_BYTES)
    if not start:
        raise DataError(f"{path}: the file is empty.")
    guessed, example, end = encoding is None, "", None
    if encoding is None:
        encoding, example, end = find_encoding(path, start)
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
