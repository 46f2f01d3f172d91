"""A value that is not finite, wherever it comes from, never reaches the weights or a file."""

import json
import math
from itertools import pairwise

import pytest
import torch
from torch import nn
from torch.nn.functional import mse_loss
from torch.utils.data import DataLoader, TensorDataset

from ignite_workflow import ConfigError, DivergedError, StepOutput, TrainConfig, Workflow, WorkflowEvents, fire
from ignite_workflow.bad_batches import find_bad_batch, load_bad_batch
from ignite_workflow.handlers.nan_guard import NanGuard
from ignite_workflow.optimizers import build_optimizer

QUIET = dict.fromkeys(("progress", "tensorboard", "curve_export"), False)
BAD = [math.nan, math.inf, -math.inf]
EACH_STEP = {"checkpointing": {"every": {"iterations": 1}}}


def assembled(directory=None, *, bad=None, model=None, optimizer="adamw", rows=24, handlers=None, later=False, **more):
    """A run of 2 epochs over rows in order, 4 a batch, with the number ``bad`` in row 9: the third batch."""
    torch.manual_seed(0)
    x = torch.randn(rows, 3)
    y = x.sum(1, keepdim=True)
    if bad is not None:
        x[9, 1] = bad
    model = model or nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.ReLU(), nn.Linear(4, 1))
    accumulate = more.pop("accumulate", 1)
    guard = NanGuard(**more.pop("guard", {}))
    workflow = Workflow.from_parts(
        model,
        build_optimizer(optimizer, {"lr": 0.01}, model) if isinstance(optimizer, str) else optimizer(model),
        more.pop("loss_fn", mse_loss),
        DataLoader(TensorDataset(x, y), batch_size=4),
        train=TrainConfig(max_epochs=2, device="cpu", accumulate=accumulate),
        handlers={**QUIET, "nan_guard": guard, **(handlers or {})},
        run_directory=directory,
        **more,
    )
    guard.later = later
    return workflow


def state(workflow):
    """Copies of weights, buffers and what the optimizer keeps."""
    kept = [value for each in workflow.optimizer.state.values() for value in each.values() if value is not None]
    return [tensor.clone() for tensor in [*workflow.model.state_dict().values(), *kept]]


def parameters(workflow):
    return [parameter.detach().clone() for parameter in workflow.model.parameters()]


def states_after(workflow):
    """The states after each iteration."""
    states = []
    workflow.trainer.add_event_handler("ITERATION_COMPLETED", lambda: states.append(state(workflow)))
    return states


def same(left, right):
    return len(left) == len(right) and all(map(torch.equal, left, right))


def finite(states):
    return all(tensor.isfinite().all() for each in states for tensor in each)


def skipping(**more):
    return {"guard": {"action": "skip", **more}}


# Stopping


@pytest.mark.parametrize("bad", BAD)
def test_stops_before_the_optimizer_steps_and_names_the_place(bad):
    workflow = assembled(bad=bad)
    weights = []
    workflow.trainer.add_event_handler("ITERATION_COMPLETED", lambda: weights.append(parameters(workflow)))

    with pytest.raises(DivergedError) as caught:
        workflow.run()

    assert str(caught.value).startswith(
        "training diverged at iteration 3 (epoch 1, batch 3): not finite: the input, the output of 0 (Linear), the loss"
    )
    assert "row 9 (1 of the 4 in the batch)" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(weights) == 2
    assert same(parameters(workflow), weights[-1])


@pytest.mark.parametrize("bad", BAD)
def test_a_gradient_that_is_not_finite_stops_it_though_the_loss_is(bad):
    workflow = assembled()

    @workflow.trainer.on(WorkflowEvents.BACKWARD_COMPLETED)
    def spoil():
        if workflow.trainer.state.iteration == 4:
            workflow.model[3].weight.grad[0, 2] = bad

    with pytest.raises(DivergedError, match=r"iteration 4 .*finite when the batch was run again without handlers"):
        workflow.run()


@pytest.mark.parametrize("bad", BAD)
def test_a_loss_that_is_not_finite_stops_it_though_the_gradients_are(bad):
    def loss_fn(y_pred, y):
        loss = mse_loss(y_pred, y)
        return loss + (bad if workflow.trainer.state.iteration == 5 else 0.0)

    workflow = assembled(loss_fn=loss_fn)

    with pytest.raises(DivergedError, match=r"iteration 5 \(epoch 1, batch 5\): not finite: the loss; rows 16"):
        workflow.run()


