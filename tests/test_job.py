"""The job: what it leaves behind when things go wrong, and what it refuses."""

import errno
import json
import re
from pathlib import Path

import pytest

from ignite_workflow import CheckpointError, RunDirectoryError, checkpoint, load_model, model_file, train
from ignite_workflow.records import Records
from ignite_workflow.run_directory import RunDirectory

PENGUINS = Path(__file__).parent.parent / "examples/data/penguins.csv"
QUICK = [
    "data.target=species",
    "train.max_epochs=3",
    "train.device=cpu",
    "model.hidden=[8]",
    "handlers.progress=false",
    "handlers.curve_export=false",
    "handlers.tensorboard=false",
]


def status(directory):
    return json.loads((directory / "status.json").read_text())


def full_disk(*_):
    raise OSError(errno.ENOSPC, "No space left on device")


def test_leaves_a_model_that_predicts_as_measured(tmp_path):
    result = train(PENGUINS, QUICK, run_directory=tmp_path / "run")

    assert result.status == "finished"
    assert load_model(result.run).metrics == result.metrics


def test_two_runs_with_one_seed_are_the_same_bytes(tmp_path):
    for name in ("a", "b"):
        train(PENGUINS, QUICK, run_directory=tmp_path / name)

    for file in ("metrics.jsonl", "model/model.safetensors"):
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()


def test_another_seed_gives_another_model(tmp_path):
    train(PENGUINS, QUICK, run_directory=tmp_path / "a")
    train(PENGUINS, [*QUICK, "train.seed=1"], run_directory=tmp_path / "b")

    assert (tmp_path / "a/metrics.jsonl").read_bytes() != (tmp_path / "b/metrics.jsonl").read_bytes()


