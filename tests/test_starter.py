from pathlib import Path

import pytest

from ignite_workflow import starter
from ignite_workflow.config import config_from_mapping
from ignite_workflow.config_tree import Place, parse_yaml
from ignite_workflow.data import inspection, prepared
from ignite_workflow.data.survey import survey_table

PENGUINS = str(Path(__file__).parent / "data" / "penguins.csv")


@pytest.fixture
def start(tmp_path, monkeypatch):
    monkeypatch.setenv("IGNITE_WORKFLOW_CACHE", str(tmp_path / "cache"))
    config = config_from_mapping({"data": {"path": PENGUINS, "target": "species"}})
    return lambda: starter.start_from(config, tmp_path)


def test_a_table_is_looked_at_once(start, monkeypatch):
    looks = []

    def survey(*args, **options):
        looks.append(args)
        return survey_table(*args, **options)

    monkeypatch.setattr(prepared, "survey_table", survey)
    monkeypatch.setattr(inspection, "survey_table", survey)

    start()
    assert len(looks) == 1


def test_of_a_table_prepared_before_the_same_is_said(start):
    first, second = start(), start()

    assert (first.text, first.report) == (second.text, second.report)


@pytest.mark.parametrize("name", ["c0", "Size_2", "no", "NULL", "n", "Inf", "true", "yes2", "1e5", "a b", "ä", "a: b"])
def test_any_name_reads_back_from_what_was_written(name, tmp_path):
    rows = "".join(f"{row},{'uv'[row % 2]}\n" for row in range(40))
    (tmp_path / "table.csv").write_text(f"x,{name}\n{rows}")
    data = {"path": str(tmp_path / "table.csv"), "target": name, "read": {"header": True}}

    text = starter.start_from(config_from_mapping({"data": data}), tmp_path).text

    assert parse_yaml(text, Place()).to_plain()["data"]["target"] == name
