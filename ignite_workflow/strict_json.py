"""JSON that every reader takes: it has no NaN and no infinities, so those are written as text."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from typing import Any

__all__ = ["to_json", "with_text_for_nan"]


def to_json(document: Any, *, indent: int | None = None, default: Callable[[Any], Any] | None = None) -> str:
    """A document of plain values; numbers that are not finite become the strings of ``metrics.jsonl``.

    Args:
        document: numbers, text, booleans, None, lists and mappings.
        indent: blanks a level; None: all on one line.
        default: turns another value into a plain one.

    Example:
        >>> to_json({"loss": math.nan, "range": (0.5, -math.inf)})
        '{"loss": "nan", "range": [0.5, "-inf"]}'
    """
    plain = with_text_for_nan(document)
    return json.dumps(plain, ensure_ascii=False, allow_nan=False, indent=indent, default=default)


def with_text_for_nan(value: Any) -> Any:
    """The same value with ``"nan"``, ``"inf"`` and ``"-inf"`` for numbers that are not finite."""
    if isinstance(value, Mapping):
        return {key: with_text_for_nan(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [with_text_for_nan(inner) for inner in value]
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value
