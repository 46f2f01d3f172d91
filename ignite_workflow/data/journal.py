"""How far the look at a table has come, on disk: what a killed process has read need not be read again.

Every 15 seconds a journal is written beside the chunks that are kept, in place of the one before: where the next record
stands, what every column has shown so far, and the checksums of the files that hold the chunks. It is not trusted, and
all begins anew, where it or one of these files is damaged, or where it is of other files or settings. It is not put on
disk at once: what a power cut takes from it, its checksums tell.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import Any

import polars as pl

from ignite_workflow.data.cells import CellRules
from ignite_workflow.data.checked_files import fingerprint, read_document, write_document
from ignite_workflow.data.chunk_store import ChunkStore
from ignite_workflow.data.column_scan import ColumnScan
from ignite_workflow.data.csv_file import CsvFile
from ignite_workflow.data.format_search import Formats
from ignite_workflow.data.position import BEGINNING, Position
from ignite_workflow.data.tables import Table

__all__ = ["Journal", "Progress", "is_journaled", "journaled_at"]

_FORMAT = 9  # raise it whenever what is saved, or what chunks a table is cut into, becomes another
_SECONDS = 15.0
_SHARE = 0.05  # of the time, at most
_NAME = "journal.json"


def is_journaled(directory: Path) -> bool:
    """Whether there is a journal."""
    return (directory / _NAME).is_file()


def journaled_at(directory: Path) -> float:
    """When the journal there was written, in seconds since 1970.

    Raises:
        FileNotFoundError: there is none.
    """
    return (directory / _NAME).stat().st_mtime


@dataclass
class Progress:
    """What a pass over a table has seen so far.

    Attributes:
        rules: how cells are read.
        formats: how columns write their numbers, as far as was searched.
        scans: by column.
        kept: the columns of which all rows are wanted, chunk by chunk.
        numbers: the columns that are read as numbers right away.
        empty: how many rows are empty in all cells.
        end: where the next chunk begins.
    """

    rules: CellRules
    formats: Formats = field(default_factory=Formats)
    scans: dict[str, ColumnScan] = field(default_factory=dict)
    kept: list[pl.DataFrame] = field(default_factory=list)
    numbers: set[str] = field(default_factory=set)
    empty: int = 0
    end: Position = BEGINNING

    def state_dict(self) -> dict[str, Any]:
        """All but what the first chunk tells again and what is kept, as plain values."""
        scans = {name: scan.state_dict() for name, scan in self.scans.items()}
        return {"scans": scans, "numbers": sorted(self.numbers), "empty": self.empty, "end": asdict(self.end)}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take what another pass has seen; the scans are there, and have seen nothing."""
        for name, scan in self.scans.items():
            scan.load_state_dict(state["scans"][name])
        self.numbers.update(state["numbers"])
        self.empty, self.end = state["empty"], Position(**state["end"])


class Journal:
    """Written while a table is looked at, read by the start after one that was killed.

    Args:
        directory: of the journal.
        work: names what it depends on: the files as they are, the settings.
        store: keeps the chunks, in the same directory.
        on_resume: is called with how many rows an earlier start has read.
    """

    def __init__(self, directory: Path, work: str, store: ChunkStore, on_resume: Callable[[int], None]) -> None:
        self._directory = directory
        self._work = work
        self._store = store
        self._on_resume = on_resume
        self._next = time.monotonic() + _SECONDS
        self._kept: list[list[Any]] = []  # the files of what is kept, with their fingerprints
        self._chunks_kept = 0  # that these hold
        self.begun = False

    @property
    def due(self) -> bool:
        """Whether it is time to write it."""
        return time.monotonic() >= self._next

    def save(self, table: Table, progress: Progress) -> None:
        """Write how far a pass over a table has come."""
        started = time.monotonic()
        self._save_kept(progress.kept)
        document = {
            "format": _FORMAT,
            "work": self._work,
            "progress": progress.state_dict(),
            "kept": self._kept,
            "chunks": self._store.save(),
            "repairs": [file.repairs.state_dict() for file in _csv_files(table)],
        }
        write_document(self._directory / _NAME, document)
        self.begun = True
        now = time.monotonic()
        self._next = now + max(_SECONDS, (now - started) / _SHARE)

    def read(self, table: Table) -> dict[str, Any] | None:
        """What an earlier start has left, its chunks taken into the store; None: nothing that can be trusted."""
        document = read_document(self._directory / _NAME)
        if document is None or not self._is_trusted(document) or not self._store.load(document["chunks"], table):
            (self._directory / _NAME).unlink(missing_ok=True)  # the files that it names will be written over
            return None
        return document

    def restore(self, document: dict[str, Any], table: Table, progress: Progress) -> None:
        """Go on from what was read.

        Args:
            document: was read.
            table: to be looked at.
            progress: of a pass that has begun with its first chunk, and seen nothing; changed.
        """
        progress.load_state_dict(document["progress"])
        progress.kept.extend(pl.read_ipc(self._directory / name) for name, _ in document["kept"])
        self._kept, self._chunks_kept, self.begun = document["kept"], len(progress.kept), True
        for file, repairs in zip(_csv_files(table), document["repairs"], strict=True):
            file.repairs.load_state_dict(repairs)
        self._on_resume(progress.end.row)

    def _is_trusted(self, document: dict[str, Any]) -> bool:
        if (document["format"], document["work"]) != (_FORMAT, self._work):
            return False
        return all(fingerprint(self._directory / name) == found for name, found in document["kept"])

    def _save_kept(self, kept: list[pl.DataFrame]) -> None:
        """Write what came since the last time; of different types in different files, as these unite at the end."""
        for _, frames in groupby(kept[self._chunks_kept :], key=attrgetter("schema")):
            path = self._directory / f"kept-{len(self._kept)}.arrow"
            with path.open("wb") as file:
                pl.concat(frames).write_ipc(file)
            self._kept.append([path.name, fingerprint(path)])
        self._chunks_kept = len(kept)


def _csv_files(table: Table) -> list[CsvFile]:
    return [file for file in table.files if isinstance(file, CsvFile)]
