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
from ignite_workflow.data.profiles import CellProfile
from ignite_workflow.data.tolerance import MOST_MISTAKES
from ignite_workflow.data.unix_time import is_named_like_a_time, unix_time_of, unix_time_range

__all__ = ["MOST_DISTINCT", "USED_KINDS", "Kind", "are_codes", "decide"]

Kind = Literal["number", "category", "boolean", "datetime", "identifier", "constant", "text", "ignore"]
USED_KINDS = ("number", "category", "boolean", "datetime")
MOST_DISTINCT = 10_000  # a category has at most so many values; counting stops there

_FEW_DISTINCT = 20
_LONG_TEXT_WORDS = 5
_YES, _NO = {"yes", "y", "true", "t", "1"}, {"no", "n", "false", "f", "0"}
_BOOLEAN_PAIRS = (
    *({"0", "1"}, {"0.0", "1.0"}, {"false", "true"}, {"f", "t"}, {"no", "yes"}, {"n", "y"}, {"off", "on"}),
    *({"ja", "nein"}, {"oui", "non"}, {"no", "si"}, {"no", "sí"}, {"não", "sim"}, {"nao", "sim"}, {"nie", "tak"}),
    *({"да", "нет"}, {"falsch", "wahr"}, {"faux", "vrai"}),
)
_BOOLEANS = _YES.union(_NO, *_BOOLEAN_PAIRS)
_ID_NAME = re.compile(
    r"(^|[_\s.-])([iI][dD]|uuid|UUID|guid|GUID|[nN][oOrR]\.?)$|[a-z](Id|ID)$|^Unnamed: \d|^row_names$"
)  # the last: the index of pandas, and of R
_CODE = re.compile(r"^'(?=\w*\d)(?=\w*[^\W\d])\w{2,}' ")  # a cell of letters and digits, as evidence shows it
_LONG_POWER = re.compile(r"\d\d+[eE]\d+")
_LONG_CODE = re.compile(r"\d{17,}")  # float64 keeps 15 to 16 digits


def decide(name: str, given: Kind | None, profile: CellProfile, dates: DateSearch) -> tuple[Kind, str]:
    """The kind of a column, and the evidence.

    Args:
        name: of the column.
        given: what ``data.columns`` says; None: nothing.
        profile: what all of its cells have shown.
        dates: what they have shown of dates.
    """
    if given is not None:
        return given, "as data.columns says"
    if profile.unusable:
        return "ignore", f"cells of type {profile.unusable}"
    if profile.known == 0:
        return "constant", "every cell is missing"
    one_number = profile.numeric and not profile.bad and not are_codes(profile) and profile.low == profile.high
    if profile.missing == 0 and (one_number or _distinct(profile) == 1):
        return "constant", f"every cell is {next(iter(profile.examples))}"
    if _distinct(profile) and _is_boolean(profile.counts or ()):
        return "boolean", f"only {' and '.join(sorted(profile.counts or ()))}"
    if profile.numeric and not are_codes(profile) and _mostly_numbers(profile):
        return _number_kind(name, profile)
    if profile.typed_dates or dates.fits:
        return "datetime", _date_why(name, profile, dates)
    kind, why = _text_kind(profile)
    return kind, why + _remark(profile, dates)


def are_codes(profile: CellProfile) -> bool:
    """Whether integers are written with zeros in front, with more digits than a number keeps, or as 12e34."""
    return (
        profile.leading_zeros
        or (profile.whole and any(map(_LONG_CODE.fullmatch, profile.examples)))
        or _are_exponents(profile)
    )


def _are_exponents(profile: CellProfile) -> bool:
    """Whether cells such as 12e34 are codes: one is beyond all numbers, or other cells show it."""
    if not (profile.power and profile.whole):
        return False
    if max(-profile.low, profile.high) > LARGEST or _CODE.search(profile.first_bad):
        return True
    cells = [cell for cell in profile.counts or () if cell not in profile.words]
    plain = any(map(str.isdecimal, cells))
    return plain and len({*map(len, cells)}) == 1 and any(map(_LONG_POWER.fullmatch, cells))


def _distinct(profile: CellProfile) -> int:
    """How many different values there are; 0 where that is not known."""
    return 0 if profile.counts is None or profile.fractions else len(profile.counts)


def _is_boolean(values: Iterable[str]) -> bool:
    """Whether the values are two that mean yes and no, or several spellings of these."""
    if not all(value.lower() in _BOOLEANS for value in values):  # the first of thousands tells mostly
        return False
    words = {value.lower() for value in values}
    return words in _BOOLEAN_PAIRS or (words <= _YES | _NO and bool(words & _YES) and bool(words & _NO))


def _mostly_numbers(profile: CellProfile) -> bool:
    few = 0 < _distinct(profile) <= _FEW_DISTINCT
    return profile.bad == 0 or (profile.bad <= MOST_MISTAKES * profile.known and not few)


