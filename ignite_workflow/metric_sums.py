"""The sums that metrics are made of, and the formulas.

Everything here is float64 numpy, which takes a microsecond or two where a torch operation takes five.

Shapes: ``N`` samples, ``T`` target numbers, ``C`` classes (multilabel: labels).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ignite_workflow.targets import Target

__all__ = [
    "ClassSums",
    "ValueSums",
    "accuracy",
    "average_precision",
    "balanced_accuracy",
    "cohen_kappa",
    "f1",
    "mae",
    "mape",
    "max_error",
    "mcc",
    "mse",
    "precision",
    "r2",
    "recall",
    "rmse",
    "rmse_of",
    "roc_auc",
    "top_accuracy",
]

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


class ValueSums:
    """What a regression's metrics need, for each target number (T,), in the target's own unit.

    Attributes:
        rows: N, so far.
        squared: sum of (y_pred - y)^2.
        absolute: sum of |y_pred - y|.
        relative: sum of |y_pred - y| / |y|: infinite where a target is zero.
        largest: the largest |y_pred - y|.
        y, y_squared: sums of the standardised targets and of their squares.
    """

    def __init__(self, target: Target) -> None:
        self.mean, self.std = np.asarray(target.mean), np.asarray(target.std)
        self.rows = 0
        self.squared, self.absolute, self.relative, self.largest, self.y, self.y_squared = np.zeros((6, len(self.std)))

    def add(self, prediction: NDArray[Any], y: NDArray[Any]) -> None:
        """Count rows: predictions and targets (N, T), both standardised."""
        y = y.astype(np.float64)
        error = np.abs(prediction - y) * self.std
        self.rows += len(y)
        self.squared += (error * error).sum(0)
        self.absolute += error.sum(0)
        self.largest = np.maximum(self.largest, error.max(0))
        self.y += y.sum(0)
        self.y_squared += (y * y).sum(0)
        self.relative += self._relative(error, y).sum(0)

    def _relative(self, error: Floats, y: Floats) -> Floats:
        own = np.abs(y * self.std + self.mean)
        # A target of zero comes back from float32 with the rounding of its standardised form: under 1e-7 of its size.
        zero = own <= 2e-7 * (np.abs(self.mean) + np.abs(y * self.std))
        with np.errstate(divide="ignore"):
            return error / np.where(zero, 0.0, own)


def mse(sums: ValueSums) -> float:
    """Mean squared error, over all targets."""
    return float(sums.squared.mean() / sums.rows)


def rmse(sums: ValueSums) -> float:
    """Root of the mean squared error, over all targets."""
    return float(np.sqrt(mse(sums)))


def rmse_of(sums: ValueSums, index: int) -> float:
    """Root of the mean squared error of one target."""
    return float(np.sqrt(sums.squared[index] / sums.rows))


def mae(sums: ValueSums) -> float:
    """Mean absolute error, over all targets."""
    return float(sums.absolute.mean() / sums.rows)


def mape(sums: ValueSums) -> float:
    """Mean of the absolute error over the target's size (0.1 is 10 %): infinite where a target is zero."""
    return float(sums.relative.mean() / sums.rows)


def max_error(sums: ValueSums) -> float:
    """The largest absolute error of any row."""
    return float(sums.largest.max())


def r2(sums: ValueSums) -> float:
    """The share of the variance that is explained, averaged over targets: 1 is perfect, 0 is the mean."""
    variance = (sums.y_squared - sums.y**2 / sums.rows) * sums.std**2
    defined = variance > 0
    return _mean(1 - sums.squared[defined] / variance[defined])


class ClassSums:
    """What the metrics of classes or labels need.

    A class is predicted where its probability is the largest; a label where it is at least one half.

    Attributes:
        rows: N, so far.
        exact: rows predicted right (every label of them).
        hits: for each class (C,) the rows that have it and are predicted to.
        predicted: for each class the rows predicted to have it.
        actual: for each class the rows that have it.
        in_top: for each k of ``tops`` the rows whose class is among the k most probable.
        scores, truth: per pass, the probabilities and which classes a row has (N, C): only where ``ranking``.
        binary: two classes, of which a row has one.
    """

    def __init__(self, target: Target, *, tops: Sequence[int] = (), ranking: bool = False) -> None:
        self.classes, self.ranking, self.binary = len(target.classes), ranking, target.task == "binary"
        self.rows = self.exact = 0
        self.in_top = dict.fromkeys(tops, 0)
        self.hits, self.predicted, self.actual = np.zeros((3, self.classes))
        self.scores: list[NDArray[Any]] = []
        self.truth: list[Bools] = []

    def add(self, prediction: NDArray[Any], y: NDArray[Any]) -> None:
        """Count rows.

        Args:
            prediction: probabilities (N, C); or numbers in their order, if a row has one class and nothing is ranked.
            y: class indices (N,) or labels (N, C).
        """
        self.rows += len(y)
        if y.ndim == 1:
            self._add_classes(prediction, y)
        else:
            self._add_labels(prediction >= 0.5, y > 0)
        if self.ranking:
            self.scores.append(prediction)
            self.truth.append(np.eye(self.classes, dtype=bool)[y] if y.ndim == 1 else y > 0)

    def _add_classes(self, prediction: NDArray[Any], y: NDArray[np.int64]) -> None:
        predicted = prediction.argmax(1)
        hits = y[predicted == y]
        self.exact += len(hits)
        self.hits += np.bincount(hits, minlength=self.classes)
        self.predicted += np.bincount(predicted, minlength=self.classes)
        self.actual += np.bincount(y, minlength=self.classes)
        if self.in_top:
            above = (prediction > np.take_along_axis(prediction, y[:, None], axis=1)).sum(1)
            for k in self.in_top:
                self.in_top[k] += int((above < k).sum())

    def _add_labels(self, predicted: Bools, y: Bools) -> None:
        self.exact += int((predicted == y).all(1).sum())
        self.hits += (predicted & y).sum(0)
        self.predicted += predicted.sum(0)
        self.actual += y.sum(0)


