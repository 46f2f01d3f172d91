"""Chunks: some consecutive records of a table, and where they come from."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from ignite_workflow.data.data_frames import as_frame
from ignite_workflow.data.excel import SheetRows
from ignite_workflow.data.nested import plain_frame
from ignite_workflow.data.position import BEGINNING, Position
from ignite_workflow.data.text_records import Block
from ignite_workflow.errors import DataError, nearest

__all__ = ["Chunk", "as_chunk", "find_column", "find_columns"]


@dataclass(frozen=True)
class Chunk:
    """Some consecutive records of a table.

    Attributes:
        frame: the cells: text from delimited files, their own types from Parquet and JSON lines.
        source: what the table is called in messages: the file.
        first_row: the row number of the first record.
        block: where the records stand in their file, where that has lines or sheets.
        place_of: gives the place of a row by its number, where the bytes of the records are no longer there.
        end: where in its table the next one begins.
    """

    frame: pl.DataFrame
    source: str
    first_row: int = 0
    block: Block | SheetRows | None = None
    place_of: Callable[[int], str] | None = None
    end: Position = BEGINNING

    def place(self, index: int) -> str:
        """Where a record of this chunk stands, for messages.

        Example:
            >>> Chunk(pl.DataFrame({"a": [1, 2]}), "a.parquet", first_row=5).place(1)
            'a.parquet: row 6'
        """
        row = self.first_row + index
        if self.place_of is not None:
            return self.place_of(row)
        start = f"{self.source}: " if self.source else ""
        return f"{start}row {row}" if self.block is None else f"{start}{self.block.place(index)} (row {row})"

    def column(self, name: str) -> pl.Series:
        """The cells of a column.

        Raises:
            DataError: there is no such column.
        """
        series: pl.Series | None = self.frame.get_column(name, default=None)
        if series is not None:
            return series
        found = find_column(name, self.frame.columns)
        if found is None:
            start = f"{self.source}: " if self.source else ""
            raise DataError(f"{start}no column {name!r}.{nearest(name, self.frame.columns)}")
        return self.frame[found].alias(name)

    def refuse_fractions(self, name: str) -> None:
        """Refuse a column that holds 0.15 where the text that a model was trained on writes 15%, which is 15 there.

        Raises:
            DataError: the cells are a workbook's, and numbers: what it shows as 15 % it keeps as 0.15.
        """
        if isinstance(self.block, SheetRows) and self.column(name).dtype.is_numeric():
            raise DataError(
                f"{self.place(0)}, column {name!r}: 15 % is 0.15 in a workbook, and 15 in the text that the model "
                "was trained on: save the sheet as CSV."
            )


def as_chunk(data: Any, source: str = "", first_row: int = 0) -> Chunk:
    """Data that Python code holds, as a chunk.

    Args:
        data: a chunk (passed through), or what ``as_frame`` takes.
        source: what it is called in messages.
        first_row: the row number of its first row.

    Raises:
        DataError: the columns are of different lengths, or one holds values of different types.
    """
    return data if isinstance(data, Chunk) else Chunk(plain_frame(as_frame(data, source)), source, first_row)


def find_column(name: str, columns: Sequence[str]) -> str | None:
    """The column of that name: exactly if there is one, else the one that equals it but for blanks around it.

    Example:
        >>> find_column("Donor", ["Class", " Donor"])
        ' Donor'
    """
    if name in columns:
        return name
    stripped = [column for column in columns if column.strip() == name.strip()]
    return stripped[0] if len(stripped) == 1 else None


def find_columns(names: Iterable[str], columns: Sequence[str]) -> dict[str, str | None]:
    """What ``find_column`` finds, for each of many names: of thousands it would look through thousands each time."""
    there = set(columns)
    return {name: name if name in there else find_column(name, columns) for name in names}
