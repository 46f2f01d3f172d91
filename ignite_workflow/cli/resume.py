"""``resume``: go on with a run, from its own config."""

from __future__ import annotations

from pathlib import Path

import click

from ignite_workflow.cli.options import json_option, settings_argument, settings_from
from ignite_workflow.cli.train import print_result
from ignite_workflow.errors import RunDirectoryError
from ignite_workflow.quick_imports import quick_imports
from ignite_workflow.settings import placed_mistakes, read_settings

__all__ = ["command"]


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
@settings_argument
@json_option
def command(run: Path, settings: tuple[str, ...], json_: bool) -> None:
    """Go on with RUN, a run's directory (runs/latest is the newest), where it stopped.

    KEY=VALUE settings may change what has no influence on the numbers, and train.max_epochs where the schedule does not
    depend on it. A finished run has nothing left to do and stays as it is.
    """
    if not (run / "config.yaml").is_file():
        raise RunDirectoryError(f"{run} holds no run: there is no {run / 'config.yaml'}")
    given = settings_from(settings)
    config = read_settings(run / "config.yaml", given)

    with quick_imports(keep=True):
        from ignite_workflow.job import train

    with placed_mistakes(run / "config.yaml", given):
        result = train(config, run_directory=run.resolve(), resume=True)
    print_result(result, json_)
