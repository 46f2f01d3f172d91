"""``python -m ignite_workflow ...``: the command line."""

import os
import sys

from ignite_workflow.early_signals import answer_signals

__all__ = ["main"]


def main() -> None:
    """Answer signals from the first moment on; then read the command."""
    open_closed_streams()
    answer_signals()

    from ignite_workflow.cli import main as command_line

    command_line()


def open_closed_streams() -> None:
    """Open the null device as stdin, stdout or stderr where that one is closed, as daemons and ``2>&-`` have it.

    Else Python has no such stream, and its number goes to the next file that is opened, which may be one of the run:
    what the system writes to number 2 would stand in it.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            descriptor = os.open(os.devnull, os.O_RDWR)  # the lowest number that is free: that stream's
            os.set_inheritable(descriptor, True)
            setattr(sys, name, open(descriptor, mode))  # noqa: SIM115 open until the process ends


if __name__ == "__main__":
    main()
