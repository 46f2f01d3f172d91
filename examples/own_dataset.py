"""A Dataset of your own, named in a config as ``data: {kind: own_dataset.py:Spirals}``.

What a sample is decides the task: ``(x, y)`` with y a float is a regression, with y a whole number and an attribute
``classes`` (their names) a classification. A parameter ``path`` gets ``data.path``, a parameter ``split`` is asked for
train, val and test in turn; without it the samples are divided by ``data.split``. The rest are options of the config.
"""

import math

import torch
from torch import Tensor
from torch.utils.data import Dataset


class Spirals(Dataset[tuple[Tensor, int]]):
    """Points on two spirals, wound into one another. A little noise is new each time a point is looked at."""

    classes = ("left", "right")

    def __init__(self, *, points: int = 600, turns: float = 1.0, noise: float = 0.02) -> None:
        self.points, self.turns, self.noise = points, turns, noise

    def __len__(self) -> int:
        return self.points

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        """The point (2,) and the spiral it lies on."""
        side = index % 2
        radius = (index + 1) / self.points
        angle = 2 * math.pi * self.turns * radius + math.pi * side
        point = radius * torch.tensor([math.cos(angle), math.sin(angle)])
        return point + self.noise * torch.randn(2), side  # drawn from (seed, epoch, index): the same in any process


class Net(torch.nn.Sequential):
    """A small network."""

    def __init__(self, in_features: int, out_features: int, *, hidden: int = 64) -> None:
        layers: list[torch.nn.Module] = [torch.nn.Linear(in_features, hidden), torch.nn.Tanh()]
        layers += [torch.nn.Linear(hidden, hidden), torch.nn.Tanh(), torch.nn.Linear(hidden, out_features)]
        super().__init__(*layers)
