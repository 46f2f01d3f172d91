"""The files of a table: what a path, a glob or a folder stands for."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from glob import glob, has_magic
from itertools import takewhile
from pathlib import Path
from urllib.parse import unquote

from ignite_workflow.data.file_formats import is_table_file
from ignite_workflow.errors import ConfigError, nearest

__all__ = ["partition_of", "table_paths"]

_NO_VALUE = "__HIVE_DEFAULT_PARTITION__"  # the name of a folder whose rows have none
_DEEPEST = 32  # folders inside of folders
_PARTITION = re.compile(r"[^=]+=.*")
_STREAM = re.compile(r"/dev/stdin|/dev/fd/\d+|/proc/(self|\d+)/fd/\d+")


def table_paths(path: str | Sequence[str], *, option: str = "") -> tuple[Path, ...]:
    """The files of a table, globs and folders expanded.

    Raises:
        ConfigError: there is no such file, or it may not be read.
    """
    start = f"{option}: " if option else ""
    patterns = [path] if isinstance(path, str) else path
    paths = tuple(path for pattern in patterns for path in _matching(pattern, start))
    for each in paths:
        if not os.access(each, os.R_OK):
            raise ConfigError(f"{start}{each} may not be read: permission denied.")
    return paths


def _matching(pattern: str, start: str) -> list[Path]:
    place = Path(pattern)
    if os.path.isdir(place):  # of a name too long for one pathlib makes an error
        found = _files_in(place)
        if not found:
            raise ConfigError(f"{start}{place} is a directory without a data file; it holds {_some_names(place)}.")
        return found
    if os.path.exists(place):
        # a table is read more than once, and a pipe only once; what stdin is another time is another file
        if not place.is_file() or _STREAM.fullmatch(str(place)):
            raise ConfigError(
                f"{start}{place} is a pipe or a device: name a file, or write what comes from it to one first."
            )
        return [place]
    named = (each for each in map(Path, glob(pattern, recursive=True)) if each.is_file())
    # once each, by its shortest name: a link to a directory above brings up the same files again and again
    found = sorted({each.resolve(): each for each in sorted(named, key=_length, reverse=True)}.values())
    if not found:
        if os.path.islink(place):
            raise ConfigError(f"{start}{place} is a link to {os.readlink(place)}, which is not there.")
        missing = f"no file has a name like {pattern}" if has_magic(pattern) else f"no file {pattern}"
        raise ConfigError(f"{start}{missing}.{_nearest_file(place)}")
    return found


def _length(path: Path) -> int:
    return len(path.parts)


def partition_of(path: Path) -> dict[str, str | None]:
    """What the names of the folders that a file lies in say of its rows, the outermost first; None: it is missing.

    Example:
        >>> partition_of(Path("/data/sales/year=2020/city=S%C3%A3o Paulo/part-0.parquet"))
        {'year': '2020', 'city': 'São Paulo'}
    """
    folders = takewhile(_PARTITION.fullmatch, (folder.name for folder in Path(os.path.abspath(path)).parents))
    pairs = [folder.split("=", 1) for folder in folders]
    return {unquote(key): None if value == _NO_VALUE else unquote(value) for key, value in reversed(pairs)}


def _files_in(directory: Path, depth: int = 0) -> list[Path]:
    """The data files of a directory, by name; of those inside it only where they are named as partitions are."""
    found = [each for each in directory.iterdir() if not each.name.startswith((".", "_"))]
    files = [each for each in found if each.is_file() and is_table_file(str(each))]
    if not files and depth < _DEEPEST:
        inside = [each for each in found if _PARTITION.fullmatch(each.name) and each.is_dir()]
        files = [file for each in inside for file in _files_in(each, depth + 1)]
    return sorted(files)


def _some_names(directory: Path) -> str:
    names = sorted(each.name for each in directory.iterdir())
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "") if names else "nothing"


def _nearest_file(path: Path) -> str:
    return nearest(path.name, [each.name for each in path.parent.iterdir()]) if os.path.isdir(path.parent) else ""
