"""The engine: order of events, safe points, stopping, resuming, exceptions; each trap of Ignite's has its test."""

import gc
import weakref
from collections import Counter

import pytest
from ignite.engine import Events

from ignite_workflow import ConfigError, WorkflowEngine, WorkflowEvents, fire
from ignite_workflow.events import IN_STEP_EVENTS, TIMETABLE
from ignite_workflow.state import EvaluationAbandoned

CALLED = {"pending_window": False, "called": []}


def nothing(engine, batch):
    return None


def watch(engine, *events):
    seen = []

    def note(engine, name):
        seen.append((name, engine.state.epoch, engine.state.iteration))

    for event in events:
        engine.add_event_handler(event, note, event.name)
    return seen


def test_events_fire_in_the_order_of_the_timetable():
    engine = WorkflowEngine(lambda engine, batch: [fire(engine, event) for event in IN_STEP_EVENTS])
    printed = [word for word in TIMETABLE.replace(",", " ").split() if word.isupper() and len(word) > 1]
    order = [name for name in printed if name not in ("TERMINATE", "COMPLETED")] + ["COMPLETED"]
    events = {event.name: event for event in (*Events, *WorkflowEvents)}
    seen = watch(engine, *(events[name] for name in dict.fromkeys(order)))

    engine.run([0], max_epochs=1)

    assert [name for name, _, _ in seen] == order


def test_counts_epochs_from_one_and_iterations_over_all_epochs():
    engine = WorkflowEngine(nothing)
    seen = watch(engine, Events.ITERATION_COMPLETED)

    engine.run([0, 1], max_epochs=2)

    assert [(epoch, iteration) for _, epoch, iteration in seen] == [(1, 1), (1, 2), (2, 3), (2, 4)]


def test_arguments_reach_handlers_those_of_the_event_before_their_own():
    engine, seen = WorkflowEngine(nothing), []
    engine.add_event_handler(Events.STARTED, lambda *args, **kwargs: seen.append((args[1:], kwargs)), "a", b=1)
    engine.add_event_handler(Events.STARTED, lambda **kwargs: seen.append(kwargs), c=2)
    engine.add_event_handler(WorkflowEvents.RESTORED, lambda *args: seen.append(args[1:]))

    engine.run([0])
    engine._fire_event(WorkflowEvents.RESTORED, "from the event")

    assert seen == [(("a",), {"b": 1}), {"c": 2}, ("from the event",)]


def test_the_times_of_an_epoch_and_of_the_run_are_in_the_state_as_ignite_has_them():
    state = WorkflowEngine(nothing).run([0])

    assert 0 < state.times["EPOCH_COMPLETED"] <= state.times["COMPLETED"]


def test_safe_point_fires_twice_at_an_epochs_end():
    engine = WorkflowEngine(nothing)
    seen = []
    engine.add_event_handler(
        WorkflowEvents.SAFE_POINT, lambda: seen.append((engine.state.iteration, engine.pending_epoch_end))
    )

    engine.run([0, 1], max_epochs=1)

    assert seen == [(1, False), (2, True), (2, False)]


def test_an_open_accumulation_window_is_no_safe_point():
    def step(engine, batch):
        engine.state.window_open = batch == "open"

    engine = WorkflowEngine(step)
    seen = watch(engine, WorkflowEvents.SAFE_POINT)

    engine.run(["open", "closed"], max_epochs=1)

    assert [iteration for _, _, iteration in seen] == [2, 2]


def test_filters_of_ignite_work_on_its_events_and_on_ours():
    engine = WorkflowEngine(nothing)
    seen = watch(engine, Events.ITERATION_COMPLETED(every=2), WorkflowEvents.SAFE_POINT(once=3))

    engine.run(range(4), max_epochs=1)

    assert [iteration for _, _, iteration in seen] == [2, 3, 4]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_an_exception_leaves_run_whatever_listens(error):
    engine = WorkflowEngine(nothing)
    heard = []
    engine.add_event_handler(Events.EXCEPTION_RAISED, heard.append)

    @engine.on(Events.ITERATION_COMPLETED(once=2))
    def fail():
        raise error("broken")

    with pytest.raises(error, match="broken"):
        engine.run(range(5), max_epochs=3)

    assert [type(e) for e in heard] == [error]
    assert engine.state.iteration == 2


