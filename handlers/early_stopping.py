"""Stop training when a validation metric no longer improves."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from ignite.engine import Events

from ignite_workflow import ConfigError, Handler, Workflow, is_better

__all__ = ["EarlyStopping"]


@dataclass
class EarlyStopping(Handler):
    """Stop after ``patience`` evaluations in a row without a better ``metric``.

    A value that is not finite is never better.

    Args:
        metric: a validation metric.
        patience: evaluations to wait, at least 1.
        min_delta: the least change that counts as better, in the metric's unit.
        mode: ``"min"`` if less is better, ``"max"`` if more is.

    Raises:
        ConfigError: at construction, for a value out of range.

    Source: the rule of ``ignite.handlers.EarlyStopping(cumulative=True)``, which takes NaN for better.
    """

    metric: str = "loss"
    patience: int = 10
    min_delta: float = 0.0
    mode: Literal["min", "max"] = "min"

    after = ("evaluation",)
    needs_validation = True

    def __post_init__(self) -> None:
        if self.patience < 1:
            raise ConfigError(f"early_stopping: patience must be at least 1, got {self.patience}")
        if not 0 <= self.min_delta < math.inf:
            raise ConfigError(f"early_stopping: min_delta must be finite and not negative, got {self.min_delta}")
        self.best: float | None = None
        self.waited = 0

    def attach(self, workflow: Workflow) -> None:
        self.workflow = workflow
        workflow.check_metric(self.metric, self.mode)
        workflow.evaluator.add_event_handler(Events.COMPLETED, self.check)

    def check(self) -> None:
        value = self.workflow.val_metric(self.metric)
        if is_better(value, self.best, self.mode, min_delta=self.min_delta):
            self.best, self.waited = value, 0
            return
        self.waited += 1
        if self.waited >= self.patience:
            best = math.nan if self.best is None else self.best
            self.workflow.request_stop(
                f"early stopping: val {self.metric} has not been better than {best:.4g} for {self.waited} evaluations"
            )

    def state_dict(self) -> dict[str, Any]:
        return {"best": self.best, "waited": self.waited}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        self.best, self.waited = state_dict["best"], state_dict["waited"]
