"""The quick way to an optimizer's methods is what the methods do, and is not taken where anybody would notice."""

import functools
import subprocess
import sys

import pytest
import torch
from torch import nn
from torch.optim import lr_scheduler
from torch.optim import optimizer as optimizers
from torch.profiler import profile

from ignite_workflow.optimizer_calls import caller_of_step, caller_of_zero_grad

KINDS = {
    "sgd": lambda parameters: torch.optim.SGD(parameters, lr=0.1, momentum=0.9),
    "adam": lambda parameters: torch.optim.Adam(parameters, lr=0.1),
    "adamw fused": lambda parameters: torch.optim.AdamW(parameters, lr=0.1, fused=True),
    "adamw foreach": lambda parameters: torch.optim.AdamW(parameters, lr=0.1, foreach=True, amsgrad=True),
    "rmsprop": lambda parameters: torch.optim.RMSprop(parameters, lr=0.1),
}


class Own(torch.optim.SGD):
    """A person's own."""

    def __init__(self, parameters):
        super().__init__(parameters, lr=0.1)
        self.seen = []

    def step(self, closure=None):
        self.seen.append("step")
        return super().step(closure)

    def zero_grad(self, set_to_none=True):
        self.seen.append("zero_grad")
        super().zero_grad(set_to_none)


def build(kind):
    torch.manual_seed(0)
    model = nn.Linear(3, 2)
    return model, KINDS[kind](model.parameters())


def train(model, zero_grad, step):
    x = torch.arange(12.0).reshape(4, 3)
    for _ in range(5):
        zero_grad()
        model(x).square().mean().backward()
        step()
    return [parameter.detach().clone() for parameter in model.parameters()]


@pytest.mark.parametrize("kind", KINDS)
def test_weights_and_state_are_those_of_the_methods(kind):
    model, optimizer = build(kind)
    other, its = build(kind)

    expected = train(model, optimizer.zero_grad, optimizer.step)
    found = train(other, caller_of_zero_grad(its), caller_of_step(its))

    assert all(map(torch.equal, found, expected))
    assert not torch.equal(found[0], build(kind)[0].weight)
    for mine, theirs in zip(its.state.values(), optimizer.state.values(), strict=True):
        assert {name: str(value) for name, value in mine.items()} == {k: str(value) for k, value in theirs.items()}


def test_the_methods_themselves_are_not_called_where_nobody_would_notice(monkeypatch):
    model, optimizer = build("sgd")
    called = []
    monkeypatch.setattr(torch.autograd.profiler, "record_function", lambda name: called.append(name))

    train(model, caller_of_zero_grad(optimizer), caller_of_step(optimizer))

    assert called == []


def test_gradients_are_on_again_after_a_step():
    model, optimizer = build("adam")

    train(model, caller_of_zero_grad(optimizer), caller_of_step(optimizer))

    assert torch.is_grad_enabled()


@pytest.mark.parametrize("before", [True, False])
@pytest.mark.parametrize("when", ["pre", "post"])
@pytest.mark.parametrize("everywhere", [True, False])
def test_hooks_are_called(before, when, everywhere):
    model, optimizer = build("adamw fused")
    called = []
    step = None if before else caller_of_step(optimizer)
    name = f"register_optimizer_step_{when}_hook" if everywhere else f"register_step_{when}_hook"
    handle = getattr(optimizers if everywhere else optimizer, name)(lambda *_: called.append(when))

    train(model, optimizer.zero_grad, step or caller_of_step(optimizer))
    handle.remove()

    assert called == [when] * 5


@pytest.mark.parametrize("before", [True, False])
def test_a_schedule_of_torchs_sees_the_steps(recwarn, before, monkeypatch):
    model, optimizer = build("sgd")
    step = None if before else caller_of_step(optimizer)
    schedule = lr_scheduler.StepLR(optimizer, 1)
    called = []
    monkeypatch.setattr(torch.autograd.profiler, "record_function", lambda name: called.append(name))

    train(model, caller_of_zero_grad(optimizer), step or caller_of_step(optimizer))
    schedule.step()

    assert [str(warning.message) for warning in recwarn] == []
    assert called == []


def test_what_is_put_around_a_schedules_step_is_called():
    model, optimizer = build("sgd")
    schedule = lr_scheduler.StepLR(optimizer, 1)
    called, its = [], optimizer.step
    optimizer.step = functools.wraps(its)(lambda: called.append(its()))

    train(model, optimizer.zero_grad, caller_of_step(optimizer))
    schedule.step()

    assert len(called) == 5


COMPILER = """
import sys
import torch
from ignite_workflow.optimizer_calls import caller_of_step, caller_of_zero_grad
from ignite_workflow.optimizers import build_optimizer
from ignite_workflow.schedules import build_schedule

model = torch.nn.Linear(2, 1)
optimizer = build_optimizer("adamw", {}, model)
build_schedule("cosine", {}, optimizer, total_steps=3, steps_per_epoch=3)
model(torch.ones(3, 2)).sum().backward()
caller_of_step(optimizer)()
caller_of_zero_grad(optimizer)()
optimizer.load_state_dict(optimizer.state_dict())
assert "torch._dynamo" not in sys.modules

import torch._dynamo

optimizer.load_state_dict(optimizer.state_dict())
print([getattr(torch.optim.Optimizer, name).__wrapped__.__dict__["__dynamo_disable"]._torchdynamo_disable
       for name in ("state_dict", "load_state_dict")])
"""


def test_optimizers_do_not_import_torchs_compiler_and_are_kept_from_it_where_it_is_imported():
    done = subprocess.run([sys.executable, "-c", COMPILER], capture_output=True, text=True, check=False)

    assert (done.stdout, done.stderr) == ("[True, True]\n", "")


def test_a_profile_has_their_regions():
    model, optimizer = build("sgd")
    calls = caller_of_zero_grad(optimizer), caller_of_step(optimizer)

    with profile() as profiled:
        train(model, *calls)

    names = {event.name for event in profiled.events()}
    assert {"Optimizer.step#SGD.step", "Optimizer.zero_grad#SGD.zero_grad"} <= names


def test_what_replaces_a_method_is_called():
    _, optimizer = build("sgd")
    step, zero_grad, called = caller_of_step(optimizer), caller_of_zero_grad(optimizer), []
    optimizer.step = lambda: called.append("step")
    optimizer.zero_grad = lambda: called.append("zero_grad")

    zero_grad()
    step()

    assert called == ["zero_grad", "step"]


@pytest.mark.parametrize("before", [True, False])
@pytest.mark.parametrize("name", ["step", "zero_grad"])
def test_what_replaces_a_method_of_the_class_is_called(name, before, monkeypatch):
    _, optimizer = build("sgd")
    build_caller = {"step": caller_of_step, "zero_grad": caller_of_zero_grad}[name]
    caller, called, method = build_caller(optimizer), [], getattr(torch.optim.SGD, name)
    spy = functools.wraps(method)(lambda self: called.append(name))
    monkeypatch.setattr(torch.optim.SGD, name, spy)

    (build_caller(optimizer) if before else caller)()

    assert called == [name]


def test_of_an_optimizer_that_is_not_torchs_both_methods_are_called():
    model = nn.Linear(3, 2)
    optimizer = Own(model.parameters())

    train(model, caller_of_zero_grad(optimizer), caller_of_step(optimizer))

    assert optimizer.seen == ["zero_grad", "step"] * 5
