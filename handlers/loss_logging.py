"""Record the training loss."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from ignite.engine import Events
from torch import Tensor

from ignite_workflow import ConfigError, Handler, Interval, StepOutput, Workflow, WorkflowEvents

__all__ = ["LossLogging"]

_FOLD = 1024  # losses that wait on the device before they are summed: bounds memory, seldom waits for the device


@dataclass
class LossLogging(Handler):
    """Record the mean training loss since it was recorded last.

    The mean is over samples, not batches: a short last batch counts for what it holds. A step of your own may return
    several named losses (a mapping); each is recorded under its name, its mean over steps.

    Args:
        every: ``{epochs: 1}`` or ``{iterations: n}``.
    """

    every: dict[str, float] = field(default_factory=lambda: {"epochs": 1})

    observer = True

    def __post_init__(self) -> None:
        self.interval = Interval(self.every)
        self.reset()

    def attach(self, workflow: Workflow) -> None:
        self.workflow = workflow
        trainer = workflow.trainer
        trainer.add_event_handler(Events.ITERATION_COMPLETED, self.add)
        if self.interval.unit == "iterations":
            trainer.add_event_handler(WorkflowEvents.SAFE_POINT, self.record_iterations)
        else:
            trainer.add_event_handler(Events.EPOCH_COMPLETED, self.record_epoch)

    def reset(self) -> None:
        self.losses: list[Tensor] = []  # on the device, step after step; the names of each step's in turn
        self.sizes: list[int] = []
        self.names: list[str] = []
        self.sums: list[float] = []
        self.samples = 0

    def add(self) -> None:
        output = self.workflow.trainer.state.output
        if isinstance(output, StepOutput):
            self.losses.append(output.loss)
            self.sizes.append(output.batch_size)
        else:
            self.add_named(output)
        if len(self.sizes) == _FOLD:
            self.fold()

    def add_named(self, output: Any) -> None:
        if not isinstance(output, Mapping):
            raise ConfigError(
                "loss_logging: a train step must return StepOutput(loss, batch_size) or a mapping from names to losses, "
                f"got {type(output).__name__}"
            )
        self.names = list(output)
        self.losses.extend(torch.as_tensor(loss).detach() for loss in output.values())
        self.sizes.append(1)

    def fold(self) -> None:
        """Sum what waits, in float64."""
        names = self.names or ["loss"]
        losses = torch.stack(self.losses).double().cpu().reshape(-1, len(names))  # (steps, names)
        sizes = torch.tensor(self.sizes, dtype=torch.float64)
        sums = self.sums or [0.0] * len(names)
        self.sums = [before + more for before, more in zip(sums, (sizes @ losses).tolist(), strict=True)]
        self.samples += sum(self.sizes)
        self.losses, self.sizes = [], []

    def record_epoch(self) -> None:
        if self.interval.due_at_epoch_end(self.workflow.trainer):
            self.record()

    def record_iterations(self) -> None:
        if self.interval.due_at_safe_point(self.workflow.trainer):
            self.record()

    def record(self) -> None:
        self.fold()
        for name, loss_sum in zip(self.names or ["loss"], self.sums, strict=True):
            self.workflow.record("train", name, loss_sum / self.samples)
        self.reset()

    def state_dict(self) -> dict[str, Any]:
        losses = torch.stack(self.losses).cpu() if self.losses else None
        return {
            "losses": losses,
            "sizes": list(self.sizes),
            "names": self.names,
            "sums": self.sums,
            "samples": self.samples,
        }

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        losses = state_dict["losses"]
        self.losses = [] if losses is None else list(losses.to(self.workflow.device))
        self.sizes, self.names = list(state_dict["sizes"]), list(state_dict["names"])
        self.sums, self.samples = list(state_dict["sums"]), state_dict["samples"]
