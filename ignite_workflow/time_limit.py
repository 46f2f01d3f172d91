"""A run that must end by a certain time stops so early that its last save is done by then."""

from __future__ import annotations

import logging
import statistics
import time
from collections import deque
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Self

from ignite.engine import Events

from ignite_workflow.early_signals import REQUEUE
from ignite_workflow.errors import ConfigError
from ignite_workflow.ticker import Ticker

if TYPE_CHECKING:
    from ignite_workflow.config import TrainConfig
    from ignite_workflow.engine import WorkflowEngine

__all__ = ["TimeLimit", "read_deadline"]

log = logging.getLogger(__name__)

_LOOK_SECONDS = 1.0
_SPARE_SECONDS = 2.0  # one of them until the next look
_BYTES_A_SECOND = 100e6  # of a slow disk: what a save is reckoned with before one was measured


class TimeLimit:
    """Requests a stop, with exit code 75, while there is still time to finish a step and to save.

    It looks at the clock in a thread of its own, once a second: a step costs nothing, and an evaluation is abandoned as
    it is for a signal. The time of a save and that of a step are measured in the run.

    Args:
        train: ``max_minutes`` and ``deadline`` are the limits.
        started: ``time.monotonic()`` at the moment that ``max_minutes`` counts from.

    Raises:
        ConfigError: the deadline is no point in time, or it is over.
    """

    def __init__(self, train: TrainConfig, started: float) -> None:
        self.limits: list[tuple[str, Callable[[], float], float]] = []
        self.accumulate = train.accumulate
        self._paces: deque[float] = deque(maxlen=100)  # seconds an iteration, between two looks
        self._seen, self._first = (0, 0.0), -1
        if train.max_minutes is not None:
            self.limits.append(
                (f"train.max_minutes: {train.max_minutes:g}", time.monotonic, started + train.max_minutes * 60)
            )
        if train.deadline is not None:
            end = read_deadline(train.deadline)
            if end <= time.time():
                raise ConfigError(f"train.deadline: {train.deadline} is over: there is no time to train in")
            self.limits.append((f"train.deadline: {train.deadline}", time.time, end))

    def attach(self, trainer: WorkflowEngine) -> None:
        """Watch the runs of ``trainer``."""
        self.trainer, trainer.time_limit = trainer, self
        self.ticker = Ticker(_LOOK_SECONDS, self.look, name="time limit")
        trainer.add_event_handler(Events.STARTED, self._start)
        for event in (Events.COMPLETED, Events.TERMINATE, Events.EXCEPTION_RAISED):
            trainer.add_event_handler(event, self._end)

    def _start(self) -> None:
        self._first = self.trainer.state.iteration
        self._seen = (self._first, time.monotonic())
        self.ticker.start()

    def _end(self, *_: object) -> None:
        self.ticker.stop()

    def __enter__(self) -> Self:
        """Watch what follows the training: measuring the splits must end by then too."""
        self.look()
        self.ticker.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.ticker.stop()

    def look(self) -> None:
        """Request the stop where it is time."""
        self._measure_pace()
        reason, left = self.nearest()
        if left <= self.needed() and self.trainer.stop_request is None:
            if self.trainer.state.iteration == self._first:
                log.warning("this start has not got on: one step, or one evaluation, takes longer than %s", reason)
            self.trainer.request_stop(f"{reason} is nearly over", REQUEUE)

    def nearest(self) -> tuple[str, float]:
        """The limit that comes first, and the seconds until then."""
        left = {name: end - clock() for name, clock, end in self.limits}
        name = min(left, key=left.__getitem__)
        return name, left[name]

    def needed(self) -> float:
        """Seconds to reserve for what is to be done after the stop request: a window of batches and a save, twice."""
        window = statistics.median(self._paces) * self.accumulate if self._paces else 0.0
        return 2 * (window + self._save_seconds()) + _SPARE_SECONDS

    def _save_seconds(self) -> float:
        workflow = self.trainer.workflow
        if workflow.run_directory is None:
            return 0.0
        measured: float = workflow.saver.seconds
        # weights, and two numbers for each that the optimizer keeps
        return measured or 3 * sum(weight.nbytes for weight in workflow.model.parameters()) / _BYTES_A_SECOND

    def _measure_pace(self) -> None:
        (before, since), now, iteration = self._seen, time.monotonic(), self.trainer.state.iteration
        if iteration > before:
            self._paces.append((now - since) / (iteration - before))
            self._seen = (iteration, now)


def read_deadline(deadline: str | int) -> float:
    """Seconds since 1970 of a point in time.

    Args:
        deadline: ISO 8601, of this machine's time zone where it names none; or seconds since 1970.

    Raises:
        ConfigError: it is neither.

    Example:
        >>> read_deadline("2026-03-01T12:00:00+01:00"), read_deadline("1772362800")
        (1772362800.0, 1772362800.0)
    """
    text = str(deadline)
    if text.isdecimal() and len(text) != 8:  # 20260301 is a day
        return float(text)
    try:
        return datetime.fromisoformat(text).timestamp()
    except ValueError:
        raise ConfigError(
            f"train.deadline: {text!r} is not a point in time: such as 2026-03-01T12:00, 2026-03-01T12:00:00+01:00, "
            "or seconds since 1970"
        ) from None
