"""Keep status.json current."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from typing import Any

from ignite.engine import Events

from ignite_workflow import ConfigError, Handler, RunDirectoryError, Ticker, Workflow

__all__ = ["StatusFile"]

log = logging.getLogger(__name__)

_HEARTBEAT_SECONDS = 10.0


@dataclass
class StatusFile(Handler):
    """Write epoch, iteration, the best evaluation and the newest metrics to ``status.json`` while the run goes on.

    Every 10 s, however long a step takes, a thread adds ``heartbeat``: at which iteration the run is, and when it was
    last seen to get on, in training or evaluation.

    Args:
        seconds: the least time between two writes, at the ends of epochs.

    Raises:
        ConfigError: at construction, for a negative time.
    """

    seconds: float = 2.0

    after = ("evaluation", "loss_logging")
    observer = True
    needs_directory = True

    def __post_init__(self) -> None:
        if not self.seconds >= 0:
            raise ConfigError(f"status_file: seconds must not be negative, got {self.seconds}")
        self.written = 0.0
        self.ticker = Ticker(_HEARTBEAT_SECONDS, self.beat, name="heartbeat")

    def attach(self, workflow: Workflow) -> None:
        assert workflow.run_directory is not None
        self.workflow, self.directory = workflow, workflow.run_directory
        workflow.trainer.add_event_handler(Events.STARTED, self.start)
        workflow.trainer.add_event_handler(Events.EPOCH_COMPLETED, self.write)

    def start(self) -> None:
        self.seen = (0, 0, "")
        self.ticker.start()

    def write(self) -> None:
        now = time.monotonic()
        if now - self.written < self.seconds:
            return
        self.written = now
        epoch = self.workflow.trainer.state.epoch  # its handlers are not all done, but nothing of it is left to train
        self.update({**self.workflow.progress(), "epoch": epoch})

    def beat(self) -> None:
        """Say that the process lives, and when the run was last seen to get on."""
        trainer, evaluator = self.workflow.trainer, self.workflow.evaluator
        seen = (trainer.state.iteration, evaluator.state.iteration, str(trainer.last_event_name))
        if seen != self.seen:
            self.seen, self.got_on = seen, time.strftime("%Y-%m-%dT%H:%M:%S%z")
        self.update({"heartbeat": {"iteration": seen[0], "got_on": self.got_on}})

    def update(self, details: dict[str, Any]) -> None:
        try:
            self.directory.update_status("running", **details)
        except RunDirectoryError as error:
            log.warning("%s; training goes on", error)

    def close(self) -> None:
        self.ticker.stop()
