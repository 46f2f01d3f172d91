"""Arrays as ``.npy`` files: written row by row, checked, and mapped into memory under a lock that lives as they do."""

from __future__ import annotations

import errno
import fcntl
import io
import math
import os
import shutil
import zlib
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Protocol, Self

import numpy as np

__all__ = ["Array", "ArraySink", "DiskSink", "MemorySink", "is_in_use", "is_whole", "map_array"]

_HEADER_BYTES = 128  # of every .npy file that numpy writes for arrays of few dimensions
_READ_BYTES = 1024 * 1024

Array = np.ndarray[Any, np.dtype[Any]]
Description = dict[str, Any]  # of an array: dtype, shape, checksum


class ArraySink(Protocol):
    """Takes the rows of named arrays as they come."""

    def expect(self, size: int) -> None:
        """Prepare for so many bytes at least, before the first rows come."""

    def append(self, name: str, rows: Array) -> None:
        """Add rows, (N, ...), to the array of that name; the first ones settle its type and row shape."""


class MemorySink:
    """Keeps arrays in memory."""

    def __init__(self) -> None:
        self._pieces: dict[str, list[Array]] = {}

    def expect(self, size: int) -> None:
        """Memory is had as it is needed."""

    def append(self, name: str, rows: Array) -> None:
        """Add rows to an array."""
        self._pieces.setdefault(name, []).append(rows)

    def arrays(self) -> dict[str, Array]:
        """The arrays, whole."""
        return {name: np.concatenate(pieces) for name, pieces in self._pieces.items()}


class DiskSink:
    """Writes arrays to files in a directory.

    Args:
        directory: of the files.
    """

    def __init__(self, directory: Path) -> None:
        self.expected = 0
        self._directory = directory
        self._files = ExitStack()
        self._open: dict[str, _OpenArray] = {}

    def expect(self, size: int) -> None:
        """Refuse to begin what cannot be finished.

        Raises:
            OSError: the disk has not that much space left.
        """
        self.expected = size
        if shutil.disk_usage(self._directory).free < size:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def append(self, name: str, rows: Array) -> None:
        """Write rows of an array."""
        if name not in self._open:
            file = self._files.enter_context((self._directory / f"{name}.npy").open("wb"))
            file.write(bytes(_HEADER_BYTES))  # the header is written last, when the number of rows is known
            self._open[name] = _OpenArray(file, rows.dtype, rows.shape[1:])
        self._open[name].append(rows)

    def finish(self) -> dict[str, Description]:
        """Complete the files: what each array is, by its name."""
        return {name: array.close() for name, array in self._open.items()}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._files.close()


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

    def close(self) -> Description:
        description = {"dtype": self.dtype.str, "shape": [self.rows, *self.row_shape], "checksum": self.checksum}
        self.file.seek(0)
        self.file.write(_header(description))
        self.file.close()
        return description


def is_whole(path: Path, description: Description) -> bool:
    """Whether a file holds that array, to the last bit."""
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


def map_array(path: Path, description: Description) -> Array:
    """The array in a file, memory-mapped; ``is_in_use`` says so as long as there is a view of it in any process."""
    with path.open("rb") as file:
        # A mapping holds a duplicate of its file, and with that the lock.
        fcntl.flock(file, fcntl.LOCK_SH)
        # copy-on-write: torch warns of arrays that cannot be written to
        shape = tuple(description["shape"])
        return np.memmap(file, dtype=description["dtype"], mode="c", offset=_HEADER_BYTES, shape=shape)


def is_in_use(path: Path) -> bool:
    """Whether the array in a file is mapped."""
    try:
        with path.open("r+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:  # or it is another person's, who may have it mapped
        return True
    return False


def _header(description: Description) -> bytes:
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        header, {"descr": description["dtype"], "fortran_order": False, "shape": tuple(description["shape"])}
    )
    assert len(header.getvalue()) == _HEADER_BYTES
    return header.getvalue()
