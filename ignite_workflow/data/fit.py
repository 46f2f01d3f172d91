"""Fitting a schema: one pass over the training rows for moments, quantiles and classes.

Shapes: ``N`` is the number of records of the table, ``K`` of numbers made of its columns.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np

from ignite_workflow.data.cells import Floats, as_numbers, as_text
from ignite_workflow.data.features import (
    CANDIDATES,
    Column,
    Part,
    Target,
    base_values,
    class_order,
    part_values,
    target_text,
)
from ignite_workflow.data.schema import Schema
from ignite_workflow.data.statistics import Moments, Row, quantile_edges
from ignite_workflow.data.tables import Chunk
from ignite_workflow.errors import DataError
from ignite_workflow.randomness import Stream, mix

__all__ = ["fit_schema"]

_SAMPLED_ROWS = 65_536

Mask = np.ndarray[tuple[int], np.dtype[np.bool_]]


def fit_schema(schema: Schema, chunks: Iterable[Chunk], train: Mask, *, seed: int) -> Schema:
    """Give a schema the statistics of its training rows.

    Args:
        schema: kinds of columns and targets, no statistics yet.
        chunks: the table.
        train: (N,) which rows train.
        seed: of the run: picks the rows that quantiles are estimated from, where there are more than 65,536.

    Raises:
        DataError: a cell does not fit its column, or a target does not vary; names row, column and value.
    """
    sampled = _sample(train, seed)
    wanted = [[of for of in CANDIDATES[column.kind] if of != "missing"] for column in schema.numeric]
    moments, targets = Moments(sum(map(len, wanted))), Moments(len(schema.targets))
    classes: list[set[str]] = [set() for _ in schema.categories]
    missing = [False for _ in schema.categories]
    labels: set[str] = set()
    samples: list[Any] = []
    for chunk in chunks:
        rows = slice(chunk.first_row, chunk.first_row + chunk.frame.height)
        chosen = np.flatnonzero(train[rows])
        if schema.numeric:
            values = _numbers(schema, wanted, chunk)
            moments.add(values if len(chosen) == values.shape[1] else values[:, chosen])
            samples.append(values[:, np.flatnonzero(sampled[rows])])
        for number, column in enumerate(schema.categories):
            text = as_text(chunk.column(column.name), schema.rules.missing).gather(chosen)
            classes[number].update(text.drop_nulls().unique())
            missing[number] |= text.null_count() > 0
        if schema.task == "regression":
            read = [as_numbers(chunk.column(target.name), schema.rules, chunk.place) for target in schema.targets]
            targets.add(np.stack(read)[:, chosen])
        elif schema.task != "multilabel":
            series = chunk.column(schema.targets[0].name)
            labels.update(target_text(series, schema.rules, schema.targets[0]).gather(chosen).drop_nulls().unique())
    sample = np.concatenate(samples, axis=1) if samples else np.empty((0, 0))
    numeric = _fitted_numbers(schema, wanted, moments, sample, int(train.sum()))
    categories = {
        column.name: _fitted_category(column, class_order(values), has_missing)
        for column, values, has_missing in zip(schema.categories, classes, missing, strict=True)
    }
    fitted = {**numeric, **categories}
    columns = tuple(fitted.get(column.name, column) for column in schema.columns)
    return replace(schema, columns=columns, targets=_fitted_targets(schema, targets), classes=class_order(labels))


def _sample(train: Mask, seed: int) -> Mask:
    rows = np.flatnonzero(train)
    if len(rows) > _SAMPLED_ROWS:
        random = np.random.Generator(np.random.PCG64(mix(seed, Stream.SPLIT, 1)))
        rows = random.choice(rows, _SAMPLED_ROWS, replace=False, shuffle=False)
    sampled = np.zeros(len(train), dtype=bool)
    sampled[rows] = True
    return sampled


def _numbers(schema: Schema, wanted: list[list[str]], chunk: Chunk) -> Any:
    values: list[Floats] = []
    for column, parts in zip(schema.numeric, wanted, strict=True):
        base = base_values(column, chunk.column(column.name), schema.rules, chunk.place)
        values.extend(part_values(of, base) for of in parts)
    return np.stack(values)


def _fitted_numbers(
    schema: Schema, wanted: list[list[str]], moments: Moments, sample: Any, rows: int
) -> dict[str, Column]:
    """The columns of numbers with those parts that vary in the training split."""
    fitted: dict[str, Column] = {}
    at = 0
    for column, candidates in zip(schema.numeric, wanted, strict=True):
        numbers = range(at, at + len(candidates))
        at += len(candidates)
        parts = [
            _part(column, of, float(moments.mean[number]), float(moments.std[number]), sample[number])
            for of, number in zip(candidates, numbers, strict=True)
            if moments.high[number] > moments.low[number]
        ]
        if 0 < moments.count[numbers[0]] < rows:
            parts.insert(1 if parts else 0, Part("missing", quantiles=(0.0, 1.0)))
        if parts:
            fitted[column.name] = replace(column, parts=tuple(parts))
        else:
            fitted[column.name] = replace(column, kind="constant", why="does not vary in the training split")
    return fitted


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


def _fitted_targets(schema: Schema, moments: Moments) -> tuple[Target, ...]:
    if schema.task != "regression":
        return schema.targets
    for number, target in enumerate(schema.targets):
        if moments.high[number] == moments.low[number]:
            value = f"{moments.low[number]:g}"
            raise DataError(
                f"data.target: column {target.name!r} is {value} in every training row; there is nothing to learn."
            )
    return tuple(
        replace(target, mean=float(mean), std=float(std))
        for target, mean, std in zip(schema.targets, moments.mean, moments.std, strict=True)
    )
