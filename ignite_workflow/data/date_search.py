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
from ignite_workflow.data.date_marks import possible_forms
from ignite_workflow.data.profiles import DateProfile
from ignite_workflow.data.tolerance import MOST_MISTAKES
from ignite_workflow.data.zones import KNOWN_ZONES, doubtful_zones, resolved_zones, with_zones, zone_names

__all__ = ["DateSearch"]

_MAYBE_DATE = r"^\[?[\pL\d][\pL\d ,./:+()\[_\x{a0}\x{202f}-]{2,78}\]?$"
_DAY_AND_CLOCK = (
    r"^(?P<day>.*?)(?:(?P<gap>, |[ T])(?P<clock>\d{1,2}(?:[:.]\d{2}(?:\b|[aApPZ])| ?[aApP]\.? ?[mM]\b).*))?$"
)
_TWO_PARTS = r"\d[-/.: ,]+[\pL\d]|\pL[-/. ,]+\d|\d\pL{3,9}\d{2}|\d[QqWT年년_]\d|[Qq]\d{5}"
_TRIED = 100
_MOST_LAYOUTS = 4


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
        self.profile = DateProfile()

    @property
    def fits(self) -> bool:
        """Whether (nearly) all cells so far are dates."""
        profile = self.profile
        return bool(profile.groups) and not profile.failed and profile.bad <= MOST_MISTAKES * profile.known

    @property
    def nearly_fits(self) -> bool:
        """Whether most cells so far are dates, but too many are not."""
        profile = self.profile
        return (
            bool(profile.groups)
            and not profile.contradiction
            and MOST_MISTAKES * profile.known < profile.bad < profile.known / 2
        )

    @property
    def formats(self) -> tuple[str, ...]:
        """The formats found: a cell is written in the first of them that fits it."""
        if not self.fits:
            return ()
        names, offsets = self.profile.zones, resolved_zones(self._zone_names, self.zones)
        chosen = map(self._chosen, self.profile.groups.values())
        return tuple(with_years(with_zones(form, names, offsets), self.first_year) for form in chosen)

    @property
    def range(self) -> str:
        """From the first day to the last, for people; empty where cells are times without a day."""
        first, last = self.profile.first, self.profile.last
        chosen = [form for form in map(self._chosen, self.profile.groups.values()) if form in first]
        if not chosen:
            return ""
        return f"from {min(first[form] for form in chosen)} to {max(last[form] for form in chosen)}"

    @property
    def open(self) -> bool:
        """Whether day and month could be exchanged in every cell, and nobody said which comes first."""
        return self.fits and self.day_first is None and any(len(group) > 1 for group in self.profile.groups.values())

    @property
    def open_zone(self) -> str:
        """What is to be asked about an abbreviation of a time zone; empty where nothing is open."""
        return doubtful_zones(self._zone_names, self.zones) if self.fits else ""

    @property
    def _zone_names(self) -> list[str]:
        """The abbreviations in the column: that of a format without others counts too, as it tells of those."""
        profile = self.profile
        alone = (name for name in ("UTC", "GMT") if any(layout.endswith(f" {name}") for layout in profile.groups))
        return [*profile.zones, *(name for name in alone if name not in profile.zones)]

    def _chosen(self, group: tuple[str, ...]) -> str:
        if len(group) > 1 and self.day_first is False:
            return next(form for form in group if form.startswith("%m"))
        return group[0]

    def add(self, text: pl.Series) -> None:
        """Look at cells: text without blanks around it, null where missing."""
        profile = self.profile
        rest = text.drop_nulls()
        if profile.failed or not len(rest):
            return
        profile.known += len(rest)
        first = rest.head(_TRIED)
        if not profile.groups and not self.compact:
            likely = first.str.contains(_MAYBE_DATE) & first.str.contains(_TWO_PARTS)
            if 2 * int(likely.sum()) <= len(first):
                profile.failed = True
                return
        for layout in list(profile.groups):
            rest = self._claim(layout, rest)
        while len(rest) and not profile.failed and (layout := self._likeliest(rest)):
            if layout in profile.groups:  # in the order of day and month that earlier cells decided against
                self._refuse(rest, profile.groups[layout])
                return
            profile.failed = bool(profile.groups) and (layout in TIMES or any(each in TIMES for each in profile.groups))
            profile.groups[layout] = tuple(form for form in DATE_FORMATS if _layout(form) == layout)
            rest = self._claim(layout, rest)
        if len(rest):
            profile.first_bad = profile.first_bad or str(rest[0])
            profile.bad += len(rest)
            profile.failed |= profile.bad > MOST_MISTAKES * profile.known and profile.known >= _TRIED

    def _claim(self, layout: str, rest: pl.Series) -> pl.Series:
        """Take away the cells of a layout, and those of its formats that do not fit them all."""
        profile = self.profile
        forms = profile.groups[layout]
        moments = {form: self._parse(rest, form) for form in forms}
        parsed = {form: cells.is_not_null() for form, cells in moments.items()}
        claimed = parsed[forms[0]]
        for form in forms[1:]:
            claimed = claimed | parsed[form]
        fitting = tuple(form for form in forms if (parsed[form] | ~claimed).all())
        if len(fitting) < len(forms):
            other = next(form for form in forms if form not in fitting)
            telling = str(rest.filter(claimed & ~parsed[other])[0])
            profile.proof = profile.proof or telling
            if not fitting:
                self._refuse(rest.filter(claimed), forms[-1:])
        profile.groups[layout] = fitting
        for form in fitting:
            self._widen(form, moments[form])
        if "%Z" in layout:
            names = zone_names(rest.filter(claimed)).unique().drop_nulls()
            profile.zones = sorted({*profile.zones, *names})
        if not profile.example and len(forms) > 1 and claimed.any():
            profile.example = str(rest.filter(claimed)[0])
        return rest.filter(~claimed)

    def _widen(self, form: str, moments: pl.Series) -> None:
        """Take moments into the range of a format; those of times without a day have none."""
        if form in TIMES or moments.null_count() == len(moments):
            return
        ends = pl.Series([moments.min(), moments.max()], dtype=pl.Datetime("us"))
        first, last = ends.dt.to_string("%Y-%m-%d").to_list()
        self.profile.first[form] = min(first, self.profile.first.get(form, first))
        self.profile.last[form] = max(last, self.profile.last.get(form, last))

    def _refuse(self, cells: pl.Series, decided: tuple[str, ...]) -> None:
        """Cells are dates of a layout, but not in the order of day and month that was decided by others."""
        profile = self.profile
        profile.contradiction = f"{profile.proof!r} and {cells.filter(self._parse(cells, decided[0]).is_null())[0]!r}"
        profile.failed = True

    def _likeliest(self, rest: pl.Series) -> str:
        """The layout of most of the first cells; empty where there is none."""
        if len(self.profile.groups) == _MOST_LAYOUTS:
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
        self.profile.unknown_zone = self.profile.unknown_zone or zone_names(clocks["clock"])[0] or ""
        return ""

    def _best(self, cells: pl.Series, forms: tuple[str, ...]) -> tuple[str, int]:
        """The format of most cells, and of how many; empty where it is of none."""
        possible = possible_forms(cells.drop_nulls().to_list(), forms)
        counts = {form: len(cells) - self._parse(cells, form).null_count() for form in possible}
        best = max(counts, key=counts.__getitem__, default="")
        return best, counts.get(best, 0)

    def _parse(self, cells: pl.Series, form: str) -> pl.Series:
        return parse_dates(cells, with_years(form, self.first_year), {**KNOWN_ZONES, **self.zones})
