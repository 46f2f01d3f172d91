"""Years of two digits: which hundred years they stand for.

Where a person says it, the format of a column says it too, so that a model reads them alike:
``%d/%m/%y, 1927 to 2026``.
"""

from __future__ import annotations

import re

import polars as pl

__all__ = ["FIRST_YEAR", "in_years_from", "with_years", "without_years"]

FIRST_YEAR = 1970
"""The first of those that are meant where nobody says it: 70 to 99 are 1970 to 1999, 00 to 69 are 2000 to 2069."""

_WITH_YEARS = re.compile(r"(?P<form>.*%y.*), (?P<first>\d{4}) to \d{4}")


def with_years(form: str, first: int | None) -> str:
    """The format of a column that says which years its two digits stand for.

    Args:
        form: is returned as it is where it does not hold ``%y``.
        first: the first of the hundred years; None: nothing was said.
    """
    return form if first is None or "%y" not in form else f"{form}, {first} to {first + 99}"


def without_years(form: str) -> tuple[str, int | None]:
    """The two parts of what ``with_years`` makes."""
    match = _WITH_YEARS.fullmatch(form)
    return (form, None) if match is None else (match["form"], int(match["first"]))


def in_years_from(moments: pl.Series, first: int, written: pl.Series) -> pl.Series:
    """Moments moved by hundreds of years; null where there is no such day: 1900 had no 29 February.

    Args:
        moments: years of two digits read as 1970 to 2069.
        first: the first of the hundred years that they stand for.
        written: the same as their clocks showed them: of another time zone, the year may be another.

    Example:
        >>> moments = pl.Series(["2041-05-03", "2026-01-01", "2000-02-29"]).str.to_datetime()
        >>> in_years_from(moments, 1927, moments).dt.year().to_list()
        [1941, 2026, 2000]
    """
    years = written.dt.year()
    shift = first + (years - first % 100) % 100 - years
    moved = pl.select(pl.lit(moments).dt.offset_by(pl.format("{}y", shift))).to_series().alias(moments.name)
    return moved.set((moved.dt.day() != moments.dt.day()).fill_null(value=False), None)
