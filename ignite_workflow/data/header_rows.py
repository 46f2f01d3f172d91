"""Rows beneath the header that say more about the columns, as survey tools, data frames and grouped names leave them.

Such as the text of each question beneath its number, or ``Jan, Feb, Jan, Feb`` beneath ``2023, , 2024,``. They are no
data: words stand in them where the columns below hold numbers or dates.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence, Set
from dataclasses import dataclass

from ignite_workflow.data.cells import MISSING
from ignite_workflow.data.frame_levels import find_frame_levels
from ignite_workflow.data.sample import AGREEING, is_year

__all__ = ["HeaderRows", "find_header_rows"]

_MOST_ROWS = 3
_LEAST_BELOW = 3
_FIGURE = re.compile(r"[^\w]{0,3}\d.*", re.DOTALL)  # how numbers and dates begin
_WORD = re.compile(r"[\W_]*[^\W\d].*|[%‰°€$£¥₹]", re.DOTALL)
_MARK = re.compile(r"\W*[^\W\d]{1,2}\W*")  # one or two letters may stand for a value: nd, T
_SURE_WORDS = 3
_TYPES = frozenset(["c", "continuous", "d", "discrete", "s", "string", "t", "time"])
_ROLES = frozenset(["class", "meta", "m", "ignore", "i", "weight", "w"])
_MOST_SHOWN, _LONGEST_SHOWN = 2, 30


@dataclass(frozen=True)
class HeaderRows:
    """What is known of the rows beneath the header.

    Attributes:
        names: of the columns, joined with what stands beneath where the header alone does not tell them apart.
        rows: how many rows are none of the data.
        why: the evidence; empty where there are none.
    """

    names: tuple[str, ...]
    rows: int = 0
    why: str = ""


def find_header_rows(names: Sequence[str], rows: Sequence[Sequence[str]], setting: bool | None = None) -> HeaderRows:
    """Find out how many rows beneath the header hold words about the columns.

    They are the levels of a data frame, or types and roles, as Orange writes them. Or the first of them has words above
    two columns of numbers or dates, or above one and in a column that has no name of its own, and none of them has a
    number or date above another one.

    Args:
        names: of the columns, as they stand in the header.
        rows: the first rows beneath it.
        setting: see ``data.read.units``.
    """
    if setting is False:
        return HeaderRows(tuple(names))
    typed = _typed_rows(rows)
    if typed:
        why = "types of columns, as Orange writes them; otherwise: data.read.units=false"
        return HeaderRows(tuple(names), typed, why)
    levels = find_frame_levels(names, rows)
    if levels is not None:
        return HeaderRows(*levels, "a data frame's names in several levels; otherwise: data.read.units=false")
    body = rows[_MOST_ROWS:]
    known = [name.strip() for name in names]
    times = Counter(known)
    shared = {at for at, name in enumerate(known) if not name or times[name] > 1}  # without a name of its own
    grouped = shared | {at - 1 for at in shared if at and not known[at]}
    found: list[list[str]] = []
    words: list[str] = []
    for row in rows[:_MOST_ROWS]:
        cells = [cell.strip() for cell in row]
        here = _words(cells, body, grouped) if len(cells) == len(names) else []
        enough = 0 if found or any(here and cells[at] for at in shared) else 1
        of_index = bool(found) and not known[0] and len(cells) == len(names) and cells[0] != "" and not any(cells[1:])
        if len(here) <= enough and not of_index:
            break
        found.append(cells)
        words += here
    shown = ", ".join(repr(word[:_LONGEST_SHOWN]) for word in words[:_MOST_SHOWN])
    why = f"words such as {shown} above columns of numbers or dates; otherwise: data.read.units=false"
    return HeaderRows(_joined(names, found), len(found), why if found else "")


def _typed_rows(rows: Sequence[Sequence[str]]) -> int:
    """How many rows begin with Orange's: the type of each column, or the classes it may hold, then its role, if any."""
    if len(rows) <= 2:
        return 0
    types, roles = ([cell.strip() for cell in row] for row in rows[:2])
    words = {word for cell in roles for word in cell.split()}
    if words and all(word in _ROLES or "=" in word for word in words):
        return 2 if all(cell in _TYPES or " " in cell for cell in types) else 0
    again = any(cell in map(str.strip, column) for cell, *column in zip(types, *rows[1:], strict=False))
    return 0 if again or len(rows) <= _LEAST_BELOW or not _TYPES.issuperset(types) else 2 - any(roles)


def _words(cells: Sequence[str], body: Sequence[Sequence[str]], grouped: Set[int]) -> list[str]:
    """The words above columns of numbers or dates; none where another such column holds what may be data.

    Years are words where several columns share a name above them; one or two letters are where every such column has
    words.
    """
    words = []
    for at, cell in enumerate(cells):
        if cell in MISSING or not _holds_figures(body, at):
            continue
        below = [row[at].strip() for row in body if at < len(row)]
        names_a_year = at in grouped and is_year(cell) and not any(map(is_year, below))
        if not (names_a_year or _WORD.fullmatch(cell)) or cell in below:
            return []
        words.append(cell)
    if not any(map(_MARK.fullmatch, words)):
        return words
    lacking = any(cell in MISSING and _holds_figures(body, at) for at, cell in enumerate(cells))
    return [] if lacking or len(words) < _SURE_WORDS or len(set(words)) == 1 else words


def _holds_figures(body: Sequence[Sequence[str]], position: int) -> bool:
    known = [cell for row in body if position < len(row) and (cell := row[position].strip()) not in MISSING]
    return len(known) >= _LEAST_BELOW and sum(map(bool, map(_FIGURE.fullmatch, known))) >= AGREEING * len(known)


def _joined(names: Sequence[str], rows: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """Each name; where it is empty or stands several times, with what stands beneath."""
    firsts: list[str] = []
    for at, name in enumerate(names):
        beneath = any(row[at] for row in rows)
        firsts.append(name if name.strip() or not beneath or not firsts else firsts[-1])
    times = Counter(firsts)
    return tuple(
        name if times[name] == 1 and name.strip() else " ".join(filter(str.strip, (name, *(row[at] for row in rows))))
        for at, name in enumerate(firsts)
    )
