"""``check``: everything that can be known before training, without leaving a trace."""

from __future__ import annotations

from dataclasses import asdict

import click

from ignite_workflow.cli.options import (
    as_json,
    device_option,
    json_option,
    settings_argument,
    settings_from,
    target_option,
)
from ignite_workflow.settings import read_settings

__all__ = ["command"]


@click.command()
@click.argument("source", metavar="CONFIG|DATA")
@settings_argument
@target_option
@device_option
@json_option
def command(source: str, settings: tuple[str, ...], target: str | None, device: str | None, json_: bool) -> None:
    """Look at config and data, train and evaluate one batch. Nothing is written."""
    config = read_settings(source, settings_from(settings, train__device=device, data__target=target))

    from ignite_workflow.trial import try_out

    trial = try_out(config)
    if json_:
        click.echo(as_json(asdict(trial)))
        return
    for line in trial.lines():
        click.echo(line)
