"""Write the run's records for TensorBoard."""

from __future__ import annotations

import logging
import os
import struct
import time
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import Any

from ignite.engine import Events
from tensorboardX.proto.event_pb2 import Event, SessionLog
from tensorboardX.proto.summary_pb2 import Summary
from tensorboardX.record_writer import masked_crc32c

from ignite_workflow import Handler, Record, Workflow, printable

__all__ = ["TensorBoard"]

log = logging.getLogger(__name__)

_PREFIX = "events.out.tfevents."
_RETRY_SECONDS = 30


@dataclass
class TensorBoard(Handler):
    """Write every record as a scalar ``split/name`` into the run's directory, an epoch at a time.

    ``tensorboard --logdir runs`` shows them. A resumed run begins a file of its own, which tells TensorBoard to forget
    what the broken one had written beyond its last checkpoint: each point stands once. A write that fails (a full disk)
    is a warning and is tried again.

    The files are written here, not by tensorboardX's ``SummaryWriter``: its queue and thread cost more than the records
    do, and block the training for good once a write fails.
    """

    after = ("evaluation", "loss_logging", "lr_schedule")
    observer = True
    needs_directory = True

    def __post_init__(self) -> None:
        self.path: Path | None = None  # of the events of this start
        self.size = 0  # of that file, in whole events
        self.forget_from = 0  # the iteration from which on earlier files do not count
        self.written = 0  # records
        self.retry_at = 0.0

    def attach(self, workflow: Workflow) -> None:
        self.workflow = workflow
        workflow.trainer.add_event_handler(Events.EPOCH_COMPLETED, self.write_if_possible)

    def write_if_possible(self) -> None:
        if time.monotonic() >= self.retry_at:
            self.write()

    def write(self) -> None:
        rows = self.workflow.records.rows
        events = b"".join(map(_frame, _scalars(rows[self.written :])))
        if not events:
            return
        if self.path is None:
            self.path, self.size = self.new_path(), 0
        if self.size == 0:
            events = b"".join(map(_frame, _beginning(self.forget_from))) + events
        try:
            with self.path.open("ab") as file:
                file.write(events)
        except OSError as error:
            self.retry_at = time.monotonic() + _RETRY_SECONDS
            log.warning("nothing written for TensorBoard: %s; next try in %d s", error, _RETRY_SECONDS)
            with suppress(OSError):
                os.truncate(self.path, self.size)  # half an event would hide all that follow
            return
        self.size += len(events)
        self.written = len(rows)

    def new_path(self) -> Path:
        """Files are read in the order of their names."""
        directory = self.workflow.run_directory
        assert directory is not None
        numbers = [int(path.suffix[1:]) for path in directory.path.glob(f"{_PREFIX}*") if path.suffix[1:].isdigit()]
        return directory.path / f"{_PREFIX}{max(numbers, default=0) + 1:06d}"

    def close(self) -> None:
        self.write()

    def state_dict(self) -> dict[str, Any]:
        return {"written": self.written}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        rows, iteration = self.workflow.records.rows, self.workflow.trainer.state.iteration
        unwritten = rows[state_dict["written"] :]
        self.path = None
        self.forget_from = min([iteration, *(row.iteration for row in unwritten[:1])])
        self.written = bisect_left(rows, self.forget_from, key=attrgetter("iteration"))


def _beginning(forget_from: int) -> Iterator[Event]:
    now = time.time()
    yield Event(wall_time=now, file_version="brain.Event:2")
    yield Event(wall_time=now, step=forget_from, session_log=SessionLog(status=SessionLog.START))


def _scalars(rows: Iterable[Record]) -> Iterator[Event]:
    now = time.time()
    for iteration, measured in groupby(rows, key=attrgetter("iteration")):
        values = [Summary.Value(tag=printable(f"{row.split}/{row.name}"), simple_value=row.value) for row in measured]
        yield Event(wall_time=now, step=iteration, summary=Summary(value=values))


def _frame(event: Event) -> bytes:
    """A record of TensorFlow's file format: length, its checksum, content, its checksum.

    Source: the TFRecord format, https://www.tensorflow.org/tutorials/load_data/tfrecord.
    """
    content: bytes = event.SerializeToString()
    length = struct.pack("<Q", len(content))
    return length + struct.pack("<I", masked_crc32c(length)) + content + struct.pack("<I", masked_crc32c(content))
