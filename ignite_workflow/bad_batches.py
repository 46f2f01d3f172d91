"""Batches at which training diverged: kept in the run directory with the weights they met, to be run again."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from torch import nn

from ignite_workflow.checkpoint import model_state
from ignite_workflow.durable import sync_directory
from ignite_workflow.errors import CheckpointError
from ignite_workflow.tensor_file import read_tensor_file, write_tensor_file

__all__ = ["find_bad_batch", "load_bad_batch", "save_bad_batch"]

_FOLDER = "bad_batches"
_KIND = "ignite-workflow bad batch"
_FORMAT = 1
_KEPT = 3  # files: each holds all weights
_NAME = re.compile(r"iteration-(\d{8,})\.tensors")


def save_bad_batch(run: Path, model: nn.Module, batches: Sequence[tuple[int, Any]], facts: Mapping[str, Any]) -> Path:
    """Keep the batches of a step; the file is on disk when this returns. Of more than three the oldest go.

    Args:
        run: the run's directory.
        model: with the weights that the batches met.
        batches: with the iteration of each.
        facts: what else is known: plain values.

    Raises:
        OSError: it could not be written.
        TypeError: a batch holds something else than tensors and plain values.
    """
    folder = run / _FOLDER
    folder.mkdir(exist_ok=True)
    iteration = batches[-1][0]
    path, temporary = folder / f"iteration-{iteration:08}.tensors", folder / "unfinished.tmp"
    tree = {"format": _FORMAT, "batches": list(batches), "model": model_state(model), **facts}
    try:
        write_tensor_file(temporary, tree, _KIND)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
    for old in _iterations(folder)[:-_KEPT]:
        (folder / f"iteration-{old:08}.tensors").unlink()
    sync_directory(folder)
    return path


def find_bad_batch(run: Path, iteration: int | None = None) -> Path:
    """The file of the batch of that iteration; None: the newest.

    Raises:
        CheckpointError: there is none.
    """
    there = _iterations(run / _FOLDER)
    if not there:
        raise CheckpointError(f"{run} keeps no batch at which training diverged")
    if iteration is not None and iteration not in there:
        raise CheckpointError(f"{run} keeps no batch of iteration {iteration}; there are: {', '.join(map(str, there))}")
    return run / _FOLDER / f"iteration-{there[-1] if iteration is None else iteration:08}.tensors"


def load_bad_batch(path: Path) -> dict[str, Any]:
    """What ``save_bad_batch`` wrote: ``batches``, ``model`` and the facts.

    Raises:
        CheckpointError: the file is missing, damaged, or of another format.
    """
    tree = read_tensor_file(path, _KIND)
    if tree["format"] != _FORMAT:
        raise CheckpointError(f"{path} has format {tree['format']}; this version reads {_FORMAT}")
    return tree


def _iterations(folder: Path) -> list[int]:
    if not folder.is_dir():
        return []
    return sorted(int(match[1]) for name in os.listdir(folder) if (match := _NAME.fullmatch(name)))
