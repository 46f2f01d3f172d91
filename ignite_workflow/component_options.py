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
    mistakes = [mistake for section in ("model", "loss") for mistake in _not_finite(config, section)]
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


def _not_finite(config: RunConfig, section: str) -> Iterator[Mistake]:
    """Numbers that cannot be written into a model file, which is strict JSON."""
    component: Component | None = getattr(config, section)
    waiting: list[tuple[Keys, Any]] = [((section,), component.options)] if component else []
    while waiting:
        keys, value = waiting.pop()
        if isinstance(value, Mapping):
            waiting += [((*keys, key), inner) for key, inner in value.items()]
        elif isinstance(value, list | tuple):
            waiting += [((*keys, number), inner) for number, inner in enumerate(value)]
        elif isinstance(value, float) and not math.isfinite(value):
            where = ".".join(map(str, keys))
            yield Mistake(keys, f"{where}: must be finite, as the model file is strict JSON; got {value}.")


def _check_model_options(name: str, options: Mapping[str, Any]) -> None:
    facts = [fact for fact in models.FACTS if fact not in options]  # one that the data does not know is an option
    registry.check_options("model", name, options, registry.load("model", name), given=facts)
