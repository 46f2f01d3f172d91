"""Rows that hold the names of all columns again, as where files were joined: in columns of text they would be data."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

__all__ = ["rows_of_names", "left_out_note", "repeated_header_error"]


def rows_of_names(frame: pl.DataFrame) -> list[int]:
    """The positions of rows that hold the names of all columns, of which there are several.

    Example:
        >>> rows_of_names(pl.DataFrame({"a": ["1", "a", "a"], "b": ["2", "b", "3"]}))
        [1]
    """
    first, *others = frame
    if not others or any(cells.dtype != pl.String for cells in frame):
        return []
    found = (first == first.name).arg_true()
    for cells in others:
        if not len(found):
            break
        found = found.filter(cells.gather(found) == cells.name)
    return found.to_list()


def left_out_note(places: Sequence[int], unit: str) -> str:
    """That such rows are left out.

    Args:
        places: the numbers of the rows in their file.
        unit: what it counts: line or row.
    """
    where = f"{unit} {places[0]} holds"
    if len(places) > 1:
        where = f"{len(places):,} rows (the first: {unit} {places[0]}) hold"
    return f"{where} the names of all columns again: left out"


def repeated_header_error(*, may_leave_out: bool) -> str:
    """What is wrong with such a row and what a person can do.

    Args:
        may_leave_out: rows of this file can be left out.
    """
    leave_out = "; data.read.repeated_header=true leaves such rows out" if may_leave_out else ""
    return (
        f"the header stands here again, as where files were joined: delete this row{leave_out}; if it is data: "
        "data.read.repeated_header=false."
    )