@pytest.mark.parametrize("bad", BAD)
def test_a_weight_that_became_so_is_named(bad):
    workflow = assembled()

    @workflow.trainer.on(WorkflowEvents.OPTIMIZER_STEP_COMPLETED)
    def spoil():
        workflow.model[3].bias.data[0] = bad

    with pytest.raises(DivergedError, match=r"iteration 2 .*: not finite: the weight 3\.bias, the output of 3"):
        workflow.run()


def test_it_looks_at_what_other_handlers_left():
    workflow = assembled(handlers={"gradient_clipping": {"max_norm": 0.1}}, bad=math.nan)

    assert list(workflow.handlers).index("gradient_clipping") < list(workflow.handlers).index("nan_guard")
    with pytest.raises(DivergedError, match="iteration 3"):
        workflow.run()


def test_status_and_exit_code_say_so(tmp_path):
    workflow = assembled(tmp_path, bad=math.nan)

    with pytest.raises(DivergedError) as caught:
        workflow.run()

    status = json.loads((tmp_path / "status.json").read_text())
    assert (status["state"], status["exit_code"], status["iteration"]) == ("failed", 1, 3)
    assert status["reason"] == f"DivergedError: {caught.value}"


@pytest.mark.parametrize("later", [False, True])
def test_checkpoints_stay_as_they_were_before_it(tmp_path, later):
    workflow = assembled(tmp_path, bad=math.nan, handlers=EACH_STEP, later=later)

    with pytest.raises(DivergedError):
        workflow.run()

    saved = workflow.checkpoint_store().load_newest()
    assert saved["trainer"]["iteration"] == 2
    assert finite([saved["model"]["weights"].values()])


def test_the_loss_of_a_validation_that_is_not_finite_is_no_matter_of_it():
    """Early stopping and the best weights never take it for better."""
    x = torch.full((4, 3), math.nan)
    workflow = assembled()
    workflow = Workflow.from_parts(
        workflow.model,
        workflow.optimizer,
        mse_loss,
        workflow.train_loader,
        [(x, torch.zeros(4, 1))],
        train=TrainConfig(max_epochs=2, device="cpu"),
        handlers=QUIET,
    )

    workflow.run()

    assert [math.isnan(value) for _, value in workflow.records.curve("val", "loss")] == [True, True]
    assert workflow.handlers["best_weights"].best is None


# The batch is kept


def test_the_batch_is_kept_with_the_weights_it_met(tmp_path):
    workflow = assembled(tmp_path, bad=math.inf)
    states = states_after(workflow)
    with pytest.raises(DivergedError):
        workflow.run()

    kept = load_bad_batch(find_bad_batch(tmp_path))

    [(iteration, (x, _))] = kept["batches"]
    assert (iteration, x.shape, kept["rows"]) == (3, (4, 3), [8, 9, 10, 11])
    assert x[1, 1] == math.inf
    weights = list(kept["model"]["weights"].values())
    assert same(weights, states[-1][: len(weights)])


def test_a_batch_that_cannot_be_kept_is_a_warning_and_the_run_diverged_all_the_same(tmp_path, caplog):
    (tmp_path / "bad_batches").write_text("a file")
    workflow = assembled(tmp_path, bad=math.nan)

    with pytest.raises(DivergedError, match="training diverged at iteration 3"):
        workflow.run()

    assert "the batch of iteration 3 cannot be kept: " in caplog.text


# Skipping


@pytest.mark.parametrize("later", [False, True])
@pytest.mark.parametrize("bad", BAD)
def test_a_skipped_batch_leaves_everything_as_it_was(bad, later):
    workflow = assembled(bad=bad, later=later, **skipping())
    states = states_after(workflow)

    workflow.run()

    assert len(states) == 12
    assert finite(states)
    for number in range(1, 12):
        assert same(states[number], states[number - 1]) == (number in (2, 8)), number


@pytest.mark.parametrize("optimizer", ["sgd", "adamw", "rmsprop", "adagrad", "nadam", "muon", "adafactor"])
def test_any_optimizer_leaves_alone_what_is_skipped(optimizer):
    workflow = assembled(bad=math.nan, optimizer=optimizer, **skipping())
    states = []
    workflow.trainer.add_event_handler("ITERATION_COMPLETED", lambda: states.append(parameters(workflow)))

    workflow.run()

    assert [same(*pair) for pair in pairwise(states)] == [n in (1, 7) for n in range(11)]


