"""One pass over a table, chunk by chunk, and a second only where its beginning misled."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import polars as pl

from ignite_workflow.config import DataConfig, ReadConfig
from ignite_workflow.data.cells import DASHES, MISSING, CellRules, cast_columns, numbers_that_mean_missing
from ignite_workflow.data.chunk import Chunk
from ignite_workflow.data.chunk_store import ChunkStore
from ignite_workflow.data.column_scan import ColumnScan
from ignite_workflow.data.findings import Finding
from ignite_workflow.data.format_search import Formats, FormatSearch
from ignite_workflow.data.journal import Journal, Progress
from ignite_workflow.data.kinds import Kind
from ignite_workflow.data.prefetch import prefetch
from ignite_workflow.data.tables import Table
from ignite_workflow.errors import ConfigError

__all__ = ["TableScan", "scan_known_table", "scan_table"]

_MANY = 2000  # rows; of fewer, to call NumPy for each column takes longer than to look at them


@dataclass(frozen=True)
class TableScan:
    """What one pass over a table gave.

    Attributes:
        scans: by column.
        kept: all rows of the columns that were asked for.
        rules: how cells are read, the formats of columns among them.
        formats: how columns write their numbers, with the evidence.
        empty: how many rows are empty in all cells.
    """

    scans: Mapping[str, ColumnScan]
    kept: pl.DataFrame
    rules: CellRules
    formats: Formats
    empty: int

    def findings(self) -> dict[str, Finding]:
        """What the columns hold.

        Raises:
            ConfigError: something is open that only a person can decide.
        """
        found = {name: column.finding() for name, column in self.scans.items()}
        questions = [*self.formats.open.values(), *(finding.question for finding in found.values() if finding.question)]
        if questions:
            raise ConfigError("\n".join(questions))
        for name, why in self.formats.why.items():
            finding = found[name]
            is_number = finding.kind == "number" or (finding.kind == "identifier" and finding.whole)
            if is_number == (name in self.formats.found):
                found[name] = replace(finding, why=f"{finding.why}, {why}")
        return found


def scan_table(
    table: Table,
    config: DataConfig,
    given: Mapping[str, Kind],
    keep: list[str],
    store: ChunkStore | None,
    journal: Journal | None = None,
) -> TableScan:
    """Find out what columns hold: a second pass only where the first chunk misled about the way numbers are written.

    A dash is a missing value, except in a table where a column holds plus signs too.

    Args:
        table: to be looked at.
        config: what a person said about it.
        given: the kinds of columns that a person gave.
        keep: columns of which all rows are wanted.
        store: keeps the chunks.
        journal: of the first pass, where ``store`` keeps its chunks.
    """
    pass_ = _Pass(_rules(config), given, keep, store, journal, read=config.read)
    scan = _scan_table(table, config, pass_)
    profiles = {name: column.profile for name, column in scan.scans.items()}
    signs = [
        name for name, cells in profiles.items() if "+" in (cells.counts or ()) and cells.words.keys() & set(DASHES)
    ]
    if not signs:
        return scan
    if store is not None:
        store.discard()
    words = tuple(word for word in scan.rules.missing if word not in DASHES or word in config.missing)
    rules = replace(pass_.rules, missing=words)
    return _scan_table(table, config, replace(pass_, rules=rules, store=None, journal=None))


def _scan_table(table: Table, config: DataConfig, pass_: _Pass) -> TableScan:
    numbers = [name for name in table.columns if pass_.given.get(name, "number") == "number"]
    search = FormatSearch(config.read, pass_.rules, numbers, numbers=[name for name in numbers if name in pass_.given])
    scan = pass_.over(table, search)
    bad = {name for name, column in scan.scans.items() if column.profile.bad}
    bad -= {name for name in bad if search.may_be_clocks(name) and not scan.scans[name].dates.profile.bad}
    doubtful = search.doubtful(sorted(bad))
    if not doubtful or scan.kept.height <= search.rows:
        return scan
    formats = search.again(doubtful, (chunk.frame for chunk in table.chunks()))
    if formats.found == scan.formats.found:
        return replace(scan, formats=formats)
    if pass_.store is not None:
        pass_.store.discard()  # it holds numbers that were read in the wrong way
    again = replace(pass_, rules=replace(pass_.rules, formats=formats.found), store=None, journal=None)
    return replace(again.over(table), formats=formats)


def scan_known_table(
    table: Table,
    rules: CellRules,
    kinds: Mapping[str, Kind],
    keep: list[str],
    store: ChunkStore | None,
    journal: Journal | None = None,
) -> TableScan:
    """TableScan at a table of which the kinds and formats of columns are known.

    Args:
        table, keep, store, journal: as for ``scan_table``.
        rules: how its cells are read.
        kinds: of its columns.
    """
    return _Pass(rules, kinds, keep, store, journal).over(table)


def _rules(config: DataConfig) -> CellRules:
    """How the settings say that cells are read."""
    read = config.read
    words = ("",) if read.missing_words is False else MISSING
    decimal = read.decimal or ("," if read.thousands == "." else ".")
    return CellRules((*words, *(spelling.strip() for spelling in config.missing)), decimal, read.thousands)


@dataclass(frozen=True)
class _Pass:
    rules: CellRules
    given: Mapping[str, Kind]
    keep: list[str]
    store: ChunkStore | None = None
    journal: Journal | None = None
    read: ReadConfig | None = None

    def over(self, table: Table, search: FormatSearch | None = None) -> TableScan:
        """TableScan at every cell; the first chunk says how numbers are written, where that is searched."""
        progress, journal = Progress(self.rules), self.journal
        left = None if journal is None else journal.read(table)
        if journal is not None and left is not None:
            self._begin(progress, table, next(table.chunks()), search)
            journal.restore(left, table, progress)
        # what is read ahead may know of earlier numbers only: the cells are the same
        for chunk in prefetch(table.chunks(progress.numbers, progress.end)):
            if not progress.scans:
                self._begin(progress, table, chunk, search)
            self._add(progress, table, chunk)
            if journal is not None and journal.due:
                journal.save(table, progress)
        if journal is not None and journal.begun:
            journal.save(table, progress)
        if self.store is not None and any(scan.mistaken for scan in progress.scans.values()):
            self.store.discard()
        kept = pl.concat(progress.kept, how="vertical_relaxed")
        return TableScan(progress.scans, kept, progress.rules, progress.formats, progress.empty)

    def _begin(self, progress: Progress, table: Table, first: Chunk, search: FormatSearch | None) -> None:
        if search is not None:
            progress.formats = search.start(first.frame)
            progress.rules = replace(self.rules, formats=progress.formats.found)
        progress.scans = {name: self._scan(name, progress.rules) for name in table.columns}

    def _add(self, progress: Progress, table: Table, chunk: Chunk) -> None:
        empty = _empty_rows(chunk.frame)
        settled = _add(progress.scans, chunk, progress.rules, empty)
        progress.empty += empty
        sure = {name for name, scan in progress.scans.items() if scan.is_sure}.difference(self.keep)
        progress.numbers.intersection_update(sure)
        progress.numbers.update(sure)
        progress.kept.append(pl.DataFrame([chunk.column(name) for name in dict.fromkeys(self.keep)]))
        progress.end = chunk.end
        if self.store is not None:
            self.store.add(Chunk(pl.DataFrame(settled), chunk.source, chunk.first_row, place_of=table.place))

    def _scan(self, name: str, rules: CellRules) -> ColumnScan:
        return ColumnScan(name, rules, self.given.get(name), read=self.read)


def _add(scans: Mapping[str, ColumnScan], chunk: Chunk, rules: CellRules, empty: int) -> Sequence[pl.Series]:
    """TableScan at a chunk; its columns come back, as numbers those that settle for it."""
    columns = {series.name: series for series in chunk.frame}
    known = set() if numbers_that_mean_missing(rules.missing) else _add_ranges(scans, chunk.frame)
    text = [columns[name] for name, scan in scans.items() if columns[name].dtype == pl.String and scan.settles]
    cast = cast_columns(text, rules)
    return [
        columns[name] if name in known else scan.add(columns[name], chunk.place, cast.get(name), empty=empty)
        for name, scan in scans.items()
    ]


def _add_ranges(scans: Mapping[str, ColumnScan], frame: pl.DataFrame) -> set[str]:
    """Look at columns of fractions where no cell is missing, the usual case of a large table; their names."""
    columns = [series for series in frame if series.dtype == pl.Float64 and scans[series.name].awaits_range]
    if not columns or not frame.height:
        return set()
    found = set()
    for series, low, high in zip(columns, *_ranges(columns), strict=True):
        if not math.isnan(low):
            scans[series.name].add_range(frame.height, low, high)
            found.add(series.name)
    return found


def _ranges(columns: list[pl.Series]) -> tuple[Sequence[float], Sequence[float]]:
    """The lowest and the highest number of each, NaN where one is missing."""
    if len(columns[0]) >= _MANY:  # they are not copied
        arrays = [series.to_numpy() for series in columns]
        return [array.min() for array in arrays], [array.max() for array in arrays]
    block = pl.DataFrame(columns).to_numpy()
    return block.min(axis=0).tolist(), block.max(axis=0).tolist()


def _empty_rows(frame: pl.DataFrame) -> int:
    """How many rows are empty in all cells; a column without an empty cell ends the search."""
    rest = frame
    for name in frame.columns:
        cells = rest[name]
        empty = cells.is_null() | (cells == "") if cells.dtype == pl.String else cells.is_null()
        if not empty.any():
            return 0
        rest = rest.filter(empty)
    return rest.height
