"""Limit the size of the gradients before the optimizer steps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from torch import nn

from ignite_workflow import ConfigError, Handler, Workflow, WorkflowEvents

__all__ = ["GradientClipping"]


@dataclass
class GradientClipping(Handler):
    """Scale the gradients an optimizer steps on together, so that their norm is at most ``max_norm``.

    Where a run has several optimizers, those of each on their own.

    Args:
        max_norm: in the unit of the gradients.
        norm_type: of the p-norm; ``inf`` is the largest absolute value.

    Raises:
        ConfigError: at construction, for a value that is not positive.

    Source: ``torch.nn.utils.clip_grad_norm_``.
    """

    max_norm: float = 1.0
    norm_type: float = 2.0

    def __post_init__(self) -> None:
        for name in ("max_norm", "norm_type"):
            if not getattr(self, name) > 0:
                raise ConfigError(f"gradient_clipping: {name} must be positive, got {getattr(self, name)}")

    def attach(self, workflow: Workflow) -> None:
        optimizer = workflow.optimizer
        self.optimizers = list(optimizer.values()) if isinstance(optimizer, Mapping) else [optimizer]
        workflow.trainer.add_event_handler(WorkflowEvents.GRADIENTS_READY, self.clip)

    def clip(self) -> None:
        for optimizer in self.optimizers:
            parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
            nn.utils.clip_grad_norm_(parameters, self.max_norm, self.norm_type)
