"""Dates and times as the numbers a model sees.

A moment becomes seconds since 1970 (standardised like any number) and the sine and cosine of its place in the day, the
week, the months and the year, so that 23:59 lies beside 0:00.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from ignite_workflow.data.cells import IF_MISSING, CellRules, Floats, Place, as_text, parse_numbers
from ignite_workflow.data.date_formats import ISO, ISO_OFFSET, ISO_UTC, TIMES, is_zoned, parse_dates
from ignite_workflow.data.unix_time import UNIX_TIMES
from ignite_workflow.errors import DataError

__all__ = ["CYCLES", "as_seconds", "cycle_position"]

CYCLES = ("hour", "weekday", "month", "yearday")
_SECONDS_A_DAY = 86_400.0
_LAST_SECOND = 253_402_300_799.0  # of the year 9999


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
    if formats and formats[0] in UNIX_TIMES and series.dtype not in (pl.Date, pl.Datetime):
        return _of_numbers(series, formats[0], rules, place)
    if series.dtype in (pl.Date, pl.Datetime):
        moments = series.cast(pl.Datetime("us"))
        known = moments
    else:
        known = as_text(series, rules.missing)
        moments = _parse_first_fitting(known, formats)
    bad = known.is_not_null() & moments.is_null()
    if known.dtype == pl.String and bad.any() and not set(formats) & set(TIMES):
        moments = moments.scatter(bad.arg_true(), _iso(known.filter(bad), formats))
        bad = known.is_not_null() & moments.is_null()
    if bad.any():
        first = int(bad.arg_true()[0])
        written = f"a date written {' or '.join(formats)}" if formats else "a date written year first: 2024-01-31T12:00"
        zone = known.dtype == pl.String and any(parse_dates(known[first : first + 1], form)[0] for form in ISO_OFFSET)
        why = ": it has a time zone, the training data has none" if zone else ""
        raise DataError(
            f"{place(first)}, column {series.name!r}: {series[first]!r} is not {written}{why or IF_MISSING}"
        )
    return moments.dt.timestamp("us").cast(pl.Float64).to_numpy() / 1e6


def _of_numbers(series: pl.Series, unit: str, rules: CellRules, place: Place) -> Floats:
    numbers = parse_numbers(series, rules)
    values = numbers.values / UNIX_TIMES[unit]
    wrong = np.flatnonzero(np.abs(values) > _LAST_SECOND)
    for first in (*numbers.bad[:1], *wrong[:1]):
        raise DataError(f"{place(int(first))}, column {series.name!r}: {series[int(first)]!r} is not {unit}.")
    seconds: Floats = values
    return seconds


def _iso(text: pl.Series, formats: tuple[str, ...]) -> pl.Series:
    """The moments of cells that are written year first, null where they are not.

    Z is no other zone than none is. An offset says more than a column of text without zones did: there it stays a
    mistake, as what those times were is not known.
    """
    zoned = not formats or any(map(is_zoned, formats))
    return _parse_first_fitting(text, (*ISO, *ISO_UTC, *(ISO_OFFSET if zoned else ())))


def _parse_first_fitting(text: pl.Series, formats: tuple[str, ...]) -> pl.Series:
    """The moments of cells, each read by the first format that fits it; null where none does."""
    moments = pl.Series([None], dtype=pl.Datetime("us")).new_from_index(0, len(text))
    for form in formats:
        rest = moments.is_null()
        moments = parse_dates(text, form) if rest.all() else moments.zip_with(~rest, parse_dates(text, form))
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
