"""Metrics by name: each computed over a whole split, in the target's own unit.

One Ignite metric serves all names: it keeps batches until there are enough rows to be worth a pass, and adds up float64
sums that every number is made of. An update costs an append; memory stays bounded except for the ranking metrics
(``roc_auc``, ``average_precision``), which need every score at once.

Shapes: ``N`` samples, ``T`` target numbers, ``C`` classes (multilabel: labels).
"""

from __future__ import annotations

import functools
import operator
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import torch
from ignite.engine import Engine
from ignite.metrics import EpochMetric, Metric
from torch import Tensor

from ignite_workflow import metric_sums, registry
from ignite_workflow.batch import sample_count
from ignite_workflow.errors import ConfigError
from ignite_workflow.losses import Loss, LossFn
from ignite_workflow.metric_sums import ClassSums, ValueSums
from ignite_workflow.targets import Target, decode_target

__all__ = ["DEFAULT_METRICS", "MODES", "MeanLoss", "MetricSet", "Mode", "PredictionMetrics", "build_metrics"]

Mode = Literal["min", "max"]
Formula = Callable[[Any], float]  # ValueSums or ClassSums -> the number

DEFAULT_METRICS = {
    "regression": ("rmse", "mae", "r2"),
    "binary": ("accuracy", "f1"),
    "multiclass": ("accuracy", "f1"),
    "multilabel": ("accuracy", "f1"),
}

_VALUES = ("regression",)
_EXCLUSIVE = ("binary", "multiclass")
_CLASSES = ("binary", "multiclass", "multilabel")
_RANKING = ("roc_auc", "average_precision")
_TOP_K = re.compile(r"top_([1-9]\d*)_accuracy")


class _Facts(NamedTuple):
    formula: Formula
    mode: Mode
    tasks: tuple[str, ...]


def _facts_of_top(k: int) -> _Facts:
    return _Facts(functools.partial(metric_sums.top_accuracy, k=k), "max", ("multiclass",))


_FACTS: dict[str, _Facts] = {
    "rmse": _Facts(metric_sums.rmse, "min", _VALUES),
    "mse": _Facts(metric_sums.mse, "min", _VALUES),
    "mae": _Facts(metric_sums.mae, "min", _VALUES),
    "mape": _Facts(metric_sums.mape, "min", _VALUES),
    "max_error": _Facts(metric_sums.max_error, "min", _VALUES),
    "r2": _Facts(metric_sums.r2, "max", _VALUES),
    "accuracy": _Facts(metric_sums.accuracy, "max", _CLASSES),
    "precision": _Facts(metric_sums.precision, "max", _CLASSES),
    "recall": _Facts(metric_sums.recall, "max", _CLASSES),
    "f1": _Facts(metric_sums.f1, "max", _CLASSES),
    "roc_auc": _Facts(metric_sums.roc_auc, "max", _CLASSES),
    "average_precision": _Facts(metric_sums.average_precision, "max", _CLASSES),
    "balanced_accuracy": _Facts(metric_sums.balanced_accuracy, "max", _EXCLUSIVE),
    "mcc": _Facts(metric_sums.mcc, "max", _EXCLUSIVE),
    "cohen_kappa": _Facts(metric_sums.cohen_kappa, "max", _EXCLUSIVE),
    "top_3_accuracy": _facts_of_top(3),  # and so on: see _facts
    "top_5_accuracy": _facts_of_top(5),
}

MODES: Mapping[str, Mode] = {"loss": "min", **{name: facts.mode for name, facts in _FACTS.items()}}
"""For each metric of ours whether smaller ("min") or larger ("max") is better."""


@dataclass(frozen=True)
class MetricSet:
    """The metrics of one evaluator.

    Attributes:
        metrics: Ignite's objects, by the name each is attached under.
        modes: for each number they report, in order, which direction is better; None where we cannot know.
    """

    metrics: Mapping[str, Metric]
    modes: Mapping[str, Mode | None]

    def attach(self, evaluator: Engine) -> None:
        """Have ``evaluator`` report these numbers in ``state.metrics``; its step must return ``(y_pred, y)``."""
        for name, metric in self.metrics.items():
            metric.attach(evaluator, name)


def build_metrics(names: Sequence[str] | None, target: Target, loss: Loss) -> MetricSet:
    """The loss and the metrics of those names. Each call makes new ones: an evaluator needs a set of its own.

    Args:
        names: of ``MODES``, ``top_K_accuracy`` with any whole number for K, or import paths of an Ignite metric or of a
            function ``(y_pred, y) -> number`` over a whole split. Both get what people read: values in the target's own
            unit (N, T), or probabilities (N, C) and class indices (N,) or labels (N, C). None: the defaults of the
            task.
        target: what is predicted.
        loss: what the model's output means.

    Raises:
        UnknownNameError: there is no such metric.
        ConfigError: it does not fit the task, or two have one name.
    """
    names = DEFAULT_METRICS[target.task] if names is None else names
    formulas: dict[str, Formula] = {}
    modes: dict[str, Mode | None] = {"loss": "min"}
    own_paths = []
    for name in names:
        facts = _facts(name)
        if facts is not None:
            _check_fit(name, facts, target)
            formulas[name], modes[name] = facts.formula, facts.mode
        elif name != "loss":
            own_paths.append(name)
    if "rmse" in formulas and len(target.columns) > 1:
        for index, column in enumerate(target.columns):
            formulas[f"rmse_{column}"] = functools.partial(metric_sums.rmse_of, index=index)
            modes[f"rmse_{column}"] = "min"
    metrics: dict[str, Metric] = {"loss": MeanLoss(loss.fn)}
    if formulas:
        metrics["predictions"] = PredictionMetrics(formulas, target, loss)
    own = _own_metrics(own_paths, {*modes, *metrics}, target, loss)
    return MetricSet({**metrics, **own}, {**modes, **dict.fromkeys(own)})


