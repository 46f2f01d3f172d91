"""Durations such as 2d 03:00 and PT1H30M as seconds, and whether a column holds durations or times of day."""

from __future__ import annotations

import re

import polars as pl

from ignite_workflow.data.tolerance import MOST_MISTAKES

__all__ = ["DurationSearch", "to_seconds"]

_N = r"\d+(?:[.,]\d+)?"
_ISO = rf"^([+-])?P(?:({_N})W)?(?:({_N})D)?(?:T(?:({_N})H)?(?:({_N})M)?(?:({_N})S)?)?$"
_SPOKEN = (
    rf"(?i)^(?P<sign>[+-])?(?:(?P<weeks>{_N}) ?w(?:ks?|eeks?)?,? ?)?(?:(?P<days>{_N}) ?d(?:ays?)?(?P<comma>,)? ?)?"
    rf"(?:(?P<hours>{_N}) ?h(?:rs?|ours?)?,? ?)?(?:(?P<minutes>{_N}) ?m(?:ins?|inutes?)?,? ?)?"
    rf"(?:(?P<seconds>{_N}) ?s(?:ecs?|econds?)?)?$"
)
_CLOCK = (
    r"(?i)^(?P<sign>[+-])?(?:(?P<days>\d+) ?d(?:ays?)?(?P<comma>,)? ?|(?P<whole>\d+)\.)?(?P<own>[+-])?"
    r"(?P<hours>\d+):(?P<minutes>[0-5]?\d)(?::(?P<seconds>[0-5]?\d(?:[.,]\d+)?))?$"
)
_LAP = r"^([+-])?(\d+):([0-5]\d[.,]\d+)$"
_CLOCK_ALONE = r"^\d{1,2}:\d{2}:\d{2}(?:[.,]\d+)?$"
_PARTS = r"(?i)\d ?[wdhms]"
_TELLING = r"(?i):|\d ?[wdhms]"  # every duration holds it
_WEEK, _DAY, _HOUR, _MINUTE = 604_800.0, 86_400.0, 3600.0, 60.0
_NAMED = re.compile(
    r"duration|elapsed|run.?time|up.?time|length|(^|[\W_])(lap|pace|took|split)([\W_]|$)|time.?(spent|taken|used)|dauer|"
    r"durée|duración|durata",
    re.IGNORECASE,
)


def to_seconds(cells: pl.Expr) -> pl.Expr:
    """Durations as seconds, null where a cell is none.

    Hours and minutes alone, such as 7:30, are none: they may be minutes and seconds. So is a negative number of days
    before hours without a sign, as some subtract those and some do not; years and months have no length.

    Example:
        >>> frame = pl.DataFrame({"took": ["1:02:03", "2d 03:00", "PT1H30M", "1h 5m", "4:07.5", "7:30"]})
        >>> frame.select(to_seconds(pl.col("took")))["took"].to_list()
        [3723.0, 183600.0, 5400.0, 3900.0, 247.5, None]
    """
    return pl.coalesce(_clock(cells), _lap(cells), _spoken(cells), _iso(cells)).name.keep()


def _clock(cells: pl.Expr) -> pl.Expr:
    part = cells.str.extract_groups(_CLOCK).struct
    days, whole, seconds = part.field("days"), part.field("whole"), part.field("seconds")
    sign, own = _sign(part.field("sign")), _sign(part.field("own"))
    apart = days.is_not_null() & (part.field("own").is_not_null() | part.field("comma").is_not_null())
    doubtful = days.is_not_null() & ~apart & (sign < 0)
    clock = _number(part.field("hours")) * _HOUR + _number(part.field("minutes")) * _MINUTE + _number(seconds)
    total = sign * _DAY * (_number(days) + _number(whole)) + pl.when(apart).then(own).otherwise(sign * own) * clock
    fits = part.field("hours").is_not_null() & ~doubtful & (seconds.is_not_null() | days.is_not_null())
    return pl.when(fits).then(total)


