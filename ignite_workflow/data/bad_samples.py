"""Samples that cannot be made: told on one line, or skipped, the same ones whenever the run goes on."""

from __future__ import annotations

import json
import logging
import os
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

from ignite_workflow.errors import DataError

__all__ = ["BadSample", "BatchWithBad", "SkippedSamples", "bad_sample", "refuse"]

log = logging.getLogger(__name__)

_TOLD = 5  # skipped samples that get a line each


class BadSample(NamedTuple):
    """A sample that could not be made.

    Attributes:
        number: in the split.
        row: in the whole data set.
        dataset: the name of its class.
        reason: the exception, on one line; those of files name the file.
        trace: its traceback.
    """

    number: int
    row: int
    dataset: str
    reason: str
    trace: str


def bad_sample(dataset: Any, index: int, row: int, error: Exception) -> BadSample:
    """The sample of that dataset, or part of one, that an exception was raised for."""
    whole = getattr(dataset, "dataset", dataset)
    reason = " ".join(f"{type(error).__name__}: {error}".split())
    return BadSample(index, row, type(whole).__name__, reason, "".join(traceback.format_exception(error)))


class BatchWithBad(NamedTuple):
    """What comes instead of a batch some of whose samples could not be made.

    Attributes:
        batch: of the others; None where there is none, or where such a batch is not wanted.
        bad: those that could not be made.
    """

    batch: Any
    bad: Sequence[BadSample]


def refuse(bad: Sequence[BadSample], *, skipping: bool) -> NoReturn:
    """End the run for the samples of a batch that could not be made.

    Raises:
        DataError: names the first of them, and why.
    """
    start = "a batch has no sample left" if skipping else "a sample cannot be made"
    if not bad:
        raise DataError(f"{start}: all of its samples were skipped before")
    log.info("%s", bad[0].trace)
    count = f" (and {len(bad) - 1} more)" if len(bad) > 1 else ""
    raise DataError(f"{start}: sample {bad[0].row} of {bad[0].dataset}{count}: {bad[0].reason}")


class SkippedSamples:
    """The samples of a split that a run does without, a line of JSON each in a file that is on disk at once.

    A sample that could not be made in one epoch is not tried again in later ones: nor when the run goes on, so that it
    meets the same samples though the reason may have gone.

    Args:
        file: of the run; need not exist. None: they are not kept.
        split: train, val or test.
    """

    def __init__(self, file: Path | None, split: str) -> None:
        self.file, self.split = file, split
        self.epochs: dict[int, int] = {}  # in which each sample was found
        self.found: list[BadSample] = []  # by this process, without their traces
        for line in file.read_text().splitlines() if file is not None and file.exists() else ():
            if line.endswith("}"):  # the last one may be cut
                entry = json.loads(line)
                if entry["split"] == split:
                    self.epochs[entry["index"]] = entry["epoch"]

    def until(self, epoch: int) -> frozenset[int]:
        """The samples that are left out of that epoch from its start."""
        return frozenset(index for index, found in self.epochs.items() if found <= epoch)

    def add(self, epoch: int, bad: BadSample) -> None:
        """Note a sample that was found in that epoch.

        Raises:
            OSError: the file cannot be written.
        """
        if bad.number in self.epochs:
            return
        self.epochs[bad.number] = epoch
        self.found.append(bad._replace(trace=""))
        if self.file is not None:
            facts = {"split": self.split, "epoch": epoch, "index": bad.number, "row": bad.row, "reason": bad.reason}
            _append(self.file, f"{json.dumps(facts)}\n")
        if len(self.epochs) <= _TOLD:
            log.warning("skipped: sample %d of %s (%s): %s", bad.row, bad.dataset, self.split, bad.reason)
        if len(self.epochs) == _TOLD + 1:
            where = f"listed in {self.file.name} only" if self.file is not None else "not listed here"
            log.warning("further samples of the %s split that are skipped are %s", self.split, where)


def _append(file: Path, line: str) -> None:
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o666)
    try:
        os.write(descriptor, line.encode())
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
