"""Which columns of a table are read as numbers right away, where a schema says already that they hold numbers."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import polars as pl

from ignite_workflow.data.chunk import Chunk, find_columns
from ignite_workflow.data.schema import Schema

__all__ = ["leave_to_text", "number_columns"]


def number_columns(schema: Schema, columns: Sequence[str], *, as_text: Collection[str] = ()) -> set[str]:
    """The columns of numbers that are written as numbers plainly are, by their names in the table.

    Args:
        schema: knows which columns hold numbers.
        columns: of the table.
        as_text: columns whose cells are wanted as they are written.
    """
    numbers = [
        column.name for column in schema.used if column.kind == "number" and schema.rules.format(column.name).is_plain
    ]
    found = find_columns(numbers, columns).values()
    return {name for name in found if name is not None and name not in as_text}


def leave_to_text(numbers: set[str], chunk: Chunk) -> None:
    """Take out of ``numbers`` the columns that kept a chunk from being read as numbers: cells are missing, or none."""
    text = [series.name for series in chunk.frame if series.dtype == pl.String and series.name in numbers]
    if text:
        cast = chunk.frame.select(pl.col(text).cast(pl.Float64, strict=False))
        numbers.difference_update(series.name for series in cast if series.null_count())
