"""Tables from files, in chunks: one file, a list or a glob of files of the same columns.

A record's *row number* counts the records of a table from 0, on through all of its files, the header not counted; its
*line number* counts the lines of its own file from 1, the header among them. Messages give both.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass
from glob import glob
from pathlib import Path
from typing import Any, Protocol

import polars as pl

from ignite_workflow.config import ReadConfig
from ignite_workflow.data.compressed import without_compression
from ignite_workflow.data.csv_file import open_csv
from ignite_workflow.data.excel import EXCEL, SheetRows, open_excel
from ignite_workflow.data.json_lines import open_json_lines
from ignite_workflow.data.parquet import open_parquet
from ignite_workflow.data.records import Block
from ignite_workflow.errors import ConfigError, DataError, nearest

__all__ = ["Chunk", "Table", "as_chunk", "find_column", "is_table_file", "open_table", "read_table", "table_paths"]

_DELIMITED = (".csv", ".tsv", ".tab", ".txt", ".data")
_JSON_LINES = (".jsonl", ".ndjson")
_PARQUET = (".parquet", ".pq")


@dataclass(frozen=True)
class Chunk:
    """Some consecutive records of a table.

    Attributes:
        frame: the cells: text from delimited files, their own types from Parquet and JSON lines.
        source: what the table is called in messages: the file.
        first_row: the row number of the first record.
        block: where the records stand in their file, where that has lines or sheets.
        table: where the chunk was taken from its table and its bytes are no longer there: what is asked for a place.
    """

    frame: pl.DataFrame
    source: str
    first_row: int = 0
    block: Block | SheetRows | None = None
    table: Table | None = None

    def place(self, index: int) -> str:
        """Where a record of this chunk stands, for messages.

        Example:
            >>> Chunk(pl.DataFrame({"a": [1, 2]}), "a.parquet", first_row=5).place(1)
            'a.parquet: row 6'
        """
        row = self.first_row + index
        if self.table is not None:
            return self.table.place(row)
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


class _TableFile(Protocol):
    @property
    def columns(self) -> tuple[str, ...]: ...

    @property
    def notes(self) -> tuple[str, ...]: ...

    def frames(self, numbers: Set[str]) -> Iterator[tuple[pl.DataFrame, Block | SheetRows | None]]: ...


@dataclass(frozen=True)
class Table:
    """A table that can be read again and again.

    Attributes:
        columns: its names, as they stand in the first file.
        paths: of its files.
    """

    columns: tuple[str, ...]
    paths: tuple[Path, ...]
    files: tuple[_TableFile, ...]

    @property
    def source(self) -> str:
        """What the table is called in messages."""
        more = f" and {len(self.paths) - 1} more" if len(self.paths) > 1 else ""
        return f"{self.paths[0]}{more}"

    @property
    def notes(self) -> tuple[str, ...]:
        """What was guessed about its files, one line each."""
        return tuple(note for file in self.files for note in file.notes)

    def place(self, row: int) -> str:
        """Where a row stands, for messages: reads the table up to there."""
        for chunk in self.chunks():
            if row < chunk.first_row + chunk.frame.height:
                return chunk.place(row - chunk.first_row)
        raise IndexError(row)

    def chunks(self, numbers: Set[str] = frozenset()) -> Iterator[Chunk]:
        """Its records in order.

        Args:
            numbers: columns of text files that may be read as numbers right away, which is a third faster: the same
                numbers come out. Looked at again for each chunk.

        Raises:
            DataError: a file cannot be read, naming file and line; or there is not one record.
        """
        row = 0
        for path, file in zip(self.paths, self.files, strict=True):
            for frame, block in file.frames(numbers):
                yield Chunk(frame.select(self.columns), str(path), row, block)
                row += frame.height
        if row == 0:
            raise DataError(f"{self.source}: no rows below the header.")


def read_table(path: str | Sequence[str], read: ReadConfig | None = None) -> Iterator[Chunk]:
    """The records of a table, chunk by chunk: ``open_table(path, read).chunks()``."""
    return open_table(path, read).chunks()


def open_table(path: str | Sequence[str], read: ReadConfig | None = None, *, option: str = "") -> Table:
    """Look at the files of a table: that they are there, what they are, that their columns agree.

    Args:
        path: a file, a glob, or a list of either: together one table, in the order given (a glob: sorted by name).
        read: what a person said about the files.
        option: that names the path, for messages.

    Raises:
        ConfigError: there is no such file, or nothing here reads files of its kind.
        DataError: a file is empty or damaged, a name stands twice in its header, or its columns are not the first's.
    """
    read = ReadConfig() if read is None else read
    paths = table_paths(path, option=option)
    files = tuple(_open_file(each, read) for each in paths)
    for other, file in zip(paths[1:], files[1:], strict=True):
        _refuse_other_columns(paths[0], files[0].columns, other, file.columns)
    return Table(files[0].columns, paths, files)


def as_chunk(data: Any, source: str = "", first_row: int = 0) -> Chunk:
    """Data that Python code holds, as a chunk.

    Args:
        data: a chunk (passed through), a polars frame, or columns by name: a mapping, a pandas frame.
        source: what it is called in messages.
        first_row: the row number of its first row.

    Raises:
        DataError: the columns are of different lengths, or one holds values of different types.
    """
    if isinstance(data, Chunk):
        return data
    if not isinstance(data, pl.DataFrame):
        try:
            data = pl.DataFrame({str(name): _series(data[name]) for name in data})
        except (pl.exceptions.PolarsError, TypeError) as error:
            raise DataError(f"{source or 'data'}: not a table: {str(error).splitlines()[0]}") from error
    return Chunk(data, source, first_row)


def _series(values: Any) -> pl.Series:
    if isinstance(values, pl.Series):
        return values
    if hasattr(values, "to_numpy"):  # of pandas, which has several values that mean missing
        numbers = values.to_numpy()
        if numbers.dtype.kind in "iufb":
            return pl.Series(numbers)
        values = values.astype(object).where(values.notna(), None)
    return pl.Series(values.tolist() if hasattr(values, "tolist") else values)


def is_table_file(path: str) -> bool:
    """Whether the name is that of a data file: ``rows.parquet`` is one, ``test_rows.txt`` a list of rows."""
    return _suffix(Path(path)) in (*_DELIMITED, *_JSON_LINES, *_PARQUET, *EXCEL) and _suffix(Path(path)) != ".txt"


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


def table_paths(path: str | Sequence[str], *, option: str = "") -> tuple[Path, ...]:
    """The files of a table, globs expanded.

    Raises:
        ConfigError: there is no such file, or it may not be read.
    """
    start = f"{option}: " if option else ""
    patterns = [path] if isinstance(path, str) else path
    paths: list[Path] = []
    for pattern in patterns:
        if Path(pattern).is_dir():
            raise ConfigError(f"{start}{pattern} is a directory; a table is a file, a list of files or a glob.")
        if Path(pattern).exists():
            paths.append(Path(pattern))
            continue
        found = sorted(each for each in map(Path, glob(pattern, recursive=True)) if each.is_file())
        if not found:
            raise ConfigError(f"{start}no file {pattern}.{_nearest_file(Path(pattern))}")
        paths.extend(found)
    for each in paths:
        if not os.access(each, os.R_OK):
            raise ConfigError(f"{start}{each} may not be read: permission denied.")
    return tuple(paths)


def _nearest_file(path: Path) -> str:
    return nearest(path.name, [each.name for each in path.parent.iterdir()]) if path.parent.is_dir() else ""


def _suffix(path: Path) -> str:
    return without_compression(path).suffix.lower()


def _open_file(path: Path, read: ReadConfig) -> _TableFile:
    suffix = _suffix(path)
    if suffix in EXCEL:
        return open_excel(path, read)
    if suffix in _PARQUET:
        return open_parquet(path)
    if suffix in _JSON_LINES:
        return open_json_lines(path, read)
    if suffix in _DELIMITED or not suffix:
        return open_csv(path, read)
    known = ", ".join((*_DELIMITED, *_JSON_LINES, *_PARQUET, *EXCEL))
    raise ConfigError(f"{path}: no reader for {suffix} files. Known: {known}; the text ones also with .gz, .zst.")


def _refuse_other_columns(first: Path, columns: Sequence[str], other: Path, others: Sequence[str]) -> None:
    for name in columns:
        if name not in others:
            raise DataError(f"{other}: no column {name!r}, which {first} has.{nearest(name, others)}")
    for name in others:
        if name not in columns:
            raise DataError(f"{other}: column {name!r} is not in {first}.{nearest(name, columns)}")
