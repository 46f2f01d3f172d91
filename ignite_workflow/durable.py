"""Files that are whole or not there, and on disk when we say so.

Some of these run at every checkpoint of runs whose epochs take milliseconds: they call the operating system directly,
since ``open`` and ``pathlib`` cost more than the writing.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

__all__ = ["append", "replace_by", "replace_file", "sync_data", "sync_directory", "sync_file", "write_over"]


def replace_file(path: Path, content: bytes | str, *, sync: bool = False) -> None:
    """Put ``content`` under ``path`` whole: a reader, or a kill at any instant, sees the old file or the new one.

    Args:
        path: its folder exists.
        content: text is written as UTF-8.
        sync: on disk before this returns, so that a power cut cannot undo it.
    """
    data = content.encode() if isinstance(content, str) else content
    temporary = path.with_name(f".{path.name}.tmp")
    try:
        with temporary.open("wb") as file:
            file.write(data)
            if sync:
                file.flush()
                sync_data(file.fileno())
    except OSError:
        with suppress(OSError):
            temporary.unlink()  # on a full disk what is half written takes the room of what matters
        raise
    temporary.replace(path)
    if sync:
        sync_directory(path.parent)


def replace_by(path: Path, spare: Path, data: bytes) -> None:
    """The same where the disk is full: ``spare`` takes the place of the file; it is on disk when this returns.

    Args:
        path: as above.
        spare: a file beside it, of at least as many bytes: they are written over, which takes no further room.
        data: not empty.
    """
    write_over(os.fspath(spare), [data])
    spare.replace(path)
    sync_directory(path.parent)


def write_over(path: str, parts: Iterable[bytes | memoryview]) -> int:
    """Write a file, over the bytes of one that is there, and put it on disk; returns its size.

    What is written over is neither whole nor gone meanwhile: this is for temporary names.
    """
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o666)
    try:
        size = sum(_write(descriptor, part) for part in parts)
        if os.fstat(descriptor).st_size != size:
            os.ftruncate(descriptor, size)
        sync_data(descriptor)
    finally:
        os.close(descriptor)
    return size


def append(path: str, start: int, data: bytes) -> None:
    """Write ``data`` into a file from byte ``start`` on; what stood there and beyond is cut off.

    Args:
        path: created where it does not exist.
        start: at most the size of the file.
        data: any bytes.
    """
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o666)
    try:
        if os.fstat(descriptor).st_size != start:
            os.ftruncate(descriptor, start)
        _write(descriptor, data)
    finally:
        os.close(descriptor)


def _write(descriptor: int, data: bytes | memoryview) -> int:
    """All of it, however little the system takes at a time; returns how many bytes that is."""
    written, size = os.write(descriptor, data), memoryview(data).nbytes
    while written < size:
        written += os.write(descriptor, memoryview(data).cast("B")[written:])
    return size


def sync_file(path: str) -> None:
    """Put what was written to a file, by whomever, on disk."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        sync_data(descriptor)
    finally:
        os.close(descriptor)


def sync_data(descriptor: int) -> None:
    """Put a file's bytes and size on disk; its times may follow later, which spares the disk a write."""
    getattr(os, "fdatasync", os.fsync)(descriptor)  # macOS has the latter only


def sync_directory(path: Path | str) -> None:
    """Put the names in a directory on disk: a rename is not durable before."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
