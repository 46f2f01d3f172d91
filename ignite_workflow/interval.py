"""How often something happens: one notation, ``{iterations: 500}``, ``{epochs: 1}`` or ``{minutes: 10}``."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

from ignite_workflow.errors import ConfigError

if TYPE_CHECKING:
    from ignite_workflow.engine import WorkflowEngine

__all__ = ["Interval"]

_UNITS = ("iterations", "epochs", "minutes")


class Interval:
    """When something is due, asked at safe points and at the ends of epochs.

    Args:
        every: one unit and its number. Iterations and epochs are counted from the start of training, so a resumed run
            finds the same moments; minutes from the last time this process asked and was told so.

    Raises:
        ConfigError: not one of the units, or not a positive number.

    Example:
        >>> Interval({"epochs": 2}).unit
        'epochs'
        >>> Interval({"epochs": 0.5})
        Traceback (most recent call last):
        ...
        ignite_workflow.errors.ConfigError: every: epochs must be a positive whole number, got 0.5
    """

    def __init__(self, every: Mapping[str, float]) -> None:
        items = list(every.items())
        if len(items) != 1 or items[0][0] not in _UNITS:
            allowed = ", ".join(f"{{{unit}: n}}" for unit in _UNITS)
            raise ConfigError(f"every must be one of {allowed}, got {dict(every)}")
        self.unit, self.number = items[0]
        whole = math.isfinite(self.number) and self.number == int(self.number)
        if not self.number > 0 or (self.unit != "minutes" and not whole):
            number = "number" if self.unit == "minutes" else "whole number"
            raise ConfigError(f"every: {self.unit} must be a positive {number}, got {self.number}")
        self._last = time.monotonic()

    def due_at_safe_point(self, trainer: WorkflowEngine) -> bool:
        """Whether it is time, asked at ``WINDOW_COMPLETED`` or ``SAFE_POINT``."""
        state = trainer.state
        if self.unit == "iterations":
            return state.iteration // self.number > trainer.last_safe_iteration // self.number
        if self.unit == "epochs":
            return trainer.after_epoch and state.epoch % self.number == 0
        return self._time_is_up()

    def due_at_epoch_end(self, trainer: WorkflowEngine) -> bool:
        """Whether it is time, asked at ``EPOCH_COMPLETED``; for intervals of epochs or minutes."""
        if self.unit == "epochs":
            return trainer.state.epoch % self.number == 0
        return self.unit == "minutes" and self._time_is_up()

    def _time_is_up(self) -> bool:
        now = time.monotonic()
        if now - self._last < self.number * 60:
            return False
        self._last = now
        return True
