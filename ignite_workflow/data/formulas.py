"""Formulas that were saved without a value, as programs do that do not compute: their cells read as empty."""

from __future__ import annotations

import re
from pathlib import Path

from ignite_workflow.data.sheet_xml import column_number, sheet_blocks

__all__ = ["unsaved_formulas"]

_CELL = re.compile(rb"<(?:\w+:)?c\s")
_FORMULA = re.compile(rb"<(?:\w+:)?f[\s/>]")
_REFERENCE = re.compile(rb'\br="([A-Z]{1,3})(\d{1,7})"')
_VALUE = re.compile(rb"<(?:\w+:)?v(?:\s[^>]*)?>[^<]")
_END_OF_ROW = re.compile(rb"</(?:\w+:)?row\s*>")
_LONGEST_ROW = 64 * 1024 * 1024


def unsaved_formulas(path: Path, sheet: str) -> list[tuple[int, int]]:
    """The column and the row, from 0, of each formula without a value; none where the workbook is no .xlsx.

    A formula whose value is an empty text was saved with it: it is not among them.

    Args:
        path: of the workbook.
        sheet: its name.
    """
    found: list[tuple[int, int]] = []
    rest = b""
    for block in sheet_blocks(path, sheet):
        rest += block
        ends = [end.end() for end in _END_OF_ROW.finditer(rest)]
        if ends:
            found += _without_value(rest[: ends[-1]])
            rest = rest[ends[-1] :]
        elif len(rest) > _LONGEST_ROW:  # no such row can be parsed either
            break
    return found


def _without_value(rows: bytes) -> list[tuple[int, int]]:
    found = []
    for cell in _CELL.split(rows)[1:] if _FORMULA.search(rows) else ():
        attributes, _, content = cell.partition(b">")
        place = _REFERENCE.search(attributes)
        if place and _FORMULA.search(content) and b't="str"' not in attributes and not _VALUE.search(content):
            found.append((column_number(place[1]), int(place[2]) - 1))
    return found
