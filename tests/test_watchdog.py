import json
import logging
import os
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from ignite.engine import Events
from torch.nn.functional import mse_loss
from torch.utils.data import DataLoader, TensorDataset

from ignite_workflow import ConfigError, TrainConfig, Workflow
from ignite_workflow.handlers import watchdog as watchdog_module
from ignite_workflow.handlers.watchdog import Watchdog
from ignite_workflow.testing import scripted_workflow

PATIENCE = 300
DATA = TensorDataset(torch.zeros(12, 1), torch.zeros(12, 1))
QUIET = dict.fromkeys(("progress", "tensorboard", "curve_export"), False)


@pytest.fixture(autouse=True)
def clock(monkeypatch):
    """The watchdog's, which stands still where no test lets it go: no step is ever slow."""
    clock = SimpleNamespace(now=0.0, monotonic=lambda: clock.now, strftime=time.strftime)
    monkeypatch.setattr(watchdog_module, "time", clock)
    return clock


def watchdog(**options):
    handler = Watchdog(**{"minutes": 0.0005, **options})
    handler.ticker.seconds = 0.001
    return handler


def build(directory, handler):
    model = torch.nn.Linear(1, 1)
    return Workflow.from_parts(
        model,
        torch.optim.SGD(model.parameters(), lr=0.1),
        mse_loss,
        DataLoader(DATA, batch_size=4),
        DataLoader(DATA, batch_size=10),
        train=TrainConfig(max_epochs=2, device="cpu"),
        handlers={**QUIET, "watchdog": handler},
        run_directory=directory,
    )


def hang(handler):
    """Until the watchdog has barked, and some looks longer: it barks once."""
    end = time.monotonic() + PATIENCE
    while not handler.told and time.monotonic() < end:
        watchdog_module.time.now += 0.01
        time.sleep(0.001)
    watchdog_module.time.now += 1
    time.sleep(0.05)


def lines(caplog):
    return [message for message in caplog.messages if "no progress" in message]


def test_a_step_that_hangs_is_told_once_with_its_rows_and_the_run_goes_on(tmp_path, caplog):
    handler = watchdog()
    workflow = build(tmp_path, handler)
    workflow.trainer.add_event_handler(Events.ITERATION_STARTED(once=5), hang, handler)

    workflow.run()

    [line] = lines(caplog)
    assert "iteration 5, after ITERATION_STARTED (rows 4, 5, 6, 7); all stacks are in" in line
    assert line.endswith("hang.txt; waiting on")
    assert workflow.exit_code == 0


def test_the_stacks_say_where(tmp_path):
    handler = watchdog()
    workflow = build(tmp_path, handler)
    workflow.trainer.add_event_handler(Events.ITERATION_STARTED(once=2), hang, handler)

    workflow.run()

    text = (tmp_path / "hang.txt").read_text()
    assert "no progress for" in text
    assert "in hang" in text
    assert "in train_step" not in text


def test_a_hang_between_steps_names_the_batch_that_is_waited_for(tmp_path, caplog):
    handler = watchdog()
    workflow = build(tmp_path, handler)
    workflow.trainer.add_event_handler(Events.GET_BATCH_STARTED(once=2), hang, handler)

    workflow.run()

    assert "waiting for the batch of iteration 3 (rows 8, 9, 10, 11)" in lines(caplog)[0]


def test_a_hang_in_an_evaluation_names_its_batch(tmp_path, caplog):
    handler = watchdog()
    workflow = build(tmp_path, handler)
    workflow.evaluator.add_event_handler(Events.ITERATION_STARTED(once=1), hang, handler)

    workflow.run()

    assert "evaluation at iteration 3, batch 1 (rows 0, 1, 2, 3, 4, 5, 6, 7 and 2 more)" in lines(caplog)[0]


def test_that_it_goes_on_is_told_too(tmp_path, caplog):
    caplog.set_level(logging.INFO)
    handler = watchdog()
    workflow = scripted_workflow(tmp_path, handlers={"watchdog": handler}, loss=[0.0] * 3)
    handler.start()
    hang(handler)

    workflow.trainer.state.iteration = 1
    end = time.monotonic() + PATIENCE
    while handler.told and time.monotonic() < end:
        time.sleep(0.001)
    workflow.close()

    assert caplog.messages[-1].startswith("the run goes on, after ")


def test_long_steps_are_no_hang():
    handler = Watchdog(times=10, minutes=1)
    handler.steps.extend([20.0, 30.0, 9000.0])

    assert handler.limit() == 300


def test_short_steps_have_a_least_time():
    handler = Watchdog(times=10, minutes=1)
    handler.steps.append(0.001)

    assert handler.limit() == 60


HANGS = """
import sys, time
from pathlib import Path
from ignite.engine import Events
from ignite_workflow.handlers.watchdog import Watchdog
from ignite_workflow.testing import scripted_workflow
handler = Watchdog(minutes=0.0005, stop=True)
handler.ticker.seconds = 0.001
workflow = scripted_workflow(Path(sys.argv[1]), handlers={"watchdog": handler}, loss=[0.0] * 3)
workflow.trainer.add_event_handler(Events.ITERATION_STARTED(once=2), lambda: time.sleep(60))
workflow.run()
"""


def test_ends_a_process_that_hangs_to_be_started_again_where_it_is_told_to(tmp_path):
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent)}

    done = subprocess.run(
        [sys.executable, "-c", HANGS, tmp_path], env=environment, capture_output=True, text=True, check=False
    )

    status = json.loads((tmp_path / "status.json").read_text())
    assert done.returncode == 75
    assert (status["state"], status["exit_code"]) == ("stopped", 75)
    assert status["reason"].startswith("hung: no progress for ")
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("options", [{"times": 0.0}, {"minutes": -1.0}])
def test_a_number_out_of_range_is_refused(options):
    with pytest.raises(ConfigError, match=r"watchdog: (times|minutes) must be positive, got"):
        Watchdog(**options)


def test_time_in_which_the_process_was_stopped_is_no_hang(tmp_path, monkeypatch):
    """A laptop that was shut for an hour: the thread looks before training has had time to get on."""
    clock = iter([0.0, 5.0, 3605.0, 3610.0])
    handler = Watchdog(minutes=1)
    handler.ticker.seconds = 5.0
    handler.ticker.start = lambda: None
    handler.position = lambda: ((1, "STARTED"),)
    monkeypatch.setattr(watchdog_module, "time", SimpleNamespace(monotonic=lambda: next(clock)))
    handler.start()
    for _ in range(3):
        handler.look()

    assert not handler.told
