"""The profile of a column: what its cells have shown so far, kept while they are scanned and saved in a journal."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, TypeVar

from pydantic import TypeAdapter

from ignite_workflow.data.compact_dates import compact_form

__all__ = ["CellProfile", "DateProfile", "plain_fields", "read_fields"]

Profile = TypeVar("Profile", "CellProfile", "DateProfile")


@dataclass
class CellProfile:
    """What the cells of a column have shown.

    Attributes:
        rows, missing, bad: how many cells there are, how many are missing, and how many are neither that nor numbers.
        low, high: the least and the largest number.
        first_bad: the first cell that is no number, with its place.
        unusable: the type of cells that a table cannot use.
        numeric: enough of them are numbers to try on.
        whole: every number is an integer.
        consecutive: each number is one more than that above it.
        compact: each number is a day or a moment, such as 20240131.
        power: the first integer that is written as 12e34.
        leading_zeros: a number is written with zeros in front.
        typed_dates: cells are dates by their type.
        repeated: a value occurs twice.
        settled: cells were made numbers.
        fractions: some numbers have fractions, and values are no longer counted.
        counts: how often each value occurs; None where they are too many.
        examples: the first different values.
        words: how often each spelling of a missing value occurs, empty cells left out.
    """

    rows: int = 0
    missing: int = 0
    bad: int = 0
    low: float = math.inf
    high: float = -math.inf
    first_bad: str = ""
    unusable: str = ""
    numeric: bool = True
    whole: bool = True
    consecutive: bool = True
    compact: bool = True
    power: str = ""
    leading_zeros: bool = False
    typed_dates: bool = False
    repeated: bool = False
    settled: bool = False
    fractions: bool = False
    counts: dict[str, int] | None = field(default_factory=dict)
    examples: dict[str, None] = field(default_factory=dict)
    words: dict[str, int] = field(default_factory=dict)

    @property
    def known(self) -> int:
        """The number of cells that are not missing."""
        return self.rows - self.missing

    @property
    def only_numbers(self) -> bool:
        """Whether there are cells that are not missing, and every one is a number."""
        return self.numeric and not self.bad and self.known > 0

    @property
    def are_compact_dates(self) -> bool:
        """Whether there are numbers, and every one is a day or a moment such as 20240131."""
        return self.whole and self.compact and self.only_numbers and bool(compact_form(self.low, self.high))


@dataclass
class DateProfile:
    """What the cells of a column have shown of dates.

    Attributes:
        known, bad: how many cells there are, and how many are no dates.
        first_bad: the first that is none.
        example: the first that may begin with the day or with the month.
        proof: a cell that tells whether day or month comes first.
        contradiction: two cells that tell different things.
        unknown_zone: the abbreviation of a time zone that nobody knows.
        zones: the abbreviations of those that are known.
        groups: by layout, the formats that fit all of its cells.
        first, last: by format, the earliest and the latest day, 2024-01-31.
        failed: the cells cannot all be dates.
    """

    known: int = 0
    bad: int = 0
    first_bad: str = ""
    example: str = ""
    proof: str = ""
    contradiction: str = ""
    unknown_zone: str = ""
    zones: list[str] = field(default_factory=list)
    groups: dict[str, tuple[str, ...]] = field(default_factory=dict)
    first: dict[str, str] = field(default_factory=dict)
    last: dict[str, str] = field(default_factory=dict)
    failed: bool = False


def plain_fields(profile: CellProfile | DateProfile) -> dict[str, Any]:
    """The fields, by name, as JSON can hold them; not copied."""
    return dict(vars(profile))


def read_fields(cls: type[Profile], plain: Mapping[str, Any]) -> Profile:
    """What ``plain_fields`` gave.

    Raises:
        ValueError: these are not the fields of this version, or a value is of another type.
    """
    names = {each.name for each in fields(cls)}
    if plain.keys() != names:
        raise ValueError(f"{cls.__name__}: saved with other fields: {', '.join(sorted(plain.keys() ^ names))}")
    return TypeAdapter(cls).validate_json(json.dumps(plain), strict=True)
