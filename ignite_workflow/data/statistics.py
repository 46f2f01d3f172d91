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
Mask = np.ndarray[tuple[int], np.dtype[np.bool_]]

_LEAST_EDGES, _MOST_EDGES = 3, 48
_ROUNDING = 1e-12


class Moments:
    """Count, mean and standard deviation of columns, and whether they vary, cells that are NaN left out.

    Args:
        columns: how many.

    Source: the pairwise update of Chan, Golub, LeVeque (1979), which does not lose digits where the mean is large.
    """

    def __init__(self, columns: int) -> None:
        self.count: Row = np.zeros(columns)
        self.mean: Row = np.zeros(columns)
        self.squares: Row = np.zeros(columns)  # the sum of squared deviations from the mean
        self.first: Row = np.zeros(columns)  # a value that occurs
        self.varies: Mask = np.zeros(columns, dtype=bool)

    @classmethod
    def of(cls, columns: Sequence[Row], rows: Mask) -> Self:
        """Those of some rows.

        Args:
            columns: of each all cells, (N,).
            rows: (N,) which of them count.
        """
        moments = cls(len(columns))
        weights, count = rows.astype(np.float64), int(rows.sum())
        first = int(rows.argmax())
        for number, column in enumerate(columns):
            total = np.einsum("n,n", column, weights)  # weighted, not picked out: that takes longer
            if not np.isnan(total):
                moments._set(number, column, weights, first, count, total)
            else:
                known = rows & ~np.isnan(column)
                cells = column[known]
                moments._set(number, cells, np.ones(len(cells)), 0, len(cells), cells.sum())
        return moments

    def _set(self, number: int, column: Row, weights: Row, first: int, count: int, total: float) -> None:
        """Take those of a column: weights are 1 for the rows that count, ``first`` among them, 0 for others."""
        if not count:
            return
        mean = total / count
        deviations = column - mean
        squares = np.einsum("n,n", deviations, deviations * weights)
        # the mean of equal cells is rounded: they are compared where all of it may be that
        varies = squares > count * (_ROUNDING * mean) ** 2 or bool((column[weights > 0] != column[first]).any())
        self.count[number], self.first[number], self.varies[number] = count, column[first], varies
        self.mean[number], self.squares[number] = (mean, squares) if varies else (column[first], 0.0)

    def add(self, other: Self) -> None:
        """Take in those of other rows."""
        total = self.count + other.count
        share = other.count / np.maximum(total, 1)
        shift = np.where(other.count > 0, other.mean - self.mean, 0.0)
        self.squares += other.squares + shift**2 * self.count * share
        self.mean += shift * share
        both = (self.count > 0) & (other.count > 0)
        self.varies |= other.varies | (both & (self.first != other.first))
        self.first = np.where(self.count > 0, self.first, other.first)
        self.count = total

    @property
    def std(self) -> Row:
        """The standard deviation (of the population); 1 where a column does not vary."""
        variance = self.squares / np.maximum(self.count, 1)
        return np.where(self.varies & (variance > 0), np.sqrt(variance), 1.0)


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
