"""``handlers``: what there is to plug in."""

from __future__ import annotations

import click

from ignite_workflow.cli.options import as_json, echo, json_option

__all__ = ["command"]


@click.command()
@click.argument("name", required=False)
@json_option
def command(name: str | None, json_: bool) -> None:
    """List every handler, its options with their defaults, and the events it listens to. With NAME, only that one.

    NAME may be the import path of a handler of your own.
    """
    from ignite_workflow.handler_catalogue import describe_handlers

    entries = describe_handlers(name)
    if json_:
        click.echo(as_json({"handlers": [entry.__dict__ for entry in entries]}))
        return
    for entry in entries:
        lines = [f"{option['name']}={option['default']}  {option['text']}".rstrip() for option in entry.options]
        echo(_readable(f"{entry.name}: {entry.summary}"), indent=2)
        for line in (f"listens to: {', '.join(entry.events) or 'nothing without data'}", *lines):
            echo(f"  {_readable(line)}")
        click.echo()


def _readable(text: str) -> str:
    """What docstrings mark as code, marked as the docs do."""
    return text.replace("``", "`")
