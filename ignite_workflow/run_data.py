"""What a run trains on, whichever kind it is: a table, or a person's own ``Dataset``."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset, Subset

from ignite_workflow import registry
from ignite_workflow.config import DataConfig
from ignite_workflow.config_fields import DEFAULT_FRACTION
from ignite_workflow.data.bad_samples import bad_sample, refuse
from ignite_workflow.data.batches import BatchDataset, SampleDataset, TensorBatches
from ignite_workflow.data.prepared import ArraySplit, PreparedData, prepare_table
from ignite_workflow.data.schema import Schema
from ignite_workflow.data.survey import Survey
from ignite_workflow.errors import ConfigError, DataError, mistaken_at
from ignite_workflow.randomness import Stream, generator
from ignite_workflow.targets import Target

if TYPE_CHECKING:
    from ignite_workflow.losses import Loss

__all__ = ["RunData", "prepare_data"]

_SPLITS = ("train", "val", "test")
_BuildBatches = Callable[..., BatchDataset]


@dataclass(frozen=True, kw_only=True)
class RunData:
    """The splits of a run and what is known of them.

    Attributes:
        sizes: samples of each split that has any.
        target: what is predicted; None where nothing is known of it.
        facts: what a model may ask for by parameter name.
        schema: of a table.
        notes: what was guessed about files, a line each.
        lost_rows, repeated_rows, missing_words: of a table: see ``PreparedData``.
        arrays: of a table, its splits as they lie on disk.
    """

    sizes: Mapping[str, int]
    target: Target | None
    facts: Mapping[str, Any] = field(default_factory=dict)
    schema: Schema | None = None
    notes: tuple[str, ...] = ()
    lost_rows: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    repeated_rows: Mapping[str, int] = field(default_factory=dict)
    missing_words: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    arrays: Mapping[str, ArraySplit] = field(default_factory=dict)
    _batches: Mapping[str, _BuildBatches] = field(default_factory=dict)

    def batches(self, split: str, batch_size: int, *, seed: int, shuffle: bool, loss: Loss | None) -> BatchDataset:
        """The batches of a split, its targets in the form that ``loss`` takes."""
        return self._batches[split](batch_size, seed=seed, shuffle=shuffle, loss=loss)

    def without_scaling(self) -> RunData:
        """The same with the target in its own unit, for a loss that needs that (counts)."""
        if self.target is None or not self.target.mean:
            return self
        count = len(self.target.mean)
        return replace(self, target=replace(self.target, mean=(0.0,) * count, std=(1.0,) * count))


def prepare_data(
    config: DataConfig,
    *,
    seed: int,
    cache_directory: Path | None = None,
    schema: Schema | None = None,
    on_survey: Callable[[Survey], None] | None = None,
) -> RunData:
    """Read the data of a run.

    Args:
        config: where it is and what it means.
        seed: of the split.
        cache_directory: of prepared tables; None: the person's own.
        schema: of a trained model that is to go on with this data; None: fitted here.
        on_survey: is called with what the first pass over a table found, where it was not prepared before.

    Raises:
        ConfigError: a setting does not go with the data.
        DataError: the data cannot be used; names file, row and column.
    """
    if registry.is_import_path(config.kind):
        return _own_dataset(config, seed)
    if config.on_bad_sample == "skip":
        raise ConfigError(
            "data.on_bad_sample: is for a Dataset of your own; a table is read whole before training, and a "
            "bad cell named"
        )
    if not config.path:
        raise ConfigError("data.path: is missing.")
    return _table(prepare_table(config, seed=seed, cache_directory=cache_directory, schema=schema, on_survey=on_survey))


def _table(prepared: PreparedData) -> RunData:
    schema, train = prepared.schema, prepared.splits["train"]
    regression = schema.task == "regression"
    if schema.task in ("binary", "multiclass"):
        classes = schema.classes
        counts = tuple(np.bincount(train.y, minlength=len(classes)).tolist())
    else:
        classes = () if regression else tuple(target.name for target in schema.targets)
        counts = () if regression else tuple(int(count) for count in np.asarray(train.y).sum(axis=0))
    target = Target(
        task=schema.task,
        columns=tuple(target.name for target in schema.targets),
        classes=classes,
        counts=counts,
        rows=len(train.y),
        mean=tuple(map(float, schema.target_mean)) if regression else (),
        std=tuple(map(float, schema.target_std)) if regression else (),
    )
    return RunData(
        sizes={name: len(split.y) for name, split in prepared.splits.items()},
        target=target,
        facts=schema.model_facts(),
        schema=schema,
        notes=prepared.notes,
        lost_rows=prepared.lost_rows,
        missing_words=prepared.missing_words,
        repeated_rows=prepared.repeated_rows,
        arrays=prepared.splits,
        _batches={name: _TableBatches(split.x, split.y, split.rows, target) for name, split in prepared.splits.items()},
    )


@dataclass(frozen=True)
class _TableBatches:
    x: Any
    y: Any
    rows: Any
    target: Target

    def __call__(self, batch_size: int, *, seed: int, shuffle: bool, loss: Loss | None) -> BatchDataset:
        x, y = torch.from_numpy(self.x), torch.from_numpy(self.y)
        if loss is not None:
            if not loss.scale_target:
                std, mean = (torch.tensor(each, dtype=torch.float64) for each in (self.target.std, self.target.mean))
                y = (y * std + mean).float()
            y = loss.encode_target(y)
        batches = TensorBatches(
            (x, y), batch_size, seed=seed, shuffle=shuffle, drop_last=_ends_in_one(len(x), batch_size, shuffle)
        )
        batches.records = torch.from_numpy(self.rows)
        return batches


def _own_dataset(config: DataConfig, seed: int) -> RunData:
    """A person's ``Dataset`` class or function: asked for each split where it takes ``split``, else divided here."""
    factory = registry.load("data_kind", config.kind)
    given = {"path": config.path} if config.path and "path" in inspect.signature(factory).parameters else {}
    registry.check_options("data_kind", config.kind, config.options, factory, given=(*given, "split"))
    if "split" in inspect.signature(factory).parameters:
        datasets = {split: factory(**given, **config.options, split=split) for split in _SPLITS}
        _refuse_without_length(config.kind, *datasets.values())
    else:
        whole = factory(**given, **config.options)
        _refuse_without_length(config.kind, whole)
        datasets = _divide(whole, config, seed)
    datasets = {split: dataset for split, dataset in datasets.items() if dataset is not None and len(dataset)}
    if "train" not in datasets:
        raise DataError(f"{config.kind}: the Dataset of the training split is empty")
    target, facts = _look_at(datasets["train"], config)
    return RunData(
        sizes={split: len(dataset) for split, dataset in datasets.items()},
        target=target,
        facts=facts,
        _batches={split: _SampleBatches(dataset) for split, dataset in datasets.items()},
    )


