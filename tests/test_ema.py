from contextlib import suppress

import pytest
import torch
from ignite.engine import Events
from torch import nn
from torch.nn.functional import mse_loss
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from torch.utils.data import DataLoader, TensorDataset

from ignite_workflow import ConfigError, TrainConfig, Workflow, WorkflowEvents
from ignite_workflow.handler_specs import NO_HANDLERS
from ignite_workflow.handlers.best_weights import BestWeights
from ignite_workflow.handlers.ema import EMA
from ignite_workflow.testing import scripted_workflow


def numbered(handler, losses=(0.0,), **more):
    """A run whose weights are the number of the epoch, one step an epoch."""
    workflow = scripted_workflow(handlers={**more, "ema": handler}, loss=losses)

    @workflow.trainer.on(Events.ITERATION_STARTED)
    @torch.no_grad()
    def number():
        for parameter in workflow.model.parameters():
            parameter.fill_(workflow.trainer.state.epoch)

    return workflow


def evaluated(workflow):
    """The model's weight at each evaluation, and at the safe point after it."""
    seen, trained = [], []
    workflow.evaluator.add_event_handler(Events.COMPLETED, lambda: seen.append(workflow.model.weight.item()))
    workflow.trainer.add_event_handler(
        WorkflowEvents.SAFE_POINT, lambda: trained.append(workflow.model.weight.item()) if workflow.records else None
    )
    return seen, trained


def test_the_average_is_that_of_torch():
    torch.manual_seed(0)
    model = nn.Linear(3, 2)
    handler = EMA(decay=0.9, warmup=False)
    data = TensorDataset(torch.randn(12, 3), torch.randn(12, 2))
    workflow = Workflow.from_parts(
        model,
        torch.optim.SGD(model.parameters(), lr=0.1),
        mse_loss,
        DataLoader(data, batch_size=3),
        train=TrainConfig(max_epochs=3, device="cpu"),
        handlers={**NO_HANDLERS, "ema": handler},
    )
    oracle = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(0.9))
    workflow.trainer.add_event_handler(Events.ITERATION_COMPLETED, oracle.update_parameters, model)

    workflow.run()

    assert torch.equal(handler.averages["weight"], oracle.module.weight)
    assert torch.equal(model.bias, oracle.module.bias)


def test_the_decay_grows_from_little():
    handler = EMA(decay=0.9)

    numbered(handler, [0.0] * 2).run()

    assert handler.averages["weight"].item() == pytest.approx(1 + (1 - 3 / 12) * (2 - 1))


def test_the_average_is_evaluated_and_the_weights_themselves_are_trained():
    workflow = numbered(EMA(decay=0.5, warmup=False), [0.0] * 3)
    seen, trained = evaluated(workflow)

    workflow.run()

    assert seen == [1.0, 1.5, 2.25]
    assert trained[::2] == [1.0, 2.0, 3.0]


def test_training_ends_with_the_average():
    workflow = numbered(EMA(decay=0.5, warmup=False), [0.0] * 3)

    workflow.run()

    assert workflow.model.weight.item() == 2.25


def test_or_with_the_average_that_was_best():
    workflow = numbered(EMA(decay=0.5, warmup=False), [3.0, 1.0, 2.0], best_weights=BestWeights())

    workflow.run()

    assert workflow.model.weight.item() == 1.5


def test_is_only_kept_where_it_is_not_evaluated():
    handler = EMA(decay=0.5, warmup=False, evaluate=False)
    workflow = numbered(handler, [0.0] * 3)
    seen, _ = evaluated(workflow)

    workflow.run()

    assert seen == [1.0, 2.0, 3.0]
    assert (workflow.model.weight.item(), handler.averages["weight"].item()) == (3.0, 2.25)


@pytest.mark.parametrize("ends", [lambda workflow: 1 / 0, lambda workflow: workflow.request_stop("signal", 143)])
def test_an_evaluation_that_does_not_end_leaves_the_weights_that_are_trained(ends):
    handler = EMA(decay=0.5, warmup=False)
    workflow = numbered(handler, [0.0] * 3)

    @workflow.evaluator.on(Events.STARTED)
    def end():
        if workflow.trainer.state.epoch == 2:
            ends(workflow)

    with suppress(ZeroDivisionError):
        workflow.run()

    assert (workflow.model.weight.item(), handler.averages["weight"].item()) == (2.0, 1.5)


@pytest.mark.parametrize("decay", [1.0, -0.1, float("nan")])
def test_a_decay_out_of_range_is_refused(decay):
    with pytest.raises(ConfigError, match="ema: decay must be at least 0 and less than 1, got"):
        EMA(decay=decay)
