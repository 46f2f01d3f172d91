"""A small GAN: two networks, two optimizers and a training step that the library knows nothing about.

The generator learns to put points on a ring. Run it with ``python run.py train examples/gan/config.yaml``; stop it
whenever you like, and go on with ``python run.py resume runs/latest``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from ignite.engine import Events
from torch import Tensor, nn
from torch.nn.functional import softplus
from torch.utils.data import TensorDataset

from ignite_workflow import Handler, WorkflowEvents, fire

NOISE = 8


def ring(split: str, *, points: int = 2000, radius: float = 2.0, width: float = 0.1) -> TensorDataset | None:
    """Points (points, 2) around a ring. Asked for each split: a GAN has nothing to validate."""
    if split != "train":
        return None
    random = torch.Generator().manual_seed(0)
    angle = 2 * math.pi * torch.rand(points, generator=random)
    distance = radius + width * torch.randn(points, generator=random)
    return TensorDataset(torch.stack([distance * angle.cos(), distance * angle.sin()], dim=1))


class GAN(nn.Module):
    """Both networks in one module: so they are saved, restored and moved to the device together."""

    def __init__(self, *, hidden: int = 64) -> None:
        super().__init__()
        self.generator = _network(NOISE, hidden, 2)
        self.discriminator = _network(2, hidden, 1)

    def forward(self, noise: Tensor) -> Tensor:
        """Noise (N, NOISE) to points (N, 2): what the trained model does."""
        points: Tensor = self.generator(noise)
        return points


def _network(inputs: int, hidden: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Linear(inputs, hidden), nn.LeakyReLU(0.2), nn.Linear(hidden, hidden), nn.LeakyReLU(0.2),
        nn.Linear(hidden, outputs),
    )  # fmt: skip


def two_adams(model: GAN, *, lr: float = 1e-3) -> dict[str, torch.optim.Optimizer]:
    """An optimizer for each network."""
    return {
        "generator": torch.optim.Adam(model.generator.parameters(), lr=lr, betas=(0.5, 0.99)),
        "discriminator": torch.optim.Adam(model.discriminator.parameters(), lr=lr, betas=(0.5, 0.99)),
    }


def train_step(engine: Any, batch: Any) -> Mapping[str, Tensor]:
    """One step of the discriminator, one of the generator.

    Random numbers are set from (seed, iteration) before each step, so a run that was killed draws the same ones.

    Returns:
        A loss for each network: each is recorded and gets a curve.
    """
    model, optimizer = engine.workflow.model, engine.workflow.optimizer
    (real,) = batch

    fake = model(torch.randn(len(real), NOISE, device=real.device))
    discriminator_loss = (
        softplus(-model.discriminator(real)).mean() + softplus(model.discriminator(fake.detach())).mean()
    )
    optimizer["discriminator"].zero_grad()
    discriminator_loss.backward()
    optimizer["discriminator"].step()

    generator_loss = softplus(-model.discriminator(fake)).mean()
    optimizer["generator"].zero_grad()
    generator_loss.backward()
    fire(engine, WorkflowEvents.GRADIENTS_READY)  # so that gradient_clipping can be had here
    optimizer["generator"].step()
    return {"generator_loss": generator_loss.detach(), "discriminator_loss": discriminator_loss.detach()}


@dataclass
class RingDistance(Handler):
    """Record how far generated points are from the ring, on average, at the end of each epoch."""

    radius: float = 2.0
    points: int = 500

    observer = True

    def attach(self, workflow: Any) -> None:
        """Once an epoch."""
        self.workflow = workflow
        workflow.trainer.add_event_handler(Events.EPOCH_COMPLETED, self.measure)

    @torch.no_grad()
    def measure(self) -> None:
        """Drawing numbers here changes nothing of the training: its own are set anew before the next step."""
        points = self.workflow.model(torch.randn(self.points, NOISE, device=self.workflow.device))
        self.workflow.record("train", "ring_distance", (points.norm(dim=1) - self.radius).abs().mean().item())
