"""The events of a run, and the timetable of when each fires.

Ignite's own events (``STARTED``, ``EPOCH_STARTED``, ``GET_BATCH_STARTED``, ``ITERATION_STARTED``, ...) fire as ever.
``WorkflowEvents`` adds the moments inside a training step, and those at which a run can be saved and restored.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ignite.engine.events import EventEnum

if TYPE_CHECKING:
    from ignite_workflow.engine import WorkflowEngine

__all__ = ["IN_STEP_EVENTS", "TIMETABLE", "WorkflowEvents", "fire"]

TIMETABLE = """\
trainer.run
  STARTED
  for each epoch
    EPOCH_STARTED
    for each batch
      GET_BATCH_STARTED, next(loader), GET_BATCH_COMPLETED
      ITERATION_STARTED            the step's random streams are set here, first
      train_step:
        y_pred = model(x)          FORWARD_COMPLETED          state.y_pred
        loss = loss_fn(y_pred, y)  LOSS_COMPLETED             state.loss: what a handler puts here is trained on
        optimizer.zero_grad()
        loss.backward()            BACKWARD_COMPLETED
                                   GRADIENTS_READY            clip, check, inspect here
        optimizer.step()           OPTIMIZER_STEP_COMPLETED
      ITERATION_COMPLETED
      WINDOW_COMPLETED             with accumulation after the last batch of a window; the evaluator may run
      SAFE_POINT                   the state is whole: saved and stopped here only
    EPOCH_COMPLETED                the evaluator runs; its COMPLETED has the validation metrics
    SAFE_POINT
  COMPLETED                        or TERMINATE, where the run was stopped and can be resumed
"""


class WorkflowEvents(EventEnum):
    """The events that Ignite does not have. Each is counted in iterations, so filters such as ``every=`` work.

    With accumulation a window is several batches: ``BACKWARD_COMPLETED`` fires for each batch, ``GRADIENTS_READY``,
    ``OPTIMIZER_STEP_COMPLETED``, ``WINDOW_COMPLETED`` and ``SAFE_POINT`` once a window.

    Attributes:
        FORWARD_COMPLETED: predictions are in ``state.y_pred``.
        LOSS_COMPLETED: the loss, with its graph, is in ``state.loss``.
        BACKWARD_COMPLETED: the gradients of this batch are added to those of its window.
        GRADIENTS_READY: the gradients are whole; the optimizer steps next.
        OPTIMIZER_STEP_COMPLETED: the weights have changed.
        WINDOW_COMPLETED: the place for what happens every n iterations and may be saved, evaluations above all.
        SAFE_POINT: every handler of the event before has run; what a checkpoint would hold is consistent. Not the
            place to change anything that is saved.
        RESTORED: a resumed run has its state back; fires once, before anything is trained.
        ROLLED_BACK: a stop broke off an evaluation: what the handler that runs it recorded at that event is undone.
    """

    FORWARD_COMPLETED = "forward_completed"
    LOSS_COMPLETED = "loss_completed"
    BACKWARD_COMPLETED = "backward_completed"
    GRADIENTS_READY = "gradients_ready"
    OPTIMIZER_STEP_COMPLETED = "optimizer_step_completed"
    WINDOW_COMPLETED = "window_completed"
    SAFE_POINT = "safe_point"
    RESTORED = "restored"
    ROLLED_BACK = "rolled_back"


for _event in WorkflowEvents:  # Python 3.11 finds a member through a property: a quarter of a microsecond each time
    type.__setattr__(WorkflowEvents, _event.name, _event)

IN_STEP_EVENTS = (
    WorkflowEvents.FORWARD_COMPLETED,
    WorkflowEvents.LOSS_COMPLETED,
    WorkflowEvents.BACKWARD_COMPLETED,
    WorkflowEvents.GRADIENTS_READY,
    WorkflowEvents.OPTIMIZER_STEP_COMPLETED,
)


def fire(engine: WorkflowEngine, event: WorkflowEvents) -> None:
    """Fire an in-step event: the one call a train step of your own needs.

    Costs a dictionary look-up where nobody listens.
    """
    if event._name_ in engine.calls:
        engine.fired.add(event._name_)
        engine._fire_event(event)  # fire_event compares it with every event there is: 20 us a step
