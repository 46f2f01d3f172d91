"""What is predicted, the forms in which losses take it, and what a model's output says about it.

Shapes: ``N`` samples, ``T`` target numbers, ``C`` classes (multilabel: labels).

Stored targets: regression float32 (N, T), standardised; binary and multiclass int64 (N,) class indices; multilabel
float32 (N, C) of 0 and 1. A loss may want another form of the same:

=============== ==================== ==========================================================
form            tensor               for
=============== ==================== ==========================================================
value           float32 (N, T)       regression
class_index     int64 (N,)           binary, multiclass
one_hot         float32 (N, C)       binary, multiclass
binary          float32 (N, 1)       binary: 1 for the second class
sign            float32 (N, 1)       binary: +1 for the second class, -1
multi_hot       float32 (N, C)       multilabel
label_set       int64 (N, C)         multilabel: the indices of the labels set, then -1
=============== ==================== ==========================================================
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional as F

__all__ = ["LINKS", "Link", "Target", "TargetForm", "decode_target", "encode_target"]

TargetForm = Literal["value", "class_index", "one_hot", "binary", "sign", "multi_hot", "label_set"]
Link = Literal["identity", "exp", "sigmoid", "softmax", "pair", "pair_reversed", "sigmoid_pair"]


@dataclass(frozen=True, kw_only=True)
class Target:
    """What is predicted.

    Attributes:
        task: regression, binary, multiclass or multilabel.
        columns: the names of the target's columns (T of them in a regression).
        classes: the names of the classes or labels; none in a regression.
        counts: for each class or label the training rows that have it; none in a regression.
        rows: the training rows.
        mean: for each target number its mean over the training rows, which was subtracted; in the target's own unit.
        std: the standard deviation it was divided by.
    """

    task: str
    columns: tuple[str, ...]
    classes: tuple[str, ...] = ()
    counts: tuple[int, ...] = ()
    rows: int = 0
    mean: tuple[float, ...] = ()
    std: tuple[float, ...] = ()


def encode_target(y: Tensor, form: TargetForm, classes: int) -> Tensor:
    """Stored targets in the form that a loss takes.

    Args:
        y: stored targets: float32 (N, T) or (N, C), or int64 (N,). Not changed.
        form: of the result.
        classes: C.

    Example:
        >>> encode_target(torch.tensor([0, 1]), "sign", 2)
        tensor([[-1.],
                [ 1.]])
    """
    if form == "one_hot":
        return F.one_hot(y, classes).float()
    if form == "binary":
        return y[:, None].float()
    if form == "sign":
        return 2 * y[:, None].float() - 1
    if form == "label_set":
        return _label_set(y)
    return y


def decode_target(y: Tensor, form: TargetForm) -> Tensor:
    """The inverse of ``encode_target``: the stored targets of ``y``, which is in the given form."""
    if form == "one_hot":
        return y.argmax(1)
    if form == "binary":
        return y[:, 0].long()
    if form == "sign":
        return (y[:, 0] > 0).long()
    if form == "label_set":
        # The padding falls into a column of its own, which is cut off.
        return y.new_zeros(len(y), y.shape[1] + 1).scatter_(1, y + 1, 1)[:, 1:].float()
    return y


def _label_set(y: Tensor) -> Tensor:
    labels = torch.arange(y.shape[1], device=y.device).expand(y.shape)
    padded = torch.where(y > 0, labels, y.shape[1]).sort(dim=1).values
    return torch.where(padded < y.shape[1], padded, -1)


def _identity(y_pred: Tensor) -> Tensor:
    return y_pred


def _pair(y_pred: Tensor) -> Tensor:
    return torch.cat((1 - y_pred, y_pred), dim=1)


def _pair_reversed(y_pred: Tensor) -> Tensor:
    return torch.cat((y_pred, 1 - y_pred), dim=1)


def _sigmoid_pair(y_pred: Tensor) -> Tensor:
    # Not 1 - p: a probability near 0 keeps its digits.
    return torch.sigmoid(torch.cat((-y_pred, y_pred), dim=1))


def _softmax(y_pred: Tensor) -> Tensor:
    return torch.softmax(y_pred, dim=1)


LINKS: dict[Link, Callable[[Tensor], Tensor]] = {
    "identity": _identity,
    "exp": torch.exp,
    "sigmoid": torch.sigmoid,
    "softmax": _softmax,
    "pair": _pair,
    "pair_reversed": _pair_reversed,
    "sigmoid_pair": _sigmoid_pair,
}
"""A model's output (N, K) to what people read: values (N, T), or the probabilities of the classes or labels (N, C).

Named, so that a saved model can say which is its own. ``pair``: one number a row, the probability of the second class.
"""
