"""A linear model of numbers and categories, and what it has learnt in the units of the data.

Shapes: ``N`` rows, ``F`` numbers, ``C`` categories with ``K`` known classes in all, ``T`` outputs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from ignite_workflow.models.output import Output, final_activation

__all__ = ["DataUnits", "Linear", "linear_in_data_units"]


class Linear(nn.Module):
    """One ``nn.Linear`` on the numbers and the one-hot categories; an unknown class is all zeros.

    It starts at zero: its first prediction is the mean of the target, or equal probabilities, and a weight of which the
    data says nothing stays there.

    Args:
        numbers: how many of the features are numbers.
        categories: for each of the others, how many classes it has, the unknown one included.
        out_features: numbers a row to predict.
        output: what they mean.
    """

    column: Tensor
    class_code: Tensor

    def __init__(self, numbers: int, categories: Sequence[int], out_features: int, *, output: Output = "value") -> None:
        super().__init__()
        self.numbers = numbers
        self.categories = tuple(categories)
        columns = [numbers + index for index, size in enumerate(categories) for _ in range(1, size)]
        codes = [code for size in categories for code in range(1, size)]
        self.register_buffer("column", torch.tensor(columns, dtype=torch.int64))
        self.register_buffer("class_code", torch.tensor(codes, dtype=torch.float32))
        self.linear = nn.Linear(numbers + len(codes), out_features)
        nn.init.zeros_(self.linear.weight)
        nn.init.zeros_(self.linear.bias)
        self.activation = nn.Sequential(*final_activation(output))

    def forward(self, x: Tensor) -> Tensor:
        """Features (N, F + C) to outputs (N, T)."""
        if self.categories:
            one_hot = (x.index_select(1, self.column) == self.class_code).to(x.dtype)
            x = torch.cat([x[:, : self.numbers], one_hot], dim=1)
        y: Tensor = self.linear(x)
        return self.activation(y) if self.activation else y


class DataUnits(NamedTuple):
    """A linear model as a person writes it: ``bias + sum(weight * number) + the class_weight of each row's classes``.

    All are float64. What comes out is in the target's unit, or a logit.
    """

    weight: Tensor  # (T, F)
    class_weight: tuple[Tensor, ...]  # for each category (T, classes), by code: 0 for the unknown class
    bias: Tensor  # (T,)


def linear_in_data_units(
    model: Linear,
    number_mean: Sequence[float],
    number_std: Sequence[float],
    *,
    target_mean: Sequence[float] = (0.0,),
    target_std: Sequence[float] = (1.0,),
) -> DataUnits:
    """What a linear model has learnt, freed of all standardising: ``y = 0.7 x + 0.3`` gives 0.7 and 0.3.

    Args:
        model: trained on standardised numbers and targets; not changed.
        number_mean: what was subtracted from each number, (F,).
        number_std: what it was then divided by, (F,).
        target_mean: what was subtracted from each target, (T,), or one for all. The default is for classes.
        target_std: what it was then divided by.
    """
    mean, std, y_mean, y_std = (
        torch.tensor(values, dtype=torch.float64) for values in (number_mean, number_std, target_mean, target_std)
    )
    learnt = model.linear.weight.detach().cpu().double() * y_std[:, None]
    weight = learnt[:, : model.numbers] / std
    bias = y_mean + y_std * model.linear.bias.detach().cpu().double() - weight @ mean
    known = learnt[:, model.numbers :].split([size - 1 for size in model.categories], dim=1)
    return DataUnits(weight, tuple(nn.functional.pad(part, (1, 0)) for part in known), bias)
