"""The header of a data frame whose columns, or rows, have names in several levels, as pandas writes it.

In text ``,,price,price`` stands above ``week,,1,2``, and the names of the index, ``region,shop,,``, beneath both. In a
sheet a name that several columns share stands above the first of them, and ``week`` in the last column of the index.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import partial
from itertools import takewhile

from ignite_workflow.data.sample import is_number, is_year

__all__ = ["find_frame_levels", "is_above_index"]

_MOST_LEVELS = 4


def find_frame_levels(names: Sequence[str], rows: Sequence[Sequence[str]]) -> tuple[tuple[str, ...], int] | None:
    """The names of columns that stand in several rows, and how many rows beneath the first are none of the data.

    The last of the rows has a name for each column but those of the index, and all together tell the columns apart.

    Args:
        names: the first row of the header.
        rows: those beneath it.

    Returns:
        None where it is no such header.

    Example:
        >>> find_frame_levels(("", "price", "price"), [["week", "1", "2"], ["shop", "", ""], ["a", "6.3", "4.3"]])
        (('shop', 'price 1', 'price 2'), 2)
    """
    even = takewhile(partial(_is_as_wide, names), (names, *rows[: _MOST_LEVELS + 2]))
    table = [[cell.strip() for cell in row] for row in even]
    for depth in range(2, min(_MOST_LEVELS + 1, len(table))):
        levels, next_row = table[:depth], table[depth]
        leading = _leading(next_row)
        if 0 < leading < len(names) and not any(next_row[leading:]):  # the names of the index
            index, body = next_row[:leading], table[depth + 1 :]
            shared = not any(names[:leading])
        else:
            leading = _leading([not cell for cell in names])
            index, body = [""] * leading, table[depth + (not any(next_row)) :]  # pandas leaves an empty row in a sheet
            shared = False
        if body and _is_body(body[0], leading) and all(_names_no_index(level, index) for level in levels):
            joined = _joined(levels, leading, shared=shared)
            if joined is not None:
                return (*index, *joined), len(table) - len(body) - 1
    return None


def is_above_index(names: Sequence[str], body: Sequence[Sequence[str]]) -> bool:
    """Whether a row names all columns but the first, which are the index of a data frame.

    Args:
        names: the row; an empty cell is ``""``.
        body: what stands beneath it.
    """
    leading = _leading([not cell for cell in names])
    first = body[0]
    named = names[leading:]
    if not leading or not all(named) or len(set(named)) < len(named) or any(map(is_number, named)):
        return False
    if not all(first[:leading]) or not any(is_number(cell) and not is_year(cell) for cell in first[leading:]):
        return False
    # a header would not stand again below, and a number in it not above numbers
    return any(_goes_on(first[at], [row[at] for row in body[1:] if row[at]]) for at in range(leading))


def _is_as_wide(names: Sequence[str], row: Sequence[str]) -> bool:
    return len(row) == len(names)


def _goes_on(first: str, below: Sequence[str]) -> bool:
    return first in below or (bool(below) and is_number(first) and all(map(is_number, below)))


def _leading(cells: Sequence[object]) -> int:
    """How many of the first are there."""
    return next((at for at, cell in enumerate(cells) if not cell), len(cells))


def _is_body(row: Sequence[str], leading: int) -> bool:
    return 0 < leading < len(row) and all(row[:leading]) and any(row[leading:])


def _names_no_index(level: Sequence[str], index: Sequence[str]) -> bool:
    """Whether nothing stands above the index but the name of the level: first in text, last in a sheet."""
    leading = len(index)
    above = level[:leading]
    if not any(index):  # nor a fraction in it: then it may be data
        is_data = any(is_number(cell) and not cell.strip("%").isdecimal() for cell in level[leading:])
        return not any(above) and level[leading] != "" and not is_data
    return sum(map(bool, above)) <= 1 and not any(above[1:-1]) and level[leading] != ""


def _joined(levels: Sequence[Sequence[str]], leading: int, *, shared: bool) -> list[str] | None:
    """The names of columns; None where they are not told apart, or no name in the first levels is that of several.

    Args:
        levels: from the top.
        leading: columns of the index.
        shared: whether a name need not be that of several.
    """
    filled = [[*level[leading:]] for level in levels]
    for level in filled[:-1]:
        for at in range(1, len(level)):
            level[at] = level[at] or level[at - 1]
    parts = [*zip(*filled, strict=True)]
    if not all(filled[-1]) or len(set(parts)) < len(parts):
        return None
    if not shared and all(len(set(level)) == len(level) for level in filled[:-1]):
        return None
    times = Counter(filled[0])
    return [part[0] if times[part[0]] == 1 else " ".join(part) for part in parts]
