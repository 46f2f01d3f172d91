"""A total in the first row of a table, above the rows that it sums up: it is none of the data."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import polars as pl

from ignite_workflow.data.footer import LastRow
from ignite_workflow.data.layout import Layout
from ignite_workflow.data.rows_above import RowsAbove
from ignite_workflow.data.sample import is_number
from ignite_workflow.data.total_words import bare_word, statistic_of
from ignite_workflow.errors import DataError

__all__ = ["FirstTotal", "below_first_total", "find_first_total"]

_MOST_COMPARED = 16  # cells, with the columns below
_MOST_SHOWN = 60


@dataclass(frozen=True)
class FirstTotal:
    """What is known of the first row.

    Attributes:
        found: it is a total.
        why: the evidence, where it is.
        question: what may be data or not, and a person has to say; empty where nothing is open.
    """

    found: bool = False
    why: str = ""
    question: str = ""


def find_first_total(
    cells: Sequence[str],
    columns: Sequence[str],
    setting: bool | int | None,
    rows_below: Callable[[Sequence[int]], RowsAbove],
) -> FirstTotal:
    """Find out whether the first row sums up those below, which are looked at only where its first word says so.

    Args:
        cells: of the row.
        columns: the names of the table's.
        setting: see ``data.read.footer``.
        rows_below: what the other rows hold, in the columns at these positions.
    """
    row = LastRow(tuple(cells[: len(columns)]))
    if setting is False or not row.filled or statistic_of(row.first[1]) != "sum":
        return FirstTotal()
    position, label = row.first
    numbers = [(at, cell) for at, cell in row.filled[1:] if is_number(cell)][:_MOST_COMPARED]
    if not numbers:
        return FirstTotal()
    shown = repr(" ".join(",".join(row.cells).split())[:_MOST_SHOWN])
    if setting is True:
        return FirstTotal(found=True, why=f"{shown} (as data.read.footer says)")
    rows = rows_below([position, *(at for at, _ in numbers)])
    if rows.has_word(position, bare_word(label)):
        return FirstTotal()
    for at, cell in numbers:
        if rows.equals("sum", at, cell):
            why = f"its {columns[at]!r} is the sum of the {rows.rows:,} rows below"
            return FirstTotal(found=True, why=f"{shown} ({why}); otherwise: data.read.footer=false")
    return FirstTotal(
        question=f"column {position + 1} {columns[position]!r}: {shown} may be data or not: none of its numbers is the "
        "sum of those below. If not: data.read.footer=true leaves it out; if so: data.read.footer=false."
    )


def below_first_total(
    path: Path, layout: Layout, setting: bool | int | None, frames: Callable[[Layout], Iterable[pl.DataFrame]]
) -> Layout:
    """The look of a file of delimited text whose first row is left out where it is a total.

    Args:
        path: of the file.
        layout: its look.
        setting: see ``data.read.footer``.
        frames: the records of the file where it had another look.

    Raises:
        DataError: the first row may be data or not, and only a person can know.
    """
    first = layout.first
    if first is None:
        return layout
    below = replace(layout, header_lines=first.end)
    total = find_first_total(first.cells, layout.columns, setting, partial(RowsAbove, partial(frames, below)))
    if total.question:
        raise DataError(f"{path}: line {first.line}, {total.question}")
    if not total.found:
        return layout
    note = f"{path.name}: line {first.line}, the first below the header, is no data: {total.why}."
    return replace(below, notes=(*layout.notes, note))
