"""Running out of memory, told on one line instead of by a traceback.

Imports nothing heavy: the command line asks too.
"""

from __future__ import annotations

import errno
import mmap
import re
import resource
from collections.abc import Iterator
from contextlib import contextmanager

from ignite_workflow.errors import NotEnoughMemoryError

__all__ = ["check_room_for_thread", "is_out_of_memory", "memory_told", "out_of_memory"]

_SAID = re.compile(
    r"can(?:no|')t allocate memory|not enough memory|out of memory|bad_alloc|can't start new thread", re.IGNORECASE
)
_WANTED = re.compile(r"(?:allocate|mmap) ([\d.,]+ ?(?:bytes|[KMGT]?i?B\b))")

_STACK_BYTES = 8 * 1024 * 1024  # of a thread, where the system sets no limit
_THREAD_BYTES = 8 * 1024 * 1024  # what Python takes to start one is less than one; its work needs some too


def check_room_for_thread() -> None:
    """To be called before a thread is started: where its stack fits and little else, Python waits for it for ever.

    ``Thread.start`` waits until the thread says that it runs; one that finds no memory ends before it does.

    Raises:
        MemoryError: there is no room for a thread.
    """
    limit = resource.getrlimit(resource.RLIMIT_STACK)[0]
    stack = _STACK_BYTES if limit == resource.RLIM_INFINITY else limit
    try:
        mmap.mmap(-1, stack + _THREAD_BYTES).close()  # not touched, so it takes addresses only
    except OSError as error:
        raise MemoryError("can't start new thread") from error


def is_out_of_memory(error: BaseException) -> bool:
    """Whether it is Python's, numpy's, torch's or the system's word for it; or a panic of a library in Rust.

    Example:
        >>> is_out_of_memory(RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 8 bytes."))
        True
        >>> is_out_of_memory(RuntimeError("shapes do not match"))
        False
    """
    if isinstance(error, MemoryError) or (isinstance(error, OSError) and error.errno == errno.ENOMEM):
        return True
    panics = type(error).__name__ == "PanicException" and "pointer is null" in str(error)
    return panics or (isinstance(error, RuntimeError) and _SAID.search(str(error)) is not None)


def out_of_memory(error: BaseException, doing: str, cure: str) -> NotEnoughMemoryError | None:
    """What to tell instead of an exception that came of too little memory; None of another one.

    Args:
        error: the exception.
        doing: when it came: "in iteration 4".
        cure: what a person can do.

    Example:
        >>> print(out_of_memory(MemoryError("Unable to allocate 153. MiB for an array"), "in iteration 4", "Use less."))
        not enough memory in iteration 4: 153 MiB more were wanted. Use less.
    """
    if not is_out_of_memory(error):
        return None
    wanted = _WANTED.search(str(error))
    more = f": {_readable(wanted[1])} more were wanted" if wanted is not None else ""
    if "new thread" in str(error):
        more = " for another thread, or too many processes"
    return NotEnoughMemoryError(f"not enough memory {doing}{more}. {cure}")


@contextmanager
def memory_told(doing: str, cure: str) -> Iterator[None]:
    """What runs out of memory within is a ``NotEnoughMemoryError``."""
    try:
        yield
    except BaseException as error:
        told = out_of_memory(error, doing, cure)
        if told is None:
            raise
        raise told from error


def _readable(wanted: str) -> str:
    """Thousands set off in bytes; numpy's ``153. MiB`` without its point."""
    number, _, unit = wanted.partition(" ")
    return f"{int(number):,} {unit}" if number.isdecimal() else f"{number.rstrip('.')} {unit}".strip()
