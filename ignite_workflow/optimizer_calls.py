"""``optimizer.step()`` and ``optimizer.zero_grad()`` without what torch puts around them for profilers and hooks.

For a small model that is a tenth of a training step. Whoever profiles, hooks in or replaces either method is served by
torch's own methods, as are optimizers that are not torch's.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch.autograd import profiler
from torch.optim import Optimizer
from torch.optim import optimizer as optimizers

__all__ = ["caller_of_step", "caller_of_zero_grad"]

_HOOKS = ("_optimizer_step_pre_hooks", "_optimizer_step_post_hooks")
_GLOBAL_HOOKS = ("_global_optimizer_pre_hooks", "_global_optimizer_post_hooks")


def caller_of_step(optimizer: Optimizer) -> Callable[[], None]:
    """What does what ``optimizer.step()`` does."""
    bare, own = _bare_step(optimizer), vars(optimizer)

    def step() -> None:
        # a learning-rate scheduler of torch's puts a ``step`` of its own among the attributes
        if bare is None or profiler._is_profiler_enabled or "step" in own or _is_hooked(own):
            optimizer.step()
        else:
            bare(optimizer)

    return step


def caller_of_zero_grad(optimizer: Optimizer) -> Callable[[], None]:
    """What does what ``optimizer.zero_grad()`` does."""
    plain, own = _is_known(optimizer) and type(optimizer).zero_grad is Optimizer.zero_grad, vars(optimizer)

    def zero_grad() -> None:
        if not plain or profiler._is_profiler_enabled or "zero_grad" in own:
            optimizer.zero_grad()
        else:
            for group in optimizer.param_groups:
                for parameter in group["params"]:
                    parameter.grad = None

    return zero_grad


def _bare_step(optimizer: Optimizer) -> Callable[[Optimizer], Any] | None:
    """The step itself, gradients off; None where it cannot be told from what is around it."""
    step = type(optimizer).step
    if not _is_known(optimizer) or not getattr(step, "hooked", False):
        return None
    return getattr(step, "__wrapped__", None)


def _is_known(optimizer: Optimizer) -> bool:
    """Whether it is torch's, and of a version of torch that has what is looked at here."""
    is_torchs = type(optimizer).__module__.startswith("torch.optim.")
    names = all(name in vars(optimizer) for name in _HOOKS) and all(hasattr(optimizers, name) for name in _GLOBAL_HOOKS)
    return is_torchs and names and hasattr(profiler, "_is_profiler_enabled")


def _is_hooked(own: dict[str, Any]) -> bool:
    return bool(
        own["_optimizer_step_pre_hooks"]
        or own["_optimizer_step_post_hooks"]
        or optimizers._global_optimizer_pre_hooks
        or optimizers._global_optimizer_post_hooks
    )
