"""Where a training step that is not finite went wrong: its batch is run once more, and looked at all the way.

Shapes: ``N`` is the batch size.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from ignite_workflow.bad_batches import save_bad_batch
from ignite_workflow.data.batches import BatchDataset
from ignite_workflow.finite import first_bad_weight, is_finite
from ignite_workflow.randomness import StepStreams

if TYPE_CHECKING:
    from ignite_workflow.workflow import Workflow

__all__ = ["Divergence", "examine_divergence", "keep_divergence"]

log = logging.getLogger(__name__)

_SHOWN = 8  # row numbers on a line


@dataclass(frozen=True, kw_only=True)
class Divergence:
    """What was not finite at one step of the optimizer. As text it is one line.

    Attributes:
        iteration: of the step; with accumulation of the last batch of its window.
        epoch: from 1.
        batch: of the epoch, from 1.
        rows: of the batch, or of all batches of the window: numbers of the records in the data, from 0, header not
            counted; positions in the batch where the loader does not tell.
        bad_rows: those of ``rows`` whose input, target or prediction is not finite; empty where that tells them not
            apart.
        numbered: ``rows`` are numbers of records.
        found: what is not finite, in the order of the step; empty where all was, when the batch was run again.
        file: where the batch is kept.
    """

    iteration: int
    epoch: int
    batch: int
    rows: tuple[int, ...]
    bad_rows: tuple[int, ...]
    numbered: bool
    found: tuple[str, ...]
    file: Path | None = None

    def __str__(self) -> str:
        what = "not finite: " + ", ".join(self.found)
        if not self.found:
            what = "not finite, but finite when the batch was run again without handlers"
        return f"iteration {self.iteration} (epoch {self.epoch}, batch {self.batch}): {what}; {self.place()}"

    def place(self) -> str:
        """Which rows."""
        kind = "row" if self.numbered else "position"
        shown = self.bad_rows or self.rows
        numbers = ", ".join(map(str, shown[:_SHOWN])) + (", ..." if len(shown) > _SHOWN else "")
        plural = "s" * (len(shown) != 1)
        share = f"{len(self.bad_rows)} of the {len(self.rows)}" if self.bad_rows else f"all {len(self.rows)}"
        return f"{kind}{plural} {numbers} ({share} in the batch)"


def keep_divergence(workflow: Workflow, batches: Sequence[tuple[int, Any]]) -> Divergence:
    """As ``examine_divergence``; and the batches are kept in the run directory, with the weights, to be run again."""
    divergence = examine_divergence(workflow, batches)
    if workflow.run_directory is None:
        return divergence
    facts = {"rows": list(divergence.rows), "found": list(divergence.found), "epoch": divergence.epoch}
    try:
        file = save_bad_batch(workflow.run_directory.path, workflow.model, batches, facts)
    except (OSError, TypeError) as error:  # a full disk; a batch of things that are no tensors
        log.warning("the batch of iteration %d cannot be kept: %s", divergence.iteration, error)
        return divergence
    return replace(divergence, file=file)


def examine_divergence(workflow: Workflow, batches: Sequence[tuple[int, Any]]) -> Divergence:
    """Run the batches of a step again, with the same random numbers and without handlers, and say what is not finite.

    Nothing of the run changes: weights, buffers, gradients, counters and generators are as they were.

    Args:
        workflow: whose weights are those before the step.
        batches: with the iteration of each: one, or those of an accumulation window.
    """
    found = _Findings(workflow)
    weight = first_bad_weight(workflow.model)
    if weight is not None:
        found.note("weight", weight)
    streams = StepStreams(workflow.seed, workflow.device, foreign=workflow.foreign)
    with _set_aside(workflow), _kept_generators(workflow.device), found.watching():
        for iteration, batch in batches:
            workflow.trainer.state.iteration = iteration
            workflow.trainer.state.batch = batch
            streams.set(iteration)
            found.look_at_batch(iteration, batch)
            output = workflow.trainer._process_function(workflow.trainer, batch)
            found.look_at_losses(output)
    return found.divergence(batches[-1][0])


class _Findings:
    """Collects, of each kind, what is not finite first.

    Args:
        workflow: whose model runs the batches.
    """

    def __init__(self, workflow: Workflow) -> None:
        self.workflow = workflow
        self.first: dict[str, str] = {}
        self.rows: list[int] = []
        self.bad: dict[str, list[int]] = {"input": [], "output": []}
        self.numbered = True
        self._batch_rows: list[int] = []

    def note(self, kind: str, what: str) -> None:
        self.first.setdefault(kind, what)

    @contextmanager
    def watching(self) -> Iterator[None]:
        """While this holds, every module's output and every gradient is looked at."""
        with ExitStack() as stack:
            for name, module in self.workflow.model.named_modules():
                stack.enter_context(module.register_forward_hook(_OutputHook(self, name)))
            for name, parameter in self.workflow.model.named_parameters():
                if parameter.requires_grad:
                    hook = _GradientHook(self, name)
                    stack.enter_context(parameter.register_post_accumulate_grad_hook(hook))
            yield

    def look_at_batch(self, iteration: int, batch: Any) -> None:
        tensors = [tensor for tensor in _tensors(batch) if tensor.dim()]
        size = tensors[0].size(0) if tensors else 0
        rows = _rows(self.workflow, iteration)
        self.numbered = self.numbered and rows is not None
        self._batch_rows = list(range(size)) if rows is None else rows
        self.rows += self._batch_rows
        pair = isinstance(batch, tuple | list) and len(batch) == 2
        parts = zip(("the input", "the target"), batch, strict=True) if pair else [("the batch", batch)]
        for name, part in parts:
            for tensor in _tensors(part):
                if not is_finite(tensor):
                    self.note(name, name)
                    self._note_rows("input", tensor)

    def look_at_output(self, name: str, module: nn.Module, output: Any) -> None:
        for tensor in _tensors(output):
            if not is_finite(tensor):
                kind = type(module).__name__
                self.note("output", f"the output of {name} ({kind})" if name else f"the output of the model ({kind})")
                if not name:
                    self._note_rows("output", tensor)

    def look_at_losses(self, output: Any) -> None:
        """Those that a step returned."""
        state = self.workflow.trainer.state
        losses = output if isinstance(output, dict) else {"": getattr(state, "loss", None)}
        for name, loss in losses.items():
            if not is_finite(torch.as_tensor(0.0 if loss is None else loss)):
                self.note("loss", f"the loss {name}".rstrip())

    def _note_rows(self, kind: str, tensor: Tensor) -> None:
        size = len(self._batch_rows)
        if tensor.dim() and tensor.size(0) == size:
            bad = (~tensor.detach().isfinite()).reshape(size, -1).any(dim=1).nonzero().flatten().tolist()
            self.bad[kind] += [self._batch_rows[position] for position in bad]

    def divergence(self, iteration: int) -> Divergence:
        length = self.workflow.trainer.state.epoch_length or 1
        bad = list(dict.fromkeys(self.bad["input"] or self.bad["output"]))
        order = ("weight", "the batch", "the input", "the target", "output", "loss", "gradient")
        return Divergence(
            iteration=iteration,
            epoch=(iteration - 1) // length + 1,
            batch=(iteration - 1) % length + 1,
            rows=tuple(self.rows),
            bad_rows=tuple(bad) if len(bad) < len(self.rows) else (),
            numbered=self.numbered,
            found=tuple(self.first[kind] for kind in order if kind in self.first),
        )


