"""Muon for matrices, and AdamW for the parameters that it is not made for: one optimizer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import nn
from torch.optim import AdamW, Muon, Optimizer

from ignite_workflow.errors import ConfigError
from ignite_workflow.optimizers import without_decay

__all__ = ["MuonWithAdamW", "muon"]


def muon(
    model: nn.Module,
    lr: float = 1e-3,
    weight_decay: float = 0.1,
    momentum: float = 0.95,
    nesterov: bool = True,
    ns_steps: int = 5,
    betas: tuple[float, float] = (0.9, 0.999),
) -> Optimizer:
    """Muon for the matrices of ``model``; AdamW for its vectors, embeddings and tensors of more dimensions.

    Args:
        model: of which the parameters with ``requires_grad`` are trained.
        lr: of both: Muon's steps are made as large as AdamW's.
        weight_decay: of what is not spared by ``without_decay``.
        momentum: of Muon.
        nesterov: of Muon.
        ns_steps: of Muon: iterations that make a step orthogonal.
        betas: of AdamW.

    Raises:
        ConfigError: a value out of range, or nothing to train.

    Source: Jordan et al., Muon: an optimizer for hidden layers in neural networks (2024); the size of the steps: Liu et
    al., Muon is scalable for LLM training (2025).
    """
    trained = {name: parameter for name, parameter in model.named_parameters() if parameter.requires_grad}
    spared = without_decay(model)
    matrices = [parameter for name, parameter in trained.items() if parameter.ndim == 2 and name not in spared]
    tensors = [parameter for name, parameter in trained.items() if parameter.ndim != 2 and name not in spared]
    vectors = [parameter for name, parameter in trained.items() if name in spared]
    others: list[dict[str, Any]] = [{"params": tensors}, {"params": vectors, "weight_decay": 0.0}]
    parts: dict[str, Optimizer] = {}
    try:
        if matrices:
            parts["muon"] = Muon(
                matrices, lr, weight_decay, momentum, nesterov, ns_steps=ns_steps, adjust_lr_fn="match_rms_adamw"
            )
        if tensors or vectors:
            parts["adamw"] = AdamW([group for group in others if group["params"]], lr, betas, weight_decay=weight_decay)
    except ValueError as error:  # torch checks the ranges of its own options
        raise ConfigError(f"optimizer muon: {error}.") from None
    if not parts:
        raise ConfigError("optimizer muon: the model has no parameters to train.")
    return MuonWithAdamW(parts)


class MuonWithAdamW(Optimizer):
    """Steps as the optimizers do that it is made of; groups and state are its own, so that it is saved as one.

    Args:
        parts: by the name that their groups have under ``"by"``.
    """

    def __init__(self, parts: Mapping[str, Optimizer]) -> None:
        self.parts = parts
        super().__init__([{**group, "by": name} for name, part in parts.items() for group in part.param_groups], {})

    def step(self, closure: None = None) -> None:  # type: ignore[override]  # noqa: ARG002  torch's signature
        """Change each parameter by its gradient."""
        for name, part in self.parts.items():
            part.param_groups = [group for group in self.param_groups if group["by"] == name]
            part.state = self.state
            part.step()
