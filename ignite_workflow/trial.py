"""A run tried out without a trace: what ``check`` tells of it."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from ignite_workflow.assembly import build_loader, build_workflow
from ignite_workflow.component_options import check_components
from ignite_workflow.config import RunConfig
from ignite_workflow.data_checks import check_data
from ignite_workflow.device import set_threads
from ignite_workflow.display import format_number, format_seconds, printable
from ignite_workflow.model_checks import ModelCheck, check_model
from ignite_workflow.pace import Pace
from ignite_workflow.recipe import complete
from ignite_workflow.remarks import Remark
from ignite_workflow.resources import Resources, measure_resources
from ignite_workflow.run_data import RunData, prepare_data
from ignite_workflow.run_directory import RunDirectory
from ignite_workflow.workflow import Workflow

__all__ = ["Trial", "try_out"]

_WRITING_HANDLERS = ("progress", "tensorboard", "curve_export", "checkpointing")
_BATCHES = 4  # a step after the first, which warms up, says how long steps take
_MOST_CLASSES = 20


@dataclass(frozen=True, kw_only=True)
class Trial:
    """What a few batches showed.

    Attributes:
        task: that the target decides; None where a person's own step knows it.
        classes: their names.
        rows: samples of each split.
        notes: what was guessed about the files.
        model: its name.
        parameters: of the model, those that are trained.
        device: that it ran on.
        batch_size: samples a step.
        steps_per_epoch: at most.
        max_epochs: at most.
        train: the mean losses of the first batches.
        val: the validation metrics on a few batches, after those steps.
        seconds_per_step: of steps that are warmed up.
        seconds_per_epoch: the evaluation of the validation split included.
        model_check: how the model started and learnt a few rows by heart; None where a person's own step trains.
        resources: memory and disk.
        remarks: what was found, errors first.
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
    seconds_per_epoch: float
    model_check: ModelCheck | None
    resources: Resources
    remarks: tuple[Remark, ...]

    @property
    def passed(self) -> bool:
        """Whether nothing was found that would ruin the run."""
        return all(remark.level != "error" for remark in self.remarks)

    def lines(self) -> list[str]:
        """For people."""
        splits = ", ".join(f"{split} {rows:,}" for split, rows in self.rows.items())
        kind = f"; {self.task}" if self.task else ""
        more = f" and {len(self.classes) - _MOST_CLASSES} more" if len(self.classes) > _MOST_CLASSES else ""
        classes = f": {', '.join(map(printable, self.classes[:_MOST_CLASSES]))}{more}" if self.classes else ""
        epoch, longest = (format_seconds(self.seconds_per_epoch * epochs) for epochs in (1, self.max_epochs))
        train = [f"{name} {format_number(value)}" for name, value in self.train.items()]
        val = [f"val {name} {format_number(value)}" for name, value in self.val.items()]
        return [
            f"data    {splits} rows{kind}{classes}",
            *(f"read    {note}" for note in self.notes),
            f"model   {self.model}, {self.parameters:,} parameters, on {self.device}",
            f"train   at most {self.max_epochs} epochs of {self.steps_per_epoch} steps of {self.batch_size} rows, "
            f"about {epoch} an epoch, {longest} in all",
            f"needs   {self.resources.line()}",
            *self._model_lines(),
            f"tried   {'  '.join([*train, *val])}",
            *(remark.line() for remark in self.remarks),
            f"{self._verdict()}: nothing was written",
        ]

    def _model_lines(self) -> list[str]:
        if self.model_check is None:
            return []
        found = self.model_check
        return [
            f"start   loss {format_number(found.loss)}, of a model that knows nothing {format_number(found.expected)}",
            f"heart   loss of the same {found.rows} rows {format_number(found.before)} to {format_number(found.after)} "
            f"in {found.steps} steps",
        ]

    def _verdict(self) -> str:
        levels = [remark.level for remark in self.remarks]
        counts = [(level, levels.count(level)) for level in ("error", "warning") if level in levels]
        return ", ".join(f"{count} {level}{'s' * (count > 1)}" for level, count in counts) or "ok"


