"""The look of delimited text: what parts its cells, where its header is, found in its first records.

What stands above the header is skipped only where the first record below it is a header beyond doubt: otherwise the
widths of the rows do not agree, and the file is refused with the line that shows it.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from operator import attrgetter
from pathlib import Path

from ignite_workflow.config import ReadConfig
from ignite_workflow.errors import ConfigError, DataError

__all__ = ["Layout", "find_layout"]

_COMMON = (",", ";", "\t", "|")
_RARE = (":", "^", "~", "\x1f", "\x01")
_TABBED = (".tsv", ".tab")
_NAMES = {"\t": "a tab", " ": "blanks", "\x1f": "the unit separator 0x1f", "\x01": "the byte 0x01"}
_MOST_RECORDS = 200
_MOST_ABOVE = 40  # records above the header
_SURE_RECORDS = 10
_AGREEING = 0.9
_PARTING_COMMA = re.compile(r",(?=[^\s\d])")  # one of a number is followed by a digit, one of a sentence by a blank
_CUT_CHARACTERS = 32 * 1024  # a sample of so many may end in the middle of a record, a shorter one is a whole file
_NUMBER = re.compile(r"[^\w]{0,3}\d[\d.,']*(?: \d{3}[\d.,]*)*([eE][+-]?\d+)?\s*([^\W\d]{0,3}|%)")
_AT_START = re.compile(r"(?:^|[,;\t| ])\"", re.MULTILINE)
_SEP_LINE = re.compile(r"sep=(.)\r?\n", re.IGNORECASE)


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


@dataclass(frozen=True)
class _Record:
    cells: list[str]
    line: int  # its first
    end: int

    @property
    def filled(self) -> int:
        return sum(bool(cell.strip()) for cell in self.cells)


@dataclass(frozen=True)
class _Parted:
    """The first records as a delimiter parts them."""

    delimiter: str
    records: list[_Record]
    width: int
    above: int  # records above the first that counts

    @property
    def agrees(self) -> bool:
        """Whether records are as wide as the first that counts."""
        counting = self.records[self.above :]
        same = sum(_fits(record.cells, self.width) for record in counting)
        return _fits(counting[0].cells, self.width) and same >= _AGREEING * len(counting)

    @property
    def first_width(self) -> int:
        return len(self.records[0].cells)

    @property
    def is_numeric(self) -> bool:
        """Whether most cells below the header are numbers."""
        cells = [cell for record in self.records[self.above + 1 :] for cell in record.cells if cell]
        return 2 * sum(map(_is_number, cells)) > len(cells)

    @property
    def rank(self) -> tuple[bool, bool, int]:
        others = [other for other in _COMMON[1:] if other != self.delimiter]
        parting = others[0] if self.delimiter != "," else ","
        cells = [_PARTING_COMMA.sub(parting, cell) for record in self.records[self.above :] for cell in record.cells]
        clean = sum(set(others).isdisjoint(cell) for cell in cells)
        return clean >= _AGREEING * len(cells), self.above == 0, self.width


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
    parted = _parted(path, read, sample, quotes)
    at = _header_record(path, parted, read)
    first = parted.records[at]
    named, why = _is_header(parted, at, read)
    if parted.delimiter not in (",", read.delimiter):
        notes.append(f"cells are parted by {_NAMES.get(parted.delimiter, parted.delimiter)}")
    if at and read.header is None:
        skipped = " / ".join(" ".join(parted.delimiter.join(record.cells).split()) for record in parted.records[:at])
        notes.append(f"what stands above line {first.line} is skipped: {skipped[:60]!r}")
    if not named:
        columns = tuple(f"column_{number + 1}" for number in range(len(first.cells)))
        notes.append(f"no header{why}, the columns are named {columns[0]} to {columns[-1]}")
        return Layout(parted.delimiter, columns, first.line - 1, quotes, len(columns), _said(path, notes))
    columns, renamed = _names(first.cells)
    nameless = max((number for number, cell in enumerate(first.cells, start=1) if cell.strip()), default=0)
    return Layout(parted.delimiter, columns, first.end, quotes, nameless, _said(path, [*notes, *renamed]))


def _said(path: Path, notes: Sequence[str]) -> tuple[str, ...]:
    return tuple(f"{path.name}: {note}." for note in notes)


def _has_quotes(sample: str) -> bool:
    """False where quotes are found in the middle of cells only, such as inches: then they hold nothing together."""
    return '"' not in sample or _AT_START.search(sample) is not None


def _records(sample: str, delimiter: str, *, quotes: bool) -> list[_Record]:
    """The first records; the last is left out where it may have been cut off."""
    lines = _lines(sample, squeezed=delimiter == " ")
    reader = csv.reader(lines, delimiter=delimiter, quoting=csv.QUOTE_MINIMAL if quotes else csv.QUOTE_NONE)
    records: list[_Record] = []
    line = 1
    try:
        for cells in reader:
            if cells:
                records.append(_Record(cells, line, reader.line_num))
            line = reader.line_num + 1
            if len(records) == _MOST_RECORDS:
                return records
    except csv.Error:  # a cell too long to be one, or a carriage return inside of a cell
        return records or [_Record(sample.split("\n")[0].split(delimiter), 1, 1)]
    return records[:-1] if len(sample) >= _CUT_CHARACTERS and len(records) > 1 else records


def _lines(sample: str, *, squeezed: bool) -> Iterator[str]:
    for line in sample.split("\n"):
        yield (re.sub(r"[ \t]+", " ", line.strip()) if squeezed else line) + "\n"


def _parted(path: Path, read: ReadConfig, sample: str, quotes: bool) -> _Parted:
    said = _SEP_LINE.match(sample)
    if read.delimiter is not None or said is not None:
        delimiter = _given_delimiter(read.delimiter) if read.delimiter is not None else str(said and said[1])
        return _look(sample, delimiter, quotes=quotes, skip=said is not None)
    suffixes = [suffix.lower() for suffix in path.suffixes if suffix.lower() not in (".gz", ".zst")]
    tabbed = bool(suffixes) and suffixes[-1] in _TABBED and "\t" in sample
    common = [_look(sample, delimiter, quotes=quotes) for delimiter in (("\t",) if tabbed else _COMMON)]
    wide = [parted for parted in common if parted.width > 1 and parted.agrees]
    best = max(wide, key=attrgetter("rank"), default=None)
    if best is not None and best.is_numeric:
        return best
    rare = [_look(sample, delimiter, quotes=quotes) for delimiter in ((" ",) if best else (*_RARE, " "))]
    wide = [parted for parted in rare if parted.width > 2 and parted.agrees and parted.is_numeric]
    best = max(wide, key=attrgetter("rank"), default=best)
    return max(common, key=attrgetter("first_width")) if best is None else best  # no agreement: the reader says where


def _given_delimiter(given: str) -> str:
    delimiter = "\t" if given == "\\t" else given
    if len(delimiter) != 1 or not delimiter.isascii() or delimiter in '"\r\n':
        raise ConfigError(f"data.read.delimiter: must be one ASCII character, got {given!r}.")
    return delimiter


def _look(sample: str, delimiter: str, *, quotes: bool, skip: bool = False) -> _Parted:
    records = _records(sample, delimiter, quotes=quotes)[skip:]
    widths = Counter(len(record.cells) for record in records)
    width = max((count, width) for width, count in widths.items())[1]
    above = 0
    while above < min(_MOST_ABOVE, len(records) - 1) and _is_title(records[above], width):
        above += 1
    body = records[above + 1 :]
    if not all(record.cells[0].startswith("#") for record in records[:above]) and not (
        _fits(records[above].cells, width) and _differs(records[above], body)
    ):
        above = 0
    return _Parted(delimiter, records, width, above)


def _is_title(record: _Record, width: int) -> bool:
    """A line above the header: a comment, or one cell where others have several (two where they have many)."""
    is_comment = record.cells[0].startswith("#") and len(record.cells) != width
    return is_comment or (width > 1 and record.filled <= 1 + (width > 4) and len(record.cells) <= width)


def _fits(cells: list[str], width: int) -> bool:
    """As many cells, but for empty ones at the end."""
    return len(cells) == width or (len(cells) > width and not any(cells[width:]))


def _is_number(cell: str) -> bool:
    return bool(_NUMBER.fullmatch(cell.strip()))


def _differs(first: _Record, body: Sequence[_Record]) -> bool:
    """Whether a record is a header beyond doubt: no number in it, but columns of numbers, dates or codes below."""
    if any(map(_is_number, first.cells)) or 2 * first.filled < len(first.cells):
        return False
    for position, name in enumerate(first.cells):
        below = [record.cells[position] for record in body if position < len(record.cells) and record.cells[position]]
        with_digits = sum(any(map(str.isdigit, cell)) for cell in below)
        telling = sum(map(_is_number, below)) if any(map(str.isdigit, name)) else with_digits
        if name.strip() and below and telling >= _AGREEING * len(below):
            return True
    return False


def _header_record(path: Path, parted: _Parted, read: ReadConfig) -> int:
    if not read.header:
        return parted.above
    for number, record in enumerate(parted.records):
        if read.header is True or record.line <= read.header <= record.end:
            return number
    raise DataError(f"{path}: data.read.header: line {read.header} is blank, or not among the first of the file.")


def _is_header(parted: _Parted, at: int, read: ReadConfig) -> tuple[bool, str]:
    """Whether a record names the columns, and if not, why."""
    if read.header is not None:
        return read.header is not False, ""
    cells, body = parted.records[at].cells, parted.records[at + 1 :]
    filled = [cell.strip() for cell in cells if cell.strip()]
    numbers = [cell for cell in filled if _is_number(cell)]
    is_index = not cells[0].strip() and _count_up(numbers)  # as data frames are written: no name, 0, 1, 2
    if filled and len(numbers) == len(filled) and not is_index:
        return False, ""
    if numbers and not _count_up(numbers) and body:
        numeric = [position for position in range(len(cells)) if _column_of_numbers(body, position)]
        as_below = [position for position in numeric if _is_number(cells[position])]
        if as_below and 2 * len(as_below) >= len(numeric):
            return False, f": line {parted.records[at].line} holds numbers where the lines below do"
    again = [
        position
        for position, cell in enumerate(cells)
        if cell.strip() and any(position < len(record.cells) and record.cells[position] == cell for record in body)
    ]
    if len(filled) > 1 and 2 * len(again) > len(filled) and len(body) >= _SURE_RECORDS:
        return False, f": most cells of line {parted.records[at].line} stand in the lines below too"
    return True, ""


def _count_up(numbers: list[str]) -> bool:
    """Such as the years 1990, 1991, 1992: names of columns."""
    if len(numbers) < 2 or not all(number.isdecimal() for number in numbers):
        return False
    return all(int(after) == int(before) + 1 for before, after in pairwise(numbers))


def _column_of_numbers(body: Sequence[_Record], position: int) -> bool:
    cells = [record.cells[position] for record in body if position < len(record.cells) and record.cells[position]]
    return bool(cells) and sum(map(_is_number, cells)) >= _AGREEING * len(cells)


def _names(cells: list[str]) -> tuple[tuple[str, ...], list[str]]:
    """The names of the columns, all different, and what was changed."""
    names: list[str] = []
    changed = []
    for number, cell in enumerate(cells, start=1):
        name = cell if cell.strip() else f"column_{number}"
        if number == 1 and name.startswith("#") and name.strip("# "):
            name = name.lstrip("# ")
        if name in names:
            again = next(
                f"{name}_{copy}" for copy in range(2, len(cells) + 2) if f"{name}_{copy}" not in (*cells, *names)
            )
            changed.append(
                f"columns {names.index(name) + 1} and {number} are both named {name!r}: the second is {again!r}"
            )
            name = again
        names.append(name)
    return tuple(names), changed
