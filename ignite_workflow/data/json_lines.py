"""JSON lines: one object a line, its keys the columns."""

from __future__ import annotations

import json
from collections.abc import Iterator, Set
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from ignite_workflow.config import ReadConfig
from ignite_workflow.data.records import Block, whole_records
from ignite_workflow.data.text_file import TextFile, open_text
from ignite_workflow.errors import DataError

__all__ = ["JsonLinesFile", "open_json_lines"]


@dataclass(frozen=True)
class JsonLinesFile:
    """A file of JSON objects.

    Attributes:
        text: the file.
        columns: every key that occurs, in the order of first occurrence.
    """

    text: TextFile
    columns: tuple[str, ...]

    @property
    def notes(self) -> tuple[str, ...]:
        """What was guessed."""
        return self.text.notes

    def frames(self, numbers: Set[str]) -> Iterator[tuple[pl.DataFrame, Block]]:  # noqa: ARG002 they are already
        """The values in their own types, a key that is missing as null, with the block they come from.

        Raises:
            DataError: a line is not a JSON object, or a key holds values of different types; names the line.
        """
        for block, frame in _parsed(self.text):
            absent = [pl.lit(None).alias(name) for name in self.columns if name not in frame.columns]
            yield frame.with_columns(absent).select(self.columns), block


def open_json_lines(path: Path, read: ReadConfig) -> JsonLinesFile:
    """Find out a file's keys: looks at every line.

    Raises:
        DataError: the file is empty, or a line is not a JSON object.
    """
    text = open_text(path, read.encoding)
    columns: dict[str, None] = {}
    for _, frame in _parsed(text):
        columns.update(dict.fromkeys(frame.columns))
    if not columns:
        raise DataError(f"{path}: the file is empty.")
    return JsonLinesFile(text, tuple(columns))


def _parsed(text: TextFile) -> Iterator[tuple[Block, pl.DataFrame]]:
    for block in whole_records(text.blocks(), skip_lines=0, quote=None, path=str(text.path)):
        if not block.data.strip():
            continue
        try:
            frame = pl.read_ndjson(block.data, infer_schema_length=None)
        except pl.exceptions.PolarsError as error:
            raise _bad_line(text.path, block, str(error)) from error
        yield block, frame


def _bad_line(path: Path, block: Block, reason: str) -> DataError:
    types: dict[str, type] = {}
    for number, line in enumerate(block.without_blank_lines().splitlines()):
        where = f"{path}: line {block.line(number)}"
        try:
            record = json.loads(line)
        except json.JSONDecodeError as error:
            return DataError(f"{where}: not JSON: {error.msg} at character {error.pos + 1}.")
        if not isinstance(record, dict):
            return DataError(f"{where}: a JSON object is needed, got {line[:40].decode()!r}.")
        for key, value in record.items():
            if value is not None and types.setdefault(key, type(value)) is not type(value):
                return DataError(f"{where}, key {key!r}: {value!r} among values of type {types[key].__name__}.")
    return DataError(f"{path}: lines from {block.first_line} on cannot be read: {reason.splitlines()[0]}.")
