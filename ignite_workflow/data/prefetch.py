"""Work done ahead of whoever takes its results, in threads: files, polars and NumPy let Python go while they work."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from ignite_workflow.memory import check_room_for_thread

__all__ = ["parallel_map", "prefetch"]

_MOST_THREADS = 8  # more only hold more of a table in memory: what is made of their results is made by one thread

Item = TypeVar("Item")
Result = TypeVar("Result")


def prefetch(items: Iterable[Item]) -> Iterator[Item]:
    """The items in their order, each made by another thread while the one before it is looked at.

    The second is begun when the first was looked at: what it showed may decide how the others are made. An exception in
    making an item is raised where that item would be.

    Raises:
        MemoryError: there is no room for a thread.
    """
    check_room_for_thread()
    source, end = iter(items), object()
    with ThreadPoolExecutor(1, thread_name_prefix="prefetch") as thread:
        item = thread.submit(next, source, end).result()
        if item is not end:
            yield item  # type: ignore[misc]  # it is not the end
        made = thread.submit(next, source, end)
        while (item := made.result()) is not end:
            made = thread.submit(next, source, end)
            yield item  # type: ignore[misc]


def parallel_map(function: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
    """``function`` of each item, in the order of the items, in as many threads as there are processors.

    Args:
        function: runs in several threads at once, each with an item of its own.
        items: taken one by one, a few ahead, from the second on when the first result was looked at.

    Raises:
        MemoryError: there is no room for a thread.
    """
    threads = min(_MOST_THREADS, os.cpu_count() or 1)
    waiting: deque[Future[Result]] = deque()
    most = 0
    with ThreadPoolExecutor(threads, thread_name_prefix="parallel_map") as pool:
        for item in items:
            check_room_for_thread()  # a pool starts one where all it has are at work
            waiting.append(pool.submit(function, item))
            if len(waiting) > most:
                yield waiting.popleft().result()
                most = threads
        while waiting:
            yield waiting.popleft().result()
