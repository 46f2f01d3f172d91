# ruff: noqa: RUF001
import polars as pl
import pytest

from ignite_workflow.config import DataConfig
from ignite_workflow.data.coordinates import CoordinateSearch, to_degrees
from ignite_workflow.data.prepared import prepare_table


def degrees(cell):
    return pl.DataFrame({"at": [cell]}).select(to_degrees(pl.col("at"))).item()


def why(cells):
    search = CoordinateSearch()
    search.add(pl.Series("at", cells))
    return search.why


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("28.0N", 28),
        ("94.8W", -94.8),
        ("40.446° N", 40.446),
        ("S 12,5", -12.5),
        ("40°26'46\"N", 40 + 26 / 60 + 46 / 3600),
        ("79° 58′ 56″ W", -(79 + 58 / 60 + 56 / 3600)),
        ("40°26.767' N", 40 + 26.767 / 60),
        ("-40°30'", -40.5),
        ("40°26'46''S", -(40 + 26 / 60 + 46 / 3600)),
    ],
)
def test_a_place_is_read_as_degrees(cell, expected):
    assert degrees(cell) == pytest.approx(expected, rel=1e-15)


@pytest.mark.parametrize(
    "cell", ["91N", "181 E", "40°60'N", "N 40 N", "40", "6'3\"", "40°", "5:30 N", "12.5 NE", "E", "40 26'"]
)
def test_what_is_no_place_is_none(cell):
    assert degrees(cell) is None


def test_a_column_is_of_one_axis_and_some_cell_tells():
    assert why(["12.5N", "12.5S"]) == "degrees, south and west below zero, as '12.5S' shows"
    assert why(["12°30'", "13°30'"])
    assert why(["12.5N", "13.5N"]) == ""  # newtons, perhaps
    assert why(["12.5N", "13.5W"]) == ""
    assert why(["12.5S", "north"]) == ""


def test_places_of_a_table_are_numbers(tmp_path):
    rows = "".join(f"{at % 40}.5{'NS'[at % 2]},{at % 90}.25{'EW'[at % 2]},{at % 7}\n" for at in range(200))
    (tmp_path / "storms.csv").write_text(f"lat,lon,wind\n{rows}")

    prepared = prepare_table(
        DataConfig(path=str(tmp_path / "storms.csv"), target="wind"), seed=0, cache_directory=tmp_path / "cache"
    )

    found = [(column.kind, column.why.split(", ")[0]) for column in prepared.schema.columns]
    assert found == [("number", "numbers from -39.5 to 38.5"), ("number", "numbers from -89.25 to 88.25")]