@dataclass(frozen=True, eq=False)
class _OutputHook:
    findings: _Findings
    name: str

    def __call__(self, module: nn.Module, _: Any, output: Any) -> None:
        self.findings.look_at_output(self.name, module, output)


@dataclass(frozen=True, eq=False)
class _GradientHook:
    findings: _Findings
    name: str

    def __call__(self, parameter: Tensor) -> None:
        if parameter.grad is not None and not is_finite(parameter.grad):
            self.findings.note("gradient", f"the gradient of {self.name}")


def _rows(workflow: Workflow, iteration: int) -> list[int] | None:
    """The numbers of the records of a batch; None where the loader does not tell."""
    batches = getattr(workflow.train_loader, "dataset", None)
    length = workflow.trainer.state.epoch_length
    if not isinstance(batches, BatchDataset) or not length:
        return None
    return batches.rows((iteration - 1) // length + 1, (iteration - 1) % length)


def _tensors(value: Any) -> Iterator[Tensor]:
    """The tensors in whatever a batch or a module's output is nested in."""
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, dict | tuple | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _tensors(inner)


@contextmanager
def _set_aside(workflow: Workflow) -> Iterator[None]:
    """While this holds, a step may run that leaves no trace: no handler is called and no optimizer steps."""
    trainer, model = workflow.trainer, workflow.model
    state, calls = vars(trainer.state).copy(), trainer.calls
    gradients = [(parameter, parameter.grad) for parameter in model.parameters()]
    buffers = [(buffer, buffer.clone()) for buffer in model.buffers()]
    trainer.calls = {}
    for parameter, _ in gradients:
        parameter.grad = None
    try:
        with ExitStack() as stack:
            optimizers = workflow.optimizer
            for optimizer in optimizers.values() if isinstance(optimizers, Mapping) else [optimizers]:
                stack.enter_context(_standing_still(optimizer))
            if getattr(model, "_compiled_call_impl", None) is not None:
                stack.enter_context(torch.compiler.set_stance("force_eager"))  # compiled code calls no hooks
            yield
    finally:
        trainer.calls = calls
        vars(trainer.state).clear()
        vars(trainer.state).update(state)
        for parameter, gradient in gradients:
            parameter.grad = gradient
        with torch.no_grad():
            for buffer, kept in buffers:
                buffer.copy_(kept)


@contextmanager
def _standing_still(optimizer: Optimizer) -> Iterator[None]:
    own = vars(optimizer).get("step")  # torch's schedules put one there
    vars(optimizer)["step"] = _do_nothing
    try:
        yield
    finally:
        del vars(optimizer)["step"]
        if own is not None:
            vars(optimizer)["step"] = own


def _do_nothing(*_: Any, **__: Any) -> None:
    return None


@contextmanager
def _kept_generators(device: torch.device) -> Iterator[None]:
    pure, of_numpy = random.getstate(), np.random.get_state()
    try:
        with torch.random.fork_rng([device] if device.type == "cuda" else []):
            yield
    finally:
        random.setstate(pure)
        np.random.set_state(of_numpy)
