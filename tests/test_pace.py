"""How long batches take, and would take with workers."""

import pytest

from ignite_workflow import pace
from ignite_workflow.engine import WorkflowEngine
from ignite_workflow.pace import Pace


@pytest.mark.parametrize(
    ("workers", "expected"),
    [
        (0, 5.0),  # 4 to make a batch, 1 to compute with it
        (1, 4.0),
        (2, 2.0),
        (8, 1.0),  # it is computed no faster
    ],
)
def test_workers_make_batches_beside_the_training_as_fast_as_there_are_processors(monkeypatch, workers, expected):
    clock = [0.0]
    monkeypatch.setattr(pace.time, "monotonic", lambda: clock[0])
    monkeypatch.setattr(pace.os, "cpu_count", lambda: 4)

    def batches():
        for _ in range(3):
            clock[0] += 4
            yield None

    def step(engine, batch):
        clock[0] += 1

    engine = WorkflowEngine(step)
    measured = Pace(engine)
    engine.run(batches(), max_epochs=1, epoch_length=3)

    assert measured.seconds(workers) == expected
