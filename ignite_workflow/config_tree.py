"""Settings as a tree whose every value knows where it was written: YAML 1.2 in and out.

Only plain values come out of a file: text, numbers, booleans, null, lists and mappings. Nothing in it is executed.
"""

from __future__ import annotations

import io
import os
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, ScalarNode
from ruamel.yaml.nodes import Node as YAMLNode
from ruamel.yaml.representer import SafeRepresenter

from ignite_workflow.errors import ConfigError, Mistake

__all__ = ["Node", "Place", "parse_yaml", "read_yaml", "to_yaml"]

MAX_BYTES = 1_000_000
MAX_VALUES = 100_000  # aliases count as often as they are used: few of them can stand for billions of values
MAX_DEPTH = 50
_TAG = "tag:yaml.org,2002:"


class Place(NamedTuple):
    """Where something was written: a file's line and column from 1, or only a source (an argument, a mapping)."""

    source: str = ""
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return f"{self.source}:{self.line}:{self.column}" if self.line else self.source


@dataclass
class Node:
    """A value and where it was written.

    Attributes:
        value: a plain scalar, a list of nodes, or a dict of nodes.
        place: where the value stands.
        key_place: where the key before it stands.
    """

    value: Any
    place: Place = field(default_factory=Place)
    key_place: Place = field(default_factory=Place)

    @classmethod
    def from_plain(cls, value: Any, place: Place) -> Node:
        """The tree of a plain value, all of it written in one place. A ``Path`` is text."""
        if isinstance(value, Mapping):
            return cls({str(key): cls.from_plain(item, place) for key, item in value.items()}, place, place)
        if isinstance(value, list | tuple):
            return cls([cls.from_plain(item, place) for item in value], place, place)
        return cls(os.fspath(value) if isinstance(value, os.PathLike) else value, place, place)

    def to_plain(self) -> Any:
        """The value without places."""
        if isinstance(self.value, dict):
            return {key: node.to_plain() for key, node in self.value.items()}
        if isinstance(self.value, list):
            return [node.to_plain() for node in self.value]
        return self.value

    def find(self, keys: Sequence[str | int]) -> tuple[Node, bool]:
        """The node that ``keys`` lead to, or the last one on the way; and whether it is the one."""
        node = self
        for key in keys:
            items = dict(enumerate(node.value)) if isinstance(node.value, list) else node.value
            if not isinstance(items, dict) or key not in items:
                return node, False
            node = items[key]
        return node, True

    def put(self, keys: Sequence[str], leaf: Node) -> None:
        """Set the value that ``keys`` lead to. Mappings on the way are made where they are missing."""
        node = self
        for key in keys[:-1]:
            below = node.value.get(key)
            if below is None or not isinstance(below.value, dict):
                below = node.value[key] = Node({}, leaf.place, leaf.key_place)
            node = below
        node.value[keys[-1]] = leaf

    def locate(self, mistakes: Iterable[Mistake]) -> list[str]:
        """A line for each mistake, its place before it: in the order of the file, those of arguments last."""
        located = []
        for keys, text, at_key in mistakes:
            node, is_found = self.find(keys)
            place = node.key_place if at_key and is_found else node.place
            located.append((place, f"{place}: {text}" if str(place) else text))
        return [line for _, line in sorted(located, key=_reading_order)]


def _reading_order(located: tuple[Place, str]) -> tuple[bool, int, int]:
    place, _ = located
    return place.line == 0, place.line, place.column


def read_yaml(file: Path) -> Node:
    """The tree of a YAML file.

    Raises:
        ConfigError: it cannot be read, or is not plain YAML; with line and column.
    """
    if not file.is_file():
        raise ConfigError(f"{file}: {'is a directory' if file.is_dir() else 'there is no such file'}.")
    if file.stat().st_size > MAX_BYTES:
        raise ConfigError(f"{file}: too large for a config ({file.stat().st_size:,} bytes; at most {MAX_BYTES:,}).")
    try:
        text = file.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ConfigError(f"{file}: a config is UTF-8 text; byte {error.start} is not.") from None
    except OSError as error:
        raise ConfigError(f"{file}: {error.strerror}.") from None
    return parse_yaml(text, Place(str(file), 1, 1))


