"""What a column holds, found by looking at all of it, chunk by chunk, and said with the evidence."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
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
    has_leading_zeros,
    is_scalar,
    missing_words,
    numbers_that_mean_missing,
    parse_numbers,
    whole_power,
)
from ignite_workflow.data.compact_dates import are_compact, compact_form
from ignite_workflow.data.date_search import DateSearch
from ignite_workflow.data.kinds import MOST_DISTINCT, USED_KINDS, Kind, are_codes, decide
from ignite_workflow.data.seen import SeenCells, SeenDates, plain_fields, read_fields
from ignite_workflow.data.unix_time import UNREADABLE, unix_time_of, unix_time_range

__all__ = ["USED_KINDS", "ColumnScan", "Finding", "Kind", "keep_one_feature"]

_SURE_ROWS = 1000
_SHOWN, _GLANCE = 3, 16


@dataclass(frozen=True)
class Finding:
    """What a column was found to hold.

    Attributes:
        name: of the column.
        kind: what it is taken for; one of ``USED_KINDS`` is used.
        why: the evidence, one line.
        rows, missing: how many cells there are, and how many of them are missing.
        counts: how often each value occurs; None where they are too many, or fractions.
        whole: every known cell is an integer.
        examples: the first different values.
        formats: of a date, those it is written in.
        given: ``data.columns`` says so.
        words: how often each spelling of a missing value occurs, empty cells left out.
        question: what only a person can decide, one line; empty where nothing is open.
    """

    name: str
    kind: Kind
    why: str
    rows: int
    missing: int
    counts: Mapping[str, int] | None
    whole: bool
    examples: tuple[str, ...]
    formats: tuple[str, ...] = ()
    given: bool = False
    question: str = ""
    words: Mapping[str, int] = field(default_factory=dict)

    @property
    def known(self) -> int:
        """The number of cells that are not missing."""
        return self.rows - self.missing


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
        self.seen = SeenCells()
        self.dates = DateSearch(read, compact=kind == "datetime")

    @property
    def settles(self) -> bool:
        """Whether every cell so far is a number and nothing says that it is taken for something else."""
        seen = self.seen
        told = self.given == "number" or (self.given is None and not seen.are_compact_dates)
        return seen.numeric and not seen.bad and not seen.leading_zeros and told

    @property
    def is_sure(self) -> bool:
        """Whether the cells to come may be read as numbers right away: missing ones were empty, some had fractions."""
        return self.settles and self.seen.fractions and not self.seen.words and self.rules.format(self.name).is_plain

    @property
    def mistaken(self) -> bool:
        """Whether cells were settled as numbers before the column turned out to hold something else."""
        return self.seen.settled and decide(self.name, self.given, self.seen, self.dates)[0] in ("category", "datetime")

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
        if self._add_plain(series):
            return series
        seen = self.seen
        before = seen.rows
        seen.rows += len(series) - empty
        seen.missing -= empty
        if not is_scalar(series.dtype):
            seen.unusable = str(series.dtype)
            return series
        seen.numeric &= series.dtype.is_numeric() or series.dtype in (pl.String, pl.Null)
        seen.typed_dates |= series.dtype in (pl.Date, pl.Datetime)
        missing = seen.missing
        numbers = parse_numbers(series, self.rules, cast) if seen.numeric else None
        if numbers is not None:
            self._add_numbers(numbers, series, place, before, empty)
            if not seen.whole and not len(numbers.bad):
                seen.fractions = True  # there is no end to them: they are not counted
                self._add_words(series, seen.missing - missing)
                self._show(series)
                return self._settled(series, numbers)
        text = as_text(series, self.rules.missing)
        if numbers is None:
            seen.missing += text.null_count()
        self._add_words(series, seen.missing - missing)
        if seen.bad or not seen.numeric or self.given == "datetime":
            self.dates.add(text)
        self._count(text)
        return series if numbers is None else self._settled(series, numbers)

    def _add_plain(self, series: pl.Series) -> bool:
        """Look at the next numbers of a column of fractions where none is missing: the usual case of a large table."""
        seen = self.seen
        if series.dtype != pl.Float64 or not self.is_sure or not len(series) or len(seen.examples) < _SHOWN:
            return False
        values = series.to_numpy()
        if np.isnan(low := values.min()) or numbers_that_mean_missing(self.rules.missing):
            return False
        seen.rows += len(series)
        seen.low, seen.high = min(seen.low, low), max(seen.high, values.max())
        return True

    def _settled(self, series: pl.Series, numbers: Numbers) -> pl.Series:
        if not self.settles or series.dtype == pl.Float64:
            return series
        self.seen.settled = True
        return pl.Series(series.name, numbers.values)

    def _add_numbers(self, numbers: Numbers, series: pl.Series, place: Place, before: int, empty: int) -> None:
        seen = self.seen
        known = numbers.values[~np.isnan(numbers.values)] if numbers.missing or len(numbers.bad) else numbers.values
        seen.missing += numbers.missing
        if len(numbers.bad) and not seen.bad:
            first = int(numbers.bad[0])
            seen.first_bad = f"{series[first]!r} in {place(first)}"
        seen.bad += len(numbers.bad)
        if len(known):
            seen.low, seen.high = min(seen.low, known.min()), max(seen.high, known.max())
        self._add_whole(known, series, before, empty)
        seen.numeric = seen.known < _SURE_ROWS or seen.bad <= seen.known / 2  # of text there is no use in trying on

    def _add_whole(self, known: Floats, series: pl.Series, before: int, empty: int) -> None:
        seen = self.seen
        seen.whole = seen.whole and bool((known == np.floor(known)).all())
        if not seen.whole:
            seen.consecutive = seen.compact = False
            return
        seen.compact = seen.compact and (not len(known) or are_compact(known))
        seen.power = seen.power or whole_power(series)
        seen.leading_zeros |= not self.rules.format(self.name).durations and has_leading_zeros(series)
        counted = len(known) + empty == len(series) and bool((np.diff(known) == 1).all())
        seen.consecutive &= counted and (before == 0 or len(known) == 0 or bool(known[0] == seen.low + before))

    def _add_words(self, series: pl.Series, missing: int) -> None:
        if missing:
            for word, count in missing_words(series, self.rules.missing).items():
                self.seen.words[word] = self.seen.words.get(word, 0) + count

    def _count(self, text: pl.Series) -> None:
        seen = self.seen
        self._show(text)
        if seen.counts is None:
            return
        for value, count in text.drop_nulls().alias("").value_counts().iter_rows():  # a column may be called count
            seen.repeated |= count > 1 or value in seen.counts
            seen.counts[value] = seen.counts.get(value, 0) + count
        if len(seen.counts) > MOST_DISTINCT:
            seen.counts = None

    def _show(self, series: pl.Series) -> None:
        if len(self.seen.examples) < _SHOWN and not self._shown_at_once(series):
            text = as_text(series.head(1000), self.rules.missing).drop_nulls().unique(maintain_order=True)
            self.seen.examples.update(dict.fromkeys(text.head(_SHOWN - len(self.seen.examples)).to_list()))

    def _shown_at_once(self, series: pl.Series) -> bool:
        """Whether the first few cells give all examples: that takes a hundredth of the time of looking at many."""
        if series.dtype != pl.String or self.seen.examples:
            return False
        cells = (cell.strip() for cell in series.head(_GLANCE).to_list() if cell is not None)
        found = dict.fromkeys(cell for cell in cells if cell not in self.rules.missing)
        if len(found) < _SHOWN:
            return False
        self.seen.examples.update(dict.fromkeys(list(found)[:_SHOWN]))
        return True

    def state_dict(self) -> dict[str, Any]:
        """What the cells so far have shown, as plain values."""
        return {"cells": plain_fields(self.seen), "dates": plain_fields(self.dates.seen)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take what another scan has seen, of the same column by the same rules.

        Raises:
            ValueError: it is not of the form that ``state_dict`` has in this version.
        """
        self.seen = read_fields(SeenCells, state["cells"])
        self.dates.seen = read_fields(SeenDates, state["dates"])

    def finding(self) -> Finding:
        """What all the cells seen so far amount to."""
        seen = self.seen
        kind, why = decide(self.name, self.given, seen, self.dates)
        counts = None if seen.fractions else seen.counts
        whole = seen.whole and seen.only_numbers and not are_codes(seen)
        given = self.given is not None
        question = self._question() if kind == "datetime" else ""
        formats = self.dates.formats
        if kind == "datetime" and not given and seen.are_compact_dates:
            formats = (compact_form(seen.low, seen.high),)
        if self._are_moments:
            formats = tuple(filter(None, (unix_time_of(seen.low, seen.high),)))
            why += "".join(f": {unit}, {unix_time_range(unit, seen.low, seen.high)}" for unit in formats)
        shown = tuple(seen.examples)[:_SHOWN]
        return Finding(
            self.name, kind, why, seen.rows, seen.missing, counts, whole, shown, formats, given, question, seen.words
        )

    @property
    def _are_moments(self) -> bool:
        """Whether numbers stand where a person says that dates do."""
        numbers = self.seen.only_numbers and not self.seen.typed_dates
        return self.given == "datetime" and numbers and not self.dates.fits

    def _question(self) -> str:
        seen = self.seen
        if self._are_moments and not unix_time_of(seen.low, seen.high):
            return (
                f"column {self.name!r}: its numbers, from {seen.low:.17g} to {seen.high:.17g}, {UNREADABLE}: "
                f"name what is no date in data.missing, or say data.columns.{self.name}=number."
            )
        leave_out = f"or leave the column out: data.columns.{self.name}=ignore."
        if self.dates.open_zone:
            return f"column {self.name!r}: {self.dates.open_zone}, {leave_out}"
        if not self.dates.open:
            return ""
        return (
            f"column {self.name!r}: {self.dates.seen.example!r} may begin with the day or with the month, as all cells "
            f"may. Say data.read.day_first=true or false, {leave_out}"
        )


def keep_one_feature(findings: Mapping[str, Finding], targets: Iterable[str]) -> dict[str, Finding]:
    """Take a column that counts the rows for a number where nothing else could be learned from: x of a curve y(x)."""
    features = {name: finding for name, finding in findings.items() if name not in set(targets)}
    if any(finding.kind in USED_KINDS for finding in features.values()):
        return dict(findings)
    counting = {
        name: replace(finding, kind="number", why=f"{finding.why}; the only column to learn from")
        for name, finding in features.items()
        if finding.kind == "identifier" and finding.whole
    }
    return {**findings, **counting}
