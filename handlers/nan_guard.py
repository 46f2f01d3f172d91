"""Look at loss and gradients before the optimizer steps: a batch that is not finite never reaches the weights."""

from __future__ import annotations

import logging
import math
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import torch
from ignite.engine import Events
from torch import Tensor, nn
from torch.optim import Optimizer

from ignite_workflow import ConfigError, DivergedError, Handler, Workflow, WorkflowEvents, keep_divergence

__all__ = ["NanGuard"]

log = logging.getLogger(__name__)

_SHOWN = 8  # row numbers of a batch


@dataclass
class NanGuard(Handler):
    """Stop, or skip the batch, when the loss or a gradient is not finite, before the optimizer steps.

    The batch is run once more to find where it began, and kept in the run directory: see the command ``replay``. A
    skipped batch leaves weights, buffers and the optimizer as they were; with accumulation its whole window is skipped.

    On a GPU nothing waits for the look where the optimizers are fused: their kernels leave everything as it is where
    they are told that a gradient is not finite, and what was found is read one step later, or before anything is saved.

    Args:
        action: ``"stop"`` ends the run with exit code 1; ``"skip"`` goes on with the next batch.
        max_skipped: batches that may be skipped in a run; one more stops it.

    Raises:
        ConfigError: at construction, for a value out of range.
    """

    action: Literal["stop", "skip"] = "stop"
    max_skipped: int = 10

    observer = True  # while everything is finite a run is the same without it, and whatever its options

    def __post_init__(self) -> None:
        if self.action not in ("stop", "skip"):
            raise ConfigError(f"nan_guard: action must be 'stop' or 'skip', got {self.action!r}")
        if self.max_skipped < 1:
            raise ConfigError(f"nan_guard: max_skipped must be at least 1, got {self.max_skipped}")
        self.skipped: list[dict[str, Any]] = []  # iteration, epoch and rows of each
        self.window: list[tuple[int, Any, Tensor]] = []  # iteration, batch and loss of the window's batches so far
        self.unread: _Unread | None = None
        self.plain: bool | None = None  # the gradients are such that all can be looked at in one go
        self.sizes: list[int] = []  # of each optimizer's groups, when their parameters were listed
        self.parameters: list[Tensor] = []

    def attach(self, workflow: Workflow) -> None:
        self.workflow, self.trainer = workflow, workflow.trainer
        optimizer = workflow.optimizer
        self.optimizers = list(optimizer.values()) if isinstance(optimizer, Mapping) else [optimizer]
        self.buffers = _Buffers(workflow.model)
        self.bad, self.one = (torch.full((), value, device=workflow.device) for value in (0.0, 1.0))
        self.seen = self.bad.numpy() if self.bad.is_cpu else self.bad  # the same number, looked at more quickly
        self.later = workflow.device.type == "cuda" and all(map(_can_be_told, self.optimizers))
        workflow.skips_bad_batches = self.action == "skip"
        if self.buffers.places:
            self.trainer.add_event_handler(Events.ITERATION_STARTED, self.keep_buffers)
        self.trainer.add_event_handler(WorkflowEvents.GRADIENTS_READY, self.check)
        self.trainer.add_event_handler(Events.ITERATION_COMPLETED, self.keep_batch)
        self.trainer.add_event_handler(Events.ITERATION_COMPLETED, self.look_for_the_event)
        self.trainer.add_event_handler(Events.COMPLETED, self.list_skipped)

    def keep_buffers(self) -> None:
        if not self.trainer.state.window_open:
            self.buffers.keep()

    def keep_batch(self) -> None:
        state = self.trainer.state
        if state.window_open:
            self.window.append((state.iteration, state.batch, state.loss))

    def check(self) -> None:
        """Before the optimizer steps: on to the step, or not."""
        if self.unread is not None:
            self.read()
        self.list_parameters()
        self.look([grad for parameter in self.parameters if (grad := parameter.grad) is not None])
        loss = getattr(self.trainer.state, "loss", None)  # a step of a person's own need not set it
        if self.later:
            self.look_later(loss)
        elif (
            self.seen
            or (loss is not None and not math.isfinite(loss.item()))
            or (self.window and not all(math.isfinite(loss.item()) for _, _, loss in self.window))
        ):
            self.bad.zero_()
            self.buffers.put_back()
            self.act(self.batches())
            for optimizer in self.optimizers:
                optimizer.zero_grad()  # to None: such parameters an optimizer leaves alone, with all it keeps of them
        if self.window:
            self.window = []

    def list_parameters(self) -> None:
        """Those that the optimizers have; a group, or a parameter of one, may be added at any time."""
        sizes = [len(group["params"]) for optimizer in self.optimizers for group in optimizer.param_groups]
        if sizes != self.sizes:
            self.sizes = sizes
            self.parameters = [
                parameter
                for optimizer in self.optimizers
                for group in optimizer.param_groups
                for parameter in group["params"]
            ]

    def look(self, gradients: list[Tensor]) -> None:
        """Set ``bad`` to 1 where a gradient is not finite: one pass over all of them, which changes none."""
        if self.plain is None:
            kinds = {(gradient.layout, gradient.dtype, gradient.device) for gradient in gradients}
            self.plain = kinds <= {(torch.strided, torch.float32, self.bad.device)}
        if self.plain:
            torch._amp_foreach_non_finite_check_and_unscale_(gradients, self.bad, self.one)
            return
        for gradient in gradients:
            values = gradient._values() if gradient.is_sparse else gradient
            self.bad.fill_(torch.maximum(self.bad, (~values.isfinite()).any().to(self.bad)))

    def batches(self) -> list[tuple[int, Any]]:
        """Those of the step, with the iteration of each."""
        state = self.trainer.state
        return [*((iteration, batch) for iteration, batch, _ in self.window), (state.iteration, state.batch)]

    def act(self, batches: list[tuple[int, Any]]) -> None:
        """Say where it began and stop, or note that the step is skipped."""
        divergence = keep_divergence(self.workflow, batches)
        run = self.workflow.run_directory
        again = f". Look again with: ignite-workflow replay {shlex.quote(str(run.path))}" if run is not None else ""
        if self.action == "stop":
            raise DivergedError(f"training diverged at {divergence}{again}")
        if len(self.skipped) == self.max_skipped:
            raise DivergedError(
                f"training diverged at {divergence}; {self.max_skipped} batches were skipped before it, the most that "
                f"nan_guard.max_skipped allows{again}"
            )
        rows = list(divergence.bad_rows or divergence.rows)
        self.skipped.append({"iteration": divergence.iteration, "epoch": divergence.epoch, "rows": rows})
        log.warning("skipped %s", divergence)

    def look_later(self, loss: Tensor | None) -> None:
        """On a GPU: tell the optimizers' kernels, and have the answer sent without waiting for it."""
        losses = [loss for _, _, loss in self.window] + ([] if loss is None else [loss.detach()])
        for each in losses:
            self.bad.fill_(torch.maximum(self.bad, (~each.isfinite()).to(self.bad)))
        for optimizer in self.optimizers:
            optimizer.found_inf, optimizer.grad_scale = self.bad, None  # type: ignore[attr-defined]
        self.buffers.put_back_where(self.bad)
        self.unread = _Unread(self.bad, self.batches())

    def read(self) -> None:
        """Act on what the last step found."""
        if self.unread is not None:
            if self.unread.is_bad():
                self.act(self.unread.batches)  # where this raises, nothing is forgotten: no later step is taken either
                self.bad.zero_()
            self.unread = None

    def look_for_the_event(self) -> None:
        """After the first step: where it fires no event before the optimizer steps, losses are looked at after it."""
        trainer = self.trainer
        if trainer.state.window_open:
            return
        trainer.remove_event_handler(self.look_for_the_event, Events.ITERATION_COMPLETED)
        if WorkflowEvents.GRADIENTS_READY.name not in trainer.fired:
            log.warning(
                "nan_guard: the train step does not fire GRADIENTS_READY before optimizer.step(): the losses that it "
                "returns are looked at when it is over, and no batch can be skipped"
            )
            trainer.remove_event_handler(self.check, WorkflowEvents.GRADIENTS_READY)
            trainer.add_event_handler(Events.ITERATION_COMPLETED, self.check_losses)
            self.check_losses()

    def check_losses(self) -> None:
        state = self.trainer.state
        losses = state.output if isinstance(state.output, Mapping) else {"loss": getattr(state.output, "loss", 0.0)}
        for name, loss in losses.items():
            value = torch.as_tensor(loss).detach().item()
            if not math.isfinite(value):
                raise DivergedError(
                    f"training diverged at iteration {state.iteration} (epoch {state.epoch}): {name} is {value}"
                )

    def list_skipped(self) -> None:
        self.read()
        if self.skipped:
            each = ", ".join(f"{one['iteration']} ({_some(one['rows'])})" for one in self.skipped)
            log.warning("nan_guard skipped %d batches, of iterations %s", len(self.skipped), each)

    def state_dict(self) -> dict[str, Any]:
        self.read()  # nothing is saved before it is known to be finite
        return {"skipped": [dict(one) for one in self.skipped]}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        self.skipped = [dict(one) for one in state_dict["skipped"]]


