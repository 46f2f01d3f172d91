"""The end of a run: measure the weights that training ended with, once, and put them on disk as a model."""

from __future__ import annotations

from pathlib import Path

from ignite_workflow.assembly import build_loader, build_run_loss, model_facts
from ignite_workflow.config import RunConfig
from ignite_workflow.device import autocast
from ignite_workflow.errors import CheckpointError
from ignite_workflow.evaluator import EvaluationEngine
from ignite_workflow.losses import Loss
from ignite_workflow.metrics import build_metrics
from ignite_workflow.model_description import Architecture, DataFacts, LossFacts, ModelDescription
from ignite_workflow.model_file import save_model
from ignite_workflow.records import Records
from ignite_workflow.run_data import RunData
from ignite_workflow.run_directory import RunDirectory
from ignite_workflow.steps import build_eval_step
from ignite_workflow.workflow import Workflow

__all__ = ["evaluate_split", "finish"]


def finish(workflow: Workflow, data: RunData, directory: RunDirectory) -> dict[str, float]:
    """Measure validation and test split on the model's present weights, record the test split, save the model.

    Returns:
        The metrics by ``split/name``.

    Raises:
        CheckpointError: records or model cannot be written.
    """
    assert workflow.config is not None
    config = workflow.config
    loss = build_run_loss(config, data)
    if loss is not None and not loss.scale_target:
        data = data.without_scaling()
    metrics = _measure(workflow, config, data, loss) if loss is not None else {}
    _put_on_disk(workflow.records)
    save_model(directory.model, workflow.model, _description(config, data, loss, metrics))
    return metrics


def _put_on_disk(records: Records) -> None:
    assert records.path is not None
    try:
        records.sync()
        records.make_durable()
    except OSError as error:
        raise CheckpointError.unwritten("the metrics", records.path, error, records.bytes_to_write) from error


def _measure(workflow: Workflow, config: RunConfig, data: RunData, loss: Loss) -> dict[str, float]:
    val, test = (evaluate_split(workflow, config, data, loss, split) for split in ("val", "test"))
    for name, value in test.items():
        workflow.record("test", name, value)
    return {f"{split}/{name}": value for split, of in (("val", val), ("test", test)) for name, value in of.items()}


def _description(config: RunConfig, data: RunData, loss: Loss | None, metrics: dict[str, float]) -> ModelDescription:
    assert config.model is not None
    assert config.model.name is not None
    paths = (config.data.path,) if isinstance(config.data.path, str) else config.data.path
    return ModelDescription(
        architecture=Architecture(name=config.model.name, options=config.model.options, facts=model_facts(data, loss)),
        schema=data.schema,
        target=data.target,
        loss=LossFacts.of(loss, config.loss.options) if loss is not None and config.loss is not None else None,
        metrics=metrics,
        data=DataFacts(files=tuple(Path(path).name for path in paths), rows=dict(data.sizes), read=config.data.read),
    )


def evaluate_split(workflow: Workflow, config: RunConfig, data: RunData, loss: Loss, split: str) -> dict[str, float]:
    """The metrics of a split, measured by an engine of its own, which no handler of the run sees.

    Empty where there is no such split.

    Raises:
        EvaluationAbandoned: the run was asked to stop meanwhile.
    """
    loader = build_loader(config, data, loss, split, workflow.run_directory)
    if loader is None:
        return {}
    step = build_eval_step(
        workflow.model, device=workflow.device, autocast=autocast(workflow.device, config.train.precision)
    )
    engine = EvaluationEngine(step, workflow.model, workflow.trainer)
    asked = config.handlers.get("evaluation")
    names = asked.get("metrics") if isinstance(asked, dict) else None
    assert data.target is not None
    build_metrics(names, data.target, loss.to(workflow.device)).attach(engine)
    return {name: float(value) for name, value in engine.run(loader).metrics.items()}
