"""What the engine costs: CPU time a step over the best hand-written loop that does the same work.

    python benchmarks/overhead.py [--rounds 200] [--tensorboard] [--nan-guard] [linear digits large]

Both train the same model on the same data with the same fused optimizer, evaluate each epoch, save each epoch and log
each epoch's loss. Ours has its default handlers attached: evaluation, loss logging, early stopping, best weights,
progress to a file, status, watchdog, curves, checkpoints each epoch; not those that do what the loop by hand does not,
unless asked for.

They run in one process, on one thread, in turn: an epoch of the one, an epoch of the other. So a machine that is slow
for a while is slow for both. A ratio is one turn's; the median and the quartiles of all are given. What happens once a
run (assembling it, drawing the curves at its end) is not in them.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from ignite.engine import Events
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset

from ignite_workflow import TrainConfig, Workflow


@dataclass
class Work:
    """A training to be done twice: by hand and by the engine."""

    build: Callable[[], nn.Module]
    loss_fn: Callable[[Tensor, Tensor], Tensor]
    train: tuple[Tensor, Tensor]
    val: tuple[Tensor, Tensor]
    batch_size: int
    rounds: int  # turns of each side

    def steps(self) -> int:
        """Training steps an epoch."""
        return -(-len(self.train[0]) // self.batch_size)

    def optimizer(self, model: nn.Module) -> torch.optim.Optimizer:
        return torch.optim.AdamW(model.parameters(), lr=1e-3, fused=True)


def linear() -> Work:
    x = torch.linspace(-1, 1, 1_000)[:, None]
    y = 0.7 * x + 0.3
    return Work(lambda: nn.Linear(1, 1), F.mse_loss, (x, y), (x[:200], y[:200]), 32, 200)


def digits() -> Work:
    """1,797 images of 64 pixels, as many as in the digits of scikit-learn; the numbers in them do not matter here."""
    generator = torch.Generator().manual_seed(0)
    x, y = torch.rand(1_797, 64, generator=generator), torch.randint(10, (1_797,), generator=generator)
    return Work(lambda: mlp(64, [64, 64], 10), F.cross_entropy, (x[:1_400], y[:1_400]), (x[1_400:], y[1_400:]), 32, 60)


def large() -> Work:
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(1_000_000, 32, generator=generator)
    y = x[:, :1] * x[:, 1:2] + torch.sin(x[:, 2:3])
    return Work(
        lambda: mlp(32, [128, 128], 1), F.mse_loss, (x[:900_000], y[:900_000]), (x[900_000:], y[900_000:]), 1024, 6
    )


def mlp(inputs: int, hidden: list[int], outputs: int) -> nn.Module:
    layers: list[nn.Module] = []
    for size in hidden:
        layers += [nn.Linear(inputs, size), nn.ReLU()]
        inputs = size
    return nn.Sequential(*layers, nn.Linear(inputs, outputs))


def by_hand(work: Work, directory: Path) -> Iterator[None]:
    """The limit, an epoch each time it is asked: no engine, no loader, nothing read from the device within an epoch."""
    torch.manual_seed(0)
    model = work.build()
    optimizer = work.optimizer(model)
    (x, y), (x_val, y_val), size = work.train, work.val, work.batch_size
    block = max(1, 512 * 1024 // (x[:1].nbytes * size)) * size  # gather blocks that fit the cache, hand out views
    with (directory / "log.txt").open("w") as log:
        for epoch in itertools.count():
            order = torch.randperm(len(x))
            losses = []
            for start in range(0, len(x), block):
                chosen = order[start : start + block]
                for x_batch, y_batch in zip(
                    x.index_select(0, chosen).split(size), y.index_select(0, chosen).split(size), strict=True
                ):
                    loss = work.loss_fn(model(x_batch), y_batch)
                    optimizer.zero_grad()
                    loss.backward()
                    optimizer.step()
                    losses.append(loss.detach())
            model.eval()
            with torch.inference_mode():
                val = [
                    work.loss_fn(model(a), b) * len(a)
                    for a, b in zip(x_val.split(4096), y_val.split(4096), strict=True)
                ]
            model.train()
            val_loss = torch.stack(val).sum().item() / len(x_val)
            print(epoch, torch.stack(losses).mean().item(), val_loss, file=log, flush=True)
            torch.save({"model": model.state_dict(), "optimizer": optimizer.state_dict()}, directory / "last.pt")
            yield


def by_engine(work: Work, epochs: int, directory: Path, **more: bool) -> Workflow:
    torch.manual_seed(0)
    model = work.build()
    return Workflow.from_parts(
        model,
        work.optimizer(model),
        work.loss_fn,
        DataLoader(TensorDataset(*work.train), work.batch_size, shuffle=True),
        DataLoader(TensorDataset(*work.val), 4096),
        train=TrainConfig(max_epochs=epochs, device="cpu"),
        handlers={
            "early_stopping": {"patience": 1_000_000},
            "checkpointing": {"every": {"epochs": 1}},
            **more,
        },
        run_directory=directory / "run",
    )


class Turns:
    """Has the other side train an epoch at the start of each epoch of the engine, and times both.

    Attributes:
        engine, hand: CPU seconds of each turn.
    """

    def __init__(self, hand: Iterator[None]) -> None:
        self.by_hand = hand
        self.engine: list[float] = []
        self.hand: list[float] = []
        self.started: float | None = None

    def take(self) -> None:
        now = time.process_time()
        if self.started is not None:
            self.engine.append(now - self.started)
        next(self.by_hand)
        self.started = time.process_time()
        self.hand.append(self.started - now)

    take.__module__ = "ignite_workflow"  # for a person's own handler ``random`` and numpy's would be set at each step


def measure(work: Work, rounds: int, **more: bool) -> Turns:
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        workflow = by_engine(work, rounds + 3, directory, **more)
        turns = Turns(by_hand(work, directory))
        workflow.trainer.add_event_handler(Events.EPOCH_STARTED, turns.take)
        with (directory / "progress.txt").open("w") as log, contextlib.redirect_stderr(log):
            workflow.run()
        assert workflow.run_directory is not None
        workflow.run_directory.close()
    del turns.engine[:2], turns.hand[:2]  # first calls, caches
    return turns


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("works", nargs="*", default=["linear", "digits", "large"])
    parser.add_argument("--rounds", type=int, help="turns of each side; default 200, 60 and 6")
    parser.add_argument("--tensorboard", action="store_true")
    parser.add_argument("--nan-guard", action="store_true", help="with it, which by hand is not done")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    print("work     by hand, a step   engine, a step   ratio: median, quartiles")
    for name in arguments.works:
        work = {"linear": linear, "digits": digits, "large": large}[name]()
        turns = measure(
            work, arguments.rounds or work.rounds, tensorboard=arguments.tensorboard, nan_guard=arguments.nan_guard
        )
        ratios = [ours / theirs for ours, theirs in zip(turns.engine, turns.hand, strict=False)]
        first, median, third = statistics.quantiles(ratios, n=4)
        hand, engine = (statistics.median(times) / work.steps() * 1e6 for times in (turns.hand, turns.engine))
        print(f"{name:8} {hand:12.1f} us {engine:13.1f} us {median:14.3f}, {first:.3f}, {third:.3f}", flush=True)


if __name__ == "__main__":
    main()
