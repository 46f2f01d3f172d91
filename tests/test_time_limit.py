import json
import threading
import time
from contextlib import suppress
from datetime import datetime, timedelta

import pytest
import torch
from ignite.engine import Events
from torch.nn.functional import mse_loss
from torch.utils.data import DataLoader, TensorDataset

from ignite_workflow import ConfigError, EvaluationEngine, TrainConfig, Workflow, WorkflowEvents, time_limit
from ignite_workflow.time_limit import TimeLimit, read_deadline

DATA = TensorDataset(torch.zeros(12, 1), torch.zeros(12, 1))
PATIENCE = 300  # seconds that a broken limit is waited for, before the test fails
QUIET = dict.fromkeys(("progress", "tensorboard", "curve_export"), False)


@pytest.fixture(autouse=True)
def _soon(monkeypatch):
    """Without time to spare: a limit is reached within a test."""
    monkeypatch.setattr(time_limit, "_SPARE_SECONDS", 0.0)
    monkeypatch.setattr(time_limit, "_LOOK_SECONDS", 0.01)


def build(directory=None, **limits):
    model = torch.nn.Linear(1, 1)
    return Workflow.from_parts(
        model,
        torch.optim.SGD(model.parameters(), lr=0.1),
        mse_loss,
        DataLoader(DATA, batch_size=4),
        DataLoader(DATA, batch_size=4),
        train=TrainConfig(max_epochs=2, device="cpu", **limits),
        handlers=QUIET,
        run_directory=directory,
    )


def wait_for_stop(workflow):
    """The second step, or an evaluation, lasts until the run is told to stop: from now on no time is long enough."""
    time_limit._SPARE_SECONDS = 1e9
    end = time.monotonic() + PATIENCE
    while workflow.trainer.stop_request is None and time.monotonic() < end:
        time.sleep(0.001)


def fingerprint(**later):
    return (datetime.now() + timedelta(**later)).isoformat()


@pytest.mark.parametrize(
    ("limits", "reason"),
    [
        (lambda: {"max_minutes": 60}, "train.max_minutes: 60 is nearly over"),
        (lambda: {"deadline": fingerprint(hours=1)}, "train.deadline: 2"),
        (lambda: {"max_minutes": 60, "deadline": fingerprint(hours=2)}, "train.max_minutes: 60 is nearly over"),
    ],
)
def test_a_run_stops_to_be_resumed_when_its_time_is_nearly_over(tmp_path, limits, reason):
    workflow = build(tmp_path, **limits())
    workflow.trainer.add_event_handler(Events.ITERATION_STARTED(once=2), wait_for_stop, workflow)

    workflow.run()

    status = json.loads((tmp_path / "status.json").read_text())
    assert (status["state"], status["exit_code"], workflow.exit_code) == ("stopped", 75, 75)
    assert status["reason"].startswith(reason)
    assert workflow.checkpoint_store().steps() == [2]


def test_an_evaluation_is_abandoned_for_it(tmp_path):
    workflow = build(tmp_path, max_minutes=60)
    workflow.evaluator.add_event_handler(Events.ITERATION_STARTED(once=1), wait_for_stop, workflow)

    workflow.run()

    assert workflow.trainer.pending_epoch_end
    assert (workflow.exit_code, workflow.evaluator.state.iteration) == (75, 1)


def test_a_start_whose_evaluation_takes_all_its_time_says_so(tmp_path, caplog):
    first = build(tmp_path)
    first.evaluator.add_event_handler(Events.ITERATION_STARTED(once=1), first.request_stop, "pre-empted", 75)
    first.run()
    first.run_directory.close()
    workflow = build(tmp_path, max_minutes=60)
    assert workflow.resume()
    workflow.evaluator.add_event_handler(Events.ITERATION_STARTED(once=1), wait_for_stop, workflow)

    workflow.run()

    assert "this start has not got on: one step, or one evaluation, takes longer than" in caplog.text


class Clock:
    """Seconds that pass as the test says."""

    now = 0.0

    def __call__(self):
        return self.now


def with_clock(directory, minutes=60.0):
    """A run limited by a clock that stands still."""
    workflow, clock = build(directory, max_minutes=minutes), Clock()
    workflow.trainer.time_limit.limits = [(f"train.max_minutes: {minutes:g}", clock, minutes * 60)]
    return workflow, clock


def measure_until_stopped(workflow, clock, passing):
    """What is left once nothing is left to train: an evaluation of which each batch takes ``passing`` seconds."""

    def step(*_):
        clock.now += passing
        end = time.monotonic() + PATIENCE
        while clock.now > 3600 and workflow.trainer.stop_request is None and time.monotonic() < end:
            time.sleep(0.001)

    engine = EvaluationEngine(step, workflow.model, workflow.trainer)
    return lambda: {"measured": engine.run(range(4)).iteration}


