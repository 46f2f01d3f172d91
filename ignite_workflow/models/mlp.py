"""A multilayer perceptron for tables.

Shapes: ``N`` rows, ``F`` numbers, ``C`` categories, ``T`` outputs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor, nn

from ignite_workflow.errors import ConfigError
from ignite_workflow.models.embeddings import CategoryEmbedding, LinearPath, PeriodicEmbedding, PiecewiseLinearEmbedding
from ignite_workflow.models.output import Output, final_activation

__all__ = ["MLP", "NumberEmbedding"]

NumberEmbedding = Literal["piecewise_linear", "periodic", "none"]


class MLP(nn.Module):
    """Embeddings of numbers and categories, then layers of Linear, LayerNorm, ReLU and Dropout, and a last Linear.

    Beside it there is a linear path from the features to the outputs; see ``LinearPath``. The two are added.

    LayerNorm and not BatchNorm: a row's output does not depend on the rows beside it, and a batch may hold one row.

    Args:
        quantiles: for each number the edges between its bins; see ``PiecewiseLinearEmbedding``; (F,) lists.
        categories: for each category how many classes it has, the unknown one included; (C,).
        out_features: T.
        output: what the outputs mean.
        hidden: the sizes of the hidden layers. Without any, the model is linear in the embeddings.
        dropout: the share of a hidden layer's outputs that each training step leaves out.
        number_embedding: how numbers are embedded; "none" gives them to the first layer as they are.
        embedding_size: the length of the vector that a number or a class becomes.

    Raises:
        ConfigError: a size below 1, or a dropout that is no share.
    """

    def __init__(
        self,
        quantiles: Sequence[Sequence[float]],
        categories: Sequence[int],
        out_features: int,
        *,
        output: Output = "value",
        hidden: Sequence[int] = (256, 256),
        dropout: float = 0.2,
        number_embedding: NumberEmbedding = "piecewise_linear",
        embedding_size: int = 16,
    ) -> None:
        super().__init__()
        _check(hidden, dropout, embedding_size)
        self.numbers, self.categories = len(quantiles), len(categories)
        if quantiles:
            self.number_embedding = _embed_numbers(number_embedding, quantiles, embedding_size)
        if categories:
            self.category_embedding = CategoryEmbedding(categories, embedding_size)
        width = (1 if number_embedding == "none" else embedding_size) * self.numbers + embedding_size * len(categories)
        layers: list[nn.Module] = []
        for size in hidden:
            layers += [nn.Linear(width, size), nn.LayerNorm(size), nn.ReLU(), nn.Dropout(dropout)]
            width = size
        self.layers = nn.Sequential(*layers)
        self.head = nn.Linear(width, out_features)
        self.linear_path = LinearPath(self.numbers, categories, out_features)
        self.activation = nn.Sequential(*final_activation(output))

    def forward(self, x: Tensor) -> Tensor:
        """Features (N, F + C), the numbers first, then the codes of classes; to outputs (N, T)."""
        embedded: list[Tensor] = []
        if self.numbers:
            embedded.append(self.number_embedding(x[:, : self.numbers]))
        if self.categories:
            embedded.append(self.category_embedding(x[:, self.numbers :]))
        y: Tensor = self.activation(self.head(self.layers(torch.cat(embedded, dim=1))) + self.linear_path(x))
        return y


def _embed_numbers(kind: NumberEmbedding, quantiles: Sequence[Sequence[float]], size: int) -> nn.Module:
    if kind == "piecewise_linear":
        return PiecewiseLinearEmbedding(quantiles, size)
    return PeriodicEmbedding(len(quantiles), size) if kind == "periodic" else nn.Identity()


def _check(hidden: Sequence[int], dropout: float, embedding_size: int) -> None:
    for option, size in [*(("hidden", size) for size in hidden), ("embedding_size", embedding_size)]:
        if size < 1:
            raise ConfigError(f"model mlp: {option} must be at least 1, got {size}.")
    if not 0 <= dropout < 1:
        raise ConfigError(f"model mlp: dropout must be at least 0 and below 1, got {dropout}.")