def accuracy(sums: ClassSums) -> float:
    """The share of rows predicted right; of several labels, all of them."""
    return sums.exact / sums.rows


def precision(sums: ClassSums) -> float:
    """Of the rows predicted to have a class the share that has it, averaged over classes (macro)."""
    return _macro(sums, sums.hits, sums.predicted)


def recall(sums: ClassSums) -> float:
    """Of the rows that have a class the share predicted to, averaged over classes (macro)."""
    return _macro(sums, sums.hits, sums.actual)


def f1(sums: ClassSums) -> float:
    """The harmonic mean of a class's precision and recall, averaged over classes (macro)."""
    return _macro(sums, 2 * sums.hits, sums.predicted + sums.actual)


def _macro(sums: ClassSums, part: Floats, whole: Floats) -> float:
    """Mean over the classes that occur in truth or in predictions: one that does not says nothing."""
    occurs = sums.predicted + sums.actual > 0
    return _mean(part[occurs] / np.maximum(whole[occurs], 1))


def balanced_accuracy(sums: ClassSums) -> float:
    """Mean over the classes of the share of their rows predicted right."""
    occurs = sums.actual > 0
    return _mean(sums.hits[occurs] / sums.actual[occurs])


def mcc(sums: ClassSums) -> float:
    """Matthews' correlation of truth and prediction: 1 is perfect, 0 is chance, or one class predicted throughout.

    Source: the multi-class form of Gorodkin, Comparing two K-category assignments by a K-category correlation (2004).
    """
    covariance = sums.exact * sums.rows - sums.predicted @ sums.actual
    variances = (sums.rows**2 - sums.predicted @ sums.predicted) * (sums.rows**2 - sums.actual @ sums.actual)
    return float(covariance / np.sqrt(variances)) if variances > 0 else 0.0


def cohen_kappa(sums: ClassSums) -> float:
    """Agreement of truth and prediction beyond chance: 1 is perfect, 0 is chance."""
    chance = (sums.predicted @ sums.actual) / sums.rows**2
    return float((sums.exact / sums.rows - chance) / (1 - chance)) if chance < 1 else math.nan


def top_accuracy(sums: ClassSums, k: int) -> float:
    """The share of rows whose class is among the ``k`` most probable; ``k`` is one of the ``tops`` that are counted."""
    return sums.in_top[k] / sums.rows


def roc_auc(sums: ClassSums) -> float:
    """How often a row that has a class scores above one that has not; averaged over classes, each against the rest."""
    return _ranked(sums, _roc_auc_of)


def average_precision(sums: ClassSums) -> float:
    """Mean precision over the ranks at which recall grows: of the second class of two, else averaged over classes."""
    return _ranked(sums, _average_precision_of)


def _ranked(sums: ClassSums, formula: Callable[[Floats, Bools], float]) -> float:
    """Mean over the classes that some rows have and others have not. Of two classes only the second counts."""
    scores, truth = np.concatenate(sums.scores), np.concatenate(sums.truth)
    first = 1 if sums.binary else 0
    ranked = [c for c in range(first, truth.shape[1]) if 0 < truth[:, c].sum() < len(truth)]
    return _mean(np.array([formula(scores[:, c], truth[:, c]) for c in ranked]))


def _roc_auc_of(scores: Floats, truth: Bools) -> float:
    """From the mean ranks of tied scores (the Mann-Whitney statistic)."""
    _, place, ties = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(ties) - (ties - 1) / 2)[place]
    positives = truth.sum()
    return float((ranks[truth].sum() - positives * (positives + 1) / 2) / (positives * (len(truth) - positives)))


def _average_precision_of(scores: Floats, truth: Bools) -> float:
    order = np.argsort(-scores, kind="stable")
    last_of_tie = np.append(np.diff(scores[order]) != 0, True)
    hits = np.cumsum(truth[order])[last_of_tie]
    precisions = hits / (np.flatnonzero(last_of_tie) + 1)
    return float((np.diff(hits, prepend=0) * precisions).sum() / truth.sum())


def _mean(values: Floats) -> float:
    """NaN where nothing is defined."""
    return float(values.mean()) if len(values) else math.nan
