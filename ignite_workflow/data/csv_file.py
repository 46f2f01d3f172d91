"""Delimited text (CSV, TSV and their kin): the look of a file, and its cells as text."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Set
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import polars as pl

from ignite_workflow.config import ReadConfig
from ignite_workflow.data.compressed import without_compression
from ignite_workflow.data.records import Block, whole_records
from ignite_workflow.data.text_file import TextFile, open_text
from ignite_workflow.errors import ConfigError, DataError

__all__ = ["CsvFile", "open_csv"]

_DELIMITERS = (",", ";", "\t", "|")
_TABBED = (".tsv", ".tab")
_SNIFFED_RECORDS = 50


@dataclass(frozen=True)
class CsvFile:
    """A delimited text file whose look is known.

    Attributes:
        text: the file.
        delimiter: one character.
        columns: the names, from the header or ``column_1``, ``column_2``...
        header_lines: lines before the first record.
    """

    text: TextFile
    delimiter: str
    columns: tuple[str, ...]
    header_lines: int

    @property
    def notes(self) -> tuple[str, ...]:
        """What was guessed."""
        if self.header_lines:
            return self.text.notes
        names = f"{self.columns[0]} to {self.columns[-1]}"
        return (*self.text.notes, f"{self.text.path.name}: no header, the columns are named {names}.")

    def frames(self, numbers: Set[str] = frozenset()) -> Iterator[tuple[pl.DataFrame, Block]]:
        """The cells as text, an empty one as ``""``, some thousand records at a time, with the block they come from.

        Args:
            numbers: columns that may be read as numbers right away, where all of their cells in a block are; looked at
                again for each block. The numbers are those that a cast of the text would give.

        Raises:
            DataError: a row has more or fewer cells than the header, or quotes do not pair up; names the line.
        """
        path = str(self.text.path)
        for block in whole_records(self.text.blocks(), skip_lines=self.header_lines, quote=b'"', path=path):
            frame = self._typed(block, numbers) if numbers else None
            frame = self._text(block) if frame is None else frame
            if frame.height:
                yield frame, block

    def _typed(self, block: Block, numbers: Set[str]) -> pl.DataFrame | None:
        """Numbers as such; None where a cell is missing, or no number, or the rows are uneven."""
        frame = self._cells(block.data, block, numbers)
        whole = all(series.null_count() == 0 for series in frame) and self._is_even(block, frame)
        return frame if whole else None

    def _text(self, block: Block) -> pl.DataFrame:
        # polars fills short rows in silence and takes a blank line for one; it refuses long rows, so a sum tells
        # whether all are right
        frame = self._cells(block.data, block)
        if self._is_even(block, frame):
            return frame
        records = Block(block.without_blank_lines(), block.first_line)
        frame = self._cells(records.data, block) if records.data else frame.clear()
        if not self._is_even(records, frame):
            raise self._unreadable(block)
        return frame

    def _is_even(self, block: Block, frame: pl.DataFrame) -> bool:
        if len(self.columns) == 1 and frame.dtypes == [pl.String] and (frame.to_series() == "").any():
            return not block.has_blank_lines()
        return block.delimiters(self.delimiter.encode()) == (len(self.columns) - 1) * frame.height

    def _cells(self, data: bytes, block: Block, numbers: Set[str] = frozenset()) -> pl.DataFrame:
        try:
            return pl.read_csv(
                data,
                has_header=False,
                separator=self.delimiter,
                schema={name: pl.Float64 if name in numbers else pl.String for name in self.columns},
                empty_string_is_null=False,
                ignore_errors=bool(numbers),  # what is no number becomes null
            )
        except pl.exceptions.PolarsError as error:
            raise self._unreadable(block) from error

    def _unreadable(self, block: Block) -> DataError:
        ragged = block.ragged(self.delimiter.encode(), len(self.columns))
        if ragged is None:
            last = block.first_line + block.data.count(b"\n")
            where = f"lines {block.first_line} to {last}"
            return DataError(
                f"{self.text.path}: {where}: a quote in the middle of a cell, or quotes that do not pair up."
            )
        record, cells = ragged
        return DataError(
            f"{self.text.path}: line {block.line(record)}: {cells} cells where the header has {len(self.columns)}."
        )


def open_csv(path: Path, read: ReadConfig) -> CsvFile:
    """Find out a file's encoding, delimiter and header.

    Args:
        path: of the file.
        read: what a person said about it.

    Raises:
        ConfigError: the delimiter is not one character.
        DataError: the file is empty, has a header only, or two columns of one name.
    """
    text = open_text(path, read.encoding)
    sample = text.sample().decode(errors="ignore")
    if not sample.strip():
        raise DataError(f"{path}: the file is empty.")
    delimiter = _delimiter(path, read, sample)
    reader = csv.reader(io.StringIO(sample, newline=""), delimiter=delimiter)
    first = next(cells for cells in reader if cells)
    if not _is_header(first, read):
        return CsvFile(text, delimiter, tuple(f"column_{number + 1}" for number in range(len(first))), 0)
    columns = tuple(name if name.strip() else f"column_{number + 1}" for number, name in enumerate(first))
    _refuse_duplicates(path, columns)
    return CsvFile(text, delimiter, columns, reader.line_num)


def _refuse_duplicates(path: Path, columns: tuple[str, ...]) -> None:
    first: dict[str, int] = {}
    for number, name in enumerate(columns, start=1):
        if first.setdefault(name, number) != number:
            raise DataError(f"{path}: line 1: columns {first[name]} and {number} are both named {name!r}.")


def _is_header(cells: list[str], read: ReadConfig) -> bool:
    """Whether the first record names the columns: unless told, it does where any of its cells is not a number."""
    if read.header is not None:
        return read.header
    numbers = pl.Series([cell.strip() for cell in cells if cell.strip()], dtype=pl.String).cast(
        pl.Float64, strict=False
    )
    return len(numbers) == 0 or numbers.null_count() > 0


def _delimiter(path: Path, read: ReadConfig, sample: str) -> str:
    if read.delimiter is not None:
        delimiter = "\t" if read.delimiter == "\\t" else read.delimiter
        if len(delimiter) != 1 or not delimiter.isascii() or delimiter in '"\r\n':
            raise ConfigError(f"data.read.delimiter: must be one ASCII character, got {read.delimiter!r}.")
        return delimiter
    if without_compression(path).suffix.lower() in _TABBED:
        return "\t"
    widths = {delimiter: _width(sample, delimiter) for delimiter in _DELIMITERS}
    return max(_DELIMITERS, key=widths.__getitem__)  # the first of equals


def _width(sample: str, delimiter: str) -> int:
    """The number of columns that delimiter makes of the first records; 1 where they do not agree."""
    reader = csv.reader(io.StringIO(sample, newline=""), delimiter=delimiter)
    try:
        widths = [len(cells) for cells in islice(reader, _SNIFFED_RECORDS) if cells]
    except csv.Error:  # a cell too long to be one
        return 1
    agreeing = widths.count(widths[0])
    return widths[0] if agreeing >= 0.9 * len(widths) else 1
