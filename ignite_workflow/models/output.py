"""What a model's last numbers mean, and the activation that makes them mean it."""

from __future__ import annotations

from typing import Literal

from torch import nn

__all__ = ["Output", "final_activation"]

Output = Literal["value", "logit", "log_prob", "prob", "log_rate"]


def final_activation(output: Output) -> list[nn.Module]:
    """The layers after the last linear one: none where any real number is right.

    Args:
        output: what the loss takes. ``value``, ``logit`` and ``log_rate`` are any number; ``prob`` lies between 0 and
            1, each output for itself; ``log_prob`` are the logarithms of probabilities that sum to 1.
    """
    if output == "prob":
        return [nn.Sigmoid()]
    if output == "log_prob":
        return [nn.LogSoftmax(dim=1)]
    return []
