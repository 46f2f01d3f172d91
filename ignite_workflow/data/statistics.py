"""Statistics of columns gathered chunk by chunk: moments in float64, quantiles from a sample.

Shapes: ``N`` rows of a chunk, ``K`` columns.
"""

from __future__ import annotations

import numpy as np

__all__ = ["Matrix", "Moments", "quantile_edges"]

Matrix = np.ndarray[tuple[int, int], np.dtype[np.float64]]
Row = np.ndarray[tuple[int], np.dtype[np.float64]]

_MOST_EDGES = 48


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

    def add(self, values: Matrix) -> None:
        """Take in a chunk, (K, N)."""
        known = ~np.isnan(values)
        count = known.sum(axis=1).astype(np.float64)
        filled = values if known.all() else np.where(known, values, 0.0)
        mean = filled.sum(axis=1) / np.maximum(count, 1)
        deviations = filled - mean[:, None]
        deviations *= known
        squares = np.einsum("kn,kn->k", deviations, deviations)

        total = self.count + count
        share = count / np.maximum(total, 1)
        shift = np.where(count > 0, mean - self.mean, 0.0)
        self.squares += squares + shift**2 * self.count * share
        self.mean += shift * share
        self.count = total
        self.low = np.fmin(self.low, np.fmin.reduce(values, axis=1, initial=np.inf))
        self.high = np.fmax(self.high, np.fmax.reduce(values, axis=1, initial=-np.inf))

    @property
    def std(self) -> Row:
        """The standard deviation (of the population); 1 where a column does not vary."""
        varies = self.high > self.low
        variance = self.squares / np.maximum(self.count, 1)
        return np.where(varies & (variance > 0), np.sqrt(variance), 1.0)


def quantile_edges(values: Row) -> tuple[float, ...]:
    """Up to 48 different quantiles, evenly spaced in probability, ascending; cells that are NaN left out.

    Where there are no more than 48 different values, it is those.
    """
    known = np.sort(values[~np.isnan(values)])
    different = known[np.append(True, known[1:] != known[:-1])] if len(known) else known
    if len(different) > _MOST_EDGES:
        position = np.linspace(0, len(known) - 1, _MOST_EDGES)
        different = np.unique(np.interp(position, np.arange(len(known)), known))
    return tuple(different.tolist())