def test_a_full_disk_in_mid_run_is_a_warning_and_at_its_end_an_error(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(checkpoint, "write_parts", full_disk)

    with pytest.raises(CheckpointError, match=r"the last checkpoint cannot be written .* No space left on device"):
        train(PENGUINS, [*QUICK, "handlers.checkpointing.every={epochs: 1}"], run_directory=tmp_path / "run")

    assert "checkpoint not saved" in caplog.text
    assert status(tmp_path / "run")["state"] == "failed"


@pytest.mark.parametrize(
    ("what", "file", "owner", "name"),
    [("the metrics", "metrics.jsonl", Records, "make_durable"), ("the model", "model", model_file, "write_over")],
)
def test_a_full_disk_at_the_end_says_what_is_needed(tmp_path, monkeypatch, what, file, owner, name):
    run = tmp_path / "run"
    with monkeypatch.context() as patch:
        patch.setattr(owner, name, full_disk)
        with pytest.raises(CheckpointError) as raised:
            train(PENGUINS, QUICK, run_directory=run)

    told = (
        rf"{what} cannot be written to {run}/{file}: No space left on device \(([\d,]+) bytes needed, [\d,]+ free\); "
    )
    needed = re.fullmatch(told + "make room and go on with the same command", str(raised.value))
    assert int(needed[1].replace(",", "")) > 0
    assert (status(run)["state"], status(run)["exit_code"]) == ("failed", 1)
    assert train(PENGUINS, QUICK, run_directory=run, resume=True).status == "finished"


def test_a_run_that_failed_goes_on_with_the_same_command(tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(checkpoint, "write_parts", full_disk)
        with pytest.raises(CheckpointError):
            train(PENGUINS, QUICK, run_directory=tmp_path / "run")

    result = train(PENGUINS, QUICK, run_directory=tmp_path / "run", resume=True)

    assert result.status == "finished"
    assert status(tmp_path / "run")["state"] == "finished"


def test_a_directory_in_use_is_refused_before_anything_is_read(tmp_path):
    train(PENGUINS, QUICK, run_directory=tmp_path / "run")

    with RunDirectory(tmp_path / "run"), pytest.raises(RunDirectoryError, match="is in use by"):
        train("no such file.csv", QUICK, run_directory=tmp_path / "run", resume=True)


def test_a_damaged_checkpoint_is_named_and_the_one_before_it_taken(tmp_path, caplog):
    more = [*QUICK, "handlers.checkpointing.every={iterations: 5}", "schedule=constant"]
    train(PENGUINS, more, run_directory=tmp_path / "broken")
    train(PENGUINS, [*more, "train.max_epochs=5"], run_directory=tmp_path / "whole")
    newest = max((tmp_path / "broken/checkpoints").glob("*.ckpt"))
    newest.write_bytes(newest.read_bytes()[:-1])

    train(PENGUINS, [*more, "train.max_epochs=5"], run_directory=tmp_path / "broken", resume=True)

    assert f"{newest} is damaged" in caplog.text
    assert (tmp_path / "broken/metrics.jsonl").read_bytes() == (tmp_path / "whole/metrics.jsonl").read_bytes()


def test_from_scratch_discards_the_run_that_is_there(tmp_path):
    train(PENGUINS, QUICK, run_directory=tmp_path / "a")
    train(PENGUINS, [*QUICK, "train.seed=1"], run_directory=tmp_path / "b")

    (tmp_path / "a/skipped_samples.jsonl").write_text("{}")
    train(PENGUINS, [*QUICK, "train.seed=1"], run_directory=tmp_path / "a", from_scratch=True)

    assert not (tmp_path / "a/skipped_samples.jsonl").exists()
    assert (tmp_path / "a/metrics.jsonl").read_bytes() == (tmp_path / "b/metrics.jsonl").read_bytes()


def test_a_fine_tuned_run_goes_on_with_the_schema_of_the_model_it_came_from(tmp_path):
    train(PENGUINS, QUICK, run_directory=tmp_path / "base")
    few = tmp_path / "few.csv"
    few.write_text("".join(PENGUINS.read_text().splitlines(keepends=True)[::3]))
    more = [*QUICK[1:], "schedule=constant"]
    train(few, more, run_directory=tmp_path / "tuned", from_model=tmp_path / "base")

    train(few, [*more, "data.target=species", "train.max_epochs=4"], run_directory=tmp_path / "tuned", resume=True)

    assert load_model(tmp_path / "tuned").schema == load_model(tmp_path / "base").schema


def test_a_fine_tuned_model_is_built_as_the_one_it_comes_from_unless_told_otherwise(tmp_path):
    train(PENGUINS, [*QUICK, "model.hidden=[5]"], run_directory=tmp_path / "base")
    unnamed = [setting for setting in QUICK if not setting.startswith("model.")]

    train(PENGUINS, unnamed, run_directory=tmp_path / "tuned", from_model=tmp_path / "base")

    assert load_model(tmp_path / "tuned").architecture.options == {"hidden": [5]}


def test_the_newest_run_is_known_as_latest_among_runs_only(tmp_path):
    train(PENGUINS, QUICK, run_directory=tmp_path / "runs/a")
    train(PENGUINS, QUICK, run_directory=tmp_path / "elsewhere/b")

    assert (tmp_path / "runs/latest").resolve() == tmp_path / "runs/a"
    assert [path.name for path in (tmp_path / "elsewhere").iterdir()] == ["b"]


def test_a_run_that_was_stopped_early_stays_finished_though_more_epochs_are_asked_for(tmp_path):
    stops = [*QUICK, "handlers.early_stopping={patience: 1, min_delta: 100}"]
    early = train(PENGUINS, stops, run_directory=tmp_path / "run")

    again = train(PENGUINS, [*stops, "train.max_epochs=9"], run_directory=tmp_path / "run", resume=True)

    assert early.reason.startswith("early stopping")
    assert (again.was_finished, again.epochs) == (True, 2)


def test_a_run_whose_time_is_over_stops_to_be_resumed(tmp_path):
    limits = ["train.max_minutes=0.00001", "train.max_epochs=100000"]

    stopped = train(PENGUINS, [*QUICK, *limits], run_directory=tmp_path / "run")

    assert (stopped.status, stopped.exit_code) == ("stopped", 75)
    assert stopped.reason == "train.max_minutes: 1e-05 is nearly over"


def test_time_limits_and_handlers_that_only_watch_may_change_when_a_run_goes_on(tmp_path):
    train(PENGUINS, QUICK, run_directory=tmp_path / "run")
    (tmp_path / "run/status.json").unlink()

    result = train(
        PENGUINS,
        [*QUICK, "train.max_minutes=60", "train.deadline=2100-01-01", "handlers.stop_file=true"],
        run_directory=tmp_path / "run",
        resume=True,
    )

    assert result.status == "finished"


def test_overfitting_one_batch_trains_and_evaluates_on_it_alone(tmp_path):
    result = train(PENGUINS, [*QUICK, "train.overfit_batches=1", "train.max_epochs=60"], run_directory=tmp_path / "run")

    assert result.metrics["val/accuracy"] == 1.0


@pytest.mark.parametrize(
    "setting",
    [
        "train.precision=bfloat16",
        "train.accumulate=3",
        "train.limit_batches=2",
        "optimizer=sgd",
        "schedule=one_cycle",
        "schedule={name: plateau, patience: 1}",
        "loss={name: cross_entropy, class_weights: balanced}",
        "loss=nll",
        "model.number_embedding=periodic",
        "train.workers=1",
    ],
)
def test_trains_with(setting, tmp_path):
    result = train(PENGUINS, [*QUICK, setting], run_directory=tmp_path / "run")

    assert result.status == "finished"
    assert result.metrics["test/loss"] < 2
