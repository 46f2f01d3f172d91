"""``replay``: run the batch at which training diverged again."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path

import click

from ignite_workflow.cli.options import as_json, json_option
from ignite_workflow.quick_imports import quick_imports

__all__ = ["command"]


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--iteration", type=int, help="Of the batch. Default: the newest that is kept.")
@click.option("--device", metavar="DEVICE", help="auto, cpu, cuda, cuda:1, ... Default: that of the run.")
@json_option
def command(run: Path, iteration: int | None, device: str | None, json_: bool) -> None:
    """Run the batch at which RUN diverged again, with the weights it met, and say what is not finite where.

    The handler nan_guard keeps such batches in RUN/bad_batches. Nothing is written. Exits with 1 where something is not
    finite again, with 0 where all is finite.
    """
    with quick_imports(keep=True):
        from ignite_workflow.replay import replay

    found = replay(run.resolve(), iteration=iteration, device=device)
    if json_:
        click.echo(as_json(asdict(found)))
    else:
        click.echo(f"iteration {found.iteration}, epoch {found.epoch}, batch {found.batch}")
        click.echo("\n".join(f"  not finite: {what}" for what in found.found) or "  everything is finite")
        click.echo(f"  {found.place()}")
    sys.exit(1 if found.found else 0)