def test_all_exception_handlers_run_though_one_of_them_fails(caplog):
    def step(engine, batch):
        raise ValueError("first")

    engine = WorkflowEngine(step)
    heard = []

    @engine.on(Events.EXCEPTION_RAISED)
    def broken(error):
        raise RuntimeError("second")

    engine.add_event_handler(Events.EXCEPTION_RAISED, lambda engine, error: heard.append(error))

    with pytest.raises(ValueError, match="first"):
        engine.run([0])

    assert len(heard) == 1
    assert "broken failed at EXCEPTION_RAISED" in caplog.text


def test_a_handler_that_was_removed_does_not_swallow_exceptions():
    def step(engine, batch):
        raise ValueError("broken")

    engine = WorkflowEngine(step)
    with engine.add_event_handler(Events.EXCEPTION_RAISED, lambda error: None):
        pass

    with pytest.raises(ValueError, match="broken"):
        engine.run([0])


def test_a_failing_handler_is_named_with_event_and_iteration():
    engine = WorkflowEngine(nothing)

    @engine.on(Events.ITERATION_COMPLETED(every=2))
    def my_handler():
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken") as caught:
        engine.run(range(3))

    [note] = caught.value.__notes__
    assert note.endswith("my_handler, at ITERATION_COMPLETED, iteration 2")


def test_stops_at_the_next_safe_point_and_fires_completed_when_for_good():
    engine = WorkflowEngine(nothing)
    seen = watch(engine, Events.EPOCH_COMPLETED, Events.COMPLETED, Events.TERMINATE)
    engine.add_event_handler(Events.ITERATION_STARTED(once=2), lambda: engine.request_stop("enough"))

    engine.run(range(5), max_epochs=2)

    assert seen == [("COMPLETED", 1, 2)]
    assert engine.finished


def test_a_stop_to_be_resumed_fires_terminate_instead():
    engine = WorkflowEngine(nothing)
    seen = watch(engine, Events.COMPLETED, Events.TERMINATE)
    engine.add_event_handler(Events.ITERATION_STARTED(once=2), lambda: engine.request_stop("signal", 143))

    engine.run(range(5))

    assert seen == [("TERMINATE", 1, 2)]
    assert not engine.finished


def test_a_stop_requested_before_run_is_not_lost():
    engine = WorkflowEngine(nothing)
    engine.request_stop("signal", 143)

    engine.run(range(5))

    assert engine.state.iteration == 0


def test_terminate_as_a_handler_still_fires_completed():
    """Stock Ignite passes the engine as ``skip_completed``."""
    engine = WorkflowEngine(nothing)
    seen = watch(engine, Events.COMPLETED)
    engine.add_event_handler(Events.ITERATION_COMPLETED, engine.terminate)

    engine.run(range(5))

    assert seen == [("COMPLETED", 1, 1)]


@pytest.mark.parametrize("call", ["terminate_epoch", "interrupt"])
def test_what_cannot_be_resumed_is_refused(call):
    with pytest.raises(NotImplementedError):
        getattr(WorkflowEngine(nothing), call)()


def test_a_finished_run_does_not_start_again():
    engine = WorkflowEngine(nothing)
    engine.run(range(3), max_epochs=1)

    with pytest.raises(ConfigError, match="finished: all 1 epochs are done"):
        engine.run(range(3), max_epochs=1)


def test_more_epochs_go_on_where_the_run_ended():
    engine = WorkflowEngine(nothing)
    engine.run(range(3), max_epochs=1)
    seen = watch(engine, Events.EPOCH_STARTED)

    engine.run(range(3), max_epochs=3)

    assert seen == [("EPOCH_STARTED", 2, 3), ("EPOCH_STARTED", 3, 6)]


def test_another_epoch_length_is_refused():
    engine = WorkflowEngine(nothing)
    engine.run(range(3), max_epochs=1)

    with pytest.raises(ConfigError, match="4 batches now and had 3"):
        engine.run(range(4), max_epochs=2)


@pytest.mark.parametrize("data", [[], iter([1])])
def test_data_without_length_or_batches_is_refused(data):
    with pytest.raises(ConfigError, match="no batches"):
        WorkflowEngine(nothing).run(data)


