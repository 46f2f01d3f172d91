import pytest
import torch
from torch import nn

from ignite_workflow import ConfigError, UnknownNameError, registry
from ignite_workflow.optimizers import build_optimizer, without_decay


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.embeddings = nn.ModuleList([nn.Embedding(3, 2), nn.Embedding(4, 2)])
        self.norm = nn.LayerNorm((2, 4))
        self.layers = nn.Sequential(nn.Linear(4, 5), nn.BatchNorm1d(5), nn.Linear(5, 1))

    def forward(self, codes):
        x = torch.cat([table(codes[:, i]) for i, table in enumerate(self.embeddings)], dim=1)
        return self.layers(self.norm(torch.stack((x, x), 1))[:, 0])


MATRICES = {"layers.0.weight", "layers.2.weight"}


def named(model, parameters):
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    return {names[id(parameter)] for parameter in parameters}


def groups_of(model, optimizer):
    return [named(model, group["params"]) for group in optimizer.param_groups]


@pytest.mark.parametrize("name", registry.names("optimizer"))
def test_every_optimizer_lowers_the_loss(name):
    torch.manual_seed(0)
    model, codes, y = Net(), torch.randint(0, 3, (16, 2)), torch.randn(16, 1)
    optimizer = build_optimizer(name, {}, model)
    losses = []
    for _ in range(20):
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(model(codes), y)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())

    assert losses[-1] < losses[0]


def test_biases_norms_and_embeddings_do_not_decay():
    model = Net()
    optimizer = build_optimizer("adamw", {"weight_decay": 0.1}, model)

    assert [group["weight_decay"] for group in optimizer.param_groups] == [0.1, 0.0]
    assert groups_of(model, optimizer) == [MATRICES, {name for name, _ in model.named_parameters()} - MATRICES]


def test_the_default_weight_decay_spares_them_too():
    assert [group["weight_decay"] for group in build_optimizer("adamw", {}, Net()).param_groups] == [0.01, 0.0]


def test_without_weight_decay_there_is_one_group():
    assert len(build_optimizer("adam", {}, Net()).param_groups) == 1


def test_a_weight_that_is_a_norm_of_several_dimensions_is_spared():
    assert {"norm.weight", "embeddings.1.weight"} <= without_decay(Net())


def test_the_parameters_of_a_bare_layer_are_named_without_a_dot():
    assert without_decay(nn.Embedding(3, 2)) == {"weight"}


def test_a_group_by_name_has_options_of_its_own():
    model = Net()
    optimizer = build_optimizer("adamw", {"lr": 0.1, "groups": [{"match": "layers.2.*", "lr": 0.01}]}, model)

    assert [group["lr"] for group in optimizer.param_groups] == [0.01, 0.01, 0.1, 0.1]
    assert groups_of(model, optimizer)[:3] == [{"layers.2.weight"}, {"layers.2.bias"}, {"layers.0.weight"}]


def test_a_group_with_a_weight_decay_decays_whole():
    model = Net()
    optimizer = build_optimizer("adamw", {"groups": [{"match": "layers.2.*", "weight_decay": 0.5}]}, model)

    assert groups_of(model, optimizer)[0] == {"layers.2.weight", "layers.2.bias"}
    assert [group["weight_decay"] for group in optimizer.param_groups] == [0.5, 0.01, 0.0]


def test_the_first_group_that_matches_counts():
    model = Net()
    groups = [{"match": "layers.0.*", "lr": 0.1}, {"match": "layers.*", "lr": 0.2}]

    optimizer = build_optimizer("sgd", {"lr": 1.0, "groups": groups}, model)

    assert groups_of(model, optimizer)[0] == {"layers.0.weight", "layers.0.bias"}
    assert [group["lr"] for group in optimizer.param_groups] == [0.1, 0.2, 1.0]


def test_frozen_parameters_are_left_out():
    model = Net()
    model.embeddings.requires_grad_(False)

    optimizer = build_optimizer("sgd", {}, model)

    assert not any("embeddings" in name for group in groups_of(model, optimizer) for name in group)


@pytest.mark.parametrize("name", ["adam", "adamw", "sgd", "adagrad"])
def test_one_kernel_updates_all_where_torch_has_it(name):
    assert build_optimizer(name, {}, Net()).defaults["fused"] is True


def test_a_choice_of_kernel_is_kept():
    assert build_optimizer("adam", {"fused": False}, Net()).defaults["fused"] is False
    assert build_optimizer("adam", {"foreach": True}, Net()).defaults["fused"] is None


