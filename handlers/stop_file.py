"""Stop a run by a file: from another machine, or from whatever can write a file but send no signal."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ignite.engine import Events

from ignite_workflow import ConfigError, Handler, Ticker, Workflow

__all__ = ["StopFile"]

_REQUEUE = 75  # stopped, please start again


@dataclass
class StopFile(Handler):
    """Stop the run, with exit code 75, when a file of that name appears in its directory.

    It is looked for once a second, in evaluations too, by a thread of its own. The next start removes it.

    Args:
        name: of the file: letters, digits, ``-`` and ``_``, so that it is none of the run's own.

    Raises:
        ConfigError: at construction, for another name.
    """

    name: str = "stop"

    after = ()
    observer = True
    needs_directory = True

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[\w-]+", self.name, re.ASCII):
            raise ConfigError(f"stop_file: name must be of letters, digits, - and _, got {self.name!r}")
        self.ticker = Ticker(1.0, self.look, name="stop file")

    def attach(self, workflow: Workflow) -> None:
        assert workflow.run_directory is not None
        self.workflow = workflow
        self.file = workflow.run_directory.path / self.name
        workflow.trainer.add_event_handler(Events.STARTED, self.start)

    def start(self) -> None:
        if self.file.is_file():
            self.file.unlink()
        self.ticker.start()

    def look(self) -> None:
        if self.file.is_file():
            self.workflow.request_stop(f"{self.file} is there", _REQUEUE)

    def close(self) -> None:
        self.ticker.stop()
