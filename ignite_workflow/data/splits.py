"""Which rows train, which validate, which test: a function of the settings, the seed and the rows.

Shapes: ``N`` is the number of records of the table.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

import numpy as np
import polars as pl

from ignite_workflow.config_fields import DEFAULT_FRACTION, SplitConfig
from ignite_workflow.data.cells import CellRules, as_text
from ignite_workflow.data.file_formats import is_table_file
from ignite_workflow.data.paths import table_paths
from ignite_workflow.errors import ConfigError, DataError
from ignite_workflow.randomness import Stream, mix

__all__ = ["Assignment", "Mask", "Order", "Rows", "Split", "assign_rows"]

_RARE = 3  # rows of a class: more are spread finely enough
_SPELLINGS = {"train": 0, "training": 0, "val": 1, "valid": 1, "validation": 1, "test": 2}

Assignment = np.ndarray[tuple[int], np.dtype[np.int8]]
Mask = np.ndarray[tuple[int], np.dtype[np.bool_]]
RowNumbers = np.ndarray[tuple[int], np.dtype[np.int64]]
Order = np.ndarray[tuple[int], np.dtype[np.float64]]


class Split(IntEnum):
    """What a row is for."""

    UNUSED = -1
    TRAIN = 0
    VAL = 1
    TEST = 2


@dataclass(frozen=True)
class Rows:
    """What a split may depend on.

    Attributes:
        usable: (N,) whether the row's target is known.
        place: where a row stands, for messages.
        classes: int64 (N,), the class of each row; None for a regression.
        columns: the columns that the split names, by the names the settings use.
        order: float64 (N,), what ``by`` sorts, NaN where missing.
        rules: how cells are read.
    """

    usable: Mask
    place: Callable[[int], str]
    classes: RowNumbers | None = None
    columns: Mapping[str, pl.Series] = field(default_factory=dict)
    order: Order | None = None
    rules: CellRules = field(default_factory=CellRules)


def assign_rows(config: SplitConfig, rows: Rows, *, seed: int) -> Assignment:
    """Divide the rows of a table.

    Rows named by ``column`` or a list file go where they are sent. Fractions are of the rows then left, which are cut
    at random (with the proportions of the classes), by whole groups, or in the order of a column: train first, then
    val, then test.

    Args:
        config: how.
        rows: what is to be divided.
        seed: of the run.

    Returns:
        int8 (N,), a ``Split`` for each row.

    Raises:
        ConfigError: settings that exclude each other, or a fraction out of range.
        DataError: a list file or column that does not fit, or nothing left to train on.
    """
    _refuse_contradictions(config, rows)
    split = np.where(rows.usable, np.int8(Split.TRAIN), np.int8(Split.UNUSED)).astype(np.int8)
    if config.column is not None:
        _follow_column(split, config.column, rows)
    taken = split != Split.TRAIN
    for target, value in ((Split.VAL, config.val), (Split.TEST, config.test)):
        if isinstance(value, str) and not is_table_file(value):
            listed = _listed_rows(value, len(split), target)
            both = listed[taken[listed] & (split[listed] != Split.UNUSED)]
            if len(both):
                raise DataError(f"data.split: row {both[0]} is named for {target.name.lower()} and for another split.")
            split[listed] = np.where(rows.usable[listed], np.int8(target), np.int8(Split.UNUSED))
            taken[listed] = True
    val, test = _fraction(config, "val"), _fraction(config, "test")
    if val or test:
        _cut(split, np.flatnonzero(~taken), config, rows, (val, test), seed)
    if not (split == Split.TRAIN).any():
        raise DataError("data.split: no row is left to train on.")
    return split


def _refuse_contradictions(config: SplitConfig, rows: Rows) -> None:
    if config.by is not None and config.group is not None:
        raise ConfigError("data.split: by and group exclude each other.")
    if config.stratify and rows.classes is None:
        raise ConfigError(
            "data.split.stratify: only classes can be stratified; this is a regression or has several targets."
        )
    if config.stratify and config.group is not None:
        raise ConfigError("data.split: rows cannot be kept in groups and stratified: leave one out.")


def _fraction(config: SplitConfig, name: str) -> float:
    value: float | str | None = getattr(config, name)
    if isinstance(value, str):
        return 0.0
    if value is None:
        return 0.0 if config.column is not None else DEFAULT_FRACTION
    if not 0 <= value < 1:
        raise ConfigError(f"data.split.{name}: must be a fraction from 0 up to 1, or a file; got {value:g}.")
    return float(value)


def _follow_column(split: Assignment, name: str, rows: Rows) -> None:
    text = as_text(rows.columns[name], rows.rules.missing)
    codes = text.str.to_lowercase().replace_strict(_SPELLINGS, default=None, return_dtype=pl.Int8)
    bad = codes.is_null().to_numpy() & rows.usable
    if bad.any():
        first = int(bad.argmax())
        raise DataError(f"{rows.place(first)}, column {name!r}: must say train, val or test, got {text[first]!r}.")
    split[rows.usable] = codes.fill_null(0).to_numpy()[rows.usable]


def _listed_rows(path: str, rows: int, target: Split) -> RowNumbers:
    option = f"data.split.{target.name.lower()}"
    [file] = table_paths(path, option=option)
    numbers: dict[int, int] = {}
    for line, text in enumerate(file.read_text(encoding="utf-8", errors="replace").splitlines(), start=1):
        if not text.strip():
            continue
        if not text.strip().isascii() or not text.strip().isdigit():
            raise DataError(
                f"{path}: line {line}: row numbers are needed, one a line, from 0; got {text.strip()[:40]!r}."
            )
        number = int(text)
        if number >= rows:
            raise DataError(f"{path}: line {line}: row {number} is not there; the table has rows 0 to {rows - 1}.")
        if number in numbers:
            raise DataError(f"{path}: line {line}: row {number} stands on line {numbers[number]} too.")
        numbers[number] = line
    if not numbers:
        raise DataError(f"{path}: no row numbers in it.")
    return np.array(list(numbers), dtype=np.int64)


def _cut(
    split: Assignment, free: RowNumbers, config: SplitConfig, rows: Rows, fractions: tuple[float, float], seed: int
) -> None:
    """Send the last of the free rows, in the order the settings ask for, to val and test."""
    val, test = (max(1, round(fraction * len(free))) if fraction else 0 for fraction in fractions)
    train = len(free) - val - test
    if train < 1:
        raise DataError(f"data.split: {len(free)} rows are too few to take {val} for val and {test} for test.")
    random = np.random.Generator(np.random.PCG64(mix(seed, Stream.SPLIT)))
    starts = np.array([train, train + val])
    if config.group is not None:
        position = _group_positions(rows, config.group, free, random)
        order = np.argsort(position)
        starts = np.searchsorted(position[order], starts)
    elif config.by is not None:
        order = _time_order(rows, config.by, free)
    else:
        order = _random_order(rows, config, free, random)
    split[free[order[starts[0] :]]] = Split.VAL
    split[free[order[starts[1] :]]] = Split.TEST
    for wanted, name in ((val, "val"), (test, "test")):
        if wanted and not (split[free] == Split[name.upper()]).any():
            raise DataError(f"data.split.group: too few groups in column {config.group!r} to give {name} any.")


def _time_order(rows: Rows, name: str, free: RowNumbers) -> RowNumbers:
    assert rows.order is not None
    values = rows.order[free]
    if np.isnan(values).any():
        raise DataError(
            f"{rows.place(int(free[np.isnan(values)][0]))}, column {name!r}: missing, but rows are split by it."
        )
    return np.argsort(values, kind="stable")


def _random_order(rows: Rows, config: SplitConfig, free: RowNumbers, random: np.random.Generator) -> RowNumbers:
    shuffled: RowNumbers = random.permutation(len(free))
    if rows.classes is None or config.stratify is False:
        return shuffled
    # each class spread evenly over 0 to 1: whatever slice is cut out of that has the classes in proportion
    classes = rows.classes[free][shuffled]
    by_class = np.argsort(classes, kind="stable")
    _, starts, counts = np.unique(classes[by_class], return_index=True, return_counts=True)
    rank = np.empty(len(free))
    rank[by_class] = (np.arange(len(free)) - np.repeat(starts, counts) + 0.5) / np.repeat(counts, counts)
    rank[by_class[starts[counts <= _RARE]]] = 0.0  # the first slice trains: it has a row of every class
    return shuffled[np.argsort(rank, kind="stable")]


def _group_positions(rows: Rows, name: str, free: RowNumbers, random: np.random.Generator) -> Any:
    """For each free row the middle of its group, the groups laid end to end in random order."""
    text = as_text(rows.columns[name], rows.rules.missing).gather(free)
    if text.null_count():
        first = int(free[int(text.is_null().arg_true()[0])])
        raise DataError(f"{rows.place(first)}, column {name!r}: missing, but rows are grouped by it.")
    _, codes, sizes = np.unique(text.to_numpy(), return_inverse=True, return_counts=True)
    order = random.permutation(len(sizes))
    ends = np.cumsum(sizes[order])
    middles = np.empty(len(sizes))
    middles[order] = ends - sizes[order] / 2
    return middles[codes]
