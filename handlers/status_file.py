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
    """Write epoch, iteration, the best evaluation and the newest metrics to ``status.json`` while the run goes on.

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
        epoch = self.workflow.trainer.state.epoch  # its handlers are not all done, but nothing of it is left to train
        try:
            self.directory.update_status("running", **{**self.workflow.progress(), "epoch": epoch})
        except RunDirectoryError as error:
            log.warning("%s; training goes on", error)
