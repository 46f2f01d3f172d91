"""Who follows a step of their own in a debugger finds the loop at once: few frames, in few files."""

import traceback
from pathlib import Path

import torch
from torch import nn

from ignite_workflow import StepOutput, TrainConfig, Workflow

NO_HANDLERS = dict.fromkeys(("loss_logging", "progress", "tensorboard", "curve_export"), False)


def frames_of(handlers):
    """The frames between this file's call of ``run`` and its train step."""
    stacks = []
    model = nn.Linear(1, 1)

    def train_step(engine, batch):
        stacks.append(traceback.extract_stack())
        return StepOutput(torch.zeros(()), 1)

    optimizer = torch.optim.SGD(model.parameters())
    train = TrainConfig(max_epochs=1, device="cpu")
    Workflow.from_parts(model, optimizer, None, [0], train=train, handlers=handlers, train_step=train_step).run()
    [stack] = stacks
    here = [number for number, frame in enumerate(stack) if frame.filename == __file__]
    return stack[here[-2] + 1 : here[-1]]


def test_a_step_of_your_own_runs_at_most_6_frames_in_3_files_below_run():
    frames = frames_of(NO_HANDLERS)

    assert len(frames) <= 6
    assert len({frame.filename for frame in frames}) <= 3
    assert {Path(frame.filename).name for frame in frames} == {"workflow.py", "engine.py"}


def test_handlers_add_no_frames_to_it():
    assert len(frames_of({"progress": False})) == len(frames_of(NO_HANDLERS))
