"""What a text file is encoded in, found by looking at all of its bytes once."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from ignite_workflow.data.compressed import open_decompressed
from ignite_workflow.data.likely_encoding import likeliest_encoding
from ignite_workflow.errors import DataError

__all__ = ["TAIL_BYTES", "find_encoding", "last_bytes", "read_blocks"]

_BLOCK_BYTES = 1024 * 1024
_AROUND_BYTES = 128 * 1024
TAIL_BYTES = 64 * 1024
_COMMONEST = "cp1252"
_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # begins as the mark of UTF-16 does
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_SHOWN = 20  # characters to each side of the first that is foreign


def find_encoding(path: Path, start: bytes) -> tuple[str, str, bytes | None]:
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
    likeliest = likeliest_encoding(foreign)
    if likeliest is None:
        raise DataError(
            f"{path}: not UTF-8, and nothing tells what else. Say what it is: data.read.encoding=cp1251 or so."
        )
    return likeliest, _example(foreign, likeliest), None


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
    with open_decompressed(path) as file:
        lines = 1
        while position > 0 and (block := file.read(min(position, _BLOCK_BYTES))):
            lines, position = lines + block.count(b"\n"), position - len(block)
    return lines


def _example(foreign: bytes, encoding: str) -> str:
    text = foreign.decode(encoding, errors="replace")
    at = next((at for at, character in enumerate(text) if not character.isascii()), 0)
    line = text[max(0, at - _SHOWN) : at + _SHOWN]
    start = line.rfind("\n", 0, min(at, _SHOWN)) + 1
    return line[start:].split("\n")[0].strip()


def _first_block_not_utf8(path: Path) -> tuple[bytes | None, int, bytes]:
    """A sample around the first bytes that are not UTF-8 and their place, or None and the end of a file of UTF-8."""
    decoder, end, taken = codecs.getincrementaldecoder("utf-8")(), b"", 0
    with open_decompressed(path) as file:
        for block in _and_end(read_blocks(file, _BLOCK_BYTES)):
            end, taken = last_bytes(end, block), taken + len(block)
            if b"\0" in block:
                _refuse_zero_bytes(path, block, taken - len(block))
            if block.isascii() and block and not decoder.getstate()[0]:
                continue  # many times faster than decoding
            try:
                decoder.decode(block, final=not block)
            except UnicodeDecodeError as error:
                sample = _around(error.object, error.start) if block else end  # at the end a letter is cut short
                return sample, taken - len(error.object) + error.start, b""
    return None, 0, end[-TAIL_BYTES:]


def read_blocks(file: BinaryIO, size: int) -> Iterator[bytearray]:
    """What is left of a file, always in the same memory: getting new memory takes longer than reading into it."""
    block = bytearray(size)
    while count := file.readinto(block):  # type: ignore[attr-defined]
        del block[count:]
        yield block


def _refuse_zero_bytes(path: Path, block: bytes | bytearray, before: int) -> None:
    """Refuse zero bytes among text; those at the end are told with the line that they make.

    Raises:
        DataError: text stands behind one.
    """
    at = block.index(0)
    if block[at:].strip(b"\0\r\n\x1a"):
        where = f"{path}: line {_line_at(path, before + at)}"
        raise DataError(f"{where} holds a zero byte, as no text does: the file is damaged, or no text.")


def _and_end(blocks: Iterator[bytearray]) -> Iterator[bytes | bytearray]:
    yield from blocks
    yield b""


def last_bytes(before: bytes, block: bytes | bytearray) -> bytes:
    """Enough of the end of two blocks."""
    return bytes(block[-TAIL_BYTES:]) if len(block) >= TAIL_BYTES else before[-TAIL_BYTES:] + block


def _around(block: bytes, position: int) -> bytes:
    return block[max(0, position - _AROUND_BYTES // 2) : position + _AROUND_BYTES // 2]
