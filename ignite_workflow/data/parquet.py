"""Parquet files: columns of their own types, nested ones taken apart into columns that can be trained on.

A file is looked at in a process of its own first, within limits: a small one can make the parser crash, or expand to
more than memory holds. Then it is read in slices, however large its row groups are.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Set
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import polars as pl

from ignite_workflow.data.limited_process import most_memory, run_limited
from ignite_workflow.data.nested import leaves, parts
from ignite_workflow.data.position import Position
from ignite_workflow.errors import DataError

__all__ = ["ParquetFile", "open_parquet", "slices"]

_TOO_MANY_DIGITS = re.compile(r"precision must be between 1 and 38, got (\d+)")
_PROGRAM = "ignite_workflow.data.parquet_process"
_CHUNK_ROWS = 65_536
_SLICE_BYTES = 128 * 1024**2
_MOST_CELLS, _MOST_CELLS_A_BYTE = 10**9, 1000  # beyond both, it is a bomb
_MOST_TEXT = 1024**3  # in a chunk of a column


@dataclass(frozen=True)
class ParquetFile:
    """A Parquet file that was looked at.

    Attributes:
        path: of the file.
        columns: names; ``a.b`` is the field of a struct, ``a[0]`` an element of lists that are all of one length.
        rows: how many there are.
    """

    path: Path
    columns: tuple[str, ...]
    rows: int
    _cells: tuple[pl.Expr, ...]
    _width: int
    notes: ClassVar[tuple[str, ...]] = ()
    naming: ClassVar[str] = ""

    def frames(
        self,
        numbers: Set[str],  # noqa: ARG002 typed as it is
        start: Position,
    ) -> Iterator[tuple[pl.DataFrame, None]]:
        """The cells: numbers, text, booleans, dates and datetimes (in UTC); times and durations as seconds.

        Raises:
            DataError: the file is damaged.
        """
        step = _slice_rows(self._width)
        read = start.taken // step * step
        try:
            for part in slices(self.path, self.rows, self._width, first=read):
                for frame in part.select(self._cells).collect_batches(chunk_size=_CHUNK_ROWS, maintain_order=True):
                    self._refuse_endless_text(frame)
                    read += frame.height
                    if read > start.taken:
                        yield frame, None
        except pl.exceptions.PolarsError as error:
            raise _damaged(self.path, str(error).splitlines()[0]) from error
        if read < self.rows:
            raise _damaged(self.path, f"it says that it has {self.rows} rows, but has {read}")

    def _refuse_endless_text(self, frame: pl.DataFrame) -> None:
        for series in frame.select(pl.col(pl.String)):
            if int(series.str.len_bytes().sum()) > _MOST_TEXT:
                raise DataError(
                    f"{self.path}: column {series.name!r} holds more than a gigabyte of text in {frame.height} rows."
                )


def open_parquet(path: Path) -> ParquetFile:
    """Look at a Parquet file.

    Raises:
        DataError: it is damaged, or no table: its cells are too many for its size.
    """
    answer = run_limited(_PROGRAM, [str(path)], path, most_memory())
    if "error" in answer:
        raise _damaged(path, answer["error"])
    lengths = answer["lengths"]
    cells = [
        part for column in leaves(pl.read_parquet_schema(path)) for part in parts(*column, lengths, answer["texts"])
    ]
    columns, rows = tuple(name for name, _ in cells), int(answer["rows"])
    size = path.stat().st_size
    if rows * len(columns) > max(_MOST_CELLS, _MOST_CELLS_A_BYTE * size):
        raise DataError(
            f"{path}: {rows:,} rows of {len(columns)} columns in {size:,} bytes, as a decompression bomb has; if it is "
            "none, write it without its constant columns."
        )
    if len(set(columns)) < len(columns):
        name = next(name for name, count in Counter(columns).items() if count > 1)
        raise DataError(f"{path}: two columns are both named {name!r} once structs and lists are taken apart.")
    width = sum(answer["widths"].values()) + 16 * len(columns)
    return ParquetFile(path, columns, rows, tuple(each.alias(name) for name, each in cells), width)


def slices(path: Path, rows: int, width: int, first: int = 0) -> Iterator[pl.LazyFrame]:
    """The rows of a file from ``first`` on in parts that take some 100 MB, of ``width`` bytes a row."""
    step = _slice_rows(width)
    scan = pl.scan_parquet(path, glob=False)
    for start in range(first, rows, step):
        yield scan.slice(start, min(step, rows - start))


def _slice_rows(width: int) -> int:
    return max(_CHUNK_ROWS // 16, _SLICE_BYTES // max(width, 1))


def _damaged(path: Path, reason: str) -> DataError:
    if digits := _TOO_MANY_DIGITS.search(reason):
        return DataError(
            f"{path}: a column holds decimals of {digits[1]} digits, and 38 are the most that are read: write it as "
            "float64, or as decimals of fewer digits."
        )
    return DataError(f"{path}: not a Parquet file, or a damaged one ({reason}).")
