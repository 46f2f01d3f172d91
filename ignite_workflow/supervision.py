"""What stands around a run: signals are answered, ``status.json`` says how far it is and how it ended."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext, suppress
from typing import TYPE_CHECKING, Any

from ignite_workflow.data.loader import SeekableLoader
from ignite_workflow.data.workers import worker_death
from ignite_workflow.errors import CheckpointError, NotEnoughMemoryError, RunDirectoryError, WorkflowError
from ignite_workflow.memory import out_of_memory
from ignite_workflow.signals import stop_on_signals
from ignite_workflow.state import EvaluationAbandoned

if TYPE_CHECKING:
    from ignite_workflow.records import Record
    from ignite_workflow.run_directory import RunDirectory
    from ignite_workflow.workflow import Workflow

__all__ = ["close_parts", "finish_unless_stopped", "how_it_ended", "progress", "supervised"]

log = logging.getLogger(__name__)


@contextmanager
def supervised(workflow: Workflow) -> Iterator[dict[str, Any]]:
    """While this holds, signals stop ``workflow`` at its next safe point; ``status.json`` says what becomes of it.

    Where the run has no directory there is nothing to save and nowhere to say it: signals do what they always did.

    Yields:
        What ``status.json`` is to say at the end, to be filled in; ``state`` among it.
    """
    directory = workflow.run_directory
    ending: dict[str, Any] = {}
    if directory is None:
        yield ending
        return
    try:
        directory.update_status("running", reason=None, exit_code=None, max_epochs=workflow.max_epochs)
        with stop_on_signals(workflow.trainer):
            yield ending
        _tell_end(directory, {**progress(workflow), **ending})
    except BaseException as raised:
        error = worker_death(raised) or memory_shortage(workflow, raised, at_end="state" in ending) or raised
        failure = {"reason": failure_line(error), "exit_code": exit_code_of(error)}
        if error is not raised:
            log.info("what led to it", exc_info=raised)
        if not isinstance(error, Exception):  # it leaves without a traceback
            log.error("%s", failure["reason"])
        with suppress(RunDirectoryError):  # where the disk is full, the error itself is the one to tell
            directory.update_status("failed", **{**progress(workflow), **failure})
        if error is raised:
            raise
        raise error from raised


def _tell_end(directory: RunDirectory, status: dict[str, Any]) -> None:
    """Write the last ``status.json``. A run that was stopped can be resumed though it says nothing of that.

    Raises:
        CheckpointError: the run is finished, and it cannot be told: its metrics are a part of the result.
    """
    try:
        directory.update_status(**status)
    except RunDirectoryError as error:
        if status["exit_code"] == 0:
            raise CheckpointError(f"{error}; make room and go on with the same command") from error
        log.warning("%s; the run was stopped and can be resumed all the same", error)


def memory_shortage(workflow: Workflow, raised: BaseException, *, at_end: bool) -> NotEnoughMemoryError | None:
    """What to tell where a run is out of memory: when, and what can be done; None where it is not."""
    config, state = workflow.config, workflow.trainer.state
    doing = f"in iteration {state.iteration} (epoch {state.epoch})"
    if notes := getattr(raised, "__notes__", ()):
        doing = notes[0]
    elif at_end:
        doing = "when the splits were measured and the model was saved"
    size = f" (train.batch_size is {config.train.batch_size})" if config is not None else ""
    return out_of_memory(
        raised,
        doing,
        f"Smaller batches{size} or a smaller model need less; with more memory the same command goes on from the last "
        "checkpoint",
    )


def failure_line(error: BaseException) -> str:
    """What went wrong, on one line; of what no user is told about in another way, in which handler and when."""
    line = f"{type(error).__name__}: {error}".splitlines()[0]
    notes = [] if isinstance(error, WorkflowError) else getattr(error, "__notes__", [])
    return f"{line} ({'; '.join(notes)})" if notes else line


def exit_code_of(error: BaseException) -> int:
    """What the process exits with. Never 0: a ``SystemExit`` that asks for that is told to ask for 1."""
    if isinstance(error, SystemExit):
        if not isinstance(error.code, int) or error.code == 0:
            error.code = 1
        return error.code
    return 130 if isinstance(error, KeyboardInterrupt) else getattr(error, "exit_code", 1)


def how_it_ended(workflow: Workflow) -> dict[str, Any]:
    """``state``, ``reason`` and ``exit_code`` of a run that ended without an error."""
    stop = workflow.trainer.stop_request
    if stop is not None and stop.exit_code != 0:
        return {"state": "stopped", "reason": stop.reason, "exit_code": stop.exit_code}
    return {"state": "finished", "reason": stop.reason if stop else "all epochs are done", "exit_code": 0}


def finish_unless_stopped(workflow: Workflow, finish: Callable[[], Mapping[str, Any]]) -> Mapping[str, Any]:
    """Do what is left once nothing is left to train.

    A signal, or a limit of time that is nearly over, breaks an evaluation off: the next start does it.

    Returns:
        What ``finish`` returns; or that the run was stopped.
    """
    trainer = workflow.trainer
    # Early stopping has been honoured; a signal that came with it or after it has not.
    stop, trainer.stop_request = trainer.stop_request, trainer.signalled
    try:
        with trainer.time_limit or nullcontext():
            return finish()
    except EvaluationAbandoned:
        return how_it_ended(workflow)
    finally:
        trainer.stop_request = stop


def progress(workflow: Workflow) -> dict[str, Any]:
    """Epochs and iterations that are done, the best evaluation, and the newest metrics by ``split/name``."""
    trainer, records = workflow.trainer, workflow.records
    newest = {split: records.last(split) for split in ("train", "val")}
    return {
        "epoch": trainer.epochs_done,
        "iteration": trainer.state.iteration,
        "best": _best(workflow),
        "metrics": {f"{split}/{name}": value for split, values in newest.items() for name, value in values.items()},
    }


def _best(workflow: Workflow) -> dict[str, Any] | None:
    """The evaluation with the best value of the metric that weights are selected by; None before there is one."""
    metric, mode = workflow.selection
    sign = -1 if mode == "max" else 1

    def rank(row: Record) -> float:
        return sign * row.value

    rows = [row for row in workflow.records if (row.split, row.name) == ("val", metric) and math.isfinite(row.value)]
    if not rows:
        return None
    best = min(rows, key=rank)  # the first of equal ones, as handlers choose
    return {"metric": metric, "value": best.value, "iteration": best.iteration, "epoch": best.epoch}


def close_parts(workflow: Workflow) -> None:
    """Close every handler, end the loaders' workers and write the records out.

    What fails is logged, since the run itself is over.
    """
    for name, handler in workflow.handlers.items():
        try:
            handler.close()
        except Exception:
            log.exception("handler %s could not be closed", name)
    for loader in (workflow.train_loader, workflow.val_loader):
        if isinstance(loader, SeekableLoader):
            loader.close()
    try:
        workflow.records.sync()
    except OSError as error:
        log.warning("%s cannot be written: %s", workflow.records.path, error.strerror)
