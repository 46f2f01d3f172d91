import math

import pytest
import torch
from torch import nn

from ignite_workflow import DivergedError
from ignite_workflow.finite import check_weights, first_bad_weight, is_finite


def stepped(model, **options):
    """An optimizer that has kept something of each parameter."""
    optimizer = torch.optim.Adam(model.parameters(), **options)
    model(torch.ones(2, 3)).sum().backward()
    optimizer.step()
    return {"optimizer": optimizer}


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16, torch.float16, torch.complex64])
def test_one_number_of_any_kind_that_is_not_finite_is_seen(dtype, value):
    tensor = torch.zeros(3, 5, dtype=dtype)
    assert is_finite(tensor)

    tensor[2, 4] = value

    assert not is_finite(tensor)


def test_whole_numbers_are_finite_and_a_sparse_tensor_is_its_values():
    assert is_finite(torch.tensor([1, 2]))
    assert is_finite(torch.tensor([True]))
    assert not is_finite(torch.sparse_coo_tensor([[1]], [math.nan], (4,), check_invariants=False))


def test_finite_weights_pass():
    model = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2))

    check_weights(model, stepped(model))

    assert first_bad_weight(model) is None


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_weight_that_is_not_finite_is_named(value):
    model = nn.Sequential(nn.Linear(3, 2), nn.Linear(2, 1))
    optimizers = stepped(model)
    model[1].bias.data[0] = value

    with pytest.raises(DivergedError, match=r"^training diverged: the weight 1\.bias is not finite$"):
        check_weights(model, optimizers)


def test_a_buffer_may_be_infinite_as_a_mask_is_but_not_nan():
    model = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2))
    optimizers = stepped(model)
    model[1].running_mean[0] = -math.inf
    check_weights(model, optimizers)

    model[1].running_mean[0] = math.nan

    with pytest.raises(DivergedError, match=r"the buffer 1\.running_mean is not finite"):
        check_weights(model, optimizers)


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_what_the_optimizer_keeps_of_a_weight_is_looked_at(value):
    model = nn.Linear(3, 2)
    optimizers = stepped(model)
    optimizers["optimizer"].state[model.bias]["exp_avg_sq"][1] = value

    with pytest.raises(DivergedError, match="exp_avg_sq of bias in Adam is not finite"):
        check_weights(model, optimizers)


def test_numbers_whose_squares_overflow_are_finite():
    model = nn.Linear(3, 2)
    optimizers = stepped(model)
    model.weight.data.fill_(1e30)

    check_weights(model, optimizers)
