"""Dates that lie far in the future: years of two digits read as a later century, years of another calendar."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from ignite_workflow.data.centuries import FIRST_YEAR, without_years
from ignite_workflow.data.schema import Column, Schema
from ignite_workflow.remarks import Remark, column_setting, columns_named

__all__ = ["check_dates"]

_FAR = 10  # years from now
_A_YEAR = 365.2425 * 86_400
_BUDDHIST = 543  # years ahead


def check_dates(schema: Schema) -> Iterator[Remark]:
    """What is worth a remark, known from up to 32,768 training rows.

    Args:
        schema: of the table, with its statistics.
    """
    now = datetime.now(UTC)
    for column in schema.used:
        for first, last in _years(column):
            if last > now.year + _FAR:
                reach = f"{columns_named([column.name])} reaches from the year {first} to {last}"
                cure = f"otherwise leave the column out ({column_setting(column.name, 'ignore')})"
                yield Remark("warning", f"{reach}: {_reason(column, first, now.year)}; {cure}.")


def _years(column: Column) -> Iterator[tuple[int, int]]:
    """The first and the last year of a column of dates."""
    for part in column.parts if column.kind == "datetime" else ():
        if part.of == "value":
            ends = (part.mean + part.std * part.quantiles[place] for place in (0, -1))
            first, last = (1970 + int(seconds // _A_YEAR) for seconds in ends)
            yield first, last


def _reason(column: Column, first: int, this_year: int) -> str:
    for form in column.formats:
        if "%y" in form:
            first_year = without_years(form)[1] or FIRST_YEAR
            return (
                f"years of two digits are read as {first_year} to {first_year + 99}: if they are those up to "
                f"{this_year}, say data.read.first_year={this_year - 99}"
            )
    if abs(first - _BUDDHIST - this_year) < _BUDDHIST / 2:
        return f"if these are years of the Buddhist calendar, write {first - _BUDDHIST} for {first} in the file"
    return "if a date stands for a missing one, name it in data.missing"
