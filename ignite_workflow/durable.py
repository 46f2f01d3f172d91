"""Files that are whole or not there, and on disk when we say so."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["replace_file", "sync_data", "sync_directory"]


def replace_file(path: Path, content: bytes | str, *, sync: bool = False) -> None:
    """Put ``content`` under ``path`` whole: a reader, or a kill at any instant, sees the old file or the new one.

    Args:
        path: its folder exists.
        content: text is written as UTF-8.
        sync: on disk before this returns, so that a power cut cannot undo it.
    """
    data = content.encode() if isinstance(content, str) else content
    temporary = path.with_name(f".{path.name}.tmp")
    with temporary.open("wb") as file:
        file.write(data)
        if sync:
            file.flush()
            sync_data(file.fileno())
    temporary.replace(path)
    if sync:
        sync_directory(path.parent)


def sync_data(descriptor: int) -> None:
    """Put a file's bytes and size on disk; its times may follow later, which spares the disk a write."""
    getattr(os, "fdatasync", os.fsync)(descriptor)  # macOS has the latter only


def sync_directory(path: Path) -> None:
    """Put the names in a directory on disk: a rename is not durable before."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