def _number_kind(name: str, profile: CellProfile) -> tuple[Kind, str]:
    if profile.bad:
        return "number", f"{profile.bad} of {profile.known} known cells are not numbers: {profile.first_bad}"
    kind_of_number = "integers" if profile.whole else "numbers"
    if profile.whole and profile.consecutive and profile.low in (0, 1) and profile.known > 2:
        return "identifier", f"integers that count the rows, from {profile.low:.0f} to {profile.high:.0f}"
    if profile.whole and not profile.repeated and profile.known > 2 and _ID_NAME.search(name.strip()):
        return "identifier", "named like an id, and no value occurs twice"
    if profile.are_compact_dates and (_too_many_for_chance(profile) or is_named_like_a_time(name)):
        return "datetime", _compact_why(name, profile)
    unit = unix_time_of(profile.low, profile.high) if is_named_like_a_time(name) else ""
    moments = (
        f"; as {unit} {unix_time_range(unit, profile.low, profile.high)}: data.columns.{name}=datetime" if unit else ""
    )
    power = f"; {profile.power!r} in scientific notation, if it is a code: data.columns.{name}=category"
    moments += power if profile.power and profile.whole else ""
    return "number", f"{kind_of_number} from {_shown(profile.low)} to {_shown(profile.high)}{moments}"


def _shown(number: float) -> str:
    return f"{number:.0f}" if 1e6 <= abs(number) < 1e15 else f"{number:.6g}"


def _too_many_for_chance(profile: CellProfile) -> bool:
    """Whether there are too many different values for all of them to be days by chance."""
    return profile.counts is None or len(profile.counts) >= ENOUGH


def _compact_why(name: str, profile: CellProfile) -> str:
    first, last = (f"{day[:4]}-{day[4:6]}-{day[6:8]}" for day in (f"{profile.low:.0f}", f"{profile.high:.0f}"))
    written = f"every known cell is written {compact_form(profile.low, profile.high)}, from {first} to {last}"
    return f"{written}; if these are numbers: data.columns.{name}=number"


def _date_why(name: str, profile: CellProfile, dates: DateSearch) -> str:
    days = f", {dates.range}" if dates.range else ""
    if profile.typed_dates:
        return f"dates or times{days}"
    found = dates.profile
    proof = f", as {found.proof!r} shows" if found.proof else ""
    bad = f"; {found.bad} of {found.known} known cells are no dates, such as {found.first_bad!r}" if found.bad else ""
    may_last = set(dates.formats) <= {"%H:%M:%S", "%H:%M:%S%.f"}
    durations = f"; if these are durations: data.columns.{name}=number" if may_last else ""
    zones = "; if a time zone is another: data.read.zones" if any("%Z," in form for form in dates.formats) else ""
    zoned = {is_zoned(form) for form in dates.formats if "%M" in form}
    mixed = "; those without a time zone are taken for times of UTC" if len(zoned) > 1 else ""
    every = "nearly every" if bad else "every"
    return f"{every} known cell is written {' or '.join(dates.formats)}{proof}{days}{bad}{zones}{mixed}{durations}"


def _text_kind(profile: CellProfile) -> tuple[Kind, str]:
    if profile.fractions:
        number = next(iter(profile.examples), "")
        other = f": {number!r} is a number, {profile.first_bad} is not written as one" if profile.first_bad else ""
        return "text", f"text and numbers with fractions, mixed{other}"
    if profile.counts is None:
        return "text" if profile.repeated else "identifier", f"text of more than {MOST_DISTINCT} different values"
    distinct = len(profile.counts)
    words = sum(len(value.split()) for value in profile.counts) / distinct
    why = f"text of {distinct} different values in {profile.known} known cells"
    if words >= _LONG_TEXT_WORDS and distinct > 0.05 * profile.known:
        return "text", f"{why}, {words:.0f} words each"
    if distinct == profile.known and profile.known > 1:
        return "identifier", "text, and no value occurs twice"
    if distinct > _FEW_DISTINCT and distinct > 0.5 * profile.known:
        return "identifier", why
    return "category", f"text of {distinct} different value{'s' if distinct > 1 else ''}"


def _remark(profile: CellProfile, dates: DateSearch) -> str:
    """What kept a column of text from being taken for something else."""
    found = dates.profile
    if dates.nearly_fits:
        return f"; most are dates, not so {found.first_bad!r}: if it means a missing value, data.missing"
    if found.contradiction:
        return f"; {found.contradiction} are dates that contradict each other"
    if found.unknown_zone:
        return f"; dates with a time zone that is not known: say data.read.zones.{found.unknown_zone}=+01:00 or so"
    if profile.leading_zeros:
        return ", some with leading zeros"
    if _are_exponents(profile):
        return f"; {profile.power!r} is taken for a code: if it is a number, say so in data.columns"
    if are_codes(profile):
        return ", of more digits than a number keeps"
    if profile.numeric and 0 < profile.bad < profile.known / 2 and len(profile.examples) > 1:
        numbers = f"; {profile.known - profile.bad} are numbers, not so {profile.first_bad}"
        return f"{numbers}: if it means a missing value, data.missing"
    return ""
