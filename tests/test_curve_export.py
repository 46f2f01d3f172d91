import errno
import importlib
import logging
import random
import sys
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from ignite.engine import Events

from ignite_workflow.handlers import curve_export
from ignite_workflow.handlers.curve_export import CurveExport
from ignite_workflow.handlers.loss_logging import LossLogging
from ignite_workflow.testing import scripted_workflow

PICTURES = {"curves.svg": b"<?xml", "curves.png": b"\x89PNG"}


def exported_workflow(directory, **script):
    return scripted_workflow(
        directory, handlers={"curve_export": CurveExport(), "loss_logging": LossLogging()}, **script
    )


def fail(*_, **__):
    raise OSError(errno.ENOSPC, "No space left on device")


@pytest.fixture
def clock(monkeypatch):
    """A clock that tests set, and in ``drawings`` when the curves were written."""
    clock = SimpleNamespace(now=1000.0, drawings=[], drawing_takes=0.0)

    def write(handler):
        clock.drawings.append(clock.now - 1000)
        clock.now += clock.drawing_takes

    monkeypatch.setattr(curve_export, "time", SimpleNamespace(monotonic=lambda: clock.now))
    monkeypatch.setattr(CurveExport, "write", write)
    return clock


def let_pass(clock, seconds):
    clock.now += seconds


def test_leaves_a_table_and_two_pictures(tmp_path):
    exported_workflow(tmp_path, loss=[0.2, 0.1]).run()

    assert {name: (tmp_path / name).read_bytes()[:5].rstrip(b"\r") for name in PICTURES} == PICTURES
    assert (tmp_path / "curves.csv").exists()


def test_the_table_has_a_row_an_iteration_and_a_column_a_curve(tmp_path):
    workflow = exported_workflow(tmp_path, train_losses=[0.5, 0.25], loss=[0.2, float("nan")], accuracy=[0.5, 1 / 3])
    workflow.trainer.add_event_handler(Events.ITERATION_COMPLETED(once=1), lambda: workflow.record("train", "lr", 0.1))

    workflow.run()

    assert (tmp_path / "curves.csv").read_text().splitlines() == [
        "iteration,epoch,train/lr,train/loss,val/loss,val/accuracy",
        "1,1,0.1,,,",
        "2,1,,0.375,0.2,0.5",
        "4,2,,0.375,nan,0.3333333333333333",
    ]


def test_what_an_epoch_recorded_is_known_when_its_curves_are_drawn(tmp_path):
    assert list(exported_workflow(tmp_path, loss=[0.2]).handlers) == ["evaluation", "loss_logging", "curve_export"]


def test_a_run_that_records_nothing_leaves_nothing(tmp_path):
    scripted_workflow(tmp_path, handlers={"curve_export": CurveExport()}, max_epochs=1).run()

    assert not list(tmp_path.glob("curves*"))


def test_draws_every_thirty_seconds_at_most_and_at_the_end(tmp_path, clock):
    workflow = exported_workflow(tmp_path, max_epochs=8)
    workflow.trainer.add_event_handler(Events.ITERATION_STARTED, let_pass, clock, 10)

    workflow.run()

    assert clock.drawings == [30, 60, 80]


def test_drawing_takes_a_hundredth_of_the_time_at_most(tmp_path, clock):
    clock.drawing_takes = 2
    workflow = exported_workflow(tmp_path, max_epochs=50)
    workflow.trainer.add_event_handler(Events.ITERATION_STARTED, let_pass, clock, 10)

    workflow.run()

    assert clock.drawings == [30, 30 + 2 + 200, 30 + 2 + 200 + 2 + 200, 500 + 3 * 2]


@pytest.mark.parametrize("part", ["draw_curves", "figure_bytes"])
def test_a_drawing_that_fails_is_a_warning(tmp_path, monkeypatch, caplog, part):
    monkeypatch.setattr(curve_export, part, fail)
    workflow = exported_workflow(tmp_path, max_epochs=2)

    workflow.run()

    assert workflow.trainer.finished
    [warning] = [record for record in caplog.records if record.levelno == logging.WARNING]
    assert warning.getMessage() == "curves not written: OSError: [Errno 28] No space left on device"


@pytest.mark.parametrize(("error", "drawings"), [(RuntimeError, 1), (KeyboardInterrupt, 0)])
def test_a_failed_run_has_its_curves_and_an_interrupted_one_does_not_wait(tmp_path, clock, error, drawings):
    def fail_in_second_epoch():
        raise error

    workflow = exported_workflow(tmp_path, max_epochs=3)
    workflow.trainer.add_event_handler(Events.ITERATION_COMPLETED(once=2), fail_in_second_epoch)

    with pytest.raises(error):
        workflow.run()

    assert len(clock.drawings) == drawings


def test_a_stopped_run_has_its_curves(tmp_path, clock):
    workflow = exported_workflow(tmp_path, max_epochs=3)
    workflow.trainer.add_event_handler(Events.EPOCH_COMPLETED(once=1), workflow.request_stop, "time limit", 75)

    workflow.run()

    assert len(clock.drawings) == 1


def test_nothing_heavy_is_imported_before_the_first_drawing(tmp_path, monkeypatch, caplog):
    for name in [name for name in sys.modules if name.partition(".")[0] == "matplotlib"]:
        monkeypatch.setitem(sys.modules, name, None)  # importing it fails
    for name in ("pictures", "curve_picture", "handlers.curve_export"):
        importlib.reload(importlib.import_module(f"ignite_workflow.{name}"))
    workflow = exported_workflow(tmp_path, max_epochs=1)
    warnings_before_the_end = []
    workflow.trainer.add_event_handler(Events.EPOCH_COMPLETED, lambda: warnings_before_the_end.extend(caplog.records))

    workflow.run()

    assert warnings_before_the_end == []
    assert "curves not written: ModuleNotFoundError" in caplog.text


def random_states():
    return random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state().tolist()


def test_drawing_draws_no_random_numbers(tmp_path):
    workflow = exported_workflow(tmp_path, loss=[0.2])
    workflow.run()
    before = random_states()

    workflow.handlers["curve_export"].write()

    assert random_states() == before
