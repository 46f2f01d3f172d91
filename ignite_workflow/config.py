"""A run's settings: frozen dataclasses, YAML in and out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

__all__ = ["Component", "DataConfig", "ReadConfig", "RunConfig", "SplitConfig", "TrainConfig"]

ColumnKind = Literal["number", "category", "boolean", "datetime", "text", "ignore"]
Task = Literal["regression", "binary", "multiclass", "multilabel", "language_model", "forecast"]


@dataclass(frozen=True, kw_only=True)
class ReadConfig:
    """How a file is read where its own look misleads."""

    delimiter: str | None = None
    decimal: str | None = None
    encoding: str | None = None
    sheet: str | None = None
    header: bool | None = None


@dataclass(frozen=True, kw_only=True)
class SplitConfig:
    """How rows are divided into train, val and test.

    Attributes:
        val: a fraction of the rows, a data file, or a list file of row numbers. None: 0.15 (0 where ``column`` is given).
        test: the same.
        column: a column that says train, val or test.
        by: cut in the order of this column instead of at random.
        group: rows that share a value of this column stay together.
        stratify: keep the proportions of the classes. None: yes for classes, where the split is random.
    """

    val: float | str | None = None
    test: float | str | None = None
    column: str | None = None
    by: str | None = None
    group: str | None = None
    stratify: bool | None = None


@dataclass(frozen=True, kw_only=True)
class DataConfig:
    """Where the data lies and what its columns mean."""

    path: str | tuple[str, ...]
    kind: str = "table"
    target: str | tuple[str, ...] | None = None
    task: Task | None = None
    columns: dict[str, ColumnKind] = field(default_factory=dict)
    missing: tuple[str, ...] = ()
    read: ReadConfig = field(default_factory=ReadConfig)
    split: SplitConfig = field(default_factory=SplitConfig)
    options: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Component:
    """Something named in the config, and its options: ``{name: mlp, hidden: [128, 128]}``."""

    name: str
    options: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """How long, how large, on what. None: inferred from the data, and written into the run's config."""

    max_epochs: int | None = None
    batch_size: int | None = None
    seed: int = 0
    device: str = "auto"
    precision: Literal["float32", "bfloat16"] = "float32"
    accumulate: int = 1
    compile: bool = False
    workers: int = 0
    threads: int | None = None
    limit_batches: int | None = None
    overfit_batches: int | None = None
    step: str | None = None


@dataclass(frozen=True, kw_only=True)
class RunConfig:
    """Everything a run depends on. None: inferred from the data."""

    data: DataConfig
    model: Component | None = None
    loss: Component | None = None
    optimizer: Component | None = None
    schedule: Component | None = None
    train: TrainConfig = field(default_factory=TrainConfig)
    handlers: dict[str, dict[str, Any] | bool] = field(default_factory=dict)
