"""Dates and times: the format a column is written in, and the numbers a model sees.

A moment becomes seconds since 1970 (standardised like any number) and the sine and cosine of its place in the day, the
week, the months and the year, so that 23:59 lies beside 0:00.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from ignite_workflow.data.cells import CellRules, Floats, Place, as_text
from ignite_workflow.errors import DataError

__all__ = ["CYCLES", "DATE_FORMATS", "as_seconds", "cycle_position", "fitting_formats"]

_DAYS = ("%Y-%m-%d", "%Y/%m/%d", "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%Y%m%d")
_CLOCKS = ("%H:%M", "%H:%M:%S", "%H:%M:%S%.f", "%H:%M:%SZ", "%H:%M:%S%.fZ", "%H:%M:%S%z", "%H:%M:%S%.f%z")
DATE_FORMATS = tuple(day + time for day in _DAYS for time in ("", *(gap + clock for gap in " T" for clock in _CLOCKS)))
CYCLES = ("hour", "weekday", "month", "yearday")
_MAYBE_DATE = r"^(\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.]\d{4})([ T]\d{1,2}:\d{2}.*)?$"
_SECONDS_A_DAY = 86_400.0


def fitting_formats(text: pl.Series, formats: tuple[str, ...], *, compact: bool = False) -> tuple[str, ...]:
    """Those of the formats that every cell is written in; none where the first cells do not look like dates.

    Args:
        text: cells without blanks around them; null where missing.
        formats: to be tried.
        compact: also such as 20240131, which is a number unless a person says otherwise.
    """
    known = text.drop_nulls()
    first = known.head(100)
    if not compact and not first.str.contains(_MAYBE_DATE).all():
        return ()
    tried = [each for each in formats if _parse(first, each).null_count() == 0]
    return tuple(each for each in tried if _parse(known, each).null_count() == 0)


def as_seconds(series: pl.Series, formats: tuple[str, ...], rules: CellRules, place: Place) -> Floats:
    """Seconds since 1970, float64 (N,), NaN where missing; a time without zone is taken as UTC.

    Args:
        series: text, dates or datetimes.
        formats: the format of the column; of several that fit, the first.
        rules: how missing values are spelled.
        place: for messages.

    Raises:
        DataError: a cell is not a date of that format; names row, column and value.
    """
    if series.dtype in (pl.Date, pl.Datetime):
        moments = series.cast(pl.Datetime("us"))
        known = moments
    else:
        known = as_text(series, rules.missing)
        moments = _parse(known, formats[0]) if formats else pl.Series([None] * len(series), dtype=pl.Datetime("us"))
    bad = known.is_not_null() & moments.is_null()
    if bad.any():
        first = int(bad.arg_true()[0])
        written = f"a date written {formats[0]}" if formats else "a date of a known format"
        raise DataError(f"{place(first)}, column {series.name!r}: {series[first]!r} is not {written}.")
    return moments.dt.timestamp("us").cast(pl.Float64).to_numpy() / 1e6


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
    if form.endswith("%z"):
        return text.str.to_datetime(form, strict=False, time_unit="us", time_zone="UTC").dt.replace_time_zone(None)
    if "%H" in form:
        return text.str.to_datetime(form, strict=False, time_unit="us")
    return text.str.to_date(form, strict=False).cast(pl.Datetime("us"))
