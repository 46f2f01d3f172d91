"""The processes that make samples beside the training: they leave signals to it, and their end is told."""

from __future__ import annotations

import multiprocessing
import os
import re
import signal
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import resource_tracker
from multiprocessing.connection import wait
from multiprocessing.util import Finalize
from types import FrameType, TracebackType
from typing import Any

from ignite_workflow.errors import DataError
from ignite_workflow.memory import check_room_for_thread

__all__ = ["WorkerStart", "end_workers", "kill_workers", "signals_held", "worker_death"]

_DYING_SECONDS = 2.0  # from the end of its connections to its own
_OF_A_JOB = (signal.SIGINT, signal.SIGHUP, signal.SIGUSR1, signal.SIGTERM)
_DEATH = re.compile(r"DataLoader worker \(pids?(?:\(s\))? ([\d, ]+)\) (.*)")


@dataclass
class WorkerStart:
    """What a worker does first: it ignores the signals that a terminal or a scheduler sends to all processes of a job.

    Of SIGTERM only the first: it is also how a parent ends a worker that does not end by itself.

    Args:
        then: the person's own ``worker_init_fn``.
    """

    then: Callable[[int], None] | None = None

    def __call__(self, worker: int) -> None:
        """Called by torch, in the worker."""
        for number in (signal.SIGINT, signal.SIGHUP, signal.SIGUSR1):
            signal.signal(number, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, _ignore_once)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _OF_A_JOB)
        sys.excepthook = _leave_broken_connections
        Finalize(None, _leave_at_once, exitpriority=-1000)  # behind those of queues
        check_room_for_thread()
        threading.Thread(target=_end_with_parent, name="parent", daemon=True).start()
        if self.then is not None:
            self.then(worker)


def _end_with_parent() -> None:
    """Torch looks every five seconds, and not at a parent that died while this process was starting."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


def _leave_at_once() -> None:
    """A thread may be handing a tensor over, in C++: Python's own way to end it there, where spawned, is to abort."""
    if sys.exc_info()[1] is None:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)


def _leave_broken_connections(kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> None:
    """The training fetches tensors from a thread here; where an error breaks that off, it is the one to tell of it."""
    if not isinstance(error, ConnectionError | EOFError):
        sys.__excepthook__(kind, error, traceback)


def _ignore_once(number: int, _: FrameType | None) -> None:
    signal.signal(number, signal.SIG_DFL)


@contextmanager
def signals_held(start_method: str) -> Iterator[None]:
    """While workers are started this way, keep the signals of a job from them until they ignore them by themselves.

    One that is spawned imports torch first, which takes seconds. The training answers what came meanwhile afterwards.
    """
    if start_method != "spawn":  # a forked one starts at once; the fork server would keep what it is started with
        yield
        return
    resource_tracker.ensure_running()  # or it would be started within, and let the signals through again
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _OF_A_JOB)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def end_workers(iterator: Any) -> None:
    """End the workers of a loader's iterator, and wait for their end.

    All that was wanted of them is here: one that dies on its way out is no error.
    """
    try:
        iterator._shutdown_workers()
    except RuntimeError as error:
        if worker_death(error) is None:
            raise
    finally:
        kill_workers(iterator._workers, parent=os.getpid())


def kill_workers(workers: Iterable[Any], *, parent: int) -> None:
    """Kill those that still live, and wait for their end: they ignore the SIGTERM of torch, which is their first.

    Args:
        workers: processes.
        parent: the process whose children they are; nothing is done in another one, a fork of it.
    """
    for worker in workers if os.getpid() == parent else ():
        if worker.is_alive():
            worker.kill()
            worker.join()


def worker_death(error: BaseException, iterator: Any = None) -> DataError | None:
    """What to tell instead of an exception that came of a worker's death; None of another one.

    Torch raises one wherever the main thread is, in the middle of a step too. But where a tensor was on its way, it is
    the connection that breaks.

    Args:
        error: the exception.
        iterator: of the loader that it left; None: it came from elsewhere.

    Example:
        >>> str(worker_death(RuntimeError("DataLoader worker (pid 7) is killed by signal: Killed. ")))[:61]
        'a process that makes samples (7) is killed by signal: Killed.'
        >>> worker_death(RuntimeError("no")) is None
        True
    """
    match = _DEATH.search(str(error)) if isinstance(error, RuntimeError) else None
    if match is not None:
        return _told(match[1], match[2].strip().rstrip("."))
    if isinstance(error, OSError | EOFError) and iterator is not None:
        try:
            return _dead_worker(iterator)
        except RuntimeError as death:  # torch's word for it, which a signal brings meanwhile
            return worker_death(death)
    return None


def _dead_worker(iterator: Any) -> DataError | None:
    ended = wait([worker.sentinel for worker in iterator._workers], _DYING_SECONDS)
    for worker in iterator._workers:
        if worker.sentinel in ended:
            worker.join(_DYING_SECONDS)  # its files are closed a moment before it has ended
            return _told(worker.pid, f"died (exit code {worker.exitcode})")
    return None


def _told(process: object, what: str) -> DataError:
    return DataError(
        f"a process that makes samples ({process}) {what}. Out of memory? Start again to go on, with fewer "
        "train.workers if need be"
    )
