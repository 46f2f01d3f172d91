import weakref

import ignite.metrics as theirs
import numpy as np
import pytest
import torch
from ignite.engine import Engine
from ignite.metrics.regression import MeanAbsoluteRelativeError, R2Score
from sklearn import metrics as oracle

from ignite_workflow import ConfigError, UnknownNameError, registry
from ignite_workflow.losses import build_loss
from ignite_workflow.metrics import DEFAULT_METRICS, MODES, MeanLoss, PredictionMetrics, build_metrics
from ignite_workflow.targets import LINKS, Target

PRICES = Target(task="regression", columns=("price",), rows=100, mean=(2e5,), std=(5e4,))
PAIR = Target(task="regression", columns=("price", "area"), rows=100, mean=(2e5, 80.0), std=(5e4, 20.0))
KINDS = Target(task="multiclass", columns=("kind",), classes=tuple("abcdefgh"), counts=(9,) * 8, rows=72)
SEXES = Target(task="binary", columns=("sex",), classes=("f", "m"), counts=(50, 50), rows=100)
TAGS = Target(task="multilabel", columns=("x", "y", "z"), classes=("x", "y", "z"), counts=(50, 50, 50), rows=100)
DEFAULT_LOSS = {"regression": "mse", "binary": "bce_with_logits", "multiclass": "cross_entropy"}


def outputs(target, n=500):
    """What an evaluator's step returns: model outputs, and targets as the loss takes them; and the loss."""
    loss = build_loss(DEFAULT_LOSS.get(target.task, "bce_with_logits"), {}, target)
    generator = torch.Generator().manual_seed(0)
    y_pred = torch.randn(n, loss.outputs, generator=generator)
    noise = torch.randn(n, loss.outputs, generator=generator)
    if target.task == "regression":
        y = y_pred + 0.5 * noise
    elif target.task == "multiclass":
        y = (y_pred + noise).argmax(1)
    else:
        y = (y_pred + noise > 0).long()
        y = y[:, 0] if target.task == "binary" else y.float()
    return loss, y_pred, loss.encode_target(y), y


def report(target, names=None, *, batch=64, n=500):
    loss, y_pred, encoded, _ = outputs(target, n)
    evaluator = Engine(lambda engine, batch: batch)
    build_metrics(names, target, loss).attach(evaluator)
    return evaluator.run(list(zip(y_pred.split(batch), encoded.split(batch), strict=True))).metrics


def people_read(target):
    """Predictions and truth as ``sklearn`` takes them."""
    loss, y_pred, _, y = outputs(target)
    prediction = loss.to_prediction(y_pred)
    if target.task == "regression":
        mean, std = np.array(target.mean), np.array(target.std)
        return prediction.double().numpy() * std + mean, y.double().numpy() * std + mean
    return prediction.double().numpy(), y.numpy()


@pytest.mark.parametrize("target", [PRICES, PAIR])
def test_regression_metrics_equal_the_oracles_in_the_targets_unit(target):
    found = report(target, ["rmse", "mse", "mae", "mape", "max_error", "r2"])
    prediction, y = people_read(target)

    assert found["rmse"] == pytest.approx(oracle.mean_squared_error(y.ravel(), prediction.ravel()) ** 0.5)
    assert found["mse"] == pytest.approx(oracle.mean_squared_error(y.ravel(), prediction.ravel()))
    assert found["mae"] == pytest.approx(oracle.mean_absolute_error(y.ravel(), prediction.ravel()))
    assert found["mape"] == pytest.approx(oracle.mean_absolute_percentage_error(y.ravel(), prediction.ravel()))
    assert found["max_error"] == pytest.approx(oracle.max_error(y.ravel(), prediction.ravel()))
    assert found["r2"] == pytest.approx(oracle.r2_score(y, prediction))


def test_several_targets_have_an_rmse_each():
    found = report(PAIR)
    prediction, y = people_read(PAIR)
    expected = oracle.mean_squared_error(y, prediction, multioutput="raw_values") ** 0.5

    assert [found["rmse_price"], found["rmse_area"]] == pytest.approx(list(expected))


