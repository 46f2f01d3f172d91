"""What a check found: one line each, with what to do about it."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from ignite_workflow.display import printable

__all__ = ["Level", "Remark", "column_setting", "columns_named", "listed"]

Level = Literal["error", "warning", "note"]

_MOST_NAMED = 5


@dataclass(frozen=True)
class Remark:
    """One finding.

    Attributes:
        level: ``error``: the run would be for nothing; ``warning``: it may mean something else than it seems to;
            ``note``: good to know.
        text: what was found, and what to do.
    """

    level: Level
    text: str

    def line(self) -> str:
        """For people: the level, and what was found."""
        return f"{self.level:7} {self.text}"


def listed(names: Sequence[str]) -> str:
    """Names as text, of very many the first ones.

    Example:
        >>> listed(["a", "b"]), listed(list("abcdefgh"))
        ("'a' and 'b'", "'a', 'b', 'c', 'd', 'e' and 3 more")
    """
    shown = [f"'{printable(name)}'" for name in names[:_MOST_NAMED]]
    more = len(names) - len(shown)
    if more:
        return f"{', '.join(shown)} and {more} more"
    return " and ".join([", ".join(shown[:-1]), shown[-1]] if len(shown) > 1 else shown)


def columns_named(names: Sequence[str]) -> str:
    """Columns as the subject of a sentence.

    Example:
        >>> columns_named(["a"]), columns_named(["a", "b"])
        ("column 'a'", "columns 'a' and 'b'")
    """
    return f"column{'s' if len(names) > 1 else ''} {listed(names)}"


def column_setting(name: str, kind: str) -> str:
    """The setting that says what a column is, as a shell takes it.

    Example:
        >>> column_setting("zip", "category"), column_setting("zip code", "ignore")
        ('data.columns.zip=category', "'data.columns.zip code=ignore'")
    """
    return shlex.quote(printable(f"data.columns.{name}={kind}"))
