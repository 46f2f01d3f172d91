"""Where it began: what a batch that is run again shows, and what it leaves as it was."""

import math
import random

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.functional import mse_loss
from torch.utils.data import DataLoader, TensorDataset

from ignite_workflow import TrainConfig, Workflow, examine_divergence
from ignite_workflow.handler_specs import NO_HANDLERS


class Divide(nn.Module):
    def forward(self, x):
        return x / 0.0


class RootOfZero(nn.Module):
    """Finite, but its gradient is not."""

    def forward(self, x):
        return (0.0 * x).abs().sqrt() + x


def assembled(model=None, *, loss_fn=mse_loss, rows=8, **train):
    """A workflow over ``rows`` rows in their order, 4 a batch, that stands before its first step."""
    torch.manual_seed(0)
    model = model or nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3), nn.Linear(3, 1))
    x = torch.randn(rows, 2)
    workflow = Workflow.from_parts(
        model,
        torch.optim.Adam(model.parameters()),
        loss_fn,
        DataLoader(TensorDataset(x, x.sum(1, keepdim=True)), batch_size=4),
        train=TrainConfig(max_epochs=1, device="cpu", **train),
        handlers=NO_HANDLERS,
    )
    workflow.trainer.state.epoch_length = rows // 4
    return workflow


def batch(workflow, number=0):
    return [tensor.clone() for tensor in workflow.train_loader.dataset[1, number]]


def examine(workflow, *batches):
    return examine_divergence(workflow, list(enumerate(batches or [batch(workflow)], 1)))


def test_a_finite_step_is_called_finite():
    found = examine(assembled())

    assert found.found == ()
    assert "finite when the batch was run again without handlers; rows 0, 1, 2, 3 (all 4 in the batch)" in str(found)


def test_the_input_is_named_with_its_row():
    workflow = assembled()
    x, y = batch(workflow)
    x[2, 1] = math.inf

    found = examine(workflow, (x, y))

    assert found.found[:2] == ("the input", "the output of 0 (Linear)")
    assert (found.rows, found.bad_rows) == ((0, 1, 2, 3), (2,))
    assert str(found).endswith("; row 2 (1 of the 4 in the batch)")


def test_the_target_is_named_with_its_row():
    workflow = assembled()
    x, y = batch(workflow)
    y[3] = math.nan

    found = examine(workflow, (x, y))

    assert found.found[:2] == ("the target", "the loss")
    assert found.bad_rows == (3,)


def test_the_first_module_whose_output_is_not_finite_is_named_the_innermost_first():
    model = nn.Sequential(nn.Linear(2, 2), nn.Sequential(nn.ReLU(), Divide()), nn.Linear(2, 1))

    found = examine(assembled(model))

    assert found.found[0] == "the output of 1.1 (Divide)"


def test_a_module_may_give_several_outputs():
    class Several(nn.Linear):
        def forward(self, x):
            return {"a": super().forward(x), "b": [torch.tensor(math.nan)]}

    class First(nn.Module):
        def forward(self, outputs):
            return outputs["a"]

    assert examine(assembled(nn.Sequential(Several(2, 1), First()))).found == ("the output of 0 (Several)",)


def test_a_gradient_is_named_where_all_before_it_is_finite():
    """Backward starts at the end: of the two weights before the root the later one meets it first."""
    model = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2, bias=False), RootOfZero(), nn.Linear(2, 1))

    assert examine(assembled(model)).found == ("the gradient of 1.weight",)


def test_a_loss_that_overflows_is_named():
    def overflowing(y_pred, y):
        return mse_loss(y_pred, y) * 1e38 * 1e38

    assert examine(assembled(loss_fn=overflowing)).found[0] == "the loss"


def test_a_weight_is_named_first():
    workflow = assembled()
    workflow.model[0].bias.data[1] = math.nan

    assert examine(workflow).found[:2] == ("the weight 0.bias", "the output of 0 (Linear)")


