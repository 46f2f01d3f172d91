import pytest

from ignite_workflow.config import DataConfig
from ignite_workflow.data import inspect_table


@pytest.fixture
def notes(tmp_path):
    def inspect(values, **settings):
        path = tmp_path / "table.csv"
        path.write_text("x,y\n" + "".join(f"{value},{number / 7}\n" for number, value in enumerate(values)))
        return inspect_table(DataConfig(path=str(path), target="y", **settings)).notes

    return inspect


NUMBERS = [number / 4 for number in range(200)]


@pytest.mark.parametrize("sentinel", ["-200", "-1", "9999", "-999"])
def test_a_number_that_stands_apart_is_said(notes, sentinel):
    (note,) = notes(NUMBERS + [sentinel] * 9)

    start = f"{sentinel} stands apart from all other numbers ('x' 9 times): if it means missing, "
    assert note == f"{start}say data.missing=['{sentinel}']."
    assert notes(NUMBERS + [sentinel] * 9, missing=(sentinel,)) == ()


@pytest.mark.parametrize("values", [[*NUMBERS, "-200"], [0] * 9 + NUMBERS, NUMBERS + [60] * 9, NUMBERS + [-7.5] * 9])
def test_rare_or_near_numbers_are_none(notes, values):
    assert notes([*values, -30]) == ()


def test_infinite_numbers_are_not_said_to_stand_apart(notes):
    assert notes(NUMBERS + ["inf", "-inf", "1e400"] * 9) == ()


@pytest.mark.parametrize(("value", "said"), [("99", True), ("98", False), ("77", False)])
def test_nines_need_stand_less_far_apart(notes, value, said):
    assert bool(notes(NUMBERS + [value] * 9)) == said


def test_the_largest_of_a_few_prices_is_none(notes):
    assert notes(["4.99", "7.9", "12.5", "19.9", "25", "89"] * 40) == ()
