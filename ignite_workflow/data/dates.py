"""Dates and times: the format a column is written in, and the numbers a model sees.

A moment becomes seconds since 1970 (standardised like any number) and the sine and cosine of its place in the day, the
week, the months and the year, so that 23:59 lies beside 0:00.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from ignite_workflow.data.cells import CellRules, Floats, Place, as_text, parse_numbers
from ignite_workflow.data.epochs import EPOCHS
from ignite_workflow.errors import DataError

__all__ = ["CYCLES", "DATE_FORMATS", "DateSearch", "as_seconds", "cycle_position"]

_DAYS = (
    *("%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d"),
    *("%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%m-%d-%Y", "%d.%m.%Y"),
    *("%d/%m/%y", "%m/%d/%y", "%d-%m-%y", "%m-%d-%y", "%d.%m.%y"),
    *(
        "%d%B%Y",
        "%d %B %Y",
        "%d. %B %Y",
        "%d-%B-%Y",
        "%d-%B-%y",
        "%B %d, %Y",
        "%B %d %Y",
        "%A, %d %B %Y",
        "%A, %B %d, %Y",
    ),
)
_MONTHS = ("%Y-%m", "%Y/%m", "%m/%Y", "%B %Y", "%B-%y")
_COMPACT = ("%Y%m%d",)
_ZONES = ("", "Z", "%z", " %z", "%#z", " UTC", " GMT")  # the fifth: +02, as PostgreSQL writes it
_CLOCKS = (
    *(f"{clock}{zone}" for clock in ("%H:%M:%S", "%H:%M:%S%.f") for zone in _ZONES),
    *("%H:%M", "%I:%M %p", "%I:%M:%S %p", "%H.%M.%S"),
)
_TIMES = ("%H:%M", "%H:%M:%S", "%H:%M:%S%.f", "%I:%M %p", "%I:%M:%S %p", "%H.%M.%S")
_MOMENTS = tuple(f"{day}{gap}{clock}" for day in (*_DAYS, *_COMPACT) for gap in (" ", "T") for clock in _CLOCKS)
_ISO_CLOCKS = ("%H:%M", "%H:%M:%S", "%H:%M:%S%.f")
_ISO = ("%Y-%m-%d", *(f"%Y-%m-%d{gap}{clock}" for gap in "T " for clock in _ISO_CLOCKS))
_ISO_UTC = tuple(f"{form}Z" for form in _ISO[1:])
_ISO_OFFSET = tuple(f"{form}%z" for form in _ISO[1:])
DATE_FORMATS = (*_DAYS, *_MONTHS, *_TIMES, *_COMPACT, *_MOMENTS)
CYCLES = ("hour", "weekday", "month", "yearday")
_MAYBE_DATE = r"^[\pL\d][\pL\d ,./:+-]{2,38}$"
_DAY_AND_CLOCK = r"^(?P<day>.*?)(?:(?P<gap>[ T])(?P<clock>\d{1,2}[:.]\d{2}(?:\b|[aApP]).*))?$"
_TWO_PARTS = r"\d[-/.: ,]+[\pL\d]|\pL[-/. ,]+\d|\d\pL{3,9}\d{4}"
_CLOCK = r"^\d{1,2}(:\d{2}|\.\d{2}\.\d{2}$)"
_TWO_DIGITS = r"\D\d{2}(\D|$)"
_FIRST_YEAR = 1000  # a year of two digits is not the first century
_SECONDS_A_DAY = 86_400.0
_LAST_SECOND = 253_402_300_799.0  # of the year 9999
_TRIED = 100
_MOST_LAYOUTS = 4
_BAD_SHARE = 0.05
_SETTINGS = ("compact", "day_first")


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
    """

    def __init__(self, *, compact: bool = False, day_first: bool | None = None) -> None:
        self.compact = compact
        self.day_first = day_first
        self.known = self.bad = 0
        self.first_bad = self.proof = self.example = self.contradiction = ""
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
        return tuple(self._chosen(group) for group in self._groups.values())

    @property
    def open(self) -> bool:
        """Whether day and month could be exchanged in every cell, and nobody said which comes first."""
        return self.fits and self.day_first is None and any(len(group) > 1 for group in self._groups.values())

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
            self._failed = bool(self._groups) and (layout in _TIMES or any(each in _TIMES for each in self._groups))
            self._groups[layout] = tuple(form for form in DATE_FORMATS if _layout(form) == layout)
            rest = self._claim(layout, rest)
        if len(rest):
            self.first_bad = self.first_bad or str(rest[0])
            self.bad += len(rest)
            self._failed |= self.bad > _BAD_SHARE * self.known and self.known >= _TRIED

    def _claim(self, layout: str, rest: pl.Series) -> pl.Series:
        """Take away the cells of a layout, and those of its formats that do not fit them all."""
        forms = self._groups[layout]
        parsed = {form: _parse(rest, form).is_not_null() for form in forms}
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
        if not self.example and claimed.any():
            self.example = str(rest.filter(claimed)[0])
        return rest.filter(~claimed)

    def _refuse(self, cells: pl.Series, decided: tuple[str, ...]) -> None:
        """Cells are dates of a layout, but not in the order of day and month that was decided by others."""
        self.contradiction = f"{self.proof!r} and {cells.filter(_parse(cells, decided[0]).is_null())[0]!r}"
        self._failed = True

    def _likeliest(self, rest: pl.Series) -> str:
        """The layout of most of the first cells; empty where there is none."""
        if len(self._groups) == _MOST_LAYOUTS:
            return ""
        parts = rest.head(_TRIED).str.extract_groups(_DAY_AND_CLOCK).struct.unnest()
        days = (*_DAYS, *_MONTHS, *_COMPACT) if self.compact else (*_DAYS, *_MONTHS)
        day, count = _best(parts["day"], days)
        time, times = _best(parts["day"].filter(parts["clock"].is_null()), _TIMES)
        if not max(count, times):
            return ""
        if times > count:
            return _layout(time)
        clocks = parts.filter(_parse(parts["day"], day).is_not_null() & parts["clock"].is_not_null())
        if 2 * len(clocks) < count:
            return _layout(day)
        clock, count = _best("1970-01-01 " + clocks["clock"], tuple(f"%Y-%m-%d {clock}" for clock in _CLOCKS))
        return _layout(f"{day}{clocks['gap'][0]}{clock.split(' ', 1)[1]}") if count else ""