@pytest.mark.parametrize("later", [False, True])
def test_a_whole_window_is_skipped_and_the_guilty_batch_named(later, caplog):
    workflow = assembled(bad=math.nan, accumulate=3, later=later, **skipping())
    at_first, states = state(workflow), states_after(workflow)  # the optimizer keeps nothing yet

    workflow.run()

    assert same(states[2][: len(at_first)], at_first)
    assert finite([states[-1]])
    assert not same(states[5][: len(at_first)], at_first)
    assert [one["iteration"] for one in workflow.handlers["nan_guard"].skipped] == [3, 9]
    assert caplog.text.count("row 9 (1 of the 12 in the batch)") == 2


def test_the_mean_loss_is_that_of_the_batches_that_were_not_skipped():
    workflow = assembled(bad=math.nan, **skipping())
    losses = []
    workflow.trainer.add_event_handler(
        "ITERATION_COMPLETED", lambda: losses.append(workflow.trainer.state.output.loss.item())
    )

    workflow.run()

    (_, mean), _ = workflow.records.curve("train", "loss")
    assert mean == pytest.approx(sum(loss for loss in losses[:6] if math.isfinite(loss)) / 5)


def test_one_more_than_may_be_skipped_stops_it():
    workflow = assembled(bad=math.nan, **skipping(max_skipped=1))

    with pytest.raises(DivergedError, match=r"iteration 9 .*; 1 batches were skipped before it, the most that"):
        workflow.run()


def test_what_was_skipped_is_listed_at_the_end_on_one_line(caplog):
    workflow = assembled(bad=math.nan, **skipping())

    workflow.run()

    assert caplog.messages[-1] == "nan_guard skipped 2 batches, of iterations 3 (row 9), 9 (row 9)"


def test_a_run_that_goes_on_knows_what_was_skipped(tmp_path):
    workflow = assembled(tmp_path, bad=math.nan, handlers=EACH_STEP, **skipping())
    workflow.trainer.add_event_handler(
        "ITERATION_STARTED", lambda: workflow.trainer.state.iteration == 5 and workflow.request_stop("signal", 143)
    )
    workflow.run()
    workflow.run_directory.close()
    again = assembled(tmp_path, bad=math.nan, handlers=EACH_STEP, **skipping())
    again.resume()

    again.run()

    assert [one["iteration"] for one in again.handlers["nan_guard"].skipped] == [3, 9]


def test_a_run_that_diverged_goes_on_where_such_batches_are_skipped(tmp_path):
    workflow = assembled(tmp_path, bad=math.nan, handlers=EACH_STEP)
    with pytest.raises(DivergedError):
        workflow.run()
    workflow.run_directory.close()
    again = assembled(tmp_path, bad=math.nan, handlers=EACH_STEP, **skipping())
    unbroken = assembled(bad=math.nan, **skipping())
    again.resume()

    again.run()
    unbroken.run()

    assert same(state(again), state(unbroken))


# Found on the device, read later


def test_found_later_it_is_the_same_place_and_the_weights_have_not_moved(tmp_path):
    now, later = assembled(bad=math.nan), assembled(tmp_path, bad=math.nan, later=True)
    lines = []
    for workflow in (now, later):
        with pytest.raises(DivergedError) as caught:
            workflow.run()
        lines.append(str(caught.value).partition(". Look again")[0])

    assert lines[0] == lines[1]
    assert later.trainer.state.iteration == 4
    assert all(map(torch.equal, now.model.parameters(), later.model.parameters()))


def test_found_later_at_the_last_step_of_all():
    workflow = assembled(later=True)

    @workflow.trainer.on(WorkflowEvents.BACKWARD_COMPLETED)
    def spoil():
        if workflow.trainer.state.iteration == 12:
            workflow.model[3].weight.grad[0, 2] = math.nan

    with pytest.raises(DivergedError, match="iteration 12"):
        workflow.run()


# Steps and gradients of other kinds


def test_a_parameter_that_joins_a_group_later_is_looked_at():
    workflow = assembled()
    late = nn.Parameter(torch.zeros(1))

    @workflow.trainer.on(WorkflowEvents.BACKWARD_COMPLETED)
    def join():
        if workflow.trainer.state.iteration == 2:
            workflow.optimizer.param_groups[0]["params"].append(late)
            late.grad = torch.tensor([math.nan])

    with pytest.raises(DivergedError, match="iteration 2"):
        workflow.run()


def own_step(*, fires, loss):
    def step(engine, batch):
        optimizer = engine.workflow.optimizer
        optimizer.zero_grad()
        mse_loss(engine.workflow.model(batch[0]), batch[1]).backward()
        if fires:
            fire(engine, WorkflowEvents.GRADIENTS_READY)
        optimizer.step()
        return {"mine": torch.tensor(loss)}

    return step


