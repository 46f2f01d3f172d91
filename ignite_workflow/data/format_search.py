"""Which columns of a table write their numbers in a way of their own, found with the help of the other columns."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace

import polars as pl

from ignite_workflow.config import ReadConfig
from ignite_workflow.data.cells import CellRules, as_text, cast_columns, parse_numbers
from ignite_workflow.data.coordinates import CoordinateSearch
from ignite_workflow.data.durations import DurationSearch
from ignite_workflow.data.number_format import NumberFormat
from ignite_workflow.data.number_search import NumberSearch

__all__ = ["FormatSearch", "Formats"]

_LOOKED_AT = 1000
_NUMBER_LIKE = r"^[^\pL]{0,3}(\pL{0,3}[^\pL\d]{0,3})\d"


@dataclass(frozen=True)
class Formats:
    """How columns write their numbers.

    Attributes:
        found: by column, where it is not the plain way.
        why: the evidence, by column; also of those that came near to being numbers.
        open: the columns whose cells fit several ways, with a line for a person to decide.
    """

    found: Mapping[str, NumberFormat] = field(default_factory=dict)
    why: Mapping[str, str] = field(default_factory=dict)
    open: Mapping[str, str] = field(default_factory=dict)


class FormatSearch:
    """Looks for the formats of columns.

    Args:
        read: what a person said about numbers.
        rules: how missing values are spelled.
        columns: those that may hold numbers.
        numbers: those of which a person says that they do.
    """

    def __init__(
        self, read: ReadConfig, rules: CellRules, columns: Iterable[str], numbers: Collection[str] = ()
    ) -> None:
        self.read = read
        self.rules = rules
        self.columns = tuple(columns)
        self.numbers = frozenset(numbers)
        self.rows = 0  # of the first cells
        self.clean: set[str] = set()  # columns of plain numbers, as far as was seen
        self.searches: dict[str, NumberSearch] = {}
        self.durations: dict[str, DurationSearch] = {}
        self.coordinates: dict[str, CoordinateSearch] = {}
        self.plain: dict[str, NumberSearch] = {}  # columns of plain numbers with points: perhaps thousands

    def start(self, frame: pl.DataFrame) -> Formats:
        """Look at the first cells, and choose the columns in question by them."""
        self.rows = frame.height
        columns = {series.name: series for series in frame if series.dtype == pl.String}
        text = [columns[name] for name in self.columns if name in columns]
        cast = cast_columns(text, self.rules)
        for series in text:
            name = series.name
            if len(parse_numbers(series, self.rules, cast[name]).bad) == 0:
                self.clean.add(name)
            elif _is_number_like(known := self._known(series)):
                self.searches[name] = self._search()
                self.searches[name].add(known)
                self.durations[name] = self._durations(name)
                self.durations[name].add(known)
                self.coordinates[name] = CoordinateSearch()
                self.coordinates[name].add(known)
        if any(search.proves == "," for search in self.searches.values()):
            for name in sorted(self.clean):
                if frame[name].str.contains(".", literal=True).any():
                    self.plain[name] = self._search()
                    self.plain[name].add(self._known(frame[name]))
        return self.formats()

    def doubtful(self, bad: Iterable[str]) -> list[str]:
        """The columns of which the first cells did not tell enough.

        Args:
            bad: columns with cells that are no numbers in the format that the first cells told.
        """
        now = self.formats()
        return [
            *now.open,
            *(name for name in bad if name in self.clean or name in now.found or self.may_be_clocks(name)),
        ]

    def may_be_clocks(self, name: str) -> bool:
        """Whether the cells of a column so far may be times of day, and nothing tells that they are durations."""
        return name in self.durations and self.durations[name].may_be_clocks

    def _search(self) -> NumberSearch:
        told = self.read.flags
        flags = None if told is False else () if isinstance(told, bool) or told is None else told
        return NumberSearch(NumberSearch.allowed(self.read.decimal, self.read.thousands), flags, self.read.negative)

    def _durations(self, name: str) -> DurationSearch:
        return DurationSearch(name, is_number=name in self.numbers)

    def again(self, columns: Iterable[str], frames: Iterable[pl.DataFrame]) -> Formats:
        """Look at all cells of some columns.

        Args:
            columns: those that the first cells said too little about.
            frames: the table from its beginning.
        """
        fresh = {name: self._search() for name in columns}
        durations = {name: self._durations(name) for name in fresh if name in self.durations}
        coordinates = {name: CoordinateSearch() for name in durations}
        for frame in frames:
            for name, search in fresh.items():
                known = self._known(frame[name])
                search.add(known)
                if name in durations:
                    durations[name].add(known)
                    coordinates[name].add(known)
        self.durations.update(durations)
        self.coordinates.update(coordinates)
        for name, search in fresh.items():
            (self.plain if name in self.plain else self.searches)[name] = search
        return self.formats()

    def _known(self, series: pl.Series) -> pl.Series:
        return as_text(series, self.rules.missing).drop_nulls()

    def _compare_flags(self) -> None:
        """What may be a flag or a unit in one column is a flag where others have some."""
        searches = {**self.searches, **self.plain}.values()
        usual = any(search.flags.nothing or search.flags.letters(search.units) for search in searches)
        for search in searches:
            search.flags.usual = usual

    def formats(self) -> Formats:
        """What the cells seen so far amount to."""
        self._compare_flags()
        proofs = {proof: name for name, search in self.searches.items() if (proof := search.proves) is not None}
        decimal = next(iter(proofs)) if len(proofs) == 1 else None
        found: dict[str, NumberFormat] = {}
        why: dict[str, str] = {}
        questions: dict[str, str] = {}
        for name, search in {**self.searches, **self.plain}.items():
            forms = search.formats(decimal=decimal)
            if len(forms) > 1:
                questions[name] = _question(name, search, forms)
            elif forms and not forms[0].is_plain:
                found[name] = forms[0]
                why[name] = _written(search, forms[0])
                if decimal is not None and len(search.formats()) > 1:
                    why[name] += f", as column {proofs[decimal]!r} writes them"
            elif name in self.durations and self.durations[name].why:
                found[name] = NumberFormat(durations=True)
                why[name] = self.durations[name].why
            elif name in self.coordinates and self.coordinates[name].why:
                found[name] = NumberFormat(degrees=True)
                why[name] = f"{self.coordinates[name].why}; otherwise: data.columns.{name}=category"
            elif search.why_not:
                why[name] = search.why_not
        return Formats(found, why, questions)


def _is_number_like(known: pl.Series) -> bool:
    first = known.head(_LOOKED_AT)
    first = first.filter(~first.str.starts_with(":"))  # nothing known, say statistical offices
    return len(first) > 0 and 2 * int(first.str.contains(_NUMBER_LIKE).sum()) > len(first)


def _written(search: NumberSearch, form: NumberFormat) -> str:
    """How a column writes its numbers."""
    flags = search.flags.note(search.units) if form.flags else ""
    side = search.sides.why if form.negative else ""
    written = "" if flags and replace(form, flags=()).is_plain else f"written like {search.cell!r}"
    return "; ".join(filter(None, (written, f"{search.zero!r} is 0" if search.zero else "", side, flags)))


def _question(name: str, search: NumberSearch, forms: tuple[NumberFormat, ...]) -> str:
    leave = f"Say it, or leave the column out: data.columns.{name}=ignore."
    if forms[0].negative:
        return (
            f"column {name!r}: {search.sides.cell!r}: debits may be below zero (data.read.negative=DR) or credits "
            f"(data.read.negative=CR), and no cell tells which. {leave}"
        )
    meanings = " or ".join(
        f"{'thousands' if form.thousands else 'a fraction'} (data.read.decimal={form.decimal!r})" for form in forms
    )
    return f"column {name!r}: {search.example!r} may be {meanings}, and no cell tells which. {leave}"
