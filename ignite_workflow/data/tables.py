"""Tables from files, in chunks: one file, or a list, a glob or a folder of files of the same columns.

A record's *row number* counts the records of a table from 0, on through all of its files, the header not counted; its
*line number* counts the lines of its own file from 1, the header among them. Messages give both.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import polars as pl

from ignite_workflow.config import ReadConfig
from ignite_workflow.data.chunk import Chunk, find_columns
from ignite_workflow.data.csv_file import CsvFile, open_csv
from ignite_workflow.data.excel import ExcelFile, SheetRows, open_excel
from ignite_workflow.data.file_formats import FileFormat, find_file_format
from ignite_workflow.data.json_lines import open_json_lines
from ignite_workflow.data.known_widths import KnownWidths
from ignite_workflow.data.parquet import open_parquet
from ignite_workflow.data.paths import partition_of, table_paths
from ignite_workflow.data.position import BEGINNING, Position
from ignite_workflow.data.repeated_header import repeated_header_error, rows_of_names
from ignite_workflow.data.sample import is_number
from ignite_workflow.data.text_records import Block
from ignite_workflow.errors import ConfigError, DataError, nearest

__all__ = ["Table", "open_table", "read_table"]

_SHOWN = 3


class _TableFile(Protocol):
    @property
    def columns(self) -> tuple[str, ...]: ...

    @property
    def notes(self) -> tuple[str, ...]: ...

    @property
    def naming(self) -> str: ...

    def frames(self, numbers: Set[str], start: Position) -> Iterator[tuple[pl.DataFrame, Block | SheetRows | None]]: ...


@dataclass(frozen=True)
class Table:
    """A table that can be read again and again.

    Attributes:
        columns: its names, as they stand in the first file.
        paths: of its files.
        keys: for each file what the names of its folders say of all of its rows; None: it is missing.
        repeated_header: false: a row may hold the names of all columns.
    """

    columns: tuple[str, ...]
    paths: tuple[Path, ...]
    files: tuple[_TableFile, ...]
    keys: tuple[Mapping[str, str | None], ...]
    repeated_header: bool | None = None

    @property
    def source(self) -> str:
        """What the table is called in messages."""
        more = f" and {len(self.paths) - 1} more" if len(self.paths) > 1 else ""
        return f"{self.paths[0]}{more}"

    @property
    def notes(self) -> tuple[str, ...]:
        """What was guessed about its files, one line each."""
        keys = ", ".join(map(repr, self.keys[0]))
        named = [f"{self.paths[0].name}: the folders' names give the columns {keys}."] if keys else []
        return (*named, *(note for file in self.files for note in file.notes))

    @property
    def naming(self) -> str:
        """Where its columns have their names from, for who looks for another; empty: nothing is to be said."""
        return self.files[0].naming

    @property
    def known_widths(self) -> KnownWidths | None:
        """Where columns of fixed width stand in the first file, for other files of the table; None: it has none."""
        return _known_widths(self.files[0])

    @property
    def misfits(self) -> tuple[str, ...]:
        """The files whose columns are not where they were known to be, one line each."""
        return tuple(file.layout.misfit for file in self.files if isinstance(file, CsvFile) and file.layout.misfit)

    def require(self, names: Iterable[str]) -> None:
        """Hold the table to the columns that something else needs.

        Raises:
            DataError: one is not there; says also where names are from, or that they look like a row of data.
        """
        wanted = list(names)
        found = find_columns(wanted, self.columns)
        lacking = [name for name in wanted if found[name] is None]
        if not lacking:
            return
        why = f" {self.naming}" if self.naming else ""
        if len(lacking) == len(wanted) and any(map(is_number, self.columns)):
            shown = ", ".join(map(repr, self.columns[:_SHOWN]))
            why = f" The first row looks like data ({shown}), not like names: write the names above it."
        raise DataError(f"{self.source}: no column {lacking[0]!r}.{nearest(lacking[0], self.columns)}{why}")

    def place(self, row: int) -> str:
        """Where a row stands, for messages: reads the table up to there."""
        for chunk in self.chunks():
            if row < chunk.first_row + chunk.frame.height:
                return chunk.place(row - chunk.first_row)
        raise IndexError(row)

    def chunks(self, numbers: Set[str] = frozenset(), start: Position = BEGINNING) -> Iterator[Chunk]:
        """Its records in order.

        Args:
            numbers: columns of text files that may be read as numbers right away, which is a third faster: the same
                numbers come out. Looked at again for each chunk.
            start: where a chunk ended: the same ones come after it as after that.

        Raises:
            DataError: a file cannot be read, naming file and line; a row holds the names of all columns, and nobody
                said what it is; or there is not one record.
        """
        end = start
        for number in range(start.file, len(self.files)):
            if number > start.file:
                end = Position(number, end.row)
            keys = [pl.lit(value, dtype=pl.String).alias(key) for key, value in self.keys[number].items()]
            for frame, block in self.files[number].frames(numbers, end):
                first, end = end.row, _behind(end, frame, block)
                chunk = Chunk(frame, str(self.paths[number]), first, block, end=end)
                if self.repeated_header is not False:
                    _refuse_repeated_header(chunk, self.files[number])
                yield replace(chunk, frame=frame.with_columns(keys).select(self.columns))
        if end.row == 0:
            raise DataError(f"{self.source}: no rows below the header.")


def _refuse_repeated_header(chunk: Chunk, file: _TableFile) -> None:
    """Where files were joined, the header of the second is no row.

    Raises:
        DataError: a row holds the names of all columns.
    """
    again = rows_of_names(chunk.frame)
    if again:
        what = repeated_header_error(may_leave_out=isinstance(file, CsvFile | ExcelFile))
        raise DataError(f"{chunk.place(again[0])}: {what}")


def _behind(position: Position, frame: pl.DataFrame, block: Block | SheetRows | None) -> Position:
    row, taken = position.row + frame.height, position.taken + frame.height
    if not isinstance(block, Block):
        return Position(position.file, row, taken)
    return Position(position.file, row, taken, block.end_byte, block.end_line)


def read_table(path: str | Sequence[str], read: ReadConfig | None = None) -> Iterator[Chunk]:
    """The records of a table, chunk by chunk: ``open_table(path, read).chunks()``."""
    return open_table(path, read).chunks()


def open_table(
    path: str | Sequence[str],
    read: ReadConfig | None = None,
    *,
    option: str = "",
    known_widths: KnownWidths | None = None,
) -> Table:
    """Look at the files of a table: that they are there, what they are, that their columns agree.

    Args:
        path: a file, a glob, a folder, or a list of these: together one table, in the order given (a glob
            or folder: sorted by name).
        read: what a person said about the files.
        option: that names the path, for messages.
        known_widths: where columns of fixed width stand in other files of the table; None: the first of these tells.

    Raises:
        ConfigError: there is no such file, or nothing here reads files of its kind.
        DataError: a file is empty or damaged, a name stands twice in its header, or its columns are not the first's.
    """
    read = ReadConfig() if read is None else read
    paths = table_paths(path, option=option)
    formats = [find_file_format(each) for each in paths]
    _refuse_other_format(paths, formats, option)
    files: list[_TableFile] = []
    for each, kind in zip(paths, formats, strict=True):
        files.append(_open_file(each, kind, read, known_widths))
        known_widths = known_widths or _known_widths(files[0])
    keys = tuple(_keys(each, file.columns) for each, file in zip(paths, files, strict=True))
    first, *others = ((*file.columns, *found) for file, found in zip(files, keys, strict=True))
    for other, columns in zip(paths[1:], others, strict=True):
        _refuse_other_columns(paths[0], first, other, columns)
    return Table(first, paths, tuple(files), keys, read.repeated_header)


def _keys(path: Path, columns: Sequence[str]) -> dict[str, str | None]:
    return {key: value for key, value in partition_of(path).items() if key not in columns}


def _known_widths(file: _TableFile) -> KnownWidths | None:
    return file.layout.known_widths if isinstance(file, CsvFile) else None


def _open_file(path: Path, file_format: FileFormat, read: ReadConfig, known_widths: KnownWidths | None) -> _TableFile:
    if file_format is FileFormat.EXCEL:
        return open_excel(path, read)
    if file_format is FileFormat.PARQUET:
        return open_parquet(path)
    return open_json_lines(path, read) if file_format is FileFormat.JSON_LINES else open_csv(path, read, known_widths)


def _refuse_other_format(paths: Sequence[Path], formats: Sequence[FileFormat], option: str) -> None:
    for path, other in zip(paths, formats, strict=True):
        if other is not formats[0]:
            start = f"{option}: " if option else ""
            raise ConfigError(
                f"{start}the files of a table are of one format, but {paths[0]} is {formats[0]} and {path} is {other}."
            )


def _refuse_other_columns(first: Path, columns: Sequence[str], other: Path, others: Sequence[str]) -> None:
    known, found = set(columns), set(others)
    for name in columns:
        if name not in found:
            raise DataError(f"{other}: no column {name!r}, which {first} has.{nearest(name, others)}")
    for name in others:
        if name not in known:
            raise DataError(f"{other}: column {name!r} is not in {first}.{nearest(name, columns)}")
