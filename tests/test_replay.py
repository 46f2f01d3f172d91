"""The command that runs a batch again at which training diverged."""

import json
import random

import pytest
from click.testing import CliRunner

from ignite_workflow import CheckpointError, DivergedError, train
from ignite_workflow.bad_batches import find_bad_batch, load_bad_batch
from ignite_workflow.cli import main
from ignite_workflow.replay import replay

QUICK = [
    "data.target=y",
    "data.split={val: 0.2, test: 0.2}",
    "train={max_epochs: 3, batch_size: 16, device: cpu, threads: 1}",
    "optimizer={name: sgd, lr: 1e12}",
    "model=linear",
    "handlers={progress: false, curve_export: false, tensorboard: false}",
]


@pytest.fixture(scope="module")
def diverged(tmp_path_factory):
    """A run whose learning rate was too high, and the error it ended with."""
    folder = tmp_path_factory.mktemp("diverged")
    draw = random.Random(0)
    rows = [(draw.gauss(), draw.gauss()) for _ in range(200)]
    lines = ["a,b,y", *(f"{a:.4f},{b:.4f},{2 * a - b:.4f}" for a, b in rows)]
    (folder / "data.csv").write_text("\n".join(lines))
    with pytest.raises(DivergedError) as caught:
        train(folder / "data.csv", QUICK, run_directory=folder / "run")
    return folder / "run", str(caught.value)


def run(*arguments):
    return CliRunner().invoke(main, ["replay", *map(str, arguments)])


def test_it_finds_again_what_was_found(diverged):
    path, line = diverged

    found = replay(path)

    assert f"training diverged at {found}. " in line
    assert found.found == ("the loss",)
    assert found.numbered


def test_the_rows_are_those_of_the_table(diverged):
    path, _ = diverged
    kept = load_bad_batch(find_bad_batch(path))
    [(_, (x, _))] = kept["batches"]

    table = [line.split(",") for line in (path.parent / "data.csv").read_text().splitlines()[1:]]

    raw = [float(table[row][0]) for row in kept["rows"]]
    order = sorted(range(16), key=raw.__getitem__)
    assert sorted(range(16), key=x[:, 0].tolist().__getitem__) == order


def test_the_command_says_what_where_and_exits_with_1(diverged):
    result = run(diverged[0])

    assert result.exit_code == 1
    lines = result.stdout.splitlines()
    assert lines[0].startswith("iteration ")
    assert lines[1] == "  not finite: the loss"
    assert lines[2].startswith("  rows ")
    assert lines[2].endswith("(all 16 in the batch)")


def test_json_is_one_document(diverged):
    document = json.loads(run(diverged[0], "--json").stdout)

    assert document["found"] == ["the loss"]
    assert len(document["rows"]) == 16


def test_a_batch_that_is_finite_with_other_weights_exits_with_0(diverged, monkeypatch):
    monkeypatch.setattr("ignite_workflow.replay.load_model_state", lambda *_: None)

    result = run(diverged[0])

    assert (result.exit_code, result.stdout.splitlines()[1]) == (0, "  everything is finite")


def test_nothing_is_written(diverged):
    path, _ = diverged
    before = {file: file.stat().st_mtime_ns for file in path.rglob("*")}

    replay(path)

    assert {file: file.stat().st_mtime_ns for file in path.rglob("*")} == before


def test_another_iteration_is_asked_for_by_number(diverged):
    with pytest.raises(CheckpointError, match="keeps no batch of iteration 999; there are:"):
        replay(diverged[0], iteration=999)


def test_the_run_leaves_no_model_and_says_failed(diverged):
    path, line = diverged
    status = json.loads((path / "status.json").read_text())

    assert not (path / "model").exists()
    assert (status["state"], status["exit_code"], status["reason"]) == ("failed", 1, f"DivergedError: {line}")


def test_the_command_that_trains_says_it_on_one_line(diverged):
    path, _ = diverged

    result = CliRunner().invoke(main, ["resume", str(path)])

    assert result.exit_code == 1
    assert [line for line in result.stderr.splitlines() if line.startswith("Error: training diverged at iteration")]
