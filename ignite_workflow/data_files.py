"""The data files of a run, as they were when it started: a run does not go on with others."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from glob import glob
from pathlib import Path
from typing import Any

from ignite_workflow import registry
from ignite_workflow.config import DataConfig
from ignite_workflow.data.digest import CHECKSUMS
from ignite_workflow.errors import DataError, RunDirectoryError

__all__ = ["FILE_NAME", "changed_data_file", "describe_data_files"]

FILE_NAME = "data_files.json"

_MOST_HASHED = 10 * 1000**3  # bytes; of more only sizes and times are kept: about a second a gigabyte
_ADVICE = "A run goes on with the data it was started with; --from-scratch starts it over with what is there now."


def describe_data_files(config: DataConfig, run: Path | None = None) -> str:
    """What ``FILE_NAME`` in a run's directory is to hold: for each file its size, when it was written, and its SHA-256.

    Args:
        config: names the files; a folder stands for all files in it.
        run: the directory of the run that goes on, whose files must be what they were; None: the run is new.

    Raises:
        DataError: a file has changed since the run started; names it.
        RunDirectoryError: what was known of them was damaged by others.
    """
    before, paths = _recorded(run), [str(path) for path in _files(config)]
    if not before.keys() & set(paths):  # a new run; or other settings, which are refused elsewhere
        hashed = sum(map(os.path.getsize, paths)) <= _MOST_HASHED
        before = {path: _describe(path, hashed) for path in paths}
    elif changed := _changed(before, paths):
        raise DataError(f"{changed}. {_ADVICE}")
    return json.dumps(before, indent=1) + "\n"


def changed_data_file(config: DataConfig, run: Path) -> str:
    """Which of a run's data files is not what it was when the run started, and how; empty where all are.

    Args:
        config: names the files.
        run: its directory.
    """
    return _changed(_recorded(run), [str(path) for path in _files(config)])


def _recorded(run: Path | None) -> dict[str, dict[str, Any]]:
    """Of the run's files; none where the run is new."""
    if run is None or not (run / FILE_NAME).exists():
        return {}
    try:
        return dict(json.loads((run / FILE_NAME).read_bytes()))
    except (ValueError, TypeError) as error:
        raise RunDirectoryError(f"{run / FILE_NAME} is damaged: put it back, or delete it: {error}") from None


def _files(config: DataConfig) -> Iterable[Path]:
    parts = [config.path] if isinstance(config.path, str) else list(config.path)
    if not registry.is_import_path(config.kind):
        parts += [part for part in (config.split.val, config.split.test) if isinstance(part, str)]
    for part in parts:
        for found in [part] if os.path.exists(part) else sorted(glob(part, recursive=True)):
            yield from _within(Path(found))


def _within(path: Path) -> Iterable[Path]:
    return sorted(each for each in path.rglob("*") if each.is_file()) if path.is_dir() else [path]


def _describe(path: str, hashed: bool) -> dict[str, Any]:
    status = os.stat(path)
    return {"bytes": status.st_size, "modified": status.st_mtime_ns, "sha256": _sha256(path) if hashed else None}


def _sha256(path: str) -> str:
    return CHECKSUMS.of(Path(path))


def _changed(before: Mapping[str, Mapping[str, Any]], paths: Iterable[str]) -> str:
    now = set(paths)
    if not before.keys() & now:  # nothing is known of them
        return ""
    for path, facts in before.items():
        if path not in now:
            return f"{path} is gone since the run started"
        status = os.stat(path)
        if status.st_size != facts["bytes"]:
            return f"{path} has changed since the run started: {facts['bytes']:,} bytes then, {status.st_size:,} now"
        if status.st_mtime_ns != facts["modified"] and (facts["sha256"] is None or _sha256(path) != facts["sha256"]):
            return f"{path} has changed since the run started: it was written again"
    new = sorted(now - before.keys())
    return f"{new[0]} was not there when the run started" if new else ""
