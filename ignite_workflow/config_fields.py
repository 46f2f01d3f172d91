"""A run's settings, field by field. What the docstrings say of a field is what the JSON Schema and the docs say."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, Strict

from ignite_workflow.errors import ConfigError

__all__ = [
    "DEFAULT_FRACTION",
    "ColumnKind",
    "Component",
    "DataConfig",
    "ReadConfig",
    "RunConfig",
    "SplitConfig",
    "Task",
    "TrainConfig",
]

ColumnKind = Literal["number", "category", "boolean", "datetime", "text", "ignore"]
Task = Literal["regression", "binary", "multiclass", "multilabel", "language_model", "forecast"]

# Strict: `true` is not 1, "3" is not 3, "yes" is not true.
_Flag = Annotated[bool, Strict()]
_Count = Annotated[int, Strict(), Field(ge=1)]
_Character = Annotated[int, Strict(), Field(ge=1, le=10_000)]  # of a line: in longer ones nothing stands in columns
_Fraction = Annotated[float, Strict(), Field(ge=0, lt=1)]
_Text = Annotated[str, Field(min_length=1)]

_ZONE = re.compile(r"[A-Z]{1,6}")
_OFFSET = re.compile(r"[+-](?:(?:0\d|1[0-3]):[0-5]\d|14:00)")

_NO_OTHER_KEYS = ConfigDict(extra="forbid")

DEFAULT_FRACTION = 0.15
"""Of the rows, for val and for test, where nothing was said."""


@dataclass(frozen=True, kw_only=True)
class ReadConfig:
    """How a file is read where its own look misleads. None: found out from the file.

    Attributes:
        delimiter: the character between two cells.
        starts: the characters at which columns of fixed width begin, from 1.
        decimal: the character between a number's whole part and its fraction.
        thousands: the character between groups of three digits; a blank is any blank, narrow and no-break ones too.
        flags: what stands beside numbers and is no part of them, in addition to what is found: ["<"] reads <0.3 as 0.3;
            false: a cell such as 12.3 b or 5* is no number.
        negative: the side that is below zero in columns of amounts such as 1,234.50 CR and 980.00 DR: CR on bills and
            in ledgers of what is owed, DR on statements of accounts.
        encoding: the name of the text's encoding: utf-8, latin-1, cp1252, ...
        sheet: the name of a spreadsheet's sheet, or of the key of a JSON object that holds a list of records.
        header: whether the first row holds the names of the columns; or the number of the row that does, from 1.
        units: whether the row beneath the header holds units, such as kg and [m/s], or more about the names, and no
            data.
        footer: how many of the last rows, empty ones not counted, are totals, sources or notes and no data; true: all
            that look so, a total in the first row too; false: none.
        repeated_header: whether rows that hold the names of all columns again, as where files were joined, are left
            out; false: they are data. None: such a row is refused.
        day_first: whether 03/04/2024 is a day in April, in columns where no cell tells.
        first_year: the first of the hundred years that years of two digits stand for; 1927 makes 41 1941 and 26 2026.
            None: 1970, so 41 is 2041.
        zones: what abbreviations of time zones stand for, by name: CST is -06:00, or +08:00.
        row_names: whether rows begin with their names, for which the header has none, as R writes tables.
        quotes: whether double quotes hold cells together; false: they are characters like others.
        escapes: whether a quote inside of a quoted cell is written with a backslash, as Spark and MySQL do, and not
            twice.
        pad_rows: fill rows that have too few cells with missing ones at their end, instead of refusing them.
        missing_words: whether words such as NA and null mean a missing value; false: empty cells do, and data.missing.
    """

    __pydantic_config__ = _NO_OTHER_KEYS

    delimiter: Annotated[str, Field(min_length=1, max_length=1)] | None = None
    starts: Annotated[list[_Character], Field(min_length=2)] | None = None
    decimal: Literal[".", ","] | None = None
    thousands: Literal[",", ".", " ", "'"] | None = None
    flags: _Flag | Annotated[list[_Text], Field(min_length=1)] | None = None
    negative: Literal["DR", "CR"] | None = None
    encoding: _Text | None = None
    sheet: _Text | None = None
    header: _Flag | _Count | None = None
    units: _Flag | None = None
    footer: _Flag | _Count | None = None
    repeated_header: _Flag | None = None
    day_first: _Flag | None = None
    first_year: Annotated[int, Strict(), Field(ge=1000, le=9900)] | None = None
    zones: dict[str, str] = field(default_factory=dict)
    row_names: _Flag | None = None
    quotes: _Flag | None = None
    escapes: _Flag | None = None
    pad_rows: _Flag | None = None
    missing_words: _Flag | None = None

    def __post_init__(self) -> None:
        """Refuse settings that contradict each other."""
        if self.decimal is not None and self.decimal == self.thousands:
            raise ConfigError(f"'decimal' and 'thousands' are both {self.decimal!r}.")
        if self.starts is not None and self.delimiter is not None:
            raise ConfigError("columns that begin at 'starts' have no 'delimiter': leave one out.")
        if self.escapes and self.quotes is False:
            raise ConfigError("no cell is quoted where 'quotes' is false, so none needs 'escapes': leave one out.")
        if self.starts is not None and sorted(set(self.starts)) != self.starts:
            raise ConfigError(f"'starts' must ascend, got {self.starts}.")
        for zone, offset in self.zones.items():
            if not _ZONE.fullmatch(zone) or not _OFFSET.fullmatch(offset):
                raise ConfigError(
                    f"'zones' takes up to 6 capital letters and hours and minutes up to 14:00, such as CST: '+08:00', "
                    f"got {zone}: {offset!r}."
                )


@dataclass(frozen=True, kw_only=True)
class SplitConfig:
    """How rows are divided into train, val and test: at random, unless a column says otherwise.

    Attributes:
        val: a fraction of the rows, a data file, or a list file with row numbers from 0, file names or record ids, one
            a line. None: 0.15 (0 where ``column`` is given).
        test: the same.
        column: a column that says train, val or test.
        by: cut in the order of this column instead of at random.
        group: rows that share a value of this column stay together.
        stratify: keep the proportions of the classes. None: yes for classes, where the split is random.
    """

    __pydantic_config__ = _NO_OTHER_KEYS

    val: _Fraction | _Text | None = None
    test: _Fraction | _Text | None = None
    column: _Text | None = None
    by: _Text | None = None
    group: _Text | None = None
    stratify: _Flag | None = None

    def __post_init__(self) -> None:
        """Refuse settings that contradict each other."""
        others = [name for name in ("val", "test", "by", "group", "stratify") if getattr(self, name) is not None]
        if self.column is not None and others:
            raise ConfigError(f"'column' already says where each row goes: leave out {', '.join(others)}.")
        if self.by is not None and self.stratify:
            raise ConfigError("rows cannot be cut in the order of a column ('by') and stratified: leave one out.")
        fractions = [DEFAULT_FRACTION if part is None else part for part in (self.val, self.test)]
        held_out = sum(part for part in fractions if not isinstance(part, str))
        if self.column is None and held_out >= 1:
            raise ConfigError(f"val and test leave nothing to train on: together {held_out:g} (0.15 where not given).")


@dataclass(frozen=True, kw_only=True)
class DataConfig:
    """Where the data lies and what its columns mean. None: inferred from the data.

    Attributes:
        path: a file, a folder, a glob, or a list of these. A Dataset of your own may do without.
        kind: what the data is: a name, or the import path of a torch Dataset.
        target: the column to predict, or a list of columns.
        task: what is learnt.
        columns: the kind of a column, by its name, where the inferred one is wrong.
        missing: further spellings of a missing value.
        read: how the file is read.
        split: how rows are divided into train, val and test.
        options: further options of the kind of data, or of a Dataset of your own.
        on_bad_sample: what happens when a sample of a Dataset of your own cannot be made: stop, or skip it from then on
            and list it in skipped_samples.jsonl. None: stop.
    """

    __pydantic_config__ = _NO_OTHER_KEYS

    path: _Text | Annotated[tuple[_Text, ...], Field(min_length=1)] = ()
    kind: _Text = "table"
    target: _Text | Annotated[tuple[_Text, ...], Field(min_length=1)] | None = None
    task: Task | None = None
    columns: dict[str, ColumnKind] = field(default_factory=dict)
    missing: tuple[str, ...] = ()
    read: ReadConfig = field(default_factory=ReadConfig)
    split: SplitConfig = field(default_factory=SplitConfig)
    options: dict[str, Any] = field(default_factory=dict)
    on_bad_sample: Literal["stop", "skip"] | None = None


@dataclass(frozen=True, kw_only=True)
class Component:
    """Something named in the config, and its options: ``{name: mlp, hidden: [128, 128]}``.

    Attributes:
        name: a built-in name, a plugin's name or an import path. None: the one that fits the data.
        options: plain values; which there are depends on the name.
    """

    __pydantic_config__ = _NO_OTHER_KEYS

    name: _Text | None = None
    options: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """How long, how large, on what. None: inferred from the data, and written into the run's config.

    Attributes:
        max_epochs: passes over the training split, at most.
        max_minutes: that one start may take, its last save included; then it stops with exit code 75, to be resumed.
        deadline: the point in time by which a start must have ended, likewise: 2026-03-01T12:00, in this machine's time
            zone unless it names one (+01:00, Z), or seconds since 1970.
        batch_size: samples a step, before accumulation.
        seed: the source of all randomness.
        device: auto, cpu, cuda, or any torch device: cuda:1.
        precision: what a step computes in; bfloat16 is torch's autocast.
        accumulate: batches whose gradients are added up before a step of the optimizer.
        compile: compile the model with torch.compile.
        workers: processes that make samples beside the training; 0 makes them in the training process.
        threads: CPU threads that torch uses; auto measures, when a run is new, whether all cores are faster than one.
        limit_batches: batches an epoch and an evaluation, at most: for trying things.
        overfit_batches: train and evaluate on this many batches again and again: for trying things.
        step: the import path of a ``train_step(engine, batch)`` of your own.
    """

    __pydantic_config__ = _NO_OTHER_KEYS

    max_epochs: _Count | None = None
    max_minutes: Annotated[float, Strict(), Field(gt=0)] | None = None
    deadline: _Text | Annotated[int, Strict()] | None = None
    batch_size: _Count | None = None
    seed: Annotated[int, Strict(), Field(ge=0, le=2**63 - 1)] = 0
    device: _Text = "auto"
    precision: Literal["float32", "bfloat16"] = "float32"
    accumulate: _Count = 1
    compile: _Flag = False
    workers: Annotated[int, Strict(), Field(ge=0)] = 0
    threads: _Count | Literal["auto"] | None = None
    limit_batches: _Count | None = None
    overfit_batches: _Count | None = None
    step: _Text | None = None


@dataclass(frozen=True, kw_only=True)
class RunConfig:
    """Everything a run depends on. None: inferred from the data.

    Attributes:
        data: where the data lies and what its columns mean.
        model: what is trained.
        loss: what training makes small.
        optimizer: what changes the weights.
        schedule: how the learning rate changes.
        train: how long, how large, on what.
        handlers: what happens beside training: options by id; those that are no default ones run within an event in
            this order. The id is a handler's name, or free where ``use`` names the handler; false takes a default one
            away.
    """

    __pydantic_config__ = _NO_OTHER_KEYS

    data: DataConfig
    model: Component | None = None
    loss: Component | None = None
    optimizer: Component | None = None
    schedule: Component | None = None
    train: TrainConfig = field(default_factory=TrainConfig)
    handlers: dict[str, dict[str, Any] | _Flag] = field(default_factory=dict)
