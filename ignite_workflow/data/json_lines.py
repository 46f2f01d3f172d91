"""JSON records: objects whose keys are the columns; objects and lists inside are taken apart as in Parquet."""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import polars as pl

from ignite_workflow.config import ReadConfig
from ignite_workflow.data.json_array import DEEPEST, ElementBlock, JsonElements, find_elements
from ignite_workflow.data.nested import MOST_LISTED, is_listed, leaves, parts
from ignite_workflow.data.position import BEGINNING, Position
from ignite_workflow.data.text_file import TextFile, open_text
from ignite_workflow.data.text_records import Block, whole_records
from ignite_workflow.errors import DataError

__all__ = ["JsonLinesFile", "open_json_lines"]

_MOST_KEYS = 10_000
_OF_ROW = re.compile(r"\.\d+$")
_KEY = r'"(?:[^"\\]|\\.)*"\s*:'
_TEXT = re.compile(rb'"(?:[^"\\]|\\.)*"')
_BLANKS_ALONE = re.compile(rb"(?m)^[ \t]+(?=\r?$)")
_NAN = re.compile(rb'"(?:[^"\\]|\\.)*"|\bNaN\b')  # JSON has no such word, but Python writes it
_KINDS = {int: "numbers", float: "numbers", bool: "booleans", str: "text", list: "lists", dict: "objects"}
_SHOWN = 40
_ORDERING_RECORDS = 1000  # of a block
_DEEPER = np.zeros(256, dtype=np.int8)  # what a byte adds to the depth
_DEEPER[[ord("["), ord("{")]] = 1
_DEEPER[[ord("]"), ord("}")]] = -1

_Leaf = tuple[str, pl.Expr, pl.DataType]


@dataclass(frozen=True)
class JsonLinesFile:
    """A file of JSON objects.

    Attributes:
        text: the file.
        columns: every key that occurs, in the order of first occurrence; ``a.b`` is a key of an object inside,
            ``a[0]`` an element of lists that are all of one length.
        lengths: of these lists.
    """

    text: TextFile | JsonElements
    columns: tuple[str, ...]
    lengths: Mapping[str, int]
    naming: ClassVar[str] = ""

    @property
    def notes(self) -> tuple[str, ...]:
        """What was guessed."""
        return self.text.notes

    def frames(
        self,
        numbers: Set[str],  # noqa: ARG002 they are already
        start: Position,
    ) -> Iterator[tuple[pl.DataFrame, Block]]:
        """The values in their own types, a key that is missing as null, with the block they come from.

        Raises:
            DataError: a line is not a JSON object, or a key holds values of different types; names the line.
        """
        columns = set(self.columns)
        for block in _blocks(self.text, start):
            frame = _parsed(self.text.path, block)
            found = {
                name: cells
                for column in leaves(frame.schema)
                for name, cells in parts(*column, self.lengths, ())
                if name in columns
            }
            yield frame.select(found.get(name, pl.lit(None)).alias(name) for name in self.columns), block


def open_json_lines(path: Path, read: ReadConfig) -> JsonLinesFile:
    """Find out a file's keys: looks at every line.

    Raises:
        DataError: the file is empty, a line is not a JSON object, two keys get one name, or there is no end to its keys
            or depth.
    """
    found_text = open_text(path, read.encoding)
    text = find_elements(found_text, read.sheet) or found_text
    rows = 0
    columns: dict[str, pl.DataType] = {}
    lengths: dict[str, tuple[int, int]] = {}
    keys: set[str] = set()
    for block in _blocks(text):
        _refuse_endless(path, block, keys)
        frame = _parsed(path, block)
        rows += frame.height
        found: set[str] = set()
        for name, _, _ in leaves(frame.schema):
            if name in found:
                raise DataError(f"{path}: two keys are both named {name!r} once objects are taken apart.")
            found.add(name)
        for name, cells, dtype in _in_order(leaves(frame.schema), block):
            if columns.get(name, pl.Null()) == pl.Null:
                columns[name] = dtype
            if is_listed(dtype):
                counts = frame.select(cells.list.len()).to_series().drop_nulls()
                low, high = lengths.get(name, (MOST_LISTED, 0))
                lengths[name] = min(low, *counts), max(high, *counts)
    if not columns:
        raise DataError(f"{path}: {'the file is empty' if text is found_text else 'there are no records'}.")
    if rows == 1:
        _refuse_columns_as_records(path, list(columns))
    same = {name: high for name, (low, high) in lengths.items() if low == high}
    names = [name for key, dtype in columns.items() for name, _ in parts(key, pl.col(key), dtype, same, ())]
    return JsonLinesFile(text, tuple(names), same)


def _in_order(found: Iterable[_Leaf], block: Block) -> list[_Leaf]:
    """Leaves in the order of their keys in the first records, the rest by name: polars has many in no order at all."""
    rest = {leaf[0]: leaf for leaf in found}
    ordered: list[_Leaf] = []
    for line in block.without_blank_lines().split(b"\n", _ORDERING_RECORDS)[:_ORDERING_RECORDS]:
        if not rest:
            break
        keys = (key for key, _ in _values(json.loads(line))) if line.strip() else ()
        ordered += [rest.pop(key) for key in keys if key in rest]
    return [*ordered, *(rest[name] for name in sorted(rest))]


def _refuse_columns_as_records(path: Path, names: Sequence[str]) -> None:
    """Refuse what pandas writes where nobody asks for records: an object of columns.

    Raises:
        DataError: it is such.
    """
    split = {"columns", "data"} <= set(names) <= {"columns", "data", "index", "index_names", "column_names"}
    if split or all(map(_OF_ROW.search, names)):
        raise DataError(
            f"{path}: one object that holds a data frame by columns, not one object a row: write it with "
            "to_json(..., orient='records')."
        )