def _refuse_without_length(kind: str, *datasets: Any) -> None:
    for dataset in datasets:
        if dataset is not None and not hasattr(dataset, "__len__"):
            with mistaken_at("data", "kind"):
                raise ConfigError(
                    f"data.kind: {kind} gives {type(dataset).__name__}, which has no length: a map-style Dataset is "
                    "needed, with __len__ and __getitem__. Batches that just come are for Workflow.from_parts."
                )


def _divide(dataset: Any, config: DataConfig, seed: int) -> dict[str, Any]:
    order = torch.randperm(len(dataset), generator=generator(seed, Stream.SPLIT)).tolist()
    parts: dict[str, Any] = {}
    for split in ("val", "test"):
        share = getattr(config.split, split)
        if isinstance(share, str):
            raise ConfigError(f"data.split.{split}: a Dataset of your own is divided by fractions, got {share!r}")
        count = round(len(dataset) * (DEFAULT_FRACTION if share is None else share))
        parts[split], order = Subset(dataset, sorted(order[:count])), order[count:]
    return {"train": Subset(dataset, sorted(order)), **parts}


def _look_at(dataset: Dataset[Any], config: DataConfig) -> tuple[Target | None, dict[str, Any]]:
    """What the first sample says: a whole number is a class, a number or several are a regression."""
    whole = dataset.dataset if isinstance(dataset, Subset) else dataset
    sample = _first_sample(dataset, config)
    if not isinstance(sample, tuple | list) or len(sample) != 2:
        return None, {}
    x, y = (_as_tensor(part, name, config.kind) for part, name in zip(sample, ("input", "target"), strict=True))
    facts = {"in_features": x.shape[-1]} if isinstance(x, Tensor) and x.dim() else {}
    if not isinstance(y, Tensor):
        return None, facts
    if y.dtype.is_floating_point and config.task in (None, "regression"):
        names = tuple(f"y{number}" for number in range(y.numel()))
        return Target(task="regression", columns=names, mean=(0.0,) * len(names), std=(1.0,) * len(names)), facts
    classes = tuple(map(str, getattr(whole, "classes", ())))
    if len(classes) < 2:
        return None, facts
    task = config.task or ("multilabel" if y.dim() else "multiclass")
    return Target(task=task, columns=("y",), classes=classes), facts


def _as_tensor(part: Any, name: str, kind: str) -> Tensor | None:
    """The input or the target of a sample; None where it is several, or text."""
    if isinstance(part, dict | tuple | list | str):
        return None
    try:
        return torch.as_tensor(part)
    except (TypeError, ValueError, RuntimeError) as error:
        raise DataError(
            f"{kind}: the {name} of a sample is of type {type(part).__name__}, of which no batch can be made: it "
            "must be a tensor, an array or a number, or a tuple, list or dict of these"
        ) from error


def _first_sample(dataset: Dataset[Any], config: DataConfig) -> Any:
    """The first one that can be made; the very first, unless others are skipped."""
    for index in range(len(dataset)):  # type: ignore[arg-type]
        try:
            return dataset[index]
        except Exception as error:
            if config.on_bad_sample != "skip":
                refuse([bad_sample(dataset, index, index, error)], skipping=False)
    raise DataError(f"{config.kind}: none of the samples of the training split can be made")


@dataclass(frozen=True)
class _SampleBatches:
    dataset: Dataset[Any]

    def __call__(self, batch_size: int, *, seed: int, shuffle: bool, loss: Loss | None) -> BatchDataset:
        collate = torch.utils.data.default_collate if loss is None else _Collate(replace(loss, fn=_no_loss))
        size = len(self.dataset)  # type: ignore[arg-type]
        drop_last = _ends_in_one(size, batch_size, shuffle)
        batches = SampleDataset(
            self.dataset, batch_size, collate=collate, seed=seed, shuffle=shuffle, drop_last=drop_last
        )
        if isinstance(self.dataset, Subset):
            batches.records = torch.as_tensor(self.dataset.indices)
        return batches


def _ends_in_one(size: int, batch_size: int, shuffle: bool) -> bool:
    """Whether an epoch of training would end in a batch of one sample, which batch normalisation cannot train on."""
    return shuffle and size > batch_size and size % batch_size == 1


def _no_loss(y_pred: Tensor, y: Tensor) -> Tensor:
    """What workers get instead of the loss: it may lie on a GPU, or refuse to be sent to another process."""
    raise NotImplementedError("targets are only encoded here")


@dataclass(frozen=True)
class _Collate:
    loss: Loss

    def __call__(self, samples: list[Any]) -> Any:
        x, y = torch.utils.data.default_collate(samples)
        return x, self.loss.encode_target(y)
