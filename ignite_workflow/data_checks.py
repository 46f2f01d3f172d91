"""What a person should know of a table before a model is trained on it: leaks, duplicates, classes that lack rows.

What was not counted when the table was read is looked for in 2,048 rows, evenly spread over the training split: a few
milliseconds, so that every training can begin with it.

Shapes: ``N`` rows, ``F`` features.
"""

from __future__ import annotations

import shlex
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ignite_workflow.column_checks import check_columns
from ignite_workflow.config import DataConfig, SplitConfig
from ignite_workflow.data.duplicates import hash_rows
from ignite_workflow.data.schema import Schema
from ignite_workflow.date_checks import check_dates
from ignite_workflow.display import printable
from ignite_workflow.missing_checks import check_missing_words
from ignite_workflow.remarks import Level, Remark, columns_named, listed
from ignite_workflow.run_data import RunData
from ignite_workflow.targets import Target

__all__ = ["check_data"]

_SAMPLE = 2048
_FEWEST_VALUES = 5  # a sorted column of fewer says that the table is grouped, not in which order it came to be
_FEWEST_ROWS = 20
_FEW_TRAINING_ROWS = 10
_FEW_ROWS = 5  # of a class
_FEW_NUMBERS = 3
_MOST_WRITTEN = 5
_COMMON = 0.8
_REPEATED = 0.05  # of the rows of a split: beyond, its figures mean something else
_RUINOUS = 0.5
_DIFFERENT = 0.25  # of the training rows: where fewer are, the columns have few values, and rows are equal by chance


def check_data(config: DataConfig, data: RunData) -> Iterator[Remark]:
    """What is worth a remark, found in a few milliseconds.

    Args:
        config: of the data.
        data: prepared by it; of what is not a table nothing is known.
    """
    if data.schema is None or data.target is None:
        return
    train = data.arrays["train"]
    rows = np.linspace(0, len(train.y) - 1, min(_SAMPLE, len(train.y))).astype(np.int64)
    x, y = np.asarray(train.x[rows]), np.asarray(train.y[rows])
    yield from _repeated_rows(data, x)
    yield from _time_leaks(config.split, data.schema, x)
    yield from check_dates(data.schema)
    yield from check_columns(config, data.schema, x, y)
    yield from _lost_rows(data)
    yield from check_missing_words(data)
    if data.target.task == "regression":
        yield from _few_rows(data.sizes)
    yield from _classes(data.target, {split: arrays.y for split, arrays in data.arrays.items()})


def _lost_rows(data: RunData) -> Iterator[Remark]:
    """Rows without a target."""
    for source, (lost, rows) in data.lost_rows.items():
        most = 2 * lost > rows
        yield Remark(
            "warning" if most else "note",
            f"{lost:,} of {rows:,} rows of {listed([source])} have no target and are left out: fill in what is known"
            f"{', or look whether this is the column that was meant' if most else ''}.",
        )


def _few_rows(sizes: Mapping[str, int]) -> Iterator[Remark]:
    """Splits of numbers that are too small; those of classes are counted class by class."""
    few = {"train": _FEW_TRAINING_ROWS, "val": _FEW_NUMBERS, "test": _FEW_NUMBERS}
    small = [f"{split} {size:,}" for split, size in sizes.items() if size < few[split]]
    if small:
        yield Remark("warning", f"few rows: {', '.join(small)}; figures of so few are mostly chance: get more rows.")


def _repeated_rows(data: RunData, x: NDArray[Any]) -> Iterator[Remark]:
    """Rows of validation and test that stand in the training split too."""
    for split, repeated in data.repeated_rows.items():
        rows = data.sizes[split]
        level = _repetition_level(repeated / rows, x)
        consequence = "" if level == "note" else f", so {split} figures are too good"
        yield Remark(
            level,
            f"{repeated:,} of {rows:,} {split} rows stand in the training split too, equal in all cells used"
            f"{consequence}: remove the duplicates, or keep what belongs together in one split "
            "(data.split.group=COLUMN).",
        )


def _repetition_level(share: float, x: NDArray[Any]) -> Level:
    if share < _REPEATED:
        return "note"
    by_chance = len(np.unique(hash_rows(x))) <= _DIFFERENT * len(x)
    return "warning" if share < _RUINOUS or by_chance else "error"


