"""What a checkpoint costs over ``torch.save`` with ``fsync``, and for how long the training waits for one.

    python benchmarks/checkpoints.py [--rounds 7] [millions of weights, default: 1 50]

A multilayer perceptron with AdamW: three numbers of four bytes for each weight. In turn: a save that returns when all
is on disk under its name, and ``torch.save`` over one file, then ``fsync``. Then how long the training waits for a save
that goes on beside it, and what 20 steps with such a save take over 20 steps without. Medians; a ratio is one turn's.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import nn

from ignite_workflow.checkpoint import CheckpointStore, model_state

_LAYERS = 4
_STEPS = 20  # between two saves


class Training:
    """Something to save.

    Args:
        weights: about how many.
    """

    def __init__(self, weights: int) -> None:
        size = round((weights / _LAYERS) ** 0.5)
        self.model = nn.Sequential(*(nn.Linear(size, size) for _ in range(_LAYERS)))
        self.optimizer = torch.optim.AdamW(self.model.parameters(), fused=True)
        self.x = torch.randn(32, size)
        self.step()

    def step(self) -> None:
        loss = self.model(self.x).square().mean()
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()

    def state(self) -> dict[str, Any]:
        return {"model": model_state(self.model), "optimizer": self.optimizer.state_dict()}

    @property
    def weights(self) -> int:
        return sum(parameter.numel() for parameter in self.model.parameters())


class Saves:
    """Saves a training under rising numbers and keeps the newest one.

    Args:
        training: what is saved.
        directory: where to.
    """

    def __init__(self, training: Training, directory: Path) -> None:
        self.training, self.store, self.number = training, CheckpointStore(directory), 0

    def save(self) -> None:
        self.number += 1
        self.store.save(self.number, self.training.state())
        self.settle()

    def save_beside(self) -> None:
        self.number += 1
        self.store.save_beside(self.number, self.training.state(), first=_nothing)

    def settle(self) -> None:
        self.store.finish()
        self.store.keep(self, [self.number])
        self.store.prune()


def _nothing() -> None:
    """There are no records that must be on disk first."""


def seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def by_torch(training: Training, path: Path) -> None:
    torch.save(training.state(), path)
    descriptor = os.open(path, os.O_RDONLY)
    os.fsync(descriptor)
    os.close(descriptor)


def steps(training: Training, saves: Saves | None = None) -> float:
    """Seconds of so many steps, the write that goes on beside them included."""
    started = time.perf_counter()
    if saves is not None:
        saves.save_beside()
    for _ in range(_STEPS):
        training.step()
    if saves is not None:
        saves.settle()
    return time.perf_counter() - started


def measure(weights: int, rounds: int) -> None:
    training = Training(weights)
    with tempfile.TemporaryDirectory() as name:
        saves, path = Saves(training, Path(name) / "checkpoints"), Path(name) / "last.pt"
        for _ in range(3):  # first files, memory that was never touched
            saves.save()
            by_torch(training, path)
        ours, theirs = zip(
            *((seconds(saves.save), seconds(lambda: by_torch(training, path))) for _ in range(rounds)), strict=True
        )
        waits, without, beside = [], [], []
        for turn in range(rounds + 1):
            without.append(steps(training))
            beside.append(steps(training, saves))
            waits.append(seconds(saves.save_beside))
            saves.settle()
            if turn == 0:  # the memory for the copy is had now
                del waits[:], without[:], beside[:]
        saves.store.close()
    save, other, wait, plain = map(statistics.median, (ours, theirs, waits, without))
    ratio = statistics.median(a / b for a, b in zip(ours, theirs, strict=True))
    longer = statistics.median(a / b for a, b in zip(beside, without, strict=True))
    print(
        f"{training.weights:,} weights: save {save * 1e3:.0f} ms, torch.save and fsync {other * 1e3:.0f} ms, ratio "
        f"{ratio:.2f}; beside the training it waits {wait * 1e3:.1f} ms, {wait / plain:.1%} of {_STEPS} steps "
        f"({plain * 1e3:.0f} ms); {_STEPS} steps with a save over those without: {longer:.3f}",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("millions", nargs="*", type=float, default=[1, 50])
    parser.add_argument("--rounds", type=int, default=7)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    for millions in arguments.millions:
        measure(round(millions * 1e6), arguments.rounds)


if __name__ == "__main__":
    main()
