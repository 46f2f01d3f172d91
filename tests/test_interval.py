import math
import time

import pytest

from ignite_workflow import ConfigError, Interval, WorkflowEngine, WorkflowEvents
from ignite_workflow.state import EvaluationAbandoned


def due_iterations(every, *, epoch_length=5, max_epochs=2, start=None, step=lambda engine, batch: None):
    """The iterations of a run at whose safe points ``every`` is due."""
    engine = WorkflowEngine(step)
    interval = Interval(every)
    due = []

    @engine.on(WorkflowEvents.SAFE_POINT)
    def ask():
        if interval.due_at_safe_point(engine):
            due.append(engine.state.iteration)

    if start is not None:
        lengths = {"epoch_length": epoch_length, "max_epochs": max_epochs}
        pending = {"pending_epoch_end": False, "pending_window": False, "called": [], "finished": None}
        engine.load_state_dict({"iteration": start, "last_safe_iteration": start, **lengths, **pending})
    engine.run(range(epoch_length), max_epochs=max_epochs)
    return due


def test_iterations_are_counted_over_all_epochs_each_once():
    assert due_iterations({"iterations": 5}) == [5, 10]
    assert due_iterations({"iterations": 3}) == [3, 6, 9]
    assert due_iterations({"iterations": 1}) == list(range(1, 11))


def test_a_resumed_run_finds_the_same_iterations():
    assert due_iterations({"iterations": 3}, start=3) == [6, 9]
    assert due_iterations({"iterations": 3}, start=5) == [6, 9]


@pytest.mark.parametrize("is_resumed", [True, False])
def test_what_was_due_and_broken_off_is_due_again_when_the_run_goes_on(is_resumed):
    def build():
        engine, interval = WorkflowEngine(lambda engine, batch: None), Interval({"iterations": 2})

        @engine.on(WorkflowEvents.WINDOW_COMPLETED)
        def ask():
            asked.append((engine.state.iteration, interval.due_at_safe_point(engine)))
            if len(asked) == 2:
                engine.request_stop("signal", 143)
                raise EvaluationAbandoned

        return engine

    asked, engine = [], build()
    engine.run(range(3))
    going_on = build() if is_resumed else engine
    if is_resumed:
        going_on.load_state_dict(engine.state_dict())
    going_on.run(range(3))

    assert asked == [(1, False), (2, True), (2, True), (3, False)]


def test_an_interval_that_ends_within_a_window_is_due_at_its_end():
    def step(engine, batch):
        engine.state.window_open = batch % 3 != 2

    assert due_iterations({"iterations": 4}, epoch_length=9, max_epochs=1, step=step) == [6, 9]


def test_epochs_are_due_after_the_end_of_an_epoch_not_before_it():
    engine = WorkflowEngine(lambda engine, batch: None)
    interval = Interval({"epochs": 2})
    asked = []
    engine.add_event_handler(
        WorkflowEvents.SAFE_POINT, lambda: asked.append((engine.pending_epoch_end, interval.due_at_safe_point(engine)))
    )

    engine.run([0], max_epochs=3)

    assert asked == [(True, False), (False, False), (True, False), (False, True), (True, False), (False, False)]


def test_epochs_are_due_at_every_so_many_epoch_ends():
    engine = WorkflowEngine(lambda engine, batch: None)
    interval = Interval({"epochs": 2})
    due = []
    engine.add_event_handler("EPOCH_COMPLETED", lambda: due.append(interval.due_at_epoch_end(engine)))

    engine.run([0], max_epochs=4)

    assert due == [False, True, False, True]


def test_iterations_are_not_due_at_epoch_ends():
    engine = WorkflowEngine(lambda engine, batch: None)
    engine.run([0], max_epochs=1)

    assert not Interval({"iterations": 1}).due_at_epoch_end(engine)


@pytest.mark.parametrize("ask", [Interval.due_at_safe_point, Interval.due_at_epoch_end])
def test_minutes_begin_when_it_is_made_and_again_each_time_it_is_due(monkeypatch, ask):
    clock = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    interval = Interval({"minutes": 0.5})
    due = []
    for clock[0] in (29.0, 31.0, 60.0, 61.0, 62.0):
        due.append(ask(interval, WorkflowEngine(lambda engine, batch: None)))

    assert due == [False, True, False, True, False]


@pytest.mark.parametrize("every", [{}, {"seconds": 3}, {"epochs": 1, "iterations": 5}, {"Epochs": 1}])
def test_anything_but_one_known_unit_is_refused(every):
    with pytest.raises(ConfigError, match=r"every must be one of \{iterations: n\}, \{epochs: n\}, \{minutes: n\}"):
        Interval(every)


@pytest.mark.parametrize("number", [0, -1, 1.5, math.nan, math.inf])
@pytest.mark.parametrize("unit", ["iterations", "epochs"])
def test_iterations_and_epochs_are_positive_whole_numbers(unit, number):
    with pytest.raises(ConfigError, match=f"every: {unit} must be a positive whole number, got {number}"):
        Interval({unit: number})


@pytest.mark.parametrize("number", [0, -1.5, math.nan])
def test_minutes_are_positive(number):
    with pytest.raises(ConfigError, match="every: minutes must be a positive number"):
        Interval({"minutes": number})


def test_whole_numbers_may_be_written_as_floats():
    assert due_iterations({"iterations": 4.0}) == [4, 8]
