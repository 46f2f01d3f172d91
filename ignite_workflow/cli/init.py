"""``init``: from a data file to a config to start from."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from ignite_workflow.cli.options import echo, program, settings_argument, settings_from, target_option, terminal_width
from ignite_workflow.errors import ConfigError
from ignite_workflow.quick_imports import quick_imports
from ignite_workflow.settings import placed_mistakes, read_settings

__all__ = ["command"]


@click.command()
@click.argument("data")
@settings_argument
@target_option
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), default="config.yaml", show_default=True, help="The config."
)
@click.option("--force", is_flag=True, help="Replace the config that is there.")
def command(data: str, settings: tuple[str, ...], target: str | None, output: Path, force: bool) -> None:
    """Look at every cell of DATA, say what each column is taken for and why, and write a commented config.

    KEY=VALUE settings go into it: data.split.test=test_rows.txt data.columns.zip=category.
    """
    if output.exists() and not force:
        raise ConfigError(f"{output} is there already: name another with --output, or replace it with --force")
    given = settings_from(settings, data__target=target)
    config = read_settings(data, given)

    with quick_imports(keep=True):
        from ignite_workflow.durable import replace_file
        from ignite_workflow.starter import class_counts, describe_columns, start_from

    with placed_mistakes(data, given):
        start = start_from(config, output.absolute().parent)
    report = start.report
    try:
        replace_file(output.absolute(), start.text)  # before anything is said: a reader such as head may close the pipe
    except OSError as error:
        raise ConfigError(f"cannot write {output}: {error.strerror}") from None
    click.echo(f"{data}: {report.rows:,} rows, {len(report.columns)} columns")
    for note in report.notes:
        echo(note)
    for line in describe_columns(report, terminal_width()):
        click.echo(line)
    echo(f"task: {report.task}: {report.why}")
    if report.classes:
        echo(f"classes: {class_counts(report.classes)}")
    for remark in start.remarks:
        echo(remark.line(), indent=8)
    click.echo(f"wrote {output}; next: {program()} train {shlex.quote(str(output))}")
