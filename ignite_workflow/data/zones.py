"""Time zones by their abbreviations, such as CET: the offsets they stand for, and those that stand for several.

A column whose cells end in abbreviations has a format that says what each of them was taken for, so that a model reads
them alike: ``%Y-%m-%d %H:%M %Z, CDT -05:00, CST -06:00``.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

import polars as pl

__all__ = [
    "KNOWN_ZONES",
    "doubtful_zones",
    "resolved_zones",
    "with_offsets",
    "with_zones",
    "without_zones",
    "zone_names",
]

_NORTH_AMERICA = ("EST", "EDT", "CDT", "MST", "MDT", "PST", "PDT")
_SURE = {
    **dict.fromkeys(("UTC", "UT", "GMT", "Z", "WET"), "+00:00"),
    **dict.fromkeys(("CET", "MEZ", "WEST"), "+01:00"),
    **dict.fromkeys(("CEST", "MESZ", "EET", "SAST"), "+02:00"),
    **dict.fromkeys(("EEST", "MSK"), "+03:00"),
    **{"PKT": "+05:00", "WIB": "+07:00", "HKT": "+08:00", "SGT": "+08:00", "AWST": "+08:00", "JST": "+09:00"},
    **{"KST": "+09:00", "ACST": "+09:30", "ACDT": "+10:30", "AEST": "+10:00", "AEDT": "+11:00", "NZST": "+12:00"},
    **{"NZDT": "+13:00", "BRT": "-03:00", "ADT": "-03:00", "EDT": "-04:00", "EST": "-05:00", "CDT": "-05:00"},
    **{"MDT": "-06:00", "MST": "-07:00", "PDT": "-07:00", "PST": "-08:00", "AKDT": "-08:00", "AKST": "-09:00"},
    **{"HST": "-10:00", "IDT": "+03:00"},
}
_SEVERAL: dict[str, dict[str, tuple[str, tuple[str, ...]]]] = {  # offset: where, and what beside it tells
    "CST": {"-06:00": ("North America", _NORTH_AMERICA), "+08:00": ("China", ())},
    "IST": {"+05:30": ("India", ()), "+02:00": ("Israel", ("IDT",)), "+01:00": ("Ireland", ())},
    "BST": {"+01:00": ("Britain", ("GMT",)), "+06:00": ("Bangladesh", ())},
    "AST": {"-04:00": ("North America", ("ADT", *_NORTH_AMERICA)), "+03:00": ("Arabia", ())},
}
KNOWN_ZONES: Mapping[str, str] = {**_SURE, **{name: next(iter(offsets)) for name, offsets in _SEVERAL.items()}}
"""The offset of each abbreviation; of those that stand for several, the first."""

_NAMED = r"^(.*?(?:\d|[aApP]\.?[mM]\.?)) ?([A-Z]{1,6})( \d{4})?$"
_WITH_ZONES = re.compile(r"(?P<form>.*%Z(?: %Y)?)(?P<zones>(?:, [A-Za-z]{1,6} [+-]\d\d:\d\d)+)")


def zone_names(text: pl.Series) -> pl.Series:
    """The abbreviation that each cell ends in, the year left out that may follow it; null where there is none."""
    return text.str.extract(_NAMED, 2)


def with_offsets(text: pl.Series, zones: Mapping[str, str]) -> pl.Series:
    """The cells with the offset at their end in the place of the abbreviation, null where it is none of ``zones``.

    Example:
        >>> cells = pl.Series(["12:00 CET", "Tue Nov  3 12:00:00 EST 2020", "12:00 XYZ"])
        >>> with_offsets(cells, KNOWN_ZONES).to_list()
        ['12:00+01:00', 'Tue Nov  3 12:00:00 2020-05:00', None]
    """
    parts = text.str.extract_groups(_NAMED).struct.unnest()
    offset = pl.col("2").replace_strict(dict(zones), default=None, return_dtype=pl.String)
    return parts.select(pl.col("1") + pl.col("3").fill_null("") + offset).to_series().alias(text.name)


def with_zones(form: str, names: Collection[str], zones: Mapping[str, str]) -> str:
    """The format of a column that says what its abbreviations stand for.

    Args:
        form: holds ``%Z``, or is returned as it is.
        names: the abbreviations in the column.
        zones: what they stand for.
    """
    return "".join((form, *(f", {name} {zones[name]}" for name in sorted(names)))) if "%Z" in form else form


def without_zones(form: str) -> tuple[str, dict[str, str]]:
    """The two parts of what ``with_zones`` makes."""
    match = _WITH_ZONES.fullmatch(form)
    if match is None:
        return form, {}
    pairs = (pair.partition(" ") for pair in match["zones"].removeprefix(", ").split(", "))
    return match["form"], {name: offset for name, _, offset in pairs}


def resolved_zones(names: Collection[str], settings: Mapping[str, str]) -> dict[str, str]:
    """What abbreviations stand for; of several offsets the one that another abbreviation beside it tells.

    Args:
        names: those in a column.
        settings: what ``data.read.zones`` says that abbreviations stand for.

    Example:
        >>> resolved_zones(["BST", "GMT"], {})
        {'BST': '+01:00', 'GMT': '+00:00'}
    """
    return {name: settings.get(name) or _offset_beside(name, names) or KNOWN_ZONES[name] for name in names}


def doubtful_zones(names: Collection[str], settings: Mapping[str, str]) -> str:
    """What a person is asked where an abbreviation stands for several offsets and no other one beside it tells.

    Args:
        names, settings: as for ``resolved_zones``.

    Returns:
        The question, up to the column; empty where nothing is open.
    """
    for name in sorted(set(names) & _SEVERAL.keys() - settings.keys()):
        if not _offset_beside(name, names):
            meanings = " or ".join(f"{offset} ({where})" for offset, (where, _) in _SEVERAL[name].items())
            return f"{name} may be {meanings}, and no cell tells which. Say it: data.read.zones.{name}"
    return ""


def _offset_beside(name: str, names: Collection[str]) -> str:
    offsets = _SEVERAL.get(name, {})
    return next((offset for offset, (_, beside) in offsets.items() if not {*beside}.isdisjoint(names)), "")
