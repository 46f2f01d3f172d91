"""The settings of a run, from whatever a person points at. Imports nothing heavy."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ignite_workflow.config import RunConfig, config_from_mapping, load_config

__all__ = ["Source", "read_settings"]

Source = str | Path | Mapping[str, Any] | RunConfig

_CONFIG_FILES = (".yaml", ".yml")


def read_settings(source: Source, arguments: Iterable[str] = (), *, target: str | None = None) -> RunConfig:
    """The settings that were given; those left open stay None.

    Args:
        source: a config file (``.yaml``), a data file, settings as a config file would hold them, or a ``RunConfig``.
        arguments: ``KEY=VALUE`` settings that go over those of ``source``.
        target: the column to predict: short for ``data.target=...``.

    Raises:
        ConfigError: names every mistake, one a line.
    """
    if isinstance(source, RunConfig):
        return source
    given = list(arguments) if target is None else [*arguments, f"data.target={target}"]
    if isinstance(source, Mapping):
        return config_from_mapping(source, given)
    if Path(source).suffix.lower() in _CONFIG_FILES:
        return load_config(source, given)
    return config_from_mapping({"data": {"path": str(source)}}, given)
