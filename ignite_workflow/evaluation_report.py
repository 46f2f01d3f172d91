"""How good a trained model is on rows whose truth is known: the numbers, for programs and for people.

Shapes: ``N`` rows, ``T`` target numbers, ``C`` classes (multilabel: labels).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from ignite.metrics import Metric
from torch import Tensor

from ignite_workflow.batch import to_device
from ignite_workflow.calibration import Calibration, CalibrationSums, has_probabilities
from ignite_workflow.column_features import column_features
from ignite_workflow.config import ReadConfig
from ignite_workflow.data.bad_samples import BadSample
from ignite_workflow.errors import ConfigError, DataError
from ignite_workflow.evaluation_data import Batches, labelled_batches, own_batches
from ignite_workflow.evaluation_figures import (
    Baseline,
    ClassFigures,
    TargetFigures,
    class_baseline,
    class_figures,
    target_figures,
)
from ignite_workflow.importance import (
    ColumnImportance,
    CorrelatedColumns,
    RowSample,
    Watch,
    correlated_columns,
    permutation_importance,
)
from ignite_workflow.losses import Loss
from ignite_workflow.metric_sums import ClassSums, ValueSums
from ignite_workflow.metrics import DEFAULT_METRICS, MODES, build_metrics
from ignite_workflow.predictor import Predictor, loss_not_imported
from ignite_workflow.strict_json import with_text_for_nan
from ignite_workflow.targets import Target, decode_target

__all__ = ["Evaluation", "evaluate", "main_metric"]

_MOST_POINTS = 50_000
_ROWS_A_PASS = 512

Floats = np.ndarray[Any, np.dtype[np.float64]]


def main_metric(target: Target) -> str:
    """The metric that columns are ranked by: one that rare classes count in, or in the unit of the target.

    Several targets may have several units, and the largest numbers would decide: there it is ``r2``.
    """
    if target.task != "regression":
        return "f1"
    return "rmse" if len(target.columns) == 1 else "r2"


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """What ``evaluate`` found.

    Attributes:
        source: what was measured on: ``test split``, ``validation split`` or a file.
        rows: that were measured.
        skipped: rows of a file whose target is missing.
        bad_samples: of a Dataset, those left out as they cannot be made.
        target: what is predicted.
        metrics: by name, as in training.
        not_finite: rows whose prediction is NaN or infinite: the figures mean little where there are any.
        classes: of each class or label; none in a regression.
        targets: of each target number; none for classes.
        baseline: the commonest class alone; of classes that exclude each other only.
        calibration: of probabilities, where the model says any.
        confusion: rows by true class and predicted class, int64 (C, C); of classes that exclude each other only.
        importance: of the columns, the most important first; none where it was not asked for.
        correlated: columns that stand in for one another, so that their importance is not what it seems.
        truth, prediction: in a regression some of the rows, float64 (n, T), in the target's own unit, for a picture.
    """

    source: str
    rows: int
    skipped: int
    target: Target
    metrics: Mapping[str, float]
    not_finite: int = 0
    bad_samples: tuple[BadSample, ...] = ()
    classes: tuple[ClassFigures, ...] = ()
    targets: tuple[TargetFigures, ...] = ()
    baseline: Baseline | None = None
    calibration: Calibration | None = None
    importance: tuple[ColumnImportance, ...] = ()
    correlated: tuple[CorrelatedColumns, ...] = ()
    confusion: np.ndarray[Any, np.dtype[np.int64]] | None = None
    truth: Floats | None = None
    prediction: Floats | None = None

    def to_dict(self) -> dict[str, Any]:
        """A form that JSON can hold: numbers that are not finite are text."""
        found: dict[str, Any] = {"source": self.source, "rows": self.rows, "skipped_rows": self.skipped}
        found |= {"task": self.target.task, "metrics": self.metrics, "rows_not_finite": self.not_finite}
        if self.bad_samples:
            found["skipped_samples"] = [{"row": bad.row, "reason": bad.reason} for bad in self.bad_samples]
        if self.classes:
            found["classes"] = [asdict(figures) for figures in self.classes]
        if self.targets:
            found["targets"] = [asdict(figures) for figures in self.targets]
        if self.baseline is not None:
            found["baseline"] = asdict(self.baseline)
        if self.calibration is not None:
            found["calibration"] = self.calibration.to_dict()
        if self.confusion is not None:
            found["confusion_matrix"] = {"classes": list(self.target.classes), "counts": self.confusion.tolist()}
        if self.importance:
            columns = [{"column": each.name, "mean": each.mean, "std": each.std} for each in self.importance]
            found["importance"] = {"metric": main_metric(self.target), "columns": columns}
            found["importance"]["correlated"] = [asdict(pair) for pair in self.correlated]
        plain: dict[str, Any] = with_text_for_nan(found)
        return plain


def evaluate(
    predictor: Predictor,
    path: str | Path | None = None,
    *,
    read: ReadConfig | None = None,
    cache_directory: Path | None = None,
    importance: bool = False,
    watch: Watch = iter,
) -> Evaluation:
    """Measure a model as it was measured in training.

    Args:
        predictor: the model.
        path: a table with the target's columns; None: the test split of the model's own run, or validation.
        read: how the table is read; None: as the training data was.
        cache_directory: where the prepared data of the run lies; None: the person's own.
        importance: measure too how much worse the model gets without each column.
        watch: is given the columns and gives them back, one by one: for a progress bar.

    Raises:
        DataError: the table does not fit the model, or has no target; or the data of the run has changed.
        ConfigError: the model's run is not there, or held no rows out; or importance of what is not a table.
    """
    if predictor.target is None or predictor.loss is None:
        raise ConfigError("what the model predicts is known to its own train step only: it cannot be evaluated here.")
    if importance and predictor.schema is None:
        raise ConfigError("importance is of columns, and the model was not trained on a table: leave it out.")
    sample = RowSample(len(column_features(predictor.table_schema()))) if importance else None
    target, loss = predictor.target, predictor.loss.to(predictor.device)
    batches = (
        own_batches(predictor, loss, cache_directory) if path is None else labelled_batches(predictor, loss, path, read)
    )
    metrics, seen = _measure(predictor, target, loss, batches, sample)
    sums = metrics["predictions"].sums
    truth, prediction = seen.points()
    return Evaluation(
        source=batches.source,
        rows=seen.rows,
        skipped=batches.skipped,
        target=target,
        metrics=_values(metrics),
        not_finite=seen.not_finite,
        bad_samples=tuple(batches.bad_samples),
        classes=class_figures(sums, target) if isinstance(sums, ClassSums) else (),
        targets=target_figures(sums, target, prediction - truth) if isinstance(sums, ValueSums) else (),
        baseline=class_baseline(sums, target) if isinstance(sums, ClassSums) and seen.confusion is not None else None,
        calibration=seen.calibration.calibration() if seen.calibration is not None else None,
        confusion=seen.confusion,
        importance=_importance(predictor, target, loss, sample, watch) if sample is not None else (),
        correlated=correlated_columns(predictor.table_schema(), sample.rows()[0]) if sample is not None else (),
        truth=truth,
        prediction=prediction,
    )


def _measure(
    predictor: Predictor, target: Target, loss: Loss, batches: Batches, sample: RowSample | None
) -> tuple[dict[str, Any], _Seen]:
    metrics, seen = _metrics(predictor, target, loss), _Seen(target, loss)
    for x, encoded in batches:
        x, y = to_device((x, encoded), predictor.device)
        output = predictor.model_output(x), y
        for metric in metrics.values():
            metric.update(output)
        seen.add(loss.to_prediction(output[0].float()), decode_target(y, loss.target_form))
        if sample is not None:
            sample.add(x, y)
    if seen.rows == 0:
        raise DataError(f"{batches.source}: every row lacks its target; there is nothing to measure.")
    return metrics, seen


def _importance(
    predictor: Predictor, target: Target, loss: Loss, sample: RowSample, watch: Watch
) -> tuple[ColumnImportance, ...]:
    x, y = sample.rows()

    def measure(moved: Tensor) -> dict[str, float]:
        metrics = _ready(DEFAULT_METRICS[target.task], target, loss)
        for some_x, some_y in zip(moved.split(_ROWS_A_PASS), y.split(_ROWS_A_PASS), strict=True):
            on_device, true = to_device((some_x, some_y), predictor.device)
            output = predictor.model_output(on_device), true
            for metric in metrics.values():
                metric.update(output)
        return {name: value for name, value in _values(metrics).items() if name in MODES}

    features = column_features(predictor.table_schema())
    return permutation_importance(measure, x, features, main=main_metric(target), watch=watch)


def _values(metrics: Mapping[str, Metric]) -> dict[str, float]:
    values: dict[str, float] = {}
    for name, metric in metrics.items():
        computed = metric.compute()
        values |= computed if isinstance(computed, dict) else {name: computed}
    return values


def _metrics(predictor: Predictor, target: Target, loss: Loss) -> dict[str, Metric]:
    """The usual metrics of the task and those that were measured in training, ready to count."""
    measured = (name.partition("/")[2] for name in predictor.metrics)
    return _ready([*DEFAULT_METRICS[target.task], *(name for name in measured if name in MODES)], target, loss)


def _ready(names: Iterable[str], target: Target, loss: Loss) -> dict[str, Metric]:
    metrics = dict(build_metrics(list(dict.fromkeys(names)), target, loss).metrics)
    if loss.fn is loss_not_imported:
        del metrics["loss"]
    for metric in metrics.values():
        metric.reset()
    return metrics


class _Seen:
    """What the metrics do not keep: which class was taken for which, bins of probabilities, points for a picture.

    Of many points every second, fourth, ... is kept: memory stays bounded, and all parts of a table are seen.
    """

    def __init__(self, target: Target, loss: Loss) -> None:
        self.rows = self.not_finite = 0
        self.target = target
        self.calibration = CalibrationSums(target) if has_probabilities(loss, target) else None
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
        if self.calibration is not None:
            self.calibration.add(prediction.double().cpu().numpy(), y.cpu().numpy())
        self.not_finite += int((~prediction.isfinite()).any(1).sum())
        self.rows += len(y)

    def _keep(self, points: Floats) -> None:
        self._points.append(points[:, -self.rows % self._stride :: self._stride])
        if sum(part.shape[1] for part in self._points) > _MOST_POINTS:
            self._points = [np.concatenate(self._points, axis=1)[:, ::2]]
            self._stride *= 2

    def points(self) -> tuple[Any, Any]:
        """True and predicted values of the rows kept, float64 (n, T) each; None where they are no numbers."""
        if not self._points:
            return None, None
        truth, prediction = np.concatenate(self._points, axis=1)
        return truth, prediction
