"""Workbooks (.xlsx, .xls, .ods and their kin): the table of one sheet.

A workbook is hostile until proven otherwise: what its archive expands to is measured first, and it is parsed in a
process of its own, within limits.
"""

from __future__ import annotations

import json
import zipfile
import zlib
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import polars as pl

from ignite_workflow.config import ReadConfig
from ignite_workflow.data.header import column_names, given_names
from ignite_workflow.data.limited_process import most_memory, run_limited
from ignite_workflow.data.position import Position
from ignite_workflow.data.repeated_header import left_out_note, rows_of_names
from ignite_workflow.data.sheet_process import ROW
from ignite_workflow.errors import ConfigError, DataError, nearest

__all__ = ["ExcelFile", "SheetRows", "open_excel"]

_PROGRAM = "ignite_workflow.data.sheet_process"
_CHUNK_ROWS = 65_536
_MOST_BLOCKS = 4
_MOST_EXPANSION = 200  # sheets shrink to a tenth or so
_ALWAYS_ALLOWED = 256 * 1024**2
_READ_BYTES = 1024 * 1024
_LEAST_MEMORY = 1024**3
_MEMORY_A_BYTE = 64  # a cell takes some 20 bytes of XML and 150 of memory, and so do the empty ones between cells


@dataclass(frozen=True)
class SheetRows:
    """Where records stand in their sheet.

    Attributes:
        sheet: its name.
        rows: the number of each record's row, as Excel counts, (N,).
    """

    sheet: str
    rows: pl.Series

    def place(self, record: int) -> str:
        """Where a record stands, for messages."""
        return f"sheet {self.sheet!r} row {self.rows[record]}"


@dataclass(frozen=True)
class ExcelFile:
    """The table of a sheet.

    Attributes:
        path: of the workbook.
        sheet: its name.
        columns: the names, from the header or ``column_1``, ``column_2``...
        notes: what was found that nobody said, one line each.
        naming: where the names are from, for who looks for another.
        table: the cells: numbers, booleans, dates where all of a column are, else text.
        rows: the number of each row in the sheet, from 1.
    """

    path: Path
    sheet: str
    columns: tuple[str, ...]
    notes: tuple[str, ...]
    naming: str
    table: pl.DataFrame
    rows: pl.Series

    def frames(
        self,
        numbers: Set[str],  # noqa: ARG002 typed as it is
        start: Position,
    ) -> Iterator[tuple[pl.DataFrame, SheetRows]]:
        """Its rows, with where they stand."""
        for first in range(start.taken, self.table.height, _CHUNK_ROWS):
            yield self.table[first : first + _CHUNK_ROWS], SheetRows(self.sheet, self.rows[first : first + _CHUNK_ROWS])


def open_excel(path: Path, read: ReadConfig) -> ExcelFile:
    """Find the sheet and the header, and read the table.

    Args:
        path: of the workbook.
        read: what a person said about it.

    Raises:
        ConfigError: there is no such sheet, or the package that reads workbooks is not installed.
        DataError: it is damaged, has no cells, or takes too much memory.
    """
    if find_spec("fastexcel") is None:
        raise ConfigError(f"{path}: Excel files need: pip install 'ignite-workflow[excel]'")
    memory = _LEAST_MEMORY + _MEMORY_A_BYTE * _measure(path)
    with TemporaryDirectory(prefix="ignite-workflow-") as directory:
        output = Path(directory) / "table.arrow"
        workbook = Path(directory) / "workbook"  # without an ending, which may be wrong
        workbook.symlink_to(path.resolve())
        options = {"header": read.header, "units": read.units, "footer": read.footer}
        arguments = [str(workbook), read.sheet or "", json.dumps(options), str(output)]
        answer = run_limited(_PROGRAM, arguments, path, memory)
        _refuse_unread(path, read, answer)
        table = pl.read_ipc(output)
    return _named(path, read, answer, table)


