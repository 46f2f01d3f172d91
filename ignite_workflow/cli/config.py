"""``config schema``: the settings there are."""

from __future__ import annotations

import json

import click

__all__ = ["command"]


@click.group()
def command() -> None:
    """The settings there are."""


@command.command()
def schema() -> None:
    """Print the JSON Schema of a config file: for editors, and to look up what there is."""
    from ignite_workflow.config_schema import config_schema

    click.echo(json.dumps(config_schema(), indent=2))
