import math

import pytest
import torch
from torch import nn

from ignite_workflow import ConfigError
from ignite_workflow.models.embeddings import CategoryEmbedding, LinearPath, PeriodicEmbedding, PiecewiseLinearEmbedding
from ignite_workflow.models.mlp import MLP
from ignite_workflow.optimizers import without_decay

EDGES = [[-1.0, 0.0, 2.0], [-1.0, 1.0]]
X = torch.tensor([[0.5, -1.0, 2.0], [3.0, 1.0, 0.0], [-0.2, 0.3, 1.0]])


def filled_bins(x, edges):
    """What an embedding gives that passes on how far each bin is filled."""
    embedding = PiecewiseLinearEmbedding(edges, len(edges[0]) - 1)
    embedding.weight.data = torch.eye(len(edges[0]) - 1)[None]
    embedding.slope.data.zero_()
    embedding.bias.data.zero_()
    return embedding(torch.tensor(x).reshape(-1, 1)).tolist()


def test_a_number_fills_the_bins_below_it_and_part_of_its_own():
    assert filled_bins([-1.0, -0.25, 1.0, 2.0], [[-1.0, 0.0, 2.0]]) == [[0, 0], [0.75, 0], [1, 0.5], [1, 1]]


def test_equal_edges_make_no_bin():
    assert filled_bins([0.5], [[0.0, 0.0, 1.0]]) == [[0.5, 0]]


def test_edges_that_float32_cannot_tell_apart_make_no_bin():
    assert filled_bins([0.5], [[0.0, 1.0, 1.0 + 1e-12]]) == [[0.5, 0]]


def test_a_narrow_bin_far_from_zero_is_filled_as_exactly_as_its_edges_allow():
    low, high, x = torch.tensor([1000.1, 1000.3, 1000.2]).double().tolist()  # what float32 makes of them

    assert filled_bins([x], [[low, high]])[0][0] == pytest.approx((x - low) / (high - low), abs=1e-6)


def test_the_slope_holds_over_the_whole_range():
    embedding = PiecewiseLinearEmbedding([[-1.0, 0.0, 2.0]], 1)
    embedding.weight.data.zero_()
    embedding.slope.data.fill_(3.0)
    embedding.bias.data.fill_(1.0)

    assert embedding(torch.tensor([[-1.0], [0.5], [2.0]])).flatten().tolist() == [0.0, 2.5, 7.0]  # ReLU: not -2


def test_beyond_the_range_of_training_nothing_changes():
    embedding = PiecewiseLinearEmbedding(EDGES, 4)

    assert torch.equal(embedding(torch.tensor([[9.0, -9.0]])), embedding(torch.tensor([[2.0, -1.0]])))


@pytest.mark.parametrize("edges", [[], [0.5]])
def test_a_number_without_bins_is_not_used(edges):
    embedding = PiecewiseLinearEmbedding([edges, [0.0, 1.0]], 4)

    assert torch.equal(embedding(torch.tensor([[7.0, 0.5]])), embedding(torch.tensor([[-7.0, 0.5]])))


def test_a_periodic_embedding_repeats_itself():
    embedding = PeriodicEmbedding(1, 4, frequencies=2)
    embedding.frequency.data = torch.tensor([1.0, 2.0])

    assert torch.allclose(embedding(torch.tensor([[0.3]])), embedding(torch.tensor([[1.3]])), atol=1e-5)


def test_classes_of_the_same_code_in_two_categories_have_vectors_of_their_own():
    embedding = CategoryEmbedding((2, 3), 1)
    embedding.table.weight.data = torch.arange(5.0)[:, None]

    assert embedding.eval()(torch.tensor([[1.0, 0.0], [0.0, 2.0]])).tolist() == [[1, 2], [0, 4]]


def test_the_unknown_class_is_met_in_training():
    embedding = CategoryEmbedding((3,), 1)
    embedding.table.weight.data = torch.arange(3.0)[:, None]
    torch.manual_seed(0)
    given = embedding(torch.full((5000, 1), 2.0))

    assert given.unique().tolist() == [0, 2]
    assert (given == 0).float().mean().item() == pytest.approx(0.02, abs=0.006)  # three standard deviations


@pytest.mark.parametrize("kind", ["piecewise_linear", "periodic", "none"])
def test_a_row_is_predicted_alike_alone_and_among_others_in_training_too(kind):
    model = MLP(EDGES, (), 2, number_embedding=kind, dropout=0.0)
    x = X[:, :2]

    assert torch.allclose(model(x)[1:2], model(x[1:2]), atol=1e-6)  # sums in another order


@pytest.mark.parametrize("kind", ["piecewise_linear", "periodic", "none"])
def test_every_weight_learns(kind):
    model = MLP(EDGES, (3,), 2, number_embedding=kind, hidden=(64,), dropout=0.0)
    model(X).square().sum().backward()

    assert all(parameter.grad.any() for parameter in model.parameters())


def test_without_hidden_layers_one_linear_layer_follows_the_embeddings():
    model = MLP(EDGES, (), 1, hidden=())

    assert (len(model.layers), type(model.head)) == (0, nn.Linear)


def test_dropout_is_on_in_training_only():
    model = MLP(EDGES, (), 2, dropout=0.5)
    x = X[:, :2]

    assert not torch.equal(model(x), model(x))
    assert torch.equal(model.eval()(x), model(x))


def test_weight_decay_spares_all_but_the_slopes():
    model = MLP(EDGES, (3,), 1, hidden=(8,))
    decayed = {name for name, _ in model.named_parameters()} - without_decay(model)

    embedded = {"number_embedding.weight", "number_embedding.slope"}
    assert decayed == embedded | {"layers.0.weight", "head.weight", "linear_path.weight"}


def test_the_linear_path_starts_at_zero():
    path = LinearPath(2, (3,), 4)

    assert torch.equal(path(X), torch.zeros(3, 4))


def test_the_linear_path_adds_up_numbers_and_classes():
    path = LinearPath(2, (3,), 1).eval()
    path.weight.data = torch.tensor([[1.0, 0.0]])
    path.classes.table.weight.data = torch.tensor([[0.0], [5.0], [7.0]])

    assert path(torch.tensor([[0.003, 4.0, 2.0]])).item() == pytest.approx(70.03)


def test_an_outlier_counts_as_three_standard_deviations_on_the_linear_path():
    path = LinearPath(1, (), 1)
    path.weight.data.fill_(0.1)

    assert path(torch.tensor([[1e4], [-1e9]])).flatten().tolist() == pytest.approx([3, -3])


def test_a_bent_function_is_fitted_at_the_first_go():
    torch.manual_seed(0)
    x = torch.linspace(-1, 1, 256)[:, None]
    y = torch.sin(2 * math.pi * x)
    model = MLP([torch.linspace(-1, 1, 17).tolist()], (), 1, hidden=(32,), dropout=0.0)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    for _ in range(100):
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(model(x), y)
        loss.backward()
        optimizer.step()

    assert loss.item() < 0.01  # of a variance of 0.5


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"hidden": [8, 0]}, "hidden must be at least 1, got 0"),
        ({"embedding_size": 0}, "embedding_size must be at least 1, got 0"),
        ({"dropout": 1.0}, "dropout must be at least 0 and below 1, got 1.0"),
        ({"dropout": -0.1}, "dropout must be at least 0 and below 1, got -0.1"),
    ],
)
def test_an_option_out_of_range_is_named(options, message):
    with pytest.raises(ConfigError, match=message):
        MLP(EDGES, (), 1, **options)
