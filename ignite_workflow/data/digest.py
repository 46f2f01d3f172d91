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

__all__ = ["Digest"]

_READ_BYTES = 1024 * 1024


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
        digest, buffer = hashlib.sha256(), memoryview(bytearray(_READ_BYTES))
        for path, (size, _) in zip(self._paths, self._found, strict=True):
            digest.update(json.dumps([path.name, size]).encode())
            with path.open("rb", buffering=0) as file:
                while not self._stop.is_set() and (count := file.readinto(buffer)):
                    digest.update(buffer[:count])
        return digest.hexdigest()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.shutdown()


def _state(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_size, status.st_mtime_ns
