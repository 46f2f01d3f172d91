"""What a model rests on: how much worse it gets when one column's cells are dealt out among the rows at random.

Whatever is made of a column (its value, that it is missing, the parts of a date) is moved together. Two columns that
say the same stand in for one another, so both come out low: importance is what the model would lose, not what the
column knows.

Source: Breiman, Random Forests (2001), section 10; Fisher, Rudin, Dominici, All Models are Wrong (2019).
Shapes: ``N`` rows, ``F`` features.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ignite_workflow.column_features import value_correlations
from ignite_workflow.data.schema import Schema
from ignite_workflow.metrics import MODES
from ignite_workflow.randomness import Stream, generator

__all__ = [
    "REPEATS",
    "ColumnImportance",
    "CorrelatedColumns",
    "RowSample",
    "Watch",
    "correlated_columns",
    "permutation_importance",
]

Watch = Callable[[Iterable[Any]], Iterable[Any]]  # is given items and gives them back, one by one: for a progress bar

REPEATS = 5
_CORRELATED = 0.9  # from which two columns stand in for one another
_MOST_ROWS = 10_000  # with so many, the means are sure to a few hundredths of themselves
_FEWEST_ROWS = 1_000
_MOST_CELLS = 300_000  # of all columns: so that a minute or two is enough for hundreds of them


@dataclass(frozen=True, kw_only=True)
class ColumnImportance:
    """What a model loses without one column.

    Attributes:
        name: of the column.
        mean: for each metric by how much it gets worse, in its own unit; the mean over the repeats.
        std: over the repeats (of the sample, so one repeat less in the divisor).
    """

    name: str
    mean: Mapping[str, float]
    std: Mapping[str, float]


@dataclass(frozen=True, kw_only=True)
class CorrelatedColumns:
    """Two columns of which a model may use either.

    Attributes:
        names: of the columns.
        correlation: of their values, -1 to 1.
    """

    names: tuple[str, str]
    correlation: float


def correlated_columns(schema: Schema, x: Tensor) -> tuple[CorrelatedColumns, ...]:
    """The pairs of columns of numbers, booleans and dates that go together, the closest first.

    Args:
        schema: of the inputs.
        x: inputs (N, F).
    """
    names, correlations = value_correlations(schema, x.numpy())
    pairs = [
        CorrelatedColumns(names=(names[first], names[second]), correlation=float(correlations[first, second]))
        for first, second in zip(*np.nonzero(np.abs(correlations) >= _CORRELATED), strict=True)
    ]
    return tuple(sorted(pairs, key=_strength, reverse=True))


def _strength(pair: CorrelatedColumns) -> float:
    return abs(pair.correlation)


class RowSample:
    """All rows that come by, or of very many some picked at random: in bounded memory, in their order.

    Args:
        columns: whose cells will be moved, one after the other; of more than 30, fewer rows are kept than 10,000.
    """

    def __init__(self, columns: int) -> None:
        self.most = min(_MOST_ROWS, max(_FEWEST_ROWS, _MOST_CELLS // columns))
        self._parts: list[tuple[Tensor, Tensor, Tensor]] = []
        self._random = generator(0, Stream.IMPORTANCE, 0)
        self._seen = 0

    def add(self, x: Tensor, y: Tensor) -> None:
        """Take rows in: inputs (N, F) and targets (N, ...)."""
        keys = torch.rand(len(x), generator=self._random, dtype=torch.float64)
        self._parts.append((keys, x.cpu(), y.cpu()))
        self._seen += len(x)
        if self._seen > 2 * self.most:
            self._thin()

    def rows(self) -> tuple[Tensor, Tensor]:
        """What was kept: inputs and targets."""
        self._thin()
        [(_, x, y)] = self._parts
        return x, y

    def _thin(self) -> None:
        """Keep the rows with the smallest keys: each row is kept with the same chance."""
        keys, x, y = (torch.cat(column) for column in zip(*self._parts, strict=True))
        if len(keys) > self.most:
            kept = keys.argsort()[: self.most].sort().values
            keys, x, y = keys[kept], x[kept], y[kept]
        self._parts, self._seen = [(keys, x, y)], len(keys)


def permutation_importance(
    measure: Callable[[Tensor], Mapping[str, float]],
    x: Tensor,
    features: Mapping[str, Sequence[int]],
    *,
    main: str,
    seed: int = 0,
    watch: Watch = iter,
) -> tuple[ColumnImportance, ...]:
    """Move the cells of one column after the other.

    Args:
        measure: the metrics of the model on inputs (N, F), by names of ``MODES``.
        x: inputs (N, F). Not changed.
        features: for each column the places of its features.
        main: the metric by which columns are sorted.
        seed: of the permutations.
        watch: is given the columns and gives them back: for a progress bar.

    Returns:
        The columns, those first without which ``main`` gets worse the most.
    """
    whole = measure(x)
    found = []
    for number, (name, places) in enumerate(watch(list(features.items()))):
        moved = x.clone()
        worse: list[list[float]] = []
        for repeat in range(REPEATS):
            order = torch.randperm(len(x), generator=generator(seed, Stream.IMPORTANCE, 1, number, repeat))
            moved[:, places] = x[:, places][order]
            measured = measure(moved)
            worse.append([(measured[key] - whole[key]) * (1 if MODES[key] == "min" else -1) for key in whole])
        means, stds = np.mean(worse, axis=0), np.std(worse, axis=0, ddof=1)
        found.append(
            ColumnImportance(
                name=name,
                mean=dict(zip(whole, means.tolist(), strict=True)),
                std=dict(zip(whole, stds.tolist(), strict=True)),
            )
        )
    return tuple(sorted(found, key=partial(_loss_without, main), reverse=True))


def _loss_without(main: str, column: ColumnImportance) -> float:
    """By how much ``main`` gets worse; where that is not known the column comes last."""
    loss = column.mean[main]
    return -math.inf if math.isnan(loss) else loss
