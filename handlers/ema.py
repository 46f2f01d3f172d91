"""Average the weights over the steps of training: what is evaluated and kept may be the average."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from ignite.engine import Events
from torch import Tensor

from ignite_workflow import ConfigError, Handler, Workflow, WorkflowEvents

__all__ = ["EMA"]


@dataclass
class EMA(Handler):
    """Keep an exponential moving average of the weights, and evaluate, select and end with it.

    Updated after each step of the optimizer: ``average += (1 - decay) * (weight - average)``. Buffers (the statistics
    of batch normalisation) are averages already and are used as they are. Training itself goes on with the model's own
    weights; a checkpoint holds both.

    Args:
        decay: what of the average stays at each update, from 0 up to, not including, 1.
        warmup: begin with less: at update n the decay is at most (1 + n) / (10 + n), or the first weights, which are
            bad, would stay in the average for about 1 / (1 - decay) updates.
        evaluate: evaluations see the averaged weights, so whoever watches them (early stopping, best weights) decides
            by these, and the trained model has them. False: they are only kept, for handlers of your own.

    Raises:
        ConfigError: at construction, for a decay out of range.

    Source: the update of ``torch.optim.swa_utils.get_ema_multi_avg_fn``; the warm-up of
    ``tf.train.ExponentialMovingAverage``.
    """

    decay: float = 0.999
    warmup: bool = True
    evaluate: bool = True

    def __post_init__(self) -> None:
        if not 0 <= self.decay < 1:
            raise ConfigError(f"ema: decay must be at least 0 and less than 1, got {self.decay}")
        self.updates = 0
        self.weights: dict[str, Tensor] = {}
        self.averages: dict[str, Tensor] = {}  # in the order of the weights; none before the first update

    def attach(self, workflow: Workflow) -> None:
        parameters = workflow.model.named_parameters()
        self.weights = {name: each for name, each in parameters if each.is_floating_point() or each.is_complex()}
        workflow.trainer.add_event_handler(WorkflowEvents.OPTIMIZER_STEP_COMPLETED, self.update)
        if self.evaluate:
            workflow.evaluator.run_within(self.averages_in_model)
            workflow.trainer.add_event_handler(Events.COMPLETED, self.end_with_averages)

    @torch.no_grad()
    def update(self) -> None:
        self.updates += 1
        if not self.averages:
            self.averages = {name: weight.clone() for name, weight in self.weights.items()}
            return
        decay = min(self.decay, (1 + self.updates) / (10 + self.updates)) if self.warmup else self.decay
        torch._foreach_lerp_([*self.averages.values()], [*self.weights.values()], 1 - decay)

    @contextmanager
    def averages_in_model(self) -> Iterator[None]:
        """While this holds, the model has the averaged weights, and ``averages`` the model's own."""
        self.exchange()
        try:
            yield
        finally:
            self.exchange()

    @torch.no_grad()
    def exchange(self) -> None:
        for name, average in self.averages.items():
            own = self.weights[name].clone()
            self.weights[name].copy_(average)
            average.copy_(own)

    @torch.no_grad()
    def end_with_averages(self) -> None:
        for name, average in self.averages.items():
            self.weights[name].copy_(average)

    def state_dict(self) -> dict[str, Any]:
        return {"updates": self.updates, "averages": self.averages}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        self.updates, saved = state_dict["updates"], state_dict["averages"]
        self.averages = {name: tensor.to(self.weights[name].device, copy=True) for name, tensor in saved.items()}
