"""Models by name: built in, or a person's own ``nn.Module``, told what it may ask of the data."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from torch import nn

from ignite_workflow import registry
from ignite_workflow.errors import ConfigError

__all__ = ["FACTS", "build_model"]

FACTS = ("in_features", "numbers", "categories", "quantiles", "out_features", "output")
"""What a model may be told by parameter name; not every kind of data knows all of it."""


def build_model(name: str, options: Mapping[str, Any], facts: Mapping[str, Any]) -> nn.Module:
    """The model of that name, with new weights, on the CPU.

    Args:
        name: ``linear`` or ``mlp``; or the import path of an ``nn.Module`` class, or of a function that returns one.
        options: keyword arguments of the class or function.
        facts: what else it gets, each where its signature names it. Of a table: ``in_features``, ``numbers``,
            ``categories``, ``quantiles`` (see ``MLP``); of the target and the loss: ``out_features``, ``output``.

    Raises:
        UnknownNameError: there is no such model.
        ConfigError: an option cannot work, a parameter is neither fact nor option, or what is made is no ``nn.Module``.

    Example:
        >>> build_model("torch.nn:Linear", {"bias": False}, {"in_features": 3, "out_features": 1, "numbers": 3})
        Linear(in_features=3, out_features=1, bias=False)
    """
    factory = registry.load("model", name)
    registry.check_options("model", name, options, factory, given=facts)
    parameters = inspect.signature(factory).parameters
    model = factory(**{fact: value for fact, value in facts.items() if fact in parameters}, **options)
    if not isinstance(model, nn.Module):
        raise ConfigError(f"model {name} must return an nn.Module, got {model!r}.")
    return model
