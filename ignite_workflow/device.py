"""Where and in what precision a run computes, and on whose word several processes act."""

from __future__ import annotations

import functools
import os
import shutil
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Literal

import torch

from ignite_workflow.errors import ConfigError

__all__ = ["ALL_THREADS", "agree", "autocast", "check_compiler", "process_rank", "resolve_device", "set_threads"]

ALL_THREADS = torch.get_num_threads()
"""The threads torch computes on unless it is told otherwise: one for each core, or what OMP_NUM_THREADS says."""

_NOTHING = nullcontext()


def resolve_device(name: str) -> torch.device:
    """The device of that name, with its number where it is an accelerator (as tensors name theirs).

    Args:
        name: "auto" for the accelerator if there is one, else the CPU; or as torch writes it: "cpu", "cuda", "cuda:1".

    Raises:
        ConfigError: there is no such device on this machine.

    Example:
        >>> resolve_device("cpu")
        device(type='cpu')
    """
    accelerator = torch.accelerator.current_accelerator(check_available=True)
    if name == "auto":
        device = accelerator or torch.device("cpu")
    else:
        try:
            device = torch.device(name)
        except RuntimeError:
            raise ConfigError(f"device {name!r} is not one that torch knows. Here: {_devices()}.") from None
    if device.type == "cpu" and not device.index:
        return torch.device("cpu")
    if (
        accelerator is None
        or device.type != accelerator.type
        or (device.index or 0) >= torch.accelerator.device_count()
    ):
        raise ConfigError(f"device {name!r} is not on this machine. Here: {_devices()}.")
    return torch.device(device.type, torch.accelerator.current_device_index() if device.index is None else device.index)


def _devices() -> str:
    accelerator = torch.accelerator.current_accelerator(check_available=True)
    numbers = range(torch.accelerator.device_count() if accelerator else 0)
    return ", ".join(["auto", "cpu", *(f"{accelerator}:{number}" for number in numbers)])


def autocast(
    device: torch.device, precision: Literal["float32", "bfloat16"]
) -> Callable[[], AbstractContextManager[Any]]:
    """What makes the context in which a step computes. For float32 the context is always the same and does nothing.

    Raises:
        ConfigError: the device has no autocast.
    """
    if precision == "float32":
        return _nothing
    if not torch.amp.is_autocast_available(device.type):
        raise ConfigError(f"precision {precision} is not available on device {device}. Available: float32.")
    return functools.partial(torch.autocast, device.type, dtype=torch.bfloat16)


def _nothing() -> AbstractContextManager[None]:
    return _NOTHING


def check_compiler(device: torch.device) -> None:
    """Check that what ``torch.compile`` makes for a device can be compiled.

    Raises:
        ConfigError: on the CPU, where there is no C++ compiler.
    """
    compiler = os.environ.get("CXX", "g++")
    if device.type == "cpu" and shutil.which(compiler) is None:
        raise ConfigError(f"train.compile needs a C++ compiler, and there is no {compiler}: install it, or set CXX")


def set_threads(threads: int | Literal["auto"] | None) -> None:
    """Have torch compute on that many threads: one, where there is no number.

    Sums differ in their last bits between numbers of threads.
    """
    torch.set_num_threads(threads if isinstance(threads, int) else 1)


def process_rank() -> int:
    """The number of this process among those that train together: 0, as there is one."""
    return 0


def agree(flag: bool) -> bool:
    """Whether any process says so: the same answer in each of them, so that they all stop or save together.

    There is one process, and its word counts.
    """
    return flag