@pytest.mark.parametrize("target", [KINDS, SEXES])
def test_class_metrics_equal_the_oracles(target):
    names = ["accuracy", "balanced_accuracy", "precision", "recall", "f1", "mcc", "cohen_kappa"]
    found = report(target, names)
    probabilities, y = people_read(target)
    y_pred = probabilities.argmax(1)

    assert found["accuracy"] == pytest.approx(oracle.accuracy_score(y, y_pred))
    assert found["balanced_accuracy"] == pytest.approx(oracle.balanced_accuracy_score(y, y_pred))
    assert found["precision"] == pytest.approx(oracle.precision_score(y, y_pred, average="macro"))
    assert found["recall"] == pytest.approx(oracle.recall_score(y, y_pred, average="macro"))
    assert found["f1"] == pytest.approx(oracle.f1_score(y, y_pred, average="macro"))
    assert found["mcc"] == pytest.approx(oracle.matthews_corrcoef(y, y_pred))
    assert found["cohen_kappa"] == pytest.approx(oracle.cohen_kappa_score(y, y_pred))


def test_label_metrics_equal_the_oracles():
    found = report(TAGS, ["accuracy", "precision", "recall", "f1", "roc_auc", "average_precision"])
    probabilities, y = people_read(TAGS)
    y_pred = probabilities >= 0.5

    assert found["accuracy"] == pytest.approx(oracle.accuracy_score(y, y_pred))
    assert found["precision"] == pytest.approx(oracle.precision_score(y, y_pred, average="macro"))
    assert found["recall"] == pytest.approx(oracle.recall_score(y, y_pred, average="macro"))
    assert found["f1"] == pytest.approx(oracle.f1_score(y, y_pred, average="macro"))
    assert found["roc_auc"] == pytest.approx(oracle.roc_auc_score(y, probabilities))
    assert found["average_precision"] == pytest.approx(oracle.average_precision_score(y, probabilities))


@pytest.mark.parametrize("target", [KINDS, SEXES])
def test_ranking_metrics_equal_the_oracles(target):
    found = report(target, ["roc_auc", "average_precision"])
    probabilities, y = people_read(target)
    if target is SEXES:
        probabilities = probabilities[:, 1]

    assert found["roc_auc"] == pytest.approx(oracle.roc_auc_score(y, probabilities, multi_class="ovr"))
    assert found["average_precision"] == pytest.approx(oracle.average_precision_score(y, probabilities))


def test_tied_scores_rank_as_the_oracle_ranks_them():
    loss, y_pred, y, _ = outputs(SEXES)
    metric = build_metrics(["roc_auc", "average_precision"], SEXES, loss).metrics["predictions"]
    y_pred = y_pred.round()
    metric.update((y_pred, y))

    found = metric.compute()

    assert found["roc_auc"] == pytest.approx(oracle.roc_auc_score(y, y_pred))
    assert found["average_precision"] == pytest.approx(oracle.average_precision_score(y[:, 0], y_pred[:, 0]))


def test_top_k_accuracy_equals_the_oracle_for_any_k():
    found = report(KINDS, [f"top_{k}_accuracy" for k in range(1, 8)])
    probabilities, y = people_read(KINDS)

    for k in range(1, 8):
        assert found[f"top_{k}_accuracy"] == pytest.approx(oracle.top_k_accuracy_score(y, probabilities, k=k))


def computed(metric, y_pred, y):
    for part in zip(y_pred.split(64), y.split(64), strict=True):
        metric.update(part)
    return metric.compute()


def test_class_metrics_equal_ignites():
    found = report(KINDS, ["accuracy", "precision", "recall", "f1", "top_3_accuracy"])
    loss, y_pred, y, _ = outputs(KINDS)

    assert found["loss"] == pytest.approx(computed(theirs.Loss(loss.fn), y_pred, y))
    assert found["accuracy"] == pytest.approx(computed(theirs.Accuracy(), y_pred, y))
    assert found["precision"] == pytest.approx(computed(theirs.Precision(average="macro"), y_pred, y))
    assert found["recall"] == pytest.approx(computed(theirs.Recall(average="macro"), y_pred, y))
    assert found["top_3_accuracy"] == pytest.approx(computed(theirs.TopKCategoricalAccuracy(3), y_pred, y))
    per_class = theirs.Precision(average=False), theirs.Recall(average=False)
    precision, recall = (computed(metric, y_pred, y) for metric in per_class)
    assert found["f1"] == pytest.approx((2 * precision * recall / (precision + recall)).mean().item())


def test_regression_metrics_equal_ignites():
    found = report(PRICES, ["rmse", "mae", "r2", "mape"])
    y_pred, y = map(torch.from_numpy, people_read(PRICES))

    assert found["rmse"] == pytest.approx(computed(theirs.RootMeanSquaredError(), y_pred, y))
    assert found["mae"] == pytest.approx(computed(theirs.MeanAbsoluteError(), y_pred, y))
    assert found["r2"] == pytest.approx(computed(R2Score(), y_pred, y))
    assert found["mape"] == pytest.approx(computed(MeanAbsoluteRelativeError(), y_pred, y))


