"""Chunks kept for a second and third look: in memory while they are few, on disk beyond."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl

from ignite_workflow.data.checked_files import fingerprint
from ignite_workflow.data.chunk import Chunk
from ignite_workflow.data.prefetch import parallel_map
from ignite_workflow.data.tables import Table

__all__ = ["ChunkStore"]

_MOST_BYTES = 144 * 1024 * 1024  # what works on them takes as much beside it


class ChunkStore:
    """Keeps chunks in order.

    Args:
        directory: for those that do not fit into memory; None keeps none of them: ``complete`` is then false.
        count: is called with how many rows come.

    Attributes:
        complete: all chunks that came are kept.
    """

    def __init__(self, directory: Path | None, count: Callable[[int], None]) -> None:
        self._count = count
        self.complete = True
        self._directory = directory
        self._chunks: list[tuple[Chunk, bool]] = []  # with whether its cells are on disk only
        self._fingerprints: list[Any] = []  # of the files of the first chunks, as far as they were asked for
        self._bytes = 0

    def add(self, chunk: Chunk) -> None:
        """Keep a chunk."""
        self._count(chunk.frame.height)
        if not self.complete:
            return
        size = int(chunk.frame.estimated_size())
        if self._bytes + size <= _MOST_BYTES:
            self._bytes += size
            self._chunks.append((chunk, False))
        elif self._directory is None:
            self.discard()
        else:
            self._write(len(self._chunks), chunk)
            self._chunks.append((replace(chunk, frame=chunk.frame.clear()), True))

    def discard(self) -> None:
        """Forget the chunks, and keep no more: they do not fit into memory, or hold cells read in the wrong way."""
        self.complete = False
        self._chunks.clear()
        self._fingerprints.clear()

    def __iter__(self) -> Iterator[Chunk]:
        for number, (chunk, on_disk) in enumerate(self._chunks):
            yield replace(chunk, frame=pl.read_ipc_stream(self._path(number))) if on_disk else chunk

    def save(self) -> list[dict[str, Any]]:
        """Put all chunks into the directory, where another process finds them: what ``load`` needs for that."""
        new = range(len(self._fingerprints), len(self._chunks))
        for number in new:
            chunk, on_disk = self._chunks[number]
            if not on_disk:
                self._write(number, chunk)
        self._fingerprints += parallel_map(fingerprint, map(self._path, new))
        return [
            {"source": chunk.source, "first_row": chunk.first_row, "fingerprint": found}
            for (chunk, _), found in zip(self._chunks, self._fingerprints, strict=True)
        ]

    def load(self, saved: Sequence[dict[str, Any]], table: Table) -> bool:
        """Take the chunks that another process left in the directory, unless one of their files is damaged.

        Args:
            saved: what ``save`` gave there.
            table: that they are of.
        """
        fingerprints = [each["fingerprint"] for each in saved]
        if list(parallel_map(fingerprint, map(self._path, range(len(saved))))) != fingerprints:
            return False
        self._fingerprints = fingerprints
        self._chunks = [
            (Chunk(pl.DataFrame(), each["source"], each["first_row"], place_of=table.place), True) for each in saved
        ]
        return True

    def _path(self, number: int) -> Path:
        assert self._directory is not None
        return self._directory / f"{number}.arrow"

    def _write(self, number: int, chunk: Chunk) -> None:
        with self._path(number).open("wb") as file:
            chunk.frame.write_ipc_stream(file)
