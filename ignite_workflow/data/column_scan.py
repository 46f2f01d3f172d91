"""What a column holds, found by looking at all of its cells, chunk by chunk."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl

from ignite_workflow.config import ReadConfig
from ignite_workflow.data.cells import (
    CellRules,
    Floats,
    Numbers,
    Place,
    as_text,
    count_values,
    has_leading_zeros,
    is_scalar,
    missing_words,
    parse_numbers,
    whole_power,
)
from ignite_workflow.data.compact_dates import are_compact, compact_form
from ignite_workflow.data.date_search import DateSearch
from ignite_workflow.data.findings import Finding
from ignite_workflow.data.kinds import MOST_DISTINCT, Kind, are_codes, decide
from ignite_workflow.data.profiles import CellProfile, DateProfile, plain_fields, read_fields
from ignite_workflow.data.unix_time import UNREADABLE, unix_time_of, unix_time_range

__all__ = ["ColumnScan"]

_SURE_ROWS = 1000
_SHOWN, _GLANCE = 3, 16


class ColumnScan:
    """Looks at a column chunk by chunk, in bounded memory.

    Args:
        name: of the column.
        rules: how its cells are read.
        kind: what ``data.columns`` says it is.
        read: what a person said about the file.
    """

    def __init__(
        self, name: str, rules: CellRules, kind: Kind | None = None, *, read: ReadConfig | None = None
    ) -> None:
        self.name = name
        self.rules = rules
        self.given = kind
        self._is_plain = rules.format(name).is_plain
        self.profile = CellProfile()
        self.dates = DateSearch(read, compact=kind == "datetime")

    @property
    def settles(self) -> bool:
        """Whether every cell so far is a number and nothing says that it is taken for something else."""
        profile = self.profile
        told = self.given == "number" or (self.given is None and not profile.are_compact_dates)
        return profile.numeric and not profile.bad and not profile.leading_zeros and told

    @property
    def is_sure(self) -> bool:
        """Whether the cells to come may be read as numbers right away: missing ones were empty, some had fractions."""
        return self.profile.fractions and self._is_plain and not self.profile.words and self.settles

    @property
    def awaits_range(self) -> bool:
        """Whether of cells that are all numbers nothing is to be known any more but their range."""
        return self.is_sure and len(self.profile.examples) >= _SHOWN

    @property
    def mistaken(self) -> bool:
        """Whether cells were settled as numbers before the column turned out to hold something else."""
        return self.profile.settled and decide(self.name, self.given, self.profile, self.dates)[0] in (
            "category",
            "datetime",
        )

    def add(self, series: pl.Series, place: Place, cast: pl.Series | None = None, *, empty: int = 0) -> pl.Series:
        """Look at the next cells.

        Args:
            series: the cells.
            place: where they stand, for messages.
            cast: the cells as numbers, null where they are none, if that is known already.
            empty: how many of the cells belong to rows that are empty altogether: they do not count.

        Returns:
            The cells as numbers, NaN where missing, if the column settles for numbers; else as they are.
        """
        profile = self.profile
        before = profile.rows
        profile.rows += len(series) - empty
        profile.missing -= empty
        if not is_scalar(series.dtype):
            profile.unusable = str(series.dtype)
            return series
        profile.numeric &= series.dtype.is_numeric() or series.dtype in (pl.String, pl.Null)
        profile.typed_dates |= series.dtype in (pl.Date, pl.Datetime)
        missing = profile.missing
        numbers = parse_numbers(series, self.rules, cast) if profile.numeric else None
        if numbers is not None:
            self._add_numbers(numbers, series, place, before, empty)
            if not profile.whole and not len(numbers.bad):
                profile.fractions = True  # there is no end to them: they are not counted
                self._add_words(series, profile.missing - missing)
                self._show(series)
                return self._settled(series, numbers)
        text = self._text(series, numbers, cast)
        if numbers is None:
            profile.missing += text.null_count()
        self._add_words(series, profile.missing - missing)
        if profile.bad or not profile.numeric or self.given == "datetime":
            self.dates.add(text)
        self._count(text)
        return series if numbers is None else self._settled(series, numbers)

    def add_range(self, rows: int, low: float, high: float) -> None:
        """Take the range of the next cells, all of which are numbers, where nothing else is awaited."""
        profile = self.profile
        profile.rows += rows
        profile.low, profile.high = min(profile.low, low), max(profile.high, high)

    def _text(self, series: pl.Series, numbers: Numbers | None, cast: pl.Series | None) -> pl.Series:
        """The cells as text: as they stand where every one of them is a number, and none a missing value."""
        if numbers is None or numbers.missing or not self._is_plain or cast is None or cast.null_count():
            return as_text(series, self.rules.missing)
        return series

    def _settled(self, series: pl.Series, numbers: Numbers) -> pl.Series:
        if not self.settles or series.dtype == pl.Float64:
            return series
        self.profile.settled = True
        return pl.Series(series.name, numbers.values)

    def _add_numbers(self, numbers: Numbers, series: pl.Series, place: Place, before: int, empty: int) -> None:
        profile = self.profile
        known = numbers.values[~np.isnan(numbers.values)] if numbers.missing or len(numbers.bad) else numbers.values
        profile.missing += numbers.missing
        if len(numbers.bad) and not profile.bad:
            first = int(numbers.bad[0])
            profile.first_bad = f"{series[first]!r} in {place(first)}"
        profile.bad += len(numbers.bad)
        if len(known):
            profile.low, profile.high = min(profile.low, known.min()), max(profile.high, known.max())
        self._add_whole(known, series, before, empty)
        profile.numeric = (
            profile.known < _SURE_ROWS or profile.bad <= profile.known / 2
        )  # of text there is no use in trying on

    def _add_whole(self, known: Floats, series: pl.Series, before: int, empty: int) -> None:
        profile = self.profile
        profile.whole = profile.whole and bool((known == np.floor(known)).all())
        if not profile.whole:
            profile.consecutive = profile.compact = False
            return
        profile.compact = profile.compact and (not len(known) or are_compact(known))
        profile.power = profile.power or whole_power(series)
        profile.leading_zeros |= not self.rules.format(self.name).durations and has_leading_zeros(series)
        counted = len(known) + empty == len(series) and bool((known[1:] == known[:-1] + 1).all())
        profile.consecutive &= counted and (before == 0 or len(known) == 0 or bool(known[0] == profile.low + before))

    def _add_words(self, series: pl.Series, missing: int) -> None:
        if missing:
            for word, count in missing_words(series, self.rules.missing).items():
                self.profile.words[word] = self.profile.words.get(word, 0) + count

    def _count(self, text: pl.Series) -> None:
        profile = self.profile
        self._show(text)
        if profile.counts is None:
            return
        counted = count_values(text.drop_nulls())
        repeated = max(counted.values(), default=1) > 1 or not profile.counts.keys().isdisjoint(counted)
        profile.repeated |= repeated
        for value, count in counted.items():
            profile.counts[value] = profile.counts.get(value, 0) + count
        if len(profile.counts) > MOST_DISTINCT:
            profile.counts = None

    def _show(self, series: pl.Series) -> None:
        if len(self.profile.examples) < _SHOWN and not self._shown_at_once(series):
            text = as_text(series.head(1000), self.rules.missing).drop_nulls().unique(maintain_order=True)
            self.profile.examples.update(dict.fromkeys(text.head(_SHOWN - len(self.profile.examples)).to_list()))

    def _shown_at_once(self, series: pl.Series) -> bool:
        """Whether the first few cells give all examples: that takes a hundredth of the time of looking at many."""
        if series.dtype != pl.String or self.profile.examples:
            return False
        cells = (cell.strip() for cell in series.head(_GLANCE).to_list() if cell is not None)
        found = dict.fromkeys(cell for cell in cells if cell not in self.rules.missing)
        if len(found) < _SHOWN:
            return False
        self.profile.examples.update(dict.fromkeys(list(found)[:_SHOWN]))
        return True

    def state_dict(self) -> dict[str, Any]:
        """What the cells so far have shown, as plain values."""
        return {"cells": plain_fields(self.profile), "dates": plain_fields(self.dates.profile)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take what another scan has seen, of the same column by the same rules.

        Raises:
            ValueError: it is not of the form that ``state_dict`` has in this version.
        """
        self.profile = read_fields(CellProfile, state["cells"])
        self.dates.profile = read_fields(DateProfile, state["dates"])

    def finding(self) -> Finding:
        """What all the cells seen so far amount to."""
        profile = self.profile
        kind, why = decide(self.name, self.given, profile, self.dates)
        counts = None if profile.fractions else profile.counts
        whole = profile.whole and profile.only_numbers and not are_codes(profile)
        given = self.given is not None
        question = self._question() if kind == "datetime" else ""
        formats = self.dates.formats
        if kind == "datetime" and not given and profile.are_compact_dates:
            formats = (compact_form(profile.low, profile.high),)
        if self._are_moments:
            formats = tuple(filter(None, (unix_time_of(profile.low, profile.high),)))
            why += "".join(f": {unit}, {unix_time_range(unit, profile.low, profile.high)}" for unit in formats)
        shown = tuple(profile.examples)[:_SHOWN]
        return Finding(
            self.name,
            kind,
            why,
            profile.rows,
            profile.missing,
            counts,
            whole,
            shown,
            formats,
            given,
            question,
            profile.words,
        )

    @property
    def _are_moments(self) -> bool:
        """Whether numbers stand where a person says that dates do."""
        numbers = self.profile.only_numbers and not self.profile.typed_dates
        return self.given == "datetime" and numbers and not self.dates.fits

    def _question(self) -> str:
        profile = self.profile
        if self._are_moments and not unix_time_of(profile.low, profile.high):
            return (
                f"column {self.name!r}: its numbers, from {profile.low:.17g} to {profile.high:.17g}, {UNREADABLE}: "
                f"name what is no date in data.missing, or say data.columns.{self.name}=number."
            )
        leave_out = f"or leave the column out: data.columns.{self.name}=ignore."
        if self.dates.open_zone:
            return f"column {self.name!r}: {self.dates.open_zone}, {leave_out}"
        if not self.dates.open:
            return ""
        example = self.dates.profile.example
        return (
            f"column {self.name!r}: {example!r} may begin with the day or with the month, as all cells may. "
            f"Say data.read.day_first=true or false, {leave_out}"
        )
