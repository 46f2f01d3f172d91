"""What a person may bring to ``Workflow.from_parts``, and what stands in where they do not."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict

import torch
from ignite.metrics import Metric
from torch import nn
from torch.optim import Optimizer
from torch.utils.data import TensorDataset

from ignite_workflow.config import RunConfig, TrainConfig
from ignite_workflow.data.batches import TensorBatches
from ignite_workflow.device import autocast, check_compiler
from ignite_workflow.engine import WorkflowEngine
from ignite_workflow.errors import ConfigError, UnknownNameError
from ignite_workflow.evaluator import EvaluationEngine
from ignite_workflow.handler_specs import build_handlers, merge_handlers, without_loss
from ignite_workflow.losses import LossFn
from ignite_workflow.metrics import MODES, MeanLoss, MetricSet
from ignite_workflow.run_directory import RunDirectory
from ignite_workflow.steps import Step, build_accumulating_step, build_eval_step, build_train_step
from ignite_workflow.time_limit import TimeLimit

if TYPE_CHECKING:
    from ignite_workflow.handler import Handler
    from ignite_workflow.schedules import Schedule

__all__ = [
    "MoreParts",
    "build_engines",
    "choose_handlers",
    "choose_metrics",
    "held",
    "is_foreign",
    "make_ready",
]


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
        started: ``time.monotonic()`` when this start began: what ``train.max_minutes`` counts from; absent: now.
    """

    run_directory: str | Path | RunDirectory | None
    metrics: Mapping[str, Metric]
    schedule: Schedule | None
    train_step: Step | None
    eval_step: Step | None
    build_metrics: Callable[[Sequence[str] | None], MetricSet]
    config: RunConfig
    started: float


def make_ready(model: nn.Module, device: torch.device, train: TrainConfig) -> None:
    """Move a model to the device, compile it if asked, and set ``train()`` mode where it is in ``eval()`` mode."""
    model.to(device)
    if train.compile:
        check_compiler(device)
        model.compile()
    if not model.training:  # one that is may have layers in eval() mode on purpose
        model.train()


def build_engines(
    model: nn.Module,
    optimizer: Optimizer | Mapping[str, Optimizer],
    loss_fn: LossFn | None,
    device: torch.device,
    train: TrainConfig,
    more: MoreParts,
) -> tuple[WorkflowEngine, EvaluationEngine]:
    """The trainer, stopped in time where a limit is set, and the evaluator.

    Raises:
        ConfigError: no train step is given, and there are several optimizers or no loss; the deadline is no point in
            time, or it is over.
    """
    train_step = more.get("train_step") or _train_step(model, optimizer, loss_fn, device, train)
    eval_step = more.get("eval_step") or _eval_step(model, device, train)
    trainer = WorkflowEngine(train_step)
    if train.max_minutes is not None or train.deadline is not None:
        TimeLimit(train, more.get("started", time.monotonic())).attach(trainer)
    return trainer, EvaluationEngine(eval_step, model, trainer)


def _train_step(
    model: nn.Module,
    optimizer: Optimizer | Mapping[str, Optimizer],
    loss_fn: LossFn | None,
    device: torch.device,
    train: TrainConfig,
) -> Step:
    if isinstance(optimizer, Mapping) or loss_fn is None:
        lacking = "several optimizers need" if isinstance(optimizer, Mapping) else "a run without loss_fn needs"
        raise ConfigError(f"{lacking} a train_step of your own")
    precision = autocast(device, train.precision)
    if train.accumulate > 1:
        return build_accumulating_step(
            model, optimizer, loss_fn, device=device, autocast=precision, accumulate=train.accumulate
        )
    return build_train_step(model, optimizer, loss_fn, device=device, autocast=precision)


def _eval_step(model: nn.Module, device: torch.device, train: TrainConfig) -> Step:
    return build_eval_step(model, device=device, autocast=autocast(device, train.precision))


@contextmanager
def held(directory: str | Path | RunDirectory | None) -> Iterator[RunDirectory | None]:
    """The directory of a run that is being assembled, held.

    One that was not held before is let go where that fails: who mends the mistake and tries again must find it free.
    """
    if not isinstance(directory, str | Path):
        yield directory
        return
    opened = RunDirectory(Path(directory))
    try:
        yield opened
    except BaseException:
        opened.close()
        raise


def choose_handlers(
    given: Mapping[str, Any], more: MoreParts, val_loader: Iterable[Any] | None, loss_fn: LossFn | None
) -> dict[str, Handler]:
    """The handlers of a run: the default ones that have something to work on, changed and joined by ``given``.

    Raises:
        ConfigError: a handler or option that does not exist, or that has nothing to work on.
    """
    has_validation = val_loader is not None
    measures_loss = loss_fn is not None or "build_metrics" in more or "loss" in (more.get("metrics") or {})
    merged = merge_handlers(
        given if measures_loss or not has_validation else without_loss(given),
        has_validation=has_validation,
        has_directory=more.get("run_directory") is not None,
        has_schedule=more.get("schedule") is not None,
    )
    return build_handlers(merged)


def choose_metrics(
    loss_fn: LossFn | None, metrics: Mapping[str, Metric] | None, names: Sequence[str] | None
) -> MetricSet:
    """The loss, and of a person's own ``metrics`` those of the given names; None: all of them.

    Raises:
        UnknownNameError: one of the names is not among them.
    """
    chosen: dict[str, Metric] = {} if loss_fn is None else {"loss": MeanLoss(loss_fn)}
    metrics = metrics or {}
    for name in metrics if names is None else names:
        if name not in metrics:
            raise UnknownNameError("metric", name, metrics)
        chosen[name] = metrics[name]
    return MetricSet(chosen, {name: MODES.get(name) for name in chosen})


def is_foreign(
    more: MoreParts, model: nn.Module, loss_fn: LossFn | None, loader: Any, handlers: Iterable[Handler]
) -> bool:
    """Whether step, layers, loss, samples or handlers are a person's own, who may draw from ``random`` or ``numpy``."""
    if more.get("train_step") is not None:
        return True
    parts = [*model.modules(), *handlers, *([] if loss_fn is None else [loss_fn])]
    known = all(str(part.__module__).startswith(("torch.", "ignite_workflow.")) for part in parts)
    return not known or type(getattr(loader, "dataset", None)) not in (TensorDataset, TensorBatches)
