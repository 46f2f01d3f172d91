"""The first records of delimited text, and what single cells look like."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from ignite_workflow.data.quotes import without_blanks

__all__ = ["AGREEING", "Record", "column_of_numbers", "fits", "is_number", "is_year", "sample_lines", "sample_records"]

AGREEING = 0.9  # of the records, or cells, have to say the same
_MOST_RECORDS = 200
_CUT_CHARACTERS = 32 * 1024  # a sample of so many may end in the middle of a record, a shorter one is a whole file
_RULER = re.compile(r":?(?:-{2,}|={2,}):?")
_CROSSED = re.compile(r"\+?-+(?:\+-+)+\+?|-{5,}|={5,}")
_NUMBER = re.compile(r"[^\w]{0,3}\d[\d.,']*(?: \d{3}[\d.,]*)*([eE][+-]?\d+)?\s*([^\W\d]{0,3}|%)")
_YEAR = re.compile(r"(?:1[89]|20)\d\d")


@dataclass(frozen=True)
class Record:
    """Some cells, and the first and the last of the lines they stand in.

    Attributes:
        cells: as they stand there.
        line, end: the first line and the last; a line drawn beneath is taken in.
        ruled: there is such a line.
    """

    cells: list[str]
    line: int
    end: int
    ruled: bool = False

    @property
    def filled(self) -> int:
        """How many cells are not empty."""
        return sum(bool(cell.strip()) for cell in self.cells)


def sample_records(sample: str, delimiter: str, *, quotes: bool, blanks: bool = False) -> list[Record]:
    """The first records; the last is left out where it may have been cut off.

    Args:
        sample: the first characters of a file.
        delimiter: what parts cells; a blank stands for any run of blanks and tabs.
        quotes: whether double quotes hold cells together.
        blanks: whether blanks around quoted cells are none of them.
    """
    text = without_blanks(sample.encode(), delimiter.encode()).decode() if blanks else sample
    lines = _lines(text, squeezed=delimiter == " ")
    reader = csv.reader(lines, delimiter=delimiter, quoting=csv.QUOTE_MINIMAL if quotes else csv.QUOTE_NONE)
    records: list[Record] = []
    line = 1
    try:
        for cells in reader:
            if _is_ruler(cells, records) and not (records and len(cells) == len(records[-1].cells) == 1):
                records[-1:] = [replace(record, end=reader.line_num, ruled=True) for record in records[-1:]]
            elif cells:
                records.append(Record(cells, line, reader.line_num))
            line = reader.line_num + 1
            if len(records) == _MOST_RECORDS:
                return records
    except csv.Error:  # a cell too long to be one, or a carriage return inside of a cell
        return records or [Record(sample.split("\n")[0].split(delimiter), 1, 1)]
    return records[:-1] if len(sample) >= _CUT_CHARACTERS and len(records) > 1 else records


def sample_lines(sample: str) -> list[str]:
    """The first lines; the last is left out where it may have been cut off."""
    lines = sample.split("\n")
    return lines[:-1] if len(sample) >= _CUT_CHARACTERS else lines


def _is_ruler(cells: list[str], above: Sequence[Record]) -> bool:
    """Whether it is the line that Markdown and database consoles draw beneath, or above, the names."""
    if len(cells) == 1:
        return _CROSSED.fullmatch(cells[0].strip()) is not None
    filled = [cell.strip() for cell in cells if cell.strip()]
    drawn = len(filled) > 1 and len(max(filled, key=len)) > 1 and set("".join(filled)) == {"-"}
    if drawn and len(above) == 1 and [len(cell) for cell in cells] == [len(cell) for cell in above[0].cells]:
        return True  # as long as the names: sqlcmd -s,
    return len(filled) > 1 and all(map(_RULER.fullmatch, filled)) and len(max(filled, key=len)) > 2


def _lines(sample: str, *, squeezed: bool) -> Iterator[str]:
    for line in sample.split("\n"):
        yield (re.sub(r"[ \t]+", " ", line.strip()) if squeezed else line) + "\n"


def fits(cells: list[str], width: int) -> bool:
    """As many cells, but for empty ones at the end."""
    return len(cells) == width or (len(cells) > width and not any(cells[width:]))


def is_number(cell: str) -> bool:
    """Whether a cell looks like a number, perhaps with a sign or a short unit."""
    return bool(_NUMBER.fullmatch(cell.strip()))


def is_year(cell: str) -> bool:
    """Whether a cell looks like a year, which may be the name of a column."""
    return bool(_YEAR.fullmatch(cell.strip()))


def column_of_numbers(rows: Sequence[Sequence[str]], position: int) -> bool:
    """Whether nearly all cells of a column that are not empty look like numbers; rows may be short."""
    cells = [row[position] for row in rows if position < len(row) and row[position].strip()]
    return bool(cells) and sum(map(is_number, cells)) >= AGREEING * len(cells)
