"""What files hold, as one number, computed while they are read for something else."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from typing import Self

from ignite_workflow.errors import DataError

__all__ = ["Digest", "file_sha256"]

_READ_BYTES = 1024 * 1024

_known: dict[tuple[int, ...], str] = {}  # the checksums of the files of a Digest, by their state


class Digest:
    """The SHA-256 of names and contents of files, by a thread of its own: about a gigabyte a second.

    Args:
        paths: of the files.
    """

    def __init__(self, paths: Sequence[Path]) -> None:
        self._paths = paths
        self._found = [_state(path) for path in paths]
        self._stop = Event()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="digest")
        self._digest = self._thread.submit(self._compute)

    def result(self) -> str:
        """The digest, in hexadecimal.

        Raises:
            DataError: a file has changed since.
        """
        digest = self._digest.result()
        for path, found in zip(self._paths, self._found, strict=True):
            if _state(path) != found:
                raise DataError(f"{path}: has changed while it was read. Start again when it is complete.")
        return digest

    def _compute(self) -> str:
        files = []
        for path, (size, _) in zip(self._paths, self._found, strict=True):
            state, checksum = _full_state(path), file_sha256(path, self._stop)
            if not self._stop.is_set():
                _known[state] = checksum
            files.append([path.name, size, checksum])
        return hashlib.sha256(json.dumps(files).encode()).hexdigest()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.shutdown()


def file_sha256(path: Path, stop: Event | None = None) -> str:
    """The SHA-256 of what a file holds, in hexadecimal; not computed again where a ``Digest`` of this process has it.

    Args:
        path: of the file.
        stop: set where nobody wants to know any more.
    """
    if (known := _known.get(_full_state(path))) is not None:
        return known
    digest, buffer = hashlib.sha256(), memoryview(bytearray(_READ_BYTES))
    with path.open("rb", buffering=0) as file:
        while not (stop is not None and stop.is_set()) and (count := file.readinto(buffer)):
            digest.update(buffer[:count])
    return digest.hexdigest()


def _full_state(path: Path) -> tuple[int, ...]:
    """What is another number whenever the file was written to; also where its time was set back."""
    status = path.stat()
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns


def _state(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_size, status.st_mtime_ns
