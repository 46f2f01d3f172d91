"""Arrays on disk, found again by what they were made from: never half written, never trusted when damaged.

An entry is a directory named by its key. It is made under another name and renamed when whole, so two processes that
make the same one do not meet. It holds ``.npy`` files and ``entry.json``: a checksum of its own text, then the shapes
and checksums of the arrays and what is kept with them.
"""

from __future__ import annotations

import fcntl
import hashlib
import io
import json
import logging
import math
import os
import shutil
import tempfile
import time
import zlib
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Protocol

import numpy as np

__all__ = ["ArraySink", "Cache", "MemorySink", "default_cache_directory", "file_digest"]

_HEADER_BYTES = 128  # of every .npy file that numpy writes for arrays of few dimensions
_READ_BYTES = 1024 * 1024
_ABANDONED_SECONDS = 3600
_BUILDING = "building-"
_BODY = "entry.json"
_LOCK = "lock"

log = logging.getLogger(__name__)

Array = np.ndarray[Any, np.dtype[Any]]


class ArraySink(Protocol):
    """Takes the rows of named arrays as they come."""

    def append(self, name: str, rows: Array) -> None:
        """Add rows, (N, ...), to the array of that name; the first ones settle its type and row shape."""


class MemorySink:
    """Keeps arrays in memory."""

    def __init__(self) -> None:
        self._pieces: dict[str, list[Array]] = {}

    def append(self, name: str, rows: Array) -> None:
        """Add rows to an array."""
        self._pieces.setdefault(name, []).append(rows)

    def arrays(self) -> dict[str, Array]:
        """The arrays, whole."""
        return {name: np.concatenate(pieces) for name, pieces in self._pieces.items()}


@dataclass
class _OpenArray:
    file: IO[bytes]
    dtype: np.dtype[Any]
    row_shape: tuple[int, ...]
    rows: int = 0
    checksum: int = 0

    def append(self, rows: Array) -> None:
        data = np.ascontiguousarray(rows).reshape(-1).view(np.uint8)
        self.file.write(data.data)
        self.checksum = zlib.crc32(data.data, self.checksum)
        self.rows += len(rows)

    def close(self) -> dict[str, Any]:
        description = {"dtype": self.dtype.str, "shape": [self.rows, *self.row_shape], "checksum": self.checksum}
        self.file.seek(0)
        self.file.write(_header(description))
        self.file.close()
        return description


class _DiskSink:
    def __init__(self, directory: Path, files: ExitStack) -> None:
        self._directory = directory
        self._files = files
        self._open: dict[str, _OpenArray] = {}

    def append(self, name: str, rows: Array) -> None:
        if name not in self._open:
            file = self._files.enter_context((self._directory / f"{name}.npy").open("wb"))
            file.write(bytes(_HEADER_BYTES))  # the header is written last, when the number of rows is known
            self._open[name] = _OpenArray(file, rows.dtype, rows.shape[1:])
        self._open[name].append(rows)

    def close(self) -> dict[str, dict[str, Any]]:
        return {name: array.close() for name, array in self._open.items()}


class Cache:
    """Entries by key in a directory.

    Args:
        directory: need not exist yet.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def load(self, key: str) -> tuple[dict[str, Any], dict[str, Array]] | None:
        """What was kept with the arrays, and the arrays, memory-mapped; None where there is no such entry.

        A damaged entry is removed: it will be made again.
        """
        entry = self.directory / key
        if not entry.is_dir():
            return None
        body = _read_body(entry)
        if body is None or not all(_is_whole(entry, name, each) for name, each in body["arrays"].items()):
            log.warning("the prepared arrays in %s are damaged: they are made again", entry)
            shutil.rmtree(entry)
            return None
        return body["kept"], {name: _mapped(entry, name, each) for name, each in body["arrays"].items()}

    def build(self, key: str, make: Callable[[ArraySink, Path], dict[str, Any]]) -> None:
        """Make an entry, unless another process is quicker.

        Args:
            key: of the entry.
            make: writes the arrays, may use the directory for files of its own, returns what is kept with the arrays.

        Raises:
            OSError: the directory cannot be written, or the disk is full.
        """
        self.directory.mkdir(parents=True, exist_ok=True)
        self._remove_abandoned()
        building = Path(tempfile.mkdtemp(prefix=_BUILDING, dir=self.directory))
        try:
            with (building / _LOCK).open("w") as lock, ExitStack() as files:
                fcntl.lockf(lock, fcntl.LOCK_EX)
                sink, scratch = _DiskSink(building, files), building / "scratch"
                scratch.mkdir()
                kept = make(sink, scratch)
                shutil.rmtree(scratch)
                _write_body(building, {"kept": kept, "arrays": sink.close()})
                if not (self.directory / key).is_dir():
                    building.rename(self.directory / key)
        finally:
            shutil.rmtree(building, ignore_errors=True)

    def _remove_abandoned(self) -> None:
        """Remove what killed processes left behind: old, and locked by nobody."""
        for building in self.directory.glob(f"{_BUILDING}*"):
            lock = building / _LOCK
            if lock.exists() and time.time() - lock.stat().st_mtime > _ABANDONED_SECONDS and _is_unlocked(lock):
                shutil.rmtree(building, ignore_errors=True)


def default_cache_directory() -> Path:
    """``$IGNITE_WORKFLOW_CACHE``, or ``ignite-workflow`` in the user's cache directory."""
    chosen = os.environ.get("IGNITE_WORKFLOW_CACHE")
    if chosen:
        return Path(chosen)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "ignite-workflow"


def file_digest(path: Path) -> str:
    """The SHA-256 of a file's content, in hexadecimal: about a gigabyte a second."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _is_unlocked(path: Path) -> bool:
    with path.open("r+") as lock:
        try:
            fcntl.lockf(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
    return True


def _write_body(entry: Path, body: dict[str, Any]) -> None:
    text = json.dumps(body)
    (entry / _BODY).write_text(f"{hashlib.sha256(text.encode()).hexdigest()}\n{text}", encoding="utf-8")


def _read_body(entry: Path) -> dict[str, Any] | None:
    if not (entry / _BODY).is_file():
        return None
    digest, _, text = (entry / _BODY).read_bytes().partition(b"\n")
    if hashlib.sha256(text).hexdigest().encode() != digest:
        return None
    body: dict[str, Any] = json.loads(text)
    return body


def _header(description: dict[str, Any]) -> bytes:
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        header, {"descr": description["dtype"], "fortran_order": False, "shape": tuple(description["shape"])}
    )
    assert len(header.getvalue()) == _HEADER_BYTES
    return header.getvalue()


def _is_whole(entry: Path, name: str, description: dict[str, Any]) -> bool:
    path = entry / f"{name}.npy"
    items = math.prod(description["shape"])
    if not path.is_file() or path.stat().st_size != _HEADER_BYTES + items * np.dtype(description["dtype"]).itemsize:
        return False
    checksum = 0
    with path.open("rb") as file:
        if file.read(_HEADER_BYTES) != _header(description):
            return False
        while block := file.read(_READ_BYTES):
            checksum = zlib.crc32(block, checksum)
    expected: int = description["checksum"]
    return checksum == expected


def _mapped(entry: Path, name: str, description: dict[str, Any]) -> Array:
    # copy-on-write: torch warns of arrays that cannot be written to
    return np.memmap(
        entry / f"{name}.npy",
        dtype=description["dtype"],
        mode="c",
        offset=_HEADER_BYTES,
        shape=tuple(description["shape"]),
    )
