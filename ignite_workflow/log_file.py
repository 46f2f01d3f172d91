"""``log.txt``: what was said during a run, with times."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

__all__ = ["log_file"]


class _LogFile(logging.FileHandler):
    """A log that a full disk cuts short without a word: what matters fails, and says so, by itself."""

    def handleError(self, record: logging.LogRecord) -> None:
        """Say nothing of the disk; what else goes wrong is a mistake in the call, which logging shows."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handleError(record)

    def close(self) -> None:
        """As logging's, but what cannot be flushed is let go."""
        with suppress(OSError):
            super().close()


@contextmanager
def log_file(path: Path) -> Iterator[None]:
    """While this holds, what the library logs, from INFO on, is added to the file with its time."""
    handler = _LogFile(path, encoding="utf-8", errors="backslashreplace")  # names of files may be any bytes
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    package = logging.getLogger("ignite_workflow")
    level = package.level
    package.addHandler(handler)
    package.setLevel(logging.INFO)
    try:
        yield
    finally:
        package.removeHandler(handler)
        package.setLevel(level)
        handler.close()
