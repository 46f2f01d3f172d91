"""Step the learning rate schedule."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ignite.engine import Events

from ignite_workflow import ConfigError, Handler, Workflow, WorkflowEvents

__all__ = ["LRSchedule"]


@dataclass
class LRSchedule(Handler):
    """Step the run's schedule when it wants to be, and record the learning rate of each epoch as ``lr``.

    The rate recorded is that of the first parameter group, at the epoch's last step.

    Args:
        record: whether to record the learning rate.
    """

    record: bool = True

    after = ("evaluation",)

    def attach(self, workflow: Workflow) -> None:
        if workflow.schedule is None:
            raise ConfigError("lr_schedule: the run has no schedule")
        self.workflow, self.schedule = workflow, workflow.schedule
        trainer = workflow.trainer
        if self.record:
            trainer.add_event_handler(Events.EPOCH_COMPLETED, self.record_lr)
        if self.schedule.when == "step":
            trainer.add_event_handler(WorkflowEvents.OPTIMIZER_STEP_COMPLETED, self.step)
        elif self.schedule.when == "epoch":
            trainer.add_event_handler(Events.EPOCH_COMPLETED, self.step)
        else:
            workflow.check_metric(str(self.schedule.metric), self.schedule.mode or "min")
            workflow.evaluator.add_event_handler(Events.COMPLETED, self.step_on_metric)

    def record_lr(self) -> None:
        self.workflow.record("train", "lr", self.schedule.scheduler.optimizer.param_groups[0]["lr"])

    def step(self) -> None:
        self.schedule.step()

    def step_on_metric(self) -> None:
        self.schedule.step(self.workflow.val_metric(str(self.schedule.metric)))

    def state_dict(self) -> dict[str, Any]:
        return self.schedule.state_dict()

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        self.schedule.load_state_dict(state_dict)
