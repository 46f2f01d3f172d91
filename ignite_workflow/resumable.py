"""Where a run stands: what it has done, whether it is to stop, and the counters that a run goes on from."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, NoReturn

from ignite_workflow.dispatch import EventEngine
from ignite_workflow.state import RunState, StopRequest

__all__ = ["ResumableEngine"]


class ResumableEngine(EventEngine):
    """An engine that knows where its run stands, and can be put there again; the loop is its subclass's.

    Attributes:
        stop_request: why the run is to stop; None while it is not.
        signalled: what a signal asked for, though the run may have been stopped for good before.
        pending_epoch_end: all batches of the epoch are done and its ``EPOCH_COMPLETED`` is not.
        pending_window: the batches of the window are done and its ``WINDOW_COMPLETED`` was broken off.
        called: handlers that were called, to their end, at the event that was broken off: not again on resume.
        last_safe_iteration: the iteration at the last safe point before the present one.
        after_epoch: the present safe point is the one that follows ``EPOCH_COMPLETED``.
        leaving: it is this start's last: what is to be kept must be saved now.
    """

    state: RunState

    def __init__(self, process_function: Callable[[Any, Any], Any]) -> None:
        self.stop_request: StopRequest | None = None
        self.signalled: StopRequest | None = None
        self.pending_epoch_end = self.pending_window = False
        self.called: list[str] = []
        self.last_safe_iteration = 0
        self.after_epoch = self.leaving = False
        self._restore: Callable[[], None] | None = None
        self._stopping = False
        super().__init__(process_function)
        self.state = RunState(window_open=False)

    def request_stop(self, reason: str, exit_code: int = 0) -> None:
        """Stop at the next safe point. May be called at any time, by a signal handler too.

        The first request counts; but one for good goes before one to be resumed, or the run that is resumed would go on
        where it should have ended.
        """
        before = self.stop_request
        if before is None or (exit_code == 0 and before.exit_code != 0 and not self._stopping):
            self.stop_request = StopRequest(reason, exit_code)

    def terminate(self, skip_completed: bool = False) -> None:  # noqa: ARG002 Ignite's signature
        """Ignite's word for ``request_stop``: the run is finished at the next safe point."""
        self.request_stop("terminate() was called")

    def terminate_epoch(self, skip_epoch_completed: bool = False) -> NoReturn:
        """Refused: a saved iteration would no longer tell its epoch."""
        raise NotImplementedError("an epoch cannot be cut short: its iterations could not be resumed; use request_stop")

    def interrupt(self) -> NoReturn:
        """Refused: ``request_stop`` and a second ``run`` do the same, from another process too."""
        raise NotImplementedError("use request_stop(reason, exit_code) and run again")

    @property
    def finished(self) -> bool:
        """Whether nothing is left to train: the last epoch is done, or a stop ended the run for good."""
        return self._all_done or (self.stop_request is not None and self.stop_request.exit_code == 0)

    @property
    def _all_done(self) -> bool:
        if self.pending_epoch_end or self.state.max_epochs is None:
            return False
        return self.state.iteration >= self.state.max_epochs * (self.state.epoch_length or math.inf)

    @property
    def epochs_done(self) -> int:
        """Epochs whose ``EPOCH_COMPLETED`` has run."""
        length = self.state.epoch_length
        return self.state.iteration // length - self.pending_epoch_end if length else 0

    def state_dict(self) -> Any:
        """Counters as plain numbers; the ``pending`` ones say which event is still to fire."""
        stop = self.stop_request
        return {
            "iteration": self.state.iteration,
            "epoch_length": self.state.epoch_length,
            "max_epochs": self.state.max_epochs,
            "pending_epoch_end": self.pending_epoch_end,
            "pending_window": self.pending_window,
            "called": list(self.called),
            "last_safe_iteration": self.last_safe_iteration if self.pending_window else self.state.iteration,
            "finished": stop.reason if stop is not None and stop.exit_code == 0 else None,
        }

    def load_state_dict(self, state_dict: Mapping[str, Any], restore: Callable[[], None] | None = None) -> None:
        """Set the counters, before ``run``.

        Args:
            state_dict: from ``state_dict``.
            restore: called by ``run`` once handlers that reset themselves at its start have done so; then comes
                ``RESTORED``.
        """
        self.state.iteration = state_dict["iteration"]
        self.state.epoch_length = state_dict["epoch_length"]
        self.state.max_epochs = state_dict["max_epochs"]
        self.last_safe_iteration = state_dict["last_safe_iteration"]
        self.pending_epoch_end = state_dict["pending_epoch_end"]
        self.pending_window = state_dict["pending_window"]
        self.called = list(state_dict["called"])
        self.state.epoch = self.epochs_done + (self.pending_epoch_end or self._position() > 0)
        if state_dict["finished"] is not None:
            self.stop_request = StopRequest(state_dict["finished"])
        self._restore = restore

    def _position(self) -> int:
        """Batches of the current epoch that are done."""
        return self.state.iteration - self.epochs_done * (self.state.epoch_length or 0)
