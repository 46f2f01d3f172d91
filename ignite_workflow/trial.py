"""One batch of a run, trained and evaluated: what ``check`` tells of it."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from ignite_workflow.assembly import build_workflow
from ignite_workflow.config import RunConfig
from ignite_workflow.device import set_threads
from ignite_workflow.display import format_number, format_seconds, printable
from ignite_workflow.recipe import complete
from ignite_workflow.run_data import prepare_data
from ignite_workflow.run_directory import RunDirectory

__all__ = ["Trial", "try_out"]

_WRITING_HANDLERS = ("progress", "tensorboard", "curve_export", "checkpointing")


@dataclass(frozen=True, kw_only=True)
class Trial:
    """What one batch showed.

    Attributes:
        task: that the target decides; None where a person's own step knows it.
        classes: their names.
        rows: samples of each split.
        notes: what a person should know of how the data was read.
        model: its name.
        parameters: of the model, those that are trained.
        device: that it ran on.
        batch_size: samples a step.
        steps_per_epoch: at most.
        max_epochs: at most.
        train: the losses of the first batch, before anything was learnt.
        val: the validation metrics on one batch, after that one step.
        seconds_per_step: of the second step: the first one also warms up.
    """

    task: str | None
    classes: tuple[str, ...]
    rows: Mapping[str, int]
    notes: tuple[str, ...]
    model: str
    parameters: int
    device: str
    batch_size: int
    steps_per_epoch: int
    max_epochs: int
    train: Mapping[str, float]
    val: Mapping[str, float]
    seconds_per_step: float

    def lines(self) -> list[str]:
        """For people."""
        splits = ", ".join(f"{split} {rows:,}" for split, rows in self.rows.items())
        kind = f"; {self.task}" if self.task else ""
        classes = f": {', '.join(map(printable, self.classes))}" if self.classes else ""
        epoch = format_seconds(self.seconds_per_step * self.steps_per_epoch)
        train = [f"{name} {format_number(value)}" for name, value in self.train.items()]
        val = [f"val {name} {format_number(value)}" for name, value in self.val.items()]
        return [
            f"data    {splits} rows{kind}{classes}",
            *(f"note    {note}" for note in self.notes),
            f"model   {self.model}, {self.parameters:,} parameters, on {self.device}",
            f"train   at most {self.max_epochs} epochs of {self.steps_per_epoch} steps of {self.batch_size} rows, "
            f"about {epoch} an epoch",
            f"batch   {'  '.join([*train, *val])}",
            "ok: nothing was written",
        ]


def try_out(config: RunConfig) -> Trial:
    """Read the data, build everything, train one batch and evaluate one.

    Raises:
        WorkflowError: whatever would stop the run.
    """
    with tempfile.TemporaryDirectory() as cache:
        data = prepare_data(config.data, seed=config.train.seed, cache_directory=Path(cache))
        config = complete(config, sizes=data.sizes, task=data.target.task if data.target else None)
        set_threads(config.train.threads or 1)
        steps = -(-data.sizes["train"] // (config.train.batch_size or 1))
        short = replace(
            config,
            train=replace(config.train, max_epochs=2, limit_batches=1, workers=0),
            handlers={**config.handlers, **dict.fromkeys(_WRITING_HANDLERS, False)},
        )
        with RunDirectory(Path(cache) / "run") as directory:  # for handlers that write; it goes with the cache
            workflow = build_workflow(short, data, directory)
            started = time.perf_counter()
            workflow.run()
        seconds = workflow.trainer.state.times["EPOCH_COMPLETED"] or time.perf_counter() - started
        first = [row for row in workflow.records if row.epoch == 1 and row.name != "lr"]
        assert config.model is not None
        assert config.model.name is not None
        return Trial(
            task=data.target.task if data.target else None,
            classes=data.target.classes if data.target else (),
            rows=data.sizes,
            notes=data.notes,
            model=config.model.name,
            parameters=sum(p.numel() for p in workflow.model.parameters() if p.requires_grad),
            device=str(workflow.device),
            batch_size=config.train.batch_size or 1,
            steps_per_epoch=steps,
            max_epochs=config.train.max_epochs or 1,
            train={row.name: row.value for row in first if row.split == "train"},
            val={row.name: row.value for row in first if row.split == "val"},
            seconds_per_step=seconds,
        )
