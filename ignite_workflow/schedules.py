"""Learning-rate schedules by name: torch's own schedulers, each with the moment at which it is stepped.

All but ``one_cycle`` and ``plateau`` are a factor on the optimizer's learning rates, a function of how many steps or
epochs are done: so parameter groups keep their ratios, and a resumed run goes on exactly.
"""

from __future__ import annotations

import dataclasses
import inspect
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR, LRScheduler, OneCycleLR, ReduceLROnPlateau, StepLR

from ignite_workflow import registry
from ignite_workflow.errors import ConfigError, mistaken_at

__all__ = [
    "Schedule",
    "build_schedule",
    "check_schedule_options",
    "constant",
    "cosine",
    "linear",
    "one_cycle",
    "plateau",
    "step",
]

_FACTS = ("optimizer", "total_steps", "steps_per_epoch")


@dataclass(frozen=True, eq=False)
class Schedule:
    """A scheduler of torch's and when it is stepped.

    Attributes:
        scheduler: changes the learning rates of the optimizer it was built for.
        when: it is stepped after each optimizer step, after each epoch, or after each evaluation.
        depends_on_total: a run with more epochs has other learning rates from its first step on.
        metric: of the validation split: what ``step`` is given after an evaluation.
        mode: whether a smaller ("min") or a larger ("max") metric is better.
        last_step: there is nothing to do after that many steps. None: it never ends.
    """

    scheduler: LRScheduler
    when: Literal["step", "epoch", "evaluation"]
    depends_on_total: bool = False
    metric: str | None = None
    mode: Literal["min", "max"] | None = None
    last_step: int | None = None

    def step(self, metric: float | None = None) -> None:
        """Set the learning rates of what comes next. After the optimizer's step, never before.

        Args:
            metric: the metric's value, where ``when`` is "evaluation".
        """
        if isinstance(self.scheduler, ReduceLROnPlateau):
            assert metric is not None
            self.scheduler.step(metric)
        elif self.last_step is None or self.scheduler.last_epoch < self.last_step:
            self.scheduler.step()

    def state_dict(self) -> dict[str, Any]:
        """Plain values. The learning rates themselves are in the optimizer's state."""
        return self.scheduler.state_dict()

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Go on where that state was taken; the optimizer's own state has to be loaded too."""
        self.scheduler.load_state_dict(dict(state_dict))
        # It has stepped, in the process that saved: else torch warns of a wrong order where an epoch's end comes first.
        self.scheduler.optimizer._opt_called = True  # type: ignore[attr-defined]


def build_schedule(
    name: str, options: Mapping[str, Any], optimizer: Optimizer, *, total_steps: int, steps_per_epoch: int
) -> Schedule:
    """The schedule of that name for ``optimizer``, whose state is not yet loaded.

    Args:
        name: ``constant``, ``cosine``, ``linear``, ``step``, ``one_cycle`` or ``plateau``; or the import path of a
            function ``(optimizer, **options)`` that returns a ``Schedule``, or of a scheduler of torch's, which is
            stepped after each epoch. Both get ``total_steps`` and ``steps_per_epoch`` if their signature names them.
        options: those of the schedule; and ``total_epochs``, the length it is made for where that is not the run's.
        total_steps: the optimizer steps of the whole run.
        steps_per_epoch: the optimizer steps of an epoch.

    Raises:
        UnknownNameError: there is no such schedule.
        ConfigError: an option cannot work.
    """
    check_schedule_options(name, options)
    factory = registry.load("schedule", name)
    options = dict(options)
    total_epochs = options.pop("total_epochs", None)
    if total_epochs is not None:
        total_steps = total_epochs * steps_per_epoch
    facts = {"optimizer": optimizer, "total_steps": total_steps, "steps_per_epoch": steps_per_epoch}
    named = {fact: value for fact, value in facts.items() if fact in inspect.signature(factory).parameters}
    try:
        made = factory(**named, **options)
    except ValueError as error:  # torch's way, and this module's, to say that an option is out of range
        raise ConfigError(f"schedule {name}: {error}") from None
    schedule = made if isinstance(made, Schedule) else Schedule(made, "epoch", depends_on_total="total_steps" in named)
    return schedule if total_epochs is None else dataclasses.replace(schedule, depends_on_total=False)


def check_schedule_options(name: str, options: Mapping[str, Any]) -> None:
    """Check the options of ``build_schedule``, as far as that goes without an optimizer.

    Raises:
        UnknownNameError, ConfigError: as ``build_schedule``.
    """
    own = dict(options)
    total_epochs = own.pop("total_epochs", None)
    if total_epochs is not None and (not isinstance(total_epochs, int) or total_epochs < 1):
        with mistaken_at("schedule", "total_epochs"):
            raise ConfigError(f"schedule {name}: total_epochs must be a number of epochs, got {total_epochs!r}.")
    registry.check_options("schedule", name, own, registry.load("schedule", name), given=_FACTS)


def constant(optimizer: Optimizer, total_steps: int, *, warmup: float = 0) -> Schedule:
    """The optimizer's learning rate throughout.

    Args:
        optimizer: whose learning rates change.
        total_steps: the optimizer steps of the run.
        warmup: the steps over which the rate rises from near 0 to its full height: a share of all if below 1, else
            their number.
    """
    if warmup == 0:
        return Schedule(LambdaLR(optimizer, _one), "epoch")
    rise = _warmup_steps(warmup, total_steps)
    return Schedule(LambdaLR(optimizer, _warmed_up(_one, rise)), "step", depends_on_total=warmup < 1)


