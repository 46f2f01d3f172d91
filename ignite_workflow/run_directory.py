"""What a run leaves on disk: its directory, the lock on it, its status and its records."""

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from ignite_workflow.durable import replace_by, replace_file, sync_directory
from ignite_workflow.errors import RunDirectoryError
from ignite_workflow.records import Records
from ignite_workflow.strict_json import to_json

__all__ = ["RunDirectory", "new_run_directory", "new_run_path", "read_status"]

_SPARE_BYTES = 4096  # a block of most file systems
_MOST_REASON = 500  # characters, where there is no room for more
_IN_SHORT = (
    *("state", "reason", "exit_code", "epoch", "iteration", "max_epochs", "from_model"),
    *("pid", "host", "started", "updated"),
)

_held: set[Path] = set()  # the kernel's locks are between processes: this one must not lock a directory twice either


def new_run_path(runs: Path, what: str, name: str | None = None) -> Path:
    """A path for a new run: ``runs/<name>``, or ``runs/<what>-<yyyymmdd>-<hhmmss>`` with ``-2``, ``-3`` where taken.

    Raises:
        RunDirectoryError: ``name`` is not the plain name of a folder.
    """
    if name is not None:
        if name in (".", "..") or re.search(r"[/\\\x00-\x1f]", name) or not name.strip():
            raise RunDirectoryError(f"a run's name must be the plain name of a folder, got {name!r}")
        return runs / name
    stem = re.sub(r"[^\w.-]+", "-", what).strip("-.") or "run"
    base = f"{stem}-{datetime.now():%Y%m%d-%H%M%S}"
    path, count = runs / base, 1
    while path.exists():
        count += 1
        path = runs / f"{base}-{count}"
    return path


