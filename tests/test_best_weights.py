import math

import pytest
import torch
from ignite.engine import Events

from ignite_workflow import UnknownNameError
from ignite_workflow.handlers.best_weights import BestWeights
from ignite_workflow.testing import scripted_workflow


def numbered(workflow):
    """Give the model weights that tell the epoch, before each evaluation."""

    @workflow.trainer.on(Events.ITERATION_COMPLETED)
    @torch.no_grad()
    def number():
        for parameter in workflow.model.parameters():
            parameter.fill_(workflow.trainer.state.epoch)

    return workflow


def scripted(losses, **options):
    return numbered(scripted_workflow(handlers={"best_weights": BestWeights(**options)}, loss=losses))


@pytest.mark.parametrize(
    ("losses", "best"),
    [
        ([3.0, 1.0, 2.0], 2),
        ([3.0, 2.0, 1.0], 3),
        ([1.0, 1.0, 1.0], 1),
        ([math.nan, 2.0, 3.0], 2),
        ([2.0, math.nan, -math.inf], 1),
    ],
)
def test_training_ends_with_the_weights_of_the_best_evaluation(losses, best):
    workflow = scripted(losses)

    workflow.run()

    assert workflow.model.weight.item() == workflow.model.bias.item() == best


def test_without_a_finite_value_the_last_weights_stay():
    workflow = scripted([math.nan, math.inf])

    workflow.run()

    assert workflow.model.weight.item() == 2


def test_the_best_may_be_the_largest():
    workflow = numbered(
        scripted_workflow(
            handlers={"best_weights": BestWeights(metric="accuracy", mode="max")}, accuracy=[0.1, 0.9, 0.5]
        )
    )

    workflow.run()

    assert workflow.model.weight.item() == 2


def test_a_run_that_is_stopped_to_be_resumed_keeps_its_last_weights():
    workflow = scripted([1.0, 2.0, 3.0])
    workflow.trainer.add_event_handler(
        Events.EPOCH_COMPLETED(once=2), lambda: workflow.request_stop("signal", exit_code=143)
    )

    workflow.run()

    assert workflow.model.weight.item() == 2


def test_remembers_the_best_where_it_was_saved():
    before, after = BestWeights(), BestWeights()
    numbered(scripted_workflow(handlers={"best_weights": before}, loss=[2.0, 1.0, 3.0])).run()
    workflow = numbered(scripted_workflow(handlers={"best_weights": after}, loss=[1.5]))
    after.load_state_dict(before.state_dict())

    workflow.run()

    assert (after.best, after.iteration) == (1.0, 2)
    assert workflow.model.weight.item() == 2


def test_what_is_kept_is_a_copy_on_the_cpu():
    handler = BestWeights()
    workflow = numbered(scripted_workflow(handlers={"best_weights": handler}, loss=[1.0]))

    workflow.run()
    with torch.no_grad():
        workflow.model.weight.fill_(9)

    assert handler.weights["weight"].item() == 1


def test_an_unknown_metric_is_named_before_training():
    with pytest.raises(UnknownNameError, match="unknown validation metric 'los'"):
        scripted([1.0], metric="los")
