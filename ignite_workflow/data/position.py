"""Where in a table a pass over it stands: between what was taken and what comes next."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["BEGINNING", "Position"]


@dataclass(frozen=True)
class Position:
    """The place of the next record; that of the first one as it stands.

    Attributes:
        file: how many files of the table lie before the one that it is in.
        row: how many records of the table come before it.
        taken: how many of these are in its own file.
        byte: how many bytes of its file's text, in UTF-8, come before it; 0 where the file is no text.
        line: the number of its line in the file, from 1.
    """

    file: int = 0
    row: int = 0
    taken: int = 0
    byte: int = 0
    line: int = 1


BEGINNING = Position()
