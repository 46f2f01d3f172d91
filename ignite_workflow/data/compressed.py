"""Files as bytes, decompressed where they are compressed: as a stream, never more than a block of it in memory."""

from __future__ import annotations

import gzip
import io
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import IO, Any, BinaryIO, cast

from ignite_workflow.errors import DataError

__all__ = ["COMPRESSED", "is_compressed", "open_decompressed", "without_compression"]

COMPRESSED = (".gz", ".zst", ".zstd")
_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
_MOST_EXPANSION = 200  # tables as text shrink to a third or a tenth
_ALWAYS_ALLOWED = 1024**3
_BUFFER_BYTES = 1024 * 1024


def without_compression(path: Path) -> Path:
    """The path without an ending that says how it is compressed.

    Example:
        >>> without_compression(Path("table.csv.GZ")).name, without_compression(Path("table.csv")).name
        ('table.csv', 'table.csv')
    """
    return path.with_suffix("") if path.suffix.lower() in COMPRESSED else path


def is_compressed(start: bytes) -> bool:
    """Whether a file that begins so is one of gzip or zstd."""
    return start.startswith((_GZIP, _ZSTD))


@contextmanager
def open_decompressed(path: Path) -> Iterator[BinaryIO]:
    """A file to read from; gzip and zstd are known by their first bytes, whatever the file is called.

    Raises:
        DataError: where it is read: the compressed file is damaged or cut short, or expands beyond all measure.
    """
    with path.open("rb") as file:
        start = file.read(_BUFFER_BYTES)
        file.seek(0)
        if start.startswith(_GZIP):
            errors = (EOFError, zlib.error, gzip.BadGzipFile)
            yield _streamed(gzip.GzipFile(fileobj=file), errors, path)
        elif start.startswith(_ZSTD):
            zstd = _zstd()
            yield _streamed(zstd.ZstdFile(file), (EOFError, zstd.ZstdError), path)
        elif path.suffix.lower() in COMPRESSED and b"\0" in start:
            raise DataError(f"{path}: the compressed file is damaged: it does not begin as gzip and zstd do.")
        else:
            yield file


def _zstd() -> Any:
    return import_module("compression.zstd" if sys.version_info >= (3, 14) else "backports.zstd")


def _streamed(file: Any, errors: tuple[type[Exception], ...], path: Path) -> BinaryIO:
    return cast(BinaryIO, io.BufferedReader(_Decompressed(file, errors, path), _BUFFER_BYTES))


class _Decompressed(io.RawIOBase):
    """Bytes of a compressed file, until they are too many for what they came from."""

    def __init__(self, file: IO[bytes], errors: tuple[type[Exception], ...], path: Path) -> None:
        self._file = file
        self._errors = errors
        self._path = path
        self._most = max(_ALWAYS_ALLOWED, _MOST_EXPANSION * path.stat().st_size)
        self._count = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        try:
            data = self._file.read(len(buffer))
        except self._errors as error:
            raise DataError(f"{self._path}: the compressed file is damaged or cut short ({error}).") from error
        self._count += len(data)
        if self._count > self._most:
            raise DataError(
                f"{self._path}: expands to more than {self._most:,} bytes, from {self._path.stat().st_size:,}, as a "
                "decompression bomb does; if it is none, decompress it yourself."
            )
        buffer[: len(data)] = data
        return len(data)
