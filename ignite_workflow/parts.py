"""What a person may bring to ``Workflow.from_parts``, and what stands in where they do not."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict

import torch
from ignite.metrics import Metric
from torch import nn
from torch.optim import Optimizer
from torch.utils.data import TensorDataset

from ignite_workflow.config import RunConfig, TrainConfig
from ignite_workflow.data.loader import TensorBatches
from ignite_workflow.device import autocast
from ignite_workflow.errors import ConfigError, UnknownNameError
from ignite_workflow.metrics import MODES, MeanLoss, MetricSet
from ignite_workflow.run_directory import RunDirectory
from ignite_workflow.steps import LossFn, Step, build_accumulating_step, build_train_step

if TYPE_CHECKING:
    from ignite_workflow.handler import Handler
    from ignite_workflow.schedules import Schedule

__all__ = ["MoreParts", "choose_metrics", "is_ours", "supervised_step"]


class MoreParts(TypedDict, total=False):
    """The parts that most runs do without.

    Attributes:
        run_directory: where everything is written: a path, or one that is held already. Absent: nothing is written.
        metrics: of Ignite, by name, measured on the validation data besides the loss.
        schedule: from ``build_schedule``.
        train_step: ``train_step(engine, batch)``, instead of the supervised one; finds ``model`` and ``optimizer`` on
            ``engine.workflow``, fires its events with ``fire`` and returns ``StepOutput`` or a mapping of named losses.
        eval_step: ``eval_step(engine, batch)``, which returns ``(y_pred, y)``.
        build_metrics: makes a ``MetricSet`` of names, instead of ``metrics``.
        config: the settings the parts were made from.
    """

    run_directory: str | Path | RunDirectory | None
    metrics: Mapping[str, Metric]
    schedule: Schedule | None
    train_step: Step | None
    eval_step: Step | None
    build_metrics: Callable[[Sequence[str] | None], MetricSet]
    config: RunConfig


def supervised_step(
    model: nn.Module,
    optimizer: Optimizer | Mapping[str, Optimizer],
    loss_fn: LossFn | None,
    device: torch.device,
    train: TrainConfig,
) -> Step:
    """The train step of one model, one loss and one optimizer.

    Raises:
        ConfigError: there are several optimizers, or no loss.
    """
    if isinstance(optimizer, Mapping) or loss_fn is None:
        lacking = "several optimizers need" if isinstance(optimizer, Mapping) else "a run without loss_fn needs"
        raise ConfigError(f"{lacking} a train_step of your own")
    precision = autocast(device, train.precision)
    if train.accumulate > 1:
        return build_accumulating_step(
            model, optimizer, loss_fn, device=device, autocast=precision, accumulate=train.accumulate
        )
    return build_train_step(model, optimizer, loss_fn, device=device, autocast=precision)


def choose_metrics(loss_fn: LossFn | None, metrics: Mapping[str, Metric], names: Sequence[str] | None) -> MetricSet:
    """The loss, and of a person's own ``metrics`` those of the given names; None: all of them.

    Raises:
        UnknownNameError: one of the names is not among them.
    """
    chosen: dict[str, Metric] = {} if loss_fn is None else {"loss": MeanLoss(loss_fn)}
    for name in metrics if names is None else names:
        if name not in metrics:
            raise UnknownNameError("metric", name, metrics)
        chosen[name] = metrics[name]
    return MetricSet(chosen, {name: MODES.get(name) for name in chosen})


def is_ours(loader: Any, handlers: Iterable[Handler]) -> bool:
    """Whether samples and handlers are this package's, so that nobody draws from ``random`` or ``numpy.random``."""
    dataset = getattr(loader, "dataset", None)
    own_handlers = all(type(handler).__module__.startswith("ignite_workflow.") for handler in handlers)
    return own_handlers and isinstance(dataset, TensorDataset | TensorBatches)
