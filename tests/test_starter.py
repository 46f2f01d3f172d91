from pathlib import Path

import pytest

from ignite_workflow import starter
from ignite_workflow.config import config_from_mapping
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
