import pytest
import torch
from torch import nn

from ignite_workflow import ConfigError, DataError, UnknownNameError, registry
from ignite_workflow.losses import DEFAULT_LOSSES, build_loss
from ignite_workflow.targets import Target, decode_target

FINAL = {"log_prob": nn.LogSoftmax(dim=1), "prob": nn.Sigmoid(), "value": nn.Identity(), "logit": nn.Identity()}
FINAL["log_rate"] = nn.Identity()
FITS = {
    **dict.fromkeys(("mse", "l1", "smooth_l1", "huber", "poisson_nll"), ("regression",)),
    **dict.fromkeys(("bce_with_logits", "bce"), ("binary", "multilabel")),
    **dict.fromkeys(("soft_margin", "hinge_embedding"), ("binary",)),
    **dict.fromkeys(("cross_entropy", "nll", "multi_margin", "kl_div"), ("binary", "multiclass")),
    **dict.fromkeys(("multi_label_soft_margin", "multi_label_margin"), ("multilabel",)),
}
CASES = [(name, task) for name, tasks in FITS.items() for task in tasks]
OTHERS = [(name, task) for name, tasks in FITS.items() for task in DEFAULT_LOSSES if task not in tasks]


def target_of(task, counts=(2, 6, 4)):
    if task == "regression":
        return Target(task=task, columns=("a", "b"), rows=12, mean=(0.0, 0.0), std=(1.0, 1.0))
    counts = counts[:2] if task == "binary" else counts
    return Target(task=task, columns=("kind",), classes=("x", "y", "z")[: len(counts)], counts=counts, rows=12)


def stored(task, n=12):
    generator = torch.Generator().manual_seed(0)
    if task == "regression":
        return torch.randint(0, 5, (n, 2), generator=generator).float()
    if task == "multilabel":
        return torch.randint(0, 2, (n, 3), generator=generator).float()
    return torch.randint(0, 2 if task == "binary" else 3, (n,), generator=generator)


def trained(name, task, steps, **options):
    """The losses of a linear model on data that it can fit."""
    torch.manual_seed(0)
    loss = build_loss(name, options, target_of(task))
    model = nn.Sequential(nn.Linear(4, loss.outputs), FINAL[loss.output])
    y = stored(task)
    x = torch.cat((y, y), 1) if y.ndim == 2 else nn.functional.one_hot(y, 4).float()
    x = nn.functional.pad(x, (0, 4))[:, :4]
    optimizer = torch.optim.Adam(model.parameters(), lr=0.1)
    encoded, values = loss.encode_target(y), []
    for _ in range(steps):
        optimizer.zero_grad()
        value = loss.fn(model(x), encoded)
        value.backward()
        optimizer.step()
        values.append(value.item())
    return loss, values, loss.to_prediction(model(x).detach()), y


@pytest.mark.parametrize(("name", "task"), CASES)
def test_every_loss_trains_a_model_of_its_output(name, task):
    _, values, prediction, y = trained(name, task, 200)

    assert values[-1] < values[0]
    if task in ("binary", "multiclass"):
        assert (prediction.argmax(1) == y).all()
        assert torch.allclose(prediction.sum(1), torch.ones(len(y)))
    elif name == "multi_label_margin":  # it ranks the labels of a row, and does not say where to cut
        present, absent = torch.where(y > 0, prediction, 2).amin(1), torch.where(y > 0, -1, prediction).amax(1)
        assert (present > absent).all()
    elif task == "multilabel":
        assert ((prediction > 0.5) == (y > 0)).all()
    else:
        assert (prediction - y).abs().mean() < 0.5


@pytest.mark.parametrize(("name", "task"), CASES)
def test_the_mean_of_two_batches_by_samples_is_the_loss_of_both(name, task):
    loss = build_loss(name, {}, target_of(task))
    y = loss.encode_target(stored(task))
    y_pred = FINAL[loss.output](torch.randn(12, loss.outputs, generator=torch.Generator().manual_seed(1)))

    parts = (5 * loss.fn(y_pred[:5], y[:5]) + 7 * loss.fn(y_pred[5:], y[5:])) / 12

    torch.testing.assert_close(parts, loss.fn(y_pred, y))


