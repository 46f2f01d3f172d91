"""The footer of a file of delimited text, found from its end."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial

import polars as pl

from ignite_workflow.config import ReadConfig
from ignite_workflow.data.fixed_width import delimited_lines
from ignite_workflow.data.footer import LastRow, counts_rows, find_footer
from ignite_workflow.data.layout import Layout
from ignite_workflow.data.rows_above import RowsAbove
from ignite_workflow.data.text_file import TAIL_BYTES, TextFile
from ignite_workflow.data.text_records import split_cells
from ignite_workflow.errors import DataError

__all__ = ["find_text_footer", "without_last_bytes"]


def find_text_footer(
    text: TextFile, layout: Layout, read: ReadConfig, frames: Callable[[int], Iterable[pl.DataFrame]]
) -> tuple[int, str]:
    """Find what stands below the table.

    Args:
        text: the file.
        layout: its look.
        read: what a person said about it.
        frames: the records, without so many bytes at the end of the file.

    Returns:
        The bytes that it takes, 0 where nothing stands below the table; and a line that says what is left out.

    Raises:
        DataError: a row may be data or not, and only a person can know; or a person said more rows than can be found.
    """
    footer = find_footer(_last_rows(text, layout), layout.columns, read.footer, partial(_rows_above, frames))
    if read.footer is not True and len(footer.rows) < (read.footer or 0):
        raise DataError(
            f"{text.path}: data.read.footer: of {read.footer:,} rows only {len(footer.rows):,} are found at the end of "
            f"the file: in its last {TAIL_BYTES // 1024} KB, and below cells with line breaks. Delete them in the file."
        )
    if not footer.rows:
        return 0, ""
    size = footer.rows[0].size
    first = 1 + sum(block.count(b"\n") for block in without_last_bytes(text.blocks(), size))
    if footer.question:
        raise DataError(
            f"{text.path}: line {first}, {footer.full_question(layout.columns if layout.header_lines else (), 'line')}"
        )
    return size, f"{text.path.name}: {footer.note('line', first)}"


def without_last_bytes(blocks: Iterator[bytes | bytearray], size: int) -> Iterator[bytes | bytearray]:
    """Blocks of bytes without the last so many."""
    if not size:
        yield from blocks
        return
    rest = b""
    for block in blocks:
        rest += block
        yield rest[:-size]
        rest = rest[-size:]


def _last_rows(text: TextFile, layout: Layout) -> Iterator[LastRow]:
    """The last lines that are not empty, from the bottom, as long as each is a record of its own.

    A record over several lines ends in one with an odd number of quotes.
    """
    tail = text.tail()
    lines = tail.split(b"\n")
    lines = lines[layout.header_lines :] if len(tail) < TAIL_BYTES else lines[1:]  # the first may be cut
    delimiter, quote = layout.delimiter.encode(), b'"' if layout.quotes else None
    size, waiting = 0, None
    for number, line in reversed(list(enumerate(lines))):
        size += len(line) + (number < len(lines) - 1)
        if quote is not None and line.count(quote) % 2:
            break
        if layout.widths is not None:
            parts = delimited_lines(line, layout.widths).split(delimiter)
        else:
            parts = _words(line) if layout.delimiter == " " else split_cells(line, delimiter, quote)
        cells = tuple(part.decode(errors="replace").strip().strip('"') for part in parts)
        if not any(cells):
            if waiting is not None:
                yield LastRow(waiting.cells, parted=True, size=waiting.size)
                waiting = None
            continue
        if waiting is not None:
            yield waiting
        waiting = LastRow(cells, size=size)
    if waiting is not None:
        yield waiting


def _words(line: bytes) -> list[bytes]:
    """What blanks part, unless it is a count of the rows."""
    return [line.strip()] if counts_rows(line.decode(errors="replace").strip()) else line.split()


def _rows_above(frames: Callable[[int], Iterable[pl.DataFrame]], row: LastRow, positions: Sequence[int]) -> RowsAbove:
    return RowsAbove(partial(frames, row.size), positions)
