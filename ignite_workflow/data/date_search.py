"""The formats in which the dates and times of a column are written, found by looking at all of its cells."""

from __future__ import annotations

import polars as pl

from ignite_workflow.config import ReadConfig
from ignite_workflow.data.centuries import with_years
from ignite_workflow.data.date_formats import (
    CLOCKS,
    COMPACT,
    DATE_FORMATS,
    DAYS,
    LOGGED,
    MONTHS,
    PERIODS,
    TIMES,
    parse_dates,
)
from ignite_workflow.data.seen import SeenDates
from ignite_workflow.data.zones import KNOWN_ZONES, doubtful_zones, resolved_zones, with_zones, zone_names

__all__ = ["DateSearch"]

_MAYBE_DATE = r"^\[?[\pL\d][\pL\d ,./:+()\[_\x{a0}\x{202f}-]{2,78}\]?$"
_DAY_AND_CLOCK = (
    r"^(?P<day>.*?)(?:(?P<gap>, |[ T])(?P<clock>\d{1,2}(?:[:.]\d{2}(?:\b|[aApPZ])| ?[aApP]\.? ?[mM]\b).*))?$"
)
_TWO_PARTS = r"\d[-/.: ,]+[\pL\d]|\pL[-/. ,]+\d|\d\pL{3,9}\d{2}|\d[QqWT年년_]\d|[Qq]\d{5}"
_TRIED = 100
_MOST_LAYOUTS = 4
_BAD_SHARE = 0.05


def _layout(form: str) -> str:
    """The same for formats that differ in the order of day and month only."""
    return form.replace("%d", "%m") if "%B" not in form else form


