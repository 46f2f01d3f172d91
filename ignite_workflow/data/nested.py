"""Columns of types that a table cannot use as they are: structs and lists taken apart, times as seconds."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

import polars as pl

__all__ = ["MOST_LISTED", "is_listed", "leaves", "parts", "plain_frame"]

_OTHER = (pl.Decimal, pl.Categorical, pl.Enum)
MOST_LISTED = 1024  # columns that are made of one


def plain_frame(frame: pl.DataFrame) -> pl.DataFrame:
    """A frame in memory as a Parquet file of it would be read."""
    if not any(dtype.is_nested() or dtype.is_temporal() or dtype in _OTHER for dtype in frame.dtypes):
        return frame
    columns = list(leaves(frame.schema))
    lengths = {}
    for name, cells, dtype in columns:
        if is_listed(dtype):
            counts = (
                frame.select(cells if dtype == pl.List else cells.arr.to_list()).to_series().list.len().drop_nulls()
            )
            if counts.n_unique() == 1 and counts[0] <= MOST_LISTED:
                lengths[name] = int(counts[0])
    return frame.select(each.alias(name) for column in columns for name, each in parts(*column, lengths, ()))


def is_listed(dtype: pl.DataType) -> bool:
    """Whether cells of the type are lists of single values."""
    if not isinstance(dtype, pl.List | pl.Array):
        return False
    inner: Any = dtype.inner
    return not inner.is_nested() and inner not in (pl.Binary, pl.Object)


def leaves(schema: Mapping[str, pl.DataType]) -> Iterator[tuple[str, pl.Expr, pl.DataType]]:
    """The columns of a file, in the place of a struct its fields: the name, the cells, their type."""
    todo = [(name, pl.col(name), dtype) for name, dtype in schema.items()][::-1]
    while todo:
        name, cells, dtype = todo.pop()
        if isinstance(dtype, pl.Struct):
            for field in reversed(dtype.fields):
                inner: Any = field.dtype  # of a frame's schema never a class
                todo.append((f"{name}.{field.name}", cells.struct.field(field.name), inner))
        else:
            yield name, cells, dtype


def parts(
    name: str, cells: pl.Expr, dtype: pl.DataType, lengths: Mapping[str, int], texts: Collection[str]
) -> Iterator[tuple[str, pl.Expr]]:
    """The columns that are made of one.

    Args:
        name, cells, dtype: from ``leaves``.
        lengths: of the lists of those columns where they are all of one length.
        texts: columns of bytes that are UTF-8.
    """
    length = lengths.get(name)
    if isinstance(dtype, pl.List | pl.Array) and length:
        for index in range(length):
            element = cells.list.get(index) if isinstance(dtype, pl.List) else cells.arr.get(index)
            yield f"{name}[{index}]", _plain(element, dtype.inner)
    elif dtype == pl.Binary and name in texts:
        yield name, cells.cast(pl.String)
    else:
        yield name, _plain(cells, dtype)


def _plain(cells: pl.Expr, dtype: Any) -> pl.Expr:
    """Cells of a type that a table can use, where there is one."""
    if dtype == pl.Decimal:
        return cells.cast(pl.Float64)
    if dtype == pl.Time:
        return cells.cast(pl.Int64) / 1e9
    if dtype == pl.Duration:
        return cells.dt.total_microseconds() / 1e6
    if dtype == pl.Datetime and dtype.time_zone is not None:
        return cells.dt.convert_time_zone("UTC").dt.replace_time_zone(None)
    return cells.cast(pl.String) if dtype in (pl.Categorical, pl.Enum) else cells
