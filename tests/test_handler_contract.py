"""What every handler must do. A new one in the registry is tested here without a line being added."""

import ast
import dataclasses
import importlib
import inspect
import json
import re

import pytest
import torch
from torch import nn
from torch.nn.functional import mse_loss
from torch.utils.data import DataLoader, TensorDataset

import ignite_workflow
from ignite_workflow import Handler, TrainConfig, Workflow, registry
from ignite_workflow.built_in import BUILT_IN
from ignite_workflow.handler_specs import NO_HANDLERS
from ignite_workflow.schedules import build_schedule
from ignite_workflow.state_tree import decode_tree, encode_tree
from ignite_workflow.testing import scripted_workflow

NAMES = sorted(BUILT_IN["handler"])
every_handler = pytest.mark.parametrize("name", NAMES)
OBSERVERS = [name for name in NAMES if registry.load("handler", name).observer]


def build(name):
    return registry.load("handler", name)()


def scripted(path, name, handler=None):
    """A run of three epochs with that handler beside the evaluation."""
    workflow = scripted_workflow(path, train_losses=[2.0, 1.0], loss=[0.5, 0.4, 0.3], accuracy=[0.1, 0.2, 0.3])
    workflow.schedule = build_schedule("step", {"step_size": 1}, workflow.optimizer, total_steps=6, steps_per_epoch=2)
    workflow.optimizer.step()  # torch warns of a schedule that is stepped before
    if name != "evaluation":
        workflow.attach({name: handler or build(name)})
    return workflow


@every_handler
def test_is_built_without_options(name):
    assert isinstance(build(name), Handler)


@every_handler
def test_its_module_bears_its_name_and_offers_nothing_else(name):
    module, _, attribute = BUILT_IN["handler"][name].partition(":")

    assert module == f"ignite_workflow.handlers.{name}"
    assert importlib.import_module(module).__all__ == [attribute]


@every_handler
def test_says_what_it_does_and_what_each_option_means(name):
    cls = registry.load("handler", name)
    doc = inspect.getdoc(cls)
    described = re.findall(r"^    (\w+): \S", doc.partition("Args:")[2].partition("\n\n")[0], re.MULTILINE)

    assert doc.splitlines()[0].endswith(".")
    assert described == [field.name for field in dataclasses.fields(cls) if field.init]


@every_handler
def test_its_options_are_plain_values(name):
    defaults = {field.name: getattr(build(name), field.name) for field in dataclasses.fields(build(name))}

    assert json.loads(json.dumps(defaults)) == defaults


@every_handler
def test_imports_only_public_names(name):
    tree = ast.parse(inspect.getsource(importlib.import_module(f"ignite_workflow.handlers.{name}")))
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    ours = [node for node in imports if node.module.startswith(("ignite_workflow", "handlers"))]

    assert {node.module for node in ours} == {"ignite_workflow"}
    assert {alias.name for node in ours for alias in node.names} <= set(ignite_workflow.__all__)


@every_handler
def test_survives_a_run(name, tmp_path):
    workflow = scripted(tmp_path / "run", name)

    workflow.run()

    assert workflow.trainer.epochs_done == 3


@every_handler
def test_its_state_survives_a_file(name, tmp_path):
    workflow = scripted(tmp_path / "run", name)
    workflow.run()
    state, tensors = workflow.handlers[name].state_dict(), {}
    read = decode_tree(json.loads(json.dumps(encode_tree(state, tensors))), tensors)
    again = build(name)
    scripted(tmp_path / "again", name, again)

    again.load_state_dict(read)

    assert repr(read) == repr(state)
    assert again.observer or repr(again.state_dict()) == repr(state)


@every_handler
def test_has_no_state_before_it_was_attached_that_another_would_lack(name, tmp_path):
    """A checkpoint saved before the first event must load too."""
    handler, again = (scripted(tmp_path / run, name).handlers[name] for run in "ab")

    again.load_state_dict(handler.state_dict())

    assert repr(again.state_dict()) == repr(handler.state_dict())


@every_handler
def test_can_be_closed_though_the_run_never_started(name, tmp_path, caplog):
    scripted(tmp_path / "run", name).close()

    assert caplog.messages == []  # a handler that could not be closed is logged


@every_handler
def test_goes_on_where_a_stopped_run_was_saved(name, tmp_path):
    """Whatever is at its side, the run that goes on records what an unbroken one does."""
    unbroken = trained(tmp_path / "unbroken", name)
    unbroken.run()
    workflow = trained(tmp_path / "run", name)
    workflow.trainer.add_event_handler("ITERATION_STARTED", stop_at(workflow, 6))
    workflow.run()
    workflow.run_directory.close()
    again = trained(tmp_path / "run", name)
    again.resume()

    again.run()

    assert repr(again.records.rows) == repr(unbroken.records.rows)
    assert all(map(torch.equal, weights(again), weights(unbroken)))


def stop_at(workflow, iteration):
    def stop():
        if workflow.trainer.state.iteration == iteration:
            workflow.request_stop("signal", 143)

    return stop


def trained(path, *names):
    """A training with those handlers and nothing beside but what it takes to be saved and evaluated."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(2, 4), nn.Dropout(), nn.Linear(4, 1))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    data = TensorDataset(torch.randn(12, 2), torch.randn(12, 1))
    handlers = {**NO_HANDLERS, "evaluation": {}, "checkpointing": {}}
    return Workflow.from_parts(
        model,
        optimizer,
        mse_loss,
        DataLoader(data, batch_size=3, shuffle=True),
        DataLoader(data, batch_size=12),
        train=TrainConfig(max_epochs=3, device="cpu"),
        handlers={**handlers, **dict.fromkeys(names, True)},
        run_directory=path,
        schedule=build_schedule("step", {"step_size": 1}, optimizer, total_steps=12, steps_per_epoch=4),
    )


def weights(workflow):
    return [tensor for group in workflow.optimizer.param_groups for tensor in group["params"]]


@pytest.mark.parametrize("name", OBSERVERS)
def test_one_that_only_watches_leaves_the_weights_as_they_are(name, tmp_path):
    watched, alone = trained(tmp_path / "a", name), trained(tmp_path / "b")
    watched.run()
    alone.run()

    assert all(map(torch.equal, weights(watched), weights(alone)))


def test_some_only_watch():
    assert {"loss_logging", "checkpointing"} <= set(OBSERVERS)
