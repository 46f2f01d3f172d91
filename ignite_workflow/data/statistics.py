"""Statistics of columns gathered chunk by chunk: moments in float64, quantiles from a sample.

Shapes: ``N`` rows of a chunk.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Self

import numpy as np

__all__ = ["Moments", "Row", "quantile_edges"]

Row = np.ndarray[tuple[int], np.dtype[np.float64]]
Rows = np.ndarray[tuple[int], np.dtype[np.int64]]

_LEAST_EDGES, _MOST_EDGES = 3, 48


class Moments:
    """Count, mean, standard deviation and range of columns, cells that are NaN left out.

    Args:
        columns: how many.

    Source: the pairwise update of Chan, Golub, LeVeque (1979), which does not lose digits where the mean is large.
    """

    def __init__(self, columns: int) -> None:
        self.count: Row = np.zeros(columns)
        self.mean: Row = np.zeros(columns)
        self.squares: Row = np.zeros(columns)  # the sum of squared deviations from the mean
        self.low: Row = np.full(columns, np.inf)
        self.high: Row = np.full(columns, -np.inf)

    @classmethod
    def of(cls, columns: Sequence[Row], rows: Rows) -> Self:
        """Those of some rows: of each column all cells, (N,), and the positions of those that count."""
        moments = cls(len(columns))
        for number, column in enumerate(columns):
            cells = column[rows]
            known = cells[~np.isnan(cells)] if np.isnan(cells.sum()) else cells
            if len(known):
                mean = known.mean()
                deviations = known - mean
                moments.count[number], moments.mean[number] = len(known), mean
                moments.squares[number] = np.einsum("n,n", deviations, deviations)
                moments.low[number], moments.high[number] = known.min(), known.max()
        return moments

    def add(self, other: Self) -> None:
        """Take in those of other rows."""
        total = self.count + other.count
        share = other.count / np.maximum(total, 1)
        shift = np.where(other.count > 0, other.mean - self.mean, 0.0)
        self.squares += other.squares + shift**2 * self.count * share
        self.mean += shift * share
        self.count = total
        self.low = np.minimum(self.low, other.low)
        self.high = np.maximum(self.high, other.high)

    @property
    def std(self) -> Row:
        """The standard deviation (of the population); 1 where a column does not vary."""
        varies = self.high > self.low
        variance = self.squares / np.maximum(self.count, 1)
        return np.where(varies & (variance > 0), np.sqrt(variance), 1.0)


def quantile_edges(values: Row) -> tuple[float, ...]:
    """Different quantiles, evenly spaced in probability, ascending; cells that are NaN left out.

    As many as the square root of the values, from 3 to 48: bins of few rows are learnt by heart. Where there are no
    more than that many different values, it is those.
    """
    known = np.sort(values[~np.isnan(values)])
    most = min(_MOST_EDGES, max(_LEAST_EDGES, math.isqrt(len(known))))
    different = known[np.append(True, known[1:] != known[:-1])] if len(known) else known
    if len(different) > most:
        position = np.linspace(0, len(known) - 1, most)
        different = np.unique(np.interp(position, np.arange(len(known)), known))
    return tuple(different.tolist())
