"""What is worth knowing of a table's columns: those that are not used, that hardly vary, repeat others, or give away.

Shapes: ``N`` rows, ``F`` features.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ignite_workflow.column_features import column_features, value_correlations
from ignite_workflow.config import DataConfig, Task
from ignite_workflow.data.schema import Column, Schema
from ignite_workflow.display import format_number, printable
from ignite_workflow.lone_features import gives_class, gives_number
from ignite_workflow.remarks import Remark, column_setting, columns_named, listed

__all__ = ["check_columns"]

_FEWEST_ROWS = 20
_SAME = 1 - 1e-6  # correlation of columns that differ by a scale and by rounding
_RARE = 0.01  # of the rows: a column whose other values are rarer says nearly nothing
_AT_ONCE = 256  # columns that are compared with all before them
_TOLD = 3  # pairs of columns, or columns that hardly vary
_FATES = {
    "constant": ("does not vary and is not used", "do not vary and are not used"),
    "identifier": ("names the rows and is not used", "name the rows and are not used"),
    "text": ("is free text and not used", "are free text and not used"),
    "ignore": ("holds no plain cells and is not used", "hold no plain cells and are not used"),
}


def check_columns(config: DataConfig, schema: Schema, x: NDArray[Any], y: NDArray[Any]) -> Iterator[Remark]:
    """What is worth a remark.

    Args:
        config: of the table; of what it says itself nothing is said.
        schema: of the table.
        x: features of some training rows (N, F).
        y: their targets.
    """
    yield from _giveaways(schema, x, y)
    yield from _repeated(schema, x)
    yield from _hardly_varying(schema, x)
    told = {name.strip() for name in (*config.columns, config.split.column, config.split.group) if name is not None}
    yield from _unused([column for column in schema.columns if column.name.strip() not in told])


def _giveaways(schema: Schema, x: NDArray[Any], y: NDArray[Any]) -> Iterator[Remark]:
    """Columns that alone give the target, or of several targets which."""
    columns = column_features(schema)
    if len(columns) < 2:
        return  # a curve y(x)
    codes = len(schema.parts)
    for number, target in enumerate([y] if y.ndim == 1 else y.T):
        found = [name for name, places in columns.items() if _gives(schema.task, codes, x, places, target)]
        given = "the target" if len(schema.targets) == 1 else listed([schema.targets[number].name])
        if found:
            yield Remark(
                "warning",
                f"{columns_named(found)} alone {'give' if len(found) > 1 else 'gives'} {given}: if it is not known yet "
                f"when predictions are made, leave it out ({column_setting(found[0], 'ignore')}).",
            )


def _gives(task: Task, codes: int, x: NDArray[Any], places: Sequence[int], target: NDArray[Any]) -> bool:
    """Whether the features at ``places`` alone give the target; those from ``codes`` on are categories."""
    if task != "regression":
        return any(gives_class(x[:, place], target.astype(np.int64)) for place in places)
    return any(gives_number(x[:, place], target, is_category=place >= codes) for place in places)


def _repeated(schema: Schema, x: NDArray[Any]) -> Iterator[Remark]:
    if len(x) < _FEWEST_ROWS:
        return
    pairs = [*_same_values(schema, x), *_same_codes(schema, x)]
    if not pairs:
        return
    texts = [f"column {listed([second])} says the same as {listed([first])}" for first, second in pairs[:_TOLD]]
    more = f"; and {len(pairs) - _TOLD} more pairs" if len(pairs) > _TOLD else ""
    setting = column_setting(pairs[0][1], "ignore")
    yield Remark("warning", f"{'; '.join(texts)}{more}: one of them is enough, leave the other out ({setting}).")


def _same_values(schema: Schema, x: NDArray[Any]) -> Iterator[tuple[str, str]]:
    """Pairs of columns of which one is the other, but for scale and offset; a column is second in one pair at most."""
    names, correlations = value_correlations(schema, x)
    same = np.abs(correlations) > _SAME
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


def _hardly_varying(schema: Schema, x: NDArray[Any]) -> Iterator[Remark]:
    """Columns that are the same in 99 rows of 100."""
    found = [] if len(x) < 1 / _RARE else list(_common_values(schema, x))
    if not found:
        return
    texts = [f"{listed([name])} is {value} in {share:.1%} of the training rows" for name, value, share in found[:_TOLD]]
    more = f"; and {len(found) - _TOLD} more such columns" if len(found) > _TOLD else ""
    yield Remark(
        "note",
        f"column {', '.join(texts)}{more}: little can be learnt of it; leave it out "
        f"({column_setting(found[0][0], 'ignore')}), unless its rare values matter.",
    )


def _common_values(schema: Schema, x: NDArray[Any]) -> Iterator[tuple[str, str, float]]:
    """Columns, their commonest value as text, and its share of the rows."""
    places = column_features(schema)
    middle = np.partition(x, len(x) // 2, axis=0)[len(x) // 2]  # what is in more than half of the rows
    same = x == middle
    for column in schema.used:
        if column.kind == "datetime":
            continue
        share = float(same[:, places[column.name]].all(axis=1).mean())
        if share >= 1 - _RARE:
            yield column.name, _shown(column, middle[places[column.name]]), share


def _shown(column: Column, features: NDArray[Any]) -> str:
    """What the cells hold that the features were made of."""
    if column.kind == "category":
        code = int(features[0])  # that of a missing cell is the one after those of the classes
        return f"'{printable(column.classes[code - 1])}'" if 0 < code <= len(column.classes) else "missing"
    if any(part.of == "missing" and feature for part, feature in zip(column.parts, features, strict=True)):
        return "missing"
    value = float(features[0]) * column.parts[0].std + column.parts[0].mean
    if column.kind == "boolean":
        return "true" if value > 0.5 else "false"
    return format_number(value)


def _unused(columns: Sequence[Column]) -> Iterator[Remark]:
    """Columns that are left out of the model's input, those of one kind on one line."""
    for kind, (fate, fates) in _FATES.items():
        found = [column for column in columns if column.kind == kind]
        if found:
            whys = "; ".join(dict.fromkeys(printable(column.why) for column in found[:_TOLD]))
            text = f"{columns_named([column.name for column in found])} {fates if len(found) > 1 else fate} ({whys})"
            yield Remark("note", f"{text}: {_advice(found[0])}.")


def _advice(column: Column) -> str:
    if column.kind == "constant":
        return "if that is a surprise, look at where the table comes from"
    if column.kind == "ignore":
        return "make columns of numbers or words of what is in it"
    if column.kind == "text":
        return f"if its values recur, say {column_setting(column.name, 'category')}"
    kind = "category" if column.why.startswith("text") else "number"
    return f"if there is something to learn from it, say {column_setting(column.name, kind)}"
