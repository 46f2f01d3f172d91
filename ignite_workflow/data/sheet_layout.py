"""Where the table lies in a sheet: titles above the header, empty rows and columns around it."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

__all__ = ["Layout", "find_layout"]

_LOOKED_AT = 100
_HEADER_FILLS = 0.6  # of the cells that the widest of the first rows has; a title above fills one or two


@dataclass(frozen=True)
class Layout:
    """The rows of a sheet that hold a table; rows are counted from 0.

    Attributes:
        header: the row of the names; None where there is none.
        first: the first row below it, or the first that is not empty.
    """

    header: int | None
    first: int


def find_layout(texts: pl.DataFrame, header: bool | int | None) -> Layout:
    """Find the header of a table in a sheet.

    Args:
        texts: every row of the sheet; an empty cell is null.
        header: the row where it is, counted from 1; True: the first row that is not empty; False: there is none; None:
            the first row that is about as full as the rows below and holds a cell that is not a number.
    """
    filled = texts.head(_LOOKED_AT + _first_filled(texts)).select(
        pl.sum_horizontal(pl.all().is_not_null()).alias("cells")
    )["cells"]
    first = _first_filled(texts)
    if header is None:
        full = filled >= _HEADER_FILLS * int(filled.max())  # type: ignore[arg-type]
        first = int(full.arg_true()[0])
        header = _names_something(texts.row(first))
    elif header is not True and header is not False:
        return Layout(header - 1, header)
    return Layout(first, first + 1) if header else Layout(None, first)


def _first_filled(texts: pl.DataFrame) -> int:
    filled = texts.select(pl.any_horizontal(pl.all().is_not_null()).arg_true().first()).item()
    return int(filled or 0)


def _names_something(cells: tuple[str | None, ...]) -> bool:
    known = pl.Series([cell for cell in cells if cell is not None], dtype=pl.String)
    return known.str.strip_chars().cast(pl.Float64, strict=False).null_count() > 0
