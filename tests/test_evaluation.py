import math

import pytest
import torch
from torch import nn
from torch.nn.functional import mse_loss

from ignite_workflow import ConfigError, TrainConfig, UnknownNameError, Workflow
from ignite_workflow.handlers.evaluation import Evaluation
from ignite_workflow.testing import scripted_workflow

NO_OTHERS = dict.fromkeys(
    ("loss_logging", "early_stopping", "best_weights", "progress", "tensorboard", "curve_export", "lr_schedule"), False
)


def iterations(workflow):
    return [iteration for iteration, _ in workflow.records.curve("val", "loss")]


def scripted(every, *, batches=4, max_epochs=3, evaluations=9):
    handlers = {"evaluation": Evaluation(every=every)}
    losses = {"train_losses": [0.0] * batches, "max_epochs": max_epochs}
    workflow = scripted_workflow(handlers=handlers, **losses, loss=[float(n) for n in range(evaluations)])
    workflow.run()
    return workflow


def test_evaluates_at_each_epochs_end_and_records_every_metric():
    workflow = scripted_workflow(loss=[1.0, 0.5], accuracy=[0.1, 0.2])

    workflow.run()

    assert [row[1:] for row in workflow.records] == [
        (1, "val", "loss", 1.0), (1, "val", "accuracy", 0.1), (2, "val", "loss", 0.5), (2, "val", "accuracy", 0.2)
    ]  # fmt: skip


def test_evaluates_every_so_many_epochs_and_the_last_one_in_any_case():
    assert iterations(scripted({"epochs": 2}, batches=1, max_epochs=5)) == [2, 4, 5]


def test_evaluates_every_so_many_iterations_across_epochs():
    assert iterations(scripted({"iterations": 5})) == [5, 10]


def test_a_metric_that_is_not_finite_is_recorded_too():
    workflow = scripted_workflow(loss=[math.nan])

    workflow.run()

    assert math.isnan(workflow.records.last("val")["loss"])


def test_minutes_are_refused():
    with pytest.raises(ConfigError, match=r"every must be \{epochs: n\} or \{iterations: n\}: metrics steer the run"):
        Evaluation(every={"minutes": 1})


def trained(val_loader, **handlers):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2), nn.Dropout(0.5), nn.Linear(2, 1))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.0)
    batches = [(torch.randn(8, 2), torch.randn(8, 1))] * 2
    train = TrainConfig(max_epochs=1, device="cpu")
    given = {**NO_OTHERS, **handlers}
    return Workflow.from_parts(model, optimizer, mse_loss, batches, val_loader, train=train, handlers=given)


def test_the_loss_is_the_mean_over_samples_of_the_model_as_it_is_used():
    x, y = torch.randn(10, 2), torch.randn(10, 1)
    workflow = trained([(x[:7], y[:7]), (x[7:], y[7:])])

    workflow.run()

    workflow.model.eval()
    expected = mse_loss(workflow.model(x), y).item()
    assert workflow.records.last("val")["loss"] == pytest.approx(expected, rel=1e-6)  # float32 sums in another order


def test_an_evaluation_leaves_no_trace_on_the_model():
    workflow = trained([(torch.randn(5, 2), torch.randn(5, 1))])
    workflow.model[1].eval()
    before = {name: tensor.clone() for name, tensor in workflow.model.state_dict().items()}

    workflow.evaluate()

    assert [module.training for module in workflow.model.modules()] == [True, True, False, True, True]
    assert all(torch.equal(before[name], tensor) for name, tensor in workflow.model.state_dict().items())
    assert all(parameter.grad is None for parameter in workflow.model.parameters())


def test_an_unknown_metric_is_named_before_training():
    with pytest.raises(UnknownNameError, match="unknown metric 'acuracy'"):
        trained([(torch.randn(5, 2), torch.randn(5, 1))], evaluation={"metrics": ["acuracy"]})


def test_evaluation_of_an_empty_loader_is_named():
    with pytest.raises(ConfigError, match="an epoch has no batches"):
        trained([]).run()