def _best(cells: pl.Series, forms: tuple[str, ...]) -> tuple[str, int]:
    """The format of most cells, and of how many."""
    counts = {form: len(cells) - _parse(cells, form).null_count() for form in forms}
    best = max(counts, key=counts.__getitem__)
    return best, counts[best]


def as_seconds(series: pl.Series, formats: tuple[str, ...], rules: CellRules, place: Place) -> Floats:
    """Seconds since 1970, float64 (N,), NaN where missing; a time without zone is taken as UTC.

    Args:
        series: text, dates or datetimes.
        formats: those of the column; a cell is written in the first of them that fits it, or else as ISO 8601 writes
            dates, which cannot be mistaken. None where the training data was typed.
        rules: how missing values are spelled.
        place: for messages.

    Raises:
        DataError: a cell is not a date of that format; names row, column and value.
    """
    if formats and formats[0] in EPOCHS and series.dtype not in (pl.Date, pl.Datetime):
        return _of_numbers(series, formats[0], rules, place)
    if series.dtype in (pl.Date, pl.Datetime):
        moments = series.cast(pl.Datetime("us"))
        known = moments
    else:
        known = as_text(series, rules.missing)
        moments = pl.Series([None], dtype=pl.Datetime("us")).new_from_index(0, len(series))
        for form in formats:
            rest = moments.is_null()
            moments = moments.zip_with(~rest, _parse(known, form)) if not rest.all() else _parse(known, form)
    bad = known.is_not_null() & moments.is_null()
    if known.dtype == pl.String and bad.any() and not set(formats) & set(_TIMES):
        moments = moments.scatter(bad.arg_true(), _iso(known.filter(bad), formats))
        bad = known.is_not_null() & moments.is_null()
    if bad.any():
        first = int(bad.arg_true()[0])
        written = f"a date written {' or '.join(formats)}" if formats else "a date written year first: 2024-01-31T12:00"
        zone = known.dtype == pl.String and any(_parse(known[first : first + 1], form)[0] for form in _ISO_OFFSET)
        why = ": it has a time zone, the training data has none" if zone else ""
        raise DataError(f"{place(first)}, column {series.name!r}: {series[first]!r} is not {written}{why}.")
    return moments.dt.timestamp("us").cast(pl.Float64).to_numpy() / 1e6


