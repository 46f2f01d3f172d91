"""What parts the cells of a text file, found in its first records.

What stands above the header is skipped only where the first record below it is a header beyond doubt: otherwise the
widths of the rows do not agree, and the file is refused with the line that shows it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from operator import attrgetter
from pathlib import Path

from ignite_workflow.config import ReadConfig
from ignite_workflow.data.cells import MISSING
from ignite_workflow.data.compressed import COMPRESSED
from ignite_workflow.data.fixed_width import SEPARATOR, FixedWidths, delimited_sample, find_fixed_widths
from ignite_workflow.data.header import is_header_beyond_doubt
from ignite_workflow.data.known_widths import KnownWidths, fitting_widths
from ignite_workflow.data.quotes import has_blanks
from ignite_workflow.data.row_names import has_row_names
from ignite_workflow.data.sample import AGREEING, Record, fits, is_number, sample_lines, sample_records
from ignite_workflow.errors import ConfigError, DataError

__all__ = ["DelimitedSample", "find_delimiter"]

_COMMON = (",", ";", "\t", "|")
_RARE = (":", "^", "~", "\x1f", "\x01")
_TABBED = (".tsv", ".tab")
_SURE_WIDTH = 3
_MOST_ABOVE = 40  # records above the header
_SEPARATING_COMMA = re.compile(r",(?=[^\s\d])")  # one of a number is followed by a digit, one of a sentence by a blank
_SEP_LINE = re.compile(r"sep=([ -~\t])\r?\n", re.IGNORECASE)


@dataclass(frozen=True)
class DelimitedSample:
    """The first records as a delimiter parts them."""

    delimiter: str
    records: list[Record]
    width: int
    above: int  # records above the first that counts
    below: int  # the first record below the last that counts
    widths: FixedWidths | None = None  # where columns begin that no delimiter parts
    blanks: bool = False  # stand around quoted cells and are none of them
    named: bool | None = None  # whether the first that counts holds the names, where other files of the table tell

    @property
    def agrees(self) -> bool:
        """Whether records are as wide as the first that counts."""
        counting = self.records[self.above : self.below]
        same = sum(fits(record.cells, self.width) for record in counting)
        first = counting[0]
        if _may_lack_row_names(counting, self.width):
            return True
        return fits(first.cells, self.width) and same >= AGREEING * len(counting)

    @property
    def is_even(self) -> bool:
        """Whether all records are as wide as most, and a delimiter parts them that nothing else would be."""
        body = self.records[self.above + 1 : self.below]
        return self.delimiter in _COMMON or all(fits(record.cells, self.width) for record in body)

    @property
    def first_width(self) -> int:
        """How many cells the first record has."""
        return len(self.records[0].cells)

    @property
    def is_numeric(self) -> bool:
        """Whether most cells below the header are numbers."""
        cells = [cell for record in self.records[self.above + 1 : self.below] for cell in record.cells if cell]
        return 2 * sum(map(is_number, cells)) > len(cells)

    @property
    def rank(self) -> tuple[bool, bool, bool, int]:
        """How good a delimiter it is: no record left out below, numbers left whole, nothing above, many cells."""
        others = [other for other in _COMMON[1:] if other != self.delimiter]
        separator = others[0] if self.delimiter != "," else ","
        cells = [
            _SEPARATING_COMMA.sub(separator, cell)
            for record in self.records[self.above : self.below]
            for cell in record.cells
        ]
        clean = sum(set(others).isdisjoint(cell) for cell in cells)
        return self.below == len(self.records), clean >= AGREEING * len(cells), self.above == 0, self.width


def find_delimiter(
    path: Path, read: ReadConfig, sample: str, quotes: bool, known_widths: KnownWidths | None = None
) -> DelimitedSample:
    """Find the delimiter.

    Args:
        path: of the file.
        read: what a person said about it.
        sample: its first records.
        quotes: whether double quotes hold cells together.
        known_widths: where columns of fixed width stand in other files of the table.

    Raises:
        ConfigError: the delimiter that is said is not one character.
        DataError: there may be columns of fixed width, and only a person can know where they begin.
    """
    if read.starts is not None:
        return _delimit_fixed(sample, FixedWidths.from_starts(read.starts))
    sep_line = _SEP_LINE.match(sample)
    if read.delimiter is not None:
        return _delimit(sample, _given_delimiter(read.delimiter), quotes=quotes, skip=int(sep_line is not None))
    if sep_line is not None:
        return _delimit(sample, sep_line[1], quotes=quotes, skip=1)
    if known_widths is not None and known_widths.named and (delimited := _delimit_known(sample, known_widths)):
        return delimited
    suffixes = [suffix.lower() for suffix in path.suffixes if suffix.lower() not in COMPRESSED]
    tabbed = bool(suffixes) and suffixes[-1] in _TABBED and "\t" in sample
    common = [_delimit(sample, delimiter, quotes=quotes) for delimiter in (("\t",) if tabbed else _COMMON)]
    wide = [delimited for delimited in common if delimited.width > 1 and delimited.agrees]
    best = max(wide, key=attrgetter("rank"), default=None)
    if best is not None and best.is_numeric:
        return best
    if known_widths is not None and (delimited := _delimit_known(sample, known_widths)):
        return delimited
    rare = [_delimit(sample, delimiter, quotes=quotes) for delimiter in ((" ",) if best else (*_RARE, " "))]
    quoted = best is None and quotes and sample.startswith('"')  # as R writes tables: no prose is so even
    wide = [
        delimited for delimited in rare if delimited.width > 2 and delimited.agrees and (quoted or delimited.is_numeric)
    ]
    best = max(wide, key=attrgetter("rank"), default=best)
    widths = None if best is not None and best.is_even else find_fixed_widths(sample_lines(sample))
    if widths is not None and widths.question and best is None:
        raise DataError(
            f"{path}: it looks like columns of fixed width that begin at the characters {widths.starts}, but "
            f"{widths.question}{_not_there(known_widths)}. Say where: data.read.starts={widths.starts}; if each line "
            "is one cell: data.read.delimiter=','; if every cell is one word: data.read.delimiter=' '."
        )
    if widths is not None and not widths.question:
        return _delimit_fixed(sample, widths)
    return max(common, key=attrgetter("first_width")) if best is None else best  # no agreement: the reader says where


def _given_delimiter(given: str) -> str:
    delimiter = "\t" if given == "\\t" else given
    if len(delimiter) != 1 or not delimiter.isascii() or delimiter in '"\r\n':
        raise ConfigError(f"data.read.delimiter: must be one ASCII character, got {given!r}.")
    return delimiter


def _delimit_fixed(sample: str, widths: FixedWidths) -> DelimitedSample:
    return replace(_delimit(delimited_sample(sample, widths), SEPARATOR, quotes=False), widths=widths)


def _delimit_known(sample: str, known: KnownWidths) -> DelimitedSample | None:
    """The first records, if columns stand where they do in other files of the table."""
    found = fitting_widths(sample_lines(sample), known)
    if found is None:
        return None
    widths, line = found
    delimited = _delimit_fixed(sample, widths)
    above = [number for number, record in enumerate(delimited.records) if record.line <= line <= record.end]
    if above:
        return replace(delimited, above=above[0], named=True)
    first, *body = delimited.records[delimited.above :]
    return replace(delimited, named=is_header_beyond_doubt(first, body))


def _not_there(known: KnownWidths | None) -> str:
    return "" if known is None else f", and it does not fit those of other files of the table, {known.starts}"


def _delimit(sample: str, delimiter: str, *, quotes: bool, skip: int = 0) -> DelimitedSample:
    blanks = quotes and has_blanks(sample.encode(), delimiter.encode())
    records = sample_records(sample, delimiter, quotes=quotes, blanks=blanks)[skip:]
    widths = Counter(len(record.cells) for record in records)
    width = max((count, width) for width, count in widths.items())[1]
    above = int(_is_preamble(records, width))
    while above < min(_MOST_ABOVE, len(records) - 1) and _is_title(records[above], width):
        above += 1
    below = len(records)
    while delimiter in (*_COMMON, SEPARATOR) and below > above + 2 and not fits(records[below - 1].cells, width):
        below -= 1
    if 2 * (below - above) <= len(records) - above:  # no notes below a table, but rows that are uneven
        below = len(records)
    body = records[above + 1 : below]
    if not (
        all(record.cells[0].startswith("#") for record in records[:above])
        or (fits(records[above].cells, width) and is_header_beyond_doubt(records[above], body))
        or (delimiter in _COMMON and _are_sentences(records[:above], records[above:], width))
    ):
        above = 0
    return DelimitedSample(delimiter, records, width, above, below, blanks=blanks)


def _is_title(record: Record, width: int) -> bool:
    """A line above the header: a comment, or one cell where others have several (two where they have many).

    Or a name and its value, in the first half of the columns.
    """
    is_comment = record.cells[0].startswith("#") and len(record.cells) != width
    end = max((at for at, cell in enumerate(record.cells, start=1) if cell.strip()), default=0)
    is_short = record.filled <= 1 + (width > 4) or 2 * end <= width
    return is_comment or (width > 1 and is_short and (len(record.cells) <= width or fits(record.cells, width)))


def _is_preamble(records: Sequence[Record], width: int) -> bool:
    """Whether a line of another width, or with numbers in it, stands above names for all columns: as loggers write."""
    if width == 1 or len(records) < _SURE_WIDTH or len(records[0].cells) == 1 or _may_lack_row_names(records, width):
        return False
    names = [cell.strip() for cell in records[1].cells]
    is_header = fits(records[0].cells, width) and not any(map(is_number, records[0].cells))
    return not is_header and len(names) == width and not set(names) & set(MISSING)


def _may_lack_row_names(records: Sequence[Record], width: int) -> bool:
    """Whether the first record is a header without a name for the first column, which may hold the names of rows."""
    return len(records[0].cells) == width - 1 and has_row_names(records[0], records[1:]) is not False


def _are_sentences(above: Sequence[Record], below: Sequence[Record], width: int) -> bool:
    """Whether no line above is a header in any way of parting cells, while all below are even.

    So that no header beyond doubt has to follow, as in a file without one.
    """
    if width < _SURE_WIDTH or not all(len(record.cells) == width for record in below):
        return False
    lines = [record.cells[0] for record in above if len(record.cells) == 1]
    ways = [
        *(line.count(other) + 1 for line in lines for other in (*_COMMON, *_RARE)),
        *(len(x.split()) for x in lines),
    ]
    return len(lines) == len(above) and width not in ways and len(below) > _SURE_WIDTH
