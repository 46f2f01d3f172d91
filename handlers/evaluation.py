"""Evaluate the model on the validation data."""

from __future__ import annotations

from dataclasses import dataclass, field

from ignite.engine import Events

from ignite_workflow import ConfigError, Handler, Interval, Workflow, WorkflowEvents

__all__ = ["Evaluation"]


@dataclass
class Evaluation(Handler):
    """Run the evaluator and record its metrics.

    Args:
        every: ``{epochs: n}``, the last epoch in any case, or ``{iterations: n}``. Not minutes: what a run decides on
            its metrics must not depend on the clock.
        metrics: names of metrics (``accuracy``, ``rmse``, ...) besides the loss. None: the usual ones of the task.

    Raises:
        ConfigError: at construction, for another interval.
    """

    every: dict[str, float] = field(default_factory=lambda: {"epochs": 1})
    metrics: list[str] | None = None

    after = ()
    needs_validation = True

    def __post_init__(self) -> None:
        self.interval = Interval(self.every)
        if self.interval.unit == "minutes":
            raise ConfigError("evaluation: every must be {epochs: n} or {iterations: n}: metrics steer the run")

    def attach(self, workflow: Workflow) -> None:
        self.workflow = workflow
        workflow.attach_metrics(self.metrics)
        trainer = workflow.trainer
        if self.interval.unit == "epochs":
            trainer.add_event_handler(Events.EPOCH_COMPLETED, self.evaluate_epoch)
        else:
            trainer.add_event_handler(WorkflowEvents.WINDOW_COMPLETED, self.evaluate_iterations)
        workflow.evaluator.add_event_handler(Events.COMPLETED, self.record)

    def evaluate_epoch(self) -> None:
        trainer = self.workflow.trainer
        if self.interval.due_at_epoch_end(trainer) or trainer.state.epoch == trainer.state.max_epochs:
            self.workflow.evaluate()

    def evaluate_iterations(self) -> None:
        if self.interval.due_at_safe_point(self.workflow.trainer):
            self.workflow.evaluate()

    def record(self) -> None:
        for name, value in self.workflow.evaluator.state.metrics.items():
            self.workflow.record("val", name, value)
