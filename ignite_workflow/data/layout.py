"""The look of delimited text: what parts its cells, where its header is, found in its first records."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ignite_workflow.config import ReadConfig
from ignite_workflow.data.delimiter import DelimitedSample, find_delimiter
from ignite_workflow.data.fixed_width import FixedWidths
from ignite_workflow.data.header import column_names, given_names, is_header
from ignite_workflow.data.header_rows import find_header_rows
from ignite_workflow.data.known_widths import KnownWidths
from ignite_workflow.data.row_names import ROW_NAMES, has_row_names
from ignite_workflow.data.sample import Record
from ignite_workflow.data.units import find_units
from ignite_workflow.errors import DataError

__all__ = ["Layout", "find_layout"]

_NAMES = {"\t": "a tab", " ": "blanks", "\x1f": "the unit separator 0x1f", "\x01": "the byte 0x01"}
_MOST_COLUMNS = 100_000  # each takes some 2 ms, however few its rows
_AT_START = re.compile(r"(?:^|[,;\t| ])\"", re.MULTILINE)


@dataclass(frozen=True)
class Layout:
    """The look of a file of delimited text.

    Attributes:
        delimiter: one character; a blank stands for any run of blanks and tabs.
        columns: the names, from the header or ``column_1``, ``column_2``...
        header_lines: lines before the first record.
        quotes: whether double quotes hold cells together.
        nameless: from which column on all have no name in the header; the number of columns where the last has one.
        notes: what was guessed, with the evidence.
        naming: where the names are from, for who looks for another name; empty: from the header.
        widths: where columns of fixed width begin; None: the delimiter parts them.
        misfit: that they do not begin where they do in other files of the table; empty: nothing is to be said.
        blanks: whether they stand around quoted cells and are none of them.
        first: the first record; None: there is none.
    """

    delimiter: str
    columns: tuple[str, ...]
    header_lines: int
    quotes: bool = True
    nameless: int = 0
    notes: tuple[str, ...] = ()
    naming: str = ""
    widths: FixedWidths | None = None
    misfit: str = ""
    blanks: bool = False
    first: Record | None = None

    @property
    def known_widths(self) -> KnownWidths | None:
        """What its columns of fixed width tell of other files of the table."""
        return None if self.widths is None else KnownWidths(self.widths.spans, self.columns, named=not self.naming)


def find_layout(path: Path, read: ReadConfig, sample: str, known_widths: KnownWidths | None = None) -> Layout:
    """Find out delimiter and header.

    Args:
        path: of the file, for messages.
        read: what a person said about it.
        sample: its first records.
        known_widths: where columns of fixed width stand in other files of the table; None: nothing is known.

    Raises:
        ConfigError: the delimiter is not one character.
        DataError: the line that is said to hold the header is not among the first.
    """
    quotes = _has_quotes(sample) if read.quotes is None else read.quotes
    delimited = find_delimiter(path, read, sample, quotes, known_widths)
    at = _header_record(path, delimited, read)
    records, unnamed = _with_row_names(delimited.records, at, delimited.below, read)
    first = records[at]
    named, why = is_header(records, at, delimited.named if read.header is None else read.header)
    quotes, notes = _delimiter_notes(delimited, read, quotes)
    misfit = _misfit(path, delimited, read, known_widths, notes)
    if at and read.header is None:
        skipped = " / ".join(
            " ".join(delimited.delimiter.join(record.cells).split()) for record in delimited.records[:at]
        )
        notes.append(f"what stands above line {first.line} is skipped: {skipped[:60]!r}")
    if len(first.cells) > _MOST_COLUMNS:
        raise DataError(
            f"{path}: line {first.line} has {len(first.cells):,} columns; at most {_MOST_COLUMNS:,} are read."
        )
    header = _header(path, records, at, read) if named else _numbered(first, why, read)
    return Layout(
        delimiter=delimited.delimiter,
        columns=header.columns,
        header_lines=header.lines,
        quotes=quotes,
        nameless=header.nameless,
        notes=tuple(f"{path.name}: {note}." for note in [*notes, *(unnamed if named else ()), *header.notes]),
        naming=header.naming,
        widths=delimited.widths,
        misfit=misfit,
        blanks=delimited.blanks,
        first=next((record for record in records[at:] if record.line > header.lines), None),
    )


@dataclass(frozen=True)
class _Header:
    """What stands above the first record; the fields are those of ``Layout``."""

    columns: tuple[str, ...]
    lines: int
    nameless: int
    notes: list[str]
    naming: str = ""


def _header(path: Path, records: Sequence[Record], at: int, read: ReadConfig) -> _Header:
    """The names in a record and in those beneath it.

    Raises:
        DataError: the record beneath may hold units or data, or a cell goes on in the next line.
    """
    first, notes = records[at], []
    if first.ruled:
        notes.append(f"line {first.end} is drawn beneath the names and no data")
        _refuse_broken_cells(path, records[at + 1 :])
    more = find_header_rows(first.cells, [record.cells for record in records[at + 1 :]], read.units)
    if more.rows:
        lines = f"line {records[at + 1].line} holds" if more.rows == 1 else f"{more.rows} lines beneath the header hold"
        notes.append(f"{lines} more of the header and no data: {more.why}")
    columns, renamed = column_names(more.names)
    nameless = max((number for number, cell in enumerate(more.names, start=1) if cell.strip()), default=0)
    end, units = _below_units(path, columns, records[at + more.rows :], None if more.rows else read.units)
    return _Header(columns, end, nameless, [*notes, *renamed, *units])


def _numbered(first: Record, why: str, read: ReadConfig) -> _Header:
    """Names for columns that have none, of which this is the first record."""
    columns = tuple(f"column_{number + 1}" for number in range(len(first.cells)))
    note = f"no header{why}, {given_names(columns)}"
    return _Header(columns, first.line - 1, len(columns), [note], _naming(first.line, columns, read))


def _delimiter_notes(delimited: DelimitedSample, read: ReadConfig, quotes: bool) -> tuple[bool, list[str]]:
    """Whether quotes hold cells together, and what is said of that and of what parts cells."""
    if delimited.widths is not None:
        other = "" if read.starts else "; otherwise: data.read.starts, or data.read.delimiter"
        where = (
            f"columns of fixed width begin at the characters {delimited.widths.starts} ({delimited.widths.why}){other}"
        )
        return False, [where]
    notes = [] if quotes or read.quotes is False else ["double quotes stand inside of cells only: taken as characters"]
    if delimited.delimiter not in (",", read.delimiter):
        notes.append(f"cells are parted by {_NAMES.get(delimited.delimiter, delimited.delimiter)}")
    if delimited.blanks:
        notes.append("blanks around quoted cells are none of them; otherwise: data.read.quotes=false")
    return quotes, notes


def _misfit(
    path: Path, delimited: DelimitedSample, read: ReadConfig, known: KnownWidths | None, notes: Sequence[str]
) -> str:
    """That columns are not where other files of the table have them, and what was made of the file instead."""
    if known is None or delimited.named is not None or read.starts is not None or read.delimiter is not None:
        return ""
    if delimited.widths is not None and delimited.widths.starts == known.starts:
        return ""
    found = next(iter(notes), "cells are parted by ,")
    return (
        f"{path.name}: columns do not begin at the characters {known.starts}, as in other files of the table: {found}."
    )


def _with_row_names(records: list[Record], at: int, below: int, read: ReadConfig) -> tuple[list[Record], list[str]]:
    """The records, the header among them with a name for the first column where it has none; and what is said of it."""
    header, body = records[at], records[at + 1 : below]
    if read.row_names is False or read.header is False or not (read.row_names or has_row_names(header, body)):
        return records, []
    width = len(header.cells)
    why = f"the header has {width} cell{'s' if width > 1 else ''}, every row {width + 1}, and the first differs in each"
    if read.row_names:
        why = "as data.read.row_names says"
    shown = f", such as {body[0].cells[0]!r}," if body else ""
    note = f"rows begin with their names{shown} as R writes them ({why}): column {ROW_NAMES!r}"
    note += "" if read.row_names else "; otherwise: data.read.row_names=false"
    return [*records[:at], replace(header, cells=[ROW_NAMES, *header.cells]), *records[at + 1 :]], [note]


def _below_units(
    path: Path, columns: Sequence[str], records: Sequence[Record], setting: bool | None
) -> tuple[int, list[str]]:
    """The last line above the data, and what is said of a row of units there.

    Raises:
        DataError: the second of ``records``, which is beneath the header, may hold units or data.
    """
    if len(records) == 1:
        return records[0].end, []
    row, body = records[1], [record.cells for record in records[2:]]
    units = find_units(columns, row.cells, body, setting)
    if units.question:
        raise DataError(f"{path}: line {row.line}, {units.question}")
    if not units.found:
        return records[0].end, []
    return row.end, [f"line {row.line} holds units and no data: {units.why}"]


def _refuse_broken_cells(path: Path, records: Sequence[Record]) -> None:
    """A plus at the very end of a cell is how psql says that the cell goes on in the next line.

    Raises:
        DataError: there is one.
    """
    for record in records:
        if any(cell.endswith("+") for cell in record.cells[:-1]):
            raise DataError(f"{path}: line {record.line}: a cell goes on in the next line. Export the table as CSV.")


def _naming(line: int, columns: Sequence[str], read: ReadConfig) -> str:
    called = f"columns are called {columns[0]} to {columns[-1]}"
    if read.header is False:
        return f"As data.read.header says, there is no header: {called}."
    return f"No header was found in line {line}: {called}; if it holds their names: data.read.header=true."


def _has_quotes(sample: str) -> bool:
    """False where quotes are found in the middle of cells only, such as inches: then they hold nothing together."""
    return '"' not in sample or _AT_START.search(sample) is not None


def _header_record(path: Path, delimited: DelimitedSample, read: ReadConfig) -> int:
    if not read.header:
        return delimited.above
    for number, record in enumerate(delimited.records):
        if read.header is True or record.line <= read.header <= record.end:
            return number
    raise DataError(f"{path}: data.read.header: line {read.header} is blank, or not among the first of the file.")
