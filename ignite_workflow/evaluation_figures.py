"""The figures of an evaluation: of each class, of each target number, and of what needs no model at all.

Shapes: ``N`` rows, ``T`` target numbers, ``C`` classes (multilabel: labels).
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from ignite_workflow import metric_sums
from ignite_workflow.metric_sums import ClassSums, ValueSums
from ignite_workflow.targets import Target

__all__ = [
    "Baseline",
    "ClassFigures",
    "TargetFigures",
    "class_baseline",
    "class_figures",
    "target_figures",
]

_COMMON = 1.5  # a class is in the majority where it is so many times as common as in equal shares
_GAIN = 0.5  # of the errors that the commonest class alone would make: removing fewer is little to boast of
_GAP = 0.1  # between accuracy and balanced accuracy: rare classes are told worse than the accuracy suggests

Floats = np.ndarray[Any, np.dtype[np.float64]]
Sums = TypeVar("Sums", ValueSums, ClassSums)


@dataclass(frozen=True, kw_only=True)
class ClassFigures:
    """How well one class, or label, is told from the others; NaN where it neither occurs nor is predicted.

    Attributes:
        name: of the class.
        precision: of the rows predicted to have it, the share that has it.
        recall: of the rows that have it, the share predicted to.
        f1: the harmonic mean of both.
        rows: that have it; without any its recall means nothing.
        predicted: rows predicted to have it; without any its precision means nothing.
    """

    name: str
    precision: float
    recall: float
    f1: float
    rows: int
    predicted: int


@dataclass(frozen=True, kw_only=True)
class TargetFigures:
    """How well a number is predicted, in its own unit.

    Attributes:
        name: of the target.
        rmse, mae, r2: as the metrics of those names.
        bias: the mean of prediction less truth.
        quantiles: of prediction less truth, at 5, 25, 50, 75 and 95 %. As the bias of
            rows whose prediction is finite, and of very many rows of some.
    """

    name: str
    rmse: float
    mae: float
    r2: float
    bias: float
    quantiles: tuple[float, ...]


@dataclass(frozen=True, kw_only=True)
class Baseline:
    """What always answering with the commonest class would reach.

    Attributes:
        name: of that class.
        accuracy: its share of the rows.
        balanced_accuracy: of the model: the mean share of each class's rows that it predicts right.
        misleads: the model's accuracy says little: it is near the baseline's, or rare classes are told much worse.
    """

    name: str
    accuracy: float
    balanced_accuracy: float
    misleads: bool


def class_baseline(sums: ClassSums, target: Target) -> Baseline:
    """The baseline on the rows counted in ``sums``; classes exclude each other."""
    commonest = int(sums.actual.argmax())
    share, accuracy = float(sums.actual[commonest]) / sums.rows, metric_sums.accuracy(sums)
    balanced = metric_sums.balanced_accuracy(sums)
    near = 1 - accuracy > _GAIN * (1 - share)
    return Baseline(
        name=target.classes[commonest],
        accuracy=share,
        balanced_accuracy=balanced,
        misleads=share * len(target.classes) > _COMMON and (near or accuracy - balanced > _GAP),
    )


def class_figures(sums: ClassSums, target: Target) -> tuple[ClassFigures, ...]:
    """The figures of each class or label."""
    alone = [_only(sums, index, ("hits", "predicted", "actual")) for index in range(sums.classes)]
    return tuple(
        ClassFigures(
            name=name,
            precision=metric_sums.precision(each),
            recall=metric_sums.recall(each),
            f1=metric_sums.f1(each),
            rows=int(each.actual.sum()),
            predicted=int(each.predicted.sum()),
        )
        for name, each in zip(target.classes, alone, strict=True)
    )


def target_figures(sums: ValueSums, target: Target, errors: Floats) -> tuple[TargetFigures, ...]:
    """The figures of each target number.

    Args:
        sums: of all rows.
        target: what is predicted.
        errors: prediction less truth of some of the rows (n, T), in the target's own unit.
    """
    parts = ("mean", "std", "squared", "absolute", "y", "y_squared")
    alone = [_only(sums, index, parts) for index in range(len(target.columns))]
    finite = errors[np.isfinite(errors).all(axis=1)]
    errors = finite if len(finite) else np.full((1, len(target.columns)), np.nan)
    quantiles = np.quantile(errors, (0.05, 0.25, 0.5, 0.75, 0.95), axis=0).T.tolist()
    return tuple(
        TargetFigures(
            name=name,
            rmse=metric_sums.rmse(each),
            mae=metric_sums.mae(each),
            r2=metric_sums.r2(each),
            bias=float(errors[:, index].mean()),
            quantiles=tuple(quantiles[index]),
        )
        for index, (name, each) in enumerate(zip(target.columns, alone, strict=True))
    )


def _only(sums: Sums, index: int, parts: Sequence[str]) -> Sums:
    """The sums of one class or target, so that its figures come of the same formulas as those of all."""
    alone = copy.copy(sums)
    for part in parts:
        setattr(alone, part, getattr(sums, part)[index : index + 1])
    return alone