def _refuse_endless(path: Path, block: Block, keys: set[str]) -> None:
    """Refuse what would make the parser crash or fill memory: objects inside objects, or keys, without end.

    And a key that stands twice in one object, of which the parser would keep one in silence.
    """
    steps = _DEEPER[np.frombuffer(block.data, dtype=np.uint8)]
    if np.cumsum(steps, dtype=np.int64).max() > DEEPEST:  # brackets in text are counted too: look more closely
        for number, line in enumerate(block.without_blank_lines().split(b"\n")):
            bare = np.frombuffer(_TEXT.sub(b"", line), dtype=np.uint8)
            if len(bare) and np.cumsum(_DEEPER[bare], dtype=np.int64).max() > DEEPEST:
                raise DataError(f"{path}: {block.place(number)}: nested deeper than {DEEPEST}.")
    lines = pl.Series(block.without_blank_lines().split(b"\n"), dtype=pl.Binary).cast(pl.String, strict=False)
    found = lines.str.replace_all(r"\s+:", ":").str.extract_all(_KEY)
    spelled = found.explode().drop_nulls().unique()
    keys.update(spelled)
    if len(keys) > _MOST_KEYS:
        raise DataError(f"{path}: more than {_MOST_KEYS} different keys by line {block.first_line}.")
    doubtful = found.list.n_unique() < found.list.len()
    if _are_spelled_twice(spelled):
        doubtful |= lines.str.contains("\\", literal=True)
    for number in doubtful.arg_true():
        twice = _key_twice(lines[number])  # or the keys are those of several objects inside
        if twice is not None:
            raise DataError(f"{path}: {block.place(number)}: key {twice!r} stands twice in one object.")


def _are_spelled_twice(keys: pl.Series) -> bool:
    """Whether two spellings are those of one key, such as "a" and "\\u0061"."""
    if not keys.str.contains("\\", literal=True).any():
        return False
    try:
        names = json.loads(f"[{','.join(key.removesuffix(':') for key in keys)}]")
    except ValueError:
        return True  # no JSON: told when it is parsed
    return len(set(names)) < len(names)


def _key_twice(line: str) -> str | None:
    """The first key that stands twice in one object of a line, None where there is none or the line is no JSON."""
    twice: list[str] = []

    def look(pairs: list[tuple[str, object]]) -> None:
        names = [name for name, _ in pairs]
        if len(set(names)) < len(names):
            twice.extend(name for name, count in Counter(names).items() if count > 1)

    try:
        json.loads(line, object_pairs_hook=look)
    except ValueError:
        return None  # told when it is parsed
    return next(iter(twice), None)


def _blocks(text: TextFile | JsonElements, start: Position = BEGINNING) -> Iterator[Block]:
    endless = partial(_endless, text.path)
    for block in whole_records(text.blocks(start.byte), skip_lines=0, quote=None, endless=endless, start=start):
        if isinstance(text, JsonElements) and block.data.strip():
            yield ElementBlock(block.data, block.first_line, None, block.end_line, block.end_byte)
        elif block.data.strip():
            yield replace(block, data=_BLANKS_ALONE.sub(b"", block.data)) if _may_hold_blank_lines(block) else block


def _may_hold_blank_lines(block: Block) -> bool:
    """Whether lines may consist of blanks, which are no records to the parser either."""
    return block.data[:1].isspace() or b"\n " in block.data or b"\n\t" in block.data


def _endless(path: Path, block: Block) -> DataError:
    return DataError(f"{path}: line {block.first_line}: too long for one record.")


def _parsed(path: Path, block: Block) -> pl.DataFrame:
    data = _NAN.sub(_null_for_nan, block.data) if b"NaN" in block.data else block.data
    try:
        return pl.read_ndjson(data, infer_schema_length=None)
    except pl.exceptions.PolarsError as error:
        raise _bad_line(path, block, str(error)) from error


def _null_for_nan(match: re.Match[bytes]) -> bytes:
    return b"null" if match[0] == b"NaN" else match[0]


def _values(record: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """All values in an object, null too, with their keys: also those in the objects and lists that it holds."""
    todo = list(record.items())[::-1]
    while todo:
        key, value = todo.pop()
        yield key, value
        if isinstance(value, dict):
            todo += [(f"{key}.{name}", inner) for name, inner in reversed(value.items())]
        elif isinstance(value, list):
            todo += [(f"{key}[]", inner) for inner in reversed(value)]


def _bad_line(path: Path, block: Block, reason: str) -> DataError:
    types: dict[str, str] = {}
    for number, line in enumerate(block.without_blank_lines().splitlines()):
        where = f"{path}: {block.place(number)}"
        try:
            record = json.loads(line)
        except json.JSONDecodeError as error:
            return DataError(f"{where}: not JSON: {error.msg} at character {error.pos + 1}.")
        if not isinstance(record, dict):
            return DataError(f"{where}: a JSON object is needed, got {line[:40].decode()!r}.")
        for key, value in _values(record):
            if isinstance(value, float) and math.isinf(value):
                return DataError(f"{where}, key {key!r}: {value} is no number that JSON knows: write null.")
            if value is None:
                continue
            first = types.setdefault(key, _KINDS[type(value)])
            if first != _KINDS[type(value)]:
                return DataError(f"{where}, key {key!r}: {json.dumps(value)[:_SHOWN]} among {first}.")
    return DataError(f"{path}: lines from {block.first_line} on cannot be read: {reason.splitlines()[0]}.")
