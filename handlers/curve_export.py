"""Put a run's curves where a person looks for them: as a table and as pictures."""

from __future__ import annotations

import csv
import io
import logging
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial

from ignite.engine import Events

from ignite_workflow import Handler, Record, Workflow, draw_curves, figure_bytes

__all__ = ["CurveExport"]

log = logging.getLogger(__name__)

_SECONDS = 30  # between two drawings, at least
_SHARE = 0.01  # of a run's time that drawing may take
_SPLITS = ("train", "val", "test")


@dataclass
class CurveExport(Handler):
    """Write ``curves.csv``, ``curves.svg`` and ``curves.png`` when the run ends, and from time to time before.

    The table has a row for each iteration at which something was recorded and a column ``split/name`` for each curve:
    a spreadsheet plots it as it is (``metrics.jsonl`` has the same numbers one a line, for programs). Nothing that goes
    wrong here ends the training.
    """

    after = ("evaluation", "loss_logging", "lr_schedule")
    observer = True
    needs_directory = True

    def attach(self, workflow: Workflow) -> None:
        self.workflow = workflow
        trainer = workflow.trainer
        trainer.add_event_handler(Events.STARTED, self.start)
        trainer.add_event_handler(Events.EPOCH_COMPLETED, self.export_if_due)
        trainer.add_event_handler(Events.COMPLETED, self.export)
        trainer.add_event_handler(Events.TERMINATE, self.export)
        trainer.add_event_handler(Events.EXCEPTION_RAISED, self.export_after)

    def start(self) -> None:
        self.due = time.monotonic() + _SECONDS

    def export_if_due(self) -> None:
        if time.monotonic() >= self.due:
            self.export()

    def export_after(self, error: BaseException) -> None:
        """A run that failed is one whose curves are wanted; a person who interrupts it is not to wait for them."""
        if isinstance(error, Exception):
            self.export()

    def export(self) -> None:
        started = time.monotonic()
        if self.workflow.records.rows:
            try:
                self.write()
            except Exception as error:  # a full disk, a broken font: whatever it is, the training is worth more
                log.warning("curves not written: %s: %s", type(error).__name__, error)
        now = time.monotonic()
        self.due = now + max(_SECONDS, (now - started) / _SHARE)

    def write(self) -> None:
        workflow, directory = self.workflow, self.workflow.run_directory
        assert directory is not None
        assert workflow.trainer.state.epoch_length is not None
        directory.write("curves.csv", _table(workflow.records))
        figure = draw_curves(
            workflow.records,
            epoch_length=workflow.trainer.state.epoch_length,
            modes=workflow.metric_modes,
            title=directory.path.name,
        )
        directory.write("curves.svg", figure_bytes(figure, "svg"))
        directory.write("curves.png", figure_bytes(figure, "png"))


def _table(records: Iterable[Record]) -> str:
    rows: dict[int, dict[str, float]] = {}
    columns: dict[str, str] = {}  # and the split of each
    for record in records:
        column = f"{record.split}/{record.name}"
        columns[column] = record.split
        row = rows.setdefault(record.iteration, {"iteration": record.iteration, "epoch": record.epoch})
        row[column] = record.value
    header = ["iteration", "epoch", *sorted(columns, key=partial(_place, columns))]
    text = io.StringIO()
    table = csv.DictWriter(text, header, restval="", lineterminator="\n")
    table.writeheader()
    table.writerows(rows.values())
    return text.getvalue()


def _place(splits: Mapping[str, str], column: str) -> int:
    split = splits[column]
    return _SPLITS.index(split) if split in _SPLITS else len(_SPLITS)
