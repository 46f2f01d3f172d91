"""``optimizer.step()`` and ``optimizer.zero_grad()`` without what torch puts around them for profilers and hooks.

For a small model that is a tenth of a training step. Whoever profiles, hooks in or replaces either method, of an
optimizer or of its class, is served by the methods themselves, as are optimizers that are not torch's.
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
_ZERO_GRAD = Optimizer.zero_grad
_WRAPPER_CODE = Optimizer.profile_hook_step(Optimizer.step).__code__


def caller_of_step(optimizer: Optimizer) -> Callable[[], None]:
    """What does what ``optimizer.step()`` does."""
    kind, own = type(optimizer), vars(optimizer)
    known, bare = kind.step, _bare_step(optimizer)

    def step() -> None:
        # a learning-rate scheduler of torch's puts a ``step`` of its own among the attributes
        if bare is None or kind.step is not known or "step" in own or profiler._is_profiler_enabled or _is_hooked(own):
            optimizer.step()
        else:
            bare(optimizer)

    return step


def caller_of_zero_grad(optimizer: Optimizer) -> Callable[[], None]:
    """What does what ``optimizer.zero_grad()`` does."""
    kind, own, known = type(optimizer), vars(optimizer), _is_known(optimizer)

    def zero_grad() -> None:
        if not known or kind.zero_grad is not _ZERO_GRAD or "zero_grad" in own or profiler._is_profiler_enabled:
            optimizer.zero_grad()
        else:
            for group in optimizer.param_groups:
                for parameter in group["params"]:
                    parameter.grad = None

    return zero_grad


def _bare_step(optimizer: Optimizer) -> Callable[[Optimizer], Any] | None:
    """The step itself, gradients off; None where it cannot be told from what is around it."""
    step = type(optimizer).step
    # by its code: what somebody wraps around it with functools.wraps has its name, its mark and its __wrapped__ too
    is_torchs = _is_known(optimizer) and getattr(step, "__code__", None) is _WRAPPER_CODE
    return getattr(step, "__wrapped__", None) if is_torchs else None


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
