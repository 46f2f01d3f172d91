"""Record the training loss."""

from __future__ import annotations

import math
import operator
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from ignite.engine import Events
from torch import Tensor

from ignite_workflow import ConfigError, Handler, Interval, StepOutput, Workflow, WorkflowEvents

__all__ = ["LossLogging"]

_FOLD = 1024  # losses that wait on the device before they are summed: bounds memory, seldom waits for the device


class _Mean:
    """The mean of one loss, each weighted by the size of its batch; summed in float64.

    Args:
        finite_only: those that are not finite do not count: their batches were skipped.
    """

    def __init__(self, finite_only: bool) -> None:
        self.finite_only = finite_only
        self.losses: list[Tensor] = []  # on the device
        self.sizes: list[int] = []
        self.total = 0.0
        self.samples = 0

    def add(self, loss: Tensor, size: int) -> None:
        self.losses.append(loss)
        self.sizes.append(size)
        if len(self.sizes) == _FOLD:
            self.fold()

    def fold(self) -> None:
        if self.losses:
            losses, sizes = torch.stack(self.losses).tolist(), self.sizes
            if self.finite_only:
                sizes = [size if math.isfinite(loss) else 0 for loss, size in zip(losses, sizes, strict=True)]
                losses = [loss if size else 0.0 for loss, size in zip(losses, sizes, strict=True)]
            self.total += sum(map(operator.mul, losses, sizes))
            self.samples += sum(sizes)
            self.losses, self.sizes = [], []

    def value(self) -> float:
        self.fold()
        return self.total / self.samples if self.samples else math.nan

    def state_dict(self) -> dict[str, Any]:
        losses = torch.stack(self.losses).cpu() if self.losses else None
        return {"losses": losses, "sizes": list(self.sizes), "total": self.total, "samples": self.samples}

    def load_state_dict(self, state_dict: Mapping[str, Any], device: torch.device) -> None:
        losses = state_dict["losses"]
        self.losses = [] if losses is None else list(losses.to(device))
        self.sizes = list(state_dict["sizes"])
        self.total, self.samples = state_dict["total"], state_dict["samples"]


@dataclass
class LossLogging(Handler):
    """Record the mean training loss since it was recorded last.

    The mean is over samples, not batches: a short last batch counts for what it holds, one that was skipped not at all.
    A step of your own may return several named losses (a mapping); each is recorded under its name, its mean over the
    steps that returned it.

    Args:
        every: ``{epochs: n}`` or ``{iterations: n}``. Not minutes: a run has the same records however fast it was.

    Raises:
        ConfigError: at construction, for another interval.
    """

    every: dict[str, float] = field(default_factory=lambda: {"epochs": 1})

    observer = True

    def __post_init__(self) -> None:
        self.interval = Interval(self.every)
        if self.interval.unit == "minutes":
            raise ConfigError("loss_logging: every must be {epochs: n} or {iterations: n}, not of time")
        self.means: defaultdict[str, _Mean] = defaultdict(self.new_mean)

    def attach(self, workflow: Workflow) -> None:
        self.workflow = workflow
        trainer = workflow.trainer
        trainer.add_event_handler(Events.ITERATION_COMPLETED, self.add)
        if self.interval.unit == "iterations":
            trainer.add_event_handler(WorkflowEvents.WINDOW_COMPLETED, self.record_iterations)
        else:
            trainer.add_event_handler(Events.EPOCH_COMPLETED, self.record_epoch)

    def new_mean(self) -> _Mean:
        return _Mean(self.workflow.skips_bad_batches)

    def add(self) -> None:
        output = self.workflow.trainer.state.output
        if isinstance(output, StepOutput):
            self.means["loss"].add(output.loss, output.batch_size)
        elif isinstance(output, Mapping):
            for name, loss in output.items():
                self.means[name].add(torch.as_tensor(loss).detach(), 1)
        else:
            raise ConfigError(
                "loss_logging: a train step must return StepOutput(loss, batch_size) or a mapping from names to "
                f"losses, got {type(output).__name__}"
            )

    def record_epoch(self) -> None:
        if self.interval.due_at_epoch_end(self.workflow.trainer):
            self.record()

    def record_iterations(self) -> None:
        if self.interval.due_at_safe_point(self.workflow.trainer):
            self.record()

    def record(self) -> None:
        for name, mean in self.means.items():
            self.workflow.record("train", name, mean.value())
        self.means.clear()

    def state_dict(self) -> dict[str, Any]:
        return {"means": {name: mean.state_dict() for name, mean in self.means.items()}}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        self.means.clear()
        for name, mean in state_dict["means"].items():
            self.means[name].load_state_dict(mean, self.workflow.device)
