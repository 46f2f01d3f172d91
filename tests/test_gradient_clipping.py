import math

import pytest
import torch
from torch import nn
from torch.nn.functional import mse_loss

from ignite_workflow import ConfigError, TrainConfig, Workflow, WorkflowEvents, fire
from ignite_workflow.handlers.gradient_clipping import GradientClipping

NOTHING = dict.fromkeys(("loss_logging", "progress", "tensorboard", "curve_export"), False)
BATCH = (torch.tensor([[3.0, 4.0]]), torch.tensor([[0.0]]))


def clipped(model, optimizer, *, steps=1, train_step=None, **options):
    """Train on one batch; the gradients the optimizer stepped on, at each step."""
    workflow = Workflow.from_parts(
        model,
        optimizer,
        None if train_step else mse_loss,
        [BATCH] * steps,
        train=TrainConfig(max_epochs=1, device="cpu"),
        handlers={**NOTHING, "gradient_clipping": GradientClipping(**options)},
        train_step=train_step,
    )
    gradients = []

    @workflow.trainer.on(WorkflowEvents.OPTIMIZER_STEP_COMPLETED)
    def note():
        gradients.append([None if p.grad is None else p.grad.clone().flatten() for p in model.parameters()])

    workflow.run()
    return gradients


def norm(gradients, order=2.0):
    return torch.linalg.vector_norm(torch.cat(gradients), order).item()


def linear():
    torch.manual_seed(0)
    return nn.Linear(2, 1)


@pytest.mark.parametrize("order", [1.0, 2.0, math.inf])
def test_gradients_are_scaled_to_the_norm_without_turning(order):
    [free] = clipped(linear(), torch.optim.SGD(linear().parameters()), max_norm=1e9)
    model = linear()

    [limited] = clipped(model, torch.optim.SGD(model.parameters()), max_norm=0.1, norm_type=order)

    assert norm(limited, order) == pytest.approx(0.1, rel=1e-4)  # torch adds 1e-6 to the norm it divides by
    assert norm(free, order) > 0.1
    torch.testing.assert_close(torch.cat(limited) / norm(limited), torch.cat(free) / norm(free))


def test_gradients_below_the_norm_stay_as_they_are():
    model = linear()
    x, y = BATCH
    expected = torch.autograd.grad(mse_loss(model(x), y), list(model.parameters()))

    [gradients] = clipped(model, torch.optim.SGD(model.parameters()), max_norm=1e9)

    assert all(map(torch.equal, gradients, [gradient.flatten() for gradient in expected]))


def test_weights_without_an_optimizer_do_not_count():
    """Nobody clears their gradients, which grow from step to step."""
    model = linear()

    gradients = clipped(model, torch.optim.SGD([model.bias], lr=0.0), steps=3, max_norm=0.1)

    assert [bias.item() for _, bias in gradients] == pytest.approx([gradients[0][1].item()] * 3)
    assert abs(gradients[0][1].item()) == pytest.approx(0.1, rel=1e-4)


def test_the_gradients_of_each_optimizer_are_scaled_on_their_own():
    model = linear()
    optimizers = {"weight": torch.optim.SGD([model.weight]), "bias": torch.optim.SGD([model.bias])}

    def step(engine, batch):
        x, y = batch
        mse_loss(model(x), y).backward()
        fire(engine, WorkflowEvents.GRADIENTS_READY)
        fire(engine, WorkflowEvents.OPTIMIZER_STEP_COMPLETED)

    [(weight, bias)] = clipped(model, optimizers, train_step=step, max_norm=0.1)

    assert norm([weight]) == pytest.approx(0.1, rel=1e-4)
    assert norm([bias]) == pytest.approx(0.1, rel=1e-4)


@pytest.mark.parametrize("name", ["max_norm", "norm_type"])
@pytest.mark.parametrize("value", [0.0, -1.0, math.nan])
def test_an_option_that_is_not_positive_is_named(name, value):
    with pytest.raises(ConfigError, match=f"gradient_clipping: {name} must be positive, got {value}"):
        GradientClipping(**{name: value})
