"""The schema of a table: how its columns become arrays, fitted on the training split, saved with the model.

Shapes: ``N`` rows, ``F`` features (``numbers`` of them numbers, the rest one code for each category), ``T`` targets.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl
from pydantic import TypeAdapter, ValidationError
from pydantic_core import to_json

from ignite_workflow.config import Task
from ignite_workflow.data.cells import CellRules, Floats, Place, as_booleans, as_numbers, as_text
from ignite_workflow.data.centuries import without_years
from ignite_workflow.data.chunk import Chunk, as_chunk
from ignite_workflow.data.date_formats import DATE_FORMATS
from ignite_workflow.data.features import (
    CANDIDATES,
    Codes,
    Column,
    Part,
    TargetColumn,
    Unseen,
    base_values,
    class_codes,
    part_values,
    target_text,
)
from ignite_workflow.data.kinds import USED_KINDS
from ignite_workflow.data.known_widths import KnownWidths
from ignite_workflow.data.task import CLASS_TASKS
from ignite_workflow.data.unix_time import UNIX_TIMES
from ignite_workflow.data.zones import without_zones
from ignite_workflow.errors import CheckpointError, DataError, nearest

__all__ = ["Column", "Part", "Schema", "TargetColumn", "Unseen"]

Features = np.ndarray[tuple[int, int], np.dtype[np.float32]]
Targets = np.ndarray[Any, np.dtype[Any]]

_FORMAT = 2
_FILLED_ROWS = 30_000  # at a time; a power of two makes all columns compete for the same lines of the cache


@dataclass(frozen=True)
class Schema:
    """How a table becomes arrays.

    Attributes:
        task: regression, binary, multiclass or multilabel.
        why: how the task was chosen.
        columns: all but the targets, used or not, in the order of the training data.
        targets: what is predicted.
        classes: of binary and multiclass, in the order of their codes.
        rules: how cells are read.
        known_widths: where columns of fixed width stand in text files; None: they have none.
    """

    task: Task
    why: str
    columns: tuple[Column, ...]
    targets: tuple[TargetColumn, ...]
    classes: tuple[str, ...] = ()
    rules: CellRules = field(default_factory=CellRules)
    known_widths: KnownWidths | None = None

    @property
    def used(self) -> tuple[Column, ...]:
        """The columns that features are made of."""
        return tuple(column for column in self.columns if column.kind in USED_KINDS)

    @property
    def numeric(self) -> tuple[Column, ...]:
        """Those of the used columns that are not categories, in the order of their features."""
        return tuple(column for column in self.used if column.kind != "category")

    @property
    def categories(self) -> tuple[Column, ...]:
        """Those of the used columns that are categories, in the order of their features."""
        return tuple(column for column in self.used if column.kind == "category")

    @property
    def parts(self) -> tuple[tuple[Column, Part], ...]:
        """The numbers among the features, in order, each with its column."""
        return tuple((column, part) for column in self.numeric for part in column.parts)

    @property
    def target_mean(self) -> Floats:
        """What was subtracted from a regression's targets, (T,)."""
        return np.array([target.mean for target in self.targets])

    @property
    def target_std(self) -> Floats:
        """What a regression's targets were divided by, (T,)."""
        return np.array([target.std for target in self.targets])

    def model_facts(self) -> dict[str, Any]:
        """What a model factory may ask for by parameter name."""
        numbers, categories = len(self.parts), tuple(column.codes for column in self.categories)
        return {
            "numbers": numbers,
            "categories": categories,
            "in_features": numbers + len(categories),
            "quantiles": [list(part.quantiles) for _, part in self.parts],
        }

    def encode(self, data: Any, *, source: str = "", first_row: int = 0, unseen: Unseen | None = None) -> Features:
        """The features, float32 (N, F): first the numbers, then a code for each category.

        Args:
            data: a chunk of ``read_table``, a polars or pandas frame, or a mapping of columns; text or typed.
            source: what the data is called in messages.
            first_row: the row number of its first row, for messages.
            unseen: counts values that are taken as unknown.

        Raises:
            DataError: a column is missing, or a cell does not fit its column; names row, column and value.
        """
        chunk = as_chunk(data, source, first_row)
        self._refuse_fractions(chunk, [column.name for column in self.numeric])
        numbers: list[tuple[Floats, Part]] = []
        for column in self.numeric:
            base = base_values(column, chunk.column(column.name), self.rules, chunk.place)
            numbers += [(part_values(part.of, base), part) for part in column.parts]
            if unseen is not None and all(part.of != "missing" for part in column.parts):
                unseen.add_missing(column, np.isnan(base), chunk.place)
        codes = [self._codes(column, chunk.column(column.name), chunk.place, unseen) for column in self.categories]
        features = np.empty((chunk.frame.height, len(numbers) + len(codes)), dtype=np.float32)
        for start in range(0, len(features), _FILLED_ROWS):
            rows = slice(start, start + _FILLED_ROWS)
            columns = np.empty((features.shape[1], len(features[rows])), dtype=np.float32)
            for number, (values, part) in enumerate(numbers):
                columns[number] = _standardised(values[rows], part)
            for number, classes in enumerate(codes, start=len(numbers)):
                columns[number] = classes[rows]
            features[rows] = columns.T  # column after column written across the rows takes twice as long
        return features

    def _refuse_fractions(self, chunk: Chunk, names: list[str]) -> None:
        """Where the training data wrote percentages, fractions of one mean something else."""
        for name in names:
            if self.rules.format(name).unit == "%":
                chunk.refuse_fractions(name)

    def _codes(self, column: Column, series: pl.Series, place: Place, unseen: Unseen | None) -> Codes:
        text = as_text(series, self.rules.missing)
        codes = class_codes(text, column.classes) + 1
        missing = text.is_null().to_numpy()
        unknown = (codes == 0) & ~missing
        if unseen is not None and unknown.any():
            unseen.add(text, unknown, place)
        if column.missing:
            codes[missing] = len(column.classes) + 1
        elif unseen is not None:
            unseen.add_missing(column, missing, place)
        return codes

    def encode_target(self, data: Any, *, source: str = "", first_row: int = 0) -> Targets:
        """The targets as the loss takes them.

        Args:
            data, source, first_row: as ``encode`` takes them.

        Returns:
            regression: float32 (N, T), standardised, NaN where missing; multilabel: float32 (N, T), NaN where missing;
            binary and multiclass: int64 (N,), the class, -1 where missing.

        Raises:
            DataError: a target is missing, not finite, or of a class that the training split does not hold.
        """
        chunk = as_chunk(data, source, first_row)
        if self.task in ("regression", "multilabel"):
            self._refuse_fractions(chunk, [target.name for target in self.targets])
            read = as_numbers if self.task == "regression" else as_booleans
            values = [read(chunk.column(target.name), self.rules, chunk.place) for target in self.targets]
            return ((np.stack(values, axis=1) - self.target_mean) / self.target_std).astype(np.float32)
        series = chunk.column(self.targets[0].name)
        text = target_text(series, self.rules, self.targets[0])
        codes = class_codes(text, self.classes)
        unknown = (codes < 0) & text.is_not_null().to_numpy()
        if unknown.any():
            first = int(unknown.argmax())
            raise DataError(
                f"{chunk.place(first)}, column {series.name!r}: class {text[first]!r} is not in the training split."
                f"{nearest(text[first], self.classes)}"
            )
        return codes

    def to_dict(self) -> dict[str, Any]:
        """A form that JSON can hold; ``from_dict`` gives back an equal schema."""
        plain: dict[str, Any] = TypeAdapter(Schema).dump_python(self, mode="json")
        return {"format": _FORMAT, **plain}

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Schema:
        """The schema that ``to_dict`` wrote.

        Raises:
            CheckpointError: it is of another version, or not what ``to_dict`` writes.
        """
        if plain.get("format") != _FORMAT:
            raise CheckpointError(f"schema: format {plain.get('format')!r}, this version reads {_FORMAT}.")
        fields = _json({key: value for key, value in plain.items() if key != "format"})
        try:
            schema = TypeAdapter(cls).validate_json(fields, strict=True, extra="forbid")
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            place = ".".join(map(str, first["loc"]))
            raise CheckpointError(f"schema: {place}: {first['msg']}.") from error
        _refuse_nonsense(schema)
        return schema


