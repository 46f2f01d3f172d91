"""Keep the weights of the best evaluation, and end with them."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import torch
from ignite.engine import Events
from torch import Tensor

from ignite_workflow import Handler, Workflow, is_better

__all__ = ["BestWeights"]

log = logging.getLogger(__name__)


@dataclass
class BestWeights(Handler):
    """Put the weights with the best validation ``metric`` back into the model when training is complete.

    They are kept in memory, on the CPU, and in every checkpoint. Where no evaluation gave a finite value the last
    weights stay.

    Args:
        metric: a validation metric.
        mode: ``"min"`` if less is better, ``"max"`` if more is.
    """

    metric: str = "loss"
    mode: Literal["min", "max"] = "min"

    after = ("evaluation", "ema")
    needs_validation = True

    def __post_init__(self) -> None:
        self.best: float | None = None
        self.iteration = 0
        self.weights: dict[str, Tensor] = {}

    def attach(self, workflow: Workflow) -> None:
        self.workflow = workflow
        workflow.check_metric(self.metric, self.mode)
        workflow.selection = (self.metric, self.mode)
        workflow.evaluator.add_event_handler(Events.COMPLETED, self.keep)
        workflow.trainer.add_event_handler(Events.COMPLETED, self.put_back)

    def keep(self) -> None:
        value = self.workflow.val_metric(self.metric)
        if not is_better(value, self.best, self.mode):
            return
        self.best, self.iteration = value, self.workflow.trainer.state.iteration
        weights = self.workflow.model.state_dict()
        if not self.weights:
            self.weights = {name: torch.empty_like(tensor, device="cpu") for name, tensor in weights.items()}
        for name, tensor in weights.items():
            self.weights[name].copy_(tensor)

    def put_back(self) -> None:
        if self.weights:
            self.workflow.model.load_state_dict(self.weights)
            log.info("the model has the weights of iteration %d: val %s %.4g", self.iteration, self.metric, self.best)

    def state_dict(self) -> dict[str, Any]:
        return {"best": self.best, "iteration": self.iteration, "weights": self.weights}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        self.best, self.iteration = state_dict["best"], state_dict["iteration"]
        self.weights = dict(state_dict["weights"])
