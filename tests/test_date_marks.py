from datetime import UTC, datetime

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ignite_workflow.data.date_formats import DATE_FORMATS, DAYS, LOGGED, MONTHS, PERIODS, TIMES, parse_dates
from ignite_workflow.data.date_marks import possible_forms

CELLS = (
    *("3_1", "grade 3", "31/01/2024", "8/6/0 9:9 Z", "2024-W01", "q2 2024", "1:05 p.m.", "15 de marzo de 2024"),
    *("1er août 2024", "lundi 1er juin 2020", "2024-01-31 24:00", "12. 5. 2024", "2015年3月4日", "5-mrt-0 0:7 UTC"),
    *("2024-11-03T12:00:00+01:00[Europe/Paris]", "Tue Nov  3 12:00:00 EST 2020", "[17/May/2015:10:05:03 +0000]"),
)


@pytest.mark.parametrize("form", [*DAYS, *MONTHS, *PERIODS, *TIMES, *LOGGED])
def test_a_cell_is_written_in_no_format_that_its_characters_rule_out(form):
    parsed = parse_dates(pl.Series(CELLS), form)

    assert all(possible_forms([cell], [form]) for cell, moment in zip(CELLS, parsed, strict=True) if moment)


@settings(max_examples=50)
@given(
    st.datetimes(datetime(1000, 1, 1), timezones=st.just(UTC)),
    st.sampled_from([form for form in DATE_FORMATS if "%q" not in form]),
)
def test_a_date_may_be_written_in_the_format_it_is_written_in(moment, form):
    assert possible_forms([moment.strftime(form.replace("%#z", "+02"))], [form]) == [form]


def test_codes_of_a_letter_and_digits_may_be_no_dates():
    assert possible_forms(["c3_1", "A-17"], DATE_FORMATS) == []


def test_one_cell_has_to_hold_all_that_a_format_needs():
    assert possible_forms(["2024", "a-b-c"], ["%Y-%m-%d"]) == []