def _measure(path: Path) -> int:
    """The bytes that are parsed.

    Raises:
        DataError: an archive expands beyond measure, or its parts are not what it says they are.
    """
    if not zipfile.is_zipfile(path):
        return path.stat().st_size  # .xls is no archive; what is neither is refused where it is parsed
    most = min(most_memory(), max(_ALWAYS_ALLOWED, _MOST_EXPANSION * path.stat().st_size))
    try:
        with zipfile.ZipFile(path) as archive:
            parts = [part for part in archive.infolist() if "/media/" not in part.filename]
            declared = sum(part.file_size for part in parts)
            if declared > most:
                raise DataError(
                    f"{path}: its parts expand to {declared:,} bytes, from {path.stat().st_size:,}, as those of a "
                    "decompression bomb do; if it is none, save the sheet as CSV."
                )
            for part in parts:  # no more than the size declared is read, and its checksum compared
                with archive.open(part) as file:
                    while file.read(_READ_BYTES):
                        pass
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError) as error:
        raise DataError(f"{path}: the workbook is damaged or encrypted ({error}).") from error
    return declared


def _refuse_unread(path: Path, read: ReadConfig, answer: dict[str, Any]) -> None:
    if "error" in answer:
        raise DataError(f"{path}: not a workbook, or a damaged or encrypted one ({answer['error']}).")
    if "mixed" in answer:
        raise DataError(
            f"{path}: column {answer['mixed']} holds durations beside other values: write them all in one way."
        )
    sheets = answer["sheets"]
    if answer["sheet"] is not None:
        if answer["question"]:
            raise DataError(f"{path}: sheet {answer['sheet']!r} {answer['question']}")
        return
    if read.sheet is None:
        raise DataError(f"{path}: every sheet is empty: {', '.join(map(repr, sheets))}.")
    if read.sheet in sheets:
        raise DataError(f"{path}: sheet {read.sheet!r} is empty.")
    known = ", ".join(map(repr, sheets))
    raise ConfigError(
        f"data.read.sheet: no sheet {read.sheet!r} in {path}.{nearest(read.sheet, sheets)} Known: {known}."
    )


def _named(path: Path, read: ReadConfig, answer: dict[str, Any], table: pl.DataFrame) -> ExcelFile:
    """The table with the names of its header; columns without name and cells are left out."""
    sheet, header = answer["sheet"], answer["header"]
    used = [
        index
        for index, name in enumerate(answer["names"])
        if name is not None or table[str(index)].null_count() < table.height
    ]
    letters = [_letters(answer["first_column"] + index) for index in used]
    columns, renamed = column_names([answer["names"][index] or f"column_{index + 1}" for index in used], letters)
    parted = _parted(used, answer["first_column"], table)
    notes = (*_notes(path, read, answer, columns), *(f"{path.name}: {note}." for note in (*renamed, *parted)))
    unsaved = _unsaved(path, answer, table)
    cells = table.select(pl.col(str(index)).alias(name) for index, name in zip(used, columns, strict=True))
    naming = _naming(sheet, header, answer["sheets"], columns)
    rows, repeated = table[ROW], []
    if read.repeated_header and (again := rows_of_names(cells)):
        kept = ~rows.is_in(rows.gather(again).implode())
        repeated = [f"{path.name}: {left_out_note(rows.gather(again).to_list(), 'row')}."]
        cells, rows = cells.filter(kept), rows.filter(kept)
    return ExcelFile(path, sheet, columns, (*notes, *unsaved, *repeated), naming, cells, rows)


