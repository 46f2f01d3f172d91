"""Limit the size of the gradients before the optimizer steps."""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn

from ignite_workflow import ConfigError, Handler, Workflow, WorkflowEvents

__all__ = ["GradientClipping"]


@dataclass
class GradientClipping(Handler):
    """Scale all gradients together so that their norm is at most ``max_norm``.

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
        self.parameters = list(workflow.model.parameters())
        workflow.trainer.add_event_handler(WorkflowEvents.GRADIENTS_READY, self.clip)

    def clip(self) -> None:
        nn.utils.clip_grad_norm_(self.parameters, self.max_norm, self.norm_type)