def _json(plain: dict[str, Any]) -> bytes:
    try:
        return to_json(plain, inf_nan_mode="constants")  # 40 times as fast as json, for millions of quantiles
    except ValueError as error:  # half of a pair of surrogates
        raise CheckpointError(f"schema: {error}.") from error


def _standardised(values: Floats, part: Part) -> Floats:
    standardised: Floats = values - part.mean
    standardised /= part.std
    if np.isnan(standardised.sum()):
        standardised[np.isnan(standardised)] = part.fill
    return standardised


def _refuse_nonsense(schema: Schema) -> None:
    """What types cannot say: the values of a hostile file that would come out as a crash or NaN much later."""
    numbers = [number for _, part in schema.parts for number in (part.mean, part.std, part.fill, *part.quantiles)]
    numbers += [number for target in schema.targets for number in (target.mean, target.std)]
    scales = [part.std for _, part in schema.parts] + [target.std for target in schema.targets]
    if not np.isfinite(numbers).all() or min(scales, default=1.0) <= 0:
        raise CheckpointError("schema: a mean, deviation or quantile is not finite, or a deviation not above zero.")
    names = [column.name for column in schema.columns] + [target.name for target in schema.targets]
    for group in (names, schema.classes, *(column.classes for column in schema.columns)):
        if len(set(group)) < len(group):
            raise CheckpointError("schema: a name stands twice among its columns or classes.")
    for column in schema.numeric:
        if any(part.of not in CANDIDATES[column.kind] for part in column.parts):
            raise CheckpointError(f"schema: column {column.name!r} has a part that is unknown here.")
        plain = [without_zones(without_years(form)[0])[0] for form in column.formats]
        if any(form not in DATE_FORMATS and form not in UNIX_TIMES for form in plain):
            raise CheckpointError(f"schema: column {column.name!r} has a date format that is unknown here.")
    if schema.known_widths is not None and not schema.known_widths.is_sound:
        raise CheckpointError("schema: columns of fixed width that do not follow one another.")
    if not schema.targets or (schema.task in CLASS_TASKS and len(schema.classes) < 2):
        raise CheckpointError("schema: no target, or fewer than two classes.")
