"""What an engine's ``state`` holds, and how a run is asked to stop."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ignite.engine import State
from torch import Tensor

__all__ = ["EvaluationAbandoned", "RunState", "StopRequest"]


class RunState(State):
    """Ignite's ``State``, and what a training step leaves in it for handlers.

    Attributes:
        batch: as it came from the loader.
        output: what the step returned: ``StepOutput``, or a mapping of named losses.
        y_pred: predictions of the batch, from ``FORWARD_COMPLETED`` on.
        loss: of the batch, (), from ``LOSS_COMPLETED`` on; with its graph until the step is done.
        window_open: batches of the accumulation window are still to come.
        window_samples: samples of the window so far.
    """

    batch: Any
    output: Any
    y_pred: Any
    loss: Tensor
    window_open: bool
    window_samples: int


@dataclass(frozen=True)
class StopRequest:
    """Why a run stops before its last epoch.

    Attributes:
        reason: for people and ``status.json``.
        exit_code: 0 where the run is finished by it (early stopping), else what the process exits with, to be resumed.
    """

    reason: str
    exit_code: int = 0


class EvaluationAbandoned(BaseException):
    """A stop request broke off an evaluation. Not an ``Exception``: no handler is to swallow it."""