def _facts(name: str) -> _Facts | None:
    top = _TOP_K.fullmatch(name)
    return _facts_of_top(int(top[1])) if top else _FACTS.get(name)


def _check_fit(name: str, facts: _Facts, target: Target) -> None:
    if target.task not in facts.tasks:
        fitting = sorted(other for other, facts in _FACTS.items() if target.task in facts.tasks)
        raise ConfigError(f"metric {name} does not fit a {target.task} target. Metrics that do: {', '.join(fitting)}.")
    top = _TOP_K.fullmatch(name)
    if top and len(target.classes) <= int(top[1]):
        raise ConfigError(f"metric {name} needs more than {top[1]} classes, got {len(target.classes)}.")


def _own_metrics(paths: Sequence[str], taken: Collection[str], target: Target, loss: Loss) -> dict[str, Metric]:
    """A person's own, each by what it is called in its module."""
    own: dict[str, Metric] = {}
    for path in paths:
        name = path.rpartition(":")[2]
        if name in own or name in taken:
            raise ConfigError(f"metric {path}: there is another metric {name}: call this one something else.")
        own[name] = _own_metric(registry.load("metric", path), target, loss)
    return own


def _own_metric(found: Any, target: Target, loss: Loss) -> Metric:
    read = _Reader(target, loss)
    if isinstance(found, type) and issubclass(found, Metric):
        return found(output_transform=read)
    return EpochMetric(found, output_transform=read, check_compute_fn=False)


class _Reader:
    """Turns a step's output into what people read: see ``build_metrics``."""

    def __init__(self, target: Target, loss: Loss) -> None:
        self.loss, self.is_value = loss, target.task == "regression"
        self.mean, self.std = torch.tensor(target.mean), torch.tensor(target.std)

    def __call__(self, output: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        prediction = self.loss.to_prediction(output[0].float()).cpu()
        y = decode_target(output[1], self.loss.target_form).cpu()
        if self.is_value:
            return prediction * self.std + self.mean, y * self.std + self.mean
        return prediction, y


class MeanLoss(Metric):
    """The mean of a loss over all samples, summed in float64 (Ignite's ``Loss`` sums in float32).

    Args:
        loss_fn: ``(y_pred, y) -> ()``, a mean over samples.
    """

    def __init__(self, loss_fn: LossFn) -> None:
        self.loss_fn = loss_fn
        super().__init__()

    def reset(self) -> None:
        """Forget all batches."""
        self.losses: list[Tensor] = []
        self.samples: list[int] = []

    def update(self, output: tuple[Any, Any]) -> None:
        """Count a batch. A model's bfloat16 becomes float32 first: a loss in bfloat16 has three digits."""
        y_pred, y = output
        if isinstance(y_pred, Tensor) and y_pred.dtype in (torch.bfloat16, torch.float16):
            y_pred = y_pred.float()
        self.losses.append(self.loss_fn(y_pred, y))
        self.samples.append(sample_count(y_pred, y))

    def compute(self) -> float:
        """The mean over the samples of all batches."""
        losses = torch.stack(self.losses).tolist()
        return float(sum(map(operator.mul, losses, self.samples)) / sum(self.samples))


class PredictionMetrics(Metric):
    """Several numbers about one split's predictions, from sums they share.

    Args:
        formulas: for each name, what makes the number of the sums.
        target: what is predicted.
        loss: what the model's output means.
    """

    NUMBERS_A_PASS = 2**18  # 1 MB: enough rows for numpy to be quick, and no memory to speak of

    def __init__(self, formulas: Mapping[str, Formula], target: Target, loss: Loss) -> None:
        self.formulas, self.target, self.loss = formulas, target, loss
        self.ranking = any(name in formulas for name in _RANKING)
        self.tops = [int(top[1]) for name in formulas if (top := _TOP_K.fullmatch(name))]
        # The largest of several numbers is the most probable class already, and a softmax costs more than all the rest.
        self.order_suffices = loss.link in ("softmax", "exp") and target.task != "regression" and not self.ranking
        super().__init__(metrics_result_mode="flatten")

    def reset(self) -> None:
        """Forget all batches."""
        self.waiting: list[tuple[Tensor, Tensor]] = []
        self.numbers_waiting = 0
        is_value = self.target.task == "regression"
        self.sums = ValueSums(self.target) if is_value else ClassSums(self.target, tops=self.tops, ranking=self.ranking)

    def update(self, output: tuple[Tensor, Tensor]) -> None:
        """Keep a batch, and count what has been kept once it is worth it."""
        self.waiting.append(output)
        self.numbers_waiting += output[0].numel()
        if self.numbers_waiting >= self.NUMBERS_A_PASS:
            self._count()

    def compute(self) -> dict[str, float]:
        """The numbers by name."""
        if self.waiting:
            self._count()
        return {name: formula(self.sums) for name, formula in self.formulas.items()}

    def _count(self) -> None:
        y_preds, ys = zip(*self.waiting, strict=True)
        y_pred, y = torch.cat(y_preds).float(), decode_target(torch.cat(ys), self.loss.target_form)
        prediction = y_pred if self.order_suffices else self.loss.to_prediction(y_pred)
        self.sums.add(prediction.cpu().numpy(), y.cpu().numpy())
        self.waiting, self.numbers_waiting = [], 0
