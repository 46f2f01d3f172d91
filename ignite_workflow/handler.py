"""What a handler plugin is."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from ignite_workflow.workflow import Workflow

__all__ = ["Handler", "is_better"]


@dataclass
class Handler(ABC):
    """Something that happens beside training: logging, evaluating, stopping, saving.

    A handler is a dataclass. Its fields are its options: plain values with defaults, which a config or
    ``--handler early_stopping:patience=3`` sets. What it works on arrives in ``attach``. One with state that training
    depends on returns it from ``state_dict``; the workflow saves and restores it under the handler's id.

    Attributes:
        after: handlers whose methods run before this one's within the same event, where they are present: ids, or names
            of built-in handlers under any id. What runs before the evaluation at the end of a window or
            an epoch runs again on resume where a stop broke the evaluation off: hence the default.
        observer: it only watches, so that adding, changing or removing it leaves the trained weights as they are.
        needs_directory: it writes into the run directory.
        needs_validation: it looks at validation metrics.
    """

    after: ClassVar[tuple[str, ...]] = ("evaluation",)
    observer: ClassVar[bool] = False
    needs_directory: ClassVar[bool] = False
    needs_validation: ClassVar[bool] = False

    @abstractmethod
    def attach(self, workflow: Workflow) -> None:
        """Register this handler's methods on the events of ``workflow``'s engines.

        Called once, before the run starts. Reads as a timetable: one ``add_event_handler`` a line.
        """

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint must hold of this handler: tensors and plain values."""
        return {}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:  # noqa: B027 most handlers have no state
        """Take back what ``state_dict`` gave."""

    def close(self) -> None:  # noqa: B027 most handlers hold nothing open
        """Let go of files, threads and bars. Called once, however the run ends."""


def is_better(value: float, best: float | None, mode: Literal["min", "max"], *, min_delta: float = 0.0) -> bool:
    """Whether ``value`` beats ``best`` by more than ``min_delta``.

    None is beaten by any finite value; a value that is not finite beats nothing.

    Example:
        >>> is_better(0.5, 0.6, "min"), is_better(0.5, 0.6, "max"), is_better(float("nan"), None, "min")
        (True, False, False)
    """
    if not math.isfinite(value):
        return False
    if best is None:
        return True
    return (best - value if mode == "min" else value - best) > min_delta
