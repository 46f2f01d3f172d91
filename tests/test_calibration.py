"""Calibration against scikit-learn and against values worked out by hand."""

import json
import math

import numpy as np
import pytest
from sklearn.calibration import calibration_curve

from ignite_workflow.calibration import CalibrationSums, has_probabilities
from ignite_workflow.losses import build_loss
from ignite_workflow.targets import Target

CLASSES = {"binary": ("no", "yes"), "multiclass": ("a", "b", "c"), "multilabel": ("wild", "tame")}


def target_of(task):
    return Target(task=task, columns=("y",), classes=CLASSES[task], counts=(1,) * len(CLASSES[task]), rows=9)


def calibrated(task, *batches):
    sums = CalibrationSums(target_of(task))
    for prediction, y in batches:
        sums.add(np.asarray(prediction, dtype=np.float64), np.asarray(y))
    return sums.calibration()


def pairs(probabilities):
    return np.stack([1 - np.asarray(probabilities), probabilities], axis=1)


def test_shares_and_probabilities_of_two_classes_equal_the_oracles():
    random = np.random.default_rng(0)
    probability = random.uniform(0, 1, 500)
    y = (random.uniform(0, 1, 500) < probability**2).astype(np.int64)

    found = calibrated("binary", (pairs(probability[:200]), y[:200]), (pairs(probability[200:]), y[200:]))

    share, mean = calibration_curve(y, probability, n_bins=10)
    assert found.share == pytest.approx(share)
    assert found.probability == pytest.approx(mean)
    assert found.of == "yes"


def test_the_error_is_the_mean_distance_weighted_by_rows():
    found = calibrated("binary", (pairs([0.2, 0.2, 0.2, 0.9]), [0, 0, 1, 1]))

    assert found.error == pytest.approx((3 * (1 / 3 - 0.2) + 1 * 0.1) / 4)
    assert found.excess == pytest.approx((3 * 0.2 + 0.9) / 4 - 2 / 4)


def test_of_several_classes_the_predicted_one_counts():
    found = calibrated("multiclass", ([[0.7, 0.2, 0.1], [0.25, 0.75, 0.0]], [0, 2]))

    assert found.counts.tolist() == [0] * 7 + [2, 0, 0]
    assert (found.probability[7], found.share[7]) == pytest.approx((0.725, 0.5))


def test_every_label_counts():
    found = calibrated("multilabel", ([[0.05, 0.95]], [[0.0, 1.0]]))

    assert found.counts.tolist() == [1, 0, 0, 0, 0, 0, 0, 0, 0, 1]


def test_a_certain_prediction_falls_into_the_last_bin():
    assert calibrated("binary", (pairs([1.0, 0.0]), [1, 0])).counts.tolist() == [1, 0, 0, 0, 0, 0, 0, 0, 0, 1]


def test_probabilities_that_are_not_finite_are_left_out():
    found = calibrated("binary", (pairs([math.nan, 0.5]), [1, 1]))

    assert found.counts.sum() == 1
    assert calibrated("binary", (pairs([math.nan]), [1])) is None


def test_right_probabilities_have_the_error_of_chance():
    random = np.random.default_rng(1)
    errors, expected = [], []
    for _ in range(200):
        probability = random.uniform(0, 1, 300)
        found = calibrated("binary", (pairs(probability), random.uniform(0, 1, 300) < probability))
        errors.append(found.error)
        expected.append(found.by_chance)

    assert np.mean(errors) == pytest.approx(np.mean(expected), rel=0.05)  # within-bin spread and 200 draws


def test_json_has_the_bins_that_hold_something():
    plain = json.loads(json.dumps(calibrated("binary", (pairs([0.25, 0.25]), [0, 1])).to_dict(), allow_nan=False))

    assert plain["bins"] == [{"from": 0.2, "to": 0.3, "count": 2, "probability": 0.25, "share": 0.5}]


@pytest.mark.parametrize(("task", "loss", "expected"), [
    ("multiclass", "cross_entropy", True),
    ("multiclass", "multi_margin", False),
    ("binary", "bce_with_logits", True),
])  # fmt: skip
def test_scores_of_margin_losses_are_no_probabilities(task, loss, expected):
    target = target_of(task)

    assert has_probabilities(build_loss(loss, {}, target), target) == expected
