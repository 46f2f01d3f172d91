"""How good a trained model is on rows whose truth is known: the numbers, for programs and for people.

Shapes: ``N`` rows, ``T`` target numbers, ``C`` classes (multilabel: labels).
"""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
from ignite.metrics import Metric
from torch import Tensor

from ignite_workflow import metric_sums
from ignite_workflow.config import ReadConfig
from ignite_workflow.errors import ConfigError, DataError
from ignite_workflow.evaluation_data import Batches, labelled_batches, own_batches
from ignite_workflow.losses import Loss
from ignite_workflow.metric_sums import ClassSums, ValueSums
from ignite_workflow.metrics import DEFAULT_METRICS, MODES, PredictionMetrics, build_metrics
from ignite_workflow.predictor import Predictor, loss_not_imported
from ignite_workflow.steps import to_device
from ignite_workflow.targets import Target, decode_target

__all__ = ["ClassFigures", "Evaluation", "TargetFigures", "evaluate"]

_MOST_POINTS = 50_000

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
        rows: that have it.
    """

    name: str
    precision: float
    recall: float
    f1: float
    rows: int


@dataclass(frozen=True, kw_only=True)
class TargetFigures:
    """How well one of several numbers is predicted, in its own unit."""

    name: str
    rmse: float
    mae: float
    r2: float


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """What ``evaluate`` found.

    Attributes:
        source: what was measured on: ``test split``, ``validation split`` or a file.
        rows: that were measured.
        skipped: rows of a file whose target is missing.
        target: what is predicted.
        metrics: by name, as in training.
        classes: of each class or label; none in a regression.
        targets: of each target number; none for classes.
        confusion: rows by true class and predicted class, int64 (C, C); of classes that exclude each other only.
        truth, prediction: in a regression some of the rows, float64 (n, T), in the target's own unit, for a picture.
    """

    source: str
    rows: int
    skipped: int
    target: Target
    metrics: Mapping[str, float]
    classes: tuple[ClassFigures, ...] = ()
    targets: tuple[TargetFigures, ...] = ()
    confusion: np.ndarray[Any, np.dtype[np.int64]] | None = None
    truth: Floats | None = None
    prediction: Floats | None = None

    def to_dict(self) -> dict[str, Any]:
        """A form that JSON can hold: numbers that are not finite are text."""
        found: dict[str, Any] = {"source": self.source, "rows": self.rows, "skipped_rows": self.skipped}
        found |= {"task": self.target.task, "metrics": _plain(self.metrics)}
        if self.classes:
            found["classes"] = [_plain(asdict(figures)) for figures in self.classes]
        if self.targets:
            found["targets"] = [_plain(asdict(figures)) for figures in self.targets]
        if self.confusion is not None:
            found["confusion_matrix"] = {"classes": list(self.target.classes), "counts": self.confusion.tolist()}
        return found


def evaluate(
    predictor: Predictor,
    path: str | Path | None = None,
    *,
    read: ReadConfig | None = None,
    cache_directory: Path | None = None,
) -> Evaluation:
    """Measure a model as it was measured in training.

    Args:
        predictor: the model.
        path: a table with the target's columns; None: the test split of the model's own run, or validation.
        read: how the table is read; None: as the training data was.
        cache_directory: where the prepared data of the run lies; None: the person's own.

    Raises:
        DataError: the table does not fit the model, or has no target; or the data of the run has changed.
        ConfigError: the model's run is not there, or held no rows out.
    """
    if predictor.target is None or predictor.loss is None:
        raise ConfigError("what the model predicts is known to its own train step only: it cannot be evaluated here.")
    loss = predictor.loss.to(predictor.device)
    batches = (
        own_batches(predictor, loss, cache_directory) if path is None else labelled_batches(predictor, loss, path, read)
    )
    return _measure(predictor, predictor.target, loss, batches)


def _measure(predictor: Predictor, target: Target, loss: Loss, batches: Batches) -> Evaluation:
    metrics = _metrics(predictor, target, loss)
    seen = _Seen(target)
    for x, encoded in batches:
        x, y = to_device((x, encoded), predictor.device)
        output = predictor.model_output(x), y
        for metric in metrics.values():
            metric.update(output)
        seen.add(loss.to_prediction(output[0].float()), decode_target(y, loss.target_form))
    if seen.rows == 0:
        raise DataError(f"{batches.source}: every row lacks its target; there is nothing to measure.")
    values: dict[str, float] = {}
    for name, metric in metrics.items():
        computed = metric.compute()
        values |= computed if isinstance(computed, dict) else {name: computed}
    predictions = metrics["predictions"]
    assert isinstance(predictions, PredictionMetrics)
    truth, prediction = seen.points()
    return Evaluation(
        source=batches.source,
        rows=seen.rows,
        skipped=batches.skipped,
        target=target,
        metrics=values,
        classes=_class_figures(predictions.sums, target),
        targets=_target_figures(predictions.sums, target),
        confusion=seen.confusion,
        truth=truth,
        prediction=prediction,
    )


def _metrics(predictor: Predictor, target: Target, loss: Loss) -> dict[str, Metric]:
    """The usual metrics of the task and those that were measured in training, ready to count."""
    measured = (name.partition("/")[2] for name in predictor.metrics)
    names = [*DEFAULT_METRICS[target.task], *(name for name in measured if name in MODES)]
    metrics = dict(build_metrics(list(dict.fromkeys(names)), target, loss).metrics)
    if loss.fn is loss_not_imported:
        del metrics["loss"]
    for metric in metrics.values():
        metric.reset()
    return metrics


class _Seen:
    """What the metrics do not keep: how often each class was taken for which, and points for a picture.

    Of many points every second, fourth, ... is kept: memory stays bounded, and all parts of a table are seen.
    """

    def __init__(self, target: Target) -> None:
        self.rows = 0
        self.target = target
        classes = len(target.classes)
        is_exclusive = target.task in ("binary", "multiclass")
        self.confusion = np.zeros((classes, classes), dtype=np.int64) if is_exclusive else None
        self._points: list[Floats] = []
        self._stride = 1

    def add(self, prediction: Tensor, y: Tensor) -> None:
        """Count rows: values (N, T) or probabilities (N, C), and stored targets."""
        if self.confusion is not None:
            classes = len(self.confusion)
            pairs = y.cpu() * classes + prediction.argmax(1).cpu()
            self.confusion += torch.bincount(pairs, minlength=classes**2).view(classes, classes).numpy()
        elif self.target.task == "regression":
            both = torch.stack((y, prediction)).double().cpu().numpy()
            self._keep(both * np.array(self.target.std) + np.array(self.target.mean))
        self.rows += len(y)

    def _keep(self, points: Floats) -> None:
        self._points.append(points[:, -self.rows % self._stride :: self._stride])
        if sum(part.shape[1] for part in self._points) > _MOST_POINTS:
            self._points = [np.concatenate(self._points, axis=1)[:, ::2]]
            self._stride *= 2

    def points(self) -> tuple[Floats | None, Floats | None]:
        """True and predicted values of the rows kept, (n, T) each."""
        if not self._points:
            return None, None
        truth, prediction = np.concatenate(self._points, axis=1)
        return truth, prediction


def _class_figures(sums: ValueSums | ClassSums, target: Target) -> tuple[ClassFigures, ...]:
    if isinstance(sums, ValueSums):
        return ()
    alone = [_only(sums, index, ("hits", "predicted", "actual")) for index in range(sums.classes)]
    return tuple(
        ClassFigures(
            name=name,
            precision=metric_sums.precision(each),
            recall=metric_sums.recall(each),
            f1=metric_sums.f1(each),
            rows=int(each.actual.sum()),
        )
        for name, each in zip(target.classes, alone, strict=True)
    )


def _target_figures(sums: ValueSums | ClassSums, target: Target) -> tuple[TargetFigures, ...]:
    if isinstance(sums, ClassSums):
        return ()
    parts = ("mean", "std", "squared", "absolute", "y", "y_squared")
    alone = [_only(sums, index, parts) for index in range(len(target.columns))]
    return tuple(
        TargetFigures(name=name, rmse=metric_sums.rmse(each), mae=metric_sums.mae(each), r2=metric_sums.r2(each))
        for name, each in zip(target.columns, alone, strict=True)
    )


def _only(sums: Sums, index: int, parts: Sequence[str]) -> Sums:
    """The sums of one class or target, so that its figures come of the same formulas as those of all."""
    alone = copy.copy(sums)
    for part in parts:
        setattr(alone, part, getattr(sums, part)[index : index + 1])
    return alone


def _plain(figures: Mapping[str, Any]) -> dict[str, Any]:
    """JSON has no NaN and no infinities."""
    return {
        name: str(value) if isinstance(value, float) and not math.isfinite(value) else value
        for name, value in figures.items()
    }
