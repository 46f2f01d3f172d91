"""A model of your own: any nn.Module, named in a config as ``model: {name: own_model.py:WideAndDeep}``.

A parameter with the name of a fact is filled in from the data (``in_features``, ``numbers``, ``categories``,
``quantiles``, ``out_features``, ``output``); every other one is an option of the config.
"""

import torch
from torch import Tensor, nn
from torch.nn.functional import one_hot


class WideAndDeep(nn.Module):
    """A linear layer on everything, beside a small network on everything."""

    def __init__(self, numbers: int, categories: tuple[int, ...], out_features: int, *, hidden: int = 32) -> None:
        super().__init__()
        self.numbers, self.categories = numbers, categories
        width = numbers + sum(categories)
        self.wide = nn.Linear(width, out_features)
        self.deep = nn.Sequential(nn.Linear(width, hidden), nn.ReLU(), nn.Linear(hidden, out_features))

    def forward(self, x: Tensor) -> Tensor:
        """Features (N, F + C), the numbers first, then a code for each category; to outputs (N, T)."""
        parts = [x[:, : self.numbers]]
        for index, size in enumerate(self.categories):
            parts.append(one_hot(x[:, self.numbers + index].long(), size).to(x.dtype))
        x = torch.cat(parts, dim=1)
        return self.wide(x) + self.deep(x)
