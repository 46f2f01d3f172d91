"""What is wrong with a row of delimited text, in one line that names its line and its column."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ignite_workflow.data.layout import Layout
from ignite_workflow.data.quotes import without_blanks
from ignite_workflow.data.text_records import Block, split_cells
from ignite_workflow.errors import DataError

__all__ = ["ragged_row", "stray_quote", "unexpected_quote"]

_MOST_SHOWN = 40
_ARE_CHARACTERS = "If quotes are characters like others: data.read.quotes=false."


def ragged_row(path: Path, layout: Layout, line: int, cells: list[bytes]) -> DataError:
    """A row has more or fewer cells than there are columns.

    Args:
        path: of the file.
        layout: its look.
        line: where the row begins.
        cells: of the row.
    """
    width, wanted = len(cells), len(layout.columns)
    if width == 1 and not cells[0].strip(b"\x00\x1a"):
        what = "zero bytes, as a file has that was not written to its end" if b"\x00" in cells[0] else "^Z (0x1a)"
        return DataError(f"{path}: line {line} holds nothing but {what}: remove it.")
    if layout.widths is not None:
        return DataError(
            f"{path}: line {line}: no blank parts two columns: {_shown(cells[0])}. Columns begin at "
            f"the characters {layout.widths.starts}: if that is wrong: data.read.starts; if the table has ended: "
            "data.read.footer."
        )
    what = f"{width} cell{'s' if width > 1 else ''} where the {'header' if layout.header_lines else 'first row'} has"
    if width < wanted:
        why = f"the row ends here: {what} {wanted}"
        hint = "If the cells at its end are missing: data.read.pad_rows=true; if the table has ended: data.read.footer."
        return DataError(f"{path}: line {line}, {_column(layout, width)}: {why}. {hint}")
    why = f"{_shown(cells[wanted])} is too much: {what} {wanted}"
    return DataError(f"{path}: line {line}, column {wanted + 1}: {why}. {_surplus_hint(layout, width)}")


def _surplus_hint(layout: Layout, width: int) -> str:
    if len(layout.columns) == 1:
        hint = f"If {layout.delimiter!r} does not part the cells: data.read.delimiter"
        return f"{hint}; if they have fixed widths: data.read.starts."
    quoted = f"A cell that holds {layout.delimiter!r} must stand in double quotes"
    header = "; if the header stands in another line: data.read.header" if layout.header_lines else ""
    is_one_short = layout.header_lines and width == len(layout.columns) + 1
    names = "; if rows begin with names that it has none for: data.read.row_names=true" if is_one_short else ""
    return f"{quoted}{header}{names}."


def stray_quote(path: Path, layout: Layout, block: Block) -> DataError:
    """Quotes do not pair up somewhere in a block.

    Args:
        path: of the file.
        layout: its look.
        block: holds the quote.
    """
    if b'"' not in block.data:
        size = f"{len(block.data) / 1e6:,.0f} MB and more"
        return DataError(f"{path}: line {block.first_line} has {size}, as no record of a table: the file is damaged.")
    if layout.blanks:
        block = replace(block, data=without_blanks(block.data, layout.delimiter.encode()))
    found = _first_stray(block.data, layout.delimiter.encode())
    hint = _ARE_CHARACTERS
    if b'\\"' in block.data:
        hint = f'If quotes inside of cells are written \\": data.read.escapes=true. {hint}'
    if found is None:
        last = block.first_line + block.data.count(b"\n")
        return DataError(f"{path}: lines {block.first_line} to {last}: quotes that do not pair up. {hint}")
    opened, at = found
    place = _place(path, layout, block, opened if at is None else min(opened, at))
    if at is None:
        return DataError(f"{place}: a quote is opened and not closed again. {hint}")
    cell = _shown(_around(block.data, at))
    if opened == at:
        return DataError(f"{place}: a quote in the middle of a cell: {cell}. {hint}")
    where = "" if b"\n" not in block.data[opened:at] else f" in line {_line(block, at)}"
    why = f"the quote that opens here is followed{where} by one in the middle of a cell"
    return DataError(f"{place}: {why}: {cell}. A quote inside of a quoted cell is written twice. {hint}")


def unexpected_quote(path: Path, layout: Layout, block: Block, at: int) -> DataError:
    """A quote begins a cell in a file whose quotes were taken for characters, as those inside of cells."""
    place = _place(path, layout, block, at)
    return DataError(
        f"{place}: a double quote begins the cell, but others stand inside of cells. "
        "Say what they are: data.read.quotes."
    )


def _first_stray(data: bytes, delimiter: bytes) -> tuple[int, int | None] | None:
    """The first quote that neither begins nor ends a cell, after the one that opened the cell; None: never closed."""
    separators, position = delimiter + b"\r\n", 0
    while (opened := data.find(b'"', position)) >= 0:
        if opened and data[opened - 1] not in separators:
            return opened, opened
        end = data.find(b'"', opened + 1)
        while end >= 0 and data[end + 1 : end + 2] == b'"':
            end = data.find(b'"', end + 2)
        if end < 0:
            return opened, None
        if end + 1 < len(data) and data[end + 1] not in separators:
            return opened, end
        position = end + 1
    return None


def _place(path: Path, layout: Layout, block: Block, at: int) -> str:
    """The line and the column of a byte; the quotes before it pair up."""
    before = Block(block.data[:at], 1, block.quote).records()
    start = before[-1] if before and not before[-1].endswith(b"\n") else b""
    column = len(split_cells(start, layout.delimiter.encode(), block.quote))
    return f"{path}: line {_line(block, at)}, {_column(layout, column)}"


def _line(block: Block, at: int) -> int:
    return block.first_line + block.data.count(b"\n", 0, at)


def _column(layout: Layout, number: int) -> str:
    named = layout.header_lines and number <= len(layout.columns)
    return f"column {number} {layout.columns[number - 1]!r}" if named else f"column {number}"


def _around(data: bytes, at: int) -> bytes:
    """The characters of the line before and after a byte."""
    start = max(data.rfind(b"\n", 0, at) + 1, at - _MOST_SHOWN // 2)
    return data[start : at + _MOST_SHOWN // 2].split(b"\n")[0].rstrip(b"\r")


def _shown(cell: bytes) -> str:
    text = cell.decode(errors="ignore").strip()
    return repr(text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}...")
