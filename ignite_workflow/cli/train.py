"""``train``: from a config or a data file to a trained model."""

from __future__ import annotations

import shlex
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ignite_workflow.cli.options import (
    as_json,
    device_option,
    handler_settings,
    json_option,
    metrics_table,
    program,
    settings_argument,
    settings_from,
    target_option,
)
from ignite_workflow.quick_imports import quick_imports
from ignite_workflow.settings import placed_mistakes, read_settings

if TYPE_CHECKING:
    from ignite_workflow.job import TrainResult

__all__ = ["command", "print_result"]

_MOST_LINES = 24  # of a linear model's weights: more are not read on a terminal


@click.command()
@click.argument("source", metavar="CONFIG|DATA")
@settings_argument
@target_option
@click.option("--run-dir", type=click.Path(path_type=Path), help="Where the run is written. Default: runs/NAME.")
@click.option("--name", help="Name of the run below runs/. Default: the data's name and the time.")
@click.option("--resume", is_flag=True, help="Go on with the run that is in --run-dir, or start it.")
@click.option("--from-scratch", is_flag=True, help="Discard the checkpoints in --run-dir and start over.")
@click.option(
    "--from", "from_model", type=click.Path(path_type=Path), help="Start from the weights of a trained model."
)
@click.option("--handler", "handlers", multiple=True, metavar="ID[:OPTION=VALUE,...]", help="Add or set a handler.")
@click.option("--quiet", is_flag=True, help="No progress.")
@device_option
@json_option
def command(source: str, settings: tuple[str, ...], json_: bool, **options: Any) -> None:
    """Train a model from CONFIG (a .yaml file) or straight from DATA.

    KEY=VALUE settings go over those of the config: optimizer.lr=3e-3 model=linear handlers.curve_export=false.
    """
    given = settings_from(settings, train__device=options.pop("device"), data__target=options.pop("target"))
    given += handler_settings(options.pop("handlers"))
    if options.pop("quiet"):
        given.append("handlers.progress=false")
    config = read_settings(source, given)  # what is wrong in them is said before torch is imported

    with quick_imports(keep=True):
        from ignite_workflow.job import train

    with placed_mistakes(source, given):
        result = train(config, run_directory=options.pop("run_dir"), **options)
    print_result(result, json_)


def print_result(result: TrainResult, json_: bool) -> None:
    """Print how a training ended and leave with its exit code."""
    if json_:
        click.echo(as_json(asdict(result)))
    else:
        epochs = f"{result.epochs} epoch{'s' * (result.epochs != 1)}"
        if result.was_finished:
            click.echo(f"nothing left to do: {result.status} before: {result.reason}, {epochs}")
        else:
            click.echo(f"{result.status}: {result.reason}, {epochs}, {result.seconds:.1f} s")
        if result.metrics:
            click.echo(metrics_table(result.metrics))
        if result.coefficients:
            from ignite_workflow.coefficients import equations

            lines = list(equations(result.coefficients))
            shown = (
                lines if len(lines) <= _MOST_LINES else ["the learnt weights are in status.json, in the data's units"]
            )
            click.echo("\n".join(f"  {line}" for line in shown))
        run = shlex.quote(_shown(result.run))
        click.echo(f"run: {run}")
        if result.model is None:
            click.echo(f"go on: {program()} resume {run}")
        elif (result.run / "curves.png").is_file():
            click.echo(f"curves: {shlex.quote(_shown(result.run / 'curves.png'))}")
    sys.exit(result.exit_code)


def _shown(path: Path) -> str:
    """Relative to the current directory where it lies below it."""
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)