def _parted(used: Sequence[int], left: int, table: pl.DataFrame) -> list[str]:
    """What is said where empty columns part the others: they may be tables whose rows do not belong together.

    Args:
        used: the columns with a name or cells, counted as in ``table``.
        left: the column of the sheet where these begin.
        table: the cells.
    """
    blocks: list[list[int]] = []
    for place, index in enumerate(used):
        if place == 0 or used[place - 1] < index - 1:
            blocks.append([])
        blocks[-1].append(index)
    ends = [_last_row(table, block) for block in blocks]
    wide = [block for block in blocks if len(block) > 1]
    if len(blocks) < 2 or (len({*ends}) == 1 and len(wide) < 2):
        return []  # or a column was left empty for the eye
    texts = [
        f"{_letters(left + block[0])} to {_letters(left + block[-1])} (to row {end})"
        for block, end in zip(blocks[:_MOST_BLOCKS], ends, strict=False)
    ]
    return [
        f"columns {', '.join(texts)}{', ...' if len(blocks) > _MOST_BLOCKS else ''} are parted by empty columns and "
        "taken for one table, row by row: if they are several tables, give each a sheet of its own"
    ]


def _last_row(table: pl.DataFrame, columns: Sequence[int]) -> int:
    """The row of the sheet that holds the last cell of some columns, 0 where there is none."""
    filled = table.select(pl.any_horizontal(pl.col(list(map(str, columns))).is_not_null())).to_series()
    return int(table[ROW].filter(filled).max() or 0)  # type: ignore[arg-type]


def _naming(sheet: str, header: int | None, sheets: Sequence[str], columns: Sequence[str]) -> str:
    found = f"There is no header in sheet {sheet!r}: columns are called {columns[0]} to {columns[-1]}"
    found = f"The names are those of sheet {sheet!r} row {header}" if header else found
    others = ", ".join(repr(other) for other in sheets if other != sheet)
    return f"{found}; other sheets (data.read.sheet): {others}." if others else f"{found}."


def _unsaved(path: Path, answer: dict[str, Any], table: pl.DataFrame) -> list[str]:
    """What is said of formulas that were saved without a value.

    Raises:
        DataError: a column holds nothing else.
    """
    places = [(column, row) for column, row in answer["unsaved"]]
    if not places:
        return []
    sheet, left = answer["sheet"], answer["first_column"]
    hint = "Open it in a spreadsheet program and save it there: formulas are not computed here."
    for column in sorted({column for column, _ in places}):
        if table[str(column)].null_count() == table.height:
            rows = [row for at, row in places if at == column]
            name = answer["names"][column]
            named = f" {name!r}" if name is not None else ""
            raise DataError(
                f"{path}: sheet {sheet!r} cell {_letters(left + column)}{rows[0]}, column{named}: all its values are "
                f"formulas that were saved without a value ({len(rows):,}). {hint}"
            )
    column, row = places[0]
    cells = "1 cell holds a formula" if len(places) == 1 else f"{len(places):,} cells hold formulas"
    first = f"{_letters(left + column)}{row}"
    return [f"{path.name}: sheet {sheet!r}: {cells} saved without a value, the first {first}: missing. {hint}"]


def _notes(path: Path, read: ReadConfig, answer: dict[str, Any], columns: Sequence[str]) -> tuple[str, ...]:
    """The sheet and the row of the header, in one line, and what was found around the table."""
    others = len(answer["sheets"]) - 1
    sheet = f"sheet {answer['sheet']!r}"
    if read.sheet is None and others:
        sheet += f" (the first of {others + 1} that shows anything; another: data.read.sheet)"
    if answer["header"] is None:
        header = f"no header, {given_names(columns)}"
    else:
        header = f"the header is row {answer['header']}"
        if answer["header_rows"] > 1:
            header = f"the header is rows {answer['header']} to {answer['header'] + answer['header_rows'] - 1}, joined "
            header += "as their cells are merged; another: data.read.header"
        elif read.header is None and answer["header"] > 1:
            header += ", the first as full as those below; another: data.read.header"
    return tuple(f"{path.name}: {note}" for note in (f"{sheet}: {header}.", *answer["notes"]))


def _letters(column: int) -> str:
    """The name that Excel gives to a column, counted from 0.

    Example:
        >>> _letters(0), _letters(25), _letters(26), _letters(16383)
        ('A', 'Z', 'AA', 'XFD')
    """
    letters = ""
    number = column + 1
    while number:
        number, letter = divmod(number - 1, 26)
        letters = chr(ord("A") + letter) + letters
    return letters
