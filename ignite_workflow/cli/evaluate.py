"""``evaluate``: how good a trained model is."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import click

from ignite_workflow.cli.options import (
    as_json,
    echo,
    json_option,
    read_as_said,
    settings_argument,
    terminal_width,
)
from ignite_workflow.quick_imports import quick_imports

__all__ = ["command"]


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.argument("data", required=False)
@settings_argument
@click.option(
    "--pictures",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Where pictures and evaluation.json go. Default: RUN/evaluation.",
)
@click.option("--importance", is_flag=True, help="Measure too how much worse the model gets without each column.")
@click.option("--device", default="auto", show_default=True, help="cpu, cuda, cuda:1, ...")
@click.option("--trust", is_flag=True, help="Import the code that the model names: a model of your own making.")
@json_option
def command(
    run: Path, data: str | None, settings: tuple[str, ...], pictures: Path | None, json_: bool, **options: Any
) -> None:
    """Measure the model of RUN on its own test split, or on DATA, a new file with the target's column.

    DATA is read as the training data was; KEY=VALUE settings say what is different: data.read.delimiter=';'.

    Prints the metrics, the figures of each class and the confusion matrix (or each target's errors), how far
    probabilities can be believed and what misleads, draws them, and writes every figure to evaluation.json.
    """
    with quick_imports(keep=True):
        from tqdm import tqdm

        from ignite_workflow.device import set_threads
        from ignite_workflow.evaluation_output import evaluation_text, write_evaluation
        from ignite_workflow.evaluation_report import evaluate
        from ignite_workflow.model_file import load_model

    set_threads(1)  # as in training
    predictor = load_model(run, trust=options["trust"], device=options["device"])
    watch = partial(tqdm, desc="columns", leave=False, disable=None)
    found = evaluate(
        predictor,
        data,
        read=None if data is None else read_as_said(settings, data, predictor.data.read),
        importance=options["importance"],
        watch=watch,
    )
    report, *drawn = write_evaluation(found, pictures or run / "evaluation")
    if json_:
        click.echo(as_json({**found.to_dict(), "report": str(report), "pictures": [str(path) for path in drawn]}))
        return
    click.echo(evaluation_text(found, width=terminal_width()))
    echo(f"in {report.parent}: {', '.join(path.name for path in (report, *drawn))}")
