"""Notice a run that no longer gets on: say where it hangs, and end it where it is told to."""

from __future__ import annotations

import faulthandler
import logging
import os
import statistics
import time
from collections import deque
from dataclasses import dataclass
from typing import Any

from ignite.engine import Events

from ignite_workflow import ConfigError, Handler, RunDirectoryError, Ticker, Workflow, format_seconds

__all__ = ["Watchdog"]

log = logging.getLogger(__name__)

_REQUEUE = 75  # stopped, please start again
_LOOK_SECONDS = 5.0
_SHOWN = 8  # row numbers on a line
_BETWEEN_STEPS = ("STARTED", "EPOCH_STARTED", "RESTORED", "SAFE_POINT", "GET_BATCH_STARTED")
_EVALUATING = ("EPOCH_COMPLETED", "WINDOW_COMPLETED")


@dataclass
class Watchdog(Handler):
    """Say where a run hangs: the stacks of all threads go to ``hang.txt``, one line with the batch's rows to the log.

    It hangs when neither training nor evaluation has got on for ``times`` the median time of a step, and for
    ``minutes`` at least. Looked at every 5 s, by a thread of its own; a hang is told once. Time in which the process
    itself was stopped does not count.

    Args:
        times: the median time of a step.
        minutes: the least time that is a hang: a first batch may have to be compiled, a network disk may pause.
        stop: end the process with exit code 75; the run goes on from its last checkpoint when it is started again.
            False: wait on.

    Raises:
        ConfigError: at construction, for a number that is not positive.
    """

    times: float = 100.0
    minutes: float = 10.0
    stop: bool = False

    after = ()
    observer = True
    needs_directory = True

    def __post_init__(self) -> None:
        for name in ("times", "minutes"):
            if not getattr(self, name) > 0:
                raise ConfigError(f"watchdog: {name} must be positive, got {getattr(self, name)}")
        self.ticker = Ticker(_LOOK_SECONDS, self.look, name="watchdog")
        self.steps: deque[float] = deque(maxlen=100)  # seconds a step, between two looks
        self.told = False

    def attach(self, workflow: Workflow) -> None:
        assert workflow.run_directory is not None
        self.workflow, self.directory = workflow, workflow.run_directory
        workflow.trainer.add_event_handler(Events.STARTED, self.start)

    def start(self) -> None:
        self.mark, self.since = self.position(), time.monotonic()
        self.looked = self.since
        self.ticker.start()

    def position(self) -> tuple[Any, ...]:
        """What differs whenever the run has got on."""
        engines = (self.workflow.trainer, self.workflow.evaluator)
        return tuple((engine.state.iteration, str(engine.last_event_name)) for engine in engines)

    def look(self) -> None:
        mark, now = self.position(), time.monotonic()
        missed = now - self.looked - self.ticker.seconds
        if missed > _LOOK_SECONDS:  # this process was stopped, or the laptop shut: nothing could get on
            self.since += missed
        self.looked = now
        waited = now - self.since
        if mark != self.mark:
            if self.told:
                log.warning("the run goes on, after %s", format_seconds(waited))
            steps = mark[0][0] - self.mark[0][0]
            if steps > 0:
                self.steps.append(waited / steps)
            self.mark, self.since, self.told = mark, now, False
        elif not self.told and waited > self.limit():
            self.told = True
            self.report(waited)

    def limit(self) -> float:
        """Seconds without getting on that are a hang."""
        return max(self.minutes * 60, self.times * statistics.median(self.steps) if self.steps else 0.0)

    def report(self, waited: float) -> None:
        file = self.directory.path / "hang.txt"
        line = f"no progress for {format_seconds(waited)}: {self.where()}; all stacks are in {file}"
        try:
            with file.open("a") as stacks:
                stacks.write(f"{time.strftime('%Y-%m-%dT%H:%M:%S%z')} {line}\n")
                stacks.flush()
                faulthandler.dump_traceback(stacks, all_threads=True)
        except OSError as error:
            log.warning("cannot write %s: %s", file, error.strerror)
        log.warning("%s; %s", line, "the process ends" if self.stop else "waiting on")
        if self.stop:
            self.leave(f"hung: {line}")

    def leave(self, reason: str) -> None:
        try:
            self.directory.update_status("stopped", reason=reason, exit_code=_REQUEUE)
        except RunDirectoryError as error:
            log.warning("%s", error)
        os._exit(_REQUEUE)  # what hangs cannot be asked to end

    def where(self) -> str:
        """What the run is at, with the rows of the batch where they are known."""
        workflow = self.workflow
        state, last = workflow.trainer.state, getattr(workflow.trainer.last_event_name, "name", "the start")
        length = state.epoch_length or 1
        if last in _EVALUATING and workflow.evaluator.state.epoch_length:
            batch = workflow.evaluator.state.iteration
            rows = _rows(workflow.val_loader, 1, max(batch - 1, 0))
            return f"evaluation at iteration {state.iteration}, batch {batch}{rows}"
        if last in _BETWEEN_STEPS:
            rows = _rows(workflow.train_loader, state.epoch, state.iteration % length)
            return f"waiting for the batch of iteration {state.iteration + 1}{rows}"
        rows = _rows(workflow.train_loader, state.epoch, (state.iteration - 1) % length)
        return f"iteration {state.iteration}, after {last}{rows}"

    def close(self) -> None:
        self.ticker.stop()


def _rows(loader: Any, epoch: int, batch: int) -> str:
    """The rows of a batch as text; empty where the loader does not tell."""
    rows_of = getattr(getattr(loader, "dataset", None), "rows", None)
    if rows_of is None:
        return ""
    rows = rows_of(epoch, batch)
    more = f" and {len(rows) - _SHOWN} more" if len(rows) > _SHOWN else ""
    return f" (rows {', '.join(map(str, rows[:_SHOWN]))}{more})"
