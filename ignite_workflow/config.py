"""A run's settings: read from YAML and ``KEY=VALUE`` arguments, checked whole, written back, compared.

Reading a config imports nothing heavy: names of components are checked, their options are checked when they are built.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from pathlib import Path
from types import NoneType
from typing import Any, Literal, get_origin

from ignite_workflow.component_names import COMPONENTS, name_mistakes
from ignite_workflow.config_fields import (
    ColumnKind,
    Component,
    DataConfig,
    ReadConfig,
    RunConfig,
    SplitConfig,
    Task,
    TrainConfig,
)
from ignite_workflow.config_tree import Node, Place, parse_yaml, read_yaml, to_yaml
from ignite_workflow.errors import ConfigError, Keys, Mistake
from ignite_workflow.validation import both_ends, field_types, is_section, members, shown, type_at, validate

__all__ = [
    "ColumnKind",
    "Component",
    "DataConfig",
    "ReadConfig",
    "RunConfig",
    "SplitConfig",
    "Task",
    "TrainConfig",
    "config_digest",
    "config_from_mapping",
    "config_to_mapping",
    "diff_configs",
    "dump_config",
    "load_config",
    "settings_tree",
]

_PATHS = (("data", "path"), ("data", "split", "val"), ("data", "split", "test"))
_FILE_IMPORT = re.compile(r".+\.py:[^\W\d]\w*")


def load_config(file: str | Path, arguments: Iterable[str] = ()) -> RunConfig:
    """Read a config file.

    Args:
        file: YAML 1.2. Relative paths in it are relative to its directory.
        arguments: ``KEY=VALUE`` settings that go over those of the file: ``optimizer.lr=3e-3``, ``model=linear``,
            ``handlers.curve_export=false``. A value is YAML, but text as it stands where a setting is text. Relative
            paths are relative to the current directory.

    A setting left blank is as if it had not been given.

    Returns:
        The settings that were given, with absolute paths. What was not given is None or the field's default.

    Raises:
        ConfigError: names every mistake with its place, one a line.
    """
    return _checked(*settings_tree(file, arguments))


def config_from_mapping(
    settings: Mapping[str, Any], arguments: Iterable[str] = (), *, directory: str | Path = "."
) -> RunConfig:
    """Make a config of plain settings, as a file would hold them.

    Args:
        settings: ``{"data": {"path": "penguins.csv", "target": "species"}}``.
        arguments: as in ``load_config``.
        directory: what relative paths in ``settings`` are relative to.

    Raises:
        ConfigError: names every mistake, one a line.
    """
    return _checked(*settings_tree(settings, arguments, directory=directory))


def settings_tree(
    source: str | Path | Mapping[str, Any], arguments: Iterable[str] = (), *, directory: str | Path = "."
) -> tuple[Node, list[str]]:
    """The settings that were given, unchecked, each with the place where it was written.

    Args:
        source: a config file, or plain settings.
        arguments: as in ``load_config``.
        directory: as in ``config_from_mapping``; of a file it is its own.

    Returns:
        The tree; and a line for each argument that is not of the form of one.
    """
    if isinstance(source, Mapping):
        tree = Node.from_plain(source, Place())
    else:
        tree, directory = read_yaml(Path(source)), Path(source).parent
    if not isinstance(tree.value, dict) and tree.value is not None:
        raise ConfigError(f"{tree.place}: a config must be a mapping, got {shown(tree.to_plain())}.")
    tree.value = tree.value or {}
    _normalise(tree, Path(directory))
    malformed = []
    for argument in arguments:
        try:
            _override(tree, argument)
        except ConfigError as error:  # collected: the other mistakes are to be told as well
            malformed.append(str(error))
    return tree, malformed


def _checked(tree: Node, malformed: list[str]) -> RunConfig:
    settings = tree.to_plain()
    config, mistakes = validate(RunConfig, _fields_of(RunConfig, settings))
    named = [_with_keys(mistake) for mistake in [*mistakes, *name_mistakes(settings)]]
    lines = tree.locate(named) + malformed
    if lines:
        raise ConfigError("\n".join(lines))
    assert isinstance(config, RunConfig)
    return config


def _with_keys(mistake: Mistake) -> Mistake:
    return mistake._replace(text=f"{_dotted(mistake.keys)}: {mistake.text}") if mistake.keys else mistake


def _dotted(keys: Keys) -> str:
    return "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in keys).removeprefix(".")


def _normalise(tree: Node, directory: Path, keys: tuple[str, ...] = ()) -> None:
    """Give short forms their full form and make paths absolute, in the part of the settings that ``keys`` lead to."""
    if len(keys) == 1 and keys[0] in COMPONENTS and isinstance(tree.value, str):
        tree.value = {"name": Node(tree.value, tree.place, tree.place)}
    if len(keys) == 2 and keys[0] == "handlers" and (tree.value is None or tree.value is True):
        tree.value = {}
    if isinstance(tree.value, dict):
        for key, node in tree.value.items():
            _normalise(node, directory, (*keys, key))
    elif isinstance(tree.value, list):
        for node in tree.value:
            _normalise(node, directory, keys)
    elif isinstance(tree.value, str) and ((keys in _PATHS and tree.value) or _FILE_IMPORT.fullmatch(tree.value)):
        tree.value = os.path.abspath(directory / os.path.expanduser(tree.value))


def _override(tree: Node, argument: str) -> None:
    """Set what one ``KEY=VALUE`` argument says."""
    place = Place(f"argument {argument!r}")
    dotted, equals, text = argument.partition("=")
    if not equals:
        raise ConfigError(f"{place}: a setting is written KEY=VALUE.")
    keys = tuple(dotted.split("."))
    if keys[:2] == ("data", "columns"):  # the name of a column may hold dots
        keys = tuple(dotted.split(".", 2))
    leaf = _argument_value(text, members(type_at(RunConfig, keys)), place)
    _normalise(leaf, Path(), keys)
    replaced, is_found = tree.find(keys)
    if leaf.value is False and keys[0] == "handlers" and len(keys) == 2 and is_found and _is_own(replaced):
        del tree.find(keys[:1])[0].value[keys[1]]
    else:
        tree.put(keys, leaf)


def _is_own(handler: Node) -> bool:
    return isinstance(handler.value, dict) and "use" in handler.value


def _argument_value(text: str, expected: Sequence[Any], place: Place) -> Node:
    """The value of an argument, for a setting whose type has the members ``expected``."""
    if not all(member in (str, NoneType) or get_origin(member) in (tuple, Literal) for member in expected):
        return parse_yaml(text, place)
    if not text and NoneType in expected:
        return Node(None, place, place)
    if any(get_origin(member) is tuple for member in expected) and text.startswith("[") and text.endswith("]"):
        return parse_yaml(text, place, is_text=True)
    return Node(text, place, place)


def _fields_of(section: Any, settings: Any) -> Any:
    """The settings as a dataclass has them: without those left blank, a component's options apart from its name."""
    if not isinstance(settings, dict) or not is_section(section):
        return settings
    types = field_types(section)
    given = {key: value for key, value in settings.items() if value is not None or key not in types}
    for key in given.keys() & types.keys():
        below = next(iter(members(types[key])))
        given[key] = _component_fields(given[key]) if below is Component else _fields_of(below, given[key])
    return given


