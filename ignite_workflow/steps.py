"""What the engines do with one batch: the heart, on one page.

Shapes: ``N`` is the batch size, ``...`` whatever the model takes and gives.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from ignite_workflow.batch import mover, sample_count
from ignite_workflow.engine import WorkflowEngine
from ignite_workflow.events import WorkflowEvents, fire
from ignite_workflow.losses import LossFn
from ignite_workflow.optimizer_calls import caller_of_step, caller_of_zero_grad

__all__ = [
    "Batch",
    "Step",
    "StepOutput",
    "build_accumulating_step",
    "build_eval_step",
    "build_train_step",
]

Batch = tuple[Any, Any]  # inputs (N, ...), targets (N, ...): tensors, or tuples, lists and dicts of tensors
Step = Callable[[WorkflowEngine, Batch], Any]
Autocast = Callable[[], AbstractContextManager[Any]]


class StepOutput(NamedTuple):
    """What a training step leaves in ``engine.state.output``."""

    loss: Tensor  # (), detached and on the device: call .item() only where it is shown
    batch_size: int


def build_train_step(
    model: nn.Module, optimizer: Optimizer, loss_fn: LossFn, *, device: torch.device, autocast: Autocast
) -> Step:
    """The training step of supervised learning: forward, loss, zero_grad, backward, step."""
    move, zero_grad, step = mover(device), caller_of_zero_grad(optimizer), caller_of_step(optimizer)

    def train_step(engine: WorkflowEngine, batch: Batch) -> StepOutput:
        state = engine.state
        x, y = move(batch)

        with autocast():
            state.y_pred = model(x)
            fire(engine, WorkflowEvents.FORWARD_COMPLETED)
            state.loss = loss_fn(state.y_pred, y)
            fire(engine, WorkflowEvents.LOSS_COMPLETED)
        zero_grad()
        state.loss.backward()
        fire(engine, WorkflowEvents.BACKWARD_COMPLETED)
        fire(engine, WorkflowEvents.GRADIENTS_READY)
        step()
        fire(engine, WorkflowEvents.OPTIMIZER_STEP_COMPLETED)

        state.loss = state.loss.detach()  # the graph goes, the number stays
        return StepOutput(state.loss, sample_count(x, y))

    return train_step


def build_accumulating_step(
    model: nn.Module,
    optimizer: Optimizer,
    loss_fn: LossFn,
    *,
    device: torch.device,
    autocast: Autocast,
    accumulate: int,
) -> Step:
    """The same step over windows of ``accumulate`` batches, the last one of an epoch cut at its end.

    The optimizer steps on the gradient of the mean loss over all samples of the window, whatever the sizes of its
    batches: sums are accumulated, and divided by the number of samples once that is known.
    """
    move, zero_grad, step = mover(device), caller_of_zero_grad(optimizer), caller_of_step(optimizer)

    def train_step(engine: WorkflowEngine, batch: Batch) -> StepOutput:
        state = engine.state
        x, y = move(batch)
        samples = sample_count(x, y)
        in_epoch = (state.iteration - 1) % state.epoch_length  # type: ignore[operator]
        first = in_epoch % accumulate == 0
        state.window_open = (in_epoch + 1) % accumulate != 0 and in_epoch + 1 != state.epoch_length
        state.window_samples = samples if first else state.window_samples + samples

        with autocast():
            state.y_pred = model(x)
            fire(engine, WorkflowEvents.FORWARD_COMPLETED)
            state.loss = loss_fn(state.y_pred, y)
            fire(engine, WorkflowEvents.LOSS_COMPLETED)
        if first:
            zero_grad()
        (state.loss * samples).backward()
        fire(engine, WorkflowEvents.BACKWARD_COMPLETED)
        if not state.window_open:
            _divide_gradients(optimizer, state.window_samples)
            fire(engine, WorkflowEvents.GRADIENTS_READY)
            step()
            fire(engine, WorkflowEvents.OPTIMIZER_STEP_COMPLETED)

        state.loss = state.loss.detach()
        return StepOutput(state.loss, samples)

    return train_step


def _divide_gradients(optimizer: Optimizer, samples: int) -> None:
    gradients = [p.grad for group in optimizer.param_groups for p in group["params"] if p.grad is not None]
    torch._foreach_div_(gradients, samples)


def build_eval_step(model: nn.Module, *, device: torch.device, autocast: Autocast) -> Step:
    """The evaluation step: predictions and targets, in the order Ignite's metrics take them."""
    move = mover(device)

    @torch.inference_mode()
    def eval_step(_: WorkflowEngine, batch: Batch) -> tuple[Any, Any]:
        x, y = move(batch)
        with autocast():
            return model(x), y

    return eval_step