def try_out(config: RunConfig) -> Trial:
    """Read the data, look for what is wrong with it, build everything, train and evaluate a few batches.

    Raises:
        WorkflowError: whatever would stop the run.
    """
    check_components(config)
    with tempfile.TemporaryDirectory() as cache:
        data = prepare_data(config.data, seed=config.train.seed, cache_directory=Path(cache))
        config = complete(config, sizes=data.sizes, target=data.target)
        set_threads(config.train.threads or 1)
        remarks = [*check_data(config.data, data)]
        with RunDirectory(Path(cache) / "run") as directory:  # for handlers that write; it goes with the cache
            model_check = check_model(config, data, directory)
            workflow, pace = _run(config, data, directory)
            remarks += _bad_sample_remarks(directory)
        bytes_of = [parameter.nbytes for parameter in workflow.model.state_dict().values()]
        state_bytes = model_check.state_bytes if model_check is not None else 2 * sum(bytes_of)
        resources = measure_resources(data, parameter_bytes=sum(bytes_of), state_bytes=state_bytes)
        remarks += [*(model_check.remarks if model_check is not None else ()), *resources.remarks(Path("runs"))]
        return _trial(config, data, workflow, pace, model_check, resources, remarks)


def _run(config: RunConfig, data: RunData, directory: RunDirectory) -> tuple[Workflow, dict[str, Pace]]:
    short = replace(
        config,
        train=replace(config.train, max_epochs=2, limit_batches=_BATCHES, workers=0),
        handlers={**config.handlers, **dict.fromkeys(_WRITING_HANDLERS, False)},
    )
    workflow = build_workflow(short, data, directory)
    pace = {"train": Pace(workflow.trainer), "val": Pace(workflow.evaluator)}
    workflow.run()
    return workflow, pace


def _bad_sample_remarks(directory: RunDirectory) -> Iterator[Remark]:
    """Of a Dataset: what was skipped."""
    file = directory.skipped_samples
    found = [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []
    if found:
        some = f"{len(found)} samples" if len(found) > 1 else "a sample"
        first = f"{found[0]['row']} of {found[0]['split']}: {found[0]['reason']}"
        yield Remark(
            "warning",
            f"{some} of the few that were tried cannot be made ({first}): mend or remove them; as data.on_bad_sample "
            "says, the run skips such samples, and lists them in skipped_samples.jsonl.",
        )


def _trial(
    config: RunConfig,
    data: RunData,
    workflow: Workflow,
    pace: Mapping[str, Pace],
    model_check: ModelCheck | None,
    resources: Resources,
    remarks: list[Remark],
) -> Trial:
    batch_size = config.train.batch_size or 1
    batches = {split: _batches(config, data, split) for split in ("train", "val")}
    per_step, per_evaluation = (pace[split].seconds(config.train.workers) for split in ("train", "val"))
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
        batch_size=batch_size,
        steps_per_epoch=batches["train"],
        max_epochs=config.train.max_epochs or 1,
        train={row.name: row.value for row in first if row.split == "train"},
        val={row.name: row.value for row in first if row.split == "val"},
        seconds_per_step=per_step,
        seconds_per_epoch=per_step * batches["train"] + per_evaluation * batches["val"],
        model_check=model_check,
        resources=resources,
        remarks=tuple(sorted(remarks, key=_severity)),
    )


def _batches(config: RunConfig, data: RunData, split: str) -> int:
    """The batches an epoch of that split has in the run, which makes them in workers perhaps."""
    loader = build_loader(replace(config, train=replace(config.train, workers=0)), data, None, split, None)
    return len(loader) if loader is not None else 0


def _severity(remark: Remark) -> int:
    return ("error", "warning", "note").index(remark.level)
