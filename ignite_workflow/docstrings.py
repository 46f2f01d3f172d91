"""What docstrings say of each field, option or argument: for the JSON Schema, the docs and ``handlers``."""

from __future__ import annotations

import inspect
import re

__all__ = ["described_names"]


def described_names(cls: type, section: str) -> dict[str, str]:
    """What a section of a class's docstring says of each name in it, on one line each.

    Args:
        cls: has a docstring.
        section: "Args" or "Attributes".

    Example:
        >>> from ignite_workflow.config import DataConfig
        >>> described_names(DataConfig, "Attributes")["task"]
        'what is learnt.'
    """
    _, _, listed = (inspect.getdoc(cls) or "").partition(f"{section}:\n")
    entries = re.findall(r"^    (\w+): (.*(?:\n {5,}.*)*)", listed.partition("\n\n")[0], flags=re.MULTILINE)
    return {name: " ".join(text.split()) for name, text in entries}
