import datetime as dt
from decimal import Decimal

import numpy as np
import polars as pl
import pytest

from ignite_workflow.data.chunk import as_chunk
from ignite_workflow.data.data_frames import as_frame
from ignite_workflow.errors import DataError


def test_a_polars_frame_is_passed_through():
    frame = pl.DataFrame({"a": [1]})

    assert as_chunk(frame).frame is frame


def test_arrays_get_names_for_their_columns():
    frame = as_frame((np.zeros((2, 3), dtype=np.float32), np.array(["p", "q"])))

    assert frame.columns == ["x0", "x1", "x2", "y"]
    assert frame.dtypes == [pl.Float32] * 3 + [pl.String]


def test_several_targets_are_several_columns():
    assert as_frame((np.zeros((2, 1)), np.zeros((2, 2)))).columns == ["x0", "y0", "y1"]


def test_an_array_of_features_alone_has_the_same_names():
    assert as_frame(np.array([[1, 2]])).to_dict(as_series=False) == {"x0": [1], "x1": [2]}


def test_masked_values_are_missing():
    cells = np.ma.masked_array([[1.5], [2.5]], [[False], [True]])

    assert as_frame({"a": cells[:, 0]})["a"].to_list() == [1.5, None]
    assert as_frame((cells, np.array([0, 1])))["x0"].to_list() == [1.5, None]


def test_the_fields_of_a_structured_array_are_columns():
    array = np.array([(1, "p"), (2, "q")], dtype=[("n", "i4"), ("t", "U1")])

    assert as_frame(array).to_dict(as_series=False) == {"n": [1, 2], "t": ["p", "q"]}


@pytest.mark.parametrize("unit", ["s", "m", "h"])
def test_moments_in_coarse_units_are_read(unit):
    moments = np.array(["2024-01-31T12:00", "NaT"], dtype=f"datetime64[{unit}]")

    assert as_frame({"t": moments})["t"].to_list() == [dt.datetime(2024, 1, 31, 12), None]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (np.zeros(3), r"x must have the shape \(rows, columns\), got \(3,\)"),
        ({"a": [1, 2], "b": [1]}, "data: not a table: "),
        ({"a": [1, None, "x"]}, r"not a table: column 'a': 1 in row 0 and 'x' in row 2; make them one type\.$"),
        ({"a": [1j]}, r"not a table: column 'a': values of type complex; make them numbers, text or dates\.$"),
        ({1: [1], "1": [2]}, "two columns are named '1'"),
        (5, "data: not a table: a polars or pandas frame, .* got <class 'int'>"),
        (pl.LazyFrame({"a": [1]}), "are needed, got <class 'polars.lazyframe.frame.LazyFrame'>"),
    ],
)
def test_what_is_no_table_is_one_line(data, message):
    with pytest.raises(DataError, match=message):
        as_frame(data)


def test_columns_of_every_type_become_what_parquet_would_give():
    frame = pl.DataFrame({"d": [Decimal("1.5")], "t": [dt.time(1)], "s": [{"a": 1}], "l": [[1, 2]]})

    assert as_chunk(frame).frame.to_dict(as_series=False) == {
        "d": [1.5], "t": [3600.0], "s.a": [1], "l[0]": [1], "l[1]": [2],
    }  # fmt: skip


def test_pandas_columns_keep_what_they_hold():
    pandas = pytest.importorskip("pandas")
    moment = dt.datetime(2024, 1, 31, 12)
    frame = as_frame(
        pandas.DataFrame(
            {
                "n": [1.5, None],
                "i": pandas.array([1, None], dtype="Int64"),
                "t": ["x", None],
                "c": pandas.Categorical(["x", None]),
                "d": pandas.to_datetime([moment, None]),
                "b": pandas.array([True, None], dtype="boolean"),
            },
            index=[7, 8],
        )
    )

    assert frame.with_columns(pl.col(pl.Float64).fill_nan(None)).rows() == [
        (1.5, 1, "x", "x", moment, True), (None,) * 6,
    ]  # fmt: skip