def _component_fields(component: Any) -> Any:
    if not isinstance(component, dict):
        return {"name": component}
    options = {key: value for key, value in component.items() if key != "name"}
    return {"name": component.get("name"), "options": options}


def config_to_mapping(config: RunConfig) -> dict[str, Any]:
    """The settings as plain values in the order of the fields, with absolute paths: what ``config_from_mapping`` takes.

    Settings that are None are left out, and so are empty lists and mappings.
    """
    tree = Node.from_plain(_plain(config), Place())
    _normalise(tree, Path())
    settings: dict[str, Any] = tree.to_plain()
    return settings


def _plain(value: Any) -> Any:
    if isinstance(value, Component):
        return {**({} if value.name is None else {"name": value.name}), **value.options}
    if not is_dataclass(value):
        return value
    settings = {field.name: getattr(value, field.name) for field in fields(value)}
    plain = {name: _plain(setting) for name, setting in settings.items()}
    is_given = {name: plain[name] not in (None, (), {}) or settings[name] == Component() for name in plain}
    return {name: setting for name, setting in plain.items() if is_given[name]}


def dump_config(config: RunConfig) -> str:
    """The settings as YAML that ``load_config`` reads back as an equal config."""
    return to_yaml(config_to_mapping(config))


def config_digest(config: RunConfig) -> str:
    """A digest of all settings: equal configs have equal ones. Handlers count in their order, options do not."""
    settings = config_to_mapping(config)
    settings["handlers"] = list(settings.get("handlers", {}).items())
    return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()


def diff_configs(old: RunConfig, new: RunConfig) -> list[str]:
    """The settings in which two configs differ, one a line: ``optimizer.lr: 0.001 -> 0.01``."""
    before, after = _leaves(config_to_mapping(old)), _leaves(config_to_mapping(new))
    keys = dict.fromkeys([*before, *after])
    return [
        f"{_dotted(key)}: {both_ends(before.get(key, 'not set'))} -> {both_ends(after.get(key, 'not set'))}"
        for key in keys
        if before.get(key) != after.get(key)
    ]


def _leaves(settings: Mapping[str, Any], above: Keys = ()) -> dict[Keys, str]:
    leaves: dict[Keys, str] = {}
    for key, value in settings.items():
        below = _leaves(value, (*above, key)) if isinstance(value, dict) else {}
        leaves.update(below or {(*above, key): shown(value, limit=None)})
    return leaves