class DateSearch:
    """Finds the formats in which the dates of a column are written, by looking at all of its cells.

    A column may mix formats that cannot be mistaken for each other. Whether day or month comes first is decided by all
    cells together: one 31/01/2024 decides for its column.

    Args:
        read: what a person said of day and month where no cell tells, of years of two digits and of time zones.
        compact: also such as 20240131, which is a number unless a person says otherwise.
    """

    def __init__(self, read: ReadConfig | None = None, *, compact: bool = False) -> None:
        read = read or ReadConfig()
        self.compact = compact
        self.day_first = read.day_first
        self.first_year = read.first_year
        self.zones = read.zones
        self.seen = SeenDates()

    @property
    def fits(self) -> bool:
        """Whether (nearly) all cells so far are dates."""
        seen = self.seen
        return bool(seen.groups) and not seen.failed and seen.bad <= _BAD_SHARE * seen.known

    @property
    def nearly_fits(self) -> bool:
        """Whether most cells so far are dates, but too many are not."""
        seen = self.seen
        return bool(seen.groups) and not seen.contradiction and _BAD_SHARE * seen.known < seen.bad < seen.known / 2

    @property
    def formats(self) -> tuple[str, ...]:
        """The formats found: a cell is written in the first of them that fits it."""
        if not self.fits:
            return ()
        names, offsets = self.seen.zones, resolved_zones(self._zone_names, self.zones)
        chosen = map(self._chosen, self.seen.groups.values())
        return tuple(with_years(with_zones(form, names, offsets), self.first_year) for form in chosen)

    @property
    def range(self) -> str:
        """From the first day to the last, for people; empty where cells are times without a day."""
        chosen = [form for form in map(self._chosen, self.seen.groups.values()) if form in self.seen.first]
        if not chosen:
            return ""
        return f"from {min(map(self.seen.first.__getitem__, chosen))} to {max(map(self.seen.last.__getitem__, chosen))}"

    @property
    def open(self) -> bool:
        """Whether day and month could be exchanged in every cell, and nobody said which comes first."""
        return self.fits and self.day_first is None and any(len(group) > 1 for group in self.seen.groups.values())

    @property
    def open_zone(self) -> str:
        """What is to be asked about an abbreviation of a time zone; empty where nothing is open."""
        return doubtful_zones(self._zone_names, self.zones) if self.fits else ""

    @property
    def _zone_names(self) -> list[str]:
        """The abbreviations in the column: that of a format without others counts too, as it tells of those."""
        seen = self.seen
        alone = (name for name in ("UTC", "GMT") if any(layout.endswith(f" {name}") for layout in seen.groups))
        return [*seen.zones, *(name for name in alone if name not in seen.zones)]

    def _chosen(self, group: tuple[str, ...]) -> str:
        if len(group) > 1 and self.day_first is False:
            return next(form for form in group if form.startswith("%m"))
        return group[0]

    def add(self, text: pl.Series) -> None:
        """Look at cells: text without blanks around it, null where missing."""
        seen = self.seen
        rest = text.drop_nulls()
        if seen.failed or not len(rest):
            return
        seen.known += len(rest)
        first = rest.head(_TRIED)
        if not seen.groups and not self.compact:
            likely = first.str.contains(_MAYBE_DATE) & first.str.contains(_TWO_PARTS)
            if 2 * int(likely.sum()) <= len(first):
                seen.failed = True
                return
        for layout in list(seen.groups):
            rest = self._claim(layout, rest)
        while len(rest) and not seen.failed and (layout := self._likeliest(rest)):
            if layout in seen.groups:  # in the order of day and month that earlier cells decided against
                self._refuse(rest, seen.groups[layout])
                return
            seen.failed = bool(seen.groups) and (layout in TIMES or any(each in TIMES for each in seen.groups))
            seen.groups[layout] = tuple(form for form in DATE_FORMATS if _layout(form) == layout)
            rest = self._claim(layout, rest)
        if len(rest):
            seen.first_bad = seen.first_bad or str(rest[0])
            seen.bad += len(rest)
            seen.failed |= seen.bad > _BAD_SHARE * seen.known and seen.known >= _TRIED

    def _claim(self, layout: str, rest: pl.Series) -> pl.Series:
        """Take away the cells of a layout, and those of its formats that do not fit them all."""
        seen = self.seen
        forms = seen.groups[layout]
        moments = {form: self._parse(rest, form) for form in forms}
        parsed = {form: cells.is_not_null() for form, cells in moments.items()}
        claimed = parsed[forms[0]]
        for form in forms[1:]:
            claimed = claimed | parsed[form]
        fitting = tuple(form for form in forms if (parsed[form] | ~claimed).all())
        if len(fitting) < len(forms):
            other = next(form for form in forms if form not in fitting)
            telling = str(rest.filter(claimed & ~parsed[other])[0])
            seen.proof = seen.proof or telling
            if not fitting:
                self._refuse(rest.filter(claimed), forms[-1:])
        seen.groups[layout] = fitting
        for form in fitting:
            self._widen(form, moments[form])
        if "%Z" in layout:
            names = zone_names(rest.filter(claimed)).unique().drop_nulls()
            seen.zones = sorted({*seen.zones, *names})
        if not seen.example and claimed.any():
            seen.example = str(rest.filter(claimed)[0])
        return rest.filter(~claimed)

    def _widen(self, form: str, moments: pl.Series) -> None:
        """Take moments into the range of a format; those of times without a day have none."""
        if form in TIMES or moments.null_count() == len(moments):
            return
        ends = pl.Series([moments.min(), moments.max()], dtype=pl.Datetime("us"))
        first, last = ends.dt.to_string("%Y-%m-%d").to_list()
        self.seen.first[form] = min(first, self.seen.first.get(form, first))
        self.seen.last[form] = max(last, self.seen.last.get(form, last))

    def _refuse(self, cells: pl.Series, decided: tuple[str, ...]) -> None:
        """Cells are dates of a layout, but not in the order of day and month that was decided by others."""
        seen = self.seen
        seen.contradiction = f"{seen.proof!r} and {cells.filter(self._parse(cells, decided[0]).is_null())[0]!r}"
        seen.failed = True

    def _likeliest(self, rest: pl.Series) -> str:
        """The layout of most of the first cells; empty where there is none."""
        if len(self.seen.groups) == _MOST_LAYOUTS:
            return ""
        parts = rest.head(_TRIED).str.extract_groups(_DAY_AND_CLOCK).struct.unnest()
        day, count = self._best(parts["day"], (*DAYS, *MONTHS, *PERIODS, *COMPACT))
        time, times = self._best(parts["day"].filter(parts["clock"].is_null()), TIMES)
        if not max(count, times):
            whole, count = self._best(rest.head(_TRIED), LOGGED)
            return _layout(whole) if count else ""
        if times > count:
            return _layout(time)
        clocks = parts.filter(self._parse(parts["day"], day).is_not_null() & parts["clock"].is_not_null())
        if 2 * len(clocks) < count:
            return _layout(day)
        clock, count = self._best("1970-01-01 " + clocks["clock"], tuple(f"%Y-%m-%d {clock}" for clock in CLOCKS))
        if count:
            return _layout(f"{day}{clocks['gap'][0]}{clock.split(' ', 1)[1]}")
        self.seen.unknown_zone = self.seen.unknown_zone or zone_names(clocks["clock"])[0] or ""
        return ""

    def _best(self, cells: pl.Series, forms: tuple[str, ...]) -> tuple[str, int]:
        """The format of most cells, and of how many."""
        counts = {form: len(cells) - self._parse(cells, form).null_count() for form in forms}
        best = max(counts, key=counts.__getitem__)
        return best, counts[best]

    def _parse(self, cells: pl.Series, form: str) -> pl.Series:
        return parse_dates(cells, with_years(form, self.first_year), {**KNOWN_ZONES, **self.zones})
