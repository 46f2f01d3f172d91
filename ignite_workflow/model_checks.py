"""The practitioner's recipe, before a long training: does the loss start where it should, does every parameter learn,
can the model learn a few rows by heart?

Source: Karpathy, A Recipe for Training Neural Networks (2019).
Shapes: ``N`` rows of a batch, ``K`` numbers of output.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from ignite_workflow.assembly import build_loader, build_run_loss, build_run_model
from ignite_workflow.batch import to_device
from ignite_workflow.config import RunConfig
from ignite_workflow.device import resolve_device
from ignite_workflow.display import format_number
from ignite_workflow.losses import Loss
from ignite_workflow.optimizers import build_optimizer
from ignite_workflow.remarks import Remark, listed
from ignite_workflow.run_data import RunData
from ignite_workflow.run_directory import RunDirectory

__all__ = ["ModelCheck", "check_model"]

_DROPOUTS = (nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.Dropout3d, nn.AlphaDropout, nn.FeatureAlphaDropout)
_ROWS = 32
_MOST_STEPS = 1000
_MOST_SECONDS = 10.0
_NEAR_ZERO = 0.05  # of the loss at the start
_STEPS_TO_REACH = 5  # a last layer that starts at zero lets nothing through at the first step
_FAR = 3.0


@dataclass(frozen=True, kw_only=True)
class ModelCheck:
    """How a model started, and what became of a few rows that it was to learn by heart.

    Attributes:
        loss: of the first batch, before anything was learnt.
        expected: what it is where every prediction is the same: all classes equally likely, or the mean.
        rows: that were learnt by heart, or were not.
        steps: that it took.
        before, after: their loss.
        state_bytes: that the optimizer keeps beside the parameters.
        remarks: what to do about it.
    """

    loss: float
    expected: float
    rows: int
    steps: int
    before: float
    after: float
    state_bytes: int
    remarks: tuple[Remark, ...]


def check_model(config: RunConfig, data: RunData, directory: RunDirectory | None) -> ModelCheck | None:
    """Build the model of a run and try it on its first batch; None where a person's own step trains.

    Args:
        config: complete.
        data: prepared.
        directory: where samples that cannot be made are listed, if they are skipped; None: nowhere.
    """
    loss = build_run_loss(config, data)
    if loss is None or config.train.step is not None:
        return None
    assert config.optimizer is not None
    assert config.optimizer.name is not None
    data = data if loss.scale_target else data.without_scaling()
    device = resolve_device(config.train.device)
    model, loss = build_run_model(config, data, loss).to(device), loss.to(device)
    optimizer = build_optimizer(config.optimizer.name, config.optimizer.options, model)
    assert isinstance(optimizer, Optimizer)
    loader = build_loader(config, data, loss, "train", directory)
    assert loader is not None
    x, y = to_device(next(iter(loader)), device)
    start, expected = _starting_loss(model, loss, x, y)
    few_x, few_y = _different_rows(x, y)
    before, after, steps, reached = _learn_by_heart(model, optimizer, loss, few_x, few_y)
    remarks = [
        *_start_remarks(start, expected),
        *_gradient_remarks(model, reached),
        *_heart_remarks(config, len(few_y), before, after, steps),
    ]
    return ModelCheck(
        loss=start,
        expected=expected,
        rows=len(few_y),
        steps=steps,
        before=before,
        after=after,
        state_bytes=_state_bytes(optimizer),
        remarks=tuple(remarks),
    )


def _starting_loss(model: nn.Module, loss: Loss, x: Any, y: Tensor) -> tuple[float, float]:
    """The loss of a batch, and that of a model that knows nothing."""
    model.eval()
    with torch.no_grad():
        y_pred = model(x)
        loss.check_shapes(y_pred, y)
        start = float(loss.fn(y_pred.float(), y))
        neutral = torch.zeros_like(y_pred, dtype=torch.float32)
        if loss.output == "log_prob":
            neutral -= math.log(loss.outputs)
        elif loss.output == "prob":
            neutral += 0.5
        elif loss.output == "log_rate":
            neutral += y.mean(0).clamp(min=1e-6).log()
        return start, float(loss.fn(neutral, y))


def _different_rows(x: Any, y: Tensor) -> tuple[Any, Tensor]:
    """Up to 32 rows that differ: equal ones with different targets could not be learnt by heart."""
    if not isinstance(x, Tensor):
        return x, y
    _, group = x.flatten(1).unique(dim=0, return_inverse=True)
    first = torch.full((int(group.max()) + 1,), len(group), device=group.device)
    first.scatter_reduce_(0, group, torch.arange(len(group), device=group.device), "amin")
    rows = first.sort().values[:_ROWS]
    rows = rows if len(rows) > 1 else rows.repeat(2)  # of one row batch normalisation cannot learn
    return x[rows], y[rows]


def _learn_by_heart(
    model: nn.Module, optimizer: Optimizer, loss: Loss, x: Any, y: Tensor
) -> tuple[float, float, int, dict[str, str]]:
    """Train on the same rows again and again, without what keeps from learning by heart: dropout and weight decay.

    Returns:
        Loss before and after, the steps, and what became of each parameter's gradient: "none", "zero", "not finite" or
        "reached".
    """
    model.train()
    for module in model.modules():
        if isinstance(module, _DROPOUTS):
            module.eval()
    for group in optimizer.param_groups:
        if "weight_decay" in group:
            group["weight_decay"] = 0.0
    trained = {name: parameter for name, parameter in model.named_parameters() if parameter.requires_grad}
    reached = dict.fromkeys(trained, "none")
    step, before, after = 0, math.nan, math.nan
    deadline = time.monotonic() + _MOST_SECONDS
    for step in range(_MOST_STEPS + 1):
        value = loss.fn(model(x), y)
        after = float(value.detach())
        before = after if step == 0 else before
        if _is_over(step, before, after) or time.monotonic() > deadline:
            break
        optimizer.zero_grad()
        value.backward()
        if step < _STEPS_TO_REACH:
            _note_gradients(trained, reached)
        optimizer.step()
    return before, after, step, reached


def _is_over(step: int, before: float, after: float) -> bool:
    """Whether enough was seen; of a likelihood, which may be below zero, nothing follows from its size."""
    is_likelihood = before <= 0
    return not math.isfinite(after) or (step >= _STEPS_TO_REACH if is_likelihood else after <= _NEAR_ZERO * before)


def _note_gradients(trained: dict[str, nn.Parameter], reached: dict[str, str]) -> None:
    for name, parameter in trained.items():
        if parameter.grad is None or reached[name] == "reached":
            continue
        if not bool(parameter.grad.isfinite().all()):
            reached[name] = "not finite"
        else:
            reached[name] = "reached" if bool(parameter.grad.any()) else "zero"


def _start_remarks(start: float, expected: float) -> Iterator[Remark]:
    shown = f"{format_number(start)}, that of a model that knows nothing {format_number(expected)}"
    if not math.isfinite(start):
        yield Remark("error", f"the first loss is {start}: look for values out of range in inputs, targets and model.")
    elif expected > 0 and start > _FAR * expected:
        yield Remark(
            "warning", f"the first loss is {shown}: let the last layer start with smaller weights, or scale the inputs."
        )
    elif expected > 0 and start < expected / _FAR:
        yield Remark(
            "warning", f"the first loss is {shown}: is the target among the inputs, or the model trained already?"
        )


def _gradient_remarks(model: nn.Module, reached: dict[str, str]) -> Iterator[Remark]:
    for fate, what in (("none", "get no gradient"), ("zero", "get a gradient of zero")):
        names = [name for name, became in reached.items() if became == fate]
        if names:
            level: Literal["error", "warning"] = "error" if len(names) == len(reached) else "warning"
            text = f"{len(names)} of {len(reached)} parameters {what}: {listed(names)}"
            yield Remark(level, f"{text}: the loss does not depend on them; use them in forward(), or take them out.")
    names = [name for name, became in reached.items() if became == "not finite"]
    if names:
        yield Remark(
            "error", f"the gradient of {listed(names)} is not finite: lower optimizer.lr, or look at the model."
        )
    if not reached:
        yield Remark("error", f"{type(model).__name__} has no parameter to train: set requires_grad.")


def _heart_remarks(config: RunConfig, rows: int, before: float, after: float, steps: int) -> Iterator[Remark]:
    went = f"the loss of {rows} rows went from {format_number(before)} to {format_number(after)} in {steps} steps"
    if not math.isfinite(before) or before <= 0:
        return
    if not math.isfinite(after) or after > 0.99 * before:
        yield Remark(
            "error", f"{went}: nothing is learnt; try another optimizer.lr, then look for a mistake in the model."
        )
    elif after > 0.5 * before and config.model is not None and config.model.name != "linear":
        yield Remark(
            "warning",
            f"{went}, though so few could be learnt by heart: raise optimizer.lr, take a larger model, or look for a "
            "mistake in it.",
        )


def _state_bytes(optimizer: Optimizer) -> int:
    states = (value for state in optimizer.state.values() for value in state.values())
    return sum(value.nbytes for value in states if isinstance(value, Tensor))