def _of_numbers(series: pl.Series, epoch: str, rules: CellRules, place: Place) -> Floats:
    numbers = parse_numbers(series, rules)
    values = numbers.values / EPOCHS[epoch]
    wrong = np.flatnonzero(np.abs(values) > _LAST_SECOND)
    for first in (*numbers.bad[:1], *wrong[:1]):
        raise DataError(f"{place(int(first))}, column {series.name!r}: {series[int(first)]!r} is not {epoch}.")
    seconds: Floats = values
    return seconds


def _iso(text: pl.Series, formats: tuple[str, ...]) -> pl.Series:
    """The moments of cells that are written year first, null where they are not.

    Z is no other zone than none is. An offset says more than a column of text without zones did: there it stays a
    mistake, as what those times were is not known.
    """
    zoned = not formats or any(form.endswith(("Z", "z", " UTC", " GMT")) for form in formats)
    moments = pl.Series([None], dtype=pl.Datetime("us")).new_from_index(0, len(text))
    for form in (*_ISO, *_ISO_UTC, *(_ISO_OFFSET if zoned else ())):
        moments = moments.zip_with(moments.is_not_null(), _parse(text, form))
    return moments


def cycle_position(seconds: Floats, cycle: str) -> Floats:
    """Where moments stand in a cycle, from 0 up to 1, (N,): NaN where missing.

    Args:
        seconds: since 1970, (N,).
        cycle: of ``CYCLES``.
    """
    if cycle == "hour":
        time_of_day: Floats = np.mod(seconds, _SECONDS_A_DAY)
        return time_of_day / _SECONDS_A_DAY
    if cycle == "weekday":
        weekday: Floats = np.mod(np.floor(seconds / _SECONDS_A_DAY) + 3, 7)  # 1970 began on a Thursday
        return weekday / 7
    days = pl.Series(np.floor(seconds / _SECONDS_A_DAY)).fill_nan(None).cast(pl.Int32).cast(pl.Date)
    part = (days.dt.month() - 1) / 12 if cycle == "month" else (days.dt.ordinal_day() - 1) / 366
    position: Floats = part.to_numpy()
    return position


def _parse(text: pl.Series, form: str) -> pl.Series:
    if form in _TIMES:
        times = _parse("1970-01-01 " + text, f"%Y-%m-%d {form}")
        return times.set(~text.str.contains(_CLOCK), None)
    if form.endswith("z"):
        moments = text.str.to_datetime(form, strict=False, time_unit="us", time_zone="UTC").dt.replace_time_zone(None)
    elif "%H" in form or "%I" in form:
        moments = text.str.to_datetime(form, strict=False, time_unit="us")
    else:
        moments = text.str.to_date(form, strict=False).cast(pl.Datetime("us"))
    wrong = ~text.str.contains(_TWO_DIGITS) if "%y" in form else moments.dt.year() < _FIRST_YEAR
    return moments.set(wrong, None)
