"""What a linear model has learnt, in the units of the data and by name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from torch import nn

from ignite_workflow.data.schema import Schema
from ignite_workflow.display import printable
from ignite_workflow.models.linear import Linear, linear_in_data_units
from ignite_workflow.targets import Target

__all__ = ["Coefficients", "coefficients", "equations"]

Coefficients = Mapping[str, Mapping[str, float]]
_BIAS = "bias"


def coefficients(model: nn.Module, schema: Schema | None, target: Target | None) -> dict[str, dict[str, float]]:
    """For each output its weights by feature, and its ``bias``; empty where the model is not our ``linear``.

    A category gives one weight for each of its classes, ``column=class``. Outputs are targets in their own unit, or the
    logits of classes (of the second class, where one number decides between two).
    """
    if not isinstance(model, Linear) or schema is None or target is None:
        return {}
    parts = schema.parts
    learnt = linear_in_data_units(
        model,
        [part.mean for _, part in parts],
        [part.std for _, part in parts],
        target_mean=target.mean or (0.0,),
        target_std=target.std or (1.0,),
    )
    numbers = [column.name if part.of == "value" else f"{column.name} {part.of}" for column, part in parts]
    result: dict[str, dict[str, float]] = {}
    for row, name in enumerate(_outputs(target, len(learnt.bias))):
        weights = dict(zip(numbers, learnt.weight[row].tolist(), strict=True))
        for column, by_code in zip(schema.categories, learnt.class_weight, strict=True):
            known = zip(column.classes, by_code[row, 1:].tolist(), strict=False)
            weights |= {f"{column.name}={label}": weight for label, weight in known}
        result[name] = {**weights, _BIAS: learnt.bias[row].item()}
    return result


def _outputs(target: Target, count: int) -> tuple[str, ...]:
    names = target.classes or target.columns
    return names if len(names) == count else names[-count:]


def equations(learnt: Coefficients) -> Iterator[str]:
    """``y = 0.7 x + 0.3``, a line an output; with many weights a line a weight."""
    for output, weights in learnt.items():
        terms = [f"{weight:.4g} {printable(name)}" for name, weight in weights.items() if name != _BIAS]
        line = " + ".join([*terms, f"{weights[_BIAS]:.4g}"]).replace("+ -", "- ")
        if len(line) <= 100:
            yield f"{printable(output)} = {line}"
        else:
            yield f"{printable(output)} ="
            yield from (f"  {weight:+.4g} {printable(name)}" for name, weight in weights.items() if name != _BIAS)
            yield f"  {weights[_BIAS]:+.4g}"
