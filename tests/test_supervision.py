"""Around a run: who may interrupt it, and what status.json says of it."""

import errno
import json
import os
import signal
import threading
from contextlib import suppress

import pytest
import torch
from ignite.engine import Events
from torch.nn.functional import mse_loss
from torch.utils.data import DataLoader, TensorDataset

from ignite_workflow import (
    CheckpointError,
    ConfigError,
    EvaluationEngine,
    TrainConfig,
    Workflow,
    early_signals,
    run_directory,
)
from ignite_workflow.testing import scripted_workflow

DATA = TensorDataset(torch.linspace(0, 1, 12)[:, None], torch.linspace(1, 2, 12)[:, None])
QUIET = dict.fromkeys(("progress", "tensorboard", "curve_export"), False)


def build(directory, **handlers):
    torch.manual_seed(0)
    model = torch.nn.Linear(1, 1)
    return Workflow.from_parts(
        model,
        torch.optim.SGD(model.parameters(), lr=0.1),
        mse_loss,
        DataLoader(DATA, batch_size=4, shuffle=True),
        DataLoader(DATA, batch_size=4),
        train=TrainConfig(max_epochs=2, device="cpu"),
        handlers={**QUIET, **handlers},
        run_directory=directory,
    )


def status(directory):
    return json.loads((directory / "status.json").read_text())


def receive(number):
    os.kill(os.getpid(), number)


def run_and_receive(workflow, number, at=2):
    workflow.trainer.add_event_handler(Events.ITERATION_STARTED(once=at), receive, number)
    workflow.run()


def test_status_says_that_a_run_is_finished(tmp_path):
    build(tmp_path).run()

    found = status(tmp_path)
    assert (found["state"], found["reason"], found["exit_code"]) == ("finished", "all epochs are done", 0)
    assert (found["epoch"], found["max_epochs"], found["iteration"]) == (2, 2, 6)


@pytest.mark.parametrize(
    ("number", "exit_code"), [(signal.SIGHUP, 129), (signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGUSR1, 75)]
)
def test_a_signal_stops_it_at_the_next_safe_point_with_a_checkpoint(tmp_path, number, exit_code):
    workflow = build(tmp_path)

    run_and_receive(workflow, number)

    found = status(tmp_path)
    assert (found["state"], found["reason"]) == ("stopped", f"{number.name} received")
    assert found["exit_code"] == workflow.exit_code == exit_code
    assert workflow.checkpoint_store().steps() == [found["iteration"]] == [2]


def test_what_was_stopped_goes_on_to_the_end(tmp_path):
    stopped = build(tmp_path)
    run_and_receive(stopped, signal.SIGTERM)
    stopped.run_directory.close()
    workflow = build(tmp_path)

    assert workflow.resume()
    workflow.run()

    assert (status(tmp_path)["state"], status(tmp_path)["exit_code"], workflow.exit_code) == ("finished", 0, 0)


def test_status_says_why_a_run_failed(tmp_path):
    workflow = build(tmp_path)
    workflow.trainer.add_event_handler(Events.ITERATION_STARTED(once=2), lambda: 1 / 0)

    with pytest.raises(ZeroDivisionError):
        workflow.run()

    found = status(tmp_path)
    assert (found["state"], found["exit_code"]) == ("failed", 1)
    assert found["reason"].startswith("ZeroDivisionError: division by zero (in ")
    assert found["reason"].endswith(", at ITERATION_STARTED, iteration 2)")


@pytest.mark.parametrize(
    ("error", "code"), [(SystemExit(7), 7), (SystemExit(0), 1), (SystemExit(), 1), (KeyboardInterrupt(), 130)]
)
def test_a_handler_that_leaves_the_process_is_named_and_its_exit_code_is_not_0(tmp_path, caplog, error, code):
    def leave():
        raise error

    workflow = build(tmp_path)
    workflow.trainer.add_event_handler(Events.ITERATION_STARTED(once=2), leave)

    with pytest.raises(type(error)) as raised:
        workflow.run()

    assert status(tmp_path)["exit_code"] == getattr(raised.value, "code", 130) == code
    assert "leave, at ITERATION_STARTED, iteration 2" in caplog.text


