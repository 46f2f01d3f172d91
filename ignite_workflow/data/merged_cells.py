"""Merged cells of an .xlsx sheet: the value that is seen over several rows is the value of each of them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import polars as pl

from ignite_workflow.data.sheet_xml import column_number, sheet_blocks

__all__ = ["Merge", "fill_merged", "merged_cells"]

_MERGE = re.compile(rb'<(?:\w+:)?mergeCell\s[^>]*?ref="([A-Z]{1,3})(\d{1,7}):([A-Z]{1,3})(\d{1,7})"')
_END_OF_ROWS = re.compile(rb"</(?:\w+:)?sheetData\s*>")
_MOST = 20_000  # each may take as long as the sheet is


class Merge(NamedTuple):
    """Cells that are merged into one: the first column and the last, the first row and the last, from 0."""

    left: int
    right: int
    first: int
    last: int


def merged_cells(path: Path, sheet: str) -> list[Merge]:
    """The merged cells of a sheet; none where the workbook is of another kind.

    Args:
        path: of the workbook.
        sheet: its name.
    """
    return [
        Merge(column_number(left), column_number(right), int(first) - 1, int(last) - 1)
        for left, first, right, last in _MERGE.findall(_below_the_rows(sheet_blocks(path, sheet)))[:_MOST]
    ]


def fill_merged(cells: pl.Series, merges: Sequence[Merge], first_row: int) -> pl.Series:
    """A column whose merged cells have the value of the first of them.

    Args:
        cells: of the column, from ``first_row`` of the sheet on, (N,).
        merges: that begin in the column; those that begin above are left as they are.
        first_row: from 0.
    """
    if not merges:
        return cells
    source = np.arange(len(cells))
    for merge in merges:
        if merge.first >= first_row:
            source[merge.first - first_row : merge.last - first_row + 1] = merge.first - first_row
    return cells.gather(source)


def _below_the_rows(blocks: Iterator[bytes]) -> bytes:
    """What a sheet's part says below its rows: merged cells are named there."""
    rest = b""
    for block in blocks:
        content = rest + block
        if end := _END_OF_ROWS.search(content):
            return content[end.end() :] + b"".join(blocks)
        rest = content[-64:]
    return b""
