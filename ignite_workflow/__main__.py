"""``python -m ignite_workflow ...``: the command line."""

from ignite_workflow.cli import main

if __name__ == "__main__":
    main()
