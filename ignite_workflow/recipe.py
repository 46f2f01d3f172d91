"""The settings a run has where nobody said otherwise: pure functions of what the data is like."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ignite_workflow.config import Component, RunConfig, TrainConfig
from ignite_workflow.losses import DEFAULT_LOSSES
from ignite_workflow.targets import Target

__all__ = ["DEFAULT_NAMES", "complete", "default_batch_size", "default_max_epochs"]

DEFAULT_NAMES = {"model": "mlp", "optimizer": "adamw", "schedule": "cosine"}
"""Components that are the same for all data. The loss is not: it follows from the task."""

_RATES = {"lr": 2e-3, "weight_decay": 1e-2}
_LINEAR_RATES = {"lr": 2e-2, "weight_decay": 0.0}  # convex, and its weights are there to be read as they are

# The L2 penalty on the weights that make the scores of classes, times the training rows: so that a few rows, all of
# them right, do not make probabilities ever bolder. For the linear path, whose steps are ten times the layers', it is
# that of logistic regression; for the 256 outputs of the last hidden layer, as if together they were one feature.
_PENALTY = {"head.weight": 256, "linear_path.*": 100}
# It is for up to three classes. Each class has weights of its own, and only its share of the rows stands against the
# penalty: where there are more classes that share is smaller, and the penalty is as much weaker.
_CLASSES_WITH_FULL_PENALTY = 3
_PENALISED_TASKS = ("binary", "multiclass")
_PENALTY_OPTIONS = frozenset({"weight_decay", "groups"})

# With few rows a step goes wherever its few rows pull, and the few that validate pick one such step: the average over
# some thirty steps is better than any of them.
_FEW_ROWS = 200
_AVERAGED = {"decay": 0.97}


def complete(config: RunConfig, *, sizes: Mapping[str, int], target: Target | None) -> RunConfig:
    """``config`` with every setting that was left open filled in.

    A train step of a person's own gets no schedule that was not asked for: who steps what is its own affair.

    Args:
        config: what was given.
        sizes: rows of each split that has any.
        target: what is predicted; None: unknown, so that the loss must have been given.
    """
    train = _train(config.train, sizes["train"])
    loss = _named(config.loss, DEFAULT_LOSSES[target.task]) if target is not None else config.loss
    validates = loss is not None and ("val" in sizes or train.overfit_batches is not None)
    own_step_alone = train.step is not None and config.schedule is None
    model = _named(config.model, DEFAULT_NAMES["model"])
    handlers = _with_patience(config.handlers, train.max_epochs or 1) if validates else config.handlers
    return replace(
        config,
        model=model,
        loss=loss,
        optimizer=_optimizer(config.optimizer, model, target, sizes["train"]),
        schedule=None if own_step_alone else _named(config.schedule, DEFAULT_NAMES["schedule"], warmup=0.05),
        train=train,
        handlers=_with_average(handlers, model, train, sizes["train"]),
    )


def _named(given: Component | None, name: str, **defaults: Any) -> Component:
    """The component that was given, or the default one; default options go with the default name only."""
    if given is not None and given.name not in (None, name):
        return given
    return Component(name=name, options={**defaults, **(given.options if given else {})})


def _optimizer(given: Component | None, model: Component, target: Target | None, rows: int) -> Component:
    """The default one decays weights by a share of the learning rate; ``adam`` has the penalty in the gradient."""
    says_otherwise = given is not None and (given.name is not None or not _PENALTY_OPTIONS.isdisjoint(given.options))
    classes = len(target.classes) if target is not None and target.task in _PENALISED_TASKS else 0
    if model.name == DEFAULT_NAMES["model"] and classes and not says_otherwise:
        share = min(1.0, _CLASSES_WITH_FULL_PENALTY / classes)
        groups = [{"match": match, "weight_decay": share * penalty / rows} for match, penalty in _PENALTY.items()]
        return _named(given, "adam", lr=_RATES["lr"], groups=groups)
    rates = _LINEAR_RATES if model.name == "linear" else _RATES
    return _named(given, DEFAULT_NAMES["optimizer"], **rates)


def _train(train: TrainConfig, rows: int) -> TrainConfig:
    return replace(
        train,
        batch_size=train.batch_size or min(default_batch_size(rows), rows),
        max_epochs=train.max_epochs or default_max_epochs(rows),
        threads=train.threads or 1,
    )


def default_batch_size(rows: int) -> int:
    """A power of two from 32 to 1024, near a 64th of the rows."""
    return min(1024, max(32, 1 << max(0, round(math.log2(max(rows, 1) / 64)))))


def default_max_epochs(rows: int) -> int:
    """From 400 for few rows down to 20 for many: so that steps grow with the square root of the rows."""
    return min(400, max(20, round(40 * math.sqrt(14_000 / max(rows, 1)))))


def _with_patience(handlers: Mapping[str, Any], max_epochs: int) -> dict[str, Any]:
    """Early stopping, which needs a validation split, waits for a third of the run where nobody said how long."""
    given = handlers.get("early_stopping", True)
    if given is False or (isinstance(given, dict) and "patience" in given):
        return dict(handlers)
    options = given if isinstance(given, dict) else {}
    return {**handlers, "early_stopping": {**options, "patience": max(5, max_epochs // 3)}}


def _with_average(handlers: Mapping[str, Any], model: Component, train: TrainConfig, rows: int) -> dict[str, Any]:
    """Averaged weights where rows are few: of the model, and in the steps, that this was measured with."""
    learns_by_heart = train.overfit_batches is not None
    if rows >= _FEW_ROWS or model.name != DEFAULT_NAMES["model"] or train.step is not None or learns_by_heart:
        return dict(handlers)
    uses = {given.get("use", name) if isinstance(given, dict) else name for name, given in handlers.items()}
    return dict(handlers) if "ema" in uses else {**handlers, "ema": dict(_AVERAGED)}
