"""Signals before there is a training that could be stopped at a safe point: one line, and the exit code of the signal.

Imports next to nothing: the command line calls this first of all, and importing torch takes seconds.
"""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from types import FrameType

__all__ = ["EXIT_CODES", "REQUEUE", "answer_signals", "received"]

REQUEUE = 75  # EX_TEMPFAIL of sysexits.h: stopped, can be resumed, please start again

EXIT_CODES = {signal.SIGHUP: 129, signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGUSR1: REQUEUE}

_received: list[int] = []


def answer_signals() -> None:
    """Have SIGINT, SIGTERM, SIGHUP and SIGUSR1 end this process, until a training answers them in its own way.

    The first one raises ``SystemExit``, so that what is half made is tidied away; the second one leaves at once. So
    does the first where a module is being imported: the start-up code of extension modules makes other errors of an
    exception. What is ignored stays so, as under ``nohup``.
    """
    process = os.getpid()

    def leave(number: int, frame: FrameType | None) -> None:
        code = EXIT_CODES[signal.Signals(number)]
        if os.getpid() != process:  # a child that was forked: its parent speaks
            os._exit(code)
        again = bool(_received)
        _received.append(number)
        with suppress(OSError):  # the terminal may be gone
            os.write(2, f"Stopped by {signal.Signals(number).name}.\n".encode())
        if again or _is_importing(frame):
            os._exit(code)
        raise SystemExit(code)

    for number in EXIT_CODES:
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, leave)


def received() -> int | None:
    """The signal that came, where the exception it raised has been swallowed: in a ``__del__``, for one."""
    return _received[0] if _received else None


def _is_importing(frame: FrameType | None) -> bool:
    while frame is not None:
        if frame.f_code.co_filename == "<frozen importlib._bootstrap>":
            return True
        frame = frame.f_back
    return False
