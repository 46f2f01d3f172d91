"""JSON whose records are not one a line: an array of objects, one in the value of a key, objects over several lines.

Such text is rewritten as JSON lines while it is read, in as many bytes: line breaks between the parts of a record are
made blanks, and what parts two records a line break. So it takes no more memory than a block.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ignite_workflow.data.text_file import TextFile
from ignite_workflow.data.text_records import Block
from ignite_workflow.errors import ConfigError, DataError, nearest

__all__ = ["DEEPEST", "ElementBlock", "JsonElements", "find_elements"]

DEEPEST = 64
_MOST_LISTS = 1000
_KEY_BYTES = 4096  # before a value in which its key is looked for
_BLANKS = b" \t\n\r"
_KEY = re.compile(rb'("(?:[^"\\]|\\.)*")\s*:\s*\Z')
_STEPS = np.zeros(256, dtype=np.int8)  # what a byte adds to the depth
_STEPS[[*b"[{"]] = 1
_STEPS[[*b"]}"]] = -1
_IS_BLANK = np.zeros(256, dtype=bool)
_IS_BLANK[[*_BLANKS]] = True
Bytes = np.ndarray[tuple[int], np.dtype[np.uint8]]
Flags = np.ndarray[tuple[int], np.dtype[np.bool_]]
Places = np.ndarray[tuple[int], np.dtype[np.int64]]
Depths = np.ndarray[tuple[int], np.dtype[np.int32]]


@dataclass(frozen=True)
class ElementBlock(Block):
    """Whole records of such a file: their place is counted in elements."""

    def place(self, record: int) -> str:
        """Where a record stands, for messages."""
        return f"element {self.line(record)}"


@dataclass(frozen=True)
class JsonElements:
    """A text file of JSON, read as JSON lines.

    Attributes:
        text: the file.
        begin, end: the bytes of its content between which the records stand.
        depth: how many brackets are open around them.
        notes: what was guessed.
    """

    text: TextFile
    begin: int
    end: int
    depth: int
    notes: tuple[str, ...] = ()

    @property
    def path(self) -> Path:
        """Of the file."""
        return self.text.path

    def blocks(self, start: int = 0) -> Iterator[bytes | bytearray]:
        """The content as JSON lines, in blocks cut anywhere: as ``TextFile.blocks`` gives it.

        Args:
            start: bytes at the beginning that are left out.
        """
        at, look, ended = 0, _Look(), False
        for block in self.text.blocks():
            data = np.frombuffer(block, dtype=np.uint8).copy()
            inside, depth = look.at(data)
            closes = ~inside & (_STEPS[data] < 0) & (depth == self.depth)
            blanks = ~inside & _IS_BLANK[data]
            commas = ~inside & (data == ord(",")) & (depth == self.depth)
            parts = commas if self.depth else _behind(closes, ended) & blanks
            ended = bool(closes[-1])
            data[blanks] = ord(" ")
            data[parts] = ord("\n")
            data[: max(0, self.begin - at)] = ord(" ")
            data[max(0, self.end - at) :] = ord(" ")
            at += len(data)
            if at > start:
                yield data[max(0, start - at + len(data)) :].tobytes()


def _behind(flags: Flags, first: bool) -> Flags:
    moved = np.empty_like(flags)
    moved[0], moved[1:] = first, flags[:-1]
    return moved


class _Look:
    """Where texts and brackets are, block by block."""

    def __init__(self) -> None:
        self.inside = False  # of a text
        self.escaped = False  # the next byte is
        self.depth = 0

    def at(self, data: Bytes) -> tuple[Flags, Depths]:
        """Of each byte: whether it stands in a text, and how many brackets are open behind it."""
        toggles = (data == ord('"')).astype(np.uint8)
        slashes = np.flatnonzero(data == ord("\\"))
        if self.escaped:
            toggles[0] = 0
        if len(slashes):
            toggles[self._escaped_by(slashes, len(data))] = 0
        else:
            self.escaped = False
        inside = (np.cumsum(toggles, dtype=np.uint8) + self.inside) % 2 == 1
        steps = _STEPS[data]
        steps[inside] = 0
        depth: Depths = np.cumsum(steps, dtype=np.int32) + np.int32(self.depth)
        self.inside, self.depth = bool(inside[-1]), int(depth[-1])
        return inside, depth

    def _escaped_by(self, slashes: Places, size: int) -> Places:
        """The bytes behind every other backslash of a run."""
        first = np.concatenate([[True], np.diff(slashes) != 1])
        starts = slashes[first]
        if self.escaped and starts[0] == 0:
            starts[0] = -1
        behind = slashes[(slashes - starts[np.cumsum(first) - 1]) % 2 == 0] + 1
        self.escaped = bool(len(behind)) and int(behind[-1]) == size
        escaped: Places = behind[behind < size]
        return escaped


@dataclass
class _List:
    key: str
    begin: int
    depth: int  # how many brackets are open inside
    end: int = -1
    of_objects: bool | None = None


class _Lists:
    """Finds the lists at the top of a text: the array that it is, or those in the values of its object.

    And those in the values of objects that are its values.
    """

    def __init__(self, path: Path, *, in_object: bool) -> None:
        self.path = path
        self.level = 1 + in_object
        self.found: list[_List] = []
        self.size = 0
        self.values = 0  # at the top
        self.look = _Look()
        self._before = b""
        self._outer = ""  # the key of the object inside that was opened last
        self._few = in_object  # lists in objects inside, so far

    def add(self, block: bytes | bytearray) -> None:
        """Look at the next bytes."""
        data = np.frombuffer(block, dtype=np.uint8)
        inside, depth = self.look.at(data)
        if depth.max() > DEEPEST + self.level:
            raise DataError(f"{self.path}: nested deeper than {DEEPEST}.")
        if depth.min() < 0:
            raise DataError(f"{self.path}: a bracket is closed that was never opened.")
        steps = _STEPS[data]
        closed = np.flatnonzero(~inside & (steps < 0) & (depth == 0))
        if not self.values:  # what stands behind the first value is a record of its own, or no JSON
            lowest = self.level + self._few
            marks = ((data == ord("[")) & (depth <= lowest)) | ((data == ord("]")) & (depth < lowest))
            if self._few:
                marks |= (data == ord("{")) & (depth == self.level)
            marks[int(closed[0]) + 1 if len(closed) else len(marks) :] = False
            self._look_inside(bytes(block), np.flatnonzero(marks & ~inside).tolist(), depth)
        self.values += len(closed)
        self.size += len(data)
        self._before = (self._before + bytes(block[-_KEY_BYTES:]))[-_KEY_BYTES:]

    def _look_inside(self, block: bytes, brackets: Sequence[int], depth: Depths) -> None:
        """Look at the brackets near the top; ``depth`` is that behind each byte."""
        if self.found and self.found[-1].of_objects is None:
            self._see(self.found[-1], block[:_KEY_BYTES])
        for at in brackets:
            bracket, level = block[at : at + 1], int(depth[at])
            is_open = bool(self.found) and self.found[-1].end < 0
            if bracket == b"{" and level == self.level:
                self._outer = self._key(block, at)
            elif bracket == b"[" and not is_open and level in (self.level, self.level + self._few):
                self._begin(block, at, level)
            elif bracket == b"]" and is_open and level == self.found[-1].depth - 1:
                self.found[-1].end = self.size + at

    def _key(self, block: bytes, at: int) -> str:
        """The key of the value that begins there."""
        before = (self._before + block[:at])[-_KEY_BYTES:] if at < _KEY_BYTES else block[at - _KEY_BYTES : at]
        key = _KEY.search(before)
        return str(json.loads(key[1])) if key else ""

    def _begin(self, block: bytes, at: int, level: int) -> None:
        key = self._key(block, at)
        key = key if level == self.level else f"{self._outer}.{key}"
        self.found.append(_List(key, self.size + at + 1, level))
        self._see(self.found[-1], block[at + 1 : at + 1 + _KEY_BYTES])
        if len(self.found) > _MOST_LISTS and self._few:  # an object by its key: these are no records
            self._few = False
            self.found = self.at(self.level)
        if len(self.found) > _MOST_LISTS:
            raise DataError(f"{self.path}: more than {_MOST_LISTS} lists in one object: write one object a line.")

    def _see(self, found: _List, content: bytes) -> None:
        first = content.lstrip(_BLANKS)[:1]
        found.of_objects = first == b"{" if first else None

    def at(self, level: int) -> list[_List]:
        """Those with so many brackets open inside."""
        return [each for each in self.found if each.depth == level]

    def of_records(self) -> dict[str, _List]:
        """Those of objects, by key: of the first value, if it is the only one."""
        return {each.key: each for each in self.found if each.of_objects} if self.values == 1 else {}


def find_elements(text: TextFile, key: str | None) -> JsonElements | None:
    """Where the records of JSON stand that are not one a line; None: they are, or it is no JSON.

    Args:
        text: the file.
        key: of the list that holds them, as a person says; None: the only one that there is.

    Raises:
        ConfigError: no key of that name holds a list.
        DataError: brackets are not closed, there is no end to them, or several keys hold records and nobody says which.
    """
    sample = text.sample().lstrip(_BLANKS)
    line, _, rest = sample.partition(b"\n")
    is_line = line.startswith(b"{") and _is_json(line)
    may_wrap = key is not None or not {".jsonl", ".ndjson"} & set(text.path.suffixes)
    if not line.startswith((b"[", b"{")) or (is_line and (rest.strip() or not may_wrap)):
        return None
    lists = _Lists(text.path, in_object=line.startswith(b"{"))
    for block in text.blocks():
        lists.add(block)
    if lists.look.depth or lists.look.inside:
        if line.startswith(b"{") and line.rstrip()[-1:] not in b"[{,":
            return None  # told where the line is parsed
        raise DataError(f"{text.path}: ends within a record: it was not written, or not downloaded, to its end.")
    if line.startswith(b"["):
        if lists.values > 1:
            raise DataError(f"{text.path}: more than one JSON array: write one object a line.")
        return JsonElements(text, lists.found[0].begin, lists.found[0].end, 1)
    holding = lists.of_records() if may_wrap else {}
    if holding or key is not None:
        return _chosen(text, holding, key)
    return None if is_line else JsonElements(text, 0, lists.size, 0)


def _is_json(line: bytes) -> bool:
    try:
        json.loads(line)
    except (ValueError, RecursionError):
        return False
    return True


def _chosen(text: TextFile, holding: Mapping[str, _List], key: str | None) -> JsonElements:
    if key is not None and key not in holding:
        raise ConfigError(f"data.read.sheet: {text.path} has no key {key!r} that holds records.{nearest(key, holding)}")
    top = min((each.depth for each in holding.values()), default=0)
    likely = [each for each in holding.values() if each.depth == top]
    if key is None and len(likely) > 1:
        names = ", ".join(repr(each.key) for each in likely)
        raise DataError(f"{text.path}: the keys {names} hold lists of records: say which: data.read.sheet.")
    chosen = holding[key] if key is not None else likely[0]
    note = f"{text.path.name}: its records are the elements of key {chosen.key!r}; what stands beside is left out."
    return JsonElements(text, chosen.begin, chosen.end, chosen.depth, (note,))
