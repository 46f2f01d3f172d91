import pytest
import torch
from torch import nn

from ignite_workflow.models.linear import Linear, linear_in_data_units


def test_without_categories_it_is_one_linear_layer():
    model = Linear(2, (), 1)
    nn.init.normal_(model.linear.weight)
    x = torch.randn(5, 2)

    assert torch.equal(model(x), model.linear(x))


def test_a_known_class_adds_its_own_weight():
    model = Linear(1, (3, 4), 1)
    model.linear.weight.data = torch.tensor([[10.0, 1.0, 2.0, 3.0, 4.0, 5.0]])

    assert model(torch.tensor([[1.0, 2.0, 3.0]])).item() == 10 + 2 + 5


def test_an_unknown_class_adds_nothing():
    model = Linear(1, (3, 4), 1)
    model.linear.weight.data = torch.tensor([[10.0, 1.0, 2.0, 3.0, 4.0, 5.0]])

    assert model(torch.tensor([[1.0, 0.0, 0.0]])).item() == 10


def test_it_starts_by_predicting_the_mean():
    assert Linear(3, (4,), 2)(torch.randn(5, 4)).eq(0).all()


def test_what_was_learnt_is_read_off_in_the_units_of_the_data():
    x = torch.linspace(-3, 8, 40, dtype=torch.float64)
    y = 0.7 * x + 0.3
    model = Linear(1, (), 1)
    model.linear.weight.data.fill_(1.0)  # the slope of y on x, both standardised

    weight, _, bias = linear_in_data_units(model, [x.mean()], [x.std()], target_mean=[y.mean()], target_std=[y.std()])

    assert weight.item() == pytest.approx(0.7, abs=1e-12)
    assert bias.item() == pytest.approx(0.3, abs=1e-12)


def test_data_units_predict_what_the_model_predicts():
    model = Linear(2, (3,), 2).double()
    nn.init.normal_(model.linear.weight)
    nn.init.normal_(model.linear.bias)
    mean, std, y_mean, y_std = [4.0, -2.0], [3.0, 0.1], [7.0, 1e5], [2.0, 3e4]
    numbers, codes = torch.randn(6, 2, dtype=torch.float64), torch.tensor([0, 1, 2, 2, 0, 1])

    weight, (class_weight,), bias = linear_in_data_units(model, mean, std, target_mean=y_mean, target_std=y_std)
    x = numbers * torch.tensor(std) + torch.tensor(mean)
    y = bias + x @ weight.T + class_weight.T[codes]

    standardised = model(torch.cat([numbers, codes[:, None]], dim=1))
    assert torch.allclose(y, standardised * torch.tensor(y_std) + torch.tensor(y_mean))


def test_an_unknown_class_weighs_nothing_in_data_units():
    model = Linear(0, (3,), 1)
    model.linear.weight.data = torch.tensor([[5.0, 6.0]])

    assert linear_in_data_units(model, [], []).class_weight[0].tolist() == [[0.0, 5.0, 6.0]]