def cosine(optimizer: Optimizer, total_steps: int, *, warmup: float = 0, min_lr: float = 0) -> Schedule:
    """Fall along half a cosine.

    Args:
        optimizer: whose learning rates change.
        total_steps: the optimizer steps of the run.
        warmup: as in ``constant``.
        min_lr: what the largest of the learning rates falls to; the others keep their ratio to it.

    Source: Loshchilov and Hutter, SGDR: Stochastic Gradient Descent with Warm Restarts (2017), without restarts.
    """
    return _falling(optimizer, total_steps, warmup, min_lr, _half_cosine)


def linear(optimizer: Optimizer, total_steps: int, *, warmup: float = 0, min_lr: float = 0) -> Schedule:
    """Fall along a straight line. Options as in ``cosine``."""
    return _falling(optimizer, total_steps, warmup, min_lr, _straight)


def step(optimizer: Optimizer, *, step_size: int, gamma: float = 0.1) -> Schedule:
    """Multiply by ``gamma`` every ``step_size`` epochs."""
    if step_size < 1:
        raise ValueError(f"step_size must be at least 1 epoch, got {step_size}.")
    return Schedule(StepLR(optimizer, step_size, gamma), "epoch")


def one_cycle(
    optimizer: Optimizer,
    total_steps: int,
    *,
    pct_start: float = 0.3,
    anneal_strategy: Literal["cos", "linear"] = "cos",
    cycle_momentum: bool = True,
    div_factor: float = 25.0,
    final_div_factor: float = 1e4,
    three_phase: bool = False,
) -> Schedule:
    """Rise to the optimizer's learning rate and fall to nearly nothing, momentum the other way round.

    Options as in torch's ``OneCycleLR``; its ``max_lr`` is the optimizer's ``lr``.
    """
    if pct_start * total_steps == 1:  # torch divides by the length of the phase that would end at step 0
        raise ValueError(f"pct_start {pct_start} of {total_steps} steps leaves no step to rise in: take more, or 0.")
    scheduler = OneCycleLR(
        optimizer,
        [group["lr"] for group in optimizer.param_groups],
        total_steps=total_steps,
        pct_start=float(pct_start),
        anneal_strategy=anneal_strategy,
        cycle_momentum=cycle_momentum,
        div_factor=div_factor,
        final_div_factor=final_div_factor,
        three_phase=three_phase,
    )
    return Schedule(scheduler, "step", depends_on_total=True, last_step=total_steps - 1)


def plateau(
    optimizer: Optimizer,
    *,
    metric: str = "loss",
    mode: Literal["min", "max"] = "min",
    factor: float = 0.1,
    patience: int = 10,
    threshold: float = 1e-4,
    cooldown: int = 0,
    min_lr: float = 0,
) -> Schedule:
    """Multiply by ``factor`` once a validation metric has not improved for more than ``patience`` evaluations.

    Args:
        optimizer: whose learning rates change.
        metric: of the validation split.
        mode: whether smaller ("min") or larger ("max") is better.
        factor: as in torch's ``ReduceLROnPlateau``, like the options that follow.
        patience, threshold, cooldown: see there.
        min_lr: what the largest of the learning rates falls to; the others keep their ratio to it.
    """
    least = _least_share(min_lr, optimizer)
    scheduler = ReduceLROnPlateau(
        optimizer,
        mode=mode,
        factor=factor,
        patience=patience,
        threshold=threshold,
        cooldown=cooldown,
        min_lr=[group["lr"] * least for group in optimizer.param_groups],
    )
    return Schedule(scheduler, "evaluation", metric=metric, mode=mode)


def _falling(
    optimizer: Optimizer, total_steps: int, warmup: float, min_lr: float, curve: Callable[[float], float]
) -> Schedule:
    rise, floor = _warmup_steps(warmup, total_steps), _least_share(min_lr, optimizer)

    def factor(steps: int) -> float:
        progress = min(1.0, (steps - rise) / (total_steps - rise))
        return floor + (1 - floor) * curve(progress)

    return Schedule(LambdaLR(optimizer, _warmed_up(factor, rise)), "step", depends_on_total=True)


def _warmed_up(factor: Callable[[int], float], rise: int) -> Callable[[int], float]:
    """``factor`` from step ``rise`` on, and before it a straight line that would start from 0 at step -1."""

    def warmed_up(steps: int) -> float:
        return factor(steps) if steps >= rise else (steps + 1) / (rise + 1)

    return warmed_up


def _warmup_steps(warmup: float, total_steps: int) -> int:
    rise = round(warmup * total_steps) if warmup < 1 else int(warmup)
    if warmup < 0 or (warmup >= 1 and warmup != rise):
        raise ValueError(f"warmup must be a share of the run (below 1) or a number of steps, got {warmup}.")
    if rise >= total_steps:
        raise ValueError(f"a warmup of {rise} steps is longer than the run of {total_steps}.")
    return rise


def _least_share(min_lr: float, optimizer: Optimizer) -> float:
    """What is left of a learning rate where the largest one has fallen to ``min_lr``."""
    largest = max(float(group["lr"]) for group in optimizer.param_groups)
    if not 0 <= min_lr <= largest:
        raise ValueError(f"min_lr must be between 0 and the learning rate {largest:g}, got {min_lr:g}.")
    return min_lr / largest if largest else 0.0  # a rate of 0 is there to see that nothing changes


def _one(steps: int) -> float:  # noqa: ARG001
    return 1.0


def _half_cosine(progress: float) -> float:
    return 0.5 * (1 + math.cos(math.pi * progress))


def _straight(progress: float) -> float:
    return 1 - progress
