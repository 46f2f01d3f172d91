"""The program that looks at a Parquet file first: ``parquet`` runs it within limits."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl

from ignite_workflow.data.limited_process import limit_this_process
from ignite_workflow.data.nested import MOST_LISTED, is_listed, leaves
from ignite_workflow.data.parquet import slices

__all__ = ["main"]

_DEEPEST = 16
_BYTES_A_ROW = 1024  # a guess: it decides only how many rows are looked at at once


def main(arguments: Sequence[str]) -> None:
    """Look at a file.

    Args:
        arguments: the most memory in bytes, and the file.

    Prints:
        ``rows``; ``lengths``: of columns whose lists of plain values are all of one length; ``widths``: bytes that the
        longest list of a column takes; ``texts``: columns of bytes that are all UTF-8. Or ``error``.
    """
    memory, path = arguments
    limit_this_process(int(memory))
    try:
        answer = _look(Path(path))
    except pl.exceptions.PolarsError as error:
        answer = {"error": str(error).splitlines()[0]}
    print(json.dumps(answer))


def _look(path: Path) -> dict[str, Any]:
    schema = pl.read_parquet_schema(path)
    rows = pl.scan_parquet(path, glob=False).select(pl.len()).collect().item()
    answer: dict[str, Any] = {"rows": rows, "lengths": {}, "widths": {}, "texts": []}
    for name, cells, dtype in leaves(schema):
        if name.count(".") > _DEEPEST:
            return {"error": f"structs nested deeper than {_DEEPEST}"}
        if isinstance(dtype, pl.List | pl.Array):
            shortest, longest = _lengths(path, rows, cells if isinstance(dtype, pl.List) else cells.arr.to_list())
            answer["widths"][name] = 8 * longest
            if is_listed(dtype) and shortest == longest <= MOST_LISTED:
                answer["lengths"][name] = longest
        elif dtype == pl.Binary and _is_text(path, rows, cells):
            answer["texts"].append(name)
    return answer


def _lengths(path: Path, rows: int, cells: pl.Expr) -> tuple[int, int]:
    """Of the shortest and of the longest list."""
    lengths = cells.list.len()
    found = [
        part.select(lengths.min().alias("min"), lengths.max().alias("max")).collect()
        for part in slices(path, rows, _BYTES_A_ROW)
    ]
    shortest = [least for part in found if (least := part["min"].item()) is not None]
    longest = [most for part in found if (most := part["max"].item()) is not None]
    return min(shortest, default=0), max(longest, default=0)


def _is_text(path: Path, rows: int, cells: pl.Expr) -> bool:
    try:
        for part in slices(path, rows, _BYTES_A_ROW):
            part.select(cells.cast(pl.String)).collect()
    except pl.exceptions.ComputeError:  # a cast that is not strict raises it too
        return False
    return True


if __name__ == "__main__":
    main(sys.argv[1:])
