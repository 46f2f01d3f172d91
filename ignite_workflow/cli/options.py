"""Options that several commands share, and how results are printed."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

import click

from ignite_workflow.config import ReadConfig, config_from_mapping
from ignite_workflow.display import format_number, wrapped
from ignite_workflow.errors import ConfigError
from ignite_workflow.strict_json import to_json

__all__ = [
    "as_json",
    "device_option",
    "echo",
    "handler_settings",
    "json_option",
    "metrics_table",
    "program",
    "read_as_said",
    "settings_argument",
    "settings_from",
    "target_option",
    "terminal_width",
]

_OF_CELLS = tuple(
    f"data.read.{name}"
    for name in ("decimal", "thousands", "flags", "negative", "day_first", "first_year", "zones", "missing_words")
)

settings_argument = click.argument("settings", nargs=-1, metavar="[KEY=VALUE]...")
target_option = click.option("--target", metavar="COLUMN", help="The column to predict: short for data.target=COLUMN.")
device_option = click.option(
    "--device", metavar="DEVICE", help="auto, cpu, cuda, cuda:1, ...: short for train.device=DEVICE."
)
json_option = click.option("--json", "json_", is_flag=True, help="Print one JSON document and nothing else on stdout.")


def settings_from(settings: tuple[str, ...], **shorts: str | None) -> list[str]:
    """The ``KEY=VALUE`` settings of a command line, short options first.

    Args:
        settings: as they were given.
        **shorts: settings by key, with ``__`` for the dots; None where not given.
    """
    for setting in settings:
        if "=" not in setting:
            raise ConfigError(f"argument {setting!r} must have the form KEY=VALUE")
    given = [f"{key.replace('__', '.')}={value}" for key, value in shorts.items() if value is not None]
    return [*given, *settings]


def read_as_said(settings: tuple[str, ...], data: str, read: ReadConfig) -> ReadConfig:
    """How a new file is read: as the training data was, but for what is said now.

    Args:
        settings: ``data.read.*=VALUE``, as they were given.
        data: the file.
        read: how the training data was read.

    Raises:
        ConfigError: a setting is none of ``data.read``, would change what cells mean, or has no effect on such a file.
    """
    for setting in settings:
        if not setting.startswith("data.read."):
            raise ConfigError(f"argument {setting!r}: only how DATA is read can be said here: data.read.delimiter=';'.")
        if setting.startswith(_OF_CELLS):
            raise ConfigError(f"argument {setting!r}: cells mean what they meant in training.")
    as_trained = {name: value for name, value in asdict(read).items() if value is not None}
    said = config_from_mapping({"data": {"path": data, "read": as_trained}}, settings_from(settings)).data.read
    if settings:
        _refuse_without_effect(settings, data)
    return said


def _refuse_without_effect(settings: tuple[str, ...], data: str) -> None:
    from ignite_workflow.data.file_formats import READ_KEYS, find_file_format
    from ignite_workflow.data.paths import table_paths

    path = table_paths(data)[0]
    file_format = find_file_format(path)
    keys = READ_KEYS[file_format]
    for setting in settings:
        if setting.removeprefix("data.read.").partition("=")[0] not in keys:
            known = ", ".join(f"data.read.{key}" for key in keys)
            raise ConfigError(
                f"argument {setting!r} has no effect: {path} is {file_format}, where {known} can be said."
            )


def handler_settings(specs: Iterable[str]) -> list[str]:
    """``ID[:OPTION=VALUE,...]`` as settings: ``checkpointing:keep=3`` is ``handlers.checkpointing.keep=3``."""
    settings = []
    for spec in specs:
        name, _, options = spec.partition(":")
        if "." in name:
            raise ConfigError(f"--handler {spec!r}: a handler of your own needs an id: my_handler:use={spec}")
        if not options:
            settings.append(f"handlers.{name}=true")
        for option in filter(None, _split(options)):
            if "=" not in option:
                raise ConfigError(f"--handler {spec!r}: {option!r} must have the form OPTION=VALUE")
            settings.append(f"handlers.{name}.{option}")
    return settings


def _split(options: str) -> list[str]:
    """Cut at the commas that stand outside brackets: ``metrics=[accuracy,f1],every={epochs: 2}`` are two options."""
    parts, depth = [""], 0
    for character in options:
        depth += (character in "[{") - (character in "]}")
        if character == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += character
    return parts


def echo(line: str, *, indent: int = 4) -> None:
    """Print a line of the result: on a terminal wrapped at words, elsewhere whole."""
    click.echo(wrapped(line, terminal_width(), indent=indent))


def terminal_width() -> int | None:
    """The columns of the terminal that the result is printed on; None where it goes elsewhere."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def program() -> str:
    """How this command line was called, for commands that are suggested."""
    name = click.get_current_context().find_root().info_name or "ignite-workflow"
    return f"python {name}" if name.endswith(".py") else name


def as_json(document: Mapping[str, Any]) -> str:
    """One line of strict JSON: values that are not finite become the strings of ``metrics.jsonl``."""
    return to_json(document, default=str)


def metrics_table(metrics: Mapping[str, float]) -> str:
    """The metrics by split and name, a line each."""
    width = max(map(len, metrics), default=0)
    return "\n".join(f"  {name:<{width}}  {format_number(value)}" for name, value in metrics.items())
