"""Something done every few seconds beside the training, however long a step takes."""

from __future__ import annotations

import threading
from collections.abc import Callable

from ignite_workflow.memory import check_room_for_thread

__all__ = ["Ticker"]


class Ticker:
    """Calls a function every ``seconds``, in a thread of its own, from ``start`` to ``stop``.

    A step of training does not wait for it. The function may read counters of the run and call ``request_stop``; it
    runs while the step does, so it must not touch weights, records or the state of handlers.

    Args:
        seconds: between two calls; the first one comes after as many.
        call: takes nothing.
        name: of the thread.
    """

    def __init__(self, seconds: float, call: Callable[[], None], *, name: str) -> None:
        self.seconds, self.call, self.name = seconds, call, name
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin; not while it runs already.

        Raises:
            MemoryError: there is no room for a thread.
        """
        check_room_for_thread()
        self._stopped.clear()
        self._thread = threading.Thread(target=self._run, name=self.name, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End, after the call that is under way. May be called twice, or before ``start``."""
        self._stopped.set()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join()
        self._thread = None

    def _run(self) -> None:
        while not self._stopped.wait(self.seconds):
            self.call()
