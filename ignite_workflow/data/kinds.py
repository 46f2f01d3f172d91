"""What a column is taken for, and why, once all of its cells have been seen.

The rules, the first that fits: what ``data.columns`` says; constant; boolean; number (integers that count the rows, or
of a column named like an id with no value twice, are identifiers); date or time; text: free text, identifier, else
category.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Literal

from ignite_workflow.data.epochs import epoch_of, epoch_range, is_named_like_a_time

if TYPE_CHECKING:
    from ignite_workflow.data.columns import ColumnScan

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
_LONG_CODE = re.compile(r"\d{17,}")  # float64 keeps 15 to 16 digits


def decide(scan: ColumnScan) -> tuple[Kind, str]:
    """The kind of a column, and the evidence."""
    known = scan.rows - scan.missing
    if scan.given is not None:
        return scan.given, "as data.columns says"
    if scan.unusable:
        return "ignore", f"cells of type {scan.unusable}"
    if known == 0:
        return "constant", "every cell is missing"
    one_number = scan.numeric and not scan.bad and not are_codes(scan) and scan.low == scan.high
    if scan.missing == 0 and (one_number or _distinct(scan) == 1):
        return "constant", f"every cell is {next(iter(scan.examples))}"
    if _distinct(scan) and _is_boolean(scan.counts or ()):
        return "boolean", f"only {' and '.join(sorted(scan.counts or ()))}"
    if scan.numeric and not are_codes(scan) and _mostly_numbers(scan, known):
        return _number_kind(scan, known)
    if scan.typed_dates or scan.dates.fits:
        return "datetime", _date_why(scan)
    kind, why = _text_kind(scan, known)
    return kind, why + _remark(scan, known)


def are_codes(scan: ColumnScan) -> bool:
    """Whether integers are written with zeros in front, or with more digits than a number keeps."""
    return scan.leading_zeros or (scan.whole and any(map(_LONG_CODE.fullmatch, scan.examples)))


def _distinct(scan: ColumnScan) -> int:
    """How many different values there are; 0 where that is not known."""
    return 0 if scan.counts is None or scan.fractions else len(scan.counts)


def _is_boolean(values: Iterable[str]) -> bool:
    """Whether the values are two that mean yes and no, or several spellings of these."""
    words = {value.lower() for value in values}
    return words in _BOOLEAN_PAIRS or (words <= _YES | _NO and bool(words & _YES) and bool(words & _NO))


def _mostly_numbers(scan: ColumnScan, known: int) -> bool:
    few = 0 < _distinct(scan) <= _FEW_DISTINCT
    return scan.bad == 0 or (scan.bad <= (1 - _NUMBERS_AT_LEAST) * known and not few)


def _number_kind(scan: ColumnScan, known: int) -> tuple[Kind, str]:
    if scan.bad:
        return "number", f"{scan.bad} of {known} known cells are not numbers: {scan.first_bad}"
    kind_of_number = "integers" if scan.whole else "numbers"
    if scan.whole and scan.consecutive and scan.low in (0, 1) and known > 2:
        return "identifier", f"integers that count the rows, from {scan.low:.0f} to {scan.high:.0f}"
    if scan.whole and not scan.repeated and known > 2 and _ID_NAME.search(scan.name.strip()):
        return "identifier", "named like an id, and no value occurs twice"
    epoch = epoch_of(scan.low, scan.high) if is_named_like_a_time(scan.name) else ""
    moments = (
        f"; as {epoch} {epoch_range(epoch, scan.low, scan.high)}: data.columns.{scan.name}=datetime" if epoch else ""
    )
    return "number", f"{kind_of_number} from {scan.low:.6g} to {scan.high:.6g}{moments}"


def _date_why(scan: ColumnScan) -> str:
    if scan.typed_dates:
        return "dates or times"
    dates = scan.dates
    proof = f", as {dates.proof!r} shows" if dates.proof else ""
    bad = f"; {dates.bad} of {dates.known} known cells are no dates, such as {dates.first_bad!r}" if dates.bad else ""
    may_last = set(dates.formats) <= {"%H:%M:%S", "%H:%M:%S%.f"}
    durations = f"; if these are durations: data.columns.{scan.name}=number" if may_last else ""
    zones = "; if a time zone is another: data.read.zones" if any("%Z," in form for form in dates.formats) else ""
    every = "nearly every" if bad else "every"
    return f"{every} known cell is written {' or '.join(dates.formats)}{proof}{bad}{zones}{durations}"


def _text_kind(scan: ColumnScan, known: int) -> tuple[Kind, str]:
    if scan.fractions:
        number = next(iter(scan.examples), "")
        other = f": {number!r} is a number, {scan.first_bad} is not written as one" if scan.first_bad else ""
        return "text", f"text and numbers with fractions, mixed{other}"
    if scan.counts is None:
        return "text" if scan.repeated else "identifier", f"text of more than {MOST_DISTINCT} different values"
    distinct = len(scan.counts)
    words = sum(len(value.split()) for value in scan.counts) / distinct
    why = f"text of {distinct} different values in {known} known cells"
    if words >= _LONG_TEXT_WORDS and distinct > 0.05 * known:
        return "text", f"{why}, {words:.0f} words each"
    if distinct == known and known > 1:
        return "identifier", "text, and no value occurs twice"
    if distinct > _FEW_DISTINCT and distinct > 0.5 * known:
        return "identifier", why
    return "category", f"text of {distinct} different value{'s' if distinct > 1 else ''}"


def _remark(scan: ColumnScan, known: int) -> str:
    """What kept a column of text from being taken for something else."""
    if scan.dates.nearly_fits:
        return f"; most are dates, not so {scan.dates.first_bad!r}: if it means a missing value, data.missing"
    if scan.dates.contradiction:
        return f"; {scan.dates.contradiction} are dates that contradict each other"
    if scan.dates.unknown_zone:
        return f"; dates with a time zone that is not known: say data.read.zones.{scan.dates.unknown_zone}=+01:00 or so"
    if scan.leading_zeros:
        return ", some with leading zeros"
    if are_codes(scan):
        return ", of more digits than a number keeps"
    if scan.numeric and 0 < scan.bad < known / 2 and len(scan.examples) > 1:
        return f"; {known - scan.bad} are numbers, not so {scan.first_bad}: if it means a missing value, data.missing"
    return ""