def test_a_loader_that_ends_early_is_named_an_error():
    with pytest.raises(ConfigError, match="ended after 2 of the 3 batches"):
        WorkflowEngine(nothing).run([1, 2], epoch_length=3)


def stopped_and_resumed(stop_at, log, *, max_epochs=2):
    """Run to iteration ``stop_at``, carry the counters over to a new engine, and run that to its end."""

    def build():
        engine = WorkflowEngine(lambda engine, batch: log.append(("batch", batch)))
        for event in (Events.EPOCH_STARTED, Events.EPOCH_COMPLETED, WorkflowEvents.RESTORED):
            engine.add_event_handler(event, lambda engine, event: log.append((event, engine.state.epoch)), event.name)
        return engine

    engine = build()
    engine.add_event_handler(Events.ITERATION_STARTED(once=stop_at), lambda: engine.request_stop("signal", 143))
    engine.run("abc", max_epochs=max_epochs)
    state = engine.state_dict()
    log.append("stop")
    resumed = build()
    resumed.load_state_dict(state, restore=lambda: log.append("restore"))
    resumed.run("abc", max_epochs=max_epochs)


def test_resumes_within_an_epoch_at_the_next_batch():
    log = []

    stopped_and_resumed(2, log, max_epochs=1)

    assert log[log.index("stop") + 1 :] == [
        ("EPOCH_STARTED", 1), "restore", ("RESTORED", 1), ("batch", "c"), ("EPOCH_COMPLETED", 1)
    ]  # fmt: skip


def test_stopped_before_an_epochs_end_is_handled_fires_that_first():
    log = []

    stopped_and_resumed(3, log, max_epochs=1)

    assert log[log.index("stop") + 1 :] == [
        ("EPOCH_STARTED", 1), "restore", ("RESTORED", 1), ("EPOCH_COMPLETED", 1)
    ]  # fmt: skip


def test_resumes_after_an_epoch_before_the_next_one_starts():
    engine = WorkflowEngine(nothing)
    engine.run("ab", max_epochs=1)
    resumed = WorkflowEngine(nothing)
    seen = watch(resumed, Events.STARTED, Events.EPOCH_STARTED, WorkflowEvents.RESTORED)
    resumed.load_state_dict(engine.state_dict(), restore=lambda: None)

    resumed.run("ab", max_epochs=2)

    assert [name for name, _, _ in seen] == ["STARTED", "RESTORED", "EPOCH_STARTED"]


def test_what_was_put_back_once_is_not_put_back_when_it_is_run_again():
    engine, restored = WorkflowEngine(nothing), []
    counters = {"iteration": 2, "last_safe_iteration": 2, "epoch_length": 3, "max_epochs": 2}
    saved = {**counters, **CALLED, "pending_epoch_end": False, "finished": None}
    engine.load_state_dict(saved, restore=lambda: restored.append(engine.state.iteration))
    engine.add_event_handler(Events.ITERATION_STARTED(once=4), lambda: engine.request_stop("signal", 143))

    engine.run(range(3))
    engine.run(range(3))

    assert restored == [2]
    with pytest.raises(ConfigError, match="this run is finished: all 2 epochs are done"):
        engine.run(range(3))


def test_a_run_finished_for_good_stays_so_when_restored():
    engine = WorkflowEngine(nothing)
    engine.add_event_handler(Events.ITERATION_STARTED(once=1), lambda: engine.request_stop("early stopping"))
    engine.run("ab", max_epochs=2)
    resumed = WorkflowEngine(nothing)
    seen = watch(resumed, Events.ITERATION_STARTED, Events.COMPLETED)
    resumed.load_state_dict(engine.state_dict(), restore=lambda: None)

    resumed.run("ab", max_epochs=2)

    assert [name for name, _, _ in seen] == ["COMPLETED"]


def test_a_loader_that_can_seek_is_asked_to():
    class Loader(list):
        def seek(self, epoch, batch):
            asked.append((epoch, batch))

    asked = []
    WorkflowEngine(nothing).run(Loader([1, 2]), max_epochs=2)

    assert asked == [(1, 0), (2, 0)]


def test_an_in_step_event_that_the_step_never_fires_is_an_error_when_listened_to():
    engine = WorkflowEngine(nothing)

    def clip():
        pass

    engine.add_event_handler(WorkflowEvents.GRADIENTS_READY, clip)

    with pytest.raises(ConfigError, match="clip listens to GRADIENTS_READY, which the train step nothing does not"):
        engine.run([1, 2])


