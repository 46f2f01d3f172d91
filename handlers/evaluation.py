"""Evaluate the model on the validation data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ignite.engine import Events

from ignite_workflow import ConfigError, Handler, Interval, Workflow, WorkflowEvents

__all__ = ["Evaluation"]


@dataclass
class Evaluation(Handler):
    """Run the evaluator and record its metrics.

    Args:
        every: ``{epochs: n}``, the last epoch in any case, or ``{iterations: n}``. Not minutes: what a run decides on its
            metrics must not depend on the clock.
        metrics: names of metrics (``accuracy``, ``rmse``, ...) besides the loss. None: the usual ones of the task.

    Raises:
        ConfigError: at construction, for another interval.
    """

    every: dict[str, float] = field(default_factory=lambda: {"epochs": 1})
    metrics: list[str] | None = None

    needs_validation = True

    def __post_init__(self) -> None:
        self.interval = Interval(self.every)
        if self.interval.unit == "minutes":
            raise ConfigError("evaluation: every must be {epochs: n} or {iterations: n}: metrics steer the run")
        self.owed = False

    def attach(self, workflow: Workflow) -> None:
        self.workflow = workflow
        workflow.attach_metrics(self.metrics)
        trainer = workflow.trainer
        if self.interval.unit == "epochs":
            trainer.add_event_handler(Events.EPOCH_COMPLETED, self.evaluate_epoch)
        else:
            trainer.add_event_handler(WorkflowEvents.SAFE_POINT, self.evaluate_iterations)
            trainer.add_event_handler(WorkflowEvents.RESTORED, self.evaluate_owed)
        workflow.evaluator.add_event_handler(Events.COMPLETED, self.record)

    def evaluate_epoch(self) -> None:
        trainer = self.workflow.trainer
        if self.interval.due_at_epoch_end(trainer) or trainer.state.epoch == trainer.state.max_epochs:
            self.workflow.evaluate()

    def evaluate_iterations(self) -> None:
        trainer = self.workflow.trainer
        self.owed = self.owed or self.interval.due_at_safe_point(trainer)
        if self.owed and trainer.stop_request is None:
            self.evaluate_owed()

    def evaluate_owed(self) -> None:
        if self.owed:
            self.workflow.evaluate()  # raises where a stop breaks it off: then it is still owed, and saved so
            self.owed = False

    def record(self) -> None:
        for name, value in self.workflow.evaluator.state.metrics.items():
            self.workflow.record("val", name, value)

    def state_dict(self) -> dict[str, Any]:
        return {"owed": self.owed}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        self.owed = state_dict["owed"]
