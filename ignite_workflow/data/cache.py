"""Arrays on disk, found again by what they were made from: never half written, never trusted when damaged.

An entry is a directory named by its key. It is made under another name and renamed when whole, so two processes that
make the same one do not meet. It holds ``.npy`` files and ``entry.json``: a checksum of its own text, then the shapes
and checksums of the arrays and what is kept with them.

When an entry is made and all together take more than 20 GB, those that were not used for longest are removed, save for
the new one and those whose arrays any process has mapped.

What a process leaves that is killed in making an entry is removed when it is an hour old. With a journal, that the next
start goes on from, it has a week, as long as newer ones take less than 20 GB.
"""

from __future__ import annotations

import errno
import fcntl
import logging
import os
import shutil
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import IO, Any

from ignite_workflow.data.array_files import Array, ArraySink, DiskSink, is_in_use, is_whole, map_array
from ignite_workflow.data.checked_files import read_document, write_document
from ignite_workflow.data.journal import is_journaled, journaled_at

__all__ = ["Cache", "DiskFullError", "default_cache_directory"]

_MOST_BYTES = 20 * 1000**3
_ABANDONED_SECONDS = 3600
_JOURNALED_SECONDS = 7 * 24 * 3600
_BUILDING = "building-"
_BODY = "entry.json"
_LOCK = "lock"
_SCRATCH = "scratch"
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
            body = read_document(entry / _BODY)
            if body is not None and all(is_whole(_file(entry, name), each) for name, each in body["arrays"].items()):
                with suppress(OSError):  # of another person, who lets us read; or the disk is read-only
                    os.utime(entry / _BODY)
                return _mapped(entry, body)
        if entry.is_dir():
            log.warning("the prepared arrays in %s are damaged: they are made again", entry)
            shutil.rmtree(entry, ignore_errors=True)
        return None

    def build(self, key: Callable[[], str], make: Callable[[ArraySink, Path], dict[str, Any]], *, work: str) -> Entry:
        """Make an entry, unless another process is quicker.

        Args:
            key: gives that of the entry; asked when all else is done.
            make: writes the arrays, may use the directory for files of its own, returns what is kept with the arrays.
            work: names what is done. Where a process was killed at the same, and left a journal, ``make`` is given the
                directory that it had.

        Returns:
            As ``load``.

        Raises:
            DiskFullError: it does not fit on the disk.
            OSError: the directory cannot be written.
        """
        self.directory.mkdir(parents=True, exist_ok=True)
        self._remove_abandoned()
        building, lock = self._left(work) or self._new(work)
        with lock:
            return self._build_in(building, key, make)

    def _build_in(
        self, building: Path, key: Callable[[], str], make: Callable[[ArraySink, Path], dict[str, Any]]
    ) -> Entry:
        scratch, interrupted = building / _SCRATCH, False
        try:
            with DiskSink(building) as sink:
                body = {"kept": make(sink, scratch), "arrays": sink.finish()}
            write_document(building / _BODY, body)
            entry = self.directory / key()
            shutil.rmtree(scratch)
            with suppress(OSError):  # another process was quicker
                building.rename(entry)
            made = _mapped(entry, body)
            with suppress(FileNotFoundError):  # another process removes some too
                self._evict(entry)
            return made
        except OSError as error:
            raise _explained(error, building, sink.expected) from error
        except (KeyboardInterrupt, SystemExit):
            interrupted = True
            raise
        finally:
            if not (interrupted and is_journaled(scratch)):
                shutil.rmtree(building, ignore_errors=True)

    def _new(self, work: str) -> tuple[Path, IO[str]]:
        building = Path(tempfile.mkdtemp(prefix=f"{_BUILDING}{work}-", dir=self.directory))
        lock = _lock(building)
        assert lock is not None  # nobody else knows of it
        (building / _SCRATCH).mkdir()
        return building, lock

    def _left(self, work: str) -> tuple[Path, IO[str]] | None:
        """A directory in which the same work was stopped, with its lock, if there is one with a journal."""
        for building in self.directory.glob(f"{_BUILDING}{work}-*"):
            lock = _lock(building) if is_journaled(building / _SCRATCH) else None
            if lock is not None:
                for array in building.glob("*.npy"):
                    array.unlink()
                return building, lock
        return None

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
        taken = 0
        for building in sorted(self.directory.glob(f"{_BUILDING}*"), key=_last_written, reverse=True):
            patience = _ABANDONED_SECONDS
            if is_journaled(building / _SCRATCH):
                patience = _JOURNALED_SECONDS if taken < _MOST_BYTES else patience
                taken += _size(building)
            lock = _lock(building) if time.time() - _last_written(building) > patience else None
            if lock is not None:
                with lock:
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
    size = 0
    for path in directory.rglob("*"):
        with suppress(FileNotFoundError):  # somebody works there
            size += path.stat().st_size if path.is_file() else 0
    return size


def _file(entry: Path, name: str) -> Path:
    return entry / f"{name}.npy"


def _mapped(entry: Path, body: dict[str, Any]) -> Entry:
    return body["kept"], {name: map_array(_file(entry, name), each) for name, each in body["arrays"].items()}


def _lock(building: Path) -> IO[str] | None:
    """The lock of a directory, ours until it is closed; None where another has it, or the directory is gone."""
    with suppress(OSError), ExitStack() as opened:
        lock = opened.enter_context((building / _LOCK).open("a"))
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)  # not lockf: two threads of a process are two builders
        if os.path.samestat(os.fstat(lock.fileno()), (building / _LOCK).stat()):
            opened.pop_all()
            return lock
    return None


def _last_written(building: Path) -> float:
    """When its journal was written, or else something put into it, in seconds since 1970; now if it is gone."""
    with suppress(FileNotFoundError):  # it has just become an entry
        scratch = building / _SCRATCH
        return journaled_at(scratch) if is_journaled(scratch) else building.stat().st_mtime
    return time.time()
