# ruff: noqa: RUF001 - primes, and quotes that stand for them
"""Latitudes and longitudes as people and instruments write them, as degrees: 40°26'46"N, N 40.446, 79.98W."""

from __future__ import annotations

import polars as pl

from ignite_workflow.data.tolerance import MOST_MISTAKES

__all__ = ["CoordinateSearch", "to_degrees"]

_NUMBER = r"[0-9]{1,3}(?:[.,][0-9]+)?"
_PARTS = (
    rf"^(?P<before>[NSEWnsew])?\s?(?P<sign>[+\-\x{{2212}}])?(?P<degrees>{_NUMBER})\s?(?:°|º|deg)?\s?"
    rf"(?:(?P<minutes>{_NUMBER})\s?['′’]\s?(?:(?P<seconds>{_NUMBER})\s?(?:[\"″”]|['′’]{{2}})?\s?)?)?(?P<after>[NSEWnsew])?$"
)
_MOST = 180.0
_MOST_NORTH = 90.0


def to_degrees(cells: pl.Expr) -> pl.Expr:
    """Text as degrees, south and west below zero; null where it is no latitude or longitude.

    Example:
        >>> frame = pl.DataFrame({"at": ["40°30'N", "S 12.5", "N", "12.5"]})
        >>> frame.select(to_degrees(pl.col("at")))["at"].to_list()
        [40.5, -12.5, None, None]
    """
    parts = cells.str.strip_chars().str.extract_groups(_PARTS).struct
    degrees, minutes, seconds = (_value(parts.field(name)) for name in ("degrees", "minutes", "seconds"))
    side = _side(cells)
    told = side.is_not_null() | (parts.field("minutes").is_not_null() & cells.str.contains("[°º]"))
    both = parts.field("before").is_not_null() & parts.field("after").is_not_null()
    size = degrees + minutes.fill_null(0.0) / 60 + seconds.fill_null(0.0) / 3600
    most = pl.when(side.is_in(["N", "S"])).then(_MOST_NORTH).otherwise(_MOST)
    below = side.is_in(["S", "W"]).fill_null(value=False) ^ parts.field("sign").is_in(["-", "\u2212"]).fill_null(
        value=False
    )
    fits = told & ~both & (size <= most) & (minutes.fill_null(0.0) < 60) & (seconds.fill_null(0.0) < 60)
    return pl.when(fits & below).then(-size).when(fits).then(size).name.keep()


def _value(part: pl.Expr) -> pl.Expr:
    return part.str.replace(",", ".", literal=True).cast(pl.Float64, strict=False)


def _side(cells: pl.Expr) -> pl.Expr:
    parts = cells.str.strip_chars().str.extract_groups(_PARTS).struct
    return pl.coalesce(parts.field("before"), parts.field("after")).str.to_uppercase()


class CoordinateSearch:
    """Finds out whether the cells of a column are latitudes or longitudes, chunk by chunk."""

    def __init__(self) -> None:
        self._known = self._bad = 0
        self._sides: set[str] = set()
        self._example = ""

    @property
    def why(self) -> str:
        """The evidence; empty where they are none. Where no cell tells another side, a letter may be a unit."""
        one_axis = self._sides <= {"N", "S"} or self._sides <= {"E", "W"}
        if not self._example or not one_axis or self._bad > MOST_MISTAKES * self._known:
            return ""
        return f"degrees, south and west below zero, as {self._example!r} shows"

    def add(self, text: pl.Series) -> None:
        """Look at cells: text without blanks around it, none of them missing."""
        # the look at all parts of a cell takes ten times as long: only those with a side or a degree sign can fit
        self._known += len(text)
        self._bad += len(text)
        text = text.filter(text.str.contains("^[NSEWnsew]|[NSEWnsew]$|[°º]"))
        if not len(text):
            return
        frame = text.alias("cells").to_frame()
        found = frame.select("cells", degrees=to_degrees(pl.col("cells")), side=_side(pl.col("cells")))
        fitting = found.filter(pl.col("degrees").is_not_null())
        self._bad -= fitting.height
        self._sides.update(fitting["side"].drop_nulls().unique().to_list())
        telling = fitting.filter(pl.col("cells").str.contains("['′’]") | pl.col("side").is_in(["S", "W"]))
        if telling.height and not self._example:
            self._example = str(telling["cells"][0])
