"""The first pass over a table: what each column holds, what is to be predicted, and what its rows are divided by."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from ignite_workflow.config import DataConfig, Task
from ignite_workflow.data.cells import as_text, parse_numbers
from ignite_workflow.data.chunk import Chunk, find_column, find_columns
from ignite_workflow.data.chunk_store import ChunkStore
from ignite_workflow.data.csv_file import CsvFile
from ignite_workflow.data.dates import as_seconds
from ignite_workflow.data.features import Column, TargetColumn, class_spellings
from ignite_workflow.data.findings import Finding, keep_one_feature
from ignite_workflow.data.journal import Journal
from ignite_workflow.data.schema import Schema
from ignite_workflow.data.splits import Mask, Order, Rows
from ignite_workflow.data.table_scan import TableScan, scan_known_table, scan_table
from ignite_workflow.data.tables import Table, open_table
from ignite_workflow.data.task import CLASS_TASKS, choose_task
from ignite_workflow.errors import ConfigError, nearest

__all__ = ["Survey", "column_named", "split_rows", "survey_table"]

_SHOWN = 5


@dataclass(frozen=True)
class Survey:
    """What one pass over a table found.

    Attributes:
        table: what was looked at.
        findings: for each of its columns, the targets among them.
        schema: kinds and task; no statistics yet.
        kept: all rows of the columns that hold targets (by the names in ``schema``) or that the split settings name.
        store: the chunks, cells that are numbers as such; None where they are not kept.
        notes: what is to be known of its rows, one line each.
    """

    table: Table
    findings: Mapping[str, Finding]
    schema: Schema
    kept: pl.DataFrame
    store: ChunkStore | None = None
    notes: tuple[str, ...] = ()

    def chunks(self) -> Iterator[Chunk]:
        """The table once more: the chunks kept, unless a column that looked like numbers turned out otherwise."""
        if self.store is None or not self.store.complete:
            return self.table.chunks()
        return iter(self.store)

    def missing_words(self) -> dict[str, dict[str, int]]:
        """Of the columns that hold words: a word there may be a class, though it reads like a missing value."""
        targets = {target.name for target in self.schema.targets if self.schema.task in CLASS_TASKS}
        return {
            name: {**finding.words, "": finding.missing}
            for name, finding in self.findings.items()
            if finding.words and not finding.whole and (finding.kind == "category" or name in targets)
        }

    def usable(self) -> Mask:
        """Which rows have a value for each target, (N,)."""
        usable = np.ones(self.kept.height, dtype=bool)
        for target in self.schema.targets:
            found = self.findings.get(target.name)
            if found is None or found.known < self.kept.height:
                usable &= as_text(self.kept[target.name], self.schema.rules.missing).is_not_null().to_numpy()
        return usable


def survey_table(
    config: DataConfig,
    *,
    store: ChunkStore | None = None,
    journal: Journal | None = None,
    schema: Schema | None = None,
) -> Survey:
    """Look at every cell of a table once.

    Args:
        config: where it lies and what is said about it.
        store: keeps the chunks for another scan.
        journal: of the same store: goes on where an earlier start was stopped. None: all is read.
        schema: of a model that is to go on with this table: settles columns, targets and task. None: found here.

    Raises:
        ConfigError: a column that the settings name is not there, or the targets fit no task.
        DataError: the files cannot be read, or lack a column of ``schema``.
    """
    known_widths = None if schema is None else schema.known_widths
    table = open_table(config.path, config.read, option="data.path", known_widths=known_widths)
    split = [name for name in (config.split.column, config.split.by, config.split.group) if name is not None]
    for name in split:
        column_named(name, table, "data.split")
    if schema is not None:
        found = find_columns((column.name for column in schema.used), table.columns)
        kinds = {found[column.name] or column.name: column.kind for column in schema.used}
        keep = [*(each.name for each in schema.targets), *split]
        scan = scan_known_table(table, schema.rules, kinds, keep, store, journal)
        return Survey(table, scan.findings(), schema, scan.kept, store)
    targets = _targets(config, table)
    given = {column_named(name, table, "data.columns"): kind for name, kind in config.columns.items()}
    scan = scan_table(table, config, given, [*targets, *split], store, journal)
    findings = scan.findings()
    for option in (config.split.column, config.split.group):
        if option is not None:
            name = column_named(option, table, "data.split")
            findings[name] = replace(findings[name], kind="ignore", why="says how the rows are split")
    findings = keep_one_feature(findings, targets)
    rows = "1 row is" if scan.empty == 1 else f"{scan.empty:,} rows are"
    notes = (f"{rows} empty in all cells.",) if scan.empty else ()
    unfitted = replace(_unfitted(findings, targets, scan, config.task), known_widths=table.known_widths)
    return Survey(table, findings, unfitted, scan.kept, store, notes)


def _unfitted(findings: Mapping[str, Finding], targets: list[str], scan: TableScan, task: Task | None) -> Schema:
    task, why = choose_task([findings[name] for name in targets], task)
    columns = tuple(
        Column(finding.name, finding.kind, finding.why, formats=finding.formats)
        for name, finding in findings.items()
        if name not in targets
    )
    first = findings[targets[0]]
    numeric = task in CLASS_TASKS and (
        first.kind in ("number", "identifier") or (first.kind == "boolean" and first.whole)
    )
    spellings = class_spellings(scan.kept[targets[0]], scan.rules) if numeric else {}
    columns_of_targets = tuple(TargetColumn(name, numeric=numeric, spellings=spellings) for name in targets)
    return Schema(task, why, columns, columns_of_targets, rules=scan.rules)


def column_named(name: str, table: Table, option: str) -> str:
    """The name in the table of a column that the settings name.

    Raises:
        ConfigError: there is none; suggests the nearest.
    """
    found = find_column(name, table.columns)
    if found is None:
        naming = f" {table.naming}" if table.naming else ""
        hint = nearest(name, table.columns) + naming or _shown_names(table)
        raise ConfigError(f"{option}: no column {name!r} in {table.source}.{hint}")
    return found


def _shown_names(table: Table) -> str:
    """What a person may see from that the names were taken from another line than they are in."""
    shown = ", ".join(map(repr, table.columns[:_SHOWN]))
    more = f" and {len(table.columns) - _SHOWN} more" if len(table.columns) > _SHOWN else ""
    if not isinstance(table.files[0], CsvFile):
        return f" Its columns: {shown}{more}."
    return f" Its columns: {shown}{more}; if another line holds their names, its number: data.read.header."


def _targets(config: DataConfig, table: Table) -> list[str]:
    if not config.target:
        raise ConfigError(f"data.target: say which column is to be predicted; columns: {', '.join(table.columns)}.")
    names = [config.target] if isinstance(config.target, str) else config.target
    targets = [column_named(name, table, "data.target") for name in names]
    for target in targets:
        if targets.count(target) > 1:
            raise ConfigError(f"data.target: column {target!r} stands twice.")
    return targets


def split_rows(survey: Survey, config: DataConfig, classes: np.ndarray[tuple[int], np.dtype[np.int64]] | None) -> Rows:
    """What the split of a table may depend on.

    Args:
        survey: of the table.
        config: names the columns.
        classes: (N,), the class of each row; None where there are none.

    Raises:
        ConfigError: rows are to be cut in the order of a column that has none.
    """
    split = config.split
    columns = {name: survey.kept[name] for name in (split.column, split.group) if name is not None}
    order = None if split.by is None else _order(survey, split.by)
    return Rows(survey.usable(), survey.table.place, classes, columns, order, survey.schema.rules)


def _order(survey: Survey, by: str) -> Order:
    name = column_named(by, survey.table, "data.split.by")
    finding, series, rules = survey.findings[name], survey.kept[by], survey.schema.rules
    if finding.kind == "datetime":
        return as_seconds(series, finding.formats, rules, survey.table.place)
    numbers = parse_numbers(series, rules)
    if len(numbers.bad):
        raise ConfigError(
            f"data.split.by: column {name!r} has no order: it must hold numbers or dates, but {finding.why}; "
            f"{survey.table.place(int(numbers.bad[0]))} holds {series[int(numbers.bad[0])]!r}."
        )
    return numbers.values
