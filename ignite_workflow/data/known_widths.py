"""Columns of fixed width whose places are known from other files of the table, and whether a file fits them.

A file of few lines does not show where its columns begin; those that a model was trained on did. What they showed
counts only where names stand at the same places, or where there are none, and where blanks part the lines there.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from ignite_workflow.data.fixed_width import SEPARATOR, WIDEST, FixedWidths, delimited_lines
from ignite_workflow.data.header import column_names
from ignite_workflow.data.sample import AGREEING

__all__ = ["KnownWidths", "fitting_widths"]

_WHY = "as in other files of the table"
_MOST_ABOVE = 40  # lines above the header


@dataclass(frozen=True)
class KnownWidths:
    """Where the columns of a table stand in its files of fixed width.

    Attributes:
        spans: from which character up to which each goes, as in ``FixedWidths``.
        names: of the columns.
        named: a header holds them.
    """

    spans: tuple[tuple[int, int | None], ...]
    names: tuple[str, ...]
    named: bool = True

    @property
    def starts(self) -> str:
        """Where they begin, counted from 1."""
        return FixedWidths(self.spans).starts

    @property
    def is_sound(self) -> bool:
        """Whether a file can have shown it: columns follow one another, and not beyond the longest line."""
        edges = [edge for span in self.spans for edge in span]
        if len(self.spans) != len(self.names) or edges[-1:] != [None] or None in edges[:-1]:
            return False
        inner = [edge for edge in edges if edge is not None]
        wide = all(begin < end for begin, end in zip(inner[::2], inner[1::2], strict=False))
        return wide and all(edge <= after for edge, after in pairwise([0, *inner, WIDEST]))


def fitting_widths(lines: Sequence[str], known: KnownWidths) -> tuple[FixedWidths, int] | None:
    """Where the columns of a file stand, if it is where those of other files do; the last of these may be lacking.

    Args:
        lines: the first of the file.
        known: of other files.

    Returns:
        Where they stand, and which line holds their names, from 1 (0: none does); None: the file does not fit.
    """
    width, header = len(known.spans), 0
    if known.named:
        width, header = next(_headers(_split_cells(lines[:_MOST_ABOVE], known.spans), known), (0, 0))
        if not width:
            return None
    spans = (*known.spans[: width - 1], (known.spans[width - 1][0], None))
    body = [cells for cells in _split_cells(lines[header:], spans) if any(cells)]
    whole = width == len(known.spans)
    fitting = sum(len(cells) == width and (whole or "  " not in cells[-1]) for cells in body)  # not one more column
    enough = 0.5 if known.named else AGREEING  # a line that does not fit is refused by its number
    if fitting < enough * len(body) or not (body or known.named):
        return None
    return FixedWidths(spans, _WHY), header


def _split_cells(lines: Sequence[str], spans: tuple[tuple[int, int | None], ...]) -> list[list[str]]:
    """The cells of each line."""
    text = delimited_lines("\n".join(lines).encode(), FixedWidths(spans)).decode()
    return [line.split(SEPARATOR) for line in text.split("\n")]


def _headers(rows: Sequence[Sequence[str]], known: KnownWidths) -> Iterator[tuple[int, int]]:
    """The lines that hold the names of the first columns: of how many, and the number of the line."""
    for line, cells in enumerate(rows, start=1):
        filled = max((number for number, cell in enumerate(cells, start=1) if cell), default=0)
        for width in (len(known.names), filled):
            if len(cells) == len(known.names) and column_names(cells[:width])[0] == known.names[:width]:
                yield width, line
