"""From settings and data to a workflow that is ready to run."""

from __future__ import annotations

import time
from functools import partial
from typing import Any

from torch import nn

from ignite_workflow import registry
from ignite_workflow.built_in import BUILT_IN
from ignite_workflow.config import RunConfig
from ignite_workflow.data.bad_samples import SkippedSamples
from ignite_workflow.data.loader import SeekableLoader
from ignite_workflow.device import resolve_device
from ignite_workflow.errors import ConfigError, mistaken_at
from ignite_workflow.events import WorkflowEvents
from ignite_workflow.losses import Loss, build_loss
from ignite_workflow.metrics import build_metrics
from ignite_workflow.models import build_model
from ignite_workflow.optimizers import build_optimizer
from ignite_workflow.randomness import Stream, mix, seed_everything
from ignite_workflow.run_data import RunData
from ignite_workflow.run_directory import RunDirectory
from ignite_workflow.schedules import Schedule, build_schedule
from ignite_workflow.workflow import Workflow

__all__ = ["build_loader", "build_run_loss", "build_run_model", "build_workflow", "model_facts"]


@mistaken_at("loss")
def build_run_loss(config: RunConfig, data: RunData) -> Loss | None:
    """The loss of a run; None where a train step of a person's own does without.

    Raises:
        ConfigError: it does not fit the data, or there is none to be found.
    """
    if config.loss is not None and config.loss.name is not None and data.target is not None:
        return build_loss(config.loss.name, config.loss.options, data.target)
    if config.train.step is not None and config.loss is None:
        return None
    raise ConfigError(
        "the Dataset does not say what is to be predicted: its samples must be (x, y), y a number or several; "
        "with y a class, the Dataset needs an attribute classes, their names. Or bring train.step."
    )


@mistaken_at("model")
def build_run_model(config: RunConfig, data: RunData, loss: Loss | None) -> nn.Module:
    """The model of a run, its initial weights a function of the seed alone."""
    assert config.model is not None
    assert config.model.name is not None
    if data.schema is None and config.model.name in BUILT_IN["model"]:
        raise ConfigError(f"model {config.model.name} is for tables: a Dataset of your own needs a model of your own")
    seed_everything(mix(config.train.seed, Stream.INITIAL_WEIGHTS))
    return build_model(config.model.name, config.model.options, model_facts(data, loss))


def model_facts(data: RunData, loss: Loss | None) -> dict[str, Any]:
    """What a model may ask for by parameter name: of the data, the target and the loss."""
    return {**data.facts, **({} if loss is None else {"out_features": loss.outputs, "output": loss.output})}


def build_loader(
    config: RunConfig, data: RunData, loss: Loss | None, split: str, run_directory: RunDirectory | None
) -> SeekableLoader | None:
    """The batches of a split: shuffled where it is trained on. None where the split is empty."""
    train, device = config.train, resolve_device(config.train.device)
    training = split == "train"
    if train.overfit_batches is not None:
        split = "train"  # the same few batches are learnt and evaluated
    if split not in data.sizes:
        return None
    batch_size = train.batch_size or 1
    batches = data.batches(
        split,
        batch_size if training or train.overfit_batches else max(batch_size, 1024),
        seed=train.seed,
        shuffle=training and train.overfit_batches is None,
        loss=loss,
    )
    batches.limit = train.overfit_batches or train.limit_batches
    loader = SeekableLoader(batches, workers=train.workers, pin_memory=device.type == "cuda")
    if config.data.on_bad_sample == "skip":
        loader.skip_bad_samples(SkippedSamples(run_directory.skipped_samples if run_directory else None, split))
    return loader


def build_workflow(
    config: RunConfig, data: RunData, run_directory: RunDirectory | None = None, *, started: float | None = None
) -> Workflow:
    """Assemble the run that ``config`` describes, its handlers attached.

    Args:
        config: complete (see ``recipe.complete``).
        data: from ``prepare_data``.
        run_directory: where it is written; None: nothing is.
        started: ``time.monotonic()`` when this start began; None: now.

    Raises:
        ConfigError: settings that do not go together, or with the data.
    """
    _check_own_step(config)
    loss = build_run_loss(config, data)
    if loss is not None and not loss.scale_target:
        data = data.without_scaling()
    device = resolve_device(config.train.device)
    model = build_run_model(config, data, loss).to(device)
    assert config.optimizer is not None
    assert config.optimizer.name is not None
    with mistaken_at("optimizer"):
        optimizer = build_optimizer(config.optimizer.name, config.optimizer.options, model)
    train_loader = build_loader(config, data, loss, "train", run_directory)
    assert train_loader is not None
    step = registry.load("step", config.train.step) if config.train.step is not None else None
    workflow = Workflow.from_parts(
        model,
        optimizer,
        loss.to(device).fn if loss is not None else None,
        train_loader,
        build_loader(config, data, loss, "val", run_directory) if loss is not None else None,
        train=config.train,
        handlers=config.handlers,
        run_directory=run_directory,
        schedule=_schedule(config, optimizer, len(train_loader)),
        train_step=step,
        config=config,
        started=time.monotonic() if started is None else started,
        **_metrics(data, loss),
    )
    if loss is not None and step is None:
        _check_first_output(workflow, loss)
    return workflow


def _check_own_step(config: RunConfig) -> None:
    """Refuse settings that only the step of this library knows."""
    train = config.train
    for setting, is_set in (("accumulate", train.accumulate > 1), ("precision", train.precision != "float32")):
        if train.step is not None and is_set:
            raise ConfigError(f"train.{setting}: the train step {train.step} does not know of it: leave it out")


def _check_first_output(workflow: Workflow, loss: Loss) -> None:
    """Refuse a model whose output would be broadcast against the targets, at the first batch."""
    trainer = workflow.trainer

    def check_shapes() -> None:
        trainer.remove_event_handler(check_shapes, WorkflowEvents.FORWARD_COMPLETED)
        loss.check_shapes(trainer.state.y_pred, trainer.state.batch[1])

    trainer.add_event_handler(WorkflowEvents.FORWARD_COMPLETED, check_shapes)


def _metrics(data: RunData, loss: Loss | None) -> dict[str, Any]:
    if loss is None or data.target is None:
        return {}
    return {"build_metrics": partial(build_metrics, target=data.target, loss=loss)}


@mistaken_at("schedule")
def _schedule(config: RunConfig, optimizer: Any, batches: int) -> Schedule | None:
    if config.schedule is None or config.schedule.name is None:
        return None
    if isinstance(optimizer, dict):
        raise ConfigError(
            f"schedule {config.schedule.name}: changes the learning rates of one optimizer, and there are "
            f"{len(optimizer)}: {', '.join(optimizer)}; leave schedule out, and change them in a handler of your own"
        )
    steps_per_epoch = -(-batches // config.train.accumulate)
    total_steps = steps_per_epoch * (config.train.max_epochs or 1)
    return build_schedule(
        config.schedule.name,
        config.schedule.options,
        optimizer,
        total_steps=total_steps,
        steps_per_epoch=steps_per_epoch,
    )
