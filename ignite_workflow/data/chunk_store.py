"""Chunks kept for a second and third look: in memory while they are few, on disk beyond."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import polars as pl

from ignite_workflow.data.tables import Chunk

__all__ = ["ChunkStore"]

_MOST_BYTES = 128 * 1024 * 1024  # what works on them takes as much beside it


class ChunkStore:
    """Keeps chunks in order.

    Args:
        directory: for those that do not fit into memory; None keeps none of them: ``complete`` is then false.
        count: hears how many rows come.
    """

    def __init__(self, directory: Path | None, count: Callable[[int], None]) -> None:
        self._count = count
        self.complete = True
        self._directory = directory
        self._chunks: list[tuple[Chunk, Path | None]] = []
        self._bytes = 0

    def add(self, chunk: Chunk) -> None:
        """Keep a chunk."""
        self._count(chunk.frame.height)
        if not self.complete:
            return
        size = int(chunk.frame.estimated_size())
        if self._bytes + size <= _MOST_BYTES:
            self._bytes += size
            self._chunks.append((chunk, None))
        elif self._directory is None:
            self.complete = False
            self._chunks.clear()
        else:
            path = self._directory / f"{len(self._chunks)}.arrow"
            with path.open("wb") as file:
                chunk.frame.write_ipc(file)
            self._chunks.append((replace(chunk, frame=chunk.frame.clear()), path))

    def __iter__(self) -> Iterator[Chunk]:
        for chunk, path in self._chunks:
            yield chunk if path is None else replace(chunk, frame=pl.read_ipc(path))
