"""The steps against loops written by hand; windows of accumulation against one big batch."""

from contextlib import nullcontext
from functools import partial
from typing import NamedTuple

import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy, mse_loss

from ignite_workflow import StepOutput, WorkflowEngine, WorkflowEvents
from ignite_workflow.batch import mover, sample_count, to_device
from ignite_workflow.events import IN_STEP_EVENTS
from ignite_workflow.steps import (
    build_accumulating_step,
    build_eval_step,
    build_train_step,
)

CPU = torch.device("cpu")
OPTIMIZERS = {
    "sgd": partial(torch.optim.SGD, lr=0.1, momentum=0.9),
    "adamw": partial(torch.optim.AdamW, lr=0.01, weight_decay=0.1),
}
every_optimizer = pytest.mark.parametrize("optimizer", OPTIMIZERS.values(), ids=OPTIMIZERS)


def build_model(features=3, outputs=2):
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(features, 8), nn.Tanh(), nn.Linear(8, outputs))


def batches_of(*sizes):
    torch.manual_seed(1)
    return [(torch.randn(size, 3), torch.randn(size, 2)) for size in sizes]


def train_by_hand(model, optimizer, batches, *, max_epochs=1):
    losses = []
    for _ in range(max_epochs):
        for x, y in batches:
            loss = mse_loss(model(x), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
    return losses


def build_engine(model, optimizer, *, accumulate=1, loss_fn=mse_loss):
    build = build_train_step if accumulate == 1 else partial(build_accumulating_step, accumulate=accumulate)
    return WorkflowEngine(build(model, optimizer, loss_fn, device=CPU, autocast=nullcontext))


def run(engine, batches, *, max_epochs=1):
    losses = []
    engine.add_event_handler(WorkflowEvents.OPTIMIZER_STEP_COMPLETED, lambda: losses.append(engine.state.loss.item()))
    engine.run(batches, max_epochs=max_epochs)
    return losses


def count(engine, *events):
    """What fires, in order, with the number of the batch it fires in."""
    seen = []
    for event in events:
        engine.add_event_handler(event, lambda name: seen.append((name, engine.state.iteration)), event.name)
    return seen


def weights(model):
    return [parameter.detach().clone() for parameter in model.parameters()]


@every_optimizer
def test_trains_as_a_loop_written_by_hand_bit_for_bit(optimizer):
    ours, theirs = build_model(), build_model()
    batches = batches_of(8, 8, 5)

    losses = run(build_engine(ours, optimizer(ours.parameters())), batches, max_epochs=3)

    assert losses == train_by_hand(theirs, optimizer(theirs.parameters()), batches, max_epochs=3)
    assert all(map(torch.equal, weights(ours), weights(theirs)))


@pytest.mark.parametrize("accumulate", [1, 2])
def test_the_output_is_the_loss_without_its_graph_and_the_number_of_samples(accumulate):
    model = build_model()
    [(x, y)] = batches = batches_of(5)
    expected = mse_loss(model(x), y).detach()

    output = build_engine(model, torch.optim.SGD(model.parameters(), lr=0.1), accumulate=accumulate).run(batches).output

    assert isinstance(output, StepOutput)
    assert (output.loss, output.batch_size) == (expected, 5)
    assert not output.loss.requires_grad


@pytest.mark.parametrize("accumulate", [1, 2])
def test_the_loss_a_handler_puts_in_its_place_is_trained_on(accumulate):
    ours, theirs = build_model(), build_model()
    batches = batches_of(4)
    engine = build_engine(ours, torch.optim.SGD(ours.parameters(), lr=0.1), accumulate=accumulate)

    @engine.on(WorkflowEvents.LOSS_COMPLETED)
    def double():
        engine.state.loss = 2 * engine.state.loss

    engine.run(batches)

    train_by_hand(theirs, torch.optim.SGD(theirs.parameters(), lr=0.2), batches)
    assert all(map(torch.equal, weights(ours), weights(theirs)))  # 2 and 4 are powers of two: exact


def test_every_event_inside_a_step_fires_once():
    model = build_model()
    engine = build_engine(model, torch.optim.SGD(model.parameters(), lr=0.1))
    seen = count(engine, *IN_STEP_EVENTS)

    engine.run(batches_of(4))

    assert seen == [(event.name, 1) for event in IN_STEP_EVENTS]


def test_the_prediction_a_handler_puts_in_its_place_is_what_the_loss_sees():
    model = build_model()
    [(_, y)] = batches = batches_of(4)
    engine = build_engine(model, torch.optim.SGD(model.parameters(), lr=0.1))

    @engine.on(WorkflowEvents.FORWARD_COMPLETED)
    def shift():
        engine.state.y_pred = 0 * engine.state.y_pred

    assert engine.run(batches).output.loss == mse_loss(torch.zeros_like(y), y)


def test_gradients_a_handler_changes_are_stepped_on():
    model = build_model()
    before = weights(model)
    engine = build_engine(model, torch.optim.SGD(model.parameters(), lr=0.1))

    @engine.on(WorkflowEvents.GRADIENTS_READY)
    def erase():
        for parameter in model.parameters():
            parameter.grad.zero_()

    engine.run(batches_of(4))

    assert all(map(torch.equal, weights(model), before))


@pytest.mark.parametrize("accumulate", [1, 2])
def test_without_listeners_no_event_is_fired(accumulate):
    model = build_model()
    engine = build_engine(model, torch.optim.SGD(model.parameters(), lr=0.1), accumulate=accumulate)

    engine.run(batches_of(4, 4))

    assert engine.fired == set()


@every_optimizer
@pytest.mark.parametrize("sizes", [(4, 4, 4, 4), (4, 1, 3, 2)], ids=["equal", "unequal"])
def test_a_window_is_one_big_batch(optimizer, sizes):
    ours, theirs = build_model(), build_model()
    batches = batches_of(*sizes)
    big = [tuple(map(torch.cat, zip(*batches)))]

    build_engine(ours, optimizer(ours.parameters()), accumulate=4).run(batches, max_epochs=2)
    train_by_hand(theirs, optimizer(theirs.parameters()), big, max_epochs=2)

    # Sums over 4 parts and over the whole round differently: some units in the last place of float32 (1.2e-7) a step.
    torch.testing.assert_close(weights(ours), weights(theirs), rtol=1e-5, atol=1e-6)


def test_a_window_is_cut_at_the_epochs_end():
    ours, theirs = build_model(), build_model()
    batches = batches_of(4, 4, 4, 4, 2)
    windows = [tuple(map(torch.cat, zip(*batches[start : start + 2]))) for start in (0, 2, 4)]

    build_engine(ours, torch.optim.SGD(ours.parameters(), lr=0.1), accumulate=2).run(batches, max_epochs=2)
    train_by_hand(theirs, torch.optim.SGD(theirs.parameters(), lr=0.1), windows, max_epochs=2)

    torch.testing.assert_close(weights(ours), weights(theirs), rtol=1e-5, atol=1e-6)  # as above


def test_backward_fires_for_each_batch_and_the_rest_once_a_window():
    model = build_model()
    engine = build_engine(model, torch.optim.SGD(model.parameters(), lr=0.1), accumulate=2)
    seen = count(engine, *IN_STEP_EVENTS[2:], WorkflowEvents.SAFE_POINT)

    engine.run(batches_of(2, 2, 2))

    assert seen == [
        ("BACKWARD_COMPLETED", 1), ("BACKWARD_COMPLETED", 2), ("GRADIENTS_READY", 2), ("OPTIMIZER_STEP_COMPLETED", 2),
        ("SAFE_POINT", 2), ("BACKWARD_COMPLETED", 3), ("GRADIENTS_READY", 3), ("OPTIMIZER_STEP_COMPLETED", 3),
        ("SAFE_POINT", 3), ("SAFE_POINT", 3),
    ]  # fmt: skip


def test_gradients_are_those_of_the_windows_mean_when_they_are_called_ready():
    model = build_model()
    batches = batches_of(4, 1)
    x, y = map(torch.cat, zip(*batches))
    expected = torch.autograd.grad(mse_loss(model(x), y), list(model.parameters()))
    engine = build_engine(model, torch.optim.SGD(model.parameters(), lr=0.1), accumulate=2)
    ready = []
    engine.add_event_handler(
        WorkflowEvents.GRADIENTS_READY, lambda: ready.extend(p.grad.clone() for p in model.parameters())
    )

    engine.run(batches)

    torch.testing.assert_close(ready, list(expected), rtol=1e-5, atol=1e-6)  # as above


def test_the_losses_of_a_window_are_reported_batch_by_batch():
    model = build_model()
    batches = batches_of(4, 2)
    expected = [(mse_loss(model(x), y).item(), len(y)) for x, y in batches]
    engine = build_engine(model, torch.optim.SGD(model.parameters(), lr=0.1), accumulate=2)
    outputs = []
    engine.add_event_handler("ITERATION_COMPLETED", lambda: outputs.append(engine.state.output))

    engine.run(batches)

    assert [(output.loss.item(), output.batch_size) for output in outputs] == expected


@pytest.mark.parametrize("y", [{"a": torch.zeros(5), "b": torch.zeros(5, 2)}, [torch.zeros(5)], (torch.zeros(5),) * 3])
@pytest.mark.parametrize("accumulate", [1, 2])
def test_samples_are_counted_in_nested_targets(y, accumulate):
    model = build_model()
    engine = build_engine(
        model,
        torch.optim.SGD(model.parameters(), lr=0.1),
        accumulate=accumulate,
        loss_fn=lambda y_pred, _: y_pred.sum(),
    )

    assert engine.run([(torch.zeros(5, 3), y)]).output.batch_size == 5


@pytest.mark.parametrize("x", [{"a": torch.zeros(5)}, [torch.zeros(5), torch.zeros(5)]])
@pytest.mark.parametrize("y", [{"a": torch.zeros(3)}, ((torch.zeros(3), 1), 2)])
def test_samples_are_counted_where_inputs_are_nested_too(x, y):
    assert sample_count(x, y) == 3


def test_the_evaluation_step_leaves_no_graph_and_no_gradient():
    model = build_model()
    [(x, y)] = batches_of(4)

    y_pred, same_y = build_eval_step(model, device=CPU, autocast=nullcontext)(None, (x, y))

    assert torch.equal(y_pred, model(x))
    assert same_y is y
    assert not y_pred.requires_grad
    assert all(parameter.grad is None for parameter in model.parameters())


def test_the_evaluation_step_computes_in_the_precision_of_training():
    autocast = partial(torch.autocast, "cpu", dtype=torch.bfloat16)

    y_pred, _ = build_eval_step(build_model(), device=CPU, autocast=autocast)(None, batches_of(4)[0])

    assert y_pred.dtype is torch.bfloat16


@pytest.mark.parametrize("accumulate", [1, 2])
def test_bfloat16_computes_in_it_and_keeps_weights_and_gradients_in_float32(accumulate):
    model = build_model()
    engine = build_engine_in_bfloat16(model, accumulate)
    seen = []
    engine.add_event_handler(WorkflowEvents.FORWARD_COMPLETED, lambda: seen.append(engine.state.y_pred.dtype))
    engine.add_event_handler(
        WorkflowEvents.GRADIENTS_READY, lambda: seen.extend(p.grad.dtype for p in model.parameters())
    )

    loss = engine.run([(torch.randn(4, 3), torch.tensor([0, 1, 0, 1]))]).output.loss

    assert seen == [torch.bfloat16] + [torch.float32] * 4
    assert loss.isfinite()


def build_engine_in_bfloat16(model, accumulate):
    build = build_train_step if accumulate == 1 else partial(build_accumulating_step, accumulate=accumulate)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    autocast = partial(torch.autocast, "cpu", dtype=torch.bfloat16)
    return WorkflowEngine(build(model, optimizer, cross_entropy, device=CPU, autocast=autocast))


class Pair(NamedTuple):
    left: torch.Tensor
    right: torch.Tensor


def test_a_batch_is_moved_whatever_it_is_nested_in():
    batch = {"x": [torch.zeros(2), (torch.zeros(2), "name")], "y": Pair(torch.zeros(2), torch.zeros(2))}

    moved = to_device(batch, torch.device("meta"))

    assert moved["x"][0].is_meta
    assert moved["x"][1][0].is_meta
    assert moved["x"][1][1] == "name"
    assert type(moved["y"]) is Pair
    assert moved["y"].left.is_meta


def test_a_batch_stays_where_it_is_on_the_cpu():
    batch = (torch.zeros(2), torch.zeros(2))

    assert mover(CPU)(batch) is batch
    assert to_device(batch[0], CPU) is batch[0]
