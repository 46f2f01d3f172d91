"""What columns become: the parts of numbers and dates, the codes of categories and classes.

Shapes: ``N`` rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import polars as pl

from ignite_workflow.data.cells import CellRules, Floats, Place, as_booleans, as_numbers, as_text, parse_numbers
from ignite_workflow.data.dates import CYCLES, as_seconds, cycle_position
from ignite_workflow.data.kinds import Kind

__all__ = [
    "CANDIDATES",
    "Codes",
    "Column",
    "Part",
    "TargetColumn",
    "Unseen",
    "base_values",
    "class_codes",
    "class_order",
    "class_spellings",
    "part_values",
    "target_text",
]

Codes = np.ndarray[tuple[int], np.dtype[np.int64]]

_OF_CYCLES = tuple(f"{cycle} {side}" for cycle in CYCLES for side in ("sin", "cos"))
CANDIDATES: dict[str, tuple[str, ...]] = {  # what may be made of a column; what does not vary in training is left out
    "number": ("value", "missing"),
    "boolean": ("value", "missing"),
    "datetime": ("value", "missing", *_OF_CYCLES),
}


@dataclass(frozen=True)
class Part:
    """One feature made of a column of numbers, booleans or dates.

    Attributes:
        of: ``value``, ``missing`` (1 where the cell is), or of a date ``hour sin``, ``hour cos`` and so on.
        mean, std: what the value is standardised with.
        fill: what stands for a missing cell, in standardised units.
        quantiles: of the training split, in standardised units, ascending, all different.
    """

    of: str
    mean: float = 0.0
    std: float = 1.0
    fill: float = 0.0
    quantiles: tuple[float, ...] = ()


@dataclass(frozen=True)
class Column:
    """What is known of a column.

    Attributes:
        name: as it stands in the training data.
        kind: of ``USED_KINDS``, or why it is not used.
        why: the evidence, one line.
        parts: the features made of it.
        classes: of a category, the values of the training split; their codes count from 1, 0 is any other value.
        missing: of a category, that a missing cell is a class of its own, the last.
        formats: of a date.
    """

    name: str
    kind: Kind
    why: str
    parts: tuple[Part, ...] = ()
    classes: tuple[str, ...] = ()
    missing: bool = False
    formats: tuple[str, ...] = ()

    @property
    def codes(self) -> int:
        """Of a category: how many codes there are, the unknown class included."""
        return 1 + len(self.classes) + self.missing


@dataclass(frozen=True)
class TargetColumn:
    """A column to be predicted.

    Attributes:
        name: as it stands in the training data.
        mean, std: what a regression's is standardised with.
        numeric: its classes are numbers, so 5 and 5.0 are one class.
        spellings: how these are written, by the plain number, where that is another way: 5 %, 1x.
    """

    name: str
    mean: float = 0.0
    std: float = 1.0
    numeric: bool = False
    spellings: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Unseen:
    """Counts what the training split did not hold: values of categories, and missing cells in columns without one.

    Attributes:
        found: by column how many values are encoded as unknown, and the first of them.
        missing: by column how many missing cells, what they are encoded as, and where the first is.
    """

    found: dict[str, tuple[int, str]] = field(default_factory=dict)
    missing: dict[str, tuple[int, str]] = field(default_factory=dict)

    def add(self, series: pl.Series, unknown: np.ndarray[Any, np.dtype[np.bool_]], place: Place) -> None:
        """Count the cells of a column that are unknown, (N,)."""
        first = int(unknown.argmax())
        count, example = self.found.get(series.name, (0, f"{series[first]!r} in {place(first)}"))
        self.found[series.name] = (count + int(unknown.sum()), example)

    def add_missing(self, column: Column, missing: np.ndarray[Any, np.dtype[np.bool_]], place: Place) -> None:
        """Count the missing cells of a column in which training had none, (N,)."""
        if missing.any():
            name, taken = column.name, "unknown" if column.kind == "category" else "the training mean"
            count, example = self.missing.get(
                name, (0, f"taken as {taken}: the first in {place(int(missing.argmax()))}")
            )
            self.missing[name] = (count + int(missing.sum()), example)

    def add_all(self, other: Unseen) -> None:
        """Count what was found later."""
        for mine, others in ((self.found, other.found), (self.missing, other.missing)):
            for name, (count, example) in others.items():
                before, first = mine.get(name, (0, example))
                mine[name] = (before + count, first)

    def lines(self) -> list[str]:
        """A line for each column that held such values or cells."""
        values = [
            f"column {name!r}: {count} value{'s' if count > 1 else ''} new since training, taken as unknown: {example}."
            for name, (count, example) in self.found.items()
        ]
        return values + [
            f"column {name!r}: {count} missing cell{'s' if count > 1 else ''}, where training had none, {example}."
            for name, (count, example) in self.missing.items()
        ]


def base_values(column: Column, series: pl.Series, rules: CellRules, place: Place) -> Floats:
    """The cells of a number, boolean or date as float64 (N,), NaN where missing.

    Raises:
        DataError: a cell does not fit the column; names row, column and value.
    """
    if column.kind == "number":
        return as_numbers(series, rules, place)
    if column.kind == "boolean":
        return as_booleans(series, rules, place)
    return as_seconds(series, column.formats, rules, place)


def part_values(of: str, base: Floats) -> Floats:
    """A part, before it is standardised, (N,): NaN where the cell is missing, save for the part that says so.

    Args:
        of: see ``Part``.
        base: from ``base_values``, (N,).
    """
    if of == "value":
        return base
    if of == "missing":
        return np.isnan(base).astype(np.float64)
    cycle, side = of.split()
    angle = 2 * np.pi * cycle_position(base, cycle)
    return np.sin(angle) if side == "sin" else np.cos(angle)


def target_text(series: pl.Series, rules: CellRules, target: TargetColumn) -> pl.Series:
    """The class of each row as text, null where missing."""
    if not target.numeric:
        return as_text(series, rules.missing)
    numbers = parse_numbers(series, rules)
    text = as_text(pl.Series(series.name, numbers.values), ())
    written = as_text(series, rules.missing)
    bad = np.zeros(len(series), dtype=bool)
    bad[numbers.bad] = True
    text = text.replace(target.spellings) if target.spellings else text
    return written.zip_with(pl.Series(bad), text)


def class_spellings(series: pl.Series, rules: CellRules) -> dict[str, str]:
    """How numbers are written that are classes, the commonest way of each, by the plain number.

    Empty where they are written as programs write numbers, but for flags, which are no part of them.
    """
    if replace(rules.format(str(series.name)), flags=()).is_plain:
        return {}
    plain = as_text(pl.Series(parse_numbers(series, rules).values), ())
    spelled = pl.DataFrame({"plain": plain, "written": as_text(series, rules.missing)}).drop_nulls()
    counted = spelled.group_by("plain", "written").len().sort("len", "written", descending=[False, True])
    return dict(counted.select("plain", "written").iter_rows())


def class_codes(text: pl.Series, classes: tuple[str, ...]) -> Codes:
    """The position of each cell in ``classes``, int64 (N,); -1 where it is none of them, or missing."""
    codes = text.cast(pl.Enum(classes), strict=False).to_physical().cast(pl.Int64).fill_null(-1)
    return codes.to_numpy(writable=True)


def class_order(names: Iterable[str], spellings: Mapping[str, str] | None = None) -> tuple[str, ...]:
    """Classes in the order of their codes: by number where all are numbers, else by name.

    Args:
        names: of the classes.
        spellings: of numbers among them, see ``TargetColumn``.

    Example:
        >>> class_order(["10", "9"]), class_order(["b10", "b9"])
        (('9', '10'), ('b10', 'b9'))
    """
    by_name = sorted(names)
    plain = {written: number for number, written in (spellings or {}).items()}
    numbers = pl.Series([plain.get(name, name) for name in by_name], dtype=pl.String).cast(pl.Float64, strict=False)
    if numbers.null_count() or numbers.is_nan().any():
        return tuple(by_name)
    return tuple(by_name[position] for position in numbers.arg_sort())
