"""Rows whose truth is known, in batches for an evaluation: the split a run held out, or a new table.

Shapes: ``N`` rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from ignite_workflow import registry
from ignite_workflow.config import ReadConfig, RunConfig, load_config
from ignite_workflow.data.bad_samples import BadSample, SkippedSamples
from ignite_workflow.data.loader import SeekableLoader
from ignite_workflow.data_files import changed_data_file
from ignite_workflow.errors import ConfigError, DataError
from ignite_workflow.losses import Loss
from ignite_workflow.predictor import Predictor
from ignite_workflow.run_data import RunData, prepare_data

__all__ = ["Batches", "labelled_batches", "own_batches"]

_ROWS_A_BATCH = 512


class Batches(Protocol):
    """Batches of the model's input, and targets in the form that the loss takes.

    Attributes:
        source: what they are, for people.
        skipped: rows left out so far, as their target is missing.
    """

    source: str
    skipped: int

    @property
    def bad_samples(self) -> Sequence[BadSample]:
        """Samples of a Dataset left out so far, as they cannot be made."""

    def __iter__(self) -> Iterator[tuple[Any, Tensor]]: ...


def own_batches(predictor: Predictor, loss: Loss, cache_directory: Path | None) -> Batches:
    """The test split of the model's own run; the validation split where there is none.

    Args:
        predictor: the model.
        loss: encodes the targets.
        cache_directory: of the prepared data; None: the person's own.

    Raises:
        ConfigError: the model's run is not there, held no rows out, or its data is code that is not trusted.
        DataError: the data has changed.
    """
    config = _own_config(predictor)
    assert predictor.directory is not None
    if changed := changed_data_file(config.data, predictor.directory.parent):
        raise DataError(f"{changed}; its test split may hold rows that were trained on. Name a table to evaluate on.")
    data = _own_data(predictor, config, cache_directory)
    split = next((split for split in ("test", "val") if split in data.sizes), None)
    if split is None:
        raise ConfigError("the run held no rows out of training: name a table to evaluate on.")
    source = {"test": "test split", "val": "validation split"}[split]
    loader = SeekableLoader(data.batches(split, _ROWS_A_BATCH, seed=config.train.seed, shuffle=False, loss=loss))
    bad = SkippedSamples(None, split)
    if config.data.on_bad_sample == "skip":
        loader.skip_bad_samples(bad)
    return _OwnSplit(loader, source, bad.found)


@dataclass
class _OwnSplit:
    loader: SeekableLoader
    source: str
    bad_samples: Sequence[BadSample]
    skipped: int = 0

    def __iter__(self) -> Iterator[tuple[Any, Tensor]]:
        return iter(self.loader)


def _own_config(predictor: Predictor) -> RunConfig:
    """The settings of the run that the model lies in."""
    file = None if predictor.directory is None else predictor.directory.parent / "config.yaml"
    if file is None or not file.is_file():
        raise ConfigError("the model lies in no run, whose test split could be measured: name a table to evaluate on.")
    config = load_config(file)
    if registry.is_import_path(config.data.kind) and not predictor.trusted:
        raise ConfigError(
            f"{file}: the data is its author's own code, {config.data.kind!r}: load the model with trust."
        )
    return config


def _own_data(predictor: Predictor, config: RunConfig, cache_directory: Path | None) -> RunData:
    data = prepare_data(config.data, seed=config.train.seed, cache_directory=cache_directory)
    if data.schema != predictor.schema:  # that of the model the run started from
        data = prepare_data(
            config.data, seed=config.train.seed, cache_directory=cache_directory, schema=predictor.schema
        )
    if dict(data.sizes) != predictor.data.rows:
        before, now = _shown(predictor.data.rows), _shown(data.sizes)
        raise DataError(f"the run's data has changed: {before} in training, {now} now; name a table to evaluate on.")
    return data


def _shown(rows: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {split}" for split, count in rows.items()) + " rows"


def labelled_batches(predictor: Predictor, loss: Loss, path: str | Path, read: ReadConfig | None) -> Batches:
    """The rows of a table that has the targets' columns.

    Args:
        predictor: the model.
        loss: encodes the targets.
        path: of the table.
        read: how it is read; None: as the training data was.

    Raises:
        ConfigError: the model's input is not a table.
    """
    predictor.table_schema()
    return _LabelledTable(predictor, loss, str(path), read)


@dataclass
class _LabelledTable:
    predictor: Predictor
    loss: Loss
    source: str
    read: ReadConfig | None
    skipped: int = 0
    bad_samples: Sequence[BadSample] = ()

    def __iter__(self) -> Iterator[tuple[Any, Tensor]]:
        schema = self.predictor.table_schema()
        for chunk, x in self.predictor.encode_chunks(self.source, self.read):
            y = schema.encode_target(chunk)
            known = y >= 0 if y.ndim == 1 else ~np.isnan(y).any(axis=1)
            self.skipped += len(y) - int(known.sum())
            if not known.any():
                continue
            if not self.loss.scale_target:
                y = (y * schema.target_std + schema.target_mean).astype(np.float32)
            inputs, targets = torch.from_numpy(x[known]), self.loss.encode_target(torch.from_numpy(y[known]))
            yield from zip(inputs.split(_ROWS_A_BATCH), targets.split(_ROWS_A_BATCH), strict=True)
