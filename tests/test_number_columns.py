import math

import numpy as np
import polars as pl
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ignite_workflow.data.cells import CellRules, parse_numbers
from ignite_workflow.data.chunk import Chunk
from ignite_workflow.data.features import Column
from ignite_workflow.data.number_columns import leave_to_text, number_columns
from ignite_workflow.data.schema import Schema, TargetColumn
from ignite_workflow.data.tables import open_table

ODD = [
    *("+1", "1e5", "1E+5", "-0", "-0.0", "007", "0x10", "1_000", "nan", "NaN", "inf", "-Infinity", ".5", "5."),
    *(" 5", "5 ", "", "NA", "1,5", "1.5.2", "--1", "1e400", "1e-400", "5e-324", "0.1" + 20 * "3", 40 * "9"),
    *("٣", "½", "1e", "e5"),
]
CELLS = (
    st.sampled_from(ODD)
    | st.integers().map(str)
    | st.floats().map(repr)
    | st.decimals(-1000, 1000, places=6).map(str)
    | st.text("0123456789+-.eE_ nfia", max_size=8)
)


def chunks(path, numbers):
    return list(open_table(str(path)).chunks(numbers))


def same_bits(first, second):
    return first.view(np.int64).tolist() == second.view(np.int64).tolist()


@given(st.lists(CELLS, min_size=1, max_size=5))
@example(["1.5", "0.1"])
@settings(max_examples=300)
def test_cells_read_as_numbers_are_those_that_their_text_means(tmp_path_factory, cells):
    path = tmp_path_factory.getbasetemp() / "cells.csv"
    quoted = [f'"{cell}"' if "," in cell else cell for cell in cells]
    path.write_text("a,b\n" + "".join(f"{cell},x\n" for cell in quoted))
    [text], [read] = chunks(path, set()), chunks(path, {"a"})
    rules = CellRules()
    expected, found = parse_numbers(text.frame["a"], rules), parse_numbers(read.frame["a"], rules)

    assert text.frame["a"].to_list() == cells
    assert same_bits(np.nan_to_num(expected.values, nan=math.e), np.nan_to_num(found.values, nan=math.e))
    assert (expected.missing, expected.bad.tolist()) == (found.missing, found.bad.tolist())


def test_plain_numbers_are_read_right_away(tmp_path):
    (tmp_path / "a.csv").write_text("a,b\n1.25,x\n-3,y\n")
    [chunk] = chunks(tmp_path / "a.csv", {"a"})

    assert chunk.frame["a"].to_list() == [1.25, -3.0]


def schema(*columns, **rules):
    made = tuple(Column(name, kind, "") for name, kind in columns)
    return Schema("regression", "", made, (TargetColumn("y"),), rules=CellRules(**rules))


def test_only_columns_of_numbers_are_read_as_such():
    known = schema(("a", "number"), ("b", "category"), ("c", "ignore"), ("d", "number"), ("e", "number"))

    assert number_columns(known, [" a", "b", "c", "d", "y"], as_text=["d"]) == {" a"}


def test_decimal_commas_are_left_to_text():
    assert number_columns(schema(("a", "number"), decimal=","), ["a"]) == set()


def test_columns_with_missing_cells_are_left_to_text_from_then_on():
    numbers = {"a", "b"}
    leave_to_text(numbers, Chunk(pl.DataFrame({"a": ["1", "2"], "b": ["1", ""], "c": ["x", "y"]}), ""))
    assert numbers == {"a"}

    leave_to_text(numbers, Chunk(pl.DataFrame({"a": [1.0, 2.0], "b": ["1", ""]}), ""))
    assert numbers == {"a"}
