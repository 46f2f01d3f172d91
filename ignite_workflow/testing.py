"""Helpers for the tests of handlers: this package's own and those of plugin authors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from ignite.engine import Events
from torch import nn

from ignite_workflow.engine import WorkflowEngine
from ignite_workflow.evaluator import EvaluationEngine
from ignite_workflow.events import IN_STEP_EVENTS, fire
from ignite_workflow.handler import Handler
from ignite_workflow.handlers.evaluation import Evaluation
from ignite_workflow.metrics import MODES, MetricSet
from ignite_workflow.run_directory import RunDirectory
from ignite_workflow.steps import StepOutput
from ignite_workflow.workflow import Workflow

__all__ = ["scripted_workflow"]


def scripted_workflow(
    directory: Path | None = None,
    *,
    handlers: Mapping[str, Handler] | None = None,
    train_losses: Sequence[float] = (0.0,),
    max_epochs: int | None = None,
    **val_metrics: Sequence[float],
) -> Workflow:
    """A workflow that trains nothing and reports what it is told.

    Its steps fire every in-step event. The evaluation handler is attached first, with id ``evaluation``, unless
    ``handlers`` has one of its own; then ``handlers``, in their order.

    Args:
        directory: of the run; None: nothing is written.
        handlers: by id.
        train_losses: the losses of the batches of every epoch.
        max_epochs: as many as there are values for a metric where not given.
        **val_metrics: per metric, its value at the first, second, ... evaluation.

    Example:
        >>> workflow = scripted_workflow(loss=[1.0, 0.5])
        >>> _ = workflow.run()
        >>> workflow.records.curve("val", "loss")
        [(1, 1.0), (2, 0.5)]
    """
    model = nn.Linear(1, 1)
    script = iter([dict(zip(val_metrics, row, strict=True)) for row in zip(*val_metrics.values(), strict=True)])
    trainer = WorkflowEngine(_scripted_step)
    evaluator = EvaluationEngine(_no_evaluation, model, trainer)
    evaluator.add_event_handler(Events.EPOCH_COMPLETED, _report, evaluator, script)
    workflow = Workflow(
        trainer=trainer,
        evaluator=evaluator,
        model=model,
        optimizer=torch.optim.SGD(model.parameters(), lr=0.1),
        train_loader=list(train_losses),
        val_loader=[None] if val_metrics else None,
        device=torch.device("cpu"),
        max_epochs=max_epochs or max(map(len, val_metrics.values()), default=1),
        seed=0,
        build_metrics=_Script(val_metrics),
        run_directory=RunDirectory(directory) if directory is not None else None,
    )
    defaults: dict[str, Handler] = {"evaluation": Evaluation()} if val_metrics else {}
    workflow.attach({**defaults, **(handlers or {})})
    return workflow


class _Script:
    """Builds a metric set that names the scripted metrics and measures nothing."""

    def __init__(self, names: Mapping[str, Any]) -> None:
        self.names = names

    def __call__(self, _: Sequence[str] | None) -> MetricSet:
        return MetricSet({}, {name: MODES.get(name) for name in self.names})


def _scripted_step(engine: WorkflowEngine, loss: float) -> StepOutput:
    engine.state.y_pred, engine.state.loss = torch.zeros(1), torch.tensor(loss)
    for event in IN_STEP_EVENTS:
        fire(engine, event)
    return StepOutput(engine.state.loss, batch_size=1)


def _no_evaluation(_: EvaluationEngine, __: None) -> None:
    return None


def _report(evaluator: EvaluationEngine, script: Any) -> None:
    evaluator.state.metrics = next(script)
