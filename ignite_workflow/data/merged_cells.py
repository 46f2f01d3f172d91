"""Merged cells of an .xlsx sheet: the value that is seen over several rows is the value of each of them."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path, PurePosixPath
from xml.etree import ElementTree

import numpy as np
import polars as pl

__all__ = ["Merge", "column_number", "fill_merged", "merged_cells", "sheet_part"]

Merge = tuple[int, int, int, int]  # the first column and the last, the first row and the last, from 0

_RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
_MERGE = re.compile(rb'<(?:\w+:)?mergeCell\s[^>]*?ref="([A-Z]{1,3})(\d{1,7}):([A-Z]{1,3})(\d{1,7})"')
_END_OF_ROWS = re.compile(rb"</(?:\w+:)?sheetData\s*>")
_READ_BYTES = 1024 * 1024
_MOST = 20_000  # each may take as long as the sheet is


def merged_cells(path: Path, sheet: str) -> list[Merge]:
    """The merged cells of a sheet; none where the workbook is of another kind.

    Args:
        path: of the workbook.
        sheet: its name.
    """
    if not zipfile.is_zipfile(path):
        return []
    with zipfile.ZipFile(path) as archive:
        part = sheet_part(archive, sheet)
        if part is None:
            return []
        with archive.open(part) as file:
            end = _below_the_rows(iter(partial(file.read, _READ_BYTES), b""))
    return [
        (column_number(left), column_number(right), int(first) - 1, int(last) - 1)
        for left, first, right, last in _MERGE.findall(end)[:_MOST]
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
    for _, _, first, last in merges:
        if first >= first_row:
            source[first - first_row : last - first_row + 1] = first - first_row
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


def sheet_part(archive: zipfile.ZipFile, sheet: str) -> str | None:
    """The name of the part that holds a sheet."""
    names = set(archive.namelist())
    if not {"xl/workbook.xml", "xl/_rels/workbook.xml.rels"} <= names:
        return None
    book = ElementTree.fromstring(archive.read("xl/workbook.xml"))  # noqa: S314 within the limits of the process
    relations = ElementTree.fromstring(archive.read("xl/_rels/workbook.xml.rels"))  # noqa: S314
    targets = {relation.get("Id"): relation.get("Target", "") for relation in relations}
    wanted = [each.get(_RELATION) for each in book.iter() if each.tag.endswith("}sheet") and each.get("name") == sheet]
    target = targets.get(wanted[0], "") if wanted else ""
    part = str(PurePosixPath("xl") / target).lstrip("/")
    return part if part in names else None


def column_number(letters: bytes) -> int:
    """The number, from 0, of the column with these letters."""
    number = 0
    for letter in letters:
        number = number * 26 + letter - ord("A") + 1
    return number - 1
