"""Save checkpoints: the newest to resume from, or the best by a metric."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from ignite.engine import Events

from ignite_workflow import (
    CheckpointError,
    ConfigError,
    DivergedError,
    Handler,
    Interval,
    Workflow,
    WorkflowEvents,
    is_better,
)

__all__ = ["Checkpointing"]

log = logging.getLogger(__name__)

_RETRY_SECONDS = 30


@dataclass
class Checkpointing(Handler):
    """Save the whole run at safe points, and delete older checkpoints once the new one is on disk.

    A save that fails (a full disk) is a warning and is tried again; only the one at the end of a start must succeed.

    Args:
        every: ``{minutes: n}``, ``{epochs: n}`` or ``{iterations: n}``. Not used with ``metric``.
        keep: how many to keep, the newest or, with ``metric``, the best ones.
        metric: save when this validation metric is among the ``keep`` best so far. None: save the newest.
        mode: ``"min"`` if less is better, ``"max"`` if more is.

    Raises:
        ConfigError: at construction, for a value out of range.
    """

    every: dict[str, float] = field(default_factory=lambda: {"minutes": 1})
    keep: int = 2
    metric: str | None = None
    mode: Literal["min", "max"] = "min"

    after = ("evaluation", "early_stopping", "best_weights", "loss_logging", "lr_schedule")
    observer = True
    needs_directory = True

    def __post_init__(self) -> None:
        self.interval = Interval(self.every)
        if self.keep < 1:
            raise ConfigError(f"checkpointing: keep must be at least 1, got {self.keep}")
        # (metric, iteration), the best first; without a metric the newest first
        self.kept: list[tuple[float, int]] = []
        self.improved: float | None = None  # the metric, where it is among the best and its weights are not saved yet
        self.retry_at = 0.0
        self.saving: Future[Path] | None = None  # what is being written, and not settled yet
        self.kept_before = self.kept

    def attach(self, workflow: Workflow) -> None:
        self.workflow = workflow
        self.store = workflow.checkpoint_store()
        if self.metric is not None:
            workflow.check_metric(self.metric, self.mode)
            workflow.evaluator.add_event_handler(Events.COMPLETED, self.compare)
        workflow.trainer.add_event_handler(WorkflowEvents.SAFE_POINT, self.save_if_due)

    def compare(self) -> None:
        """Note whether the present weights are among the best; they are saved at the safe point that follows."""
        assert self.metric is not None
        value = self.workflow.val_metric(self.metric)
        worst = self.kept[-1][0] if len(self.kept) == self.keep else None
        self.improved = value if is_better(value, worst, self.mode) else None

    def rank(self, kept: tuple[float, int]) -> float:
        return kept[0] if self.mode == "min" else -kept[0]

    def save_if_due(self) -> None:
        trainer = self.workflow.trainer
        if self.saving is not None and (trainer.leaving or self.saving.done()):
            self.settle()
        if trainer.leaving:
            self.save_at_last()
        elif self.improved is not None or (self.metric is None and self.interval.due_at_safe_point(trainer)):
            if time.monotonic() >= self.retry_at:
                self.begin()
            self.improved = None  # saved or not: the next weights are others

    def begin(self) -> None:
        """Save beside the training; what comes of it is settled at a later safe point, unless it is known already."""
        if self.saving is not None:
            self.settle()
        self.kept_before = self.kept
        self.kept = self.kept_with(self.workflow.trainer.state.iteration)  # the checkpoint holds it too
        try:
            self.saving = self.workflow.begin_checkpoint()
        except DivergedError as error:
            self.kept = self.kept_before
            self.wait_to_retry(error)
            return
        if self.saving.done():
            self.settle()

    def settle(self) -> None:
        """Wait for what is being saved; then let go of the checkpoints that are no longer kept."""
        assert self.saving is not None
        try:
            self.finish(self.saving)
        except OSError as error:
            self.wait_to_retry(error)

    def wait_to_retry(self, error: Exception) -> None:
        self.retry_at = time.monotonic() + _RETRY_SECONDS
        log.warning("checkpoint not saved: %s; training goes on, next try in %d s", error, _RETRY_SECONDS)

    def finish(self, saving: Future[Path]) -> None:
        self.saving = None
        try:
            saving.result()
        except OSError:
            self.kept = self.kept_before
            raise
        self.keep_checkpoints()
        self.store.prune()

    def save_at_last(self) -> None:
        self.kept_before = self.kept
        self.kept = self.kept_with(self.workflow.trainer.state.iteration)
        try:
            self.finish(self.workflow.begin_checkpoint())
        except OSError as error:
            directory, size = self.store.directory, self.store.size
            raise CheckpointError.unwritten("the last checkpoint", directory, error, size) from error

    def kept_with(self, iteration: int) -> list[tuple[float, int]]:
        """What is kept once that iteration is saved."""
        if self.metric is None:
            older = [entry for entry in self.kept if entry[1] < iteration]
            return [(0.0, iteration), *older][: self.keep]
        if self.improved is None:
            return self.kept
        return sorted([*self.kept, (self.improved, iteration)], key=self.rank)[: self.keep]

    def close(self) -> None:
        if self.saving is not None:
            self.settle()
        self.store.close()

    def keep_checkpoints(self) -> None:
        self.store.keep(self, [iteration for _, iteration in self.kept])

    def state_dict(self) -> dict[str, Any]:
        return {"kept": list(self.kept)}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        self.kept = list(state_dict["kept"])
        self.keep_checkpoints()
