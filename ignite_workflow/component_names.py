"""The components that a config names: whether there are such, as far as that is known without importing them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ignite_workflow import registry
from ignite_workflow.errors import ConfigError, Keys, Mistake
from ignite_workflow.validation import shown

__all__ = ["COMPONENTS", "name_mistakes"]

COMPONENTS = ("model", "loss", "optimizer", "schedule")
"""The sections that name one component each."""

_HANDLER_ID = re.compile(r"[a-z][a-z0-9_]*")


def name_mistakes(settings: Mapping[str, Any]) -> list[Mistake]:
    """Mistakes in the names of components. Values of the wrong type are told by others.

    Args:
        settings: of a whole config, unchecked.
    """
    named = [("data_kind", ("data", "kind")), ("step", ("train", "step"))]
    named += [(section, (section, "name")) for section in COMPONENTS]
    mistakes = []
    for kind, (section, key) in named:
        found = settings.get(section)
        if isinstance(found, dict) and isinstance(found.get(key), str):
            mistakes += _name_mistake(kind, found[key], (section, key))
    data = settings.get("data")
    if isinstance(data, dict) and data.get("path") is None and not registry.is_import_path(str(data.get("kind"))):
        mistakes.append(Mistake(("data", "path"), "is missing."))
    handlers = settings.get("handlers")
    for handler_id, options in handlers.items() if isinstance(handlers, dict) else ():
        mistakes += _handler_mistakes(handler_id, options)
    return mistakes


def _handler_mistakes(handler_id: str, options: Any) -> list[Mistake]:
    keys = ("handlers", handler_id)
    if not isinstance(options, dict) or "use" not in options:
        return _name_mistake("handler", handler_id, keys)
    if not _HANDLER_ID.fullmatch(handler_id):
        return [Mistake(keys, "an id must be lower-case letters, digits and underscores, a letter first.", at_key=True)]
    if not isinstance(options["use"], str):
        return [Mistake((*keys, "use"), f"must be text, got {shown(options['use'])}.")]
    return _name_mistake("handler", options["use"], (*keys, "use"))


def _name_mistake(kind: str, name: str, keys: Keys) -> list[Mistake]:
    try:
        registry.check_name(kind, name)
    except ConfigError as error:
        return [Mistake(keys, str(error), at_key=keys[-1] == name)]
    return []