@pytest.fixture
def unwritable(monkeypatch):
    """``unwritable()``: from then on nothing more can be written to ``status.json``."""

    def refuse(*_, **__):
        raise OSError(errno.EDQUOT, os.strerror(errno.EDQUOT))

    def begin():
        for name in ("replace_file", "replace_by"):
            monkeypatch.setattr(run_directory, name, refuse)

    return begin


def test_a_run_that_was_stopped_can_be_resumed_though_its_status_cannot_say_so(tmp_path, unwritable, caplog):
    workflow = build(tmp_path)
    workflow.trainer.add_event_handler(Events.ITERATION_STARTED(once=2), unwritable)

    run_and_receive(workflow, signal.SIGUSR1)

    assert (workflow.exit_code, status(tmp_path)["state"]) == (75, "running")
    assert "status.json: Disk quota exceeded; the run was stopped and can be resumed all the same" in caplog.text
    assert workflow.checkpoint_store().steps() == [2]


def test_a_run_whose_status_cannot_say_that_it_is_finished_has_failed(tmp_path, unwritable):
    workflow = build(tmp_path)
    workflow.trainer.add_event_handler(Events.COMPLETED, unwritable)

    with pytest.raises(CheckpointError, match=r"status.json: Disk quota exceeded; make room and go on with the same"):
        workflow.run()

    assert CheckpointError.exit_code == 1


@pytest.mark.parametrize("ends", [lambda: None, lambda: 1 / 0])
def test_the_handlers_of_signals_that_were_there_are_put_back(tmp_path, ends):
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1, signal.SIGHUP)]
    workflow = build(tmp_path)
    workflow.trainer.add_event_handler(Events.ITERATION_STARTED(once=2), ends)

    with suppress(ZeroDivisionError):
        workflow.run()

    after = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1, signal.SIGHUP)]
    assert after == before


def test_a_signal_that_is_ignored_stays_so(tmp_path):
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)

    try:
        run_and_receive(build(tmp_path), signal.SIGHUP)
    finally:
        signal.signal(signal.SIGHUP, before)

    assert status(tmp_path)["state"] == "finished"


def test_without_a_directory_ctrl_c_is_what_it_always_was():
    with pytest.raises(KeyboardInterrupt):
        run_and_receive(build(None), signal.SIGINT)


def test_runs_in_another_thread_without_touching_signals(tmp_path):
    workflow = build(tmp_path)
    thread = threading.Thread(target=workflow.run)

    thread.start()
    thread.join()

    assert status(tmp_path)["state"] == "finished"


def test_what_is_left_to_do_at_the_end_is_done_before_the_status_says_so(tmp_path):
    seen = []

    def finish():
        seen.append(status(tmp_path)["state"])
        receive(signal.SIGTERM)  # too late to stop anything
        return {"metrics": {"test/loss": 0.5}}

    build(tmp_path).run(finish)

    assert seen == ["running"]
    assert (status(tmp_path)["state"], status(tmp_path)["metrics"]) == ("finished", {"test/loss": 0.5})


@pytest.mark.parametrize("first", ["signal", "stop"])
def test_a_signal_beside_an_early_stop_breaks_off_what_is_measured_at_the_end(tmp_path, first):
    workflow = build(tmp_path)
    measured = EvaluationEngine(lambda *_: None, workflow.model, workflow.trainer)
    on = workflow.trainer.add_event_handler
    if first == "signal":
        on(Events.EPOCH_COMPLETED(once=1), receive, signal.SIGTERM)
    on(Events.EPOCH_COMPLETED(once=1), lambda: workflow.request_stop("good enough"))
    if first == "stop":
        on(Events.COMPLETED, receive, signal.SIGTERM)

    workflow.run(lambda: {"output": measured.run([1, 2]).output})

    assert (status(tmp_path)["state"], workflow.exit_code) == ("stopped", 143)
    assert (workflow.trainer.stop_request.reason, workflow.trainer.epochs_done) == ("good enough", 1)