def _lap(cells: pl.Expr) -> pl.Expr:
    part = cells.str.extract_groups(_LAP).struct
    total = _sign(part.field("1")) * (_number(part.field("2")) * _MINUTE + _number(part.field("3")))
    return pl.when(part.field("2").is_not_null()).then(total)


def _spoken(cells: pl.Expr) -> pl.Expr:
    part = cells.str.extract_groups(_SPOKEN).struct
    sizes = {"weeks": _WEEK, "days": _DAY, "hours": _HOUR, "minutes": _MINUTE, "seconds": 1.0}
    return _total(part, part.field("sign"), sizes)


def _iso(cells: pl.Expr) -> pl.Expr:
    part = cells.str.extract_groups(_ISO).struct
    return _total(part, part.field("1"), {"2": _WEEK, "3": _DAY, "4": _HOUR, "5": _MINUTE, "6": 1.0})


def _total(part: pl.expr.struct.ExprStructNameSpace, sign: pl.Expr, sizes: dict[str, float]) -> pl.Expr:
    total = pl.sum_horizontal(_number(part.field(name)) * size for name, size in sizes.items())
    return pl.when(pl.any_horizontal(part.field(name).is_not_null() for name in sizes)).then(_sign(sign) * total)


def _number(digits: pl.Expr) -> pl.Expr:
    return digits.str.replace(",", ".", literal=True).cast(pl.Float64, strict=False).fill_null(0.0)


def _sign(sign: pl.Expr) -> pl.Expr:
    return pl.when(sign == "-").then(-1.0).otherwise(1.0)


class DurationSearch:
    """Finds out whether a column holds durations, by looking at all of its cells.

    Those of a whole column that are all below 24 hours and written 1:02:03 may be times of day as well: its name tells,
    or a person.

    Args:
        name: of the column.
        is_number: a person says that it holds numbers.
    """

    def __init__(self, name: str, *, is_number: bool = False) -> None:
        self.known = self.fitting = self.clocks = 0
        self.name = name
        self.is_number = is_number
        self.named = _NAMED.search(name) is not None
        self.proof = ""

    def add(self, text: pl.Series) -> None:
        """Look at cells: text without blanks around it, none of them missing."""
        self.known += len(text)
        text = text.filter(text.str.contains(_TELLING))
        if not len(text):
            return
        cells = text.to_frame("cells").with_columns(seconds=to_seconds(pl.col("cells")))
        fitting = cells.filter(pl.col("seconds").is_not_null())
        is_clock = pl.col("cells").str.contains(_CLOCK_ALONE) & (pl.col("seconds") <= _DAY)  # 24:00:00 is midnight
        clocks = fitting.filter(is_clock)
        self.fitting += fitting.height
        self.clocks += clocks.height
        is_single = pl.col("cells").str.count_matches(_PARTS) == 1
        is_single &= ~pl.col("cells").str.contains(":|P")
        telling = fitting.filter(~is_clock & ~is_single)
        if telling.height and not self.proof:
            self.proof = str(telling["cells"][0])

    @property
    def may_be_clocks(self) -> bool:
        """Whether nearly all cells are clocks below 24 hours, and nothing tells that they are durations."""
        return self.known > 0 and not self.why and self.clocks >= (1 - MOST_MISTAKES) * self.known

    @property
    def why(self) -> str:
        """The evidence where the column holds durations; empty: it does not."""
        if not self.known or self.known - self.fitting > MOST_MISTAKES * self.known:
            return ""
        if self.is_number:
            return "durations in seconds" if self.clocks or self.proof else ""
        proof = f"as {self.proof!r} shows" if self.proof else "as its name says" if self.named and self.clocks else ""
        other = "datetime" if self.clocks else "category"
        return f"durations in seconds, {proof}; otherwise: data.columns.{self.name}={other}" if proof else ""