class _Buffers:
    """A model's buffers, kept from before a step: running means see a batch before its loss is known.

    Args:
        model: whose modules keep their buffers under the names they have now.
    """

    def __init__(self, model: nn.Module) -> None:
        self.places = [(module._buffers, name) for module in model.modules() for name in module._buffers]
        self.places = [(buffers, name) for buffers, name in self.places if buffers[name] is not None]
        self.kept = [tensor.clone() for tensor in self.now()]

    def now(self) -> list[Tensor]:
        return [buffers[name] for buffers, name in self.places]  # type: ignore[misc]

    @torch.no_grad()
    def keep(self) -> None:
        torch._foreach_copy_(self.kept, self.now())

    @torch.no_grad()
    def put_back(self) -> None:
        if self.places:
            torch._foreach_copy_(self.now(), self.kept)

    @torch.no_grad()
    def put_back_where(self, bad: Tensor) -> None:
        for now, kept in zip(self.now(), self.kept, strict=True):
            now.copy_(torch.where(bad.bool(), kept, now))


class _Unread:
    """What a step found, on its way from the device.

    Args:
        bad: 1 where something was not finite.
        batches: of the step.
    """

    def __init__(self, bad: Tensor, batches: list[tuple[int, Any]]) -> None:
        self.batches = batches
        self.here = torch.empty((), pin_memory=bad.is_cuda)
        self.here.copy_(bad, non_blocking=True)
        self.arrived = torch.cuda.Event() if bad.is_cuda else None
        if self.arrived is not None:
            self.arrived.record()

    def is_bad(self) -> bool:
        if self.arrived is not None:
            self.arrived.synchronize()  # of the steps since nothing is waited for
        return bool(self.here)


def _can_be_told(optimizer: Optimizer) -> bool:
    """Whether its kernel does nothing when ``found_inf`` says so; torch has this for its ``GradScaler``."""
    return bool(getattr(optimizer, "_step_supports_amp_scaling", False))


def _some(rows: list[int]) -> str:
    more = f", ... {len(rows)} in all" if len(rows) > _SHOWN else ""
    return f"row{'s' * (len(rows) != 1)} {', '.join(map(str, rows[:_SHOWN]))}{more}"
