"""Columns of fixed width, which blanks align: where they begin, and their cells parted by a character instead.

They stand between blanks that are in all lines of the sample, and every other line of the file is held to that: one
without a blank between two columns is left whole, and refused by who reads it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Self

import polars as pl

from ignite_workflow.data.aligned_lines import delimit_aligned
from ignite_workflow.data.sample import is_number

__all__ = ["SEPARATOR", "WIDEST", "FixedWidths", "find_fixed_widths", "delimited_lines", "delimited_sample"]

SEPARATOR = "\x1f"  # between cells of lines taken apart

_RULER = re.compile(r"\s*[-=]{2,}(?:\s+[-=]{2,})+\s*")
_RUN = re.compile(r"[^ ]+")
_MOST_LINES = 200
WIDEST = 10_000  # characters: longer lines are text, which would be looked at for minutes
_MOST_ODD = 6  # lines above and below the table
_LEAST_LINES = 4
_BLANKS = (" ", "")

_Span = tuple[int, int | None]


@dataclass(frozen=True)
class FixedWidths:
    """Where the columns of a file stand.

    Attributes:
        spans: from which character up to which each goes, from 0; between them are blanks, into which a long cell of
            either side may reach. The last goes to the end of the line.
        why: the evidence.
        question: what only a person can decide; empty where nothing is open.
    """

    spans: tuple[_Span, ...]
    why: str = ""
    question: str = ""

    @classmethod
    def from_starts(cls, starts: Sequence[int]) -> Self:
        """Those that begin at these characters, counted from 1, with no blanks between them."""
        begins = [start - 1 for start in starts]
        return cls(tuple(zip(begins, [*begins[1:], None], strict=True)), "as data.read.starts says")

    @property
    def starts(self) -> str:
        """The value of ``data.read.starts`` that says about the same."""
        return f"[{','.join(str(begin + 1) for begin, _ in self.spans)}]"


def find_fixed_widths(lines: Sequence[str]) -> FixedWidths | None:
    """Find out whether lines hold columns of fixed width.

    Args:
        lines: the first of a file.

    Returns:
        Where they stand; None where nothing looks like it.
    """
    filled = [line.rstrip() for line in lines if line.strip()][:_MOST_LINES]
    if not filled or any("\t" in line or len(line) > WIDEST for line in filled):
        return None
    for ruler in filter(_RULER.fullmatch, filled[:_MOST_ODD]):
        runs = [run.span() for run in re.finditer(r"\S+", ruler)]
        return FixedWidths((*runs[:-1], (runs[-1][0], None)), "as the line drawn beneath the names shows")
    most = min(_MOST_ODD, len(filled) // 4)
    above, below = _prose(filled[:most]), _prose(filled[::-1][:most])
    found = [_find(filled[skip : len(filled) - left]) for skip in range(above + 1) for left in range(below + 1)]
    return max(filter(None, found), key=_columns, default=None)  # titles and notes stand across columns


def _prose(lines: Sequence[str]) -> int:
    """How many lines at the beginning have no gap, as titles and notes have none."""
    return next((number for number, line in enumerate(lines) if "  " in line.strip()), len(lines))


def _columns(widths: FixedWidths) -> int:
    return len(widths.spans)


def _find(lines: Sequence[str]) -> FixedWidths | None:
    """As ``find_fixed_widths``, of the lines of a table: the first may be its header."""
    header, body = ("", lines) if any(map(is_number, lines[0].split())) else (lines[0], lines[1:])
    narrow = _spans(lines)
    spans = narrow[:1]
    asked = ""
    for before, span in pairwise(narrow):
        if span[0] - _end(before) > 1 or _is_named(before, span, header, body):
            spans.append(span)
        else:
            spans[-1] = (spans[-1][0], span[1])
            asked = asked or _question(before, span, body)
    if len(spans) == 1 or any(sum(map(bool, _cells(body, span))) < 2 for span in spans):
        return None
    few = f"there are {len(lines)} lines only" if len(lines) < _LEAST_LINES else ""
    return FixedWidths(tuple(spans), f"blanks stand before them in all {len(lines)} lines looked at", few or asked)


def _spans(lines: Sequence[str]) -> list[_Span]:
    """What stands between characters that are blank in all lines."""
    width = max(map(len, lines))
    filled = bytearray(width)
    for begin, end in (run.span() for line in lines for run in _RUN.finditer(line)):
        filled[begin:end] = b"\1" * (end - begin)
    begins = [at for at in range(1, width) if filled[at] and not filled[at - 1]]
    ends = [at for at in range(1, width) if filled[at - 1] and not filled[at]]
    begins = [0, *(begins if filled[0] else begins[1:])]
    return list(zip(begins, [*ends, None], strict=True))


def _end(span: _Span) -> int:
    """Where a span ends that is not the last."""
    return span[1] or 0


def _cells(lines: Sequence[str], span: _Span) -> list[str]:
    return [line[slice(*span)].strip() for line in lines]


def _is_named(before: _Span, span: _Span, header: str, body: Sequence[str]) -> bool:
    """Whether names stand to both sides of one blank, of which one begins or ends where its column does, and cells."""
    left, right = header[slice(*before)], header[slice(*span)]
    named = left.strip() and right.strip() and (left[-1:] not in _BLANKS or right[:1] not in _BLANKS)
    return bool(named) and any(_cells(body, before)) and any(_cells(body, span))


def _question(before: _Span, span: _Span, body: Sequence[str]) -> str:
    """What is open where the cells to one side of a blank are numbers."""
    sides = [[cell for cell in _cells(body, each) if cell] for each in (before, span)]
    numbers = all(sides) and any(all(map(is_number, cells)) for cells in sides)
    return f"another may begin at {span[0] + 1}, behind one blank" if numbers else ""


def delimited_sample(sample: str, widths: FixedWidths) -> str:
    """The first lines of a file as ``delimited_lines`` gives them, but for titles, whose blanks may stand right.

    Titles stay whole: they are lines without a gap, with fewer cells than a line of names below them.
    """
    lines = delimited_lines(sample.encode(), widths).decode().split("\n")
    above = _prose(sample.split("\n")[: 2 * _MOST_ODD])
    names = lines[above].split(SEPARATOR) if above < len(lines) else []
    if len(names) == len(widths.spans) and all(names) and not any(map(is_number, names)):
        lines[:above] = [line if all(line.split(SEPARATOR)) else line.replace(SEPARATOR, " ") for line in lines[:above]]
    return "\n".join(lines)


def delimited_lines(data: bytes, widths: FixedWidths) -> bytes:
    """Lines with ``SEPARATOR`` between their cells, without the blanks around these; blank lines are empty.

    A line without a blank between two columns, or with a word of its own there, stays whole.

    Args:
        data: whole lines.
        widths: of the file.

    Example:
        >>> delimited_lines(b"Ann Lee   1.5\\nMaximilian1.5", FixedWidths(((0, 7), (10, None))))
        b'Ann Lee\\x1f1.5\\nMaximilian1.5'
    """
    gaps = [(_end(before), span[0]) for before, span in pairwise(widths.spans)]
    if not gaps or any(end == begin for end, begin in gaps):
        return _delimited_by_character(data, widths)
    delimited, left = delimit_aligned(data, gaps, SEPARATOR.encode())
    if not left:
        return delimited
    lines, before = delimited.split(b"\n"), data.split(b"\n")
    others = _delimited_by_character(b"\n".join(before[number] for number in left), widths).split(b"\n")
    for number, line in zip(left, others, strict=True):
        lines[number] = line
    return b"\n".join(lines)


def _delimited_by_character(data: bytes, widths: FixedWidths) -> bytes:
    """As ``delimited_lines``, by its characters and not by its bytes."""
    frame = pl.DataFrame({"line": data.decode(errors="replace").split("\n")})
    bare = pl.col("line").str.strip_chars_end()
    line = bare.str.pad_end(widths.spans[-1][0])
    whole = bare.str.contains("\t", literal=True)
    cells = [line.str.slice(begin, None if end is None else end - begin) for begin, end in widths.spans]
    for number, (before, span) in enumerate(pairwise(widths.spans)):
        if span[0] > _end(before):
            gap = line.str.slice(_end(before), span[0] - _end(before))
            whole |= ~gap.str.contains(r"^\S*\s+\S*$")
            cells[number] += gap.str.extract(r"^(\S*)")
            cells[number + 1] = gap.str.extract(r"(\S*)$") + cells[number + 1]
    joined = pl.concat_str([cell.str.strip_chars() for cell in cells], separator=SEPARATOR)
    delimited = pl.when(whole | (bare == "")).then(bare.str.strip_chars()).otherwise(joined)
    return "\n".join(frame.select(delimited).to_series().to_list()).encode()
