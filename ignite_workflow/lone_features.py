"""Features that give the target away by themselves: found by guessing the target from each one alone.

Shapes: ``N`` rows, ``F`` features, ``T`` target numbers or labels.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["gives_class", "gives_number"]

_FEWEST_ROWS = 40
_EXPLAINED = 0.99  # of the variance of a number
_ERRORS_LEFT = 0.02  # of those that the commonest class alone makes


def gives_number(feature: NDArray[Any], y: NDArray[Any], *, is_category: bool) -> bool:
    """Whether a number follows from one feature: learnt from every other row, tried on the rest.

    Args:
        feature: (N,) numbers or codes.
        y: (N,) numbers.
        is_category: the feature is a code: numbers in between mean nothing.
    """
    if len(y) < _FEWEST_ROWS:
        return False
    values, place = np.unique(feature[::2], return_inverse=True)
    mean = np.bincount(place, y[::2]) / np.bincount(place)
    new, true = feature[1::2], y[1::2].astype(np.float64)
    guess = np.interp(new, values, mean)
    if is_category:
        guess = np.where(np.isin(new, values), guess, y[::2].mean())
    return float(((guess - true) ** 2).sum()) <= (1 - _EXPLAINED) * float(((true - true.mean()) ** 2).sum())


def gives_class(feature: NDArray[Any], y: NDArray[np.int64]) -> bool:
    """Whether a class follows from one feature: that of the nearest value of every other row, tried on the rest.

    Args:
        feature: (N,) numbers or codes.
        y: (N,) class indices.
    """
    if len(y) < _FEWEST_ROWS:
        return False
    values, place = np.unique(feature[::2], return_inverse=True)
    counts = np.zeros((len(values), int(y.max()) + 1))
    np.add.at(counts, (place, y[::2]), 1)
    new, true = feature[1::2], y[1::2]
    above = np.clip(np.searchsorted(values, new), 1, len(values) - 1)
    nearest = above - (new - values[above - 1] <= values[above] - new)
    by_commonest = len(true) - np.bincount(true).max()
    wrong = counts.argmax(axis=1)[nearest] != true
    return bool(by_commonest > 0 and wrong.sum() <= _ERRORS_LEFT * by_commonest)
