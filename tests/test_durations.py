from datetime import timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ignite_workflow.config import DataConfig
from ignite_workflow.data import inspect_table
from ignite_workflow.data.durations import DurationSearch, to_seconds
from ignite_workflow.data.prepared import prepare_table


def seconds(*cells):
    return pl.DataFrame({"cells": cells}).select(to_seconds(pl.col("cells")))["cells"].to_list()


def search(*cells, name="t", is_number=False):
    found = DurationSearch(name, is_number=is_number)
    found.add(pl.Series(cells))
    return found


LENGTHS = st.timedeltas(timedelta(0), timedelta(days=400)).map(
    lambda each: timedelta(seconds=int(each.total_seconds()))
)


def parts(length):
    minutes, second = divmod(int(length.total_seconds()), 60)
    return minutes // 60, minutes % 60, second


WRITTEN = {
    "clock": lambda each: "{}:{:02}:{:02}".format(*parts(each)),
    "python": str,
    "iso": lambda each: "PT{}H{}M{}S".format(*parts(each)),
    "words": lambda each: "{}h {}m {}s".format(*parts(each)),
    "long words": lambda each: "{} hours, {} minutes, {}.5 seconds".format(*parts(each)),
    "net": lambda each: "{}.{:02}:{:02}:{:02}".format(each.days, *parts(each - timedelta(each.days))),
    "postgres": lambda each: "{} days {:02}:{:02}:{:02}".format(each.days, *parts(each - timedelta(each.days))),
}


@settings(max_examples=50)
@given(st.lists(LENGTHS, min_size=1), st.sampled_from(sorted(WRITTEN)))
def test_durations_are_read_in_every_spelling(lengths, spelling):
    half = 0.5 if spelling == "long words" else 0

    assert seconds(*map(WRITTEN[spelling], lengths)) == [each.total_seconds() + half for each in lengths]


@settings(max_examples=50)
@given(LENGTHS.map(lambda each: -each))
def test_negative_durations_are_read_as_python_and_pandas_write_them(length):
    rest = length - timedelta(length.days)
    clock = "{:02}:{:02}:{:02}".format(*parts(rest))

    assert seconds(str(length), f"{length.days} days +{clock}") == [length.total_seconds()] * 2


@pytest.mark.parametrize(
    ("cell", "wanted"),
    [
        ("2d 03:00", 183600),
        ("P1DT12H", 129600),
        ("PT1.5S", 1.5),
        ("-PT1M", -60),
        ("P2W", 1209600),
        ("4:07.25", 247.25),
        ("1 day", 86400),
        ("-1.02:03:04", -93784),
        ("-02:03:04", -7384),
    ],
)
def test_spellings(cell, wanted):
    assert seconds(cell) == [wanted]


@pytest.mark.parametrize(
    "cell", ["7:30", "-2d 03:00", "P1Y", "P", "PT", "1:60:00", "", "-", "12", "1:2:3:4", "1h 30", "5 kg", "16:9"]
)
def test_what_has_no_certain_length_is_no_duration(cell):
    assert seconds(cell) == [None]


def test_clocks_are_durations_where_a_cell_the_name_or_a_person_says_so():
    assert search("1:02:03", "24:00:00").why == ""
    assert search("1:02:03", "24:00:00").may_be_clocks
    assert search("1:02:03", "25:00:00").why == (
        "durations in seconds, as '25:00:00' shows; otherwise: data.columns.t=datetime"
    )
    assert search("1:02:03", name="elapsed").why.startswith("durations in seconds, as its name says; otherwise: ")
    assert search("1:02:03", is_number=True).why == "durations in seconds"
    assert not search("1:02:03", "soon", "later").may_be_clocks


def test_one_unit_in_all_cells_is_that_of_numbers():
    assert search("5 min", "10 min").why == ""
    assert search("1d 2h", "10 h").why.startswith("durations in seconds, as '1d 2h' shows; otherwise")


@pytest.fixture
def table(tmp_path):
    def write(cells, name="t"):
        rows = "".join(f"{cell},{number % 7}.5\n" for number, cell in enumerate(cells))
        (tmp_path / "table.csv").write_text(f"{name},y\n{rows}")
        return str(tmp_path / "table.csv")

    return write


CLOCKS = [f"{number % 24:02}:{number % 60:02}:00" for number in range(60)]


def column(path, **said):
    return inspect_table(DataConfig(path=path, target="y", **said)).columns[0]


def test_init_says_what_clocks_are_taken_for_and_a_person_overrules_it(table):
    path = table(CLOCKS)

    assert column(path).why == "every known cell is written %H:%M:%S; if these are durations: data.columns.t=number"
    as_number = column(path, columns={"t": "number"})
    assert (as_number.kind, as_number.why) == ("number", "as data.columns says, durations in seconds")
    path = table(CLOCKS, "lap")
    assert column(path).why == (
        "integers from 0 to 85620, durations in seconds, as its name says; otherwise: data.columns.lap=datetime"
    )
    assert column(path, columns={"lap": "datetime"}).formats == ("%H:%M:%S",)


def test_the_last_cell_decides_as_much_as_the_first(table):
    path = table(CLOCKS * 2000 + ["30:00:00"])

    assert column(path).why.startswith("integers from 0 to 108000, durations in seconds, as '30:00:00' shows")


def test_durations_are_trained_on_as_seconds(table, tmp_path):
    path = table(["PT1H30M", "PT45M", "", "P1D"] * 10)

    data = prepare_table(DataConfig(path=path, target="y"), seed=0, cache_directory=None)

    part = data.schema.parts[0][1]
    values = data.splits["train"].x[:, 0] * part.std + part.mean
    assert {round(float(value)) for value in values} >= {5400, 2700, 86400}
    assert data.schema.encode({"t": ["PT1H30M"]})[0, 0] == data.schema.encode({"t": [5400.0]})[0, 0]
