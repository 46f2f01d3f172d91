"""The XML of a sheet of an .xlsx workbook, for what its parser does not tell."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path, PurePosixPath
from xml.etree import ElementTree

__all__ = ["column_number", "sheet_blocks"]

_RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
_READ_BYTES = 1024 * 1024


def sheet_blocks(path: Path, sheet: str) -> Iterator[bytes]:
    """The XML of a sheet in blocks cut anywhere; none where the workbook is of another kind.

    Args:
        path: of the workbook.
        sheet: its name.
    """
    if not zipfile.is_zipfile(path):
        return
    with zipfile.ZipFile(path) as archive:
        part = _sheet_part(archive, sheet)
        if part is None:
            return
        with archive.open(part) as file:
            yield from iter(partial(file.read, _READ_BYTES), b"")


def _sheet_part(archive: zipfile.ZipFile, sheet: str) -> str | None:
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
