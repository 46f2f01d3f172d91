"""How much memory and disk a run takes, measured on a short one."""

from __future__ import annotations

import resource
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch

from ignite_workflow.data.cache import default_cache_directory
from ignite_workflow.remarks import Remark
from ignite_workflow.run_data import RunData

__all__ = ["Resources", "format_bytes", "measure_resources"]

_CHECKPOINTS = 3  # the newest two, and the one that is being written


@dataclass(frozen=True, kw_only=True)
class Resources:
    """What a run takes, in bytes.

    Attributes:
        memory: the most that this process has held so far, libraries included; what lies on disk and is mapped counts
            while there is room for it.
        device_memory: the same of the accelerator; 0 where there is none.
        prepared: arrays of the table, in the cache.
        run: checkpoints and model, in the run's directory.
    """

    memory: int
    device_memory: int
    prepared: int
    run: int

    def line(self) -> str:
        """For people."""
        device = f", {format_bytes(self.device_memory)} on the device" if self.device_memory else ""
        cache = f", {format_bytes(self.prepared)} in the cache" if self.prepared else ""
        return f"memory about {format_bytes(self.memory)}{device}; disk {format_bytes(self.run)} in the run{cache}"

    def remarks(self, directory: Path) -> Iterator[Remark]:
        """Whether the disks have room, for a run below ``directory``."""
        for where, needed, setting in (
            (directory, self.run, "--run-dir"),
            (default_cache_directory(), self.prepared, "IGNITE_WORKFLOW_CACHE"),
        ):
            free = shutil.disk_usage(_existing(where)).free
            if needed > free:
                text = f"{where} has {format_bytes(free)} free, the run needs {format_bytes(needed)} there"
                yield Remark("error", f"{text}: make room, or name another place with {setting}.")


def measure_resources(data: RunData, *, parameter_bytes: int, state_bytes: int) -> Resources:
    """What the run takes whose data was prepared, and a batch of it trained, by this process.

    Args:
        data: prepared.
        parameter_bytes: of the model.
        state_bytes: that its optimizer keeps beside them.
    """
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return Resources(
        memory=peak if sys.platform == "darwin" else peak * 1024,
        device_memory=torch.cuda.max_memory_allocated() if torch.cuda.is_available() else 0,
        prepared=sum(part.nbytes for split in data.arrays.values() for part in (split.x, split.y, split.rows)),
        run=_CHECKPOINTS * (parameter_bytes + state_bytes) + parameter_bytes,
    )


def format_bytes(size: float) -> str:
    """A size in the largest unit that has a digit before the point.

    Example:
        >>> [format_bytes(size) for size in (0, 900, 1_400_000, 64e9)]
        ['0 bytes', '900 bytes', '1.4 MB', '64 GB']
    """
    for unit, factor in (("TB", 1e12), ("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if size >= factor:
            value = size / factor
            return f"{value:.1f} {unit}" if value < 10 else f"{value:.0f} {unit}"
    return f"{size:.0f} bytes"


def _existing(path: Path) -> Path:
    path = path.absolute()
    return next(folder for folder in (path, *path.parents) if folder.exists())
