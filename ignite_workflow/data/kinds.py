"""What a column is taken for, and why, once all of its cells have been seen.

The rules, the first that fits: what ``data.columns`` says; constant; boolean; number (integers that count the rows, or
of a column named like an id with no value twice, are identifiers); date or time; text: free text, identifier, else
category.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Literal

from ignite_workflow.data.cells import LARGEST
from ignite_workflow.data.compact_dates import ENOUGH, compact_form
from ignite_workflow.data.date_formats import is_zoned
from ignite_workflow.data.date_search import DateSearch
from ignite_workflow.data.seen import SeenCells
from ignite_workflow.data.unix_time import is_named_like_a_time, unix_time_of, unix_time_range

__all__ = ["MOST_DISTINCT", "USED_KINDS", "Kind", "are_codes", "decide"]

Kind = Literal["number", "category", "boolean", "datetime", "identifier", "constant", "text", "ignore"]
USED_KINDS = ("number", "category", "boolean", "datetime")
MOST_DISTINCT = 10_000  # a category has at most so many values; counting stops there

_NUMBERS_AT_LEAST = 0.95  # a column of numbers, in which other cells are mistakes
_FEW_DISTINCT = 20
_LONG_TEXT_WORDS = 5
_YES, _NO = {"yes", "y", "true", "t", "1"}, {"no", "n", "false", "f", "0"}
_BOOLEAN_PAIRS = (
    *({"0", "1"}, {"0.0", "1.0"}, {"false", "true"}, {"f", "t"}, {"no", "yes"}, {"n", "y"}, {"off", "on"}),
    *({"ja", "nein"}, {"oui", "non"}, {"no", "si"}, {"no", "sí"}, {"não", "sim"}, {"nao", "sim"}, {"nie", "tak"}),
    *({"да", "нет"}, {"falsch", "wahr"}, {"faux", "vrai"}),
)
_ID_NAME = re.compile(
    r"(^|[_\s.-])([iI][dD]|uuid|UUID|guid|GUID)$|[a-z](Id|ID)$|^Unnamed: \d|^row_names$"
)  # the last: the index of pandas, and of R
_CODE = re.compile(r"^'(?=\w*\d)(?=\w*[^\W\d])\w{2,}' ")  # a cell of letters and digits, as evidence shows it
_LONG_POWER = re.compile(r"\d\d+[eE]\d+")
_LONG_CODE = re.compile(r"\d{17,}")  # float64 keeps 15 to 16 digits


def decide(name: str, given: Kind | None, seen: SeenCells, dates: DateSearch) -> tuple[Kind, str]:
    """The kind of a column, and the evidence.

    Args:
        name: of the column.
        given: what ``data.columns`` says; None: nothing.
        seen: what all of its cells have shown.
        dates: what they have shown of dates.
    """
    if given is not None:
        return given, "as data.columns says"
    if seen.unusable:
        return "ignore", f"cells of type {seen.unusable}"
    if seen.known == 0:
        return "constant", "every cell is missing"
    one_number = seen.numeric and not seen.bad and not are_codes(seen) and seen.low == seen.high
    if seen.missing == 0 and (one_number or _distinct(seen) == 1):
        return "constant", f"every cell is {next(iter(seen.examples))}"
    if _distinct(seen) and _is_boolean(seen.counts or ()):
        return "boolean", f"only {' and '.join(sorted(seen.counts or ()))}"
    if seen.numeric and not are_codes(seen) and _mostly_numbers(seen):
        return _number_kind(name, seen)
    if seen.typed_dates or dates.fits:
        return "datetime", _date_why(name, seen, dates)
    kind, why = _text_kind(seen)
    return kind, why + _remark(seen, dates)


def are_codes(seen: SeenCells) -> bool:
    """Whether integers are written with zeros in front, with more digits than a number keeps, or as 12e34."""
    return seen.leading_zeros or (seen.whole and any(map(_LONG_CODE.fullmatch, seen.examples))) or _are_exponents(seen)


def _are_exponents(seen: SeenCells) -> bool:
    """Whether cells such as 12e34 are codes: one is beyond all numbers, or other cells show it."""
    if not (seen.power and seen.whole):
        return False
    if max(-seen.low, seen.high) > LARGEST or _CODE.search(seen.first_bad):
        return True
    cells = [cell for cell in seen.counts or () if cell not in seen.words]
    plain = any(map(str.isdecimal, cells))
    return plain and len({*map(len, cells)}) == 1 and any(map(_LONG_POWER.fullmatch, cells))


def _distinct(seen: SeenCells) -> int:
    """How many different values there are; 0 where that is not known."""
    return 0 if seen.counts is None or seen.fractions else len(seen.counts)


def _is_boolean(values: Iterable[str]) -> bool:
    """Whether the values are two that mean yes and no, or several spellings of these."""
    words = {value.lower() for value in values}
    return words in _BOOLEAN_PAIRS or (words <= _YES | _NO and bool(words & _YES) and bool(words & _NO))


def _mostly_numbers(seen: SeenCells) -> bool:
    few = 0 < _distinct(seen) <= _FEW_DISTINCT
    return seen.bad == 0 or (seen.bad <= (1 - _NUMBERS_AT_LEAST) * seen.known and not few)


def _number_kind(name: str, seen: SeenCells) -> tuple[Kind, str]:
    if seen.bad:
        return "number", f"{seen.bad} of {seen.known} known cells are not numbers: {seen.first_bad}"
    kind_of_number = "integers" if seen.whole else "numbers"
    if seen.whole and seen.consecutive and seen.low in (0, 1) and seen.known > 2:
        return "identifier", f"integers that count the rows, from {seen.low:.0f} to {seen.high:.0f}"
    if seen.whole and not seen.repeated and seen.known > 2 and _ID_NAME.search(name.strip()):
        return "identifier", "named like an id, and no value occurs twice"
    if seen.are_compact_dates and (_too_many_for_chance(seen) or is_named_like_a_time(name)):
        return "datetime", _compact_why(name, seen)
    unit = unix_time_of(seen.low, seen.high) if is_named_like_a_time(name) else ""
    moments = f"; as {unit} {unix_time_range(unit, seen.low, seen.high)}: data.columns.{name}=datetime" if unit else ""
    power = f"; {seen.power!r} in scientific notation, if it is a code: data.columns.{name}=category"
    moments += power if seen.power and seen.whole else ""
    return "number", f"{kind_of_number} from {seen.low:.6g} to {seen.high:.6g}{moments}"


def _too_many_for_chance(seen: SeenCells) -> bool:
    """Whether there are too many different values for all of them to be days by chance."""
    return seen.counts is None or len(seen.counts) >= ENOUGH


def _compact_why(name: str, seen: SeenCells) -> str:
    first, last = (f"{day[:4]}-{day[4:6]}-{day[6:8]}" for day in (f"{seen.low:.0f}", f"{seen.high:.0f}"))
    written = f"every known cell is written {compact_form(seen.low, seen.high)}, from {first} to {last}"
    return f"{written}; if these are numbers: data.columns.{name}=number"


def _date_why(name: str, seen: SeenCells, dates: DateSearch) -> str:
    days = f", {dates.range}" if dates.range else ""
    if seen.typed_dates:
        return f"dates or times{days}"
    found = dates.seen
    proof = f", as {found.proof!r} shows" if found.proof else ""
    bad = f"; {found.bad} of {found.known} known cells are no dates, such as {found.first_bad!r}" if found.bad else ""
    may_last = set(dates.formats) <= {"%H:%M:%S", "%H:%M:%S%.f"}
    durations = f"; if these are durations: data.columns.{name}=number" if may_last else ""
    zones = "; if a time zone is another: data.read.zones" if any("%Z," in form for form in dates.formats) else ""
    zoned = {is_zoned(form) for form in dates.formats if "%M" in form}
    mixed = "; those without a time zone are taken for times of UTC" if len(zoned) > 1 else ""
    every = "nearly every" if bad else "every"
    return f"{every} known cell is written {' or '.join(dates.formats)}{proof}{days}{bad}{zones}{mixed}{durations}"


def _text_kind(seen: SeenCells) -> tuple[Kind, str]:
    if seen.fractions:
        number = next(iter(seen.examples), "")
        other = f": {number!r} is a number, {seen.first_bad} is not written as one" if seen.first_bad else ""
        return "text", f"text and numbers with fractions, mixed{other}"
    if seen.counts is None:
        return "text" if seen.repeated else "identifier", f"text of more than {MOST_DISTINCT} different values"
    distinct = len(seen.counts)
    words = sum(len(value.split()) for value in seen.counts) / distinct
    why = f"text of {distinct} different values in {seen.known} known cells"
    if words >= _LONG_TEXT_WORDS and distinct > 0.05 * seen.known:
        return "text", f"{why}, {words:.0f} words each"
    if distinct == seen.known and seen.known > 1:
        return "identifier", "text, and no value occurs twice"
    if distinct > _FEW_DISTINCT and distinct > 0.5 * seen.known:
        return "identifier", why
    return "category", f"text of {distinct} different value{'s' if distinct > 1 else ''}"


def _remark(seen: SeenCells, dates: DateSearch) -> str:
    """What kept a column of text from being taken for something else."""
    found = dates.seen
    if dates.nearly_fits:
        return f"; most are dates, not so {found.first_bad!r}: if it means a missing value, data.missing"
    if found.contradiction:
        return f"; {found.contradiction} are dates that contradict each other"
    if found.unknown_zone:
        return f"; dates with a time zone that is not known: say data.read.zones.{found.unknown_zone}=+01:00 or so"
    if seen.leading_zeros:
        return ", some with leading zeros"
    if _are_exponents(seen):
        return f"; {seen.power!r} is taken for a code: if it is a number, say so in data.columns"
    if are_codes(seen):
        return ", of more digits than a number keeps"
    if seen.numeric and 0 < seen.bad < seen.known / 2 and len(seen.examples) > 1:
        return (
            f"; {seen.known - seen.bad} are numbers, not so {seen.first_bad}: if it means a missing value, data.missing"
        )
    return ""
