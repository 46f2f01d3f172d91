"""Show how far the training is."""

from __future__ import annotations

import logging
import os
import sys
import time
from bisect import bisect_left
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from operator import attrgetter
from typing import TextIO

from ignite.engine import Events
from tqdm import tqdm

from ignite_workflow import Handler, Workflow, format_number, format_seconds, printable

__all__ = ["Progress"]

_BAR = "{desc}  {percentage:3.0f}% |{bar}| {remaining} left"  # fits 40 columns


@dataclass
class Progress(Handler):
    """Write a line an epoch to stderr: the newest value of everything recorded in it, and how long it took.

    On a terminal a bar for the whole run stands below the lines, and what does not fit on a line is left out: the
    learning rate first, then the time, then the metrics from the last one on. Elsewhere there are whole lines only,
    without control characters, and an iteration costs nothing.
    """

    after = ("evaluation", "loss_logging", "lr_schedule")
    observer = True

    def __post_init__(self) -> None:
        self.bar: _Bar | None = None
        self.redirected: list[tuple[logging.StreamHandler[TextIO], TextIO]] = []

    def attach(self, workflow: Workflow) -> None:
        self.workflow = workflow
        self.on_terminal = sys.stderr.isatty()
        trainer = workflow.trainer
        trainer.add_event_handler(Events.STARTED, self.start)
        trainer.add_event_handler(Events.EPOCH_STARTED, self.start_epoch)
        if self.on_terminal:
            trainer.add_event_handler(Events.ITERATION_COMPLETED, self.advance)
        trainer.add_event_handler(Events.EPOCH_COMPLETED, self.show_epoch)
        trainer.add_event_handler(Events.COMPLETED, self.show_end)
        trainer.add_event_handler(Events.TERMINATE, self.show_end)

    def start(self) -> None:
        trainer, state = self.workflow.trainer, self.workflow.trainer.state
        assert state.epoch_length is not None  # both are known since before STARTED
        assert state.max_epochs is not None
        self.started = self.epoch_started = time.monotonic()
        self.had_finished = trainer.finished
        if self.had_finished:
            return
        epochs, batches = _count(state.max_epochs, "epoch", "epochs"), _count(state.epoch_length, "batch", "batches")
        self.total = state.max_epochs * state.epoch_length
        done = f"going on after iteration {state.iteration} of {self.total}:" if state.iteration else "training"
        self.say(f"{done} {epochs} of {batches} on {self.workflow.device}")

    def start_epoch(self) -> None:
        self.epoch_started = time.monotonic()
        if self.bar is not None:
            self.bar.set_description_str(self.epoch_name(), refresh=False)
        elif self.on_terminal:
            self.bar = _Bar(total=self.total, initial=self.workflow.trainer.state.iteration, desc=self.epoch_name())
            self.redirect_logging()

    def advance(self) -> None:
        assert self.bar is not None
        self.bar.update()

    def show_epoch(self) -> None:
        values = [f"{name} {format_number(value)}" for name, value in self.measured().items()]
        seconds = format_seconds(time.monotonic() - self.epoch_started)
        self.say("  ".join(_fitting([self.epoch_name(), *values, seconds], self.width())))

    def show_end(self) -> None:
        self.close()
        trainer, stop = self.workflow.trainer, self.workflow.trainer.stop_request
        seconds = format_seconds(time.monotonic() - self.started)
        why = f": {stop.reason}" if stop is not None else ""
        if self.had_finished:
            self.say(f"nothing left to do: finished after {_count(trainer.state.epoch, 'epoch', 'epochs')}{why}")
        elif trainer.finished:
            self.say(f"finished after {_count(trainer.state.epoch, 'epoch', 'epochs')}, {seconds}{why}")
        else:
            self.say(f"stopped at iteration {trainer.state.iteration}, in epoch {trainer.state.epoch}, {seconds}{why}")

    def width(self) -> int | None:
        """The columns of the terminal; None where there is none, or it does not say."""
        if not self.on_terminal:
            return None
        with suppress(OSError):
            return os.get_terminal_size(sys.stderr.fileno()).columns or None
        return None

    def epoch_name(self) -> str:
        state = self.workflow.trainer.state
        return f"epoch {state.epoch:{len(str(state.max_epochs))}}/{state.max_epochs}"

    def measured(self) -> Mapping[str, float]:
        """The newest value of each name recorded in this epoch: training first, learning rate last."""
        rows = self.workflow.records.rows
        first = bisect_left(rows, self.workflow.trainer.state.epoch, key=attrgetter("epoch"))
        newest = {(row.split, row.name): row.value for row in rows[first:]}
        return {
            printable(name if name == "lr" else f"{split} {name}"): newest[split, name]
            for split, name in sorted(newest, key=_place)
        }

    def say(self, line: str) -> None:
        stream = sys.stderr if self.bar is None else _AboveBar(sys.stderr)
        with suppress(OSError):  # nobody reads it any more, or the log's disk is full: no reason to end the training
            stream.write(line + "\n")

    def redirect_logging(self) -> None:
        """Have what is logged to the terminal appear above the bar, not in it."""
        for logger in (logging.getLogger(), logging.getLogger("ignite_workflow")):
            for handler in logger.handlers:
                if isinstance(handler, logging.StreamHandler) and handler.stream in (sys.stderr, sys.stdout):
                    self.redirected.append((handler, handler.stream))
                    handler.setStream(_AboveBar(handler.stream))

    def close(self) -> None:
        for handler, stream in self.redirected:
            handler.setStream(stream)
        self.redirected.clear()
        if self.bar is not None:
            self.bar.close()
            self.bar = None


class _Bar(tqdm):  # type: ignore[type-arg] # generic in its stubs only
    monitor_interval = 0  # no thread that watches: every update looks at the clock

    def __init__(self, *, total: int, initial: int, desc: str) -> None:
        super().__init__(
            total=total, initial=initial, desc=desc, bar_format=_BAR, file=sys.stderr, leave=False, dynamic_ncols=True,
            miniters=1, smoothing=0,
        )  # fmt: skip


class _AboveBar:
    """A stream whose text appears above the bar."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream

    def write(self, text: str) -> None:
        with _Bar.external_write_mode(file=self.stream):
            self.stream.write(text)

    def flush(self) -> None:
        self.stream.flush()


def _fitting(parts: list[str], columns: int | None) -> list[str]:
    """The parts of an epoch's line that fit, two blanks apart: its name, values (the learning rate last), the time."""
    least = [part for part in parts if part.startswith("lr ")] + parts[-1:] + parts[:0:-1]
    kept = list(parts)
    for part in least:
        if columns is None or len("  ".join(kept)) < columns:  # a full line would wrap on some terminals
            break
        if part in kept:
            kept.remove(part)
    return kept


def _place(curve: tuple[str, str]) -> tuple[bool, bool]:
    split, name = curve
    return name == "lr", split != "train"


def _count(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"
