"""What a person should know of a table before a model is trained on it: leaks, duplicates, classes that lack rows.

All but the duplicates between splits look at 2,048 rows, evenly spread over the training split: a few milliseconds, so
that every training can begin with it.

Shapes: ``N`` rows, ``F`` features.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ignite_workflow.config import DataConfig, SplitConfig
from ignite_workflow.data.duplicates import count_common, hash_rows
from ignite_workflow.data.schema import Schema
from ignite_workflow.display import printable
from ignite_workflow.importance import column_features
from ignite_workflow.lone_features import gives_class, gives_number
from ignite_workflow.remarks import Remark, listed
from ignite_workflow.run_data import RunData
from ignite_workflow.targets import Target

__all__ = ["check_data", "check_duplicate_rows"]

_SAMPLE = 2048
_FEWEST_VALUES = 5  # a sorted column of fewer says that the table is grouped, not in which order it came to be
_FEWEST_ROWS = 20
_SAME = 1 - 1e-6  # correlation of columns that differ by a scale and by rounding
_FEW_TRAINING_ROWS = 10
_FEW_ROWS = 5
_COMMON = 0.8
_DUPLICATES = 0.05
_RUINOUS_DUPLICATES = 0.5


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
    yield from _giveaways(data.schema, x, y)
    yield from _time_leaks(config.split, data.schema, x)
    yield from _duplicate_columns(data.schema, x)
    yield from _classes(data.target, {split: arrays.y for split, arrays in data.arrays.items()})


def check_duplicate_rows(data: RunData) -> Iterator[Remark]:
    """Rows of validation and test that stand in the training split too, where they are so many that they matter."""
    if not data.arrays:
        return
    known = hash_rows(data.arrays["train"].x, data.arrays["train"].y)
    for split in ("val", "test"):
        if split not in data.arrays:
            continue
        rows = data.arrays[split]
        share = count_common(hash_rows(rows.x, rows.y), known) / len(rows.y)
        if share >= _DUPLICATES:
            yield Remark(
                "error" if share >= _RUINOUS_DUPLICATES else "warning",
                f"{share:.0%} of the {split} rows stand in the training split too, so {split} figures are too good: "
                "remove the duplicates, or keep what belongs together in one split (data.split.group=COLUMN).",
            )


def _giveaways(schema: Schema, x: NDArray[Any], y: NDArray[Any]) -> Iterator[Remark]:
    columns = column_features(schema)
    if len(columns) < 2:
        return  # a curve y(x)
    codes, targets = len(schema.parts), [y] if y.ndim == 1 else list(y.T)
    found = []
    for name, places in columns.items():
        for target in targets:
            if schema.task == "regression":
                given = any(gives_number(x[:, place], target, is_category=place >= codes) for place in places)
            else:
                given = any(gives_class(x[:, place], target.astype(np.int64)) for place in places)
            if given:
                found.append(name)
                break
    if found:
        yield Remark(
            "warning",
            f"{_columns(found)} alone {'give' if len(found) > 1 else 'gives'} the target: if it is not known yet when "
            f"predictions are made, leave it out ({_setting(f'data.columns.{found[0]}=ignore')}).",
        )


def _time_leaks(split: SplitConfig, schema: Schema, x: NDArray[Any]) -> Iterator[Remark]:
    is_random = split.by is None and split.column is None and split.group is None
    if not is_random or all(isinstance(part, str) or part == 0 for part in (split.val, split.test)):
        return
    times = [column.name for column in schema.used if column.kind == "datetime"]
    is_curve = len(schema.used) == 1  # y(x), whose x may well be sorted
    ordered = [name for name in _ordered(schema, x) if name not in times and not is_curve]
    if times:
        found = f"{_columns(times)} {'hold' if len(times) > 1 else 'holds'} times"
    elif ordered:
        found = (
            f"{_columns(ordered)} only {'grow or shrink' if len(ordered) > 1 else 'grows or shrinks'} down the table"
        )
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


def _duplicate_columns(schema: Schema, x: NDArray[Any]) -> Iterator[Remark]:
    if len(x) < _FEWEST_ROWS:
        return
    numbers = {place: column.name for place, (column, part) in enumerate(schema.parts) if part.of == "value"}
    pairs = list(_same_numbers(x, numbers)) + list(_same_codes(schema, x))
    if not pairs:
        return
    texts = [f"{_quoted(second)} says the same as {_quoted(first)}" for first, second in pairs[:3]]
    more = f"; and {len(pairs) - 3} more pairs" if len(pairs) > 3 else ""
    setting = _setting(f"data.columns.{pairs[0][1]}=ignore")
    yield Remark("warning", f"{'; '.join(texts)}{more}: one of them is enough, leave the other out ({setting}).")


def _same_numbers(x: NDArray[Any], numbers: Mapping[int, str]) -> Iterator[tuple[str, str]]:
    """Pairs of columns of which one is the other, but for scale and offset; a column stands in one pair at most."""
    values = x[:, list(numbers)].astype(np.float64)
    values -= values.mean(axis=0)
    size = np.sqrt((values**2).sum(axis=0))
    values = values[:, size > 0] / size[size > 0]
    names = [name for name, varies in zip(numbers.values(), size > 0, strict=True) if varies]
    same = np.triu(np.abs(values.T @ values) > _SAME, 1)
    for second in np.flatnonzero(same.any(axis=0)):
        yield names[int(same[:, second].argmax())], names[second]


def _same_codes(schema: Schema, x: NDArray[Any]) -> Iterator[tuple[str, str]]:
    """Pairs of categories whose values stand one for one."""
    first: dict[bytes, str] = {}
    for place, column in enumerate(schema.categories, start=len(schema.parts)):
        _, seen, codes = np.unique(x[:, place], return_index=True, return_inverse=True)
        canonical = np.argsort(np.argsort(seen))[codes].tobytes()  # values numbered as they first occur
        if len(seen) > 1 and canonical in first:
            yield first[canonical], column.name
        first.setdefault(canonical, column.name)


def _classes(target: Target, y: Mapping[str, NDArray[Any]]) -> Iterator[Remark]:
    if not target.classes:
        return
    counts = {split: _counts(rows, len(target.classes)) for split, rows in y.items()}
    few = [name for name, count in zip(target.classes, counts["train"], strict=True) if count < _FEW_TRAINING_ROWS]
    if few:
        some = f"have fewer than {_FEW_TRAINING_ROWS} training rows each" if len(few) > 1 else "has fewer than "
        some += f"{_FEW_TRAINING_ROWS} training rows" if len(few) == 1 else ""
        yield Remark("warning", f"{_named(few)} {some}: little can be learnt of it; get more rows, or merge classes.")
    for split in ("val", "test"):
        if split in counts:
            yield from _held_out(split, target.classes, counts[split])
    total = counts["train"].sum() if target.task != "multilabel" else 0
    if total and counts["train"].max() >= _COMMON * total:
        common = int(counts["train"].argmax())
        yield Remark(
            "note",
            f"class {_quoted(target.classes[common])} has {counts['train'][common] / total:.0%} of the training rows: "
            "judge by f1 or balanced_accuracy, not by accuracy; loss.class_weights=balanced makes rare classes count.",
        )


def _held_out(split: str, classes: Sequence[str], counts: NDArray[Any]) -> Iterator[Remark]:
    missing = [name for name, count in zip(classes, counts, strict=True) if count == 0]
    few = [name for name, count in zip(classes, counts, strict=True) if 0 < count < _FEW_ROWS]
    if missing:
        yield Remark(
            "warning",
            f"{_named(missing)} {'have' if len(missing) > 1 else 'has'} no row in {split}: nothing is measured of it; "
            f"make data.split.{split} larger, or divide in another way.",
        )
    if few:
        yield Remark(
            "note",
            f"{_named(few)} {'have' if len(few) > 1 else 'has'} fewer than {_FEW_ROWS} rows in {split}: its figures "
            "hang on single rows.",
        )


def _counts(y: NDArray[Any], classes: int) -> NDArray[Any]:
    return np.bincount(y, minlength=classes) if y.ndim == 1 else np.asarray(y).sum(axis=0)


def _columns(names: Sequence[str]) -> str:
    return f"column{'s' if len(names) > 1 else ''} {listed(names)}"


def _named(names: Sequence[str]) -> str:
    return f"class{'es' if len(names) > 1 else ''} {listed(names)}"


def _quoted(name: str) -> str:
    return listed([name])


def _setting(text: str) -> str:
    """A setting as a shell takes it."""
    return shlex.quote(printable(text))
