"""``python -m ignite_workflow ...``: the command line."""

from ignite_workflow.early_signals import answer_signals

__all__ = ["main"]


def main() -> None:
    """Answer signals from the first moment on; then read the command."""
    answer_signals()

    from ignite_workflow.cli import main as command_line

    command_line()


if __name__ == "__main__":
    main()
