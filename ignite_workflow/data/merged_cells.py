"""Merged cells of an .xlsx sheet: the value that is seen over several rows is the value of each of them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import numpy as np
import polars as pl

from ignite_workflow.data.sheet_xml import column_number, sheet_blocks

__all__ = ["MOST_MERGED", "Merge", "fill_merged", "merged_cells", "merged_note", "merged_over_rows"]

_MERGE = re.compile(rb'<(?:\w+:)?mergeCell\s[^>]*?ref="([A-Z]{1,3})(\d{1,7}):([A-Z]{1,3})(\d{1,7})"')
_END_OF_ROWS = re.compile(rb"</(?:\w+:)?sheetData\s*>")
MOST_MERGED = 2_000_000
"""The most merged cells of a sheet that are looked at: two columns of groups of two rows, as long as a sheet may be."""
_MOST_NAMED = 3


class Merge(NamedTuple):
    """Cells that are merged into one: the first column and the last, the first row and the last, from 0."""

    left: int
    right: int
    first: int
    last: int


def merged_cells(path: Path, sheet: str, left: int = 0) -> list[Merge]:
    """The merged cells of a sheet, at most ``MOST_MERGED`` and one more; none where the workbook is of another kind.

    Args:
        path: of the workbook.
        sheet: its name.
        left: the column of the sheet from which columns are counted.
    """
    found = _MERGE.finditer(_below_the_rows(sheet_blocks(path, sheet)))
    return [
        Merge(column_number(match[1]) - left, column_number(match[3]) - left, int(match[2]) - 1, int(match[4]) - 1)
        for match in islice(found, MOST_MERGED + 1)
    ]


def merged_over_rows(merges: Sequence[Merge], width: int, first_row: int, last_row: int) -> dict[int, list[Merge]]:
    """The cells that are merged over rows of a table, by the column that holds their value.

    Args:
        merges: of the sheet.
        width: how many columns the table has.
        first_row, last_row: the first of the table, and that below it, from 0.
    """
    columns: dict[int, list[Merge]] = {}
    for merge in merges:
        if 0 <= merge.left < width and first_row <= merge.first < min(merge.last, last_row):
            columns.setdefault(merge.left, []).append(merge)
    return columns


def merged_note(columns: Mapping[int, Sequence[Merge]], names: Sequence[str | None]) -> tuple[str, ...]:
    """What is said of the columns that hold cells merged over rows; nothing where none does."""
    if not columns:
        return ()
    known = [repr(names[at] or f"column_{at + 1}") for at in sorted(columns)]
    shown = ", ".join(known[:_MOST_NAMED]) + (
        f" and {len(known) - _MOST_NAMED} more" if len(known) > _MOST_NAMED else ""
    )
    count = sum(map(len, columns.values()))
    first = min(merge.first for merges in columns.values() for merge in merges) + 1
    what = "1 cell is" if count == 1 else f"{count:,} cells are"
    return (f"{what} merged over rows in {shown}, the first in row {first}: each row has the value.",)


def fill_merged(cells: pl.Series, merges: Sequence[Merge], first_row: int) -> pl.Series:
    """A column whose merged cells have the value of the first of them.

    Args:
        cells: of the column, from ``first_row`` of the sheet on, (N,).
        merges: of ``merged_over_rows``, in the column.
        first_row: from 0.
    """
    if not merges:
        return cells
    firsts = np.array([merge.first for merge in merges]) - first_row
    ends = np.minimum(np.array([merge.last for merge in merges]) - first_row + 1, len(cells))
    steps = np.zeros(len(cells) + 1, dtype=np.int64)
    np.add.at(steps, firsts, 1)
    np.add.at(steps, ends, -1)
    source = np.where(np.cumsum(steps[:-1]) > 0, 0, np.arange(len(cells)))
    source[firsts] = firsts
    return cells.gather(np.maximum.accumulate(source))


def _below_the_rows(blocks: Iterator[bytes]) -> bytes:
    """What a sheet's part says below its rows: merged cells are named there."""
    rest = b""
    for block in blocks:
        content = rest + block
        if end := _END_OF_ROWS.search(content):
            return content[end.end() :] + b"".join(blocks)
        rest = content[-64:]
    return b""
