"""The engine that evaluates: as often as asked, without a trace on the model."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, ExitStack
from typing import Any, NoReturn

from torch import nn

from ignite_workflow.engine import WorkflowEngine
from ignite_workflow.state import EvaluationAbandoned, RunState

__all__ = ["EvaluationEngine"]


class EvaluationEngine(WorkflowEngine):
    """Runs an evaluation step over a loader, as often as asked, with the model in ``eval()`` mode.

    Each module's own train/eval mode is put back afterwards, so layers that were frozen by hand stay so.

    Args:
        process_function: ``eval_step(engine, batch)``, which returns ``(y_pred, y)`` where metrics are attached.
        model: what is evaluated.
        trainer: its stop request breaks the evaluation off, unless the request ends the run for good.
    """

    def __init__(
        self, process_function: Callable[[Any, Any], Any], model: nn.Module, trainer: WorkflowEngine | None = None
    ) -> None:
        super().__init__(process_function)
        self.model = model
        self.trainer = trainer
        self._around: list[Callable[[], AbstractContextManager[Any]]] = []

    def run_within(self, context: Callable[[], AbstractContextManager[Any]]) -> None:
        """Have each evaluation, its handlers too, run within what ``context()`` gives, which is left however it ends.

        The place for a handler that evaluates the model with other weights than those that are trained.
        """
        self._around.append(context)

    def run(
        self,
        data: Iterable[Any] | None = None,
        max_epochs: int | None = None,
        max_iters: int | None = None,
        epoch_length: int | None = None,
    ) -> RunState:
        """Evaluate on ``data`` once, from its beginning; the metrics are in ``state.metrics``.

        Raises:
            EvaluationAbandoned: the trainer was asked to stop.
        """
        self.state.iteration, self.state.epoch_length, self.state.max_epochs = 0, None, None
        self.pending_epoch_end, self.pending_window, self.stop_request = False, False, None
        modes = [(module, module.training) for module in self.model.modules()]
        self.model.eval()
        try:
            with ExitStack() as stack:
                for context in self._around:
                    stack.enter_context(context())
                return super().run(data, max_epochs, max_iters, epoch_length)
        finally:
            for module, training in modes:
                module.training = training

    def _safe_point(self) -> None:
        self._stopping = self.stop_request is not None
        stop = self.trainer.stop_request if self.trainer is not None else None
        if stop is not None and stop.exit_code != 0:
            raise EvaluationAbandoned

    def _handle_exception(self, e: BaseException) -> NoReturn:
        if isinstance(e, EvaluationAbandoned):
            raise e
        super()._handle_exception(e)