@pytest.mark.parametrize(
    ("target", "names"),
    [
        (PAIR, ["rmse", "mae", "mape", "max_error", "r2"]),
        (KINDS, ["accuracy", "f1", "mcc", "top_3_accuracy"]),
        (KINDS, ["accuracy", "roc_auc"]),
        (TAGS, ["accuracy", "f1", "average_precision"]),
    ],
)
def test_the_size_of_batches_and_passes_changes_nothing(target, names, monkeypatch):
    whole = report(target, names, batch=500)
    monkeypatch.setattr(PredictionMetrics, "NUMBERS_A_PASS", 100)

    assert report(target, names, batch=7) == pytest.approx(whole)


def test_batches_that_were_counted_are_let_go(monkeypatch):
    monkeypatch.setattr(PredictionMetrics, "NUMBERS_A_PASS", 4)
    metric = build_metrics(["mae"], PRICES, outputs(PRICES)[0]).metrics["predictions"]
    first, second = ((torch.ones(2, 1), torch.ones(2, 1)) for _ in range(2))
    kept = weakref.ref(first[0])

    metric.update(first)
    metric.update(second)
    del first

    assert kept() is None


def test_an_evaluator_run_again_starts_from_nothing():
    loss, y_pred, y, _ = outputs(KINDS)
    evaluator = Engine(lambda engine, batch: batch)
    build_metrics(["accuracy", "roc_auc"], KINDS, loss).attach(evaluator)
    first = dict(evaluator.run([(y_pred, y)]).metrics)

    assert evaluator.run([(y_pred, y)]).metrics == first


def test_a_class_that_never_occurs_does_not_count():
    """As in scikit-learn; Ignite counts it as a zero."""
    loss = build_loss("cross_entropy", {}, KINDS)
    metric = build_metrics(["f1", "precision", "recall"], KINDS, loss).metrics["predictions"]
    y = torch.tensor([0, 1, 2, 0])

    metric.update((torch.nn.functional.one_hot(y, 8).float(), y))

    assert metric.compute() == {"f1": 1.0, "precision": 1.0, "recall": 1.0}


@pytest.mark.parametrize("name", ["precision", "recall", "f1"])
def test_a_class_that_is_only_predicted_counts(name):
    y, predicted = torch.tensor([0, 0, 1, 1]), torch.tensor([0, 2, 1, 1])
    metric = build_metrics([name], KINDS, outputs(KINDS)[0]).metrics["predictions"]

    metric.update((torch.nn.functional.one_hot(predicted, 8).float(), y))

    expected = getattr(oracle, f"{name}_score")(y, predicted, average="macro", zero_division=0)
    assert metric.compute() == {name: pytest.approx(expected)}


def test_a_label_is_predicted_from_one_half_on():
    metric = build_metrics(["accuracy"], TAGS, outputs(TAGS)[0]).metrics["predictions"]

    metric.update((torch.zeros(2, 3), torch.ones(2, 3)))

    assert metric.compute() == {"accuracy": 1.0}


def test_of_a_target_that_does_not_vary_nothing_can_be_explained():
    metric = build_metrics(["r2"], PRICES, outputs(PRICES)[0]).metrics["predictions"]

    metric.update((torch.ones(4, 1), torch.zeros(4, 1)))

    assert np.isnan(metric.compute()["r2"])


def test_a_probability_near_zero_keeps_its_digits():
    [[first, second]] = LINKS["sigmoid_pair"](torch.tensor([[30.0]])).tolist()

    assert first == pytest.approx(np.exp(-30), rel=1e-5, abs=0)
    assert second == pytest.approx(1.0)


def test_a_target_of_zero_makes_the_relative_error_infinite():
    loss = build_loss("mse", {}, PRICES)
    metric = build_metrics(["mape"], PRICES, loss).metrics["predictions"]
    zero = torch.tensor([[-4.0]]) * (1 + 2**-23)  # 0 as float32 keeps it after (0 - mean) / std

    metric.update((torch.tensor([[0.0]]), zero))

    assert metric.compute() == {"mape": float("inf")}


