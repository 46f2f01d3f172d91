"""Mistakes in plain values, found by pydantic and put in words: what is allowed, what was got, which name was meant."""

from __future__ import annotations

import functools
import json
import types
import typing
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from typing import Annotated, Any, Literal, Union

from pydantic import Strict, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from ignite_workflow.errors import Keys, Mistake, nearest

__all__ = [
    "both_ends",
    "field_types",
    "is_section",
    "members",
    "shown",
    "strict_type",
    "type_at",
    "validate",
]

_ALLOWED = {
    "bool_parsing": "true or false",
    "bool_type": "true or false",
    "dataclass_type": "a mapping",
    "dict_type": "a mapping",
    "float_type": "a number",
    "greater_than": "more than {gt}",
    "greater_than_equal": "at least {ge}",
    "int_type": "a whole number",
    "less_than": "less than {lt}",
    "less_than_equal": "at most {le}",
    "list_type": "a list",
    "literal_error": "{expected}",
    "none_required": "null",
    "string_too_long": "at most {max_length} long",
    "string_too_short": "at least {min_length} long",
    "string_type": "text",
    "string_unicode": "text that UTF-8 can hold",
    "too_long": "at most {max_length} long",
    "too_short": "at least {min_length} long",
    "tuple_type": "a list",
}
_RANGES = ("greater_", "less_", "string_too_", "too_")
_CONTAINERS: Mapping[Any, Any] = {list: list, Sequence: list, tuple: tuple, dict: dict, Mapping: dict}


def validate(expected: Any, data: Any) -> tuple[Any, list[Mistake]]:
    """Check a plain value against a type, whole.

    Args:
        expected: a type, or a dataclass whose ``__pydantic_config__`` forbids unknown keys.
        data: numbers, text, booleans, None, lists and mappings. Not changed.

    Returns:
        The value as ``expected`` has it (None where there is a mistake), and all mistakes: one a place.
    """
    try:
        return _adapter(expected).validate_python(data), []
    except ValidationError as error:
        found = error.errors(include_url=False)
    places = [_place(details, data) for details in found]
    deeper = {keys[:n] for keys in places for n in range(len(keys))}
    by_place: dict[Keys, list[ErrorDetails]] = {}
    for keys, details in zip(places, found, strict=True):
        # A list with one bad item is not text either, but that is not what is wrong with it.
        if keys not in deeper or details["type"] == "value_error":
            by_place.setdefault(keys, []).append(details)
    return None, [_mistake(expected, keys, details) for keys, details in by_place.items()]


@functools.cache
def _adapter(expected: Any) -> TypeAdapter[Any]:
    return TypeAdapter(expected)


def _place(details: ErrorDetails, data: Any) -> Keys:
    """The error's place in ``data``: pydantic mixes the names of a union's members into it."""
    keys: list[str | int] = []
    for key in details["loc"]:
        is_key = isinstance(data, Mapping) and key in data
        if is_key or (isinstance(data, list | tuple) and isinstance(key, int) and key < len(data)):
            keys.append(key)
            data = data[key]
    is_absent = details["type"] == "missing"
    return (*keys, details["loc"][-1]) if is_absent else tuple(keys)


def _mistake(expected: Any, keys: Keys, found: list[ErrorDetails]) -> Mistake:
    first = found[0]
    if first["type"] == "missing":
        return Mistake(keys, "is missing.")
    if first["type"] == "unexpected_keyword_argument":
        known = [field.name for field in fields(type_at(expected, keys[:-1]))]
        return Mistake(keys, f"unknown key.{nearest(str(keys[-1]), known)} Known: {', '.join(known)}.", at_key=True)
    if first["type"] == "value_error":
        return Mistake(keys, str(first["ctx"]["error"]))
    # Where a value is of one member's type but out of its range, that it is not of another's type says nothing.
    out_of_range = [details for details in found if details["type"].startswith(_RANGES)]
    allowed = dict.fromkeys(_allowed(details) for details in out_of_range or found)
    is_unquoted = "text" in allowed and isinstance(first["input"], bool | int | float)
    hint = " (in quotes it is text)" if is_unquoted else ""
    return Mistake(keys, f"must be {' or '.join(allowed)}, got {shown(first['input'])}{hint}.")


def _allowed(details: ErrorDetails) -> str:
    if details["type"] not in _ALLOWED:
        return f"right ({details['msg'].lower()})"
    limits = {key: _short(value) for key, value in details.get("ctx", {}).items()}
    return _ALLOWED[details["type"]].format(**limits)


def _short(limit: Any) -> Any:
    return int(limit) if isinstance(limit, float) and limit.is_integer() else limit


def shown(value: Any, limit: int | None = 80) -> str:
    """A value as a person wrote it, for a message; cut where it is longer than ``limit``.

    Example:
        >>> print(shown("x"), shown([True, None]))
        'x' [true, null]
    """
    text = repr(value) if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=repr)
    return text if limit is None or len(text) <= limit else f"{text[: limit - 3]}..."


def both_ends(text: str) -> str:
    """Both ends of a long one: paths differ at theirs."""
    return text if len(text) <= 200 else f"{text[:98]}...{text[-98:]}"


def type_at(root: Any, keys: Iterable[str | int]) -> Any:
    """The type of the value that ``keys`` lead to, from a dataclass or another type; ``Any`` where it is open."""
    for key in keys:
        (root,) = [_type_below(member, key) for member in members(root) if _has_keys(member)] or [Any]
    return root


def members(annotation: Any) -> tuple[Any, ...]:
    """The members of a union; any other type alone. Constraints (``Annotated``) are taken off."""
    origin = typing.get_origin(annotation)
    if origin is Annotated:
        return members(typing.get_args(annotation)[0])
    if origin in (Union, types.UnionType):
        return tuple(inner for member in typing.get_args(annotation) for inner in members(member))
    return (annotation,)


def is_section(annotation: Any) -> bool:
    """Whether a type is a dataclass: named settings."""
    return is_dataclass(annotation)


def _has_keys(annotation: Any) -> bool:
    return is_section(annotation) or typing.get_origin(annotation) is dict


def _type_below(annotation: Any, key: str | int) -> Any:
    if is_section(annotation):
        return field_types(annotation).get(str(key), Any)
    return typing.get_args(annotation)[1]


@functools.cache
def field_types(section: Any) -> Mapping[str, Any]:
    """The types of a dataclass's fields by name."""
    return typing.get_type_hints(section, include_extras=True)


def strict_type(annotation: Any) -> Any:
    """The part of a type that a plain value can be checked against, made strict: ``true`` is not 1, "3" is not 3.

    Returns:
        A type for ``validate``; ``Any`` where every value passes because the type is none that a plain value can have.

    Example:
        >>> strict_type(str | bytes | None) == str | None
        True
    """
    if annotation in (bool, int, float):
        return Annotated[annotation, Strict()]
    if (
        annotation in (str, None, types.NoneType)
        or annotation in _CONTAINERS
        or typing.get_origin(annotation) is Literal
    ):
        return _CONTAINERS.get(annotation, annotation)
    if len(members(annotation)) > 1:
        checked = [strict_type(member) for member in members(annotation)]
        plain = tuple(member for member in checked if member is not Any)
        return Any if plain in ((), (None,), (types.NoneType,)) else Union[plain]  # noqa: UP007
    container = _CONTAINERS.get(typing.get_origin(annotation))
    if container is None:
        return Any
    arguments = typing.get_args(annotation)
    return container[tuple(... if inner is ... else strict_type(inner) for inner in arguments)]
