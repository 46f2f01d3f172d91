"""Work done ahead of whoever takes its results, in threads: files, polars and NumPy let Python go while they work."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

__all__ = ["ahead", "map_ahead"]

_MOST_THREADS = 8  # more only hold more of a table in memory: what is made of their results is made by one thread

Item = TypeVar("Item")
Result = TypeVar("Result")


def ahead(items: Iterable[Item], *, count: int = 2) -> Iterator[Item]:
    """The items in their order, made by another thread, which is up to ``count`` of them ahead.

    An exception in making an item is raised where that item would be.
    """
    source, end = iter(items), object()
    with ThreadPoolExecutor(1, thread_name_prefix="ahead") as thread:
        made = deque(thread.submit(next, source, end) for _ in range(count))
        while (item := made.popleft().result()) is not end:
            made.append(thread.submit(next, source, end))
            yield item  # type: ignore[misc]  # it is not the end


def map_ahead(function: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
    """``function`` of each item, in the order of the items, in as many threads as there are processors.

    Args:
        function: runs in several threads at once, each with an item of its own.
        items: taken one by one, a few ahead.
    """
    threads = min(_MOST_THREADS, os.cpu_count() or 1)
    waiting: deque[Future[Result]] = deque()
    with ThreadPoolExecutor(threads, thread_name_prefix="ahead") as pool:
        for item in items:
            waiting.append(pool.submit(function, item))
            if len(waiting) > threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