def test_one_class_throughout_has_no_auc_and_no_correlation():
    loss = build_loss("bce_with_logits", {}, SEXES)
    metric = build_metrics(["roc_auc", "mcc", "cohen_kappa"], SEXES, loss).metrics["predictions"]

    metric.update((torch.ones(4, 1), torch.ones(4, 1)))

    assert metric.compute() == pytest.approx({"roc_auc": np.nan, "mcc": 0.0, "cohen_kappa": np.nan}, nan_ok=True)


def test_the_loss_of_unequal_batches_is_the_mean_over_samples():
    loss, y_pred, y, _ = outputs(KINDS)

    assert report(KINDS, [], batch=300)["loss"] == pytest.approx(loss.fn(y_pred, y).item())


def test_a_bfloat16_output_loses_nothing_in_the_loss():
    loss, y_pred, y, _ = outputs(KINDS)
    metric = build_metrics([], KINDS, loss).metrics["loss"]

    metric.update((y_pred.bfloat16(), y))

    assert metric.compute() == loss.fn(y_pred.bfloat16().float(), y).item()


@pytest.mark.parametrize("target", [PRICES, PAIR, SEXES, KINDS, TAGS])
def test_the_numbers_reported_are_those_announced(target):
    announced = build_metrics(None, target, outputs(target)[0]).modes

    assert list(report(target)) == list(announced)
    assert set(announced) >= {"loss", *DEFAULT_METRICS[target.task]}


def test_every_metric_by_name_has_a_direction():
    assert set(MODES) - {"loss"} == set(registry.names("metric"))


def test_a_wrong_name_suggests_the_right_one():
    with pytest.raises(UnknownNameError, match=r"unknown metric 'acuracy'. Did you mean 'accuracy'\?"):
        build_metrics(["acuracy"], KINDS, outputs(KINDS)[0])


def test_a_metric_of_another_task_is_refused():
    with pytest.raises(ConfigError, match=r"metric rmse does not fit a multiclass target. Metrics that do: accuracy, "):
        build_metrics(["rmse"], KINDS, outputs(KINDS)[0])


@pytest.mark.parametrize("name", ["top_0_accuracy", "top_03_accuracy", "top_k_accuracy"])
def test_other_tops_are_unknown(name):
    with pytest.raises(UnknownNameError, match="unknown metric 'top_"):
        build_metrics([name], KINDS, outputs(KINDS)[0])


def test_top_3_of_three_classes_is_refused():
    three = Target(task="multiclass", columns=("kind",), classes=("a", "b", "c"), counts=(1, 1, 1), rows=3)

    with pytest.raises(ConfigError, match="metric top_3_accuracy needs more than 3 classes, got 3"):
        build_metrics(["top_3_accuracy"], three, build_loss("cross_entropy", {}, three))


def test_an_ignite_metric_can_be_named():
    found = report(KINDS, ["accuracy", "ignite.metrics:Accuracy"])

    assert found["Accuracy"] == pytest.approx(found["accuracy"])


def test_a_function_over_the_split_can_be_named():
    found = report(PRICES, ["mae", "torch.nn.functional:l1_loss"])

    assert found["l1_loss"] == pytest.approx(found["mae"])
    assert build_metrics(["torch.nn.functional:l1_loss"], PRICES, outputs(PRICES)[0]).modes["l1_loss"] is None


@pytest.mark.parametrize("names", [["own.py:loss"], ["own.py:mae", "mae"], ["own.py:f", "other.py:f"]])
def test_two_metrics_of_one_name_are_refused(names, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for file in ("own.py", "other.py"):
        (tmp_path / file).write_text("def f(y_pred, y):\n    return 0.0\n\n\nloss = mae = f\n")

    with pytest.raises(ConfigError, match=r"metric (own|other)\.py:\w+: there is another metric \w+"):
        build_metrics(names, PRICES, outputs(PRICES)[0])


@pytest.mark.parametrize("link", ["pair", "pair_reversed", "sigmoid_pair"])
def test_one_number_becomes_two_probabilities(link):
    probabilities = LINKS[link](torch.tensor([[0.2], [0.9]]))

    assert probabilities.shape == (2, 2)
    torch.testing.assert_close(probabilities.sum(1), torch.ones(2))


def test_the_mean_loss_is_over_samples_where_targets_are_a_dict():
    metric = MeanLoss(lambda y_pred, y: y["a"].mean())

    metric.update((torch.zeros(3, 1), {"a": torch.ones(3), "b": torch.ones(3)}))
    metric.update((torch.zeros(1, 1), {"a": torch.full((1,), 5.0), "b": torch.ones(1)}))

    assert metric.compute() == 2.0