def test_the_rows_of_a_window_are_those_of_all_its_batches():
    workflow = assembled(accumulate=2)
    x, y = batch(workflow, 1)
    x[0, 0] = math.nan

    found = examine(workflow, batch(workflow), (x, y))

    assert (found.iteration, found.batch, found.rows, found.bad_rows) == (2, 2, tuple(range(8)), (4,))


def test_rows_are_records_of_the_data_where_the_loader_knows_them():
    workflow = assembled()
    workflow.train_loader.dataset.records = torch.arange(8) * 10 + 5

    assert examine(workflow).rows == (5, 15, 25, 35)


def test_without_a_loader_that_tells_the_position_in_the_batch_is_said():
    workflow = assembled()
    x, y = batch(workflow)
    x[1] = math.nan
    workflow.train_loader = [(x, y)] * 2

    assert str(examine(workflow, (x, y))).endswith("position 1 (1 of the 4 in the batch)")


def test_epoch_and_batch_are_told_by_the_iteration():
    workflow = assembled()

    found = examine_divergence(workflow, [(6, batch(workflow, 1))])

    assert (found.iteration, found.epoch, found.batch) == (6, 3, 2)


def test_the_step_has_the_random_numbers_it_had():
    """Dropout that spares one unit of a row leaves the infinity there or not."""
    seen = []

    class Noted(nn.Dropout):
        def forward(self, x):
            seen.append(super().forward(x))
            return seen[-1]

    workflow = assembled(nn.Sequential(nn.Linear(2, 8), Noted(), nn.Linear(8, 1)))
    workflow.optimizer.param_groups[0]["lr"] = 0.0
    workflow.run()
    again = [batch(workflow, number) for number in range(2)]

    examine_divergence(workflow, [(2, again[1])])

    assert torch.equal(seen[2], seen[1])


def test_nothing_of_the_run_changes():
    workflow = assembled()
    workflow.run()
    before = {name: tensor.clone() for name, tensor in workflow.model.state_dict().items()}
    steps = workflow.optimizer.state_dict()["state"][0]["step"].clone()
    gradients = [parameter.grad for parameter in workflow.model.parameters()]
    state, calls = vars(workflow.trainer.state).copy(), workflow.trainer.calls
    drawn = torch.get_rng_state(), np.random.get_state()[1].tolist(), random.getstate()
    workflow.foreign = True  # as with layers of a person's own, who may draw from any generator

    examine(workflow)

    assert all(torch.equal(before[name], tensor) for name, tensor in workflow.model.state_dict().items())
    assert torch.equal(workflow.optimizer.state_dict()["state"][0]["step"], steps)
    assert all(p.grad is gradient for p, gradient in zip(workflow.model.parameters(), gradients, strict=True))
    assert vars(workflow.trainer.state) == state
    assert workflow.trainer.calls is calls
    assert torch.equal(torch.get_rng_state(), drawn[0])
    assert (np.random.get_state()[1].tolist(), random.getstate()) == drawn[1:]
    assert not any(module._forward_hooks for module in workflow.model.modules())


def test_a_long_list_of_rows_is_cut_and_the_whole_of_it_is_kept():
    workflow = assembled(rows=8)
    big = [torch.cat([part] * 5) for part in batch(workflow)]
    workflow.train_loader = [big]

    found = examine(workflow, big)

    assert len(found.rows) == 20
    assert "positions 0, 1, 2, 3, 4, 5, 6, 7, ... (all 20 in the batch)" in str(found)


def test_nor_where_the_step_itself_fails():
    def fails(y_pred, y):
        random.random(), np.random.rand(), torch.rand(1)
        raise ValueError("no such loss")

    workflow = assembled(loss_fn=fails)
    before = random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state().tolist()

    with pytest.raises(ValueError, match="no such loss"):
        examine(workflow)

    assert (random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state().tolist()) == before
