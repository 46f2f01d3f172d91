import numpy as np
import pytest
from small_model import save_small_model

from ignite_workflow.column_features import column_features, value_correlations
from ignite_workflow.data.features import Column, Part
from ignite_workflow.model_file import load_model


class SchemaOf:
    def __init__(self, *names):
        self.parts = [(Column(name, "number", ""), Part(of)) for name in names for of in ("value", "missing")]


def test_every_feature_belongs_to_its_column(tmp_path):
    save_small_model(tmp_path, table=None)
    schema = load_model(tmp_path, device="cpu").schema

    assert column_features(schema) == {"size": [0], "color": [1]}


def test_values_are_correlated_and_nothing_else():
    random = np.random.default_rng(0)
    x = random.normal(size=(50, 6)).astype(np.float32)
    x[:, 4] = 3 - 2 * x[:, 0]

    names, correlations = value_correlations(SchemaOf("a", "b", "c"), x)

    assert names == ["a", "b", "c"]
    assert correlations[0, 2] == pytest.approx(-1)
    assert correlations[0, 1] == pytest.approx(np.corrcoef(x[:, 0], x[:, 2])[0, 1])
    assert not np.tril(correlations).any()


def test_a_column_that_does_not_vary_goes_with_none():
    x = np.array([[1, 0, 7, 0], [2, 0, 7, 0], [3, 0, 7, 0]], dtype=np.float32)

    assert not value_correlations(SchemaOf("a", "b"), x)[1].any()


def test_pairs_of_very_many_columns_are_not_all_looked_at(monkeypatch):
    monkeypatch.setattr("ignite_workflow.column_features._MOST_COMPARED", 2)

    names, correlations = value_correlations(SchemaOf("a", "b", "c"), np.eye(6, dtype=np.float32))

    assert names == ["a", "b"]
    assert correlations.shape == (2, 2)
