"""The rows of a table as arrays, each sent to its split; what is lost and repeated on the way is counted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from ignite_workflow.data.array_files import Array, ArraySink
from ignite_workflow.data.chunk import Chunk
from ignite_workflow.data.duplicates import Hashes, count_common, hash_rows
from ignite_workflow.data.prefetch import parallel_map
from ignite_workflow.data.schema import Schema
from ignite_workflow.data.splits import Assignment, Split

__all__ = ["EncodedSplits"]


@dataclass(frozen=True)
class _ChunkRows:
    """Those of a chunk, by split: features, targets, row numbers and hashes."""

    source: str
    rows: int
    dropped: int
    splits: Mapping[Split, tuple[Array, Array, Array, Hashes]]


def _encode(schema: Schema, assignment: Assignment | Split, chunk: Chunk) -> _ChunkRows:
    x, y = schema.encode(chunk), schema.encode_target(chunk)
    known = y >= 0 if y.dtype == np.int64 else ~np.isnan(y).any(axis=1)
    rows = chunk.first_row + np.arange(len(x))
    of = assignment if isinstance(assignment, Split) else assignment[rows[0] : rows[-1] + 1]
    splits: dict[Split, tuple[Array, Array, Array, Hashes]] = {}
    for split in (Split.TRAIN, Split.VAL, Split.TEST):
        chosen = np.flatnonzero(known & (of == split))
        if len(chosen):
            x_split, y_split = x.take(chosen, axis=0), y.take(chosen, axis=0)
            splits[split] = x_split, y_split, rows[chosen], hash_rows(x_split, y_split)
    return _ChunkRows(chunk.source, len(x), int((~known).sum()), splits)


class EncodedSplits:
    """Sends encoded rows to the arrays of their split, and counts those that are worth a remark.

    Args:
        sink: of the arrays, ``train-x``, ``train-y``, ``train-rows`` and so on.
    """

    def __init__(self, sink: ArraySink) -> None:
        self._sink = sink
        self._dropped: dict[str, int] = {}
        self._rows: dict[str, int] = {}
        self._hashes: dict[Split, list[Hashes]] = {Split.TRAIN: [], Split.VAL: [], Split.TEST: []}

    def add_all(self, schema: Schema, assignment: Assignment | Split, chunks: Iterable[Chunk]) -> None:
        """Encode the rows of a table whose target is known.

        Args:
            schema: fitted.
            assignment: of all rows of the table, or the split that all go to.
            chunks: the table.

        Raises:
            DataError: a cell does not fit its column; names row, column and value.
        """
        for rows in parallel_map(partial(_encode, schema, assignment), chunks):
            self._add(rows)

    def _add(self, encoded: _ChunkRows) -> None:
        source = encoded.source
        self._rows[source] = self._rows.get(source, 0) + encoded.rows
        self._dropped[source] = self._dropped.get(source, 0) + encoded.dropped
        for split, (x, y, rows, hashes) in encoded.splits.items():
            self._sink.append(f"{split.name.lower()}-x", x)
            self._sink.append(f"{split.name.lower()}-y", y)
            self._sink.append(f"{split.name.lower()}-rows", rows)
            self._hashes[split].append(hashes)

    def lost_rows(self) -> dict[str, tuple[int, int]]:
        """Of each file that has any, by its name: rows without a target, and all rows."""
        return {Path(source).name: (lost, self._rows[source]) for source, lost in self._dropped.items() if lost}

    def repeated_rows(self) -> dict[str, int]:
        """Of val and test, where there are any: rows that stand in the training split too."""
        train = np.concatenate(self._hashes[Split.TRAIN])
        counts = {
            split.name.lower(): count_common(np.concatenate(self._hashes[split]), train)
            for split in (Split.VAL, Split.TEST)
            if self._hashes[split]
        }
        return {split: count for split, count in counts.items() if count}
