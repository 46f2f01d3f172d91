"""How long the batches of a run take, measured on a few: those of an engine's last epoch."""

from __future__ import annotations

import os
import time

from ignite.engine import Events

from ignite_workflow.engine import WorkflowEngine

__all__ = ["Pace"]


class Pace:
    """Watches an engine whose loader has no workers, and says how fast it would be with some.

    Args:
        engine: that is yet to run.
    """

    def __init__(self, engine: WorkflowEngine) -> None:
        self.making = self.whole = 0.0
        self.batches = 0
        self._since = self._asked = 0.0
        engine.add_event_handler(Events.EPOCH_STARTED, self._start)
        engine.add_event_handler(Events.GET_BATCH_STARTED, self._ask)
        engine.add_event_handler(Events.GET_BATCH_COMPLETED, self._get)
        engine.add_event_handler(Events.ITERATION_COMPLETED, self._end)

    def seconds(self, workers: int) -> float:
        """Of a batch: workers make batches side by side, and beside what is computed with them.

        Args:
            workers: processes that make batches; 0: none.
        """
        making, whole = (part / max(self.batches, 1) for part in (self.making, self.whole))
        if not workers:
            return whole
        return max(whole - making, making / min(workers, os.cpu_count() or 1))

    def _start(self) -> None:
        self.making = self.whole = 0.0
        self.batches = 0
        self._since = time.monotonic()

    def _ask(self) -> None:
        self._asked = time.monotonic()

    def _get(self) -> None:
        self.making += time.monotonic() - self._asked

    def _end(self) -> None:
        self.batches += 1
        self.whole = time.monotonic() - self._since
