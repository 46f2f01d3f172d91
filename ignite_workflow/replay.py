"""Run a batch at which training diverged again, with the weights it met then."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ignite_workflow.assembly import build_workflow
from ignite_workflow.bad_batches import find_bad_batch, load_bad_batch
from ignite_workflow.checkpoint import load_model_state
from ignite_workflow.config import RunConfig, load_config
from ignite_workflow.device import set_threads
from ignite_workflow.divergence import Divergence, examine_divergence
from ignite_workflow.errors import ConfigError
from ignite_workflow.handler_specs import NO_HANDLERS
from ignite_workflow.model_file import load_model
from ignite_workflow.run_data import prepare_data
from ignite_workflow.run_directory import read_status
from ignite_workflow.workflow import Workflow

__all__ = ["replay"]


def replay(run: Path, *, iteration: int | None = None, device: str | None = None) -> Divergence:
    """Run a kept batch again and say what is not finite, and where. Nothing is written.

    Args:
        run: the run's directory.
        iteration: of the batch; None: the newest that is kept.
        device: where to compute; None: where the run does.

    Raises:
        ConfigError: the run was not made by ``train``: without its config the model is not known.
        CheckpointError: no such batch is kept, or it does not fit the model.
    """
    file = find_bad_batch(run, iteration)
    if not (run / "config.yaml").is_file():
        raise ConfigError(
            f"{run} has no config.yaml, which says what the model is: assemble the workflow as before and call "
            "examine_divergence"
        )
    kept = load_bad_batch(file)
    workflow = _workflow(load_config(run / "config.yaml"), run, device)
    load_model_state(workflow.model, kept["model"])
    workflow.trainer.state.epoch_length = len(workflow.train_loader)  # type: ignore[arg-type]  # any other may be unending
    return replace(examine_divergence(workflow, kept["batches"]), file=file)


def _workflow(config: RunConfig, run: Path, device: str | None) -> Workflow:
    """The run's own, without any handler."""
    train = config.train if device is None else replace(config.train, device=device)
    set_threads(train.threads)
    origin = read_status(run).get("from_model")
    schema = None if origin is None else load_model(origin, device="cpu").schema
    data = prepare_data(config.data, seed=train.seed, schema=schema)
    return build_workflow(replace(config, train=train, handlers={**NO_HANDLERS}), data)
