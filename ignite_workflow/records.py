"""Every number a run measures, each exactly once: in memory for the curves, in ``metrics.jsonl`` for everybody."""

from __future__ import annotations

import functools
import json
import math
import os
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from ignite_workflow.durable import append, sync_directory, sync_file
from ignite_workflow.errors import CheckpointError

__all__ = ["Record", "Records"]


class Record(NamedTuple):
    """One measured number.

    Attributes:
        iteration: training iterations done when it was measured.
        epoch: the epoch that belongs to, from 1.
        split: ``"train"``, ``"val"`` or ``"test"``.
        name: e.g. ``"loss"``, ``"accuracy"``, ``"lr"``.
        value: in the metric's own unit.
    """

    iteration: int
    epoch: int
    split: str
    name: str
    value: float


class Records:
    """The records of a run, appended to a JSON-lines file that can be cut back to where a checkpoint stood.

    Non-finite values are the strings ``"nan"``, ``"inf"`` and ``"-inf"`` in the file: JSON has no others.

    Args:
        path: of the file; written to from the first ``sync`` on. None: in memory only.
    """

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self.rows: list[Record] = []
        self._ends: list[tuple[int, int]] = [(0, 0)]  # after each row: bytes so far, their CRC-32
        self._synced = 0  # rows that are in the file
        self._new: list[bytes] = []  # the lines of the others
        self._used = False  # else what the file holds is not known here, and stays as it is
        self._written = False  # there is a file, and this object wrote to it
        self._named = False  # its name is on disk too

    def __iter__(self) -> Iterator[Record]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    def append(self, record: Record) -> None:
        """Add a record. It reaches the file at the next ``sync``."""
        line = _to_line(record)
        size, crc = self._ends[-1]
        self.rows.append(record)
        self._new.append(line)
        self._ends.append((size + len(line), zlib.crc32(line, crc)))
        self._used = True

    def curve(self, split: str, name: str) -> list[tuple[int, float]]:
        """The ``(iteration, value)`` points of one curve, oldest first."""
        return [(row.iteration, row.value) for row in self.rows if (row.split, row.name) == (split, name)]

    def last(self, split: str) -> dict[str, float]:
        """The newest value of each name of a split."""
        return {row.name: row.value for row in self.rows if row.split == split}

    def sync(self) -> None:
        """Write what is new to the file."""
        if self.path is None or not self._used:
            return
        end = self._ends[self._synced][0]  # beyond it: a failed write, what was rewound, a run before this one
        append(os.fspath(self.path), end, b"".join(self._new))
        self._synced, self._new, self._written = len(self.rows), [], True

    def make_durable(self) -> None:
        """Put what ``sync`` wrote on disk. May be called from another thread."""
        if self.path is None or not self._written:
            return
        sync_file(os.fspath(self.path))
        if not self._named:
            sync_directory(self.path.parent)  # the file may be new, and its name not be on disk
            self._named = True

    def state_dict(self) -> dict[str, int]:
        """Where the records stand: what a checkpoint keeps of them."""
        size, crc = self._ends[-1]
        return {"rows": len(self.rows), "bytes": size, "crc32": crc}

    def load_state_dict(self, state_dict: Mapping[str, int]) -> None:
        """Go back to where the records stood, from the file: later rows are cut off, since they will be measured again.

        Raises:
            CheckpointError: the file no longer holds what it held then.
        """
        path = self.path
        content = path.read_bytes()[: state_dict["bytes"]] if path is not None and path.exists() else b""
        if (len(content), zlib.crc32(content)) != (state_dict["bytes"], state_dict["crc32"]):
            raise CheckpointError(
                f"{path} is not what it was when the checkpoint was written: it is damaged or was edited"
            )
        self.rows, self._ends, self._used = [], [(0, 0)], True
        for line in content.splitlines():
            self.append(_from_line(line))
        self._synced, self._new = len(self.rows), []

    def rewind(self, rows: int) -> None:
        """Forget all records after the first ``rows``."""
        del self.rows[rows:], self._ends[rows + 1 :]
        self._synced = min(self._synced, rows)
        del self._new[rows - self._synced :]


def _to_line(record: Record) -> bytes:
    iteration, epoch, split, name, value = record
    shown = repr(float(value)) if math.isfinite(value) else f'"{value}"'
    head = f'{{"iteration": {iteration}, "epoch": {epoch}, "split": {_quoted(split)}, "name": {_quoted(name)}'
    return f'{head}, "value": {shown}}}\n'.encode()


@functools.lru_cache
def _quoted(name: str) -> str:
    return json.dumps(name)


def _from_line(line: bytes) -> Record:
    row = json.loads(line)
    return Record(row["iteration"], row["epoch"], row["split"], row["name"], float(row["value"]))
