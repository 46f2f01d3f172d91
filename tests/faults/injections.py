"""Faults that are put into the process that runs the job; each is called there, first of all, with its directory."""

from __future__ import annotations

import errno
import os
import pickle
import signal
from pathlib import Path
from threading import Lock

import fault_job
from file_calls import Call, watch


def die_at_call(directory: Path, number: int) -> None:
    """Killed before that one, from 1, of its calls that change or sync a file of the run."""
    watch(directory, Countdown(number))


def die_at_moment(directory: Path, number: int) -> None:
    """Killed at that one, from 1, of the moments of training."""
    fault_job.at = Countdown(number)


def record_calls(directory: Path) -> None:
    """Write all calls down, and the iterations that begin between them, into a file beside the run."""
    record = Path(f"{directory}.calls").open("wb", buffering=0)  # noqa: SIM115 open until the process ends
    lock = Lock()

    def note(what: Call | int) -> None:
        with lock:
            record.write(pickle.dumps(what))

    def begin(moment: str) -> None:
        if moment == "trainer ITERATION_STARTED":
            nonlocal iteration
            iteration += 1
            note(iteration)

    iteration = 0
    fault_job.at = begin
    watch(directory, note)


def unreadable(directory: Path) -> None:
    """The newest checkpoint is on a part of the disk that cannot be read."""
    newest = max((directory / "checkpoints").glob("step-*.ckpt"))
    read = Path.read_bytes

    def read_or_fail(path: Path) -> bytes:
        if path == newest:
            raise OSError(errno.EIO, os.strerror(errno.EIO), str(path))
        return read(path)

    Path.read_bytes = read_or_fail  # type: ignore[method-assign]


class Countdown:
    """Kills this process when it is called for the ``number``-th time."""

    def __init__(self, number: int) -> None:
        self.left = number
        self.process = os.getpid()

    def __call__(self, what: str | Call) -> None:
        if os.getpid() != self.process:
            return  # a loader's worker, which inherits this
        self.left -= 1
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
