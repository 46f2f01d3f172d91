"""The command line: parses, calls, prints; decides nothing itself.

A command's module is imported when the command is used, and what it calls when it is run: ``--help`` and the message
for a mistyped option import neither torch nor ignite.
"""

from __future__ import annotations

import errno
import logging
import os
import sys
from importlib import import_module
from typing import Any

import click

import ignite_workflow
from ignite_workflow.errors import WorkflowError, nearest
from ignite_workflow.memory import memory_told

__all__ = ["Cli", "main"]

log = logging.getLogger("ignite_workflow")

_LESS_MEMORY = "End other programs, raise the limit (ulimit -v), or use a smaller model"
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EIO)
_WRONG_PLACE = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ELOOP, errno.ENOTDIR, errno.ENAMETOOLONG)
_COMMANDS = {
    "init": "Look at a data file and write a commented config for it.",
    "check": "Look at config and data and try one batch; write nothing.",
    "train": "Train a model from a config or straight from data.",
    "resume": "Go on with a run that was stopped.",
    "replay": "Run the batch at which a run diverged again.",
    "evaluate": "Measure a trained model on its test split or on new data.",
    "predict": "Predict for the rows of a new file.",
    "handlers": "List every handler, its options and the events it listens to.",
    "config": "The settings there are, as JSON Schema.",
}


class Cli(click.Group):
    """Imports a command when it is used; shows the errors a person can cause as lines, without a traceback."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 click's signature
        """The commands in the order in which they are met."""
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 click's signature
        """The command of that name; None where there is none."""
        if cmd_name not in _COMMANDS:
            return None
        command: click.Command = import_module(f"ignite_workflow.cli.{cmd_name}").command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click's, with the nearest name where there is no such command."""
        name = args[0]
        if name not in _COMMANDS and not name.startswith("-"):
            ctx.fail(f"No such command {name!r}.{nearest(name, _COMMANDS)} Known: {', '.join(_COMMANDS)}.")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """The list of commands, without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(_COMMANDS.items()))

    def main(self, *args: Any, **extra: Any) -> Any:
        """As click's; where standard output goes to a full disk that is one line too."""
        try:
            return super().main(*args, **extra)
        except OSError as error:
            if error.errno not in _FULL or error.filename is not None:
                raise
            click.echo(f"Error: the output cannot be written: {error.strerror}.", err=True)
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # Python tries again when it ends
            sys.exit(1)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; the library's warnings go to stderr."""
        os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")  # looking for any is a tenth of a short command
        warnings = logging.StreamHandler(sys.stderr)
        warnings.setLevel(logging.WARNING)
        warnings.setFormatter(logging.Formatter("%(levelname)s: %(message)s"))
        log.addHandler(warnings)
        try:
            with memory_told("for this command", _LESS_MEMORY):
                return super().invoke(ctx)
        except WorkflowError as error:
            for line in str(error).splitlines():
                click.echo(f"Error: {line}", err=True)
            sys.exit(error.exit_code)
        except OSError as error:
            if error.errno not in _WRONG_PLACE or error.filename is None:
                raise
            click.echo(f"Error: {error.strerror}: {error.filename}", err=True)
            sys.exit(2)
        except KeyboardInterrupt:
            click.echo("Interrupted.", err=True)
            sys.exit(130)
        finally:
            log.removeHandler(warnings)


@click.group(cls=Cli, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(ignite_workflow.__version__, prog_name="ignite-workflow")
def main() -> None:
    """Point it at data, get a trained model."""
