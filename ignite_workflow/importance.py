"""What a model rests on: how much worse it gets when one column's cells are dealt out among the rows at random.

Whatever is made of a column (its value, that it is missing, the parts of a date) is moved together. Two columns that
say the same stand in for one another, so both come out low: importance is what the model would lose, not what the
column knows.

Source: Breiman, Random Forests (2001), section 10; Fisher, Rudin, Dominici, All Models are Wrong (2019).
Shapes: ``N`` rows, ``F`` features.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ignite_workflow.data.schema import Schema
from ignite_workflow.metrics import MODES
from ignite_workflow.randomness import Stream, generator

__all__ = ["REPEATS", "ColumnImportance", "RowSample", "column_features", "permutation_importance"]

REPEATS = 5
_MOST_ROWS = 10_000  # with so many, the means are sure to a few hundredths of themselves


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


def column_features(schema: Schema) -> dict[str, list[int]]:
    """For each used column the places of its features."""
    features: dict[str, list[int]] = {}
    for place, (column, _) in enumerate(schema.parts):
        features.setdefault(column.name, []).append(place)
    for place, column in enumerate(schema.categories, start=len(schema.parts)):
        features[column.name] = [place]
    return features


class RowSample:
    """All rows that come by, or of more than 10,000 so many picked at random: in bounded memory, in their order."""

    def __init__(self) -> None:
        self._parts: list[tuple[Tensor, Tensor, Tensor]] = []
        self._random = generator(0, Stream.IMPORTANCE, 0)
        self._seen = 0

    def add(self, x: Tensor, y: Tensor) -> None:
        """Take rows in: inputs (N, F) and targets (N, ...)."""
        keys = torch.rand(len(x), generator=self._random, dtype=torch.float64)
        self._parts.append((keys, x.cpu(), y.cpu()))
        self._seen += len(x)
        if self._seen > 2 * _MOST_ROWS:
            self._thin()

    def rows(self) -> tuple[Tensor, Tensor]:
        """What was kept: inputs and targets."""
        self._thin()
        [(_, x, y)] = self._parts
        return x, y

    def _thin(self) -> None:
        """Keep the rows with the smallest keys: each row is kept with the same chance."""
        keys, x, y = (torch.cat(column) for column in zip(*self._parts, strict=True))
        if len(keys) > _MOST_ROWS:
            kept = keys.argsort()[:_MOST_ROWS].sort().values
            keys, x, y = keys[kept], x[kept], y[kept]
        self._parts, self._seen = [(keys, x, y)], len(keys)


def permutation_importance(
    measure: Callable[[Tensor], Mapping[str, float]],
    x: Tensor,
    features: Mapping[str, Sequence[int]],
    *,
    main: str,
    seed: int = 0,
    watch: Callable[[Iterable[Any]], Iterable[Any]] = iter,
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
    return tuple(sorted(found, key=lambda each: -np.nan_to_num(each.mean[main], nan=-np.inf)))
