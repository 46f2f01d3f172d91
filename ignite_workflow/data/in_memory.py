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
            ``x0``, ``x1``...; those of targets ``y``, or of several ``y0``, ``y1``...
        source: what it is called in messages.

    Raises:
        DataError: the columns are of different lengths, or one holds values of different types.
    """
    if isinstance(data, pl.DataFrame):
        return data
    try:
        columns = _columns(data)
        return pl.DataFrame({name: _series(values) for name, values in columns.items()})
    except (pl.exceptions.PolarsError, TypeError, ValueError) as error:
        raise DataError(f"{source or 'data'}: not a table: {str(error).splitlines()[0]}") from error


def _columns(data: Any) -> Mapping[str, Any]:
    if isinstance(data, np.ndarray):
        return _of_array("x", data)
    if isinstance(data, tuple) and len(data) == 2:
        x, y = (np.asarray(part) for part in data)
        return {**_of_array("x", x), **({"y": y} if y.ndim == 1 else _of_array("y", y))}
    columns = {str(name): data[name] for name in data}
    if len(columns) < len(list(data)):
        raise ValueError("two columns have one name")
    return columns


def _of_array(letter: str, array: np.ndarray[Any, Any]) -> dict[str, Any]:
    if array.ndim != 2:
        raise ValueError(f"{letter} must have the shape (rows, columns), got {array.shape}")
    return {f"{letter}{column}": array[:, column] for column in range(array.shape[1])}


def _series(values: Any) -> pl.Series:
    if isinstance(values, pl.Series):
        return values
    if isinstance(values, np.ndarray) and values.dtype.kind in "iufbMm":
        return pl.Series(np.ascontiguousarray(values))
    if hasattr(values, "to_numpy"):  # of pandas, which has several values that mean missing
        array = values.to_numpy()
        if array.dtype.kind in "iufbM":
            return pl.Series(array)
        values = values.astype(object).where(values.notna(), None)
    return pl.Series(values.tolist() if hasattr(values, "tolist") else values)
