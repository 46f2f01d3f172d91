"""What a workflow does by itself at the events of a run."""

import random
from dataclasses import dataclass
from functools import partial

import numpy as np
import pytest
import torch
from ignite.engine import Events
from torch import nn
from torch.nn.functional import mse_loss
from torch.utils.data import DataLoader, TensorDataset

from ignite_workflow import Handler, RunDirectory, TrainConfig, Workflow

QUIET = dict.fromkeys(("progress", "tensorboard", "curve_export", "early_stopping", "best_weights"), False)
DATA = TensorDataset(torch.linspace(0, 1, 12)[:, None], torch.linspace(1, 2, 12)[:, None])


def build(directory=None, handlers=QUIET):
    torch.manual_seed(0)
    model = nn.Linear(1, 1)
    loaders = [DataLoader(DATA, batch_size=4, shuffle=True), DataLoader(DATA, batch_size=4)]
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    train = TrainConfig(max_epochs=3, device="cpu")
    return Workflow.from_parts(
        model, optimizer, mse_loss, *loaders, train=train, handlers=handlers, run_directory=directory
    )


def shake(engine, generators=(random.random, np.random.random)):
    """A plain Ignite handler that draws from generators that are not torch's."""
    with torch.no_grad():
        for parameter in engine.workflow.model.parameters():
            parameter += 0.1 * sum(draw() for draw in generators)


def trained(path, *, stop_at=None):
    """The weights after training, interrupted at that iteration, in a process that has drawn numbers before."""
    with RunDirectory(path) as directory:
        workflow = build(directory)
        workflow.resume()
        workflow.trainer.add_event_handler(Events.ITERATION_COMPLETED, shake)
        if stop_at is not None:
            once = Events.ITERATION_COMPLETED(once=stop_at)
            workflow.trainer.add_event_handler(once, lambda: workflow.request_stop("asked", exit_code=75))
        workflow.run()
        return [parameter.tolist() for parameter in workflow.model.parameters()]


@pytest.mark.parametrize("stop_at", [2, 3, 7])
def test_a_plain_handler_that_draws_numbers_goes_on_where_it_was(tmp_path, stop_at):
    unbroken = trained(tmp_path / "unbroken")
    trained(tmp_path / "broken", stop_at=stop_at)

    assert trained(tmp_path / "broken") == unbroken


@pytest.mark.parametrize("engine", ["trainer", "evaluator"])
@pytest.mark.parametrize(("handler", "foreign"), [(shake, True), (partial(shake), True), (nn.Flatten().train, False)])
@pytest.mark.parametrize("event", [Events.ITERATION_STARTED, Events.ITERATION_STARTED(every=2)])
def test_functions_that_are_not_of_a_library_are_seen_as_foreign(engine, handler, foreign, event):
    workflow = build()
    getattr(workflow, engine).add_event_handler(event, handler)

    workflow.trainer.fire_event(Events.STARTED)

    assert workflow.foreign is foreign


def test_a_run_of_our_own_parts_leaves_random_and_numpy_alone():
    random.seed(5)
    np.random.seed(5)
    expected = random.Random(5).random(), np.random.RandomState(5).random_sample()

    build().run()

    assert (random.random(), np.random.random()) == expected


@dataclass
class Halving(Handler):
    """Changes weights, state and records at each epoch's end, before they are evaluated."""

    after = ()

    def attach(self, workflow):
        self.workflow, self.calls = workflow, 0
        workflow.trainer.add_event_handler(Events.EPOCH_COMPLETED, self.halve)

    def halve(self):
        self.calls += 1
        self.workflow.record("train", "calls", self.calls + random.random())
        with torch.no_grad():
            for parameter in self.workflow.model.parameters():
                parameter *= 0.5

    def state_dict(self):
        return {"calls": self.calls}

    def load_state_dict(self, state_dict):
        self.calls = state_dict["calls"]


def halved(path, *, stop_at=None):
    """The rows and weights of a run in which a handler comes before the evaluation, which a stop may break off."""
    from ignite_workflow.handlers.evaluation import Evaluation

    with RunDirectory(path) as directory:
        workflow = build(directory, {**QUIET, "evaluation": False, "halving": Halving(), "val": Evaluation()})
        workflow.resume()
        if stop_at is not None:
            once = Events.ITERATION_STARTED(event_filter=lambda *_: workflow.trainer.state.epoch == stop_at)
            workflow.evaluator.add_event_handler(once, lambda: workflow.request_stop("asked", exit_code=75))
        workflow.run()
        return [*workflow.records], [parameter.tolist() for parameter in workflow.model.parameters()]


def test_a_handler_before_an_evaluation_that_is_broken_off_has_its_effect_once(tmp_path):
    unbroken = halved(tmp_path / "unbroken")
    rows, _ = halved(tmp_path / "broken", stop_at=2)

    assert [row.name for row in rows if row.epoch == 2 and row.split == "train"] == ["calls"]
    assert halved(tmp_path / "broken") == unbroken