def _time_leaks(split: SplitConfig, schema: Schema, x: NDArray[Any]) -> Iterator[Remark]:
    is_random = split.by is None and split.column is None and split.group is None
    if not is_random or all(isinstance(part, str) or part == 0 for part in (split.val, split.test)):
        return
    times = [column.name for column in schema.used if column.kind == "datetime"]
    is_curve = len(schema.used) == 1  # y(x), whose x may well be sorted
    ordered = [name for name in _ordered(schema, x) if name not in times and not is_curve]
    if times:
        found = f"{columns_named(times)} {'hold' if len(times) > 1 else 'holds'} times"
    elif ordered:
        verb = "grow or shrink" if len(ordered) > 1 else "grows or shrinks"
        found = f"{columns_named(ordered)} only {verb} from the first row to the last"
    else:
        return
    by = (times or ordered)[0]
    yield Remark(
        "warning",
        f"{found}, but the split is random: if later rows are to be predicted from earlier ones, val and test figures "
        f"are too good; say {_setting(f'data.split.by={by}')}.",
    )


def _ordered(schema: Schema, x: NDArray[Any]) -> Iterator[str]:
    """The columns of numbers whose known cells never turn back, in the order of the table."""
    places: dict[str, dict[str, int]] = {}
    for place, (column, part) in enumerate(schema.parts):
        places.setdefault(column.name, {})[part.of] = place
    for name, parts in places.items():
        if "value" not in parts:
            continue
        values = x[:, parts["value"]]
        if "missing" in parts:
            values = values[x[:, parts["missing"]] == 0]
        steps = np.diff(values)
        if len(values) < _FEWEST_ROWS or np.count_nonzero(steps) < _FEWEST_VALUES - 1:
            continue
        if (steps >= 0).all() or (steps <= 0).all():
            yield name


def _classes(target: Target, y: Mapping[str, NDArray[Any]]) -> Iterator[Remark]:
    if not target.classes:
        return
    alike: dict[str, list[str]] = {}
    for name in target.classes:
        alike.setdefault(_spelled(_as_seen(name)), []).append(name)
    for names in (names for names in alike.values() if len(names) > 1):
        differ = "differ in upper case and blanks only"
        if len({*map(_spelled, names)}) > 1:
            differ = f"look alike but are written {', '.join(map(ascii, names[:_MOST_WRITTEN]))}"
        found = f"{_named(names)} {differ}, and are taken for {len(names)} classes"
        yield Remark("warning", f"{found}: if they are one, write them in one way in the file.")
    counts = {split: _counts(rows, len(target.classes)) for split, rows in y.items()}
    few = [name for name, count in zip(target.classes, counts["train"], strict=True) if count < _FEW_TRAINING_ROWS]
    if few:
        have, each, them = ("have", " each", "them") if len(few) > 1 else ("has", "", "it")
        yield Remark(
            "warning",
            f"{_named(few)} {have} fewer than {_FEW_TRAINING_ROWS} training rows{each}: "
            f"little can be learnt of {them}; get more rows, or merge classes.",
        )
    for split in ("val", "test"):
        if split in counts:
            yield from _held_out(split, target.classes, counts[split])
    total = counts["train"].sum() if target.task != "multilabel" else 0
    if total and counts["train"].max() >= _COMMON * total:
        common = int(counts["train"].argmax())
        yield Remark(
            "note",
            f"class {listed([target.classes[common]])} has {counts['train'][common] / total:.0%} of the training rows: "
            "judge by f1 or balanced_accuracy, not by accuracy; loss.class_weights=balanced makes rare classes count.",
        )


def _spelled(name: str) -> str:
    return " ".join(name.casefold().split())


def _as_seen(name: str) -> str:
    """Without what has no width, and an accent in one way, whether it is a character of its own or not."""
    seen = (char for char in unicodedata.normalize("NFKC", name) if unicodedata.category(char) not in ("Cc", "Cf"))
    return "".join(seen)


def _held_out(split: str, classes: Sequence[str], counts: NDArray[Any]) -> Iterator[Remark]:
    missing = [name for name, count in zip(classes, counts, strict=True) if count == 0]
    few = [name for name, count in zip(classes, counts, strict=True) if 0 < count < _FEW_ROWS]
    if missing:
        have, them = ("have", "them") if len(missing) > 1 else ("has", "it")
        yield Remark(
            "warning",
            f"{_named(missing)} {have} no row in {split}: nothing is measured of {them}; make "
            f"data.split.{split} larger, or divide in another way.",
        )
    if few:
        have, whose = ("have", "their") if len(few) > 1 else ("has", "its")
        yield Remark(
            "note",
            f"{_named(few)} {have} fewer than {_FEW_ROWS} rows in {split}: {whose} figures hang on single rows.",
        )


def _counts(y: NDArray[Any], classes: int) -> NDArray[Any]:
    return np.bincount(y, minlength=classes) if y.ndim == 1 else np.asarray(y).sum(axis=0)


def _named(names: Sequence[str]) -> str:
    return f"class{'es' if len(names) > 1 else ''} {listed(names)}"


def _setting(text: str) -> str:
    """A setting as a shell takes it."""
    return shlex.quote(printable(text))
