"""``predict``: what a trained model says of new rows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from ignite_workflow.cli.options import as_json, json_option, read_as_said, settings_argument
from ignite_workflow.errors import ConfigError
from ignite_workflow.quick_imports import quick_imports

__all__ = ["command"]


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.argument("data")
@settings_argument
@click.option("-o", "--output", required=True, help="A .csv or .parquet file; - is CSV on stdout.")
@click.option("--probabilities", is_flag=True, help="The probability of each class too.")
@click.option(
    "--id", "id_columns", multiple=True, metavar="COLUMN", help="A column of DATA to carry over. May be repeated."
)
@click.option("--device", default="auto", show_default=True, help="cpu, cuda, cuda:1, ...")
@click.option("--trust", is_flag=True, help="Import the code that the model names: a model of your own making.")
@json_option
def command(run: Path, data: str, settings: tuple[str, ...], output: str, json_: bool, **options: Any) -> None:
    """Predict for every row of DATA with the model of RUN (a run's directory, or a model's).

    Rows keep their order; a table larger than memory is read in pieces. DATA is read as the training data was;
    KEY=VALUE settings say what is different: data.read.delimiter=';' data.read.footer=1.
    """
    if json_ and output == "-":
        raise ConfigError("-o - and --json both write to stdout: name a file, or leave --json out.")
    with quick_imports(keep=True):
        from ignite_workflow.device import set_threads
        from ignite_workflow.model_file import load_model

    set_threads(1)  # two are no faster on slices this small, and much slower on a busy machine
    predictor = load_model(run, trust=options["trust"], device=options["device"])
    rows = predictor.predict_file(
        data,
        output,
        probabilities=options["probabilities"],
        id_columns=options["id_columns"] or None,
        read=read_as_said(settings, data, predictor.data.read),
    )
    if output == "-":
        return
    click.echo(as_json({"rows": rows, "output": output}) if json_ else f"{rows:,} rows predicted: {output}")
