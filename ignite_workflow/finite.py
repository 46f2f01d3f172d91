"""Whether numbers are finite; no weights that are not are written to disk."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from ignite_workflow.errors import DivergedError

__all__ = ["check_weights", "first_bad_weight", "is_finite"]


def is_finite(tensor: Tensor) -> bool:
    """Whether all numbers of a tensor of any kind and shape are finite."""
    values = tensor.coalesce().values() if tensor.is_sparse else tensor
    if not (values.is_floating_point() or values.is_complex()):
        return True
    return bool(values.isfinite().all())


def check_weights(model: nn.Module, optimizers: Mapping[str, Optimizer]) -> None:
    """Refuse to go on to write what is not finite. One look at every number, one wait for the device.

    Args:
        model: its parameters must be finite. A buffer may hold infinities on purpose, as a mask does, but no NaN.
        optimizers: by name: whatever they keep of each parameter must be finite.

    Raises:
        DivergedError: names the first number that is not.
    """
    states = [tensor for optimizer in optimizers.values() for _, _, tensor in _kept(optimizer)]
    if _all_have_norms([*model.parameters(), *model.buffers(), *states]):
        return
    bad = first_bad_weight(model) or _first_bad_state(model, optimizers)
    if bad is not None:
        raise DivergedError(f"training diverged: {bad} is not finite")


def first_bad_weight(model: nn.Module) -> str | None:
    """The first parameter that is not finite, or buffer that holds a NaN; None where there is none."""
    for name, parameter in model.named_parameters():
        if not is_finite(parameter):
            return f"the weight {name}"
    for name, buffer in model.named_buffers():
        if bool(buffer.isnan().any()):
            return f"the buffer {name}"
    return None


@torch.no_grad()
def _all_have_norms(tensors: Iterable[Tensor]) -> bool:
    """False where any number is not finite, or where squares overflow: the quickest look there is."""
    groups: defaultdict[tuple[torch.device, torch.dtype], list[Tensor]] = defaultdict(list)
    for tensor in tensors:
        if tensor.is_floating_point():
            groups[tensor.device, tensor.dtype].append(tensor)
    return all(math.isfinite(_sum(torch._foreach_norm(group))) for group in groups.values())


def _sum(norms: Sequence[Tensor]) -> float:
    if norms[0].is_cpu:
        return sum(norm.item() for norm in norms)
    return torch.stack(list(norms)).sum().item()  # one wait for the device


def _first_bad_state(model: nn.Module, optimizers: Mapping[str, Optimizer]) -> str | None:
    names: dict[Tensor, str] = {parameter: name for name, parameter in model.named_parameters()}
    for optimizer in optimizers.values():
        for parameter, kind, tensor in _kept(optimizer):
            if not is_finite(tensor):
                return f"{kind} of {names.get(parameter, 'a parameter')} in {type(optimizer).__name__}"
    return None


def _kept(optimizer: Optimizer) -> Iterator[tuple[Tensor, str, Tensor]]:
    """Parameter, name and value of each tensor that an optimizer keeps between its steps."""
    for parameter, state in optimizer.state.items():
        for kind, value in state.items():
            if isinstance(value, Tensor):
                yield parameter, kind, value
