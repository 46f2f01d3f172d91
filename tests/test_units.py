import pytest
from hypothesis import given
from hypothesis import strategies as st

from ignite_workflow.data.units import Units, find_units

BODY = [["Rome", "12.5", "3"], ["Oslo", "7", "4"], ["Bonn", "8", "5"]]
NAMES = ("city", "weight", "speed")


UNITS = [
    *(["", "[kg]", "[m/s]"], ["", "kg", "m/s"], ["-", "(USD)", "%"], ["[name]", "kg", ""], ["text", "µg/m³", ""]),
    *(["", "mm", "kg m-2 s-1"], ["", "°C", "hPa"], ["", "kEUR", "1"], ["", "g/100 ml", "1/h"]),
]
DATA = [
    *(
        ["Rome", "kg", "7"],
        ["Rome", "7", "8"],
        ["Rome", "", "NA"],
        ["", "", ""],
        ["x", "", "y"],
        ["kg", "", ""],
        ["", "n/a", "?"],
    ),
    *(["Rome", "-", "-"], ["kg", "m"], ["", "12 kg", "m"], ["", "(7)", "(none)"], ["", "<NA>", "?"], ["", "(7)", "m"]),
]
EITHER = [["Rome", "kg", "m/s"], ["", "M", "T"], ["", "nd", "nd"], ["", "kg", "mean"], ["Oslo", "[kg]", ""]]


@pytest.mark.parametrize("cells", UNITS)
def test_units_beneath_the_header_are_found(cells):
    assert find_units(NAMES, cells, BODY).found


@pytest.mark.parametrize("cells", DATA)
def test_a_row_of_data_is_none_of_units(cells):
    assert find_units(NAMES, cells, BODY) == Units()


@pytest.mark.parametrize("cells", EITHER)
def test_what_may_be_units_or_data_is_asked(cells):
    units = find_units(NAMES, cells, BODY)

    assert not units.found
    assert units.question.startswith("column ")


@pytest.mark.parametrize("said", [True, False])
def test_what_a_person_says_of_units_holds(said):
    assert find_units(NAMES, EITHER[0], BODY, said) == Units(said, "as data.read.units says")


@given(st.lists(st.tuples(st.sampled_from(["m", "kg", "x", "12"]), st.floats(0, 9).map(str)), min_size=2))
def test_a_row_with_a_number_in_it_is_data(rows):
    assert find_units(("a", "b"), rows[0], rows[1:]) == Units()


def test_a_row_with_a_number_in_brackets_is_data():
    assert find_units(["a", "b"], ["kg", "(7)"], [["1", "2"]] * 10) == Units()
    assert find_units(["a", "b"], ["kg", "(m)"], [["1", "2"]] * 10).found
