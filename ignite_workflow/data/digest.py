"""What files hold, as one number, computed while they are read for something else."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Sequence
from concurrent.futures import CancelledError, ThreadPoolExecutor
from pathlib import Path
from threading import Event
from typing import Self

from ignite_workflow.errors import DataError
from ignite_workflow.memory import check_room_for_thread

__all__ = ["CHECKSUMS", "Checksums", "Digest"]

_READ_BYTES = 1024 * 1024
_SETTLED_NANOSECONDS = 1_000_000_000  # two writes within the same tick of a file system's clock have the same time


class Checksums:
    """The SHA-256 of files: of one that nobody has written to since, it is not computed again."""

    def __init__(self) -> None:
        self._known: dict[tuple[int, ...], str] = {}  # by the state of the file

    def of(self, path: Path, stop: Event | None = None) -> str:
        """The SHA-256 of what a file holds, in hexadecimal.

        Args:
            path: of the file.
            stop: set, by another thread, where nobody wants to know any more.

        Raises:
            CancelledError: ``stop`` was set before all was read.
        """
        state = _full_state(path)
        if state in self._known:
            return self._known[state]
        settled = time.time_ns() - state[-1] > _SETTLED_NANOSECONDS
        checksum = _sha256(path, stop)
        if settled:
            self._known[state] = checksum
        return checksum


CHECKSUMS = Checksums()  # of this process: a run notes the checksums of data that was just read to be prepared


class Digest:
    """The SHA-256 of names and contents of files, by a thread of its own: about a gigabyte a second.

    Args:
        paths: of the files.

    Raises:
        MemoryError: there is no room for a thread.
    """

    def __init__(self, paths: Sequence[Path]) -> None:
        self._paths = paths
        self._found = [_state(path) for path in paths]
        self._stop = Event()
        check_room_for_thread()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="digest")
        self._digest = self._thread.submit(self._compute)

    def result(self) -> str:
        """The digest, in hexadecimal.

        Raises:
            DataError: a file has changed since.
            CancelledError: this was left before all was read.
        """
        digest = self._digest.result()
        for path, found in zip(self._paths, self._found, strict=True):
            if _state(path) != found:
                raise DataError(f"{path}: has changed while it was read. Start again when it is complete.")
        return digest

    def _compute(self) -> str:
        files = [
            (path.name, size, CHECKSUMS.of(path, self._stop))
            for path, (size, _) in zip(self._paths, self._found, strict=True)
        ]
        return hashlib.sha256(json.dumps(files).encode()).hexdigest()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.shutdown()


def _sha256(path: Path, stop: Event | None) -> str:
    digest, buffer = hashlib.sha256(), memoryview(bytearray(_READ_BYTES))
    with path.open("rb", buffering=0) as file:
        while count := file.readinto(buffer):
            if stop is not None and stop.is_set():
                raise CancelledError
            digest.update(buffer[:count])
    return digest.hexdigest()


def _full_state(path: Path) -> tuple[int, ...]:
    """What is another number whenever the file was written to; also where its time was set back."""
    status = path.stat()
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns


def _state(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_size, status.st_mtime_ns
