"""The options of all components of a run, checked against the signatures of what their names stand for.

Names are checked when a config is read; their options need an import, which takes seconds, but no data. So all that can
be wrong with them is told at once, before a large table is read. What only the data can tell is left to the builders.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

from ignite_workflow import models, registry
from ignite_workflow.component_names import COMPONENTS
from ignite_workflow.config import Component, RunConfig
from ignite_workflow.errors import ConfigError, Keys, Mistake, mistaken_at
from ignite_workflow.handler_specs import check_handler_options
from ignite_workflow.losses import check_loss_options
from ignite_workflow.optimizers import check_optimizer_options
from ignite_workflow.recipe import DEFAULT_NAMES
from ignite_workflow.schedules import check_schedule_options

__all__ = ["check_components"]


def check_components(config: RunConfig) -> None:
    """Import all components that ``config`` names and check their options.

    Args:
        config: what was given; a component without a name is the default one, where that is the same for all data.

    Raises:
        ConfigError: names every wrong option, one a line.
    """
    mistakes = [*_not_finite(config), *_not_numbers(config)]
    for keys, check in _checks(config):
        try:
            with mistaken_at(*keys):
                check()
        except ConfigError as error:  # collected: the others are to be told as well
            mistakes += error.mistakes
    if mistakes:
        raise ConfigError.of(mistakes)


def _checks(config: RunConfig) -> Iterator[tuple[Keys, Callable[[], None]]]:
    """What is to be checked, and the setting that is at fault where a check names none."""
    sections = {
        "model": _check_model_options,
        "loss": check_loss_options,
        "optimizer": check_optimizer_options,
        "schedule": check_schedule_options,
    }
    for section, check in sections.items():
        component: Component | None = getattr(config, section)
        name = component and (component.name or DEFAULT_NAMES.get(section))
        if component and name:
            yield (section, "name"), partial(check, name, component.options)
    for name, spec in config.handlers.items():
        if spec is not False:
            yield ("handlers", name), partial(check_handler_options, name, {} if spec is True else spec)


def _not_finite(config: RunConfig) -> Iterator[Mistake]:
    """Options that must be finite and are not: comparisons let NaN through, and some of torch's let infinity."""
    whys = {"model": "as the model file is strict JSON", "loss": "as the model file is strict JSON"}
    for section in COMPONENTS:
        component: Component | None = getattr(config, section)
        why = f", {whys[section]}" if section in whys else ""
        for keys, value in _floats((section,), component.options if component else {}):
            if not math.isfinite(value):
                yield Mistake(keys, f"{'.'.join(map(str, keys))}: must be finite{why}; got {value}.")


def _not_numbers(config: RunConfig) -> Iterator[Mistake]:
    """Options of handlers that are NaN. Infinity may have a meaning there: a norm's type, or never."""
    for keys, value in _floats(("handlers",), config.handlers):
        if math.isnan(value):
            yield Mistake(keys, f"{'.'.join(map(str, keys))}: must be a number; got {value}.")


def _floats(keys: Keys, tree: Any) -> Iterator[tuple[Keys, float]]:
    """The floats in plain values, each with the way to it."""
    if isinstance(tree, float):
        yield keys, tree
    elif isinstance(tree, Mapping):
        for key, inner in tree.items():
            yield from _floats((*keys, key), inner)
    elif isinstance(tree, list | tuple):
        for number, inner in enumerate(tree):
            yield from _floats((*keys, number), inner)


def _check_model_options(name: str, options: Mapping[str, Any]) -> None:
    facts = [fact for fact in models.FACTS if fact not in options]  # one that the data does not know is an option
    registry.check_options("model", name, options, registry.load("model", name), given=facts)
