"""Losses by name: which task each fits, the targets it takes, and what a model's output means under it.

Every loss here is a mean over samples, class weights included: the means of two batches, weighted by their numbers of
samples, give the loss of both together. What is logged, evaluated and accumulated rests on that.

Shapes: ``N`` samples, ``T`` target numbers, ``C`` classes (multilabel: labels).
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from ignite_workflow import registry
from ignite_workflow.class_weights import weighted_loss
from ignite_workflow.errors import ConfigError, DataError, mistaken_at
from ignite_workflow.models.output import Output
from ignite_workflow.targets import LINKS, Link, Target, TargetForm, encode_target

__all__ = ["DEFAULT_LOSSES", "Loss", "LossFn", "build_loss", "check_loss_options"]

LossFn = Callable[[Any, Any], Tensor]  # predictions (N, ...), targets (N, ...) -> loss ()

DEFAULT_LOSSES = {
    "regression": "mse",
    "binary": "bce_with_logits",
    "multiclass": "cross_entropy",
    "multilabel": "bce_with_logits",
}


@dataclass(frozen=True)
class _Facts:
    """What torch's documentation says of a loss.

    Attributes:
        forms: for each task that it fits, the form its targets take.
        output: what the model has to give.
        options: what is always passed to it.
    """

    forms: Mapping[str, TargetForm]
    output: Output
    options: Mapping[str, Any] = field(default_factory=dict)


_VALUES: dict[str, TargetForm] = {"regression": "value"}
_INDICES: dict[str, TargetForm] = {"binary": "class_index", "multiclass": "class_index"}
_ONE_HOT: dict[str, TargetForm] = {"binary": "one_hot", "multiclass": "one_hot"}
_LABELS: dict[str, TargetForm] = {"binary": "binary", "multilabel": "multi_hot"}

_FACTS = {
    "mse": _Facts(_VALUES, "value"),
    "l1": _Facts(_VALUES, "value"),
    "smooth_l1": _Facts(_VALUES, "value"),
    "huber": _Facts(_VALUES, "value"),
    "poisson_nll": _Facts(_VALUES, "log_rate"),
    "bce_with_logits": _Facts(_LABELS, "logit"),
    "bce": _Facts(_LABELS, "prob"),
    "soft_margin": _Facts({"binary": "sign"}, "logit"),
    # Unbounded below where the output is free: a probability is the bounded distance that it needs.
    "hinge_embedding": _Facts({"binary": "sign"}, "prob"),
    "cross_entropy": _Facts(_INDICES, "logit"),
    "nll": _Facts(_INDICES, "log_prob"),
    "multi_margin": _Facts(_INDICES, "logit"),
    # Its "mean" divides by the number of classes too; "batchmean" is the mean over samples.
    "kl_div": _Facts(_ONE_HOT, "log_prob", {"reduction": "batchmean"}),
    "multi_label_soft_margin": _Facts({"multilabel": "multi_hot"}, "logit"),
    "multi_label_margin": _Facts({"multilabel": "label_set"}, "logit"),
}

_WEIGHTED = ("bce_with_logits", "cross_entropy", "multi_margin", "nll")

_OWN_LOSS = {
    "regression": _Facts(_VALUES, "value"),
    "binary": _Facts({"binary": "binary"}, "logit"),
    "multiclass": _Facts({"multiclass": "class_index"}, "logit"),
    "multilabel": _Facts({"multilabel": "multi_hot"}, "logit"),
}

# Options of torch's losses that cannot be chosen here: the one value that works (None: no value does) and why.
_FIXED_OPTIONS: dict[str, tuple[Any, str]] = {
    "reduction": ("mean", "batches are averaged and accumulated by their number of samples"),
    "size_average": (None, "torch itself has replaced it by reduction"),
    "reduce": (None, "torch itself has replaced it by reduction"),
    "ignore_index": (-100, "rows without a class are dropped when the data is read"),
    "log_input": (True, "the model gives the logarithm of the rate"),
    "log_target": (False, "the targets are classes"),
    "weight": (None, "class_weights does this, by class name too"),
    "pos_weight": (None, "class_weights does this, by class name too"),
}

_LINKS: dict[tuple[Output, TargetForm], Link] = {
    ("value", "value"): "identity",
    ("log_rate", "value"): "exp",
    ("logit", "binary"): "sigmoid_pair",
    ("prob", "binary"): "pair",
    ("logit", "sign"): "sigmoid_pair",
    ("prob", "sign"): "pair_reversed",
    ("logit", "class_index"): "softmax",
    ("log_prob", "class_index"): "exp",
    ("log_prob", "one_hot"): "exp",
    ("logit", "multi_hot"): "sigmoid",
    ("prob", "multi_hot"): "identity",
    ("logit", "label_set"): "sigmoid",
}


@dataclass(frozen=True, eq=False)
class Loss:
    """A loss and what surrounds it.

    Attributes:
        name: as in the config.
        fn: ``fn(y_pred, y)`` is the mean over the samples, a tensor (). ``y`` is in the form of ``target_form``.
        target_form: how ``y`` is encoded.
        output: what the model has to give.
        outputs: how many numbers a sample the model has to give.
        link: which of ``targets.LINKS`` makes values or probabilities of the model's output.
        scale_target: the target may be standardised. False where the loss needs the target's own numbers (counts): the
            mean 0 and the standard deviation 1 have to be used.
    """

    name: str
    fn: LossFn
    target_form: TargetForm
    output: Output
    outputs: int
    link: Link
    scale_target: bool

    def encode_target(self, y: Tensor) -> Tensor:
        """The targets of a whole split, once, in the form that ``fn`` takes. ``y`` as stored; not changed.

        Raises:
            DataError: a target that the loss is not defined for.
        """
        # A count of 0 that was standardised and scaled back in float32 may be a little below.
        if self.output == "log_rate" and (y < -1e-5 * y.abs().amax()).any():
            raise DataError(f"{self.name} needs counts (0, 1, 2, ...) as the target, got {y.min().item():g}.")
        return encode_target(y, self.target_form, self.outputs)

    def to_prediction(self, y_pred: Tensor) -> Tensor:
        """Values (N, T), in the unit of ``y``, or the probabilities of the classes or labels (N, C).

        Margin losses give scores, not probabilities: the order and the largest are right, their size says little.
        """
        return LINKS[self.link](y_pred)

    def check_shapes(self, y_pred: Tensor, y: Tensor) -> None:
        """Whether the model's output fits: broadcasting would train on nonsense without a word.

        Raises:
            ConfigError: naming both shapes.
        """
        expected = (len(y), self.outputs) if self.target_form in ("class_index", "label_set") else tuple(y.shape)
        if tuple(y_pred.shape) != expected:
            raise ConfigError(
                f"loss {self.name}: the model's output must have shape {expected}, got {tuple(y_pred.shape)}."
            )

    def to(self, device: torch.device) -> Loss:
        """This loss, its class weights moved to ``device``."""
        if isinstance(self.fn, nn.Module):
            self.fn.to(device)
        return self


def build_loss(name: str, options: Mapping[str, Any], target: Target) -> Loss:
    """The loss of that name, for that target.

    Args:
        name: of a torch loss in snake case (``DEFAULT_LOSSES`` has one for each task), or the import path of a class or
            of a function ``(y_pred, y) -> loss ()`` that gives the mean over samples.
        options: those of torch's class; and ``class_weights``: ``"balanced"``, a list, or a mapping from class name to
            weight (1 for classes left out). They are scaled so that their mean over the training rows is 1; for
            multilabel they are the weights of a label's presence against its absence, as they stand.
        target: what is predicted.

    Raises:
        UnknownNameError: the loss, an option or a class.
        ConfigError: the loss does not fit the task, or an option cannot work.
    """
    cls = registry.load("loss", name)
    facts = _FACTS.get(name) or _OWN_LOSS[target.task]
    if target.task not in facts.forms:
        fitting = sorted(other for other, facts in _FACTS.items() if target.task in facts.forms)
        raise ConfigError(f"loss {name} does not fit a {target.task} target. Losses that do: {', '.join(fitting)}.")
    form = facts.forms[target.task]
    return Loss(
        name,
        _build_fn(name, cls, facts, options, target),
        target_form=form,
        output=facts.output,
        outputs=1 if form in ("binary", "sign") else len(target.classes or target.columns),
        link=_LINKS[facts.output, form],
        scale_target=facts.output != "log_rate",
    )


def _build_fn(name: str, cls: Callable[..., Any], facts: _Facts, options: Mapping[str, Any], target: Target) -> LossFn:
    check_loss_options(name, options)
    options = dict(options)
    weights = options.pop("class_weights", None)
    if not isinstance(cls, type):
        return functools.partial(cls, **options) if options else cls
    if weights is None:
        fn: LossFn = cls(**{**options, **facts.options})
        return fn
    return weighted_loss(cls, options, weights, target)


def check_loss_options(name: str, options: Mapping[str, Any]) -> None:
    """Check the options of ``build_loss``, as far as that goes without a target.

    Raises:
        UnknownNameError, ConfigError: as ``build_loss``.
    """
    cls = registry.load("loss", name)
    if options.get("class_weights") is not None and name not in _WEIGHTED:
        with mistaken_at("loss", "class_weights"):
            raise ConfigError(f"loss {name} takes no class_weights. Losses that do: {', '.join(_WEIGHTED)}.")
    own = {option: value for option, value in options.items() if option != "class_weights"}
    if name in _FACTS:
        _check_fixed_options(name, own)
    given = () if isinstance(cls, type) else tuple(inspect.signature(cls).parameters)[:2]
    registry.check_options("loss", name, own, cls, given=given)


def _check_fixed_options(name: str, options: Mapping[str, Any]) -> None:
    for option in options.keys() & _FIXED_OPTIONS.keys():
        value, reason = _FIXED_OPTIONS[option]
        if value is None or options[option] != value:
            allowed = "cannot be set" if value is None else f"must be {value}, got {options[option]!r}"
            with mistaken_at("loss", option):
                raise ConfigError(f"loss {name}: option {option!r} {allowed}: {reason}.")