def test_complex_parameters_are_not_fused():
    model = nn.Linear(2, 2, dtype=torch.complex64)

    assert build_optimizer("adam", {}, model).defaults["fused"] is None


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("adam", {"lrr": 0.1}, r"optimizer adam: unknown option 'lrr'. Did you mean 'lr'\?"),
        ("adam", {"lr": "fast"}, "optimizer adam: lr"),
        ("adam", {"lr": -1.0}, "optimizer adam: Invalid learning rate: -1.0."),
        ("adam", {"params": []}, "'params' is not an option"),
        ("adam", {"groups": {"match": "layers.*"}}, "groups must be a list like"),
        ("adam", {"groups": [{"lr": 0.1}]}, "a group needs match, a pattern for names of parameters: {'lr': 0.1}"),
        ("adam", {"groups": [{"match": "*", "lrr": 0.1}]}, r"adam, group '\*': unknown option 'lrr'."),
        ("adam", {"groups": [{"match": "layer.0.weight"}]}, r"matches no parameter that is trained. Did you mean"),
        ("adam", {"groups": [{"match": "*"}, {"match": "layers.*"}]}, r"'layers.\*' matches is in the groups before"),
        ("muon", {"lr": -1.0}, "optimizer muon: Learning rate should be >= 0 but is: -1.0"),
        ("muon", {"groups": []}, "optimizer muon: unknown option 'groups'"),
        ("lbfgs", {}, "optimizer 'lbfgs' cannot be used by name: it calls the model several times a step"),
        ("sparse_adam", {}, "it takes sparse gradients only"),
    ],
)  # fmt: skip
def test_what_cannot_work_is_refused_with_the_reason(name, options, message):
    with pytest.raises(ConfigError, match=message):
        build_optimizer(name, options, Net())


def test_a_wrong_name_suggests_the_right_one():
    with pytest.raises(UnknownNameError, match=r"unknown optimizer 'adamm'. Did you mean 'adam'"):
        build_optimizer("adamm", {}, Net())


def test_muon_steps_for_matrices_and_adamw_for_all_else():
    model, codes, y = Net(), torch.randint(0, 3, (16, 2)), torch.randn(16, 1)
    optimizer = build_optimizer("muon", {"lr": 0.1}, model)
    others = {name for name, _ in model.named_parameters()} - MATRICES

    nn.functional.mse_loss(model(codes), y).backward()
    optimizer.step()

    assert [group["by"] for group in optimizer.param_groups] == ["muon", "adamw"]
    assert groups_of(model, optimizer) == [MATRICES, others]
    assert [group["weight_decay"] for group in optimizer.param_groups] == [0.1, 0.0]
    assert "momentum_buffer" in optimizer.state[model.layers[0].weight]
    assert "exp_avg" in optimizer.state[model.layers[0].bias]


@pytest.mark.parametrize(("shape", "by"), [((4, 3), ["muon"]), ((3,), ["adamw"]), ((4, 3, 3), ["adamw"])])
def test_muon_does_with_parameters_of_one_kind(shape, by):
    model = nn.ParameterList([torch.ones(shape)])

    optimizer = build_optimizer("muon", {}, model)

    assert [group["by"] for group in optimizer.param_groups] == by


def test_a_model_without_anything_to_train_is_refused():
    with pytest.raises(ConfigError, match="optimizer adam: the model has no parameters to train"):
        build_optimizer("adam", {}, nn.ReLU())


OWN = """
import torch
class Slow(torch.optim.SGD):
    pass
def pair(model, lr=0.1):
    parts = {"first": model.layers[0], "last": model.layers[2]}
    return {name: torch.optim.SGD(part.parameters(), lr=lr) for name, part in parts.items()}
def nothing(model):
    return 3
"""


def test_a_persons_own_class_gets_groups(tmp_path):
    (tmp_path / "own.py").write_text(OWN)

    optimizer = build_optimizer(f"{tmp_path}/own.py:Slow", {"lr": 0.1, "weight_decay": 0.1}, Net())

    assert [group["weight_decay"] for group in optimizer.param_groups] == [0.1, 0.0]


def test_a_persons_own_function_gets_the_model(tmp_path):
    (tmp_path / "own.py").write_text(OWN)

    optimizers = build_optimizer(f"{tmp_path}/own.py:pair", {"lr": 0.5}, Net())

    assert {name: optimizer.defaults["lr"] for name, optimizer in optimizers.items()} == {"first": 0.5, "last": 0.5}
    with pytest.raises(ConfigError, match=r"Did you mean 'lr'\?"):
        build_optimizer(f"{tmp_path}/own.py:pair", {"lrr": 0.5}, Net())


def test_a_function_that_returns_no_optimizer_is_refused(tmp_path):
    (tmp_path / "own.py").write_text(OWN)

    with pytest.raises(ConfigError, match="must return an Optimizer, or several by name, got 3"):
        build_optimizer(f"{tmp_path}/own.py:nothing", {}, Net())
