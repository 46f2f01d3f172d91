"""Ignite's engine, with a loop that can be saved, stopped and resumed at any safe point.

Handlers, filters, metrics and ``state`` are Ignite's; the loop is written out here (see ``events.TIMETABLE``) because a
resumed epoch must start in its middle, which Ignite's own loop cannot.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from itertools import islice
from typing import Any

from ignite.engine import Events

from ignite_workflow.dispatch import name_of
from ignite_workflow.errors import ConfigError
from ignite_workflow.events import IN_STEP_EVENTS, WorkflowEvents
from ignite_workflow.resumable import ResumableEngine
from ignite_workflow.state import EvaluationAbandoned, RunState

__all__ = ["WorkflowEngine"]

_NO_BATCH = object()


class WorkflowEngine(ResumableEngine):
    """An Ignite ``Engine`` that always re-raises, knows its safe points and runs a training once.

    Where its run stands, and how it is stopped, is said at ``ResumableEngine``. Differences from the stock engine, each
    tested in ``tests/test_engine.py``:

    * an exception leaves ``run`` whatever listens to ``EXCEPTION_RAISED``; all of those handlers run first; a note on
      the exception names handler, event and iteration;
    * ``WINDOW_COMPLETED`` and ``SAFE_POINT`` fire after each iteration outside an accumulation window, ``SAFE_POINT``
      after ``EPOCH_COMPLETED`` too;
    * ``request_stop`` (and ``terminate``) holds from before ``run`` on and is honoured at the next safe point;
    * an evaluation that a stop breaks off is done again by the run that is resumed, and then the rest of its event;
    * a run that has reached its last epoch, or was stopped for good, does not start again;
    * a run stopped in mid-epoch continues with the batch it stopped at: a loader with ``seek(epoch, batch)`` goes
      there, another is read up to it.

    Args:
        process_function: ``train_step(engine, batch)``; what it returns is ``state.output``.

    Attributes:
        fired: names of the in-step events that the step has fired.
        time_limit: watches the clock while it is entered; None where there is none.
        workflow: the run this engine trains for, so that ``train_step(engine, batch)`` finds model and optimizer.
    """

    def __init__(self, process_function: Callable[[Any, Any], Any]) -> None:
        self.fired: set[str] = set()
        self.time_limit: AbstractContextManager[Any] | None = None
        self.workflow: Any = None
        self._in_step_checked = False
        super().__init__(process_function)
        self.register_events(*WorkflowEvents, event_to_attr=dict.fromkeys(WorkflowEvents, "iteration"))

    def run(
        self,
        data: Iterable[Any] | None = None,
        max_epochs: int | None = None,
        max_iters: int | None = None,
        epoch_length: int | None = None,
    ) -> RunState:
        """Train on ``data`` until ``max_epochs`` epochs are done in all, or a stop is requested.

        Args:
            data: batches; with ``seek(epoch, batch)`` where it can start anywhere.
            max_epochs: epochs in all, those of a resumed run's earlier starts included.
            max_iters: not supported: a run is measured in epochs.
            epoch_length: iterations an epoch; ``len(data)`` where not given. May not change within a run.

        Raises:
            ConfigError: the run is finished; or its epochs have another length than when it was saved.
        """
        if max_iters is not None:
            raise ValueError("max_iters is not supported: use max_epochs, with epoch_length where needed")
        self._set_lengths(data, max_epochs, epoch_length)
        self.state.dataloader = data
        try:
            self._run_epochs()
        except BaseException as error:
            self._handle_exception(error)
        return self.state

    def _set_lengths(self, data: Any, max_epochs: int | None, epoch_length: int | None) -> None:
        length = epoch_length if epoch_length is not None else self._get_data_length(data)
        state = self.state
        if not length:
            raise ConfigError("an epoch has no batches: there is no data, or of unknown length (give epoch_length)")
        if state.epoch_length is not None and length != state.epoch_length:
            raise ConfigError(
                f"an epoch has {length} batches now and had {state.epoch_length}: data or batch size changed"
            )
        if self._stopping and not self.finished:
            self.stop_request = None  # the run before this one has honoured it
        state.epoch_length = length
        state.max_epochs = max_epochs or state.max_epochs or 1
        if self.finished and self._restore is None:
            reason = self.stop_request.reason if self.stop_request else f"all {state.max_epochs} epochs are done"
            raise ConfigError(f"this run is finished: {reason}")

    def _run_epochs(self) -> None:
        state = self.state
        started = time.monotonic()
        self._fire_event(Events.STARTED)
        self._stopping = self.stop_request is not None
        if self._position() == 0 or self._stopping:
            self._restore_now()
        while not self._stopping and not self._all_done:
            epoch_started = time.monotonic()
            start = self._position()
            state.epoch = self.epochs_done + 1
            self._fire_event(Events.EPOCH_STARTED)
            if start:
                self._restore_now()
            if not self._stopping:
                self._run_batches(start)
            if not self._stopping:
                state.times[Events.EPOCH_COMPLETED.name] = time.monotonic() - epoch_started
                self._complete_epoch()
        state.times[Events.COMPLETED.name] = time.monotonic() - started
        self._fire_event(Events.COMPLETED if self.finished else Events.TERMINATE)

    def _restore_now(self) -> None:
        if self._restore is not None:
            self._restore()
            self._restore = None  # it holds the weights too
            self._fire_event(WorkflowEvents.RESTORED)
        if self.pending_window:
            self._complete_window()

    def _run_batches(self, start: int) -> None:
        """The batches of an epoch from number ``start`` on, up to its end or a stop."""
        state, calls, fire, step = self.state, self.calls, self._fire_event, self._process_function
        iteration_started, iteration_completed = Events.ITERATION_STARTED, Events.ITERATION_COMPLETED
        length: int = state.epoch_length  # type: ignore[assignment]
        batches = self._batches(start) if start < length else iter(())
        for position in range(start + 1, length + 1):
            if "GET_BATCH_STARTED" in calls:
                fire(Events.GET_BATCH_STARTED)
            state.batch = next(batches, _NO_BATCH)
            if state.batch is _NO_BATCH:
                raise ConfigError(f"the loader ended after {position - 1} of the {length} batches of an epoch")
            if "GET_BATCH_COMPLETED" in calls:
                fire(Events.GET_BATCH_COMPLETED)
            state.iteration += 1
            fire(iteration_started)
            state.output = step(self, state.batch)
            fire(iteration_completed)
            if not state.window_open:
                self.pending_epoch_end = position == length
                if not self._in_step_checked:
                    self._check_in_step_events()
                self._complete_window()
                if self._stopping:
                    return

    def _batches(self, start: int) -> Iterator[Any]:
        """An iterator that stands at batch ``start`` of the current epoch."""
        data: Any = self.state.dataloader
        if not hasattr(data, "seek"):
            return islice(iter(data), start, None)
        data.seek(self.state.epoch, start)
        return iter(data)

    def _complete_window(self) -> None:
        if "WINDOW_COMPLETED" in self.calls:
            self.pending_window = not self._fire_unless_abandoned(WorkflowEvents.WINDOW_COMPLETED)
        else:
            self.pending_window = False
        self._safe_point()

    def _complete_epoch(self) -> None:
        self.pending_epoch_end = not self._fire_unless_abandoned(Events.EPOCH_COMPLETED)
        self.after_epoch = not self.pending_epoch_end
        self._safe_point()
        self.after_epoch = False

    def _fire_unless_abandoned(self, event: Events | WorkflowEvents) -> bool:
        """Fire an event at which models are evaluated; False where a stop broke it off: the rest follows on resume."""
        try:
            self.fire_each_once(event, self.called)
        except EvaluationAbandoned:
            self._fire_event(WorkflowEvents.ROLLED_BACK)
            return False
        self.called.clear()
        return True

    def _safe_point(self) -> None:
        self._stopping = self.stop_request is not None  # one that comes later waits: those who save have not seen it
        self.leaving = self._stopping or (self.after_epoch and self._all_done)
        self._fire_event(WorkflowEvents.SAFE_POINT)
        if not self.pending_window:  # what was due there is still due when the run goes on
            self.last_safe_iteration = self.state.iteration

    def _check_in_step_events(self) -> None:
        """After the first window: a handler inside the step that the step never calls must not be off in silence."""
        self._in_step_checked = True
        for event in IN_STEP_EVENTS:
            if event.name in self.calls and event.name not in self.fired:
                raise ConfigError(
                    f"{name_of(self.calls[event.name][0].handler)} listens to {event.name}, which the train step "
                    f"{name_of(self._process_function)} does not fire: call fire(engine, WorkflowEvents.{event.name})"
                )
