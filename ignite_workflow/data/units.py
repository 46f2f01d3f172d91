"""Whether the row beneath the header holds units, such as kg and [m/s], and not data."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from ignite_workflow.data.cells import MISSING
from ignite_workflow.data.sample import column_of_numbers, is_number

__all__ = ["Units", "find_units"]

_BASES = (
    "m|g|s|l|L|A|V|W|Wh|VA|J|Pa|N|Hz|K|C|F|bar|mol|M|eV|cal|Ω|Ohm|ohm|lx|lm|cd|rad|sr|T|H|S|Bq|Gy|Sv|kat|t|ha|a|B|bit|"
    "min|h|hr|hrs|hours?|d|days?|w|weeks?|mon|months?|y|yr|yrs|years?|sec|secs|seconds?|mins|minutes?|in|inch|inches|ft|yd|"
    "mi|miles?|mph|kph|kn|kt|knots?|psi|lb|lbs|oz|gal|ppm|ppb|ppt|dB|dBm|dBA|pH|deg|degC|degF|degrees?|rpm|px|pct|percent|"
    "points?|pts|counts?|pcs|units?|ratio|index|thousands?|millions?|billions?|Mio|Mrd|Tsd|bn|"
    "USD|EUR|GBP|JPY|CHF|CAD|AUD|NZD|CNY|INR|RUB|BRL|ZAR|SEK|NOK|DKK|PLN|CZK|HUF|TRY|MXN|KRW|SGD|HKD"
)
_ONE = rf"(?:[yzafpnµμumcdhkMGTPEZY]|da)?(?:{_BASES})|%|‰|°\s?[CFKNSEW]?|[€$£¥₹]"
_POWER = r"(?:\^?[-\u2212]?[1-4]|[⁻]?[¹²³⁴])?"
_UNIT = re.compile(rf"(?:1/)?(?:{_ONE}){_POWER}(?:\s?[/·*. ]\s?(?:\d+\s?)?(?:{_ONE}){_POWER}){{0,4}}")
_BRACKETED = re.compile(
    r"(?=.*(?:[^\W\d]|[%‰°€$£¥₹]))(?:\[[^\[\]]{1,30}\]|\([^()]{1,30}\)|<[^<>]{1,30}>|\{[^{}]{1,30}\})"
)
# shorter ones may be marks of the person who measured: M for missing, T for a trace, nd for not detected
_SURE = re.compile(
    r"[\[(<{].*|.*[/%‰°€$£¥₹µμ·²³^].*|[A-Za-z]{3,}"
    r"|[kmcnd]m|[kmu]g|m[lLAVs]|[kMG][WVJN]|Hz|Pa|ft|yd|mi|lb|oz|dB|pH|hr|yr"
)
_NOTHING = re.compile(r"[-\u2013\u2014/1]|dimensionless|unitless", re.IGNORECASE)
_NO_NUMBER = re.compile(  # what stands in a row of units where the column holds no numbers
    r"utc|gmt|local( time)?|date|time|datetime|text|string|name|code|id|y{2,4}.*|d{1,2}[./-]m.*"
    r"|m{1,2}[./-]d.*|h{1,2}:m.*",
    re.IGNORECASE,
)
_MOST_NAMED = 3


@dataclass(frozen=True)
class Units:
    """What is known of the row beneath the header.

    Attributes:
        found: it holds units and no data.
        why: the evidence, where they are found.
        question: what may be units or data, and a person has to say; empty where nothing is open.
    """

    found: bool = False
    why: str = ""
    question: str = ""


def find_units(
    names: Sequence[str], cells: Sequence[str], body: Sequence[Sequence[str]], setting: bool | None = None
) -> Units:
    """Find out whether the row beneath the header holds units.

    Args:
        names: of the columns.
        cells: of the row.
        body: the cells of rows below it.
        setting: see ``data.read.units``.
    """
    if setting is not None:
        return Units(setting, "as data.read.units says")
    if len(cells) != len(names) or not body:
        return Units()
    return _judge(names, [cell.strip() for cell in cells], body)


def _judge(names: Sequence[str], cells: Sequence[str], body: Sequence[Sequence[str]]) -> Units:
    numeric = [column_of_numbers(body, position) for position in range(len(cells))]
    united = [at for at, cell in enumerate(cells) if numeric[at] and _is_unit(cell)]
    if not united or any(is_number(cell.strip("()")) and cell != "1" for cell in cells):
        return Units()
    others = [at for at, cell in enumerate(cells) if at not in united and not _says_nothing(cell)]
    odd = [at for at in others if numeric[at] or not _describes(cells[at], body, at)]
    sure = any(_SURE.fullmatch(cells[at]) for at in united)
    if odd and not sure:
        return Units()
    if odd or not sure:
        at = odd[0] if odd else united[0]
        return Units(
            question=f"column {at + 1} {names[at]!r}: {cells[at]!r} stands in a row that may hold units, or data. "
            "Say which: data.read.units=true or false."
        )
    shown = ", ".join(f"{' '.join(names[at].split())} {cells[at]}" for at in united[:_MOST_NAMED])
    more = f" and {len(united) - _MOST_NAMED} more" if len(united) > _MOST_NAMED else ""
    return Units(found=True, why=f"{shown}{more}; otherwise: data.read.units=false")


def _is_unit(cell: str) -> bool:
    return not _says_nothing(cell) and bool(_BRACKETED.fullmatch(cell) or _UNIT.fullmatch(cell))


def _says_nothing(cell: str) -> bool:
    return cell in MISSING or bool(_NOTHING.fullmatch(cell))


def _describes(cell: str, body: Sequence[Sequence[str]], position: int) -> bool:
    """Whether a cell above text says what the text is; one that stands below again is such a text itself."""
    if any(position < len(row) and row[position].strip() == cell for row in body):
        return False
    return bool(_BRACKETED.fullmatch(cell) or _NO_NUMBER.fullmatch(cell) or (_UNIT.fullmatch(cell) and len(cell) > 1))
