import polars as pl
import pytest

from ignite_workflow.config import ReadConfig
from ignite_workflow.data.cells import CellRules
from ignite_workflow.data.format_search import FormatSearch
from ignite_workflow.data.number_format import to_float
from ignite_workflow.data.number_search import NumberSearch
from ignite_workflow.data.sides import Sides


def search(cells, **read):
    found = FormatSearch(ReadConfig(**read), CellRules(), ["x"])
    return found.start(pl.DataFrame({"x": cells}))


def values(cells, formats):
    return pl.DataFrame({"x": cells}).select(to_float(pl.col("x"), formats.found["x"]))["x"].to_list()


@pytest.mark.parametrize(("side", "sign"), [("DR", 1), ("CR", -1)])
def test_the_side_that_a_person_names_is_below_zero(side, sign):
    cells = ["1,234.50 CR", "980.00 DR", "5.25cr.", "7Dr", "3"]
    formats = search(cells, negative=side)

    assert values(cells, formats) == [1234.5 * sign, -980 * sign, 5.25 * sign, -7 * sign, 3]
    assert formats.why["x"].endswith(f"{side} is below zero, as data.read.negative says")


def test_which_side_is_below_zero_is_asked():
    question = search(["1,234.50 CR", "980.00 DR", "7.25 CR"]).open["x"]

    assert question.startswith("column 'x': '1,234.50 CR': debits may be below zero (data.read.negative=DR) or credits")


@pytest.mark.parametrize("cells", [["(980.00) DR", "-5.5 DR", "7.25 CR"], ["980 CR", "- 7.25 DR", "\u22123 DR", "2"]])
def test_signs_in_the_cells_of_one_side_tell(cells):
    formats = search(cells)

    assert [value < 0 for value in values(cells, formats)] == ["DR" in cell for cell in cells]
    assert formats.why["x"].endswith("DR is below zero, as signs in its cells show")


@pytest.mark.parametrize(
    "cells", [["(980) DR", "(5.5) CR", "7 CR"], ["(980) DR", "5.5 DR", "7 CR"], ["(9) CR", "-7 DR"]]
)
def test_signs_on_both_sides_or_on_some_of_one_tell_nothing(cells):
    sides = Sides()
    sides.bare(pl.Series(cells))

    assert (sides.known, sides.negative) == (True, "")


def test_one_side_alone_may_be_crores():
    formats = search(["5.5 CR", "7.25 CR", "3"])

    assert not formats.found
    assert formats.why["x"].endswith("; if CR is credit and below zero: data.read.negative=CR")
    assert search(["5.5 CR", "7.25 CR"]).found["x"].unit == "CR"


@pytest.mark.parametrize("cells", [["CR12", "DR7"], ["12 OCR", "3 DR"], ["CR", "DR"]])
def test_words_that_end_alike_are_no_sides(cells):
    found = NumberSearch()
    found.add(pl.Series(cells))

    assert not found.sides.known


def test_a_way_of_writing_fractions_is_asked_before_the_side():
    formats = search(["1,234 CR", "2,345 DR"])

    assert "may be thousands" in formats.open["x"]
