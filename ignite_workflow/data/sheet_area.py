"""The rows of a sheet that are its table: below titles, with a header and units beneath it, above notes and totals."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

import polars as pl

from ignite_workflow.data.first_total import find_first_total
from ignite_workflow.data.footer import LastRow, find_footer
from ignite_workflow.data.frame_levels import find_frame_levels, is_above_index
from ignite_workflow.data.header_rows import find_header_rows
from ignite_workflow.data.merged_cells import Merge
from ignite_workflow.data.rows_above import RowsAbove
from ignite_workflow.data.sheet_header import joined_names
from ignite_workflow.data.units import find_units

__all__ = ["SheetArea", "SheetOptions", "find_area"]

_LOOKED_AT = 100
_LEVELS_ABOVE = 3  # the full row that is found
_HEADER_FILLS = 0.6  # of the cells that the widest of the first rows has; a title above fills one or two


@dataclass(frozen=True)
class SheetOptions:
    """What a person said about a sheet: see ``data.read``."""

    header: bool | int | None = None
    units: bool | None = None
    footer: bool | int | None = None


@dataclass(frozen=True)
class SheetArea:
    """The rows of a sheet that are its table; rows are counted from 0.

    Attributes:
        header: the row of the names, or the first of them; None where there is none.
        names: of the columns, None where one has none.
        header_rows: how many rows the names take.
        first: the first row below it, or the first that is not empty.
        last: the row below the last.
        notes: what was found beside the table.
        question: what may be data or not, and a person has to say; empty where nothing is open.
    """

    header: int | None
    first: int
    last: int
    notes: tuple[str, ...] = ()
    question: str = ""
    names: tuple[str | None, ...] = ()
    header_rows: int = 1


def find_area(texts: pl.DataFrame, options: SheetOptions, merges: Sequence[Merge] = ()) -> SheetArea:
    """Find the table in a sheet.

    Args:
        texts: every row of the sheet; an empty cell is null.
        options: what a person said. Of the header, the row where it is, counted from 1; True: the first row that is not
            empty; False: there is none; None: the first row that is about as full as the rows below and holds a cell
            that is not a number.
        merges: the merged cells, columns counted as in ``texts``.
    """
    header, first = _header(texts, options.header)
    found = None if header is None or options.header is not None else joined_names(texts, header, merges)
    if found is not None:
        area = _below_names(texts, options, found[0], found[1] + 1, _cells(found[2]))
        return replace(area, header_rows=found[1] + 1 - found[0])
    if header is None:
        return replace(_around(texts, options, header, first, ()), names=(None,) * texts.width)
    return _below_names(texts, options, header, first, _cells(texts.row(header)))


def _below_names(
    texts: pl.DataFrame, options: SheetOptions, header: int, first: int, names: tuple[str, ...]
) -> SheetArea:
    """Find more of the names in the rows from ``first`` on, and the table beneath them."""
    rows = [_cells(row) for row in texts[first : first + _LOOKED_AT].rows()]
    more = find_header_rows(names, rows, options.units)
    known = tuple(name or None for name in more.names)
    if not more.rows:
        return replace(_around(texts, options, header, first, more.names), names=known)
    area = _around(texts, replace(options, units=None), header, first + more.rows, more.names)
    which = f"row {first + 1} holds" if more.rows == 1 else f"rows {first + 1} to {first + more.rows} hold"
    return replace(area, names=known, notes=(f"{which} more of the header and no data: {more.why}.", *area.notes))


def _around(
    texts: pl.DataFrame, options: SheetOptions, header: int | None, first: int, names: tuple[str, ...]
) -> SheetArea:
    """Find units beneath the names, which end above the row ``first``, and what stands below the table."""
    notes: list[str] = []
    if header is not None and first < texts.height:
        body = [_cells(row) for row in texts[first + 1 : first + 1 + _LOOKED_AT].rows()]
        units = find_units(names, _cells(texts.row(first)), body, options.units)
        if units.question:
            return SheetArea(header, first, texts.height, question=f"row {first + 1}, {units.question}")
        if units.found:
            first += 1
            notes.append(f"row {first} holds units and no data: {units.why}.")
    columns = names or [f"column_{number + 1}" for number in range(texts.width)]
    footer = find_footer(_last_rows(texts, first), columns, options.footer, partial(_rows_above, texts, first))
    last = texts.height - (footer.rows[0].size if footer.rows else 0)
    if footer.question:
        return SheetArea(header, first, last, question=f"row {last + 1}, {footer.full_question(names, 'row')}")
    notes += [footer.note("row", last + 1)] if footer.rows else []
    return _below_total(texts[:last], columns, options.footer, SheetArea(header, first, last, tuple(notes)))


def _below_total(texts: pl.DataFrame, columns: Sequence[str], setting: bool | int | None, area: SheetArea) -> SheetArea:
    """Leave out the first row that is not empty, where it is a total of those below."""
    filled = texts[area.first :].select(pl.any_horizontal(pl.all().is_not_null()).arg_true().first()).item()
    if filled is None:
        return area
    row = area.first + int(filled)
    below = [texts[row + 1 :].fill_null("")]
    total = find_first_total(_cells(texts.row(row)), columns, setting, partial(RowsAbove, partial(iter, below)))
    if total.question:
        return replace(area, question=f"row {row + 1}, {total.question}")
    if not total.found:
        return area
    note = f"row {row + 1}, the first below the header, is no data: {total.why}."
    return replace(area, first=row + 1, notes=(*area.notes, note))


def _header(texts: pl.DataFrame, setting: bool | int | None) -> tuple[int | None, int]:
    """The row of the names, and the first below it."""
    first = _first_filled(texts)
    if setting is not None and setting is not True and setting is not False:
        return setting - 1, setting
    named = setting is True
    if setting is None:
        filled = texts.head(_LOOKED_AT + first).select(pl.sum_horizontal(pl.all().is_not_null())).to_series()
        full = filled >= _HEADER_FILLS * int(filled.max())  # type: ignore[arg-type]
        first = int(full.arg_true()[0])
        frame = _header_of_frame(texts, first)
        if frame is not None:
            return frame, frame + 1
        named = _names_something(texts.row(first))
    return (first, first + 1) if named else (None, first)


def _header_of_frame(texts: pl.DataFrame, full: int) -> int | None:
    """The row above one that is full, or that row, in which the names of a data frame begin; None where none does."""
    for row in range(max(0, full - _LEVELS_ABOVE), full + 1):
        rows = [_cells(cells) for cells in texts[row : row + _LOOKED_AT].rows()]
        levels = find_frame_levels(rows[0], rows[1:])
        if (levels is not None and row + levels[1] >= full) or (row == full - 1 and is_above_index(rows[0], rows[1:])):
            return row
    return None


def _cells(row: tuple[str | None, ...]) -> tuple[str, ...]:
    return tuple(cell or "" for cell in row)


def _last_rows(texts: pl.DataFrame, first: int) -> Iterator[LastRow]:
    """The last rows that are not empty, from the bottom."""
    row = texts.height - 1
    while row >= first:
        cells = _cells(texts.row(row))
        above = row
        while above > first and not any(texts.row(above - 1)):
            above -= 1
        if any(cells):
            yield LastRow(cells, parted=above < row, size=texts.height - row)
        row = min(above, row) - 1


def _rows_above(texts: pl.DataFrame, first: int, row: LastRow, positions: Sequence[int]) -> RowsAbove:
    rows = [texts[first : texts.height - row.size].fill_null("")]
    return RowsAbove(partial(iter, rows), positions)


def _first_filled(texts: pl.DataFrame) -> int:
    filled = texts.select(pl.any_horizontal(pl.all().is_not_null()).arg_true().first()).item()
    return int(filled or 0)


def _names_something(cells: tuple[str | None, ...]) -> bool:
    known = pl.Series([cell for cell in cells if cell is not None], dtype=pl.String)
    return known.str.strip_chars().cast(pl.Float64, strict=False).null_count() > 0
