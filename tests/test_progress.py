"""What a person sees of a training: lines in a pipe, lines and a bar on a terminal (a real one, of 40 columns)."""

import errno
import fcntl
import io
import logging
import os
import pty
import re
import struct
import sys
import termios
from contextlib import contextmanager, suppress
from types import SimpleNamespace

import pytest
from ignite.engine import Events

from ignite_workflow.handlers.loss_logging import LossLogging
from ignite_workflow.handlers.progress import Progress
from ignite_workflow.testing import scripted_workflow

COLUMNS = 40


def shown_workflow(**script):
    return scripted_workflow(handlers={"progress": Progress(), "loss_logging": LossLogging()}, **script)


def go_on(workflow, **counters):
    """Have the run stand where a checkpoint with those counters was taken."""
    state = workflow.trainer.state_dict() | {"max_epochs": 2, **counters}
    workflow.trainer.load_state_dict(state, restore=lambda: None)


@contextmanager
def terminal(columns=COLUMNS):
    """Makes stderr a terminal; afterwards ``text`` of what it gives is what was written there."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    screen = SimpleNamespace()
    with os.fdopen(slave, "w", encoding="utf-8") as stream, pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stderr", stream)
        yield screen
    screen.text = read_all(master).replace("\r\n", "\n")


def read_all(master):
    parts = []
    with suppress(OSError):  # how the end shows when the other side is closed
        while part := os.read(master, 65536):
            parts.append(part)
    os.close(master)
    return b"".join(parts).decode()


@pytest.fixture(params=["", "ignite_workflow"])
def logger(request):
    logger = logging.getLogger(request.param)
    handlers = list(logger.handlers)
    yield logger
    logger.handlers[:] = handlers


def lines_on(screen):
    """What stands on each line in the end: a carriage return writes over it."""
    return [line.rstrip("\r").rpartition("\r")[2] for line in screen.split("\n")]


def test_each_epoch_has_a_line_with_what_was_measured_in_it(capsys):
    shown_workflow(train_losses=[0.5, 0.25], loss=[0.2, 0.1], accuracy=[0.5, 0.75]).run()

    lines = capsys.readouterr().err.splitlines()
    assert re.fullmatch(r"epoch 1/2  train loss 0\.3750  val loss 0\.2000  val accuracy 0\.5000  \d+\.\d+ s", lines[1])
    assert re.fullmatch(r"epoch 2/2  train loss 0\.3750  val loss 0\.1000  val accuracy 0\.7500  \d+\.\d+ s", lines[2])


def test_an_epoch_without_evaluation_does_not_show_an_old_one(capsys):
    workflow = shown_workflow(loss=[0.2, 0.1], max_epochs=4)
    workflow.handlers["evaluation"].interval.number = 2
    workflow.run()

    assert ["val loss" in line for line in capsys.readouterr().err.splitlines()[1:5]] == [False, True, False, True]


def test_the_learning_rate_comes_last_and_without_a_split(capsys):
    workflow = shown_workflow(loss=[0.2])
    workflow.trainer.add_event_handler(Events.ITERATION_COMPLETED, lambda: workflow.record("train", "lr", 0.001))

    workflow.run()

    assert "val loss 0.2000  lr 0.001000  " in capsys.readouterr().err


def test_says_first_how_much_there_is_to_do(capsys):
    shown_workflow(train_losses=[0.0] * 3, max_epochs=1).run()

    assert capsys.readouterr().err.splitlines()[0] == "training 1 epoch of 3 batches on cpu"


def test_a_resumed_run_says_where_it_goes_on(capsys):
    workflow = shown_workflow(train_losses=[0.0] * 3, max_epochs=2)
    go_on(workflow, iteration=4, epoch_length=3)

    workflow.run()

    first, epoch, _ = capsys.readouterr().err.splitlines()
    assert first == "going on after iteration 4 of 6: 2 epochs of 3 batches on cpu"
    assert epoch.startswith("epoch 2/2")


def test_says_why_a_run_stopped(capsys):
    workflow = shown_workflow(train_losses=[0.0] * 3, max_epochs=2)
    workflow.request_stop("SIGTERM", 143)

    workflow.run()

    assert re.search(r"^stopped at iteration 0, in epoch 0, \d+\.\d+ s: SIGTERM$", capsys.readouterr().err, re.M)


def test_says_why_a_run_was_finished_before_its_last_epoch(capsys):
    workflow = shown_workflow(max_epochs=3)
    workflow.trainer.add_event_handler(Events.EPOCH_COMPLETED(once=2), lambda: workflow.request_stop("early stopping"))

    workflow.run()

    assert re.search(r"^finished after 2 epochs, \d+\.\d+ s: early stopping$", capsys.readouterr().err, re.M)


def test_a_pipe_gets_no_control_characters_and_stdout_nothing(capsys):
    workflow = shown_workflow(max_epochs=1)
    workflow.trainer.add_event_handler(
        Events.ITERATION_COMPLETED, lambda: workflow.record("train", "\x1b[31m\r\n", 1.0)
    )

    workflow.run()

    out, err = capsys.readouterr()
    assert out == ""
    assert err.replace("\n", "").isprintable()
    assert "train \\x1b[31m\\r\\n 1.000" in err


def test_without_a_terminal_an_iteration_costs_nothing(capsys):
    workflow = scripted_workflow(handlers={"progress": Progress()}, max_epochs=1)

    assert "ITERATION_COMPLETED" not in workflow.trainer.calls


class Unwritable(io.StringIO):
    """A log on a full disk, or a terminal that was closed."""

    def __init__(self, *, terminal):
        super().__init__()
        self.isatty = lambda: terminal

    def write(self, text):
        raise OSError(errno.EIO if self.isatty() else errno.ENOSPC, "cannot write")


@pytest.mark.parametrize("terminal", [False, True])
def test_what_cannot_be_shown_does_not_end_the_training(monkeypatch, terminal):
    monkeypatch.setattr(sys, "stderr", Unwritable(terminal=terminal))
    workflow = shown_workflow(max_epochs=2)

    workflow.run()

    assert workflow.trainer.epochs_done == 2


def test_a_terminal_shows_a_bar_that_fits_it_and_lines_that_stay():
    with terminal() as screen:
        shown_workflow(train_losses=[0.0] * 4, loss=[0.2, 0.1]).run()

    bars = [part for part in re.split(r"[\r\n]", screen.text) if "left" in part]
    assert bars[0].startswith("epoch 1/2    0% |          ")
    assert screen.text.rindex("left") < screen.text.index("finished")
    assert max(map(len, bars)) <= COLUMNS
    assert "\x1b" not in screen.text
    assert [re.split("  |, ", line)[0] for line in lines_on(screen.text)] == [
        "training 2 epochs of 4 batches on cpu", "epoch 1/2", "epoch 2/2", "finished after 2 epochs", "",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("columns", "values"),
    [
        (90, ["train loss 0.5000", "val loss 0.2000", "val accuracy 0.5000", "lr 0.001000", "0.00 s"]),
        (80, ["train loss 0.5000", "val loss 0.2000", "val accuracy 0.5000", "0.00 s"]),
        (70, ["train loss 0.5000", "val loss 0.2000", "val accuracy 0.5000"]),
        (60, ["train loss 0.5000", "val loss 0.2000"]),
        (40, ["train loss 0.5000"]),
        (10, []),
    ],
)
def test_on_a_terminal_a_line_leaves_out_what_does_not_fit(columns, values):
    with terminal(columns) as screen:
        workflow = shown_workflow(train_losses=[0.5], loss=[0.2], accuracy=[0.5])
        workflow.trainer.add_event_handler(Events.ITERATION_COMPLETED, lambda: workflow.record("train", "lr", 0.001))
        workflow.run()

    [line] = [line for line in lines_on(screen.text) if line.startswith("epoch")]
    name, *shown = re.sub(r"[\d.]+ s$", "0.00 s", line).split("  ")
    assert (name, shown) == ("epoch 1/1", values)
    assert len(line) < max(columns, 10)


def test_the_bar_of_a_resumed_run_starts_where_the_run_does():
    with terminal() as screen:
        workflow = shown_workflow(train_losses=[0.0] * 2, max_epochs=2)
        go_on(workflow, iteration=2, epoch_length=2)
        workflow.run()

    assert "epoch 2/2   50% |" in screen.text
    assert "  0% |" not in screen.text


def test_what_is_logged_stands_above_the_bar(logger):
    with terminal() as screen:
        handler = logging.StreamHandler(sys.stderr)
        logger.addHandler(handler)
        workflow = shown_workflow(train_losses=[0.0] * 4, max_epochs=1)
        workflow.trainer.add_event_handler(Events.ITERATION_COMPLETED(once=2), lambda: logger.warning("disk full"))
        workflow.run()
        assert handler.stream is sys.stderr

    assert "disk full" in lines_on(screen.text)


def test_after_a_failure_the_bar_is_gone_and_the_log_as_before(logger):
    with terminal() as screen:
        handler = logging.StreamHandler(sys.stderr)
        logger.addHandler(handler)
        workflow = shown_workflow(train_losses=[0.0] * 4, max_epochs=1)
        workflow.trainer.add_event_handler(Events.ITERATION_COMPLETED(once=2), lambda: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            workflow.run()
        assert handler.stream is sys.stderr

    assert lines_on(screen.text)[-1].strip() == ""


def test_a_finished_run_started_again_says_only_that(capsys):
    workflow = shown_workflow(max_epochs=2)
    go_on(workflow, iteration=1, epoch_length=1, finished="early stopping")

    workflow.run()

    assert capsys.readouterr().err == "nothing left to do: finished after 1 epoch: early stopping\n"