def test_is_freed_without_the_garbage_collector():
    gc.disable()
    try:
        engine = WorkflowEngine(nothing)
        engine.add_event_handler(Events.ITERATION_COMPLETED, lambda engine: None)
        engine.run([1])
        freed = weakref.ref(engine)
        del engine
        assert freed() is None
    finally:
        gc.enable()


def test_a_run_that_was_stopped_goes_on_when_it_is_run_again():
    engine = WorkflowEngine(nothing)
    seen = watch(engine, Events.ITERATION_COMPLETED)
    engine.add_event_handler(Events.ITERATION_STARTED(once=2), lambda: engine.request_stop("signal", 143))
    engine.run(range(3), max_epochs=2)

    engine.run(range(3), max_epochs=2)

    assert [iteration for _, _, iteration in seen] == [1, 2, 3, 4, 5, 6]


def test_a_stop_for_good_goes_before_one_to_be_resumed():
    engine = WorkflowEngine(nothing)
    engine.request_stop("signal", 143)
    engine.request_stop("early stopping")
    engine.request_stop("another signal", 130)

    assert engine.stop_request.reason == "early stopping"


def test_of_several_stops_for_good_the_first_counts():
    engine = WorkflowEngine(nothing)
    engine.request_stop("early stopping")
    engine.request_stop("terminate")

    assert engine.stop_request.reason == "early stopping"


def test_a_stop_that_is_being_honoured_is_not_replaced():
    """What is saved at that safe point says that the run can go on."""
    engine = WorkflowEngine(nothing)
    engine.add_event_handler(Events.ITERATION_STARTED(once=2), lambda: engine.request_stop("signal", 143))
    engine.add_event_handler(WorkflowEvents.SAFE_POINT(once=2), lambda: engine.request_stop("too late"))

    engine.run(range(5))

    assert engine.stop_request.reason == "signal"
    assert not engine.finished


def test_a_new_engine_has_done_nothing():
    engine = WorkflowEngine(nothing)

    assert engine.epochs_done == 0
    assert engine.state_dict() == {
        "iteration": 0, "epoch_length": None, "max_epochs": None, "pending_epoch_end": False, **CALLED,
        "last_safe_iteration": 0, "finished": None,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("iteration", "pending_epoch_end", "epoch"),
    [(0, False, 0), (1, False, 1), (3, True, 1), (3, False, 1), (4, False, 2)],
)
def test_stands_in_the_epoch_it_was_saved_in(iteration, pending_epoch_end, epoch):
    engine = WorkflowEngine(nothing)
    counters = {"iteration": iteration, "last_safe_iteration": iteration, "epoch_length": 3, "max_epochs": 2}
    state = {
        **counters,
        "pending_window": False,
        "called": [],
        "pending_epoch_end": pending_epoch_end,
        "finished": None,
    }

    engine.load_state_dict(state)

    assert engine.state.epoch == epoch
    assert engine.state.max_epochs == 2
    assert engine.state_dict() == state


def test_a_stop_requested_at_a_safe_point_waits_for_the_next():
    """Those who save there may have run before the request came."""
    engine = WorkflowEngine(nothing)
    leaving = []
    engine.add_event_handler(WorkflowEvents.SAFE_POINT, lambda: leaving.append(engine.leaving))
    engine.add_event_handler(WorkflowEvents.SAFE_POINT(once=2), lambda: engine.request_stop("signal", 143))

    engine.run(range(5))

    assert leaving == [False, False, True]


def test_what_a_stop_breaks_off_at_a_windows_end_fires_again_on_resume():
    def abandon():
        raise EvaluationAbandoned

    engine, resumed = WorkflowEngine(nothing), WorkflowEngine(nothing)
    engine.add_event_handler(WorkflowEvents.WINDOW_COMPLETED(once=2), lambda: engine.request_stop("signal", 143))
    engine.add_event_handler(WorkflowEvents.WINDOW_COMPLETED(once=2), abandon)
    seen = watch(engine, WorkflowEvents.ROLLED_BACK, WorkflowEvents.SAFE_POINT)
    engine.run(range(3))
    again = watch(resumed, WorkflowEvents.RESTORED, WorkflowEvents.WINDOW_COMPLETED, Events.ITERATION_STARTED)
    resumed.load_state_dict(engine.state_dict(), restore=lambda: None)

    resumed.run(range(3))

    assert [(name, iteration) for name, _, iteration in seen] == [
        ("SAFE_POINT", 1), ("ROLLED_BACK", 2), ("SAFE_POINT", 2)
    ]  # fmt: skip
    assert [(name, iteration) for name, _, iteration in again] == [
        ("RESTORED", 2), ("WINDOW_COMPLETED", 2), ("ITERATION_STARTED", 3), ("WINDOW_COMPLETED", 3)
    ]  # fmt: skip


