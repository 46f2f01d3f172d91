"""The checkpoints of a run: a kill or a power cut at any instant leaves a good one; none is read that is not whole."""

from __future__ import annotations

import logging
import os
import re
from bisect import insort
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from torch import nn

from ignite_workflow.durable import sync_directory
from ignite_workflow.errors import CheckpointError
from ignite_workflow.memory import check_room_for_thread
from ignite_workflow.tensor_file import read_tensor_file, tensor_file_parts, write_parts

__all__ = ["CheckpointStore", "load_model_state", "model_state"]

log = logging.getLogger(__name__)

_KIND = "ignite-workflow checkpoint"
_FORMAT = 4
_BESIDE_BYTES = 1024 * 1024  # less is written in a millisecond: a thread costs more than it spares
_NAME = re.compile(r"step-(\d{8,})\.ckpt")


class CheckpointStore:
    """The checkpoints in a directory, one a step, named ``step-00001500.ckpt``.

    Args:
        directory: created when the first one is saved.

    Attributes:
        size: bytes of the state that was saved last, or was to be.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._temporary = f"{directory}/unfinished.tmp"
        self._kept: dict[int, tuple[int, ...]] = {}
        self._present: list[int] | None = None  # the steps there is a file for, oldest first, where they were listed
        self.size = 0
        self._copy = np.empty(0, np.uint8)  # of the state that is being written, used again by the next one
        self._writer: ThreadPoolExecutor | None = None
        self._writing: Future[Path] | None = None

    def path(self, step: int) -> Path:
        """Where the checkpoint of that iteration lies."""
        return Path(self._name(step))

    def _name(self, step: int) -> str:
        return f"{self.directory}/step-{step:08}.ckpt"

    def steps(self) -> list[int]:
        """The iterations there is a file for, oldest first."""
        if not self.directory.is_dir():
            return []
        return sorted(int(match[1]) for name in os.listdir(self.directory) if (match := _NAME.fullmatch(name)))

    def save(self, step: int, state: dict[str, Any]) -> Path:
        """Write a checkpoint; it is on disk, under its name, when this returns.

        Args:
            step: the iteration.
            state: nested dicts, lists and tuples of tensors and plain values.

        Raises:
            OSError: it could not be written; what was there before still is.
            TypeError: the state holds something else.
        """
        return self._write(step, self._parts(state))

    def save_beside(self, step: int, state: dict[str, Any], *, first: Callable[[], None]) -> Future[Path]:
        """Copy a state, and write it while the training goes on; a small one is written at once.

        There is at most one at a time: a second call waits for the first one's end.

        Args:
            step: the iteration.
            state: as above; may change as soon as this returns.
            first: called before anything is written, in the thread that writes.

        Returns:
            What ``save`` would have returned or raised.

        Raises:
            TypeError: as ``save``.
            MemoryError: there is no room for the copy, or for the thread that writes.
        """
        parts = self._parts(state)
        if self.size <= _BESIDE_BYTES:
            self._writing = _done(self._write, step, parts, first)
        else:
            if self._writer is None:
                check_room_for_thread()
                self._writer = ThreadPoolExecutor(1, "checkpoint")
            self._writing = self._writer.submit(self._write, step, [self._copied(parts)], first)
        return self._writing

    def finish(self) -> None:
        """Wait until nothing is being written."""
        if self._writing is not None and not self._writing.done():
            wait([self._writing])

    def close(self) -> None:
        """Wait until nothing is being written, and let thread, memory and temporary file go: a save takes new ones."""
        self.finish()
        if self._writer is not None:
            self._writer.shutdown()
            self._writer, self._copy = None, np.empty(0, np.uint8)
        self.remove_leftovers()

    def _parts(self, state: dict[str, Any]) -> Sequence[bytes | memoryview]:
        self.finish()
        parts = tensor_file_parts({"format": _FORMAT, **state}, _KIND)
        self.size = sum(map(len, parts))
        return parts

    def _copied(self, parts: Sequence[bytes | memoryview]) -> memoryview:
        if len(self._copy) < self.size:
            self._copy = np.empty(0, np.uint8)  # or there were both for a moment
            self._copy = np.empty(self.size, np.uint8)
        end = 0
        for part in parts:
            start, end = end, end + len(part)
            self._copy[start:end] = np.frombuffer(part, np.uint8)
        return self._copy[: self.size].data

    def _write(self, step: int, parts: Sequence[bytes | memoryview], first: Callable[[], None] | None = None) -> Path:
        if first is not None:
            first()
        if not os.path.isdir(self.directory):
            self.directory.mkdir()
            sync_directory(self.directory.parent)
        try:
            write_parts(self._temporary, parts)
        except BaseException:
            self.remove_leftovers()
            raise
        name = self._name(step)
        try:
            os.replace(self._temporary, name)
        except IsADirectoryError:  # somebody else's: a file cannot take its place
            os.rename(name, f"{name}.set-aside")
            os.replace(self._temporary, name)
        sync_directory(self.directory)
        if self._present is not None and step not in self._present:
            insort(self._present, step)
        return Path(name)

    def keep(self, owner: object, steps: Iterable[int]) -> None:
        """Say which checkpoints ``owner`` needs; ``prune`` deletes those that no owner does."""
        self._kept[id(owner)] = tuple(steps)

    def prune(self) -> None:
        """Delete the checkpoints nobody keeps; never the newest one.

        The last of them becomes the file that the next save writes over: half the cost of a save is making and deleting
        files. The room it takes is that which the next save needs anyway.
        """
        if self._present is None:
            self._present = [step for step in self.steps() if not self.path(step).is_dir()]
        kept = {step for steps in self._kept.values() for step in steps}
        for step in self._present[:-1]:
            if step not in kept:
                with suppress(FileNotFoundError):  # somebody else deleted it
                    self._let_go(self._name(step))
                self._present.remove(step)

    def _let_go(self, name: str) -> None:
        # A link to it may be somebody's backup; and what is being written must not be taken away.
        if os.stat(name).st_nlink == 1 and self._is_idle():
            os.replace(name, self._temporary)
        else:
            os.unlink(name)

    def _is_idle(self) -> bool:
        return self._writing is None or self._writing.done()

    def remove_leftovers(self) -> None:
        """Delete the unfinished file of a killed write, or the one that waits to be written over."""
        Path(self._temporary).unlink(missing_ok=True)

    def load(self, step: int) -> dict[str, Any]:
        """The state saved at that iteration.

        Raises:
            CheckpointError: the file is missing, damaged, or of another format.
        """
        path = self.path(step)
        state = read_tensor_file(path, _KIND)
        if state["format"] != _FORMAT:
            raise CheckpointError(f"{path} has format {state['format']}; this version reads {_FORMAT}")
        return state

    def load_newest(self) -> dict[str, Any] | None:
        """The newest state that is whole; None where there is no checkpoint at all.

        A damaged file is named in a warning and the one before it is taken.

        Raises:
            CheckpointError: there are checkpoints and none of them can be used.
        """
        steps = self.steps()
        for step in reversed(steps):
            try:
                return self.load(step)
            except CheckpointError as error:
                log.warning("%s; going back to the checkpoint before it", error)
        if steps:
            raise CheckpointError(
                f"none of the {len(steps)} checkpoints in {self.directory} can be read; "
                "start over with --from-scratch, which discards them"
            )
        return None

    def discard(self) -> None:
        """Delete every checkpoint: the run starts over."""
        for step in self.steps():
            if not self.path(step).is_dir():
                self.path(step).unlink()
        self._present = None
        self.remove_leftovers()


def _done(function: Callable[..., Path], *args: Any) -> Future[Path]:
    """A future of what has been done already."""
    future: Future[Path] = Future()
    try:
        future.set_result(function(*args))
    except OSError as error:
        future.set_exception(error)
    return future


def model_state(model: nn.Module) -> dict[str, Any]:
    """A model's weights and buffers, and which of its parameters are frozen and which modules in ``eval()`` mode.

    The tensors are the model's own, not copies.
    """
    return {
        "weights": dict(model.state_dict()),
        "frozen": [name for name, parameter in model.named_parameters() if not parameter.requires_grad],
        "in_eval_mode": [name for name, module in model.named_modules() if not module.training],
    }


def load_model_state(model: nn.Module, state: Mapping[str, Any]) -> None:
    """Put back what ``model_state`` gave.

    Raises:
        CheckpointError: the model has other weights.
    """
    try:
        model.load_state_dict(state["weights"])
    except RuntimeError as error:
        raise CheckpointError(f"the checkpoint does not fit the model: {' '.join(str(error).split())}") from error
    frozen, in_eval_mode = set(state["frozen"]), set(state["in_eval_mode"])
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(name not in frozen)
    for name, module in model.named_modules():
        module.training = name not in in_eval_mode
