"""A handler of your own: one more curve, the largest gradient of each epoch."""

from dataclasses import dataclass

from ignite.engine import Events
from torch.nn.utils import get_total_norm

from ignite_workflow import Handler, WorkflowEvents


@dataclass
class GradientNorm(Handler):
    """Record the largest gradient norm of each epoch."""

    norm_type: float = 2.0  # an option: gradient_norm: {use: own_handler.py:GradientNorm, norm_type: 1}
    observer = True  # it only watches: it may come and go between the starts of a run

    def attach(self, workflow):
        self.workflow, self.largest = workflow, 0.0
        workflow.trainer.add_event_handler(WorkflowEvents.GRADIENTS_READY, self.look)
        workflow.trainer.add_event_handler(Events.EPOCH_COMPLETED, self.record)

    def look(self):
        gradients = [p.grad for p in self.workflow.model.parameters() if p.grad is not None]
        self.largest = max(self.largest, get_total_norm(gradients, self.norm_type).item())

    def record(self):
        self.workflow.record("train", "gradient_norm", self.largest)
        self.largest = 0.0

    def state_dict(self):  # a run killed in mid-epoch goes on as if nothing had happened
        return {"largest": self.largest}

    def load_state_dict(self, state_dict):
        self.largest = state_dict["largest"]