def test_a_step_of_ones_own_that_fires_the_event_is_guarded():
    workflow = assembled(bad=math.nan, loss_fn=None, train_step=own_step(fires=True, loss=1.0))

    with pytest.raises(DivergedError, match="iteration 3"):
        workflow.run()

    assert all(parameter.isfinite().all() for parameter in workflow.model.parameters())


def test_one_that_does_not_is_told_and_its_losses_are_looked_at(caplog):
    workflow = assembled(loss_fn=None, train_step=own_step(fires=False, loss=math.nan))

    with pytest.raises(DivergedError, match=r"iteration 1 \(epoch 1\): mine is nan"):
        workflow.run()

    assert "the train step does not fire GRADIENTS_READY before optimizer.step()" in caplog.text


def test_the_step_of_ones_own_may_return_a_step_output(caplog):
    def step(*_):
        return StepOutput(torch.tensor(math.inf), 1)

    with pytest.raises(DivergedError, match=r"iteration 1 \(epoch 1\): loss is inf"):
        assembled(loss_fn=None, train_step=step).run()


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_gradients_of_any_precision_are_looked_at(dtype):
    def loss_fn(y_pred, y):
        return mse_loss(y_pred.float(), y)

    class Cast(nn.Linear):
        def forward(self, x):
            return super().forward(x.to(dtype))

    workflow = assembled(bad=math.inf, model=Cast(3, 1, dtype=dtype), loss_fn=loss_fn, optimizer="sgd")

    with pytest.raises(DivergedError, match="iteration 3"):
        workflow.run()


def test_sparse_gradients_are_looked_at():
    class Embedded(nn.Module):
        def __init__(self):
            super().__init__()
            self.table = nn.Embedding(4, 1, sparse=True)

        def forward(self, x):
            return self.table(torch.zeros(len(x), dtype=torch.int64)) * x[:, :1]

    def plain(model):
        return torch.optim.SGD(model.parameters(), lr=0.1)

    workflow = assembled(model=Embedded(), optimizer=plain)
    workflow.train_loader.dataset.tensors[0][9, 0] = math.inf

    with pytest.raises(DivergedError, match=r"iteration 3 .*the gradient of table\.weight"):
        workflow.run()


def test_a_run_in_which_everything_is_finite_is_the_same_without_it():
    plain, guarded, later = assembled(handlers={"nan_guard": False}), assembled(), assembled(later=True)
    for workflow in (plain, guarded, later):
        workflow.run()

    assert same(state(plain), state(guarded))
    assert same(state(plain), state(later))


# Off, nothing that is not finite is saved all the same


def test_without_it_no_checkpoint_holds_what_is_not_finite(tmp_path, caplog):
    workflow = assembled(tmp_path, bad=math.nan, handlers={**EACH_STEP, "nan_guard": False})

    with pytest.raises(DivergedError, match=r"training diverged: the weight 0\.weight is not finite"):
        workflow.run()

    assert "checkpoint not saved: training diverged: the weight 0.weight is not finite; training goes on" in caplog.text
    assert workflow.trainer.state.iteration == 12
    assert workflow.checkpoint_store().load_newest()["trainer"]["iteration"] == 2


def test_a_weight_that_overflows_in_a_step_is_not_saved_before_the_next_one_finds_it(tmp_path):
    workflow = assembled(tmp_path, handlers=EACH_STEP)

    @workflow.trainer.on(WorkflowEvents.OPTIMIZER_STEP_COMPLETED)
    def spoil():
        if workflow.trainer.state.iteration == 4:
            workflow.model[3].bias.data[0] = math.inf

    with pytest.raises(DivergedError, match=r"iteration 5 .*the weight 3\.bias"):
        workflow.run()

    assert workflow.checkpoint_store().load_newest()["trainer"]["iteration"] == 3


# Options


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"action": "ignore"}, "action must be 'stop' or 'skip', got 'ignore'"),
        ({"max_skipped": 0}, "at least 1, got 0"),
    ],
)
def test_an_option_out_of_range_is_named(options, message):
    with pytest.raises(ConfigError, match=f"nan_guard: .*{message}"):
        NanGuard(**options)


def test_it_is_on_unless_taken_away():
    assert (
        "nan_guard"
        in Workflow.from_parts(
            nn.Linear(1, 1),
            torch.optim.SGD(nn.Linear(1, 1).parameters()),
            mse_loss,
            [(torch.ones(1, 1), torch.ones(1, 1))],
            train=TrainConfig(max_epochs=1, device="cpu"),
        ).handlers
    )
