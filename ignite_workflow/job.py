"""The job: from settings to a trained model on disk. What the command line calls, and ``ignite_workflow.train``."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from torch import nn

from ignite_workflow.assembly import build_workflow
from ignite_workflow.coefficients import Coefficients, coefficients
from ignite_workflow.component_options import check_components
from ignite_workflow.config import Component, RunConfig, dump_config, load_config
from ignite_workflow.data.python_data import save_python_data
from ignite_workflow.data_checks import check_data
from ignite_workflow.data_files import FILE_NAME, describe_data_files
from ignite_workflow.device import set_threads
from ignite_workflow.errors import ConfigError, RunDirectoryError, mistaken_at
from ignite_workflow.log_file import log_file
from ignite_workflow.memory import memory_told
from ignite_workflow.model_file import load_model
from ignite_workflow.outcome import finish
from ignite_workflow.predictor import Predictor
from ignite_workflow.recipe import complete
from ignite_workflow.run_data import RunData, prepare_data
from ignite_workflow.run_directory import RunDirectory, new_run_directory, new_run_path
from ignite_workflow.same_run import asks_for_another, check_same_run
from ignite_workflow.settings import Source, placed_mistakes, read_settings
from ignite_workflow.threads import with_threads
from ignite_workflow.workflow import Workflow

__all__ = ["TrainResult", "train"]

log = logging.getLogger(__name__)

_BEFORE = ("before training began", "A smaller model needs less; with more memory the same command goes on")


@dataclass(frozen=True, kw_only=True)
class TrainResult:
    """How a training ended.

    Attributes:
        run: the run's directory.
        status: ``finished``, or ``stopped`` where it can be resumed.
        reason: why it ended.
        exit_code: 0, or what a process that was stopped so exits with.
        epochs: that are done, in all.
        seconds: that this start took.
        metrics: of the trained model by ``split/name``.
        coefficients: of a linear model, in the data's own units: for each output the weight of each feature, and
            ``bias``.
        model: the directory with the trained model; None where the run is not finished.
        was_finished: before this start, which had nothing left to do.
    """

    run: Path
    status: str
    reason: str
    exit_code: int
    epochs: int
    seconds: float
    metrics: Mapping[str, float] = field(default_factory=dict)
    coefficients: Coefficients = field(default_factory=dict)
    model: Path | None = None
    was_finished: bool = False


def train(
    source: Source | Any,
    arguments: Iterable[str] = (),
    *,
    target: str | None = None,
    run_directory: str | Path | None = None,
    name: str | None = None,
    resume: bool = False,
    from_scratch: bool = False,
    from_model: str | Path | None = None,
) -> TrainResult:
    """Train a model and leave everything about it in a run directory.

    Args:
        source: a config file, a data file, settings as a config file would hold them, a ``RunConfig``, or the data
            itself: see ``data.given``.
        arguments: ``KEY=VALUE`` settings that go over those of ``source``.
        target: the column to predict: short for ``data.target=...``.
        run_directory: of the run. None: ``runs/<name>``.
        name: of the run below ``runs``. None: what is trained on, and the time.
        resume: go on with the run that is there, or start it where there is none.
        from_scratch: discard the checkpoints of the run that is there and start it over.
        from_model: a trained model whose weights and schema training starts from.

    Raises:
        WorkflowError: for what a person can put right; its kinds are in ``ignite_workflow.errors``.
    """
    started, source = time.monotonic(), save_python_data(source)
    config = read_settings(source, arguments, target=target)
    path = Path(run_directory) if run_directory is not None else new_run_path(Path("runs"), _what(config), name)
    exists = _holds_run(path, allowed=resume or from_scratch)
    with placed_mistakes(source, arguments, target=target), memory_told(*_BEFORE), ExitStack() as stack:
        check_components(config)
        directory = None
        if exists:  # held from here on, so that a second start is refused at once
            directory = stack.enter_context(RunDirectory(path))
            if not from_scratch and not (path / "config.yaml").exists():
                raise RunDirectoryError(f"{path} has lost its config.yaml: put it back, or start over: --from-scratch")
            finished = None if from_scratch else _finished_result(directory, config, started)
            if finished is not None:
                return finished
            from_model = from_model or directory.read_status().get("from_model")  # the schema is that model's
        trained = load_model(from_model, device="cpu") if from_model is not None else None
        files = None if from_scratch or not exists else describe_data_files(config.data, path)  # before they are read
        config, data = _prepare_run(config, trained)
        if directory is None:
            directory = stack.enter_context(new_run_directory(path))
        stack.enter_context(log_file(directory.path / "log.txt"))
        workflow = _start(config, data, directory, started, resume=resume, from_scratch=from_scratch)
        directory.write(FILE_NAME, files or describe_data_files(config.data))  # whose checksums are known by now
        if trained is not None and workflow.trainer.state.iteration == 0:
            _take_weights(workflow.model, trained)
        origin = None if from_model is None else str(Path(from_model).resolve())
        directory.update_status("running", from_model=origin)
        return _run(workflow, data, directory, started)


def _prepare_run(config: RunConfig, trained: Predictor | None = None) -> tuple[RunConfig, RunData]:
    """Read the data of a run and fill in the settings that were left open, from ``trained`` first of all."""
    if trained is not None:
        config = _as_trained(config, trained)
    data = prepare_data(config.data, seed=config.train.seed, schema=trained.schema if trained else None)
    for note in (*data.notes, *(remark.text for remark in check_data(config.data, data))):
        log.warning("%s", note)
    rows = data.sizes["train"]
    config = complete(config, sizes=data.sizes, target=data.target)
    if (config.train.batch_size or 1) > rows:
        with mistaken_at("train", "batch_size"):
            raise ConfigError(
                f"train.batch_size: {config.train.batch_size} is more than the {rows} samples to train on"
            )
    return config, data


def _as_trained(config: RunConfig, trained: Predictor) -> RunConfig:
    architecture = trained.architecture
    if config.model is None and architecture is not None:
        config = replace(config, model=Component(name=architecture.name, options=dict(architecture.options)))
    if config.data.target is None and trained.target is not None:
        target = trained.target.columns
        config = replace(config, data=replace(config.data, target=target[0] if len(target) == 1 else target))
    return config


def _what(config: RunConfig) -> str:
    """A name for the run: its data's, or that of the Dataset's code."""
    path = config.data.path or config.data.kind.rpartition(":")[2]
    return Path(path if isinstance(path, str) else path[0]).stem


def _holds_run(path: Path, *, allowed: bool) -> bool:
    found = any((path / name).exists() for name in ("config.yaml", "checkpoints", "metrics.jsonl"))
    if found and not allowed:
        raise RunDirectoryError(
            f"{path} holds a run already: go on with --resume, start over with --from-scratch, or use another directory"
        )
    return found


def _start(
    config: RunConfig, data: RunData, directory: RunDirectory, started: float, *, resume: bool, from_scratch: bool
) -> Workflow:
    """The workflow of a run that starts or goes on, its config written."""
    saved = directory.path / "config.yaml"
    before = load_config(saved) if resume and not from_scratch and saved.exists() else None
    config = with_threads(config, data, before)
    set_threads(config.train.threads)
    workflow = build_workflow(config, data, directory, started=started)
    store = workflow.checkpoint_store()
    store.remove_leftovers()
    if from_scratch:
        store.discard()
        directory.skipped_samples.unlink(missing_ok=True)
    elif before is not None:
        check_same_run(before, config, workflow.schedule)
        if workflow.resume():
            log.info("going on from iteration %d", workflow.trainer.state.iteration)
    directory.write("config.yaml", dump_config(config))
    if directory.path.parent.name == "runs":
        directory.point_latest()
    return workflow


def _take_weights(model: nn.Module, trained: Predictor) -> None:
    try:
        model.load_state_dict(trained.model.state_dict())
    except RuntimeError as error:
        reason = " ".join(str(error).split())
        raise ConfigError(f"{trained.directory} does not fit the model of this run: {reason}") from None


def _run(workflow: Workflow, data: RunData, directory: RunDirectory, started: float) -> TrainResult:
    def measure_and_save() -> dict[str, Any]:
        metrics = finish(workflow, data, directory)
        return {"metrics": metrics, "coefficients": coefficients(workflow.model, data.schema, data.target)}

    workflow.run(measure_and_save)
    return _result(directory, directory.status, time.monotonic() - started)


def _finished_result(directory: RunDirectory, config: RunConfig, started: float) -> TrainResult | None:
    """The result of a run that has nothing left to do.

    None where it has, or where settings are other ones, so that they are looked at like those of any run.
    """
    status = directory.read_status()
    if status.get("state") != "finished" or not directory.model.is_dir():
        return None
    asked, most = config.train.max_epochs or status["max_epochs"], status["max_epochs"]
    other_epochs = asked < most or (asked > most and status["epoch"] == most)
    if other_epochs or asks_for_another(load_config(directory.path / "config.yaml"), config):
        return None
    return replace(_result(directory, status, time.monotonic() - started), was_finished=True)


def _result(directory: RunDirectory, status: Mapping[str, Any], seconds: float) -> TrainResult:
    finished = status["state"] == "finished"
    return TrainResult(
        run=directory.path,
        status=status["state"],
        reason=status["reason"],
        exit_code=status["exit_code"],
        epochs=status["epoch"],
        seconds=round(seconds, 2),
        metrics=_numbers(status["metrics"]) if finished else {},
        coefficients={name: _numbers(of) for name, of in status["coefficients"].items()} if finished else {},
        model=directory.model if finished else None,
    )


def _numbers(told: Mapping[str, Any]) -> dict[str, float]:
    """Figures of ``status.json``, where those that are not finite are text."""
    return {name: float(figure) for name, figure in told.items()}
