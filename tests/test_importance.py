"""Permutation importance on models whose answer is known."""

import numpy as np
import pytest
import torch
from sklearn.inspection import permutation_importance as oracle
from sklearn.linear_model import LinearRegression

from ignite_workflow import importance
from ignite_workflow.importance import RowSample, permutation_importance

X = torch.randn(400, 4, generator=torch.Generator().manual_seed(0))
Y = (X @ torch.tensor([3.0, 1.0, 1.0, 0.0])).numpy()
COLUMNS = {"strong": [0], "pair": [1, 2], "useless": [3]}
LINE = LinearRegression().fit(X.numpy(), Y)


def measure(x):
    error = LINE.predict(x.numpy()) - Y
    return {"mse": float(np.mean(error**2)), "r2": 1 - float(np.mean(error**2)) / float(Y.var())}


def test_what_is_lost_equals_the_oracles_but_for_chance(monkeypatch):
    monkeypatch.setattr(importance, "REPEATS", 50)
    found = {each.name: each for each in permutation_importance(measure, X, COLUMNS, main="mse")}

    expected = oracle(LINE, X.numpy(), Y, scoring="neg_mean_squared_error", n_repeats=50, random_state=0)
    assert found["strong"].mean["mse"] == pytest.approx(expected.importances_mean[0], rel=0.03)  # 50 draws each
    assert found["strong"].std["mse"] == pytest.approx(expected.importances_std[0], rel=0.4)


def test_features_of_one_column_move_together():
    [_, pair, _] = permutation_importance(measure, X, COLUMNS, main="mse")

    # twice the variance of what both add: they add up where moved together, and do not cancel
    assert pair.name == "pair"
    assert pair.mean["mse"] == pytest.approx(2 * float((X[:, 1] + X[:, 2]).var()), rel=0.1)  # 5 draws


def test_worse_is_above_zero_for_metrics_of_either_direction():
    [strong, *_] = permutation_importance(measure, X, COLUMNS, main="r2")

    assert strong.mean["mse"] > 0
    assert strong.mean["r2"] > 0


def test_the_spread_is_that_of_a_sample():
    measured = iter([1.0, 2.0, 3.0, 4.0, 5.0, 6.0])

    [found] = permutation_importance(lambda _: {"mse": next(measured)}, X, {"a": [0]}, main="mse")

    assert (found.mean["mse"], found.std["mse"]) == pytest.approx((3.0, 2.5**0.5))


def test_a_column_that_the_model_does_not_look_at_is_worth_nothing():
    *_, useless = permutation_importance(measure, X, COLUMNS, main="mse")

    assert useless.name == "useless"
    assert useless.mean["mse"] == pytest.approx(0, abs=1e-5)  # float32


def test_the_same_seed_gives_the_same_numbers():
    first, again = (permutation_importance(measure, X, COLUMNS, main="mse", seed=3) for _ in range(2))

    assert first == again != permutation_importance(measure, X, COLUMNS, main="mse", seed=4)


def test_one_row_has_nothing_to_be_dealt_out():
    found = permutation_importance(lambda x: {"mse": float(x.sum())}, X[:1], COLUMNS, main="mse")

    assert [each.mean["mse"] for each in found] == [0, 0, 0]


def test_a_measure_that_is_not_a_number_comes_last():
    def broken(x):
        return {"mse": float("nan") if not torch.equal(x[:, 0], X[:, 0]) else 1.0}

    assert permutation_importance(broken, X, COLUMNS, main="mse")[-1].name == "strong"


def test_few_rows_are_all_kept_in_order():
    sample = RowSample(columns=1)
    for start in range(0, 400, 64):
        sample.add(X[start : start + 64], torch.arange(400)[start : start + 64])

    x, y = sample.rows()
    assert torch.equal(x, X)
    assert y.tolist() == list(range(400))


def test_of_many_rows_each_is_kept_with_the_same_chance(monkeypatch):
    monkeypatch.setattr(importance, "_MOST_ROWS", 1000)
    sample = RowSample(columns=1)
    for start in range(0, 20_000, 100):
        numbers = torch.arange(start, start + 100)
        sample.add(numbers[:, None].float(), numbers)

    x, y = sample.rows()
    assert len(y) == 1000
    assert torch.equal(x[:, 0].long(), y)
    assert y.tolist() == sorted(y.tolist())
    assert float(y.double().mean()) == pytest.approx(10_000, abs=4 * 20_000 / (12 * 1000) ** 0.5)  # 4 deviations


@pytest.mark.parametrize(("columns", "most"), [(1, 10_000), (30, 10_000), (100, 3_000), (5_000, 1_000)])
def test_of_many_columns_fewer_rows_are_kept(columns, most):
    sample = RowSample(columns)

    sample.add(torch.zeros(30_000, 1), torch.zeros(30_000))

    assert len(sample.rows()[0]) == most
