"""Signals become stop requests: the first finishes the step and saves, the second leaves at once."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from ignite_workflow.early_signals import EXIT_CODES, received
from ignite_workflow.engine import WorkflowEngine
from ignite_workflow.state import StopRequest

__all__ = ["stop_on_signals"]


@contextmanager
def stop_on_signals(trainer: WorkflowEngine) -> Iterator[None]:
    """While this holds, SIGINT, SIGTERM, SIGHUP and SIGUSR1 stop ``trainer`` at its next safe point.

    A second one ends the process there and then, with the exit code of that signal; what was saved before stays whole.
    What is ignored stays so: who started the process with ``nohup`` wants it to outlive SIGHUP. The handlers that were
    there before are put back afterwards. Does nothing outside the main thread, where Python allows no handlers.
    """

    came: list[int] = []
    trainer.signalled = None  # one that stopped a run before this one is answered

    def stop(number: int, _: FrameType | None) -> None:
        code = EXIT_CODES[signal.Signals(number)]
        if came:
            os._exit(code)
        came.append(number)
        trainer.signalled = StopRequest(f"{signal.Signals(number).name} received", code)
        trainer.request_stop(trainer.signalled.reason, code)

    heeded = [number for number in EXIT_CODES if signal.getsignal(number) != signal.SIG_IGN]
    try:
        before = {number: signal.signal(number, stop) for number in heeded}
    except ValueError:
        yield
        return
    try:
        if (earlier := received()) is not None:
            stop(earlier, None)
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
