"""Where the records of delimited text begin and end: whole records in blocks, their line numbers, their widths.

A quoted cell may hold delimiters and line breaks: a line break ends a record where the number of quotes before it is
even.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from ignite_workflow.data.position import BEGINNING, Position
from ignite_workflow.errors import DataError

__all__ = ["Block", "split_cells", "whole_records"]

_LONGEST_RECORD = 256 * 1024 * 1024
_COUNTED_BYTES = 256 * 1024  # at a time: what is compared stays in the processor's cache
_NEWLINE, _RETURN = 10, 13

Positions = np.ndarray[tuple[int], np.dtype[np.int64]]


@dataclass(frozen=True)
class Block:
    """Some whole records of a text file.

    Attributes:
        data: the bytes; blank lines among the records do not count as records.
        first_line: the number of the first line in its file, from 1.
        quote: the byte that quotes cells; None where there is none, as in JSON lines.
        end_line: the number of the line behind it.
        end_byte: how many bytes of its file's text come before that line.
    """

    data: bytes
    first_line: int
    quote: bytes | None = b'"'
    end_line: int = 1
    end_byte: int = 0

    def line(self, record: int) -> int:
        """The number in the file of the line where that record of this block begins."""
        starts, _ = self._bounds
        return self.first_line + self.data.count(b"\n", 0, int(starts[record]))

    def place(self, record: int) -> str:
        """Where a record stands, for messages."""
        return f"line {self.line(record)}"

    def without_blank_lines(self) -> bytes:
        """The bytes of the records alone."""
        return b"".join(self.records())

    def has_blank_lines(self) -> bool:
        """Whether there are lines that do not count as records."""
        starts, ends = self._bounds
        return int((ends - starts).sum()) < len(self.data)

    def widths(self, delimiter: bytes) -> Positions:
        """How many cells each record has."""
        starts, _ = self._bounds
        cells = np.ones(len(starts), dtype=np.int64)
        at = self._outside_quotes(delimiter)
        np.add.at(cells, np.searchsorted(starts, at, side="right") - 1, 1)
        return cells

    def records(self) -> list[bytes]:
        """The bytes of each record, its line break included."""
        starts, ends = self._bounds
        return [self.data[start:end] for start, end in zip(starts.tolist(), ends.tolist(), strict=True)]

    def without(self, records: Sequence[int]) -> Block:
        """The same with blank lines in the place of some records: the lines of others stay what they are."""
        starts, ends = self._bounds
        parts, position = [], 0
        for record in records:
            parts += [
                self.data[position : starts[record]],
                b"\n" * self.data.count(b"\n", starts[record], ends[record]),
            ]
            position = int(ends[record])
        return replace(self, data=b"".join([*parts, self.data[position:]]))

    def delimiters(self, delimiter: bytes) -> int:
        """The number of delimiters that part cells."""
        if self.quote is None or self.quote not in self.data:
            return _count(self.data, delimiter)
        return len(self._outside_quotes(delimiter))

    def empty_cells(self, delimiter: bytes) -> int:
        """How many cells have nothing in them, where nothing is quoted."""
        data = np.frombuffer(self.data, dtype=np.uint8)
        parts, breaks = data == ord(delimiter), data == _NEWLINE
        ends = parts | breaks | (data == _RETURN)
        inside = np.count_nonzero(parts[:-1] & ends[1:]) + np.count_nonzero(breaks[:-1] & parts[1:])
        return int(inside) + int(parts[0]) + int(parts[-1])  # the last row may end without a line break

    def _outside_quotes(self, byte: bytes) -> Positions:
        data = np.frombuffer(self.data, dtype=np.uint8)
        at: Positions = np.flatnonzero(data == ord(byte))
        if self.quote is None or self.quote not in self.data:
            return at
        # counted modulo 256: only whether the number is even matters
        quotes = np.cumsum(data == ord(self.quote), dtype=np.uint8)
        outside: Positions = at[quotes[at] % 2 == 0]
        return outside

    @cached_property  # a place is asked for by every column of a chunk that holds something odd
    def _bounds(self) -> tuple[Positions, Positions]:
        """Where each record begins and where it ends, its line break included."""
        data = np.frombuffer(self.data, dtype=np.uint8)
        ends = self._outside_quotes(b"\n") + 1
        if not len(ends) or ends[-1] != len(data):
            ends = np.append(ends, len(data))
        starts = np.concatenate([np.zeros(1, dtype=np.int64), ends[:-1]])
        if not len(data):
            return starts[:0], ends[:0]
        first = data[np.minimum(starts, len(data) - 1)]
        second = data[np.minimum(starts + 1, len(data) - 1)]
        blank = (first == _NEWLINE) | ((first == _RETURN) & (second == _NEWLINE))
        return starts[~blank], ends[~blank]


def split_cells(record: bytes, delimiter: bytes, quote: bytes | None) -> list[bytes]:
    """The cells of a record as they are written, its line break left out."""
    cells = record.rstrip(b"\r\n")
    ends = Block(cells, 1, quote)._outside_quotes(delimiter).tolist()
    return [cells[start:end] for start, end in zip([0, *(end + 1 for end in ends)], [*ends, len(cells)], strict=True)]


def whole_records(
    blocks: Iterator[bytes | bytearray],
    *,
    skip_lines: int,
    quote: bytes | None,
    endless: Callable[[Block], DataError],
    start: Position = BEGINNING,
) -> Iterator[Block]:
    """Cut blocks of bytes anew, so that each holds whole records.

    Args:
        blocks: the bytes of a file, cut anywhere.
        skip_lines: lines at the start that hold no records: the header.
        quote: see ``Block``.
        endless: makes the error for what begins with a record that does not end.
        start: the place of the first byte of ``blocks``.

    Raises:
        DataError: a quote is opened and never closed, or a record is longer than 256 MB.
    """
    rest, first_line, read, to_skip = b"", start.line, start.byte, skip_lines if start.byte == 0 else 0
    for block in blocks:
        read += len(block)
        while to_skip and (end := block.find(b"\n")) >= 0:
            rest, block, first_line, to_skip = b"", block[end + 1 :], first_line + 1, to_skip - 1
        cut = 0 if to_skip else _last_record_end(rest, block, quote)
        if cut:
            records = b"".join((rest, memoryview(block)[:cut]))  # a block is copied once: that is half of the cost
            rest = bytes(block[cut:])
            end_line = first_line + _count(records, b"\n")
            yield Block(records, first_line, quote, end_line, read - len(rest))
            first_line = end_line
        else:
            rest += block
        if len(rest) > _LONGEST_RECORD:
            raise endless(Block(rest, first_line, quote))
    if quote is not None and rest.count(quote) % 2:
        raise endless(Block(rest, first_line, quote))
    if rest.strip(b"\r\n") and not to_skip:
        yield Block(rest, first_line, quote, first_line + _count(rest, b"\n"), read)


def _count(data: bytes, byte: bytes) -> int:
    # several times as fast as bytes.count
    cells = np.frombuffer(data, dtype=np.uint8)
    starts = range(0, len(cells), _COUNTED_BYTES)
    return sum(int(np.count_nonzero(cells[start : start + _COUNTED_BYTES] == ord(byte))) for start in starts)


def _last_record_end(rest: bytes, block: bytes | bytearray, quote: bytes | None) -> int:
    """Where in ``block`` its last whole record ends; ``rest``, which stands before it, is the start of a record."""
    if quote is None or (quote not in block and quote not in rest):
        return block.rfind(b"\n") + 1
    ends = Block(rest + block, 1, quote)._outside_quotes(b"\n")
    return int(ends[-1]) + 1 - len(rest) if len(ends) else 0
