"""What a workflow does by itself at the events of a run, before any handler."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ignite.engine import Events

from ignite_workflow.dispatch import is_known
from ignite_workflow.events import WorkflowEvents
from ignite_workflow.randomness import StepStreams, Stream

if TYPE_CHECKING:
    from ignite_workflow.workflow import Workflow

__all__ = ["Upkeep"]


class Upkeep:
    """Sets the random streams, and forgets what was recorded by a handler that will be called again.

    Args:
        workflow: one that has no handlers yet.
    """

    def __init__(self, workflow: Workflow) -> None:
        trainer, evaluator = workflow.trainer, workflow.evaluator
        self.workflow, self.trainer, self.evaluator, self.records = workflow, trainer, evaluator, workflow.records
        self.streams = StepStreams(workflow.seed, workflow.device, foreign=workflow.foreign)
        self.rows_before_call = 0
        trainer.add_event_handler(Events.STARTED, self.look_at_handlers)
        trainer.add_event_handler(Events.EPOCH_STARTED, self.set_epoch_streams, Stream.EPOCH_START)
        trainer.add_event_handler(Events.ITERATION_STARTED, self.set_step_streams)
        trainer.add_event_handler(Events.EPOCH_COMPLETED, self.set_epoch_streams, Stream.EPOCH_END)
        evaluator.add_event_handler(Events.ITERATION_STARTED, self.set_evaluation_streams)
        trainer.add_event_handler(WorkflowEvents.RESTORED, self.set_epoch_streams, Stream.EPOCH_END)
        trainer.before_call = self.mark_records
        trainer.add_event_handler(WorkflowEvents.ROLLED_BACK, self.rewind_records)

    def look_at_handlers(self) -> None:
        """A person's own function on an engine may draw from ``random`` and numpy's: those are set too from now on."""
        calls = [call for engine in (self.trainer, self.evaluator) for calls in engine.calls.values() for call in calls]
        if not all(is_known(call.handler) for call in calls):
            self.workflow.foreign = True
            self.streams.include_foreign()

    def set_step_streams(self) -> None:
        """Those of a training step."""
        self.streams.set(self.trainer.state.iteration)

    def set_epoch_streams(self, stream: Stream) -> None:
        """Those of the handlers at the start and the end of an epoch."""
        self.streams.set_beside(stream, self.trainer.state.epoch)

    def set_evaluation_streams(self) -> None:
        """Those of an evaluation step: the same at each evaluation."""
        self.streams.set_beside(Stream.EVALUATION, self.evaluator.state.iteration)

    def mark_records(self) -> None:
        """Note how many records there are before a handler that may be broken off adds any."""
        self.rows_before_call = len(self.records.rows)

    def rewind_records(self) -> None:
        """Go back to that number."""
        self.records.rewind(self.rows_before_call)
