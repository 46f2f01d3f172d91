from pathlib import Path

import pytest

from ignite_workflow.config import DataConfig
from ignite_workflow.data import inspect_table
from ignite_workflow.errors import ConfigError

PENGUINS = str(Path(__file__).parent / "data" / "penguins.csv")


def test_penguins_are_understood():
    report = inspect_table(DataConfig(path=PENGUINS, target="species"))

    assert {column.name: column.kind for column in report.columns} == {
        "species": "category",
        "island": "category",
        "bill_length_mm": "number",
        "bill_depth_mm": "number",
        "flipper_length_mm": "number",
        "body_mass_g": "number",
        "sex": "category",
        "year": "number",
    }
    assert (report.rows, report.targets, report.notes) == (344, ("species",), ())
    assert (report.task, report.why) == ("multiclass", "species has 3 values")
    assert report.classes == {"Adelie": 152, "Chinstrap": 68, "Gentoo": 124}


def test_missing_cells_and_examples_are_shown():
    columns = {column.name: column for column in inspect_table(DataConfig(path=PENGUINS, target="species")).columns}

    assert (columns["sex"].missing, columns["sex"].examples) == (11, ("male", "female"))
    assert columns["bill_length_mm"].why == "numbers from 32.1 to 59.6"


def test_a_target_that_is_not_there_suggests_the_nearest():
    with pytest.raises(
        ConfigError, match=r"data\.target: no column 'specis' in .*penguins\.csv\. Did you mean 'species'"
    ):
        inspect_table(DataConfig(path=PENGUINS, target="specis"))


def test_a_column_may_be_called_count(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text(
        "count,price,other\n" + "".join(f"c{row % 3},{row % 2} kg,{row}.5\n" for row in range(30)) + "NA,,1\n"
    )

    assert inspect_table(DataConfig(path=str(path), target="count")).classes == {"c0": 10, "c1": 10, "c2": 10}


def test_a_column_of_quantities_may_be_called_count(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("count,other\n" + "".join(f"{row % 7} kg,{row}.5\n" for row in range(30)) + "NA,1\n")

    assert inspect_table(DataConfig(path=str(path), target="count")).rows == 31
