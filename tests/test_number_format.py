import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ignite_workflow.data.number_format import NumberFormat, to_float
from ignite_workflow.data.number_search import NumberSearch

FORMATS = [
    NumberFormat(decimal, thousands, unit)
    for decimal, separators in ((".", (None, ",", " ", "'")), (",", (None, ".", " ", "'")))
    for thousands in separators
    for unit in ("", "€", "%", "kg", "mg/dL")
]


def read(cells, form):
    return pl.DataFrame({"x": cells}).select(to_float(pl.col("x"), form))["x"].to_list()


def search(cells, **allowed):
    found = NumberSearch(NumberSearch.allowed(allowed.get("decimal"), allowed.get("thousands")))
    found.add(pl.Series("x", cells))
    return found


def written(number, form, blank=" ", unit_blank=" ", before=False):
    """A whole number of hundredths as a person would write it."""
    whole, cents = divmod(abs(number), 100)
    text = f"{whole:,}".replace(",", form.thousands or "").replace(" ", blank) + f"{form.decimal}{cents:02d}"
    if form.unit:
        before = before and form.unit == "€"
        text = f"{form.unit}{unit_blank}{text}" if before else f"{text}{unit_blank}{form.unit}"
    return f"-{text}" if number < 0 else text


@given(
    st.lists(st.integers(-(10**11), 10**11), min_size=1),
    st.sampled_from(FORMATS),
    st.sampled_from([" ", "\u00a0", "\u202f"]),
    st.sampled_from(["", " ", "\u00a0"]),
    st.booleans(),
)
def test_numbers_written_in_any_way_are_found_and_read(numbers, form, blank, unit_blank, before):
    cells = [written(number, form, blank, unit_blank, before) for number in numbers]
    found = search(cells)

    (used,) = found.formats()
    assert read(cells, used) == pytest.approx([number / 100 for number in numbers])
    assert (used.decimal, used.unit) == (form.decimal, form.unit)


@given(st.lists(st.integers(1, 999).map(lambda number: f"{number},{number:03d}"), min_size=1))
def test_three_digits_behind_every_comma_leave_the_column_open(cells):
    assert {form.thousands for form in search(cells).formats()} == {None, ","}
    assert [form.thousands for form in search(cells).formats(decimal=",")] == [None]
    assert [form.thousands for form in search(cells, thousands=",").formats(decimal=".")] == [","]


@given(st.text("0123456789.,' %€kg-()", min_size=1))
def test_no_cell_is_read_that_its_format_does_not_write(cell):
    cell = cell.strip()
    found = search([cell]).formats()

    assert all(read([cell], form) != [None] for form in found)


@pytest.mark.parametrize(
    ("cells", "thousands"),
    [
        (["1,234", "2,500", "7,125", "12", "999", "5"], ","),  # decimals of three digits or none: a coincidence
        ([*(f"{number},582" for number in range(1, 10)), "472"], ","),
        (["1,234,567", "12"], ","),
        (["12,34,567", "1,00,000"], ","),
        (["200.000.000"], "."),
        (["0,123", "0,456"], None),
        (["1234,567"], None),
        (["1,234E+04", "5,678E-02"], None),
    ],
)
def test_cells_decide_what_a_separator_means(cells, thousands):
    (form,) = search(cells).formats()

    assert form.thousands == thousands


@pytest.mark.parametrize(
    ("cell", "number"),
    [
        ("\u22127", -7),
        ("(7)", -7),
        ("(€7,50)", -7.5),
        ("€ -7,50", -7.5),
        ("-7,50 €", -7.5),
        ("+7", 7),
        ("7e3", 7000),
        ("7,50-", -7.5),
        ("7- €", -7),
        ("7-€", -7),
        ("-  7,50", -7.5),
    ],
)
def test_signs_stand_in_many_places(cell, number):
    assert read([cell], NumberFormat(",", ".", "€")) == [number]


@pytest.mark.parametrize("unit", ["%", "k", "万", "億円", "Mio. €", "TEUR", "Lakh", "crore", "млн", "MILLION"])
def test_a_number_without_its_percent_sign_is_another_number(unit):
    assert read([f"5{unit}", f"5 {unit}", "5"], NumberFormat(unit=unit)) == [5, 5, None]


@pytest.mark.parametrize("cell", ["1.5", "1,5,5", "1.234E+04", "12.34", "7 $", "7 € x", "0.123", "--7", "", "€"])
def test_what_is_not_of_the_format_is_no_number(cell):
    assert read([cell], NumberFormat(",", ".", "€")) == [None]


@pytest.mark.parametrize(
    "cells",
    [
        ["A1", "A2"],
        ["1st", "2nd", "3rd"],
        ["5 kg", "6 lb"],
        ["5%", "0.05"],
        ["192.168.1.1", "10.0.0.1"],
        ["030 123 456", "030 654 321"],
        ["31.12.2024"],
        ["18.00.00"],
        ["5/19/2006"],
        ["20-Jan", "2-Jan", "7-Jan"],
        ["INV 1001", "INV 1002"],
        ["1O", "5", "7"],
        ["10k", "20k", "500"],
    ],
)
def test_codes_dates_and_different_units_are_no_numbers(cells):
    assert search(cells).formats() == ()


def test_a_unit_may_be_left_out_but_for_percent():
    assert [form.unit for form in search(["5 kg", "6kg", "7"]).formats()] == ["kg"]
    assert search(["5 kg", "6 lb"]).why_not == "numbers with different units: kg (1), lb (1)"
    assert search(["5%", "6%", "0.5"]).why_not == "numbers with different units: % (2), none (1)"


def test_minus_signs_behind_numbers_are_found():
    (form,) = search(["7,50-", "12,25", "1.000,00-"]).formats()

    assert read(["7,50-", "1.000,00-"], form) == [-7.5, -1000]


def test_a_rare_unit_is_a_mistake():
    (form,) = search([f"{number}.5" for number in range(99)] + ["3O"]).formats()

    assert form == NumberFormat()


def test_a_rare_comma_opens_no_question_about_points():
    (form,) = search(["0.5", "1.25", "12"] * 20 + ["1,5"]).formats()

    assert form == NumberFormat()


@pytest.mark.parametrize(("cells", "numbers"), [(["4.1/5", "3/5"], [4.1, 3]), (["8 / 10", "10 / 10"], [8, 10])])
def test_marks_out_of_the_same_number_are_numbers(cells, numbers):
    (form,) = search(cells).formats()

    assert read([*cells, "4.1"], form) == [*numbers, None]  # without it another mark may be meant
    assert search([*cells, "1/3", "2/9"]).formats() == ()
