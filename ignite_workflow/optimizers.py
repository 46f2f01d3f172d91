"""Optimizers by name: which parameters they get, in which groups, with which kernels."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from fnmatch import fnmatchcase
from typing import Any

from torch import nn
from torch.nn.modules.batchnorm import _NormBase
from torch.optim import Optimizer

from ignite_workflow import registry
from ignite_workflow.errors import ConfigError, mistaken_at, nearest
from ignite_workflow.optimizer_calls import leave_compiler_alone

__all__ = ["build_optimizer", "check_optimizer_options", "without_decay"]

_NORMS = (_NormBase, nn.LayerNorm, nn.GroupNorm, nn.RMSNorm)
_EMBEDDINGS = (nn.Embedding, nn.EmbeddingBag)

# Where one kernel updates all weights: 2 to 4 times as fast as a loop, and at most 1e-7 different (torch 2.13).
_FUSED_ON = {"adam": ("cpu", "cuda"), "adamw": ("cpu", "cuda"), "sgd": ("cpu", "cuda"), "adagrad": ("cpu",)}


def build_optimizer(name: str, options: Mapping[str, Any], model: nn.Module) -> Optimizer | dict[str, Optimizer]:
    """The optimizer of that name for the parameters of ``model`` that are to be trained.

    Parameters with ``requires_grad=False`` are left out. Weight decay spares those of ``without_decay``, unless a group
    says otherwise.

    Args:
        name: of a torch optimizer in lower case; or the import path of an ``Optimizer`` class, which gets parameter
            groups as torch's do, or of a function ``(model, **options)`` that returns one, or several by name.
        options: those of the class, and ``groups``: ``[{"match": "embeddings.*", "lr": 1e-4}]``: the parameters whose
            names match the pattern (``*`` matches dots too) have these options. The first match counts.
        model: on the device it will be trained on.

    Raises:
        UnknownNameError: there is no such optimizer.
        ConfigError: an option cannot work, a pattern matches nothing, or there is nothing to train.
    """
    check_optimizer_options(name, options)
    leave_compiler_alone()
    factory = registry.load("optimizer", name)
    if not _is_class(factory):
        return _checked(name, factory(model, **options))
    options = dict(options)
    groups = options.pop("groups", [])
    trained = {key: parameter for key, parameter in model.named_parameters() if parameter.requires_grad}
    if not trained:
        raise ConfigError(f"optimizer {name}: the model has no parameters to train.")
    if {"fused", "foreach", "differentiable"}.isdisjoint(options) and _can_fuse(name, trained.values()):
        options["fused"] = True
    spared = without_decay(model) if _decays(factory, options) else frozenset()
    parameter_groups = _parameter_groups(name, groups, trained, spared)
    try:
        optimizer: Optimizer = factory(parameter_groups, **options)
    except ValueError as error:  # torch checks the ranges of its own options
        raise ConfigError(f"optimizer {name}: {error}.") from None
    return optimizer


def without_decay(model: nn.Module) -> frozenset[str]:
    """The names of the parameters that weight decay must spare: biases and other vectors, norms, embeddings.

    Decay draws weights to zero, which is a prior on slopes. A bias, a scale or the place of a category has no reason to
    be near zero, and the embedding of a rare category would decay at every step but learn at few.
    """
    spared = {name for name, parameter in model.named_parameters() if parameter.ndim < 2}
    for prefix, module in model.named_modules():
        if isinstance(module, _NORMS + _EMBEDDINGS):
            spared.update(f"{prefix}.{name}".lstrip(".") for name, _ in module.named_parameters(recurse=False))
    return frozenset(spared)


def _is_class(factory: Any) -> bool:
    return isinstance(factory, type) and issubclass(factory, Optimizer)


def check_optimizer_options(name: str, options: Mapping[str, Any]) -> None:
    """Check the options of ``build_optimizer``, as far as that goes without a model.

    Raises:
        UnknownNameError, ConfigError: as ``build_optimizer``.
    """
    factory = registry.load("optimizer", name)
    if not _is_class(factory):
        given = tuple(inspect.signature(factory).parameters)[:1]
        registry.check_options("optimizer", name, options, factory, given=given)
        return
    own = {option: value for option, value in options.items() if option != "groups"}
    registry.check_options("optimizer", name, own, factory, given=["params"])
    with mistaken_at("optimizer", "groups"):
        _check_groups(name, options.get("groups", []), factory)


def _check_groups(name: str, groups: Any, factory: Callable[..., Optimizer]) -> None:
    if not isinstance(groups, list | tuple) or not all(isinstance(group, Mapping) for group in groups):
        raise ConfigError(
            f"optimizer {name}: groups must be a list like [{{match: 'layers.0.*', lr: 1e-4}}], got {groups!r}."
        )
    for index, group in enumerate(groups):
        if not isinstance(group.get("match"), str):
            raise ConfigError(
                f"optimizer {name}: a group needs match, a pattern for names of parameters: {dict(group)!r}."
            )
        own = {option: value for option, value in group.items() if option != "match"}
        label, at = f"{name}, group {group['match']!r}", ("optimizer", "groups", index)
        registry.check_options("optimizer", label, own, factory, given=["params"], at=at)


def _can_fuse(name: str, parameters: Iterable[nn.Parameter]) -> bool:
    devices = _FUSED_ON.get(name, ())
    return all(parameter.device.type in devices and parameter.is_floating_point() for parameter in parameters)


def _decays(factory: Callable[..., Optimizer], options: Mapping[str, Any]) -> bool:
    """Whether there is weight decay at all: two groups cost a second kernel at every step."""
    parameter = inspect.signature(factory).parameters.get("weight_decay")
    return bool(options.get("weight_decay", parameter.default if parameter else 0))


def _parameter_groups(
    name: str, groups: Iterable[Mapping[str, Any]], trained: Mapping[str, nn.Parameter], spared: frozenset[str]
) -> list[dict[str, Any]]:
    """A group for each pattern and one for the rest, each cut in two where some of it is spared from decay."""
    rest = dict(trained)
    parameter_groups = []
    for group in groups:
        pattern = group["match"]
        found = {key: rest.pop(key) for key in list(rest) if fnmatchcase(key, pattern)}
        if not found:
            raise ConfigError(f"optimizer {name}: {_matches_nothing(pattern, trained, rest)}")
        own = {option: value for option, value in group.items() if option != "match"}
        parameter_groups += _split(found, frozenset() if "weight_decay" in own else spared, own)
    return parameter_groups + _split(rest, spared, {})


def _split(
    parameters: Mapping[str, nn.Parameter], spared: frozenset[str], own: Mapping[str, Any]
) -> list[dict[str, Any]]:
    decayed = [parameter for key, parameter in parameters.items() if key not in spared]
    exempt = [parameter for key, parameter in parameters.items() if key in spared]
    both = [{"params": decayed, **own}, {"params": exempt, **own, "weight_decay": 0.0}]
    return [group for group in both if group["params"]]


def _matches_nothing(pattern: str, trained: Mapping[str, nn.Parameter], rest: Mapping[str, nn.Parameter]) -> str:
    if any(fnmatchcase(key, pattern) for key in trained):
        return f"all that group {pattern!r} matches is in the groups before it."
    shown = ", ".join(list(rest)[:8]) + (", ..." if len(rest) > 8 else "")
    return f"group {pattern!r} matches no parameter that is trained.{nearest(pattern, trained)} There are: {shown}."


def _checked(name: str, made: Any) -> Optimizer | dict[str, Optimizer]:
    optimizers = made.values() if isinstance(made, dict) else [made]
    for optimizer in optimizers:
        if not isinstance(optimizer, Optimizer):
            raise ConfigError(f"optimizer {name} must return an Optimizer, or several by name, got {optimizer!r}.")
    result: Optimizer | dict[str, Optimizer] = made
    return result
