"""Class weights of losses: scaled, so that the mean over samples stays a mean over samples.

Shapes: ``N`` samples, ``C`` classes (multilabel: labels).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from ignite_workflow.errors import ConfigError, UnknownNameError
from ignite_workflow.targets import Target

__all__ = ["weighted_loss"]


def weighted_loss(cls: Callable[..., nn.Module], options: Mapping[str, Any], weights: Any, target: Target) -> nn.Module:
    """A loss of torch with class weights; of multilabel targets, with weights of a label's presence.

    Args:
        cls: of the loss.
        options: of it, besides.
        weights: ``class_weights``: ``"balanced"``, a list, or a mapping from class name to weight.
        target: what is predicted.

    Raises:
        UnknownNameError: a class.
        ConfigError: they are not of one of these forms, or one is not above zero.
    """
    if target.task == "multilabel":
        return cls(**options, pos_weight=_label_weights(weights, target))
    weight = _class_weights(weights, target)
    if cls is nn.BCEWithLogitsLoss:
        return cls(**options, weight=weight[:1], pos_weight=weight[1] / weight[0])
    return _MeanOverSamples(cls(**{**options, "weight": weight, "reduction": "none"}))


def _class_weights(weights: Any, target: Target) -> Tensor:
    """A weight a class (C,), their mean over the training rows 1: "balanced" gives rows / (C * rows of the class)."""
    counts = torch.tensor(target.counts, dtype=torch.float64)
    weight = 1 / counts.clamp(min=1) if weights == "balanced" else _given_weights(weights, target.classes)
    return (weight * counts.sum() / (weight * counts).sum()).float()


def _label_weights(weights: Any, target: Target) -> Tensor:
    """For each label (C,) the weight of its presence: "balanced" gives absent / present rows."""
    if weights != "balanced":
        return _given_weights(weights, target.classes).float()
    present = torch.tensor(target.counts, dtype=torch.float64).clamp(min=1)
    return ((target.rows - present) / present).float()


def _given_weights(weights: Any, classes: Sequence[str]) -> Tensor:
    """The weights (C,) float64 of a list, or of a mapping from class name."""
    if isinstance(weights, Mapping):
        by_name = {str(name): weight for name, weight in weights.items()}
        for name in by_name.keys() - set(classes):
            raise UnknownNameError("class in class_weights", name, classes)
        weights = [by_name.get(name, 1.0) for name in classes]
    if not isinstance(weights, Sequence) or isinstance(weights, str) or len(weights) != len(classes):
        raise ConfigError(
            f"class_weights must be 'balanced', {len(classes)} numbers or numbers by class name, got {weights!r}."
        )
    for weight in weights:
        if not isinstance(weight, int | float) or not 0 < weight < math.inf:
            raise ConfigError(f"class_weights must be positive numbers, got {weight!r}.")
    return torch.tensor(weights, dtype=torch.float64)


class _MeanOverSamples(nn.Module):
    """A loss with class weights: torch's own mean divides by the weights of the batch instead of its samples."""

    def __init__(self, loss: nn.Module) -> None:
        super().__init__()
        self.loss = loss

    def forward(self, y_pred: Tensor, y: Tensor) -> Tensor:
        loss: Tensor = self.loss(y_pred, y)
        return loss.mean()