def test_the_measuring_at_the_end_is_broken_off_for_it_and_done_by_the_next_start(tmp_path):
    first, clock = with_clock(tmp_path)
    first.run(measure_until_stopped(first, clock, passing=1000))
    first.run_directory.close()
    status = json.loads((tmp_path / "status.json").read_text())
    assert (status["state"], status["exit_code"], "measured" in status) == ("stopped", 75, False)
    assert (status["reason"], status["epoch"]) == ("train.max_minutes: 60 is nearly over", 2)

    second, clock = with_clock(tmp_path)
    second.resume()
    second.run(measure_until_stopped(second, clock, passing=100))

    status = json.loads((tmp_path / "status.json").read_text())
    assert (status["state"], status["measured"], second.exit_code) == ("finished", 4, 0)


def test_where_training_took_all_the_time_measuring_does_not_begin(tmp_path):
    workflow, clock = with_clock(tmp_path)
    workflow.trainer.add_event_handler(Events.COMPLETED, setattr, clock, "now", 3600.0)
    workflow.run(measure_until_stopped(workflow, clock, passing=0))

    assert (workflow.exit_code, clock.now) == (75, 3600.0)
    assert "time limit" not in [thread.name for thread in threading.enumerate()]


def test_a_run_that_has_time_enough_ends_as_ever(tmp_path):
    workflow = build(tmp_path, max_minutes=60, deadline=fingerprint(days=1))

    workflow.run()

    assert workflow.exit_code == 0


@pytest.mark.parametrize("ends", [lambda: None, lambda: 1 / 0])
def test_nothing_watches_the_clock_when_the_run_is_over(ends):
    trainer = build().trainer
    limit = TimeLimit(TrainConfig(max_minutes=60), time.monotonic())
    limit.attach(trainer)
    trainer.add_event_handler(Events.ITERATION_STARTED(once=2), ends)

    with suppress(ZeroDivisionError):
        trainer.run([(torch.zeros(1, 1), torch.zeros(1, 1))] * 3)

    assert "time limit" not in [thread.name for thread in threading.enumerate()]


def test_time_for_two_windows_and_two_saves_is_reserved(tmp_path):
    workflow = build(tmp_path)
    limit = TimeLimit(TrainConfig(max_minutes=60, accumulate=3), time.monotonic())
    limit.attach(workflow.trainer)
    workflow.saver.seconds = 5.0
    limit._paces.extend([2.0, 2.0, 900.0])  # the last one was an evaluation

    assert limit.needed() == 2 * (3 * 2.0 + 5.0)


def test_a_save_is_reckoned_by_the_size_of_the_model_before_one_was_measured(tmp_path):
    workflow = build(tmp_path)
    limit = TimeLimit(TrainConfig(max_minutes=60), time.monotonic())
    limit.attach(workflow.trainer)
    before = limit.needed()

    workflow.trainer.add_event_handler(WorkflowEvents.SAFE_POINT, workflow.save_checkpoint)
    workflow.run()

    assert before == pytest.approx(2 * 3 * 2 * 4 / 100e6)
    limit._paces.clear()
    assert limit.needed() == 2 * workflow.saver.seconds > 0


@pytest.mark.parametrize(
    ("deadline", "seconds"),
    [
        ("2026-03-01T12:00:00Z", 1772366400),
        ("2026-03-01 13:00+01:00", 1772366400),
        (1772366400, 1772366400),
        ("1772366400", 1772366400),
    ],
)
def test_a_deadline_is_a_point_in_time_as_schedulers_write_it(deadline, seconds):
    assert read_deadline(deadline) == seconds


def test_without_a_time_zone_it_is_that_of_this_machine():
    assert read_deadline("2026-03-01T12:00") == datetime(2026, 3, 1, 12).timestamp()
    assert read_deadline("20260301") == datetime(2026, 3, 1).timestamp()


@pytest.mark.parametrize("deadline", ["tomorrow", "12:00", "2026-13-01"])
def test_what_is_no_point_in_time_is_named(deadline):
    with pytest.raises(ConfigError, match=f"train.deadline: '{deadline}' is not a point in time: such as 2026-03-01T"):
        build(deadline=deadline)


def test_a_deadline_that_is_over_is_refused_before_anything_is_trained():
    with pytest.raises(ConfigError, match=r"train.deadline: 2020-01-01 is over: there is no time to train in"):
        build(deadline="2020-01-01")
