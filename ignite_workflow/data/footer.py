"""The footer of a table, which is none of the data: totals, sources, notes, how many rows a database counted.

The last rows alone say which of them may be none of the data; the rows above say whether that is certain. What is not
certain is asked for: a row that may be data is never left out in silence.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice, takewhile

from ignite_workflow.data.rows_above import RowsAbove
from ignite_workflow.data.sample import is_number
from ignite_workflow.data.total_words import bare_word, statistic_of

__all__ = ["counts_rows", "Footer", "LastRow", "find_footer"]

_COUNT = re.compile(
    r"\(?\s*(\d[\d.,' ]*?)\s*(?:rows?|records?|rijen|zeilen|datensätze|lignes?|filas?|righe)\b"
    r"(?: (?:in set|selected|returned|affected|fetched|retrieved|exported)\b.*)?\s*\)?[.;]?",
    re.IGNORECASE,
)
_LABEL = re.compile(
    r"\W*(?:data )?(?:sources?|notes?|footnotes?|quellen?|anmerkung(?:en)?|hinweise?|fuentes?|notas?|fontes?|"
    r"remarques?|legende?|copyright|disclaimer|generated|exported|created|downloaded|retrieved|accessed|printed|"
    r"last updated|"
    r"updated|stand|date of export)(?: (?:on|by|at|from|data))?\s*[:\uff1a].*|(?:\W*©|\(c\) \d{4}).*",
    re.IGNORECASE | re.DOTALL,
)
_MARK = re.compile(r"[*#†‡§¹²³].*[^\W\d_].*", re.DOTALL)
_RULE = re.compile(r"[-=_*~+|─═\s]{2,}")
_END_OF_COPY = "\\."  # of PostgreSQL
_MOST_ROWS = 40
_LEAST_WORDS = 3
_MOST_WORDS = 3  # of a cell in a column of names, codes or numbers
_MOST_SHOWN = 60
_MOST_COMPARED = 16  # cells of a total, with the columns above


def counts_rows(line: str) -> bool:
    """Whether a line says how many rows there are: 24 rows selected."""
    return _COUNT.fullmatch(line) is not None


@dataclass(frozen=True)
class LastRow:
    """One of the last rows that is not empty.

    Attributes:
        cells: as many as were written.
        parted: nothing but empty rows stands right above it.
        size: how much of the file it and what is below it take, in the file's own measure.
    """

    cells: tuple[str, ...]
    parted: bool = False
    size: int = 0

    @property
    def filled(self) -> list[tuple[int, str]]:
        """Its cells that are not empty, with their position."""
        return [(at, cell.strip()) for at, cell in enumerate(self.cells) if cell.strip()]

    @property
    def first(self) -> tuple[int, str]:
        """The first cell that is not empty, with its position."""
        return self.filled[0]

    @property
    def is_rule(self) -> bool:
        """Whether it is a line drawn, and not cells that all are missing."""
        cells = [cell for _, cell in self.filled]
        return (max(map(len, cells)) > 2 and all(map(_RULE.fullmatch, cells))) or cells == [_END_OF_COPY]

    def is_alone(self, width: int) -> bool:
        """Whether it has no cells of a table: one in all, or not as many as there are columns."""
        return len(self.filled) == 1 or len(self.cells) != width


@dataclass(frozen=True)
class _Verdict:
    """What is known of a row that may be none of the data.

    Attributes:
        is_footer: it is none; None where only a person can say.
        why: the evidence; of a row of data there is none to be given.
    """

    is_footer: bool | None
    why: str = ""


_DATA = _Verdict(is_footer=False)


@dataclass(frozen=True)
class Footer:
    """The last rows of a table that are none of the data.

    Attributes:
        rows: the last rows that are none of the data, from the top.
        why: the evidence, for the first of them.
        question: what may be data or not, and a person has to say; empty where nothing is open.
    """

    rows: tuple[LastRow, ...] = ()
    why: str = ""
    question: str = ""

    def shown(self) -> str:
        """The beginning of the rows, for messages."""
        text = " / ".join(" ".join(",".join(row.cells).strip(", ").split()) for row in self.rows)
        return repr(text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}...")

    def full_question(self, columns: Sequence[str], unit: str) -> str:
        """What a person is asked, beginning with the column.

        Args:
            columns: their names; none where there is no header.
            unit: what rows are called: line or row.
        """
        number, count = self.rows[0].first[0] + 1, len(self.rows)
        name = f" {columns[number - 1]!r}" if number <= len(columns) else ""
        last = f"last {unit}" if count == 1 else f"last {count} {unit}s"
        return (
            f"column {number}{name}: {replace(self, rows=self.rows[:1]).shown()} may be data or not: {self.question}. "
            f"If not: data.read.footer={count} leaves out the {last}; if so: data.read.footer=false."
        )

    def note(self, unit: str, first: int) -> str:
        """What is left out, for a person to know.

        Args:
            unit: what rows are called: line or row.
            first: the number of the first.
        """
        count = len(self.rows)
        what = f"the last {unit} ({first}) is" if count == 1 else f"the last {count} {unit}s (from {first} on) are"
        return f"{what} no data: {self.shown()} ({self.why}); otherwise: data.read.footer=false."


def find_footer(
    last: Iterable[LastRow],
    columns: Sequence[str],
    setting: bool | int | None,
    rows_above: Callable[[LastRow, Sequence[int]], RowsAbove],
) -> Footer:
    """Find out which of the last rows are none of the data.

    Args:
        last: the last rows that are not empty, from the bottom; taken as far as needed.
        columns: the names of the table's.
        setting: see ``data.read.footer``.
        rows_above: what the rows above that one hold, in the columns at these positions.
    """
    if setting is False:
        return Footer()
    if setting is not None and setting is not True:
        return Footer(tuple(islice(last, setting))[::-1], "as data.read.footer says")
    width = len(columns)
    rows = _suspects(last, width)
    if not rows:
        return Footer()
    above = rows_above(rows[-1], sorted({at for row in rows for at, _ in row.filled if at < width}))
    found = Footer()
    for row, verdict in zip(rows, _judge_all(rows, columns, above), strict=True):
        if row.is_rule:
            what = "the end of PostgreSQL's COPY" if row.first[1] == _END_OF_COPY else "a line drawn"
            verdict = _Verdict(bool(found.rows) or row.is_alone(width), found.why or what)
        if verdict.is_footer is None and setting is None:
            return Footer((row, *found.rows), verdict.why, question=verdict.why)
        if verdict.is_footer is False:
            break
        found = Footer((row, *found.rows), verdict.why)
    return found


def _suspects(last: Iterable[LastRow], width: int) -> list[LastRow]:
    """Those of the last rows that may be none of the data, from the bottom.

    Rows of text below one that an empty row parts from the table are so parted as well.
    """
    rows = [*takewhile(partial(_is_suspect, width=width, parted=True), islice(last, _MOST_ROWS))]
    parted = False
    for number in reversed(range(len(rows))):
        parted |= rows[number].parted
        rows[number] = replace(rows[number], parted=parted)
    return [*takewhile(partial(_is_suspect, width=width, parted=False), rows)]


def _is_suspect(row: LastRow, width: int, *, parted: bool) -> bool:
    """Whether a row may be none of the data, by its own look, were it parted from the table."""
    _, first = row.first
    if width == 1:
        return bool(_COUNT.fullmatch(first))
    if row.is_rule or _has_total(row) or _LABEL.fullmatch(first):
        return True
    is_text = _is_text(row) and (len(first.split()) >= _LEAST_WORDS or row.parted or parted)
    return row.is_alone(width) and (is_text or bool(_COUNT.fullmatch(first) or _MARK.fullmatch(first)))


def _judge_all(rows: Sequence[LastRow], columns: Sequence[str], above: RowsAbove) -> list[_Verdict]:
    """The verdicts on suspect rows, from the bottom; what stands below text that an empty row parts goes with it."""
    verdicts: list[_Verdict] = []
    certain = ""
    for number in reversed(range(len(rows))):
        verdict = _judge(rows[number], columns, above, len(rows) - number - 1)
        if verdict.is_footer is None and certain and rows[number].is_alone(len(columns)):
            verdict = _Verdict(is_footer=True, why=certain)
        if verdict.is_footer and rows[number].parted:
            certain = verdict.why
        verdicts.insert(0, verdict)
    return verdicts


def _judge(row: LastRow, columns: Sequence[str], above: RowsAbove, suspects: int) -> _Verdict:
    """Decide about a row that is suspect; of ``suspects`` above it is not known whether they count."""
    position, first = row.first
    count = _COUNT.fullmatch(first)
    if count and len(row.filled) == 1:
        number = int(re.sub(r"\D", "", count[1]))
        if above.rows <= number <= above.rows + suspects:
            return _Verdict(is_footer=True, why=f"{above.rows:,} rows stand above")
        return _Verdict(is_footer=None, why=f"{above.rows:,} rows stand above")
    if position >= len(columns):
        return _Verdict(is_footer=None, why="it begins beyond the last column")
    if statistic_of(first):
        return _judge_total(row, columns, above)
    if any(above.holds(position, form) for form in (_LABEL, _MARK) if form.fullmatch(first)):
        return _DATA
    return _judge_note(row, columns, above)


def _judge_total(row: LastRow, columns: Sequence[str], above: RowsAbove) -> _Verdict:
    position, label = row.first
    statistic = statistic_of(label)
    if above.has_word(position, bare_word(label)):
        return _DATA
    cells = [(at, cell) for at, cell in row.filled[1:] if at < len(columns)]
    digits = above.has_digits(position) and (statistic == "sum" or any(is_number(cell) for _, cell in row.filled[1:]))
    for at, cell in cells[:_MOST_COMPARED]:
        if (above.has_read(at) or not digits) and above.equals(statistic, at, cell):
            return _Verdict(
                is_footer=True, why=f"its {columns[at]!r} is the {statistic} of the {above.rows:,} rows above"
            )
    if digits:  # certain: not worth reading the rows again
        return _Verdict(is_footer=True, why=f"all other cells of {columns[position]!r} hold digits")
    if statistic != "sum":  # such as the class "mean": nothing speaks against it
        return _DATA
    which = "no cell in it" if len(cells) <= _MOST_COMPARED else f"none of its first {_MOST_COMPARED} cells"
    return _Verdict(is_footer=None, why=f"{which} is the sum of those above")


def _judge_note(row: LastRow, columns: Sequence[str], above: RowsAbove) -> _Verdict:
    """Of a source, a note or other text."""
    position, first = row.first
    words = len(first.split())
    most = above.words(position)
    alone, ragged = row.is_alone(len(columns)), len(row.cells) != len(columns)
    is_label = bool(_LABEL.fullmatch(first) or _MARK.fullmatch(first))
    is_text = _is_text(row) and words >= _LEAST_WORDS
    if alone and (is_label or is_text) and above.has_digits(position) and not any(map(str.isdigit, first)):
        return _Verdict(is_footer=True, why=f"all other cells of {columns[position]!r} hold digits")
    empty = len(columns) > 2 and bool(_LABEL.fullmatch(first))
    if ((ragged and is_label) or (alone and empty)) and most <= _MOST_WORDS:
        return _Verdict(is_footer=True, why=f"{len(row.filled)} of {len(columns)} cells, and it begins as a note does")
    if row.parted and ((alone and is_label and most <= _MOST_WORDS) or (ragged and is_text and words > most)):
        return _Verdict(is_footer=True, why="text below an empty row")
    if is_label or (alone and row.parted):
        return _Verdict(is_footer=None, why="it looks like a note")
    return _DATA


def _has_total(row: LastRow) -> bool:
    """Whether its first cell is a word for a total or average; ``All`` is one only where there are numbers."""
    first = row.first[1]
    return bool(statistic_of(first)) and (bare_word(first) != "all" or any(is_number(cell) for _, cell in row.filled))


def _is_text(row: LastRow) -> bool:
    """Whether it has words and no numbers: a sentence with commas in it has several cells."""
    return all(any(map(str.isalpha, cell)) and not is_number(cell) for _, cell in row.filled)
