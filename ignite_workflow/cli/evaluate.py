"""``evaluate``: how good a trained model is."""

from __future__ import annotations

import shutil
from pathlib import Path

import click

from ignite_workflow.cli.options import as_json, json_option

__all__ = ["command"]


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.argument("data", required=False)
@click.option(
    "--pictures", type=click.Path(path_type=Path), metavar="DIR", help="Where pictures go. Default: RUN/evaluation."
)
@click.option("--device", default="auto", show_default=True, help="cpu, cuda, cuda:1, ...")
@click.option("--trust", is_flag=True, help="Import the code that the model names: a model of your own making.")
@json_option
def command(run: Path, data: str | None, pictures: Path | None, device: str, trust: bool, json_: bool) -> None:
    """Measure the model of RUN on its own test split, or on DATA, a new file with the target's column.

    Prints the metrics, the figures of each class and the confusion matrix (or each target's errors), and draws them.
    """
    from ignite_workflow.device import set_threads
    from ignite_workflow.evaluation_output import evaluation_text, write_pictures
    from ignite_workflow.evaluation_report import evaluate
    from ignite_workflow.model_file import load_model

    set_threads(1)  # as in training
    predictor = load_model(run, trust=trust, device=device)
    found = evaluate(predictor, data)
    written = write_pictures(found, pictures or run / "evaluation")
    if json_:
        click.echo(as_json({**found.to_dict(), "pictures": [str(path) for path in written]}))
        return
    click.echo(evaluation_text(found, width=shutil.get_terminal_size().columns))
    click.echo(f"pictures in {written[0].parent}: {', '.join(path.name for path in written)}")
