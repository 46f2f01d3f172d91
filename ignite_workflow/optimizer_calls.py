"""Optimizers without what torch puts around their methods: for profilers and hooks, and for its compiler.

For a small model that is a tenth of a training step. Whoever profiles, hooks in or replaces ``step`` or ``zero_grad``,
of an optimizer or of its class, is served by the methods themselves, as are optimizers that are not torch's. The
compiler takes 0.6 s to import, and is left alone until somebody else imports it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import CodeType
from typing import Any

import torch
from torch.autograd import profiler
from torch.optim import Optimizer, lr_scheduler
from torch.optim import optimizer as optimizers

__all__ = ["caller_of_step", "caller_of_zero_grad", "leave_compiler_alone"]

_HOOKS = ("_optimizer_step_pre_hooks", "_optimizer_step_post_hooks")
_GLOBAL_HOOKS = ("_global_optimizer_pre_hooks", "_global_optimizer_post_hooks")
_ZERO_GRAD = Optimizer.zero_grad
_HOOKED_CODE = Optimizer.profile_hook_step(Optimizer.step).__code__
_GRADIENTS_OFF_CODE = optimizers._use_grad_for_differentiable(Optimizer.step).__code__
_COMPILER = "torch._dynamo"
_KEPT_FROM_IT = ("add_param_group", "state_dict", "load_state_dict", "zero_grad")
_MARK = "__dynamo_disable"  # torch's name for what its wrapper calls instead


def leave_compiler_alone() -> None:
    """Let torch make, save and load optimizers without its compiler.

    Torch imports it to keep these methods from being compiled: until somebody else imports it there is nothing to keep
    them from.
    """
    for name in _KEPT_FROM_IT:
        wrapper = getattr(Optimizer, name)
        function = getattr(wrapper, "__wrapped__", None)
        if function is not None and not hasattr(function, _MARK):
            setattr(function, _MARK, _until_compiler(function, wrapper))


def _until_compiler(function: Callable[..., Any], wrapper: Callable[..., Any]) -> Callable[..., Any]:
    def call(*arguments: Any, **options: Any) -> Any:
        if _COMPILER not in sys.modules:
            return function(*arguments, **options)
        if getattr(function, _MARK, None) is call:
            delattr(function, _MARK)  # the wrapper puts torch's own there
        return wrapper(*arguments, **options)

    return call


def caller_of_step(optimizer: Optimizer) -> Callable[[], None]:
    """What does what ``optimizer.step()`` does."""
    kind, own = type(optimizer), vars(optimizer)
    known, bare = kind.step, _bare_step(optimizer)

    def step() -> None:
        replaced = own.get("step")
        by_schedule = replaced is not None and _is_schedules(replaced, known)
        is_own = replaced is None or by_schedule
        if bare is None or kind.step is not known or not is_own or profiler._is_profiler_enabled or _is_hooked(own):
            optimizer.step()
            return
        if by_schedule:
            own["_opt_called"] = True
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


def _is_schedules(step: Any, known: Callable[..., Any]) -> bool:
    """Whether it is what a schedule of torch's puts around that step: it notes that there was one."""
    is_torchs = getattr(step, "__globals__", None) is vars(lr_scheduler) and hasattr(step, "_wrapped_by_lr_sched")
    return is_torchs and getattr(step, "__wrapped__", None) is known


def _bare_step(optimizer: Optimizer) -> Callable[[Optimizer], Any] | None:
    """The step itself, gradients off; None where it cannot be told from what is around it."""
    # by its code: what somebody wraps around it with functools.wraps has its name, its mark and its __wrapped__ too
    step = _inside(type(optimizer).step, _HOOKED_CODE) if _is_known(optimizer) else None
    inner = _inside(step, _GRADIENTS_OFF_CODE)
    if step is None or inner is None or optimizer.defaults.get("differentiable", True):
        return step

    def call(optimizer: Optimizer) -> None:
        if _COMPILER in sys.modules:
            step(optimizer)
            return
        with torch.no_grad():
            inner(optimizer)

    return call


def _inside(wrapper: Any, code: CodeType) -> Callable[..., Any] | None:
    """What a wrapper of that code is around; None where it is another one."""
    return getattr(wrapper, "__wrapped__", None) if getattr(wrapper, "__code__", None) is code else None


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
