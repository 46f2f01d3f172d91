"""Fitting a schema: one pass over the training rows for moments, quantiles and classes.

Shapes: ``N`` is the number of records of the table.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import accumulate

import numpy as np

from ignite_workflow.data.cells import Floats, as_numbers, as_text
from ignite_workflow.data.chunk import Chunk
from ignite_workflow.data.features import (
    CANDIDATES,
    Column,
    Part,
    TargetColumn,
    base_values,
    class_order,
    part_values,
    target_text,
)
from ignite_workflow.data.prefetch import parallel_map
from ignite_workflow.data.schema import Schema
from ignite_workflow.data.statistics import Moments, Row, quantile_edges
from ignite_workflow.data.task import CLASS_TASKS
from ignite_workflow.errors import DataError
from ignite_workflow.randomness import Stream, mix

__all__ = ["fit_schema"]

_SAMPLED_ROWS = 32_768
_FITTED_COLUMNS = 8  # at a time: to hand a column to a thread takes longer than to fit a short one

Mask = np.ndarray[tuple[int], np.dtype[np.bool_]]


def fit_schema(schema: Schema, chunks: Iterable[Chunk], train: Mask, *, seed: int) -> Schema:
    """Give a schema the statistics of its training rows.

    Args:
        schema: kinds of columns and targets, no statistics yet.
        chunks: the table.
        train: (N,) which rows train.
        seed: of the run: picks the rows that quantiles are estimated from, where there are more than 32,768.

    Raises:
        DataError: a cell does not fit its column, or a target does not vary; names row, column and value.
    """
    wanted = [[of for of in CANDIDATES[column.kind] if of != "missing"] for column in schema.numeric]
    found = _RowStatistics(Moments(sum(map(len, wanted))), Moments(len(_scaled(schema))))
    samples: list[list[Row]] = []
    for each in parallel_map(partial(_statistics, schema, wanted, train, _sample(train, seed)), chunks):
        found.add(each)
        samples.append(each.sample)
    sample = [np.concatenate(pieces) for pieces in zip(*samples, strict=True)]
    numeric = _fitted_numbers(schema, wanted, found.moments, sample, int(train.sum()))
    categories = {
        column.name: _fitted_category(column, class_order(found.classes[column.name]), column.name in found.missing)
        for column in schema.categories
    }
    fitted = {**numeric, **categories}
    columns = tuple(fitted.get(column.name, column) for column in schema.columns)
    targets = _fitted_targets(schema, found.targets)
    return replace(schema, columns=columns, targets=targets, classes=class_order(found.labels, targets[0].spellings))


@dataclass
class _RowStatistics:
    """What some training rows hold: of numbers the moments and a sample, of categories the classes, of targets both."""

    moments: Moments
    targets: Moments
    sample: list[Row] = field(default_factory=list)
    classes: dict[str, set[str]] = field(default_factory=dict)
    missing: set[str] = field(default_factory=set)
    labels: set[str] = field(default_factory=set)

    def add(self, other: _RowStatistics) -> None:
        """Take in other rows; their sample is left alone."""
        self.moments.add(other.moments)
        self.targets.add(other.targets)
        for name, classes in other.classes.items():
            self.classes.setdefault(name, set()).update(classes)
        self.missing |= other.missing
        self.labels |= other.labels


def _statistics(schema: Schema, wanted: list[list[str]], train: Mask, sampled: Mask, chunk: Chunk) -> _RowStatistics:
    rows = slice(chunk.first_row, chunk.first_row + chunk.frame.height)
    values = _numbers(schema, wanted, chunk)
    read = [as_numbers(chunk.column(target.name), schema.rules, chunk.place) for target in _scaled(schema)]
    found = _RowStatistics(Moments.of(values, train[rows]), Moments.of(read, train[rows]))
    picked = np.flatnonzero(sampled[rows])
    found.sample = [each.take(picked) for each in values]
    chosen = np.flatnonzero(train[rows])
    for column in schema.categories:
        text = as_text(chunk.column(column.name), schema.rules.missing).gather(chosen)
        found.classes[column.name] = set(text.drop_nulls().unique())
        if text.null_count():
            found.missing.add(column.name)
    if schema.task in CLASS_TASKS:
        series = chunk.column(schema.targets[0].name)
        found.labels = set(target_text(series, schema.rules, schema.targets[0]).gather(chosen).drop_nulls().unique())
    return found


def _scaled(schema: Schema) -> tuple[TargetColumn, ...]:
    return schema.targets if schema.task == "regression" else ()


def _sample(train: Mask, seed: int) -> Mask:
    rows = np.flatnonzero(train)
    if len(rows) > _SAMPLED_ROWS:
        random = np.random.Generator(np.random.PCG64(mix(seed, Stream.SPLIT, 1)))
        rows = random.choice(rows, _SAMPLED_ROWS, replace=False, shuffle=False)
    sampled = np.zeros(len(train), dtype=bool)
    sampled[rows] = True
    return sampled


def _numbers(schema: Schema, wanted: list[list[str]], chunk: Chunk) -> list[Floats]:
    values: list[Floats] = []
    for column, parts in zip(schema.numeric, wanted, strict=True):
        base = base_values(column, chunk.column(column.name), schema.rules, chunk.place)
        values.extend(part_values(of, base) for of in parts)
    return values


def _fitted_numbers(
    schema: Schema, wanted: list[list[str]], moments: Moments, sample: list[Row], rows: int
) -> dict[str, Column]:
    """The columns of numbers with those parts that vary in the training split."""
    first = accumulate(map(len, wanted), initial=0)
    columns = list(zip(schema.numeric, wanted, first, strict=False))  # ``first`` has the end too
    some = [columns[start : start + _FITTED_COLUMNS] for start in range(0, len(columns), _FITTED_COLUMNS)]
    fit_some = partial(_fitted_some, moments, moments.std, sample, rows)
    return {column.name: column for fitted in parallel_map(fit_some, some) for column in fitted}


def _fitted_some(
    moments: Moments, std: Row, sample: list[Row], rows: int, columns: list[tuple[Column, list[str], int]]
) -> list[Column]:
    return [_fitted_number(moments, std, sample, rows, each) for each in columns]


def _fitted_number(
    moments: Moments, std: Row, sample: list[Row], rows: int, of: tuple[Column, list[str], int]
) -> Column:
    column, candidates, first = of
    parts = [
        _part(column, candidate, float(moments.mean[number]), float(std[number]), sample[number])
        for number, candidate in enumerate(candidates, start=first)
        if moments.varies[number]
    ]
    if 0 < moments.count[first] < rows:
        parts.insert(1 if parts else 0, Part("missing", quantiles=(0.0, 1.0)))
    if not parts:
        return replace(column, kind="constant", why="does not vary in the training split")
    return replace(column, parts=tuple(parts))


def _part(column: Column, of: str, mean: float, std: float, sample: Row) -> Part:
    if of != "value":
        return Part(of, quantiles=quantile_edges(sample))
    if column.kind == "boolean":
        return Part(of, fill=mean, quantiles=quantile_edges(sample))
    return Part(of, mean, std, quantiles=quantile_edges((sample - mean) / std))


def _fitted_category(column: Column, classes: tuple[str, ...], missing: bool) -> Column:
    if len(classes) + missing < 2:
        return replace(column, kind="constant", why="does not vary in the training split")
    return replace(column, classes=classes, missing=missing)


def _fitted_targets(schema: Schema, moments: Moments) -> tuple[TargetColumn, ...]:
    if schema.task != "regression":
        return schema.targets
    for number, target in enumerate(schema.targets):
        if not moments.varies[number]:
            if moments.count[number] == 1:
                raise DataError(
                    "data.split: one row is left for training, from which nothing can be learnt: more rows."
                )
            value = f"{moments.first[number]:g}"
            raise DataError(
                f"data.target: column {target.name!r} is {value} in every training row; there is nothing to learn."
            )
    return tuple(
        replace(target, mean=float(mean), std=float(std))
        for target, mean, std in zip(schema.targets, moments.mean, moments.std, strict=True)
    )