@pytest.mark.parametrize("early", [False, True], ids=["all epochs", "stopped early"])
def test_a_signal_breaks_off_what_is_measured_at_the_end(tmp_path, early):
    workflow = build(tmp_path)
    measured = EvaluationEngine(lambda *_: receive(signal.SIGUSR1), workflow.model, workflow.trainer)
    if early:
        workflow.trainer.add_event_handler(Events.EPOCH_COMPLETED(once=1), lambda: workflow.request_stop("good enough"))

    workflow.run(lambda: {"output": measured.run([1, 2]).output})

    assert (status(tmp_path)["state"], workflow.exit_code, measured.state.iteration) == ("stopped", 75, 1)
    workflow.run_directory.close()
    resumed = build(tmp_path)
    assert resumed.resume()
    resumed.run(lambda: {"metrics": {"test/loss": 1.0}})
    assert (status(tmp_path)["state"], status(tmp_path)["epoch"]) == ("finished", 1 if early else 2)


def test_a_run_that_is_stopped_does_not_do_what_is_left_to_the_end(tmp_path):
    workflow = build(tmp_path)
    workflow.trainer.add_event_handler(Events.ITERATION_STARTED(once=2), receive, signal.SIGTERM)

    workflow.run(lambda: 1 / 0)

    assert status(tmp_path)["state"] == "stopped"


# Running again


def test_a_workflow_that_broke_off_does_not_go_on_behind_the_batch_it_lost(tmp_path):
    workflow = build(tmp_path)
    workflow.trainer.add_event_handler(Events.ITERATION_STARTED(once=2), lambda: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        workflow.run()

    with pytest.raises(ConfigError, match=r"broke off with an error, in mid-step: make a new workflow, resume"):
        workflow.run()


def test_a_finished_workflow_does_not_run_again_and_its_status_stays(tmp_path):
    workflow = build(tmp_path)
    workflow.run()

    with pytest.raises(ConfigError, match="this run is finished: all epochs are done"):
        workflow.run()

    assert status(tmp_path)["state"] == "finished"


def test_a_workflow_that_was_stopped_runs_on(tmp_path):
    workflow = build(tmp_path)
    run_and_receive(workflow, signal.SIGTERM)

    workflow.run()

    assert (status(tmp_path)["state"], workflow.trainer.state.iteration) == ("finished", 6)


# The best evaluation


def best(tmp_path, **options):
    workflow = scripted_workflow(tmp_path, train_losses=[0.0] * 3, **options)
    workflow.run()
    return status(tmp_path)["best"]


def test_the_best_evaluation_is_that_of_the_least_loss(tmp_path):
    found = best(tmp_path, loss=[3.0, 1.0, 2.0, 1.0])

    assert found == {"metric": "loss", "value": 1.0, "iteration": 6, "epoch": 2}


def test_or_that_of_the_metric_weights_are_selected_by(tmp_path):
    from ignite_workflow.handlers.best_weights import BestWeights

    handlers = {"best_weights": BestWeights(metric="accuracy", mode="max")}
    found = best(tmp_path, handlers=handlers, loss=[3.0, 1.0, 2.0], accuracy=[0.5, 0.6, 0.7])

    assert found == {"metric": "accuracy", "value": 0.7, "iteration": 9, "epoch": 3}


def test_values_that_are_not_finite_are_not_the_best(tmp_path):
    found = best(tmp_path, loss=[float("nan"), 5.0, float("-inf")])

    assert found["value"] == 5.0


def test_without_an_evaluation_there_is_no_best(tmp_path):
    assert best(tmp_path) is None


def test_the_first_signal_saves_though_a_limit_of_time_had_stopped_the_run_before(tmp_path):
    workflow = build(tmp_path)
    workflow.trainer.add_event_handler(Events.ITERATION_STARTED(once=2), workflow.request_stop, "limit", 75)

    run_and_receive(workflow, signal.SIGTERM)

    assert workflow.checkpoint_store().steps() == [2]
    assert status(tmp_path)["exit_code"] == 75


def test_a_signal_that_got_lost_in_start_up_stops_the_run(tmp_path, monkeypatch):
    monkeypatch.setattr(early_signals, "_received", [signal.SIGTERM])
    workflow = build(tmp_path)

    workflow.run()

    assert (status(tmp_path)["exit_code"], workflow.trainer.state.iteration) == (143, 0)
