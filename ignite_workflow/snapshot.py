"""The whole state of a workflow at a safe point: taken, saved and put back."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from torch import Tensor, nn
from torch.optim import Optimizer

from ignite_workflow.checkpoint import CheckpointStore, load_model_state, model_state
from ignite_workflow.errors import CheckpointError, ConfigError, DivergedError, noted
from ignite_workflow.events import WorkflowEvents
from ignite_workflow.finite import check_weights
from ignite_workflow.state_tree import can_be_saved

if TYPE_CHECKING:
    from ignite_workflow.handler import Handler
    from ignite_workflow.workflow import Workflow

__all__ = ["Saver", "check_handlers", "put_back", "take_snapshot"]

log = logging.getLogger(__name__)


def take_snapshot(workflow: Workflow) -> dict[str, Any]:
    """Everything a resumed run needs: tensors, which are the run's own, and plain values."""
    return {
        "trainer": workflow.trainer.state_dict(),
        "model": model_state(workflow.model),
        "optimizer": {name: optimizer.state_dict() for name, optimizer in _optimizers(workflow).items()},
        "handlers": {name: _state_of(name, handler) for name, handler in workflow.handlers.items()},
        "observers": [name for name, handler in workflow.handlers.items() if handler.observer],
        "records": workflow.records.state_dict(),
    }


def _state_of(name: str, handler: Handler) -> dict[str, Any]:
    with noted(f"state_dict of handler {name}"):
        return handler.state_dict()


def check_handlers(workflow: Workflow, snapshot: Mapping[str, Any]) -> None:
    """Whether the run that is to go on has the handlers that steer it; those that only watch may come and go.

    Raises:
        CheckpointError: names the handlers that one of them has and the other does not.
    """
    steering = {name for name, handler in workflow.handlers.items() if not handler.observer}
    saved = set(snapshot["handlers"])
    missing = sorted(steering - saved) + sorted(saved - set(workflow.handlers) - set(snapshot["observers"]))
    if missing:
        raise CheckpointError(f"the checkpoint and this run do not have the same handlers: {', '.join(missing)}")


def put_back(workflow: Workflow, snapshot: Mapping[str, Any]) -> None:
    """Put the model, the optimizers and the handlers where the snapshot was taken.

    Raises:
        CheckpointError: the model has other weights, or the optimizers are others.
    """
    load_model_state(workflow.model, snapshot["model"])
    optimizers, saved = _optimizers(workflow), snapshot["optimizer"]
    if {name: _shape(optimizer.state_dict()) for name, optimizer in optimizers.items()} != {
        name: _shape(state) for name, state in saved.items()
    }:
        raise CheckpointError("the checkpoint is of a run with another optimizer, or other parameter groups")
    for name, optimizer in optimizers.items():
        optimizer.load_state_dict(saved[name])
    for name, handler in workflow.handlers.items():
        if name in snapshot["handlers"]:
            with noted(f"load_state_dict of handler {name}"):
                handler.load_state_dict(snapshot["handlers"][name])


class Saver:
    """Saves a workflow at its safe points, each state once.

    Args:
        workflow: whose run directory has the checkpoints.

    Raises:
        ConfigError: a weight of the model cannot be saved.
    """

    def __init__(self, workflow: Workflow) -> None:
        self.workflow = workflow
        directory = workflow.run_directory
        if directory is not None:
            _check_weights_can_be_saved(workflow.model)
        self._store = CheckpointStore(directory.checkpoints) if directory is not None else None
        self._moment: Mapping[str, Any] | None = None  # the counters at the last save
        self._last: Future[Path] | None = None
        self.seconds = 0.0  # that the longest save took

    def store(self) -> CheckpointStore:
        """The checkpoints.

        Raises:
            ConfigError: the run has no directory.
        """
        if self._store is None:
            raise ConfigError("checkpoints need a run directory")
        return self._store

    def save(self) -> Path | None:
        """Save now, where called at ``SAFE_POINT``, and return the file; else at the next one."""
        trainer = self.workflow.trainer
        if trainer.last_event_name != WorkflowEvents.SAFE_POINT:
            self.store()
            if not trainer.has_event_handler(self._save_once, WorkflowEvents.SAFE_POINT):
                trainer.add_event_handler(WorkflowEvents.SAFE_POINT, self._save_once)
            return None
        return self.begin().result()

    def begin(self) -> Future[Path]:
        """Save what the run is now, beside the training. Only at ``SAFE_POINT``."""
        store, trainer = self.store(), self.workflow.trainer
        moment = trainer.state_dict()
        if self._last is None or self._moment != moment or _has_failed(self._last):
            started = time.monotonic()
            check_weights(self.workflow.model, _optimizers(self.workflow))
            self._last = store.save_beside(trainer.state.iteration, self.workflow.state_dict(), first=self._records())
            self._last.add_done_callback(partial(self._note_time, started))
            self._moment = moment
        return self._last  # two handlers may find it due at the same safe point

    def _note_time(self, started: float, _: Future[Path]) -> None:
        self.seconds = max(self.seconds, time.monotonic() - started)

    def _records(self) -> Callable[[], None]:
        """Writes the records; returns what puts on disk those the checkpoint counts on, or fails where that failed."""
        records = self.workflow.records
        try:
            records.sync()
        except OSError as error:
            return partial(_fail, error)
        return records.make_durable if records.to_make_durable else _nothing

    def close(self) -> None:
        """Wait for what is being written."""
        if self._store is not None:
            self._store.close()

    def _save_once(self) -> None:
        self.workflow.trainer.remove_event_handler(self._save_once, WorkflowEvents.SAFE_POINT)
        try:
            self.save()
        except (OSError, DivergedError) as error:  # whoever asked for it is no longer there to be told
            log.warning("checkpoint not saved: %s", error)


def _check_weights_can_be_saved(model: nn.Module) -> None:
    for name, value in model.state_dict().items():
        if isinstance(value, Tensor) and not can_be_saved(value):
            raise ConfigError(f"the model's weight {name!r} is of {value.dtype}, which cannot be saved: convert it")


def _fail(error: OSError) -> None:
    raise error


def _nothing() -> None:
    """The checkpoint holds itself what is not on disk."""


def _has_failed(saving: Future[Path]) -> bool:
    return saving.done() and saving.exception() is not None


def _shape(optimizer_state: Mapping[str, Any]) -> list[tuple[list[str], int]]:
    """What tells an optimizer from another: the settings of each parameter group, and how many parameters it has."""
    return [(sorted(group), len(group["params"])) for group in optimizer_state["param_groups"]]


def _optimizers(workflow: Workflow) -> Mapping[str, Optimizer]:
    optimizer = workflow.optimizer
    return optimizer if isinstance(optimizer, Mapping) else {"optimizer": optimizer}
