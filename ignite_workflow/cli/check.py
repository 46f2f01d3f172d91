"""``check``: everything that can be known before training, without leaving a trace."""

from __future__ import annotations

import sys
from dataclasses import asdict

import click

from ignite_workflow.cli.options import (
    as_json,
    device_option,
    echo,
    json_option,
    settings_argument,
    settings_from,
    target_option,
)
from ignite_workflow.quick_imports import quick_imports
from ignite_workflow.settings import placed_mistakes, read_settings

__all__ = ["command"]


@click.command()
@click.argument("source", metavar="CONFIG|DATA")
@settings_argument
@target_option
@device_option
@json_option
def command(source: str, settings: tuple[str, ...], target: str | None, device: str | None, json_: bool) -> None:
    """Look at config, data and model for what would ruin a run, and train a few batches. Nothing is written.

    Looks for leaks, duplicates and classes without rows; whether the loss starts where it should, every parameter
    gets a gradient, and a few rows can be learnt by heart; how long, how much memory and disk. An error found: exit 1.
    """
    given = settings_from(settings, train__device=device, data__target=target)
    config = read_settings(source, given)

    with quick_imports(keep=True):
        from ignite_workflow.trial import try_out

    with placed_mistakes(source, given):
        trial = try_out(config)
    if json_:
        click.echo(as_json({"passed": trial.passed, **asdict(trial)}))
    else:
        for line in trial.lines():
            echo(line, indent=8)
    sys.exit(0 if trial.passed else 1)