class RunDirectory:
    """A run's directory, held by this process.

    Use it as a context manager, or call ``close``. Everything in it is written through this object, so that no other
    process can be writing at the same time.

    Args:
        path: created where it does not exist.

    Attributes:
        path: absolute.
        records: the numbers measured, in ``metrics.jsonl``.
        status: what this process said last in ``status.json``, whether or not it could be written; empty before.

    Raises:
        RunDirectoryError: another process holds the directory; or it cannot be written to.
    """

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self._real = self.path.resolve()
        self._lock: int | None = None
        if self._real in _held:  # seen before the file is opened: to close it again would let the lock go
            raise RunDirectoryError(f"{self.path} is in use by this process ({os.getpid()})")
        try:
            made = [folder for folder in (self.path, *self.path.parents) if not folder.exists()]
            self.path.mkdir(parents=True, exist_ok=True)
            for folder in made:  # else a power cut could take the directory with everything in it
                sync_directory(folder.parent)
            self._lock = os.open(self.path / "run.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise RunDirectoryError(f"cannot write to the run directory {self.path}: {error.strerror}") from error
        self._take_lock(self._lock)
        self.records = Records(self.path / "metrics.jsonl")
        self.status: dict[str, Any] = {}
        self._writing = threading.Lock()  # heartbeats come from a thread

    def _take_lock(self, lock: int) -> None:
        mine = {"pid": os.getpid(), "host": socket.gethostname(), "since": _now()}
        try:
            fcntl.lockf(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            holder = os.pread(lock, 4096, 0).decode(errors="replace")
            os.close(lock)
            raise RunDirectoryError(f"{self.path} is in use by {_describe(holder)}") from None
        try:
            os.ftruncate(lock, 0)
            os.pwrite(lock, json.dumps(mine).encode(), 0)
        except OSError as error:
            os.close(lock)
            raise RunDirectoryError(f"cannot write to the run directory {self.path}: {error.strerror}") from error
        _held.add(self._real)

    @property
    def checkpoints(self) -> Path:
        """Where checkpoints lie."""
        return self.path / "checkpoints"

    @property
    def model(self) -> Path:
        """Where the trained model is put."""
        return self.path / "model"

    @property
    def skipped_samples(self) -> Path:
        """Where samples that could not be made are listed."""
        return self.path / "skipped_samples.jsonl"

    def write(self, name: str, content: bytes | str) -> None:
        """Write a file of the run whole, under a name within it; it is on disk when this returns.

        Raises:
            RunDirectoryError: the disk is full, or not there for writing.
        """
        try:
            replace_file(self.path / name, content, sync=True)
        except OSError as error:
            raise RunDirectoryError(f"cannot write {self.path / name}: {error.strerror}") from error

    def read_status(self) -> dict[str, Any]:
        """The contents of ``status.json``: see the function ``read_status``."""
        return read_status(self.path)

    def update_status(self, state: str, **details: Any) -> None:
        """Write ``status.json``: ``state`` (running, finished, stopped, failed) and what else is known.

        What earlier calls said stays unless it is said anew. Numbers that are not finite are text: it is strict JSON.
        May be called by any thread. While the run goes on, a spare file keeps the room that it takes to say how it
        ended, should the disk be full by then.

        Raises:
            RunDirectoryError: as ``write``; where the run has ended, only if the spare file is too small too.
        """
        with self._writing:
            started = self.status.get("started") or self.read_status().get("started") or _now()
            self.status |= {"state": state, **details}
            self.status |= {"pid": os.getpid(), "host": socket.gethostname(), "started": started, "updated": _now()}
            told_first = dict.fromkeys(("state", "reason", "exit_code"))
            status = {**told_first, **self.status}
            if state == "running":
                self._keep_room()
                self.write("status.json", _as_text(status))
            else:
                self._write_last_status(status)

    @property
    def _spare(self) -> Path:
        return self.path / ".status.json.spare"

    def _keep_room(self) -> None:
        if not self._spare.exists():
            self.write(self._spare.name, b" " * _SPARE_BYTES)

    def _write_last_status(self, status: Mapping[str, Any]) -> None:
        try:
            self.write("status.json", _as_text(status))
        except RunDirectoryError:
            text = _as_text(status if status["state"] == "finished" else _in_short(status)).encode()
            if not self._spare.exists() or len(text) > self._spare.stat().st_size:
                raise
            with suppress(OSError):  # a disk that takes nothing at all: the first error is the one to tell
                replace_by(self.path / "status.json", self._spare, text)
                return
            raise
        self._spare.unlink(missing_ok=True)

    def point_latest(self) -> None:
        """Make ``latest`` beside this directory point here."""
        latest = self.path.parent / "latest"
        if latest.exists() and not latest.is_symlink():
            return  # a run somebody named so
        temporary = latest.with_name(f".latest-{os.getpid()}")
        temporary.unlink(missing_ok=True)
        temporary.symlink_to(self.path.name)
        temporary.replace(latest)

    def close(self) -> None:
        """Let the directory go. May be called twice. Records are written by whoever measures: see ``Records.sync``."""
        if self._lock is None:
            return
        _held.discard(self._real)
        lock, self._lock = self._lock, None
        os.close(lock)  # the kernel drops the lock with it

    def __enter__(self) -> RunDirectory:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@contextmanager
def new_run_directory(path: Path) -> Iterator[RunDirectory]:
    """The directory of a new run; whatever goes wrong before the run's config stands there leaves none half made.

    Another start may have made it meanwhile: where that one holds it, nothing is removed.
    """
    made = [folder for folder in (path, *path.absolute().parents) if not folder.exists()]
    try:
        with RunDirectory(path) as directory:
            try:
                yield directory
            finally:
                if made and not (path / "config.yaml").exists():
                    shutil.rmtree(path, ignore_errors=True)
    except BaseException:
        for folder in made:  # other runs may be in those above
            with suppress(OSError):
                folder.rmdir()
        raise


def read_status(run: Path) -> dict[str, Any]:
    """What ``status.json`` of a run says; empty where there is none.

    Raises:
        RunDirectoryError: it was damaged by others; a run replaces it whole.
    """
    path = run / "status.json"
    if not path.exists():
        return {}
    try:
        return dict(json.loads(path.read_bytes()))
    except (ValueError, TypeError) as error:
        raise RunDirectoryError(f"{path} is damaged: put it back, or delete it: {error}") from None


def _as_text(status: Mapping[str, Any]) -> str:
    return to_json(status, indent=1) + "\n"


def _in_short(status: Mapping[str, Any]) -> dict[str, Any]:
    short = {name: status[name] for name in _IN_SHORT if name in status}
    return {**short, "reason": str(status["reason"])[:_MOST_REASON]}


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S%z")


def _describe(holder: str) -> str:
    try:
        found: Mapping[str, Any] = json.loads(holder)
        return f"process {found['pid']} on {found['host']}, since {found['since']}"
    except (ValueError, KeyError, TypeError):
        return "another process"  # it has the lock and has not yet written who it is