def test_an_epoch_whose_end_was_broken_off_is_not_over():
    def abandon():
        engine.request_stop("signal", 143)
        raise EvaluationAbandoned

    engine, after_epoch = WorkflowEngine(nothing), []
    engine.add_event_handler(Events.EPOCH_COMPLETED, abandon)
    engine.add_event_handler(WorkflowEvents.SAFE_POINT, lambda: after_epoch.append(engine.after_epoch))

    engine.run([0])

    assert after_epoch == [False, False]
    assert engine.epochs_done == 0


@pytest.mark.parametrize("event", [WorkflowEvents.WINDOW_COMPLETED, Events.EPOCH_COMPLETED])
def test_what_was_called_before_the_handler_that_a_stop_breaks_off_is_not_called_again(event):
    def count(name):
        counts[name] += 1
        if name == "evaluate" and counts[name] == 1:
            engine.request_stop("signal", 143)
            raise EvaluationAbandoned

    def build():
        engine = WorkflowEngine(nothing)
        for name in ("before", "too", "evaluate", "after"):
            engine.add_event_handler(event, count, name)
        return engine

    counts, engine = Counter(), build()
    engine.run(range(1), max_epochs=1)
    resumed = build()
    resumed.load_state_dict(engine.state_dict(), restore=lambda: None)
    resumed.run(range(1), max_epochs=1)

    assert counts == {"before": 1, "too": 1, "evaluate": 2, "after": 1}
    assert resumed.state_dict()["called"] == []


def test_a_window_that_was_broken_off_is_completed_by_the_same_engine_run_again():
    engine, seen = WorkflowEngine(nothing), []
    engine.add_event_handler(WorkflowEvents.WINDOW_COMPLETED, seen.append, "called")
    engine.run(range(3), max_epochs=1)
    engine.pending_window, seen[:] = True, []
    engine.run(range(3), max_epochs=2)

    assert len(seen) == 4


def test_an_early_stop_found_by_what_fires_again_trains_nothing_more():
    engine = WorkflowEngine(nothing)
    counters = {"iteration": 2, "last_safe_iteration": 1, "epoch_length": 3, "max_epochs": 2}
    stopped = {**counters, **CALLED, "pending_window": True, "pending_epoch_end": False, "finished": None}
    engine.load_state_dict(stopped, restore=lambda: None)
    engine.add_event_handler(WorkflowEvents.WINDOW_COMPLETED, engine.terminate)

    engine.run(range(3))

    assert engine.state.iteration == 2
    assert engine.finished


def test_a_run_stopped_for_good_within_an_epoch_gets_its_state_back():
    engine, restored = WorkflowEngine(nothing), []
    counters = {"iteration": 2, "last_safe_iteration": 2, "epoch_length": 3, "max_epochs": 2}
    finished = {
        **counters,
        "pending_window": False,
        "called": [],
        "pending_epoch_end": False,
        "finished": "early stopping",
    }
    engine.load_state_dict(finished, restore=lambda: restored.append(engine.state.iteration))

    engine.run(range(3))

    assert restored == [2]


def test_in_step_events_are_checked_only_once_a_step_has_run():
    engine = WorkflowEngine(lambda engine, batch: fire(engine, WorkflowEvents.GRADIENTS_READY))
    engine.add_event_handler(WorkflowEvents.GRADIENTS_READY, lambda: None)
    counters = {"iteration": 3, "last_safe_iteration": 3, "epoch_length": 3, "max_epochs": 1}
    engine.load_state_dict({**counters, **CALLED, "pending_epoch_end": True, "finished": None})

    engine.run(range(3))

    assert engine.finished