def parse_yaml(text: str, start: Place, *, is_text: bool = False) -> Node:
    """The tree of a YAML document.

    Args:
        text: YAML 1.2.
        start: the place of the first character. Without a line (an argument), it is the place of every value.
        is_text: take every scalar as the characters that are written: 1e3 is "1e3".

    Raises:
        ConfigError: it is not plain YAML.
    """
    yaml = YAML(typ="safe", pure=True)
    try:
        root = yaml.compose(io.StringIO(text))
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = start if mark is None else _place(start, mark.line, mark.column)
        raise ConfigError(f"{place}: not valid YAML: {error.problem}.") from None
    except YAMLError:
        raise ConfigError(f"{start}: not valid YAML: it holds a character that text cannot have.") from None
    except RecursionError:
        raise ConfigError(f"{start}: lists or mappings lie too deep in each other.") from None
    if root is None:
        return Node(None, start, start)
    return _TreeBuilder(start, yaml, is_text).build(root, start, depth=0)


def _place(start: Place, line: int, column: int) -> Place:
    return start._replace(line=line + 1, column=column + 1) if start.line else start


@dataclass
class _TreeBuilder:
    """Turns ruamel's nodes into ours: bounded, without duplicate keys, tags or anything but plain values."""

    start: Place
    yaml: YAML
    is_text: bool
    values: int = 0

    def build(self, node: YAMLNode, key_place: Place | None, depth: int) -> Node:
        place = _place(self.start, node.start_mark.line, node.start_mark.column)
        self.values += 1
        if depth > MAX_DEPTH or self.values > MAX_VALUES:
            raise ConfigError(f"{place}: too many values, or too deep in each other (are aliases repeated?).")
        value: Any
        if isinstance(node, ScalarNode):
            value = self.scalar(node, place)
        elif isinstance(node, MappingNode):
            value = self.mapping(node, depth)
        else:
            value = [self.build(item, None, depth + 1) for item in node.value]
        return Node(value, place, key_place or place)

    def mapping(self, node: MappingNode, depth: int) -> dict[str, Node]:
        items: dict[str, Node] = {}
        for key_node, value_node in node.value:
            place = _place(self.start, key_node.start_mark.line, key_node.start_mark.column)
            if not isinstance(key_node, ScalarNode):
                raise ConfigError(f"{place}: a key must be text.")
            key = str(key_node.value)
            if key in items:
                raise ConfigError(f"{place}: duplicate key {key!r}; it stands at {items[key].key_place} too.")
            if node.flow_style and re.fullmatch(r"\w+:[^:]+", key) and _is_blank(key_node, value_node):
                raise ConfigError(f"{place}: {key!r} has no value: write {{{key.replace(':', ': ')}}}, with a blank.")
            items[key] = self.build(value_node, place, depth + 1)
        return items

    def scalar(self, node: ScalarNode, place: Place) -> Any:
        kind = str(node.tag).removeprefix(_TAG)
        if self.is_text or kind in ("str", "timestamp", "value"):
            return str(node.value)
        constructor = self.yaml.constructor
        construct = {
            "null": constructor.construct_yaml_null,
            "bool": constructor.construct_yaml_bool,
            "int": constructor.construct_yaml_int,
            "float": constructor.construct_yaml_float,
        }.get(kind)
        if construct is None:
            raise ConfigError(f"{place}: tags ({kind}) are not allowed.")
        try:
            return construct(node)
        except (ValueError, KeyError):
            raise ConfigError(f"{place}: {node.value[:40]!r} is not a number.") from None


def _is_blank(key: ScalarNode, value: YAMLNode) -> bool:
    """Whether a key stands there without quotes, and nothing behind it."""
    return key.style is None and isinstance(value, ScalarNode) and not value.value and value.style is None


class _Representer(SafeRepresenter):
    """Writes line breaks and other invisible characters in text as escapes: ruamel's other styles lose some."""

    def represent_text(self, data: str) -> ScalarNode:
        return self.represent_scalar(f"{_TAG}str", data, style=None if data.isprintable() else '"')


_Representer.add_representer(str, _Representer.represent_text)


def to_yaml(value: Any, *, one_line: bool = False) -> str:
    """A plain value as YAML 1.2 that reads back as the same value.

    Args:
        value: of mappings, lists, text, numbers and so on.
        one_line: all of it; else only the innermost lists and mappings.
    """
    yaml = YAML(typ="safe", pure=True)
    yaml.Representer = _Representer
    yaml.default_flow_style = True if one_line else None
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]
    yaml.allow_unicode = True
    yaml.width = sys.maxsize if one_line else 120
    stream = io.StringIO()
    yaml.dump(value, stream)
    return stream.getvalue()
