"""Faults that are put into the process that runs the job; each is called there, first of all, with its directory."""

from __future__ import annotations

import errno
import hashlib
import multiprocessing
import os
import pickle
import resource
import signal
import time
from pathlib import Path
from threading import Lock
from typing import BinaryIO

import fault_job
import torch
from file_calls import Call, watch

from ignite_workflow import tensor_file


def die_at_call(directory: Path, number: int) -> None:
    """Killed before that one, from 1, of its calls that change or sync a file of the run."""
    watch(directory, Countdown(number))


def workers_start_by(directory: Path, method: str, number: int = 0) -> None:
    """``fork``, ``forkserver`` or ``spawn``; killed at the call of that number, if any."""
    multiprocessing.set_start_method(method, force=True)
    if number:
        die_at_call(directory, number)


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


def disk_of(directory: Path, size: int, error: int = errno.ENOSPC) -> None:
    """The run lies on a disk of so many bytes: what does not fit is written in part, then refused.

    With ``EDQUOT`` it is a quota; with ``EROFS`` the disk cannot be written to once that much is on it.
    """

    def limit(call: Call) -> int | None:
        if call.name in ("create", "mkdir") and size == 0:
            raise OSError(error, os.strerror(error), call.path)
        if call.name != "write":
            return None
        grows = call.position + len(call.data) - os.stat(call.path).st_size
        fits = len(call.data) - max(0, grows) + max(0, size - bytes_in(directory))
        if fits <= 0 < len(call.data):
            raise OSError(error, os.strerror(error))
        return min(fits, len(call.data))

    watch(directory, limit)


def bytes_in(directory: Path) -> int:
    """Of all files."""
    return sum(path.stat().st_size for path in directory.rglob("*") if path.is_file())


def signalled_at(directory: Path, numbers: tuple[int, ...], moment: str, count: int) -> None:
    """Sent those signals at the ``count``-th time, from 1, that the moment comes; ``write`` is one on a file.

    What iteration that was goes into a file beside the run.
    """
    left, process = count, os.getpid()

    def come(name: str) -> None:
        nonlocal left
        left -= name == moment and os.getpid() == process
        if left == 0:
            left = -1
            note = Path(f"{directory}.signalled")
            note.write_text(f"{fault_job.iteration}")
            for number in numbers:
                os.kill(process, number)
            note.write_text(f"{fault_job.iteration}")  # where another thread writes, the training went on meanwhile

    fault_job.at = come
    if moment == "write":
        watch(directory, lambda call: come("write") if "/checkpoints/" in call.path else None)


def waiting_at(directory: Path, moment: str, who: str = "", workers_by: str = "fork") -> None:
    """Says that the moment has come, by a file beside the run, and waits for another; ``config`` is its first write.

    In a process group of its own.
    """
    os.setpgid(0, 0)
    workers_start_by(directory, workers_by)
    waiting, go = (Path(f"{directory}.{what}{who}") for what in ("waiting", "go"))

    def come(name: str) -> None:
        if name == moment and not waiting.exists():
            waiting.touch()
            while not go.exists():
                time.sleep(0.01)

    fault_job.at = come
    if moment == "config":
        watch(directory, lambda call: come("config") if "config.yaml" in call.path else None)


def raising_at(directory: Path, moment: str, count: int, kind: str) -> None:
    """A handler raises at the ``count``-th time, from 1, that the moment comes; so does one that hears of it.

    The next one that hears of it makes a file beside the run.
    """
    left = count

    def come(name: str) -> None:
        nonlocal left
        left -= name == moment
        if left == 0 or name == "exception first":
            left = -1
            raise {"Exception": RuntimeError("broken"), "SystemExit": SystemExit(7)}.get(kind, KeyboardInterrupt())
        if name == "exception last":
            Path(f"{directory}.heard").touch()

    fault_job.at = come


def healed(directory: Path, number: int = 0) -> None:
    """From the second start on all samples can be read; killed at the call of that number, if any."""
    fault_job.resumed = any(directory.glob("checkpoints/step-*.ckpt"))
    if number:
        die_at_call(directory, number)


def gauged(directory: Path) -> None:
    """At the end of each epoch a line is written beside the run: memory and files of the process, bytes in the run."""
    gauge = Path(f"{directory}.gauge").open("a", buffering=1)  # noqa: SIM115 open until the process ends
    page = os.sysconf("SC_PAGE_SIZE")

    def come(moment: str) -> None:
        if moment == "trainer EPOCH_COMPLETED":
            memory = int(Path("/proc/self/statm").read_text().split()[1]) * page
            rows = os.path.getsize(directory / "metrics.jsonl") if (directory / "metrics.jsonl").exists() else 0
            print(memory, len(os.listdir("/proc/self/fd")), bytes_in(directory) - rows, file=gauge)

    fault_job.at = come


def soaked(directory: Path, kind: str, number: int) -> None:
    """Killed at a moment, perhaps on a full disk; or stopped by a signal at one."""
    gauged(directory)
    gauge = fault_job.at
    if kind == "full":
        disk_of(directory, (bytes_in(directory) if directory.exists() else 0) + 5_000)
    countdown = Countdown(number, signal.SIGTERM if kind == "signal" else signal.SIGKILL)

    def come(moment: str) -> None:
        gauge(moment)
        countdown(moment)

    fault_job.at = come


def poisoned(directory: Path, memory: int) -> None:
    """With so many bytes of memory more than it has, and no more; what unpacks into more fails."""
    taken = int(Path("/proc/self/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    resource.setrlimit(resource.RLIMIT_AS, (taken + memory, taken + memory))


def unreadable(directory: Path) -> None:
    """The newest checkpoint is on a part of the disk that cannot be read."""
    newest = max((directory / "checkpoints").glob("step-*.ckpt"))
    read = tensor_file._read_into

    def read_or_fail(content: torch.Tensor, file: BinaryIO, digest: hashlib._Hash) -> None:
        if file.name == str(newest):
            raise OSError(errno.EIO, os.strerror(errno.EIO), file.name)
        read(content, file, digest)

    tensor_file._read_into = read_or_fail


class Countdown:
    """Sends this process a signal when it is called for the ``number``-th time."""

    def __init__(self, number: int, sent: int = signal.SIGKILL) -> None:
        self.left, self.sent = number, sent
        self.process = os.getpid()

    def __call__(self, what: str | Call) -> None:
        if os.getpid() != self.process:
            return  # a loader's worker, which inherits this
        self.left -= 1
        if self.left == 0:
            os.kill(os.getpid(), self.sent)
