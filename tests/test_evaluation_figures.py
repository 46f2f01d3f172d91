"""When accuracy misleads."""

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score

from ignite_workflow.evaluation_figures import class_baseline
from ignite_workflow.metric_sums import ClassSums
from ignite_workflow.targets import Target


def baseline(y, y_pred, classes=("a", "b")):
    target = Target(task="multiclass", columns=("y",), classes=classes)
    sums = ClassSums(target)
    sums.add(np.eye(len(classes))[y_pred], np.asarray(y))
    return class_baseline(sums, target)


def test_the_baseline_is_the_commonest_class():
    y, y_pred = [0] * 18 + [1, 1], [0] * 19 + [1]

    found = baseline(y, y_pred)

    assert (found.name, found.accuracy) == ("a", 0.9)
    assert found.balanced_accuracy == pytest.approx(balanced_accuracy_score(y, y_pred))


@pytest.mark.parametrize(
    ("y", "y_pred", "misleads"),
    [
        ([0] * 95 + [1] * 5, [0] * 100, True),  # nothing learnt
        ([0] * 95 + [1] * 5, [0] * 95 + [1] * 3 + [0] * 2, True),  # most errors gone, but rare ones told worse
        ([0] * 95 + [1] * 5, [0] * 95 + [1] * 5, False),
        ([0] * 50 + [1] * 50, [0] * 100, False),  # bad, but nobody is misled
    ],
)
def test_accuracy_misleads_where_one_class_is_common_and_the_others_are_missed(y, y_pred, misleads):
    assert baseline(y, y_pred).misleads == misleads