@pytest.mark.parametrize(("name", "task"), CASES)
def test_decoding_a_target_gives_what_was_stored(name, task):
    loss = build_loss(name, {}, target_of(task))

    assert torch.equal(decode_target(loss.encode_target(stored(task)), loss.target_form), stored(task))


def test_every_built_in_loss_is_tried_here():
    assert set(FITS) == set(registry.names("loss"))


@pytest.mark.parametrize(("name", "task"), OTHERS)
def test_a_loss_of_another_task_is_refused(name, task):
    with pytest.raises(ConfigError, match=f"loss {name} does not fit a {task} target. Losses that do: "):
        build_loss(name, {}, target_of(task))


@pytest.mark.parametrize("task", DEFAULT_LOSSES)
def test_a_task_has_a_loss(task):
    assert build_loss(DEFAULT_LOSSES[task], {}, target_of(task)).outputs == {"regression": 2, "binary": 1}.get(task, 3)


WEIGHTED = [(name, task) for name, task in CASES if name in ("cross_entropy", "nll", "multi_margin", "bce_with_logits")]


@pytest.mark.parametrize(("name", "task"), [case for case in WEIGHTED if case[1] != "multilabel"])
def test_class_weights_weigh_each_sample_and_have_mean_one(name, task):
    target = target_of(task)
    plain, weighted = build_loss(name, {}, target), build_loss(name, {"class_weights": "balanced"}, target)
    y = torch.repeat_interleave(torch.arange(len(target.counts)), torch.tensor(target.counts))
    weight = len(y) / len(target.counts) / torch.tensor(target.counts)[y]
    y_pred = torch.randn(len(y), plain.outputs, generator=torch.Generator().manual_seed(1))
    each = torch.stack([plain.fn(y_pred[i : i + 1], plain.encode_target(y)[i : i + 1]) for i in range(len(y))])

    torch.testing.assert_close(weight.mean(), torch.tensor(1.0))
    torch.testing.assert_close(weighted.fn(y_pred, weighted.encode_target(y)), (weight * each).mean())


@pytest.mark.parametrize(("name", "task"), WEIGHTED)
def test_weighted_batches_average_by_samples_too(name, task):
    loss = build_loss(name, {"class_weights": [1, 5, 2][: 2 if task == "binary" else 3]}, target_of(task))
    y = loss.encode_target(stored(task))
    y_pred = torch.randn(12, loss.outputs, generator=torch.Generator().manual_seed(1))

    parts = (5 * loss.fn(y_pred[:5], y[:5]) + 7 * loss.fn(y_pred[5:], y[5:])) / 12

    torch.testing.assert_close(parts, loss.fn(y_pred, y))


def test_class_weights_can_name_classes():
    by_name = build_loss("cross_entropy", {"class_weights": {"y": 3}}, target_of("multiclass"))
    by_place = build_loss("cross_entropy", {"class_weights": [1, 3, 1]}, target_of("multiclass"))

    assert torch.equal(by_name.fn.loss.weight, by_place.fn.loss.weight)


def test_balanced_label_weights_are_absent_over_present_rows():
    loss = build_loss("bce_with_logits", {"class_weights": "balanced"}, target_of("multilabel"))

    assert loss.fn.pos_weight.tolist() == [5.0, 1.0, 2.0]


def test_class_weights_move_to_the_device():
    loss = build_loss("cross_entropy", {"class_weights": "balanced"}, target_of("multiclass"))

    assert loss.to(torch.device("meta")).fn.loss.weight.device.type == "meta"


def test_options_reach_torch():
    assert build_loss("cross_entropy", {"label_smoothing": 0.1}, target_of("multiclass")).fn.label_smoothing == 0.1


