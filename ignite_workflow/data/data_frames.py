"""Data that Python code holds, as a polars frame: of polars, of pandas, of NumPy, or plain columns by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl

from ignite_workflow.errors import DataError

__all__ = ["as_frame"]


def as_frame(data: Any, source: str = "") -> pl.DataFrame:
    """Data as a frame.

    Args:
        data: a polars frame (passed through), columns by name (a mapping, a pandas frame, whose index is left out), an
            array (N, F) of features, or ``(x, y)``: arrays (N, F) and (N,) or (N, T). The columns of arrays are called
            ``x0``, ``x1``...; those of targets ``y``, or of several ``y0``, ``y1``... Masked values are missing, the
            fields of a structured array (N,) are columns.
        source: what it is called in messages.

    Raises:
        DataError: the columns are of different lengths, or one holds values of different types.
    """
    if isinstance(data, pl.DataFrame):
        return data
    what = source or "data"
    try:
        columns = _columns(data)
    except (TypeError, ValueError) as error:
        raise DataError(f"{what}: not a table: {error}") from error
    series = {name: _named(what, name, values) for name, values in columns.items()}
    try:
        return pl.DataFrame(series)
    except pl.exceptions.PolarsError as error:
        raise DataError(f"{what}: not a table: {str(error).splitlines()[0]}") from error


def _columns(data: Any) -> Mapping[str, Any]:
    if isinstance(data, np.ndarray):
        return _of_array("x", data)
    if isinstance(data, tuple) and len(data) == 2:
        x, y = (part if isinstance(part, np.ma.MaskedArray) else np.asarray(part) for part in data)
        return {**_of_array("x", x), **({"y": y} if y.ndim == 1 else _of_array("y", y))}
    if not hasattr(data, "keys") or getattr(data, "ndim", 2) != 2:  # of pandas a Series has keys too
        raise TypeError(f"a polars or pandas frame, columns by name, or arrays (x, y) are needed, got {type(data)}")
    columns: dict[str, Any] = {}
    for name in data:
        if str(name) in columns:
            raise ValueError(f"two columns are named {str(name)!r}")
        columns[str(name)] = data[name]
    return columns


def _of_array(letter: str, array: np.ndarray[Any, Any]) -> dict[str, Any]:
    if array.dtype.names is not None and array.ndim == 1:
        return {name: array[name] for name in array.dtype.names}
    if array.ndim != 2:
        raise ValueError(f"{letter} must have the shape (rows, columns), got {array.shape}")
    return {f"{letter}{column}": array[:, column] for column in range(array.shape[1])}


def _named(source: str, name: str, values: Any) -> pl.Series:
    """A column.

    Raises:
        DataError: it holds values of different types, or of one that no table has.
    """
    try:
        series = _series(values)
    except (pl.exceptions.PolarsError, TypeError, ValueError) as error:
        mixed = _mixed_types(values)
        reason = f"{mixed}; make them one type" if mixed else str(error).splitlines()[0]
        raise DataError(f"{source}: not a table: column {name!r}: {reason}.") from error
    if series.dtype == pl.Object:
        raise DataError(
            f"{source}: not a table: column {name!r}: values of type {type(series[0]).__name__}; make them numbers, "
            "text or dates."
        )
    return series


def _mixed_types(values: Any) -> str:
    """The first two values that are of different types, with their rows; empty where there are none."""
    first: dict[type, str] = {}
    for row, value in enumerate(values):
        if value is not None:
            first.setdefault(type(value), f"{value!r} in row {row}")
    return " and ".join(list(first.values())[:2]) if len(first) > 1 else ""


def _series(values: Any) -> pl.Series:
    if isinstance(values, pl.Series):
        return values
    if isinstance(values, np.ma.MaskedArray):
        return pl.Series(values.tolist())  # None where it is masked
    if isinstance(values, np.ndarray) and values.dtype.kind in "iufbMm":
        return _of_plain(values)
    if hasattr(values, "to_numpy"):  # of pandas, which has several values that mean missing
        array = values.to_numpy()
        if array.dtype.kind in "iufbMm":
            return _of_plain(array)
        values = values.astype(object).where(values.notna(), None)
    return pl.Series(values.tolist() if hasattr(values, "tolist") else values)


def _of_plain(array: np.ndarray[Any, Any]) -> pl.Series:
    if array.dtype.kind in "Mm" and np.datetime_data(array.dtype)[0] in ("s", "m", "h"):
        array = array.astype(f"{array.dtype.kind}8[us]")  # polars knows no units so coarse
    return pl.Series(np.ascontiguousarray(array))
