"""How far a table is read: a bar on a terminal; elsewhere one line, for what takes long."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Self

from tqdm import tqdm

from ignite_workflow.data.chunk import Chunk

__all__ = ["Meter"]

_LONG_SECONDS = 10.0
_DELAY_SECONDS = 1.0


class Meter:
    """Counts rows, in one pass after another. To be closed, as a context manager does.

    Args:
        name: of the table.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._started = time.monotonic()
        self._told = sys.stderr.isatty()
        self._bar: _Bar | None = None
        self.start("reading")

    def start(self, what: str, rows: int | None = None) -> None:
        """Begin a pass.

        Args:
            what: is done with the rows.
            rows: how many there will be; None where that is not known yet.
        """
        self.close()
        self._what, self._done, self._rows = what, 0, rows
        self._bar = _Bar(f"{what} {self._name}", rows)

    def count(self, rows: int) -> None:
        """Count rows that are done."""
        self._done += rows
        if self._bar is not None:
            self._bar.update(rows)
        if not self._told and time.monotonic() - self._started > _LONG_SECONDS:
            self._told = True
            of = f" of {self._rows:,}" if self._rows is not None else ""
            self._say(f"{self._what} {self._name}: {self._done:,}{of} rows after {_LONG_SECONDS:.0f} s")

    def go_on(self, rows: int) -> None:
        """Count rows that an earlier start has done, and say so."""
        self._say(f"{self._name}: goes on where an earlier start was stopped: {rows:,} rows read")
        self.count(rows)

    def _say(self, line: str) -> None:
        with suppress(OSError):  # nobody reads it any more
            tqdm.write(line, file=sys.stderr)

    def over(self, chunks: Iterable[Chunk]) -> Iterator[Chunk]:
        """The chunks, their rows counted as they are taken."""
        for chunk in chunks:
            self.count(chunk.frame.height)
            yield chunk

    def close(self) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class _Bar(tqdm):  # type: ignore[type-arg] # generic in its stubs only
    monitor_interval = 0  # no thread that watches: every update looks at the clock

    def __init__(self, description: str, rows: int | None) -> None:
        super().__init__(
            total=rows, desc=description, unit=" rows", unit_scale=True, delay=_DELAY_SECONDS, miniters=1, leave=False,
            dynamic_ncols=True, file=sys.stderr, disable=not sys.stderr.isatty(),
        )  # fmt: skip
