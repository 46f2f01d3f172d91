"""Data that Python code gives to ``train``: kept as a file named by its content, so that everything else finds it.

The same data is the same file: a run that was started with it goes on when it is given again.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from ignite_workflow.config import RunConfig
from ignite_workflow.data.cache import default_cache_directory
from ignite_workflow.data.data_frames import as_frame
from ignite_workflow.errors import DataError

__all__ = ["save_python_data"]

_NAME = "data.parquet"


def save_python_data(source: Any, directory: Path | None = None) -> Any:
    """Settings that name files in place of data.

    Args:
        source: the data itself, as ``as_frame`` takes it, its target named ``y`` where it is ``(x, y)``; or settings,
            whose ``data.path``, ``data.split.val`` and ``data.split.test`` may hold data; or anything else that
            ``train`` takes, which is passed through.
        directory: where the files are kept. None: ``given`` in the cache directory.

    Raises:
        DataError: the data is no table, or it cannot be kept there.
    """
    if isinstance(source, str | Path | RunConfig):
        return source
    directory = directory or default_cache_directory() / "given"
    if not isinstance(source, Mapping):
        settings = {"path": _kept(source, directory, "data")}
        return {"data": settings | ({"target": _targets(source)} if isinstance(source, tuple) else {})}
    data = source.get("data")
    if not isinstance(data, Mapping):
        return source
    kept = {**data}
    if not _is_setting(data.get("path")):
        kept["path"] = _kept(data["path"], directory, "data.path")
        if isinstance(data["path"], tuple):
            kept.setdefault("target", _targets(data["path"]))
    if isinstance(data.get("split"), Mapping):
        kept["split"] = {
            key: value if _is_setting(value) else _kept(value, directory, f"data.split.{key}")
            for key, value in data["split"].items()
        }
    return {**source, "data": kept}


def _is_setting(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return all(isinstance(each, str | Path) for each in value)
    return value is None or isinstance(value, str | Path | int | float)


def _targets(data: tuple[Any, Any]) -> str | list[str]:
    y = np.asarray(data[1])
    return "y" if y.ndim == 1 else [f"y{column}" for column in range(y.shape[1])]


def _kept(data: Any, directory: Path, name: str) -> str:
    frame = as_frame(data, name).rechunk()
    try:
        directory.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=directory) as making:
            file = Path(making) / _NAME
            frame.write_parquet(file)
            with file.open("rb") as content:
                digest = hashlib.file_digest(content, "sha256").hexdigest()
            place = directory / digest[:32] / _NAME
            place.parent.mkdir(exist_ok=True)
            os.replace(file, place)
    except OSError as error:
        raise DataError(f"{name}: cannot be kept in {directory}: {error.strerror or error}.") from error
    except pl.exceptions.PolarsError as error:
        raise DataError(f"{name}: not a table: {str(error).splitlines()[0]}") from error
    return str(place)
