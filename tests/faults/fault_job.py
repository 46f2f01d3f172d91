"""The job that is killed, starved and cut off: everything in it that could spoil an exact resume, of one's own.

A Dataset that augments, a model with dropout and batch normalisation, and a handler that says when each moment comes.
"""

from __future__ import annotations

import errno
import os
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from ignite.engine import Events
from torch import Tensor, nn
from torch.utils.data import Dataset

from ignite_workflow import Handler, Workflow, WorkflowEvents

TRAINER_EVENTS = (
    "STARTED", "EPOCH_STARTED", "GET_BATCH_STARTED", "GET_BATCH_COMPLETED", "ITERATION_STARTED", "FORWARD_COMPLETED",
    "LOSS_COMPLETED", "BACKWARD_COMPLETED", "GRADIENTS_READY", "OPTIMIZER_STEP_COMPLETED", "ITERATION_COMPLETED",
    "WINDOW_COMPLETED", "SAFE_POINT", "EPOCH_COMPLETED", "COMPLETED",
)  # fmt: skip
EVALUATOR_EVENTS = ("STARTED", "ITERATION_STARTED", "ITERATION_COMPLETED", "COMPLETED")
MOMENTS = (*(f"trainer {name}" for name in TRAINER_EVENTS), *(f"evaluator {name}" for name in EVALUATOR_EVENTS))


def no_fault(moment: str) -> None:
    """What happens at a moment, unless an injection puts itself here."""


at: Callable[[str], None] = no_fault
"""Called with the name of each moment: ``trainer STARTED``, ``dataset``, ``forward``, ..."""

resumed = False
"""Whether the run has a checkpoint already."""

iteration = 0
"""The one that is under way, or the last one that is done."""


class Points(Dataset[tuple[Tensor, Tensor]]):
    """Points of y = x1 - x2, each seen through noise from torch, random and numpy where it is trained on.

    Those of ``bad`` are not there, in training, on the first start.
    """

    def __init__(self, split: str, size: int = 40, bad: tuple[int, ...] = ()) -> None:
        self.bad = bad if split == "train" else ()
        size, seed = {"train": (size, 1), "val": (9, 2), "test": (5, 3)}[split]
        self.x = torch.randn(size, 4, generator=torch.Generator().manual_seed(seed))
        self.noise = 0.1 if split == "train" else 0.0

    def __len__(self) -> int:
        return len(self.x)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        at("dataset")
        if index in self.bad and not resumed:
            raise OSError(errno.EIO, os.strerror(errno.EIO), f"point-{index}.png")
        x = self.x[index]
        noise = torch.randn(4) + random.gauss() + float(np.random.standard_normal())
        return x + self.noise * noise, (x[0] - x[1])[None]


class Net(nn.Sequential):
    """Small, unless ``ballast`` makes its checkpoints large: weights that are trained to stay small."""

    def __init__(self, ballast: int = 0) -> None:
        super().__init__(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.2), nn.Linear(8, 1))
        self.ballast = nn.Parameter(torch.linspace(0, 1, ballast)) if ballast else None

    def forward(self, x: Tensor) -> Tensor:
        at("forward")
        y: Tensor = super().forward(x)
        return y if self.ballast is None else y + 0.01 * self.ballast.square().mean()


@dataclass
class Moments(Handler):
    """Says when each event of the timetable comes, and hears of an exception as every handler may."""

    observer = True

    def attach(self, workflow: Workflow) -> None:
        self.workflow = workflow
        for name in TRAINER_EVENTS:
            event: Any = getattr(Events, name, None) or WorkflowEvents[name]
            workflow.trainer.add_event_handler(event, self.come, f"trainer {name}")
        for name in EVALUATOR_EVENTS:
            workflow.evaluator.add_event_handler(getattr(Events, name), self.come, f"evaluator {name}")
        for which in ("first", "last"):
            workflow.trainer.add_event_handler(Events.EXCEPTION_RAISED, self.hear, which)

    def come(self, moment: str) -> None:
        global iteration
        iteration = self.workflow.trainer.state.iteration
        at(moment)

    def hear(self, error: BaseException, which: str) -> None:
        at(f"exception {which}")
