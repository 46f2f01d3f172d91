"""The look of delimited text: what parts its cells, where its header is, found in its first records."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ignite_workflow.config import ReadConfig
from ignite_workflow.data.delimiter import Parted, part
from ignite_workflow.data.header import column_names, is_header
from ignite_workflow.data.sample import Record
from ignite_workflow.data.units import DOUBTFUL_UNITS, units_row
from ignite_workflow.errors import DataError

__all__ = ["Layout", "find_layout"]

_NAMES = {"\t": "a tab", " ": "blanks", "\x1f": "the unit separator 0x1f", "\x01": "the byte 0x01"}
_MOST_STARTS = 5
_RULER = re.compile(r"\s*[-=]{2,}(?:\s+[-=]{2,})+\s*")
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
    """

    delimiter: str
    columns: tuple[str, ...]
    header_lines: int
    quotes: bool = True
    nameless: int = 0
    notes: tuple[str, ...] = ()


def find_layout(path: Path, read: ReadConfig, sample: str) -> Layout:
    """Find out delimiter and header.

    Args:
        path: of the file, for messages.
        read: what a person said about it.
        sample: its first records.

    Raises:
        ConfigError: the delimiter is not one character.
        DataError: the line that is said to hold the header is not among the first.
    """
    quotes = _has_quotes(sample) if read.quotes is None else read.quotes
    notes = [] if quotes or read.quotes is False else ["double quotes stand inside of cells only: taken as characters"]
    parted = part(path, read, sample, quotes)
    at = _header_record(path, parted, read)
    first = parted.records[at]
    named, why = is_header(parted.records, at, read.header)
    if parted.delimiter not in (",", read.delimiter):
        notes.append(f"cells are parted by {_NAMES.get(parted.delimiter, parted.delimiter)}")
    if at and read.header is None:
        skipped = " / ".join(" ".join(parted.delimiter.join(record.cells).split()) for record in parted.records[:at])
        notes.append(f"what stands above line {first.line} is skipped: {skipped[:60]!r}")
    if not named:
        columns = tuple(f"column_{number + 1}" for number in range(len(first.cells)))
        notes.append(f"no header{why}, the columns are named {columns[0]} to {columns[-1]}")
        return Layout(parted.delimiter, columns, first.line - 1, quotes, len(columns), _said(path, notes))
    if len(first.cells) == 1 and read.delimiter is None:
        _refuse_fixed_widths(path, [record.cells[0] for record in parted.records])
    if first.ruled:
        notes.append(f"line {first.end} is drawn beneath the names and no data")
        _refuse_broken_cells(path, parted.records[at + 1 :])
    columns, renamed = column_names(first.cells)
    nameless = max((number for number, cell in enumerate(first.cells, start=1) if cell.strip()), default=0)
    end, units = _below_units(path, columns, parted.records[at:], read.units)
    return Layout(parted.delimiter, columns, end, quotes, nameless, _said(path, [*notes, *renamed, *units]))


def _below_units(
    path: Path, columns: Sequence[str], records: Sequence[Record], said: bool | None
) -> tuple[int, list[str]]:
    """The last line above the data, and what is said of a row of units there.

    Raises:
        DataError: the row beneath the header, the first of ``records``, may hold units or data.
    """
    if len(records) == 1 or said is False:
        return records[0].end, []
    row, body = records[1], [record.cells for record in records[2:]]
    sure, shown = units_row(columns, row.cells, body)
    if sure is None and said is None:
        raise DataError(f"{path}: line {row.line}, {shown} {DOUBTFUL_UNITS}")
    if not sure and not said:
        return records[0].end, []
    why = f"{shown}; otherwise: data.read.units=false" if said is None else "as data.read.units says"
    return row.end, [f"line {row.line} holds units and no data: {why}"]


def _refuse_fixed_widths(path: Path, lines: Sequence[str]) -> None:
    """Lines of one cell each may be columns that blanks align.

    Raises:
        DataError: there are gaps of blanks that no line crosses, with cells to both sides of them.
    """
    rulers = [line for line in lines[1:2] if _RULER.fullmatch(line)]
    width = max(map(len, lines))
    filled = [sum(line[at : at + 1].strip() != "" for line in lines) for at in range(width)]
    starts = [at for at in range(2, width) if filled[at] and not any(filled[at - 2 : at])]
    firsts = [0, *starts]
    if rulers:
        starts = [run.start() for run in re.finditer(r"\S+", rulers[0])][1:]
    whole = bool(rulers) or all(max(filled[start:end]) > 1 for start, end in zip(firsts, [*starts, width], strict=True))
    if starts and whole:
        places = ", ".join(str(start + 1) for start in starts[:_MOST_STARTS])
        raise DataError(
            f"{path}: it looks like columns of fixed width, aligned by blanks: after the first they begin at the "
            f"characters {places}. These cannot be read: save it with a delimiter. If each line is one cell: "
            "data.read.delimiter=','; if every cell is one word: data.read.delimiter=' '."
        )


def _refuse_broken_cells(path: Path, records: Sequence[Record]) -> None:
    """A plus at the very end of a cell is how psql says that the cell goes on in the next line.

    Raises:
        DataError: there is one.
    """
    for record in records:
        if any(cell.endswith("+") for cell in record.cells[:-1]):
            raise DataError(f"{path}: line {record.line}: a cell goes on in the next line. Export the table as CSV.")


def _said(path: Path, notes: Sequence[str]) -> tuple[str, ...]:
    return tuple(f"{path.name}: {note}." for note in notes)


def _has_quotes(sample: str) -> bool:
    """False where quotes are found in the middle of cells only, such as inches: then they hold nothing together."""
    return '"' not in sample or _AT_START.search(sample) is not None


def _header_record(path: Path, parted: Parted, read: ReadConfig) -> int:
    if not read.header:
        return parted.above
    for number, record in enumerate(parted.records):
        if read.header is True or record.line <= read.header <= record.end:
            return number
    raise DataError(f"{path}: data.read.header: line {read.header} is blank, or not among the first of the file.")