@pytest.mark.parametrize(
    ("name", "task", "options", "message"),
    [
        ("mse", "multiclass", {}, "loss mse does not fit a multiclass target. Losses that do: cross_entropy, kl_div"),
        ("mse", "regression", {"reduction": "sum"}, "'reduction' must be mean, got 'sum': batches are averaged"),
        ("mse", "regression", {"reduce": True}, "'reduce' cannot be set: torch itself has replaced it by reduction"),
        ("cross_entropy", "multiclass", {"weight": [1, 2, 3]}, "'weight' cannot be set: class_weights does this"),
        ("cross_entropy", "multiclass", {"ignore_index": 0}, "rows without a class are dropped"),
        ("poisson_nll", "regression", {"log_input": False}, "the model gives the logarithm of the rate"),
        ("kl_div", "multiclass", {"log_target": True}, "'log_target' must be False, got True"),
        ("cross_entropy", "multiclass", {"label_smothing": 0.1}, "Did you mean 'label_smoothing'?"),
        ("kl_div", "multiclass", {"class_weights": "balanced"}, "loss kl_div takes no class_weights. Losses that do: "),
        ("cross_entropy", "multiclass", {"class_weights": [1, 2]}, "must be 'balanced', 3 numbers or"),
        ("cross_entropy", "multiclass", {"class_weights": "balance"}, "must be 'balanced', 3 numbers or"),
        ("cross_entropy", "multiclass", {"class_weights": [1, 2, 0]}, "class_weights must be positive numbers, got 0"),
        ("nll", "multiclass", {"class_weights": [1, 2, float("inf")]}, "must be positive numbers, got inf"),
        ("gaussian_nll", "regression", {}, "loss 'gaussian_nll' cannot be used by name: it needs a predicted variance"),
    ],
)  # fmt: skip
def test_what_cannot_work_is_refused_with_the_reason(name, task, options, message):
    with pytest.raises(ConfigError, match=message.replace("(", r"\(")):
        build_loss(name, options, target_of(task))


def test_an_unknown_class_in_class_weights_is_named():
    with pytest.raises(UnknownNameError, match=r"unknown class in class_weights 'w'"):
        build_loss("cross_entropy", {"class_weights": {"w": 3}}, target_of("multiclass"))


def test_counts_are_not_scaled_and_must_not_be_negative():
    loss = build_loss("poisson_nll", {}, target_of("regression"))

    assert not loss.scale_target
    with pytest.raises(DataError, match=r"poisson_nll needs counts \(0, 1, 2, ...\) as the target, got -1"):
        loss.encode_target(torch.tensor([[2.0, -1.0]]))


def test_a_count_of_zero_that_was_scaled_and_back_is_still_a_count():
    y = torch.tensor([[-4e-7], [1.0], [7.0]])

    assert build_loss("poisson_nll", {}, target_of("regression")).encode_target(y) is y


def test_a_model_output_of_the_wrong_shape_is_refused():
    loss = build_loss("mse", {}, target_of("regression"))

    with pytest.raises(ConfigError, match=r"must have shape \(12, 2\), got \(12,\)"):
        loss.check_shapes(torch.zeros(12), stored("regression"))


@pytest.mark.parametrize(("name", "task"), CASES)
def test_a_model_output_of_the_right_shape_passes(name, task):
    loss = build_loss(name, {}, target_of(task))

    assert loss.check_shapes(torch.zeros(12, loss.outputs), loss.encode_target(stored(task))) is None


OWN = """
import torch
def scaled(prediction, truth, factor=1.0):
    return factor * (prediction - truth).abs().mean()
class Scaled(torch.nn.Module):
    def __init__(self, factor=1.0):
        super().__init__()
        self.factor = factor
    def forward(self, prediction, truth):
        return scaled(prediction, truth, self.factor)
"""


@pytest.mark.parametrize("attribute", ["scaled", "Scaled"])
def test_a_persons_own_loss_takes_its_options(attribute, tmp_path):
    (tmp_path / "own.py").write_text(OWN)
    loss = build_loss(f"{tmp_path}/own.py:{attribute}", {"factor": 2.0}, target_of("regression"))

    assert loss.fn(torch.zeros(3, 2), torch.ones(3, 2)).item() == 2.0
    with pytest.raises(ConfigError, match=r"Did you mean 'factor'\?"):
        build_loss(f"{tmp_path}/own.py:{attribute}", {"facto": 2.0}, target_of("regression"))
