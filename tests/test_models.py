import pytest
import torch
from torch import nn

from ignite_workflow import ConfigError, UnknownNameError
from ignite_workflow.models import build_model
from ignite_workflow.models.output import final_activation

FACTS = {
    "numbers": 2,
    "categories": (3,),
    "in_features": 3,
    "quantiles": [[-1.0, 0.0, 2.0], [-1.0, 1.0]],
    "out_features": 4,
    "output": "logit",
}
X = torch.tensor([[0.5, -1.0, 2.0], [3.0, 1.0, 0.0]])


@pytest.mark.parametrize("name", ["linear", "mlp"])
def test_a_built_in_model_takes_numbers_and_codes(name):
    assert build_model(name, {}, FACTS)(X).shape == (2, 4)


@pytest.mark.parametrize("name", ["linear", "mlp"])
@pytest.mark.parametrize("absent", [{"numbers": 0, "quantiles": []}, {"categories": ()}])
def test_a_table_may_have_numbers_only_or_categories_only(name, absent):
    facts = {**FACTS, **absent}
    x = X[:, :2] if facts["numbers"] else X[:, 2:]

    model = build_model(name, {}, facts)

    assert model(x).shape == (2, 4)
    assert all(parameter.numel() for parameter in model.parameters())


@pytest.mark.parametrize("name", ["linear", "mlp"])
def test_a_built_in_model_is_whole_when_made_without_memory_and_given_its_weights(name):
    model = build_model(name, {}, FACTS).eval()
    with torch.device("meta"):
        copy = build_model(name, {}, FACTS).eval()
    copy.load_state_dict(model.state_dict(), assign=True)

    assert torch.equal(copy(X), model(X))


@pytest.mark.parametrize("name", ["linear", "mlp"])
def test_a_built_in_model_can_be_exported_for_any_number_of_rows(name):
    model = build_model(name, {}, FACTS).eval()
    exported = torch.export.export(model, (X,), dynamic_shapes=({0: torch.export.Dim("rows")},))

    assert torch.allclose(exported.module()(X.repeat(5, 1)), model(X.repeat(5, 1)))


@pytest.mark.parametrize("name", ["linear", "mlp"])
def test_a_built_in_model_trains_under_bfloat16(name):
    model = build_model(name, {}, FACTS)
    with torch.autocast("cpu", torch.bfloat16):
        loss = nn.functional.cross_entropy(model(X), torch.tensor([0, 3]))
    loss.backward()

    assert all(parameter.grad.isfinite().all() for parameter in model.parameters())


def test_options_reach_the_model():
    assert build_model("mlp", {"hidden": [7]}, FACTS).layers[0].out_features == 7


def test_a_wrong_option_names_the_right_ones():
    with pytest.raises(ConfigError, match=r"unknown option 'hiden'\. Did you mean 'hidden'"):
        build_model("mlp", {"hiden": [8]}, FACTS)


def test_a_fact_is_no_option():
    with pytest.raises(ConfigError, match="'categories' is not an option"):
        build_model("mlp", {"categories": [2]}, FACTS)


def test_an_unknown_model_names_the_nearest():
    with pytest.raises(UnknownNameError, match="Did you mean 'linear'"):
        build_model("liner", {}, FACTS)


def test_a_class_by_import_path_gets_the_facts_it_names():
    model = build_model("torch.nn:Linear", {"bias": False}, FACTS)

    assert (model.in_features, model.out_features, model.bias) == (3, 4, None)


def test_a_function_by_import_path_may_return_a_model(tmp_path):
    file = tmp_path / "mine.py"
    file.write_text("from torch import nn\ndef net(numbers, *, depth, **more):\n    return nn.Linear(numbers, depth)\n")

    assert build_model(f"{file}:net", {"depth": 5, "other": 1}, FACTS).weight.shape == (5, 2)


def test_a_function_that_returns_no_model_is_refused(tmp_path):
    file = tmp_path / "none.py"
    file.write_text("def net():\n    return 3\n")

    with pytest.raises(ConfigError, match=r"must return an nn.Module, got 3"):
        build_model(f"{file}:net", {}, FACTS)


@pytest.mark.parametrize("output", ["value", "logit", "log_rate"])
def test_an_output_that_may_be_any_number_has_no_activation(output):
    assert final_activation(output) == []


@pytest.mark.parametrize("name", ["linear", "mlp"])
def test_probabilities_lie_between_0_and_1(name):
    y = build_model(name, {}, {**FACTS, "output": "prob"})(X)

    assert y.min() >= 0
    assert y.max() <= 1


@pytest.mark.parametrize("name", ["linear", "mlp"])
def test_log_probabilities_sum_to_1(name):
    y = build_model(name, {}, {**FACTS, "output": "log_prob"})(X)

    assert torch.allclose(y.exp().sum(dim=1), torch.ones(2))
