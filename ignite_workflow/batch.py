"""What can be asked of a batch, and done to it, whatever it is nested in."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor

__all__ = ["mover", "sample_count", "to_device"]


def sample_count(x: Any, y: Any) -> int:
    """How many samples a batch has; not how many kinds of targets, which is the length of a dict or tuple of them."""
    if isinstance(y, Tensor):
        return y.size(0)  # a third of the time of len(y)
    if isinstance(x, Tensor):
        return x.size(0)
    while isinstance(y, dict | tuple | list):
        y = next(iter(y.values() if isinstance(y, dict) else y))
    return len(y)


def mover(device: torch.device) -> Callable[[Any], Any]:
    """What brings a batch to ``device``. Loaders make batches on the CPU: there is nothing to do where that is it."""
    return _stay if device.type == "cpu" else partial(to_device, device=device)


def _stay(batch: Any) -> Any:
    return batch


def to_device(batch: Any, device: torch.device) -> Any:
    """``batch`` on ``device``, whatever it is nested in; the copy from pinned memory does not wait."""
    if isinstance(batch, Tensor):
        return batch if batch.device == device else batch.to(device, non_blocking=True)
    if isinstance(batch, dict):
        return {key: to_device(value, device) for key, value in batch.items()}
    if isinstance(batch, tuple) and hasattr(batch, "_fields"):  # a named tuple takes its values one by one
        return type(batch)(*(to_device(value, device) for value in batch))
    if isinstance(batch, tuple | list):
        return type(batch)(to_device(value, device) for value in batch)
    return batch
