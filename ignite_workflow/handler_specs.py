"""Which handlers a run has: the default ones, what a config changes of them, and how they are built."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from ignite_workflow import registry
from ignite_workflow.built_in import BUILT_IN
from ignite_workflow.errors import ConfigError, mistaken_at, noted

if TYPE_CHECKING:
    from ignite_workflow.handler import Handler

__all__ = [
    "DEFAULT_HANDLERS",
    "NO_HANDLERS",
    "build_handlers",
    "check_handler_options",
    "handler_class",
    "in_order",
    "merge_handlers",
    "without_loss",
]

log = logging.getLogger(__name__)

DEFAULT_HANDLERS: Mapping[str, Mapping[str, Any]] = {
    "evaluation": {},
    "loss_logging": {},
    "lr_schedule": {},
    "early_stopping": {},
    "best_weights": {},
    "watchdog": {},
    "nan_guard": {},
    "progress": {},
    "status_file": {},
    "tensorboard": {},
    "curve_export": {},
    "checkpointing": {},
}
"""In the order in which they are attached, and so run within an event; further ones stand before ``_REPORTING``."""

NO_HANDLERS: Mapping[str, dict[str, Any] | bool] = dict.fromkeys(DEFAULT_HANDLERS, False)
"""The setting ``handlers`` of a run without any."""

_REPORTING = ("nan_guard", "progress", "status_file", "tensorboard", "curve_export", "checkpointing")  # what others did
_PARTS = (
    "attach",
    "state_dict",
    "load_state_dict",
    "close",
    "after",
    "observer",
    "needs_directory",
    "needs_validation",
)
_WATCHING_THE_LOSS = ("early_stopping", "best_weights")  # unless they are told another metric


def merge_handlers(
    given: Mapping[str, Any], *, has_validation: bool, has_directory: bool, has_schedule: bool
) -> dict[str, Any]:
    """The handlers of a run by id: the default ones that have something to work on, changed and joined by ``given``.

    Args:
        given: options, a ``Handler``, ``True`` (default options) or ``False`` (leave it out).
        has_validation: there are validation data.
        has_directory: the run is written to disk.
        has_schedule: there is a learning rate schedule.

    Raises:
        ConfigError: one that was asked for has nothing to work on.
    """
    merged: dict[str, Any] = {}
    reporting = {name: {**DEFAULT_HANDLERS, **given}[name] for name in _REPORTING}
    others = {name: options for name, options in {**DEFAULT_HANDLERS, **given}.items() if name not in reporting}
    for name, options in {**others, **reporting}.items():
        chosen = {} if options is True else options
        if chosen is False:
            continue
        lacking = _lacking(name, chosen, has_validation, has_directory, has_schedule)
        if lacking and name in given:
            with mistaken_at("handlers", name):
                raise ConfigError(f"handler {name} needs {lacking}")
        if not lacking:
            merged[name] = chosen
    return merged


def without_loss(given: Mapping[str, Any]) -> dict[str, Any]:
    """``given``, without the default handlers that watch the validation loss, for a run that does not measure it."""
    left_out = [name for name in _WATCHING_THE_LOSS if name not in given]
    if left_out:
        log.warning(
            "left out: %s. They watch the validation loss, which is not measured: name another metric and its mode.",
            ", ".join(left_out),
        )
    return {**given, **dict.fromkeys(left_out, False)}


def _lacking(name: str, spec: Any, has_validation: bool, has_directory: bool, has_schedule: bool) -> str:
    if name == "lr_schedule" and not has_schedule:
        return "a schedule"
    cls = _checked(name, spec, type(spec)) if not isinstance(spec, Mapping) else handler_class(name, spec)
    if cls.needs_validation and not has_validation:
        return "validation data"
    if cls.needs_directory and not has_directory:
        return "a run directory"
    return ""


def handler_class(name: str, spec: Mapping[str, Any]) -> type[Handler]:
    """The class of the handler with that id: the one ``use`` names, or the one of that name.

    Raises:
        UnknownNameError: there is none.
        ConfigError: what was named is not a handler.
    """
    use = spec.get("use", name)
    return _checked(name, use, registry.load("handler", use))


def _checked(name: str, given: Any, cls: Any) -> type[Handler]:
    """``cls``, which has what a handler has: the class ``Handler`` itself is not known here."""
    if not inspect.isclass(cls) or inspect.isabstract(cls) or not all(hasattr(cls, part) for part in _PARTS):
        raise ConfigError(f"handler {name}: {given} is not a Handler class, or none of its objects")
    return cast("type[Handler]", cls)


def build_handlers(merged: Mapping[str, Any]) -> dict[str, Handler]:
    """Build the handlers of ``merge_handlers`` from their options.

    Raises:
        ConfigError: an option that does not exist or cannot have that value.
    """
    handlers: dict[str, Handler] = {}
    for name, spec in merged.items():
        if not isinstance(spec, Mapping):
            handlers[name] = spec
            continue
        check_handler_options(name, spec)
        with mistaken_at("handlers", name), noted(f"the constructor of handler {name}"):
            handlers[name] = handler_class(name, spec)(**_options(spec))
    return handlers


def check_handler_options(name: str, spec: Mapping[str, Any]) -> None:
    """Check the options of the handler with that id against the fields of its class.

    Raises:
        UnknownNameError, ConfigError: as ``build_handlers``.
    """
    with mistaken_at("handlers", name, "use"):
        cls = handler_class(name, spec)
    registry.check_options("handler", name, _options(spec), cls, at=("handlers", name))


def _options(spec: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in spec.items() if key != "use"}


def in_order(handlers: Mapping[str, Handler]) -> dict[str, Handler]:
    """``handlers``, each after those it names in ``after``, otherwise in the order given.

    Raises:
        ConfigError: there is no such order.
    """
    waiting, ordered = dict(handlers), {}
    called = {name: {name, *_kinds(type(handler))} for name, handler in handlers.items()}
    while waiting:
        ready = [
            name
            for name, handler in waiting.items()
            if not any(called[other].intersection(handler.after) for other in waiting if other != name)
        ]
        if not ready:
            raise ConfigError(f"handlers {', '.join(waiting)} each come after one another")
        ordered[ready[0]] = waiting.pop(ready[0])
    return ordered


def _kinds(cls: type[Handler]) -> list[str]:
    """The names of the built-in handlers that a class is, or is derived from."""
    bases = {f"{base.__module__}:{base.__qualname__}" for base in cls.__mro__}
    return [name for name, home in BUILT_IN["handler"].items() if home in bases]
