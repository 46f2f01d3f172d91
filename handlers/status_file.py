"""Keep status.json current."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass

from ignite.engine import Events

from ignite_workflow import ConfigError, Handler, RunDirectoryError, Workflow

__all__ = ["StatusFile"]

log = logging.getLogger(__name__)


@dataclass
class StatusFile(Handler):
    """Write epoch, iteration and the newest metrics to ``status.json``, for whoever watches the run.

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
        if self.seconds < 0:
            raise ConfigError(f"status_file: seconds must not be negative, got {self.seconds}")
        self.written = 0.0

    def attach(self, workflow: Workflow) -> None:
        assert workflow.run_directory is not None
        self.workflow, self.directory = workflow, workflow.run_directory
        workflow.trainer.add_event_handler(Events.EPOCH_COMPLETED, self.write)

    def write(self) -> None:
        now = time.monotonic()
        if now - self.written < self.seconds:
            return
        self.written = now
        state = self.workflow.trainer.state
        newest = {split: self.workflow.records.last(split) for split in ("train", "val")}
        metrics = {f"{split}/{name}": value for split, values in newest.items() for name, value in values.items()}
        try:
            self.directory.update_status("running", epoch=state.epoch, iteration=state.iteration, metrics=metrics)
        except RunDirectoryError as error:
            log.warning("%s; training goes on", error)
