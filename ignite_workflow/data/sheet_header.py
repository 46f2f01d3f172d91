"""Names that are spread over several rows of a sheet, as merged cells show."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from ignite_workflow.data.merged_cells import Merge
from ignite_workflow.data.sample import is_year

__all__ = ["joined_names"]

_MOST_ROWS = 5


def joined_names(
    texts: pl.DataFrame, header: int, merges: Sequence[Merge]
) -> tuple[int, int, tuple[str | None, ...]] | None:
    """The names of columns that take several rows; None where they take one.

    Args:
        texts: every row of the sheet; an empty cell is null.
        header: the row that holds (most of) the names, from 0.
        merges: of the sheet, columns counted as in ``texts``.

    Returns:
        The first of the rows, the last, and what stands in them of each column.
    """
    over = [merge for merge in merges if merge.first <= header <= merge.last]
    top = min([header, *(merge.first for merge in over)])
    bottom = max([header, *(merge.last for merge in over)])
    inside = [merge for merge in merges if top <= merge.first and merge.last <= bottom]
    if not _is_of_rows(texts[top : bottom + 1], inside):
        return None
    names: list[list[str]] = [[] for _ in range(texts.width)]
    for row in range(top, bottom + 1):
        cells = list(texts.row(row))
        for merge in inside:
            if merge.first == row:
                end = min(merge.right + 1, len(cells))
                cells[merge.left : end] = [cells[merge.left]] * (end - merge.left)
        for parts, cell in zip(names, cells, strict=True):
            parts += [cell.strip()] if cell is not None else []
    return top, bottom, tuple(" ".join(parts) or None for parts in names)


def _is_of_rows(rows: pl.DataFrame, merges: Sequence[Merge]) -> bool:
    """Whether names are spread over rows: each column ends in a name of its own, or in a cell merged over all of them.

    Nothing below the first row may be a number but years, and a cell must be merged over columns, as one above two
    names is.
    """
    if not 1 < rows.height <= _MOST_ROWS or not any(merge.left < merge.right for merge in merges):
        return False
    whole = {
        column
        for merge in merges
        if merge.last - merge.first + 1 == rows.height
        for column in range(merge.left, min(merge.right, rows.width - 1) + 1)
    }
    below = pl.concat([*rows[1:]])
    if not all(map(is_year, below.filter(below.cast(pl.Float64, strict=False).is_not_null()))):
        return False
    return all((name is None) == (at in whole) for at, name in enumerate(rows.row(-1)))
