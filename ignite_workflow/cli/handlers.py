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
        echo(f"{entry.name}: {entry.summary}", indent=2)
        echo(f"  listens to: {', '.join(entry.events) or 'nothing without data'}")
        for option in entry.options:
            echo(f"  {option['name']}={option['default']}  {option['text']}")
        click.echo()
