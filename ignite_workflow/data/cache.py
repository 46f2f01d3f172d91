"""Arrays on disk, found again by what they were made from: never half written, never trusted when damaged.

An entry is a directory named by its key. It is made under another name and renamed when whole, so two processes that
make the same one do not meet. It holds ``.npy`` files and ``entry.json``: a checksum of its own text, then the shapes
and checksums of the arrays and what is kept with them.

When an entry is made and all together take more than 20 GB, those that were not used for longest are removed, save for
the new one and those whose arrays any process has mapped.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import logging
import os
import shutil
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from ignite_workflow.data.array_files import Array, ArraySink, DiskSink, is_in_use, is_whole, map_array

__all__ = ["Cache", "DiskFullError", "default_cache_directory"]

_MOST_BYTES = 20 * 1000**3
_ABANDONED_SECONDS = 3600
_BUILDING = "building-"
_BODY = "entry.json"
_LOCK = "lock"
_FULL = (errno.ENOSPC, errno.EDQUOT)

log = logging.getLogger(__name__)

Entry = tuple[dict[str, Any], dict[str, Array]]


class DiskFullError(OSError):
    """There is no room for an entry.

    Attributes:
        needed: bytes that it takes at least.
        free: bytes that there were for it.
    """

    def __init__(self, needed: int, free: int) -> None:
        super().__init__(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self.needed, self.free = needed, free


class Cache:
    """Entries by key in a directory.

    Args:
        directory: need not exist yet.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def has(self, start: str) -> bool:
        """Whether there is an entry whose key begins like that."""
        return any(self.directory.glob(f"{start}*"))

    def load(self, key: str) -> Entry | None:
        """What was kept with the arrays, and the arrays, memory-mapped; None where there is no such entry.

        A damaged entry is removed: it will be made again.
        """
        entry = self.directory / key
        with suppress(FileNotFoundError):  # another process is just removing it
            body = _read_body(entry)
            if body is not None and all(is_whole(_file(entry, name), each) for name, each in body["arrays"].items()):
                with suppress(PermissionError):  # of another person, who lets us read
                    os.utime(entry / _BODY)
                return _mapped(entry, body)
        if entry.is_dir():
            log.warning("the prepared arrays in %s are damaged: they are made again", entry)
            shutil.rmtree(entry, ignore_errors=True)
        return None

    def build(self, key: Callable[[], str], make: Callable[[ArraySink, Path], dict[str, Any]]) -> Entry:
        """Make an entry, unless another process is quicker.

        Args:
            key: gives that of the entry; asked when all else is done.
            make: writes the arrays, may use the directory for files of its own, returns what is kept with the arrays.

        Returns:
            As ``load``.

        Raises:
            DiskFullError: it does not fit on the disk.
            OSError: the directory cannot be written.
        """
        self.directory.mkdir(parents=True, exist_ok=True)
        self._remove_abandoned()
        building = Path(tempfile.mkdtemp(prefix=_BUILDING, dir=self.directory))
        sink, scratch = DiskSink(building), building / "scratch"
        try:
            with (building / _LOCK).open("w") as lock, sink:
                fcntl.lockf(lock, fcntl.LOCK_EX)
                scratch.mkdir()
                kept = make(sink, scratch)
                shutil.rmtree(scratch)
                body = {"kept": kept, "arrays": sink.finish()}
                _write_body(building, body)
            entry = self.directory / key()
            with suppress(OSError):  # another process was quicker
                building.rename(entry)
            made = _mapped(entry, body)
            with suppress(FileNotFoundError):  # another process removes some too
                self._evict(entry)
            return made
        except OSError as error:
            raise _explained(error, building, sink.expected) from error
        finally:
            shutil.rmtree(building, ignore_errors=True)

    def _evict(self, new: Path) -> None:
        """Remove what was not used for longest, until the rest is small enough."""
        entries = [path for path in self.directory.iterdir() if (path / _BODY).is_file()]
        used = {entry: (entry / _BODY).stat().st_mtime for entry in entries if not entry.name.startswith(_BUILDING)}
        sizes = {entry: _size(entry) for entry in used}
        total = sum(sizes.values())
        for entry in sorted(used, key=used.__getitem__):
            if total <= _MOST_BYTES:
                break
            if entry != new and not any(map(is_in_use, entry.glob("*.npy"))):
                removed = Path(tempfile.mkdtemp(prefix=_BUILDING, dir=self.directory)) / "removed"
                entry.rename(removed)  # at once: nobody finds the half of it
                shutil.rmtree(removed.parent, ignore_errors=True)
                total -= sizes[entry]

    def _remove_abandoned(self) -> None:
        """Remove what killed processes left behind: old, and locked by nobody."""
        for building in self.directory.glob(f"{_BUILDING}*"):
            with suppress(FileNotFoundError):  # it has just become an entry
                if time.time() - building.stat().st_mtime > _ABANDONED_SECONDS and _is_unlocked(building / _LOCK):
                    shutil.rmtree(building, ignore_errors=True)


def default_cache_directory() -> Path:
    """``$IGNITE_WORKFLOW_CACHE``, or ``ignite-workflow`` in the user's cache directory."""
    chosen = os.environ.get("IGNITE_WORKFLOW_CACHE")
    if chosen:
        return Path(chosen)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "ignite-workflow"


def _explained(error: OSError, building: Path, expected: int) -> OSError:
    if error.errno not in _FULL:
        return error
    free = shutil.disk_usage(building).free + _size(building)
    return DiskFullError(expected or free + 1, free)


def _size(directory: Path) -> int:
    return sum(path.stat().st_size for path in directory.rglob("*") if path.is_file())


def _file(entry: Path, name: str) -> Path:
    return entry / f"{name}.npy"


def _mapped(entry: Path, body: dict[str, Any]) -> Entry:
    return body["kept"], {name: map_array(_file(entry, name), each) for name, each in body["arrays"].items()}


def _is_unlocked(path: Path) -> bool:
    if not path.exists():  # killed before it was made, or while an entry was being removed
        return True
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
