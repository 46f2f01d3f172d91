"""What the engine costs: CPU time a step over the best hand-written loop that does the same work.

    python benchmarks/overhead.py [--rounds 7] [linear digits large]

Both train the same model on the same data with the same fused optimizer, evaluate each epoch, save each epoch and log each
epoch's loss. Ours has the default handlers attached: evaluation, loss logging, early stopping, best weights, progress to
a file, curves, checkpoints each epoch (TensorBoard is measured apart, with --tensorboard). They run in turn in one
process, one thread; a figure is the median over the rounds of the ratio within a round, with the smallest and largest.
"""

from __future__ import annotations

import argparse
import contextlib
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
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
    epochs: int

    def optimizer(self, model: nn.Module) -> torch.optim.Optimizer:
        return torch.optim.AdamW(model.parameters(), lr=1e-3, fused=True)


def linear() -> Work:
    x = torch.linspace(-1, 1, 1_000)[:, None]
    y = 0.7 * x + 0.3
    return Work(lambda: nn.Linear(1, 1), F.mse_loss, (x, y), (x[:200], y[:200]), 32, 60)


def digits() -> Work:
    """1,797 images of 64 pixels, as many as in the digits of scikit-learn; the numbers in them do not matter here."""
    generator = torch.Generator().manual_seed(0)
    x, y = torch.rand(1_797, 64, generator=generator), torch.randint(10, (1_797,), generator=generator)
    return Work(lambda: mlp(64, [64, 64], 10), F.cross_entropy, (x[:1_400], y[:1_400]), (x[1_400:], y[1_400:]), 32, 30)


def large() -> Work:
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(1_000_000, 32, generator=generator)
    y = x[:, :1] * x[:, 1:2] + torch.sin(x[:, 2:3])
    return Work(
        lambda: mlp(32, [128, 128], 1), F.mse_loss, (x[:900_000], y[:900_000]), (x[900_000:], y[900_000:]), 1024, 1
    )


def mlp(inputs: int, hidden: list[int], outputs: int) -> nn.Module:
    layers: list[nn.Module] = []
    for size in hidden:
        layers += [nn.Linear(inputs, size), nn.ReLU()]
        inputs = size
    return nn.Sequential(*layers, nn.Linear(inputs, outputs))


def by_hand(work: Work, directory: Path) -> None:
    """The limit: no engine, no loader, nothing read from the device within an epoch."""
    torch.manual_seed(0)
    model = work.build()
    optimizer = work.optimizer(model)
    (x, y), (x_val, y_val), size = work.train, work.val, work.batch_size
    block = max(1, 512 * 1024 // (x[:1].nbytes * size)) * size  # gather blocks that fit the cache, hand out views
    with (directory / "log.txt").open("w") as log:
        for epoch in range(work.epochs):
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
            print(epoch, torch.stack(losses).mean().item(), sum(val).item() / len(x_val), file=log, flush=True)
            torch.save({"model": model.state_dict(), "optimizer": optimizer.state_dict()}, directory / "last.pt")


def by_engine(work: Work, directory: Path, *, tensorboard: bool) -> None:
    torch.manual_seed(0)
    model = work.build()
    workflow = Workflow.from_parts(
        model,
        work.optimizer(model),
        work.loss_fn,
        DataLoader(TensorDataset(*work.train), work.batch_size, shuffle=True),
        DataLoader(TensorDataset(*work.val), 4096),
        train=TrainConfig(max_epochs=work.epochs, device="cpu"),
        handlers={
            "early_stopping": {"patience": 1_000_000},
            "checkpointing": {"every": {"epochs": 1}},
            "tensorboard": tensorboard,
            "curve_export": False,
            "progress": False,
        },
        run_directory=directory / "run",
    )
    with (directory / "progress.txt").open("w") as log, contextlib.redirect_stderr(log):
        workflow.run()
    assert workflow.run_directory is not None
    workflow.run_directory.close()


def cpu_seconds(do: Callable[..., None], work: Work, **options: bool) -> float:
    with tempfile.TemporaryDirectory() as directory:
        start = time.process_time()
        do(work, Path(directory), **options)
        return time.process_time() - start


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("works", nargs="*", default=["linear", "digits", "large"])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--tensorboard", action="store_true")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    print(f"{'work':8} {'by hand':>12} {'engine':>12} {'ratio (median, min, max)':>28}")
    for name in arguments.works:
        work = {"linear": linear, "digits": digits, "large": large}[name]()
        steps = work.epochs * -(-len(work.train[0]) // work.batch_size)
        cpu_seconds(by_engine, work, tensorboard=arguments.tensorboard)  # imports, first calls
        hand, engine = [], []
        for _ in range(arguments.rounds):
            hand.append(cpu_seconds(by_hand, work) / steps * 1e6)
            engine.append(cpu_seconds(by_engine, work, tensorboard=arguments.tensorboard) / steps * 1e6)
        ratios = [ours / theirs for ours, theirs in zip(engine, hand, strict=True)]
        print(
            f"{name:8} {statistics.median(hand):9.1f} us {statistics.median(engine):9.1f} us"
            f" {statistics.median(ratios):12.3f} {min(ratios):7.3f} {max(ratios):7.3f}"
        )


if __name__ == "__main__":
    main()
