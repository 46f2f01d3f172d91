"""Which formats the dates among some cells can have, by the characters these hold: to parse them takes far longer."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from typing import NamedTuple

__all__ = ["possible_forms"]

_SPECIFIERS = re.compile(r"%(?:\.f|#?[a-zA-Z])")
_FEWEST_DIGITS = {"%Y": 4, "%y": 1, "%d": 1, "%m": 1, "%H": 1, "%I": 1, "%M": 1, "%S": 1, "%q": 1, "%V": 1, "%u": 1}
_FEWEST_LETTERS = {"%A": 2, "%B": 3, "%p": 2, "%Z": 1}


class _Marks(NamedTuple):
    """What a cell holds, or what a format needs: characters in lower case, how many letters, how many digits."""

    characters: frozenset[str]
    letters: int
    digits: int

    def hold(self, needed: _Marks) -> bool:
        return needed.digits <= self.digits and needed.letters <= self.letters and needed.characters <= self.characters


def possible_forms(cells: Iterable[str], forms: Iterable[str]) -> list[str]:
    """Those formats that some cell may be written in: no cell is written in any other.

    Args:
        cells: text.
        forms: of ``DATE_FORMATS``, or such with a day before a clock.

    Example:
        >>> possible_forms(["3_1"], ["%Y-%m-%d", "%d%B%y"]), possible_forms(["1-2-2024"], ["%Y-%m-%d", "%m/%Y"])
        ([], ['%Y-%m-%d'])
    """
    found = {_marks(cell) for cell in set(cells)}
    return [form for form in forms if any(marks.hold(_needed(form)) for marks in found)]


def _marks(cell: str) -> _Marks:
    return _Marks(frozenset(cell.lower()), sum(map(str.isalpha, cell)), sum(map(str.isdecimal, cell)))


@cache
def _needed(form: str) -> _Marks:
    specifiers = _SPECIFIERS.findall(form)
    literals = _SPECIFIERS.sub("", form).replace(" ", "").lower()  # where a format has a blank, a cell may have none
    digits = sum(_FEWEST_DIGITS.get(each, 0) for each in specifiers)
    letters = sum(_FEWEST_LETTERS.get(each, 0) for each in specifiers)
    return _Marks(frozenset(literals), letters, digits)
