"""The formats in which the dates and times of a column are written, found by looking at all of its cells."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from ignite_workflow.data.date_formats import CLOCKS, COMPACT, DATE_FORMATS, DAYS, LOGGED, MONTHS, TIMES, parse_dates
from ignite_workflow.data.zones import KNOWN_ZONES, doubtful_zones, resolved_zones, with_zones, zone_names

__all__ = ["DateSearch"]

_MAYBE_DATE = r"^\[?[\pL\d][\pL\d ,./:+()\x{a0}\x{202f}-]{2,78}\]?$"
_DAY_AND_CLOCK = (
    r"^(?P<day>.*?)(?:(?P<gap>, |[ T])(?P<clock>\d{1,2}(?:[:.]\d{2}(?:\b|[aApPZ])| ?[aApP]\.? ?[mM]\b).*))?$"
)
_TWO_PARTS = r"\d[-/.: ,]+[\pL\d]|\pL[-/. ,]+\d|\d\pL{3,9}\d{4}"
_TRIED = 100
_MOST_LAYOUTS = 4
_BAD_SHARE = 0.05
_SETTINGS = ("compact", "day_first", "zones")


def _layout(form: str) -> str:
    """The same for formats that differ in the order of day and month only."""
    return form.replace("%d", "%m") if "%B" not in form else form


class DateSearch:
    """Finds the formats in which the dates of a column are written, by looking at all of its cells.

    A column may mix formats that cannot be mistaken for each other. Whether day or month comes first is decided by all
    cells together: one 31/01/2024 decides for its column.

    Args:
        compact: also such as 20240131, which is a number unless a person says otherwise.
        day_first: what a person said of columns where no cell tells; None: nothing.
        zones: what a person said that abbreviations of time zones stand for.
    """

    def __init__(
        self, *, compact: bool = False, day_first: bool | None = None, zones: Mapping[str, str] | None = None
    ) -> None:
        self.compact = compact
        self.day_first = day_first
        self.zones = zones or {}
        self.known = self.bad = 0
        self.first_bad = self.proof = self.example = self.contradiction = ""
        self.unknown_zone = ""
        self._names: list[str] = []  # of time zones
        self._groups: dict[str, tuple[str, ...]] = {}  # by layout: the formats that fit all of its cells
        self._failed = False

    @property
    def fits(self) -> bool:
        """Whether (nearly) all cells so far are dates."""
        return bool(self._groups) and not self._failed and self.bad <= _BAD_SHARE * self.known

    @property
    def nearly_fits(self) -> bool:
        """Whether most cells so far are dates, but too many are not."""
        return bool(self._groups) and not self.contradiction and _BAD_SHARE * self.known < self.bad < self.known / 2

    @property
    def formats(self) -> tuple[str, ...]:
        """The formats found: a cell is written in the first of them that fits it."""
        if not self.fits:
            return ()
        offsets = resolved_zones(self._zone_names, self.zones)
        return tuple(with_zones(self._chosen(group), self._names, offsets) for group in self._groups.values())

    @property
    def open(self) -> bool:
        """Whether day and month could be exchanged in every cell, and nobody said which comes first."""
        return self.fits and self.day_first is None and any(len(group) > 1 for group in self._groups.values())

    @property
    def open_zone(self) -> str:
        """What is to be asked about an abbreviation of a time zone; empty where nothing is open."""
        return doubtful_zones(self._zone_names, self.zones) if self.fits else ""

    @property
    def _zone_names(self) -> list[str]:
        """The abbreviations in the column: that of a format without others counts too, as it tells of those."""
        alone = (name for name in ("UTC", "GMT") if any(layout.endswith(f" {name}") for layout in self._groups))
        return [*self._names, *(name for name in alone if name not in self._names)]

    def _chosen(self, group: tuple[str, ...]) -> str:
        if len(group) > 1 and self.day_first is False:
            return next(form for form in group if form.startswith("%m"))
        return group[0]

    def state_dict(self) -> dict[str, Any]:
        """What the cells so far have shown, as plain values."""
        return {name: value for name, value in vars(self).items() if name not in _SETTINGS}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take what another search with the same settings has seen."""
        vars(self).update(state)
        self._groups = {layout: tuple(forms) for layout, forms in self._groups.items()}

    def add(self, text: pl.Series) -> None:
        """Look at cells: text without blanks around it, null where missing."""
        rest = text.drop_nulls()
        if self._failed or not len(rest):
            return
        self.known += len(rest)
        first = rest.head(_TRIED)
        if not self._groups and not self.compact:
            likely = first.str.contains(_MAYBE_DATE) & first.str.contains(_TWO_PARTS)
            if 2 * int(likely.sum()) <= len(first):
                self._failed = True
                return
        for layout in list(self._groups):
            rest = self._claim(layout, rest)
        while len(rest) and not self._failed and (layout := self._likeliest(rest)):
            if layout in self._groups:  # in the order of day and month that earlier cells decided against
                self._refuse(rest, self._groups[layout])
                return
            self._failed = bool(self._groups) and (layout in TIMES or any(each in TIMES for each in self._groups))
            self._groups[layout] = tuple(form for form in DATE_FORMATS if _layout(form) == layout)
            rest = self._claim(layout, rest)
        if len(rest):
            self.first_bad = self.first_bad or str(rest[0])
            self.bad += len(rest)
            self._failed |= self.bad > _BAD_SHARE * self.known and self.known >= _TRIED

    def _claim(self, layout: str, rest: pl.Series) -> pl.Series:
        """Take away the cells of a layout, and those of its formats that do not fit them all."""
        forms = self._groups[layout]
        parsed = {form: self._parse(rest, form).is_not_null() for form in forms}
        claimed = parsed[forms[0]]
        for form in forms[1:]:
            claimed = claimed | parsed[form]
        fitting = tuple(form for form in forms if (parsed[form] | ~claimed).all())
        if len(fitting) < len(forms):
            other = next(form for form in forms if form not in fitting)
            telling = str(rest.filter(claimed & ~parsed[other])[0])
            self.proof = self.proof or telling
            if not fitting:
                self._refuse(rest.filter(claimed), forms[-1:])
        self._groups[layout] = fitting
        if "%Z" in layout:
            names = zone_names(rest.filter(claimed)).unique().drop_nulls()
            self._names = sorted({*self._names, *names})
        if not self.example and claimed.any():
            self.example = str(rest.filter(claimed)[0])
        return rest.filter(~claimed)

    def _refuse(self, cells: pl.Series, decided: tuple[str, ...]) -> None:
        """Cells are dates of a layout, but not in the order of day and month that was decided by others."""
        self.contradiction = f"{self.proof!r} and {cells.filter(self._parse(cells, decided[0]).is_null())[0]!r}"
        self._failed = True

    def _likeliest(self, rest: pl.Series) -> str:
        """The layout of most of the first cells; empty where there is none."""
        if len(self._groups) == _MOST_LAYOUTS:
            return ""
        parts = rest.head(_TRIED).str.extract_groups(_DAY_AND_CLOCK).struct.unnest()
        days = (*DAYS, *MONTHS, *COMPACT) if self.compact else (*DAYS, *MONTHS)
        day, count = self._best(parts["day"], days)
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
        self.unknown_zone = self.unknown_zone or zone_names(clocks["clock"])[0] or ""
        return ""

    def _best(self, cells: pl.Series, forms: tuple[str, ...]) -> tuple[str, int]:
        """The format of most cells, and of how many."""
        counts = {form: len(cells) - self._parse(cells, form).null_count() for form in forms}
        best = max(counts, key=counts.__getitem__)
        return best, counts[best]

    def _parse(self, cells: pl.Series, form: str) -> pl.Series:
        return parse_dates(cells, form, {**KNOWN_ZONES, **self.zones})
