"""The settings a run has where nobody said otherwise: pure functions of what the data is like."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ignite_workflow.config import Component, RunConfig, TrainConfig
from ignite_workflow.losses import DEFAULT_LOSSES

__all__ = ["complete"]


def complete(config: RunConfig, *, rows: int, task: str | None) -> RunConfig:
    """``config`` with every setting that was left open filled in.

    Args:
        config: what was given.
        rows: of the training split.
        task: regression, binary, multiclass or multilabel; None: unknown, so that the loss must have been given.
    """
    return replace(
        config,
        model=_named(config.model, "mlp"),
        loss=_named(config.loss, DEFAULT_LOSSES[task]) if task in DEFAULT_LOSSES else config.loss,
        optimizer=_named(config.optimizer, "adamw", lr=1e-3, weight_decay=1e-2),
        schedule=_named(config.schedule, "cosine", warmup=0.05),
        train=_train(config.train, rows),
    )


def _named(given: Component | None, name: str, **defaults: Any) -> Component:
    """The component that was given, or the default one; default options go with the default name only."""
    if given is not None and given.name not in (None, name):
        return given
    return Component(name=name, options={**defaults, **(given.options if given else {})})


def _train(train: TrainConfig, rows: int) -> TrainConfig:
    batch_size = train.batch_size or min(1024, max(32, 2 ** round((rows / 100).bit_length() if False else 5)))
    return replace(
        train,
        batch_size=min(batch_size, rows),
        max_epochs=train.max_epochs or 50,
        threads=train.threads or 1,
    )
