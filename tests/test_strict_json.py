"""Whatever a run writes or prints as JSON can be read by a reader that knows no NaN."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from ignite_workflow.cli import main

METRIC = """
from ignite.metrics import Metric

class Endless(Metric):
    def reset(self): pass
    def update(self, output): pass
    def compute(self): return float("inf")
"""


def strict(text):
    return json.loads(text, parse_constant=pytest.fail)


def test_a_metric_that_is_not_finite_is_text_everywhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("endless.py").write_text(METRIC)
    Path("data.csv").write_text("x,y\n" + "".join(f"{row},{row * 2}.5\n" for row in range(60)))
    settings = ["handlers.evaluation.metrics=[rmse,'endless.py:Endless']", "train.max_epochs=1", "--quiet", "--json"]

    trained = CliRunner().invoke(main, ["train", "data.csv", "--target", "y", "--run-dir", "run", *settings])
    again = CliRunner().invoke(main, ["resume", "run"])
    Path("one.csv").write_text("x,y\n1,2.5\n")
    evaluated = CliRunner().invoke(main, ["evaluate", "run", "one.csv", "--json", "--pictures", "out"])

    assert strict(trained.stdout)["metrics"]["val/Endless"] == "inf", trained.output
    assert strict(Path("run/status.json").read_text())["metrics"]["val/Endless"] == "inf"
    assert strict(Path("run/model/model.json").read_text())["metrics"]["val/Endless"] == "inf"
    assert "val/Endless   inf" in again.stdout
    assert strict(evaluated.stdout)["metrics"]["r2"] == "nan", evaluated.output
    assert strict(Path("out/evaluation.json").read_text())["metrics"]["r2"] == "nan"
