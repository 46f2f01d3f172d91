"""The settings of a run, from whatever a person points at. Imports nothing heavy."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ignite_workflow.config import RunConfig, config_from_mapping, config_to_mapping, load_config, settings_tree
from ignite_workflow.errors import ConfigError

__all__ = ["Source", "placed_mistakes", "read_settings"]

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
    settings, given = _given(config_to_mapping(source) if isinstance(source, RunConfig) else source, arguments, target)
    if isinstance(source, RunConfig) and not given:
        return source
    return config_from_mapping(settings, given) if isinstance(settings, Mapping) else load_config(settings, given)


def _given(
    source: str | Path | Mapping[str, Any], arguments: Iterable[str], target: str | None
) -> tuple[Path | Mapping[str, Any], list[str]]:
    """A config file or plain settings, and the arguments that go over them."""
    given = list(arguments) if target is None else [*arguments, f"data.target={target}"]
    if isinstance(source, Mapping):
        return source, given
    is_config = Path(source).suffix.lower() in _CONFIG_FILES
    return (Path(source) if is_config else {"data": {"path": str(source)}}), given


@contextmanager
def placed_mistakes(source: Source, arguments: Iterable[str] = (), *, target: str | None = None) -> Iterator[None]:
    """Settings that are found wrong within are told with the places where they were written.

    Reading a config checks the names of components; their options are checked when these have been imported, and some
    settings when the data is known. By then only the settings are left: where they stand is looked up again.

    Args:
        source: what ``read_settings`` has read.
        arguments: likewise.
        target: likewise.
    """
    try:
        yield
    except ConfigError as error:
        if error.mistakes and not isinstance(source, RunConfig):
            tree, _ = settings_tree(*_given(source, arguments, target))
            error.args = ("\n".join(tree.locate(error.mistakes)),)
            error.mistakes = ()
        raise
