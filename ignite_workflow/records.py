"""Every number a run measures, each exactly once: in memory for the curves, in ``metrics.jsonl`` for everybody."""

from __future__ import annotations

import functools
import json
import math
import os
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from ignite_workflow.durable import append, sync_directory, sync_file
from ignite_workflow.errors import CheckpointError

__all__ = ["Record", "Records"]


_TAIL_BYTES = 2048


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

    A checkpoint holds the last lines itself, so that the file need not be put on disk for each one: a wait for the disk
    costs more than the rest of a small checkpoint.

    Args:
        path: of the file; written to from the first ``sync`` on. None: in memory only.
    """

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self.rows: list[Record] = []
        self._ends: list[tuple[int, int]] = [(0, 0)]  # after each row: bytes so far, their CRC-32
        self._synced = 0  # rows that are in the file
        self._new: list[bytes] = []  # the lines of the others
        self._tail: list[bytes] = []  # the lines since the file last grew over a multiple of 2,048 bytes
        self._durable = 0  # rows that are on disk
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
        self._add_to_tail(line, size)
        self._ends.append((size + len(line), zlib.crc32(line, crc)))
        self._used = True

    def _add_to_tail(self, line: bytes, start: int) -> None:
        if (start + len(line)) // _TAIL_BYTES > start // _TAIL_BYTES:
            self._tail = []
        else:
            self._tail.append(line)

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

    @property
    def to_make_durable(self) -> bool:
        """Whether a checkpoint of ``state_dict`` counts on rows that may not be on disk."""
        return self._durable < len(self.rows) - len(self._tail)

    @property
    def bytes_to_write(self) -> int:
        """Of the rows that may not be on disk."""
        return self._ends[-1][0] - self._ends[self._durable][0]

    def make_durable(self) -> None:
        """Put what ``sync`` wrote on disk. May be called from another thread, while rows are added."""
        if self.path is None or not self._written:
            return
        rows = self._synced
        sync_file(os.fspath(self.path))
        if not self._named:
            sync_directory(self.path.parent)  # the file may be new, and its name not be on disk
            self._named = True
        self._durable = rows

    def state_dict(self) -> dict[str, int | str]:
        """Where the records stand: what a checkpoint keeps of them; it counts on all of the file but the tail."""
        size, crc = self._ends[-1]
        return {"rows": len(self.rows), "bytes": size, "crc32": crc, "tail": b"".join(self._tail).decode()}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Go back to where the records stood, from the file: later rows are cut off, since they will be measured again.

        Raises:
            CheckpointError: the file no longer holds what it held then.
        """
        path, tail = self.path, state_dict["tail"].encode()
        size, crc = state_dict["bytes"], state_dict["crc32"]
        found = path.read_bytes()[:size] if path is not None and path.exists() else b""
        content = found
        if zlib.crc32(found) != crc:  # a power cut may have taken the tail
            found = found[: size - len(tail)]
            content = found + tail
        if (len(content), zlib.crc32(content)) != (size, crc):
            raise CheckpointError(
                f"{path} is not what it was when the checkpoint was written: it is damaged or was edited"
            )
        self.rows, self._ends, self._tail, self._used = [], [(0, 0)], [], True
        for line in content.splitlines():
            self.append(_from_line(line))
        self._synced = found.count(b"\n")
        self._new = content[len(found) :].splitlines(keepends=True)
        self._durable = len(self.rows) - len(self._tail)

    def rewind(self, rows: int) -> None:
        """Forget all records after the first ``rows``."""
        del self.rows[rows:], self._ends[rows + 1 :]
        self._synced, self._durable = min(self._synced, rows), min(self._durable, rows)
        del self._new[rows - self._synced :]
        self._tail, part = [], self._ends[-1][0] // _TAIL_BYTES
        for row, (start, _) in zip(reversed(self.rows), reversed(self._ends[:-1]), strict=True):
            if start // _TAIL_BYTES < part:
                break
            self._tail.insert(0, _to_line(row))


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
