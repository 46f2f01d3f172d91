import errno
import logging
import time
from dataclasses import dataclass

import pytest
import torch

from ignite_workflow import CheckpointError, CheckpointStore, ConfigError, Handler, UnknownNameError, WorkflowEvents
from ignite_workflow.handlers.checkpointing import Checkpointing
from ignite_workflow.testing import scripted_workflow

FULL = OSError(errno.ENOSPC, "No space left on device")


def scripted(path, *, batches=4, max_epochs=3, handlers=None, **options):
    losses = {"loss": [3.0, 1.0, 2.0, 0.5, 4.0][:max_epochs]}
    handlers = handlers or {"checkpointing": Checkpointing(**options)}
    return scripted_workflow(path, handlers=handlers, train_losses=[0.0] * batches, max_epochs=max_epochs, **losses)


def steps(workflow):
    return workflow.checkpoint_store().steps()


@dataclass
class Ballast(Handler):
    """Makes a state so large that it is written beside the training."""

    def attach(self, workflow):
        pass

    def state_dict(self):
        return {"ballast": torch.zeros(2**19)}


def with_ballast(path, *, max_epochs=3, **options):
    handlers = {"checkpointing": Checkpointing(**options), "ballast": Ballast()}
    return scripted(path, handlers=handlers, max_epochs=max_epochs)


@pytest.fixture
def saved(monkeypatch):
    """What was saved, in order."""
    saved = []
    write = CheckpointStore._write
    monkeypatch.setattr(
        CheckpointStore, "_write", lambda self, step, *rest: saved.append(step) or write(self, step, *rest)
    )
    return saved


@pytest.mark.parametrize(
    ("every", "expected"),
    [
        ({"iterations": 5}, [5, 10, 12]),
        ({"iterations": 4}, [4, 8, 12, 12]),  # the last epoch's end is saved before and after what happens there
        ({"epochs": 1}, [4, 8, 12]),
        ({"epochs": 2}, [8, 12]),
        ({"minutes": 10}, [12]),
    ],
)
def test_saves_when_it_is_time_and_at_the_end(tmp_path, saved, every, expected):
    scripted(tmp_path, every=every).run()

    assert saved == expected


def test_saves_after_minutes_by_the_clock(tmp_path, saved, monkeypatch):
    clock = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    workflow = scripted(tmp_path, every={"minutes": 1})
    workflow.trainer.add_event_handler("ITERATION_STARTED", lambda: clock.append(clock.pop() + 25))

    workflow.run()

    assert saved == [3, 6, 9, 12, 12]


def test_keeps_the_newest(tmp_path):
    workflow = scripted(tmp_path, every={"iterations": 1}, keep=3)

    workflow.run()

    assert steps(workflow) == [10, 11, 12]


def test_keeps_the_best_and_the_last(tmp_path):
    workflow = scripted(tmp_path, max_epochs=5, metric="loss", keep=2)

    workflow.run()

    assert steps(workflow) == [8, 16, 20]
    assert CheckpointStore(tmp_path / "checkpoints").load(16)["trainer"]["iteration"] == 16


def test_the_best_may_be_the_largest(tmp_path):
    handler = Checkpointing(metric="accuracy", mode="max", keep=1)
    workflow = scripted_workflow(tmp_path, handlers={"best": handler}, accuracy=[0.1, 0.9, 0.5])

    workflow.run()

    assert steps(workflow) == [2, 3]


def test_a_value_that_is_not_finite_is_not_among_the_best(tmp_path):
    handler = Checkpointing(metric="loss", keep=2)
    workflow = scripted_workflow(tmp_path, handlers={"best": handler}, loss=[float("nan"), 1.0, float("nan"), 2.0])

    workflow.run()

    assert steps(workflow) == [2, 4]


def test_the_newest_and_the_best_side_by_side(tmp_path):
    handlers = {
        "checkpointing": Checkpointing(every={"iterations": 3}, keep=2),
        "best": Checkpointing(metric="loss", keep=1),
    }
    workflow = scripted(tmp_path, handlers=handlers, max_epochs=3)

    workflow.run()

    assert steps(workflow) == [8, 9, 12]


def test_what_is_due_twice_at_one_moment_is_saved_once(tmp_path, saved):
    handlers = {"a": Checkpointing(every={"iterations": 2}), "b": Checkpointing(every={"iterations": 2})}

    scripted(tmp_path, handlers=handlers, batches=3, max_epochs=1).run()

    assert saved == [2, 3]


def test_the_new_one_is_on_disk_before_an_older_one_is_deleted(tmp_path, monkeypatch):
    workflow = scripted(tmp_path, every={"iterations": 1}, keep=1)
    seen = []
    prune = CheckpointStore.prune
    monkeypatch.setattr(CheckpointStore, "prune", lambda self: seen.append(self.steps()) or prune(self))

    workflow.run()

    assert seen[:3] == [[1], [1, 2], [2, 3]]


@pytest.mark.parametrize("exit_code", [0, 143])
def test_a_stop_is_saved_wherever_it_comes(tmp_path, exit_code):
    workflow = scripted(tmp_path)
    workflow.trainer.add_event_handler("ITERATION_STARTED", stop_at(workflow, 2, exit_code))

    workflow.run()

    assert steps(workflow) == [2]


def stop_at(workflow, iteration, exit_code=143):
    def stop():
        if workflow.trainer.state.iteration == iteration:
            workflow.request_stop("enough", exit_code)

    return stop


def test_a_stop_that_comes_when_the_checkpoint_is_written_is_saved_at_the_next_safe_point(tmp_path):
    workflow = scripted(tmp_path)
    workflow.trainer.add_event_handler(WorkflowEvents.SAFE_POINT, stop_at(workflow, 2))

    workflow.run()

    assert workflow.trainer.state.iteration == 3
    assert steps(workflow) == [3]


def test_a_stop_for_good_is_saved_as_such(tmp_path):
    workflow = scripted(tmp_path, every={"iterations": 2})
    workflow.trainer.add_event_handler("ITERATION_STARTED", stop_at(workflow, 2, exit_code=0))

    workflow.run()

    assert workflow.checkpoint_store().load_newest()["trainer"]["finished"] == "enough"


def failing_at(monkeypatch, *failing):
    """Saving those iterations fails, the first time each."""
    left = list(failing)
    write = CheckpointStore._write

    def write_or_fail(self, step, *rest):
        if step in left:
            left.remove(step)
            raise FULL
        return write(self, step, *rest)

    monkeypatch.setattr(CheckpointStore, "_write", write_or_fail)


def test_a_full_disk_is_a_warning_and_tried_again_after_a_while(tmp_path, monkeypatch, caplog):
    failing_at(monkeypatch, 2)
    clock = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    workflow = scripted(tmp_path, every={"iterations": 1}, keep=99)
    workflow.trainer.add_event_handler("ITERATION_STARTED", lambda: clock.append(clock.pop() + 8))

    workflow.run()

    assert steps(workflow) == [1, *range(6, 13)]  # 30 seconds are 4 iterations here
    [warning] = [record for record in caplog.records if record.levelno == logging.WARNING]
    assert "checkpoint not saved" in warning.getMessage()
    assert "No space left on device" in warning.getMessage()


def test_the_last_one_must_succeed(tmp_path, monkeypatch):
    failing_at(monkeypatch, 12)

    with pytest.raises(
        CheckpointError, match=r"cannot be written to \S+: No space left on device \([\d,]+ bytes needed, [\d,]+ free\)"
    ):
        scripted(tmp_path).run()


def test_a_checkpoint_that_could_not_be_saved_is_not_among_the_best(tmp_path, monkeypatch):
    failing_at(monkeypatch, 4)
    workflow = scripted(tmp_path, max_epochs=5, metric="loss", keep=5)

    workflow.run()

    assert {step for _, step in workflow.handlers["checkpointing"].kept} <= set(steps(workflow))


@pytest.mark.parametrize("metric", [None, "loss"])
def test_what_is_written_beside_the_training_is_kept_like_the_rest(tmp_path, metric):
    kept = []
    for name, make in (("small", scripted), ("large", with_ballast)):
        workflow = make(tmp_path / name, every={"iterations": 1}, keep=2, metric=metric)
        workflow.run()
        kept.append((steps(workflow), workflow.handlers["checkpointing"].kept))
        assert len(list((tmp_path / name / "checkpoints").iterdir())) == len(steps(workflow))

    assert kept[0] == kept[1]


def test_a_full_disk_beside_the_training_is_a_warning_too(tmp_path, monkeypatch, caplog):
    failing_at(monkeypatch, 2)
    workflow = with_ballast(tmp_path, every={"iterations": 1}, keep=99)

    workflow.run()

    assert "checkpoint not saved: [Errno 28] No space left on device" in caplog.text
    assert steps(workflow) == [step for _, step in reversed(workflow.handlers["checkpointing"].kept)]
    assert 2 not in steps(workflow)


def test_a_run_that_fails_waits_for_what_is_being_written(tmp_path):
    workflow = with_ballast(tmp_path, every={"iterations": 1})
    workflow.trainer.add_event_handler("ITERATION_STARTED", fail_at(workflow, 6))

    with pytest.raises(ZeroDivisionError):
        workflow.run()

    assert steps(workflow) == [4, 5]
    assert len(list((tmp_path / "checkpoints").iterdir())) == 2


def fail_at(workflow, iteration):
    def fail():
        if workflow.trainer.state.iteration == iteration:
            raise ZeroDivisionError

    return fail


def test_knows_what_it_keeps_after_a_resume(tmp_path):
    first = scripted(tmp_path, max_epochs=3, metric="loss", keep=1)
    first.trainer.add_event_handler("ITERATION_STARTED", stop_at(first, 9))
    first.run()
    first.run_directory.close()
    workflow = scripted(tmp_path, max_epochs=3, metric="loss", keep=1)
    workflow.resume()

    workflow.run()

    assert steps(workflow) == [8, 12]


def test_leaves_nothing_unfinished(tmp_path):
    workflow = scripted(tmp_path, every={"iterations": 1}, keep=1)

    workflow.run()

    assert [path.name for path in (tmp_path / "checkpoints").iterdir()] == ["step-00000012.ckpt"]


def test_an_option_out_of_range_is_named():
    with pytest.raises(ConfigError, match="checkpointing: keep must be at least 1, got 0"):
        Checkpointing(keep=0)


def test_an_unknown_metric_is_named_before_training(tmp_path):
    with pytest.raises(UnknownNameError, match="unknown validation metric 'los'"):
        scripted(tmp_path, metric="los")


def test_without_a_directory_there_is_nowhere_to_save():
    with pytest.raises(ConfigError, match="checkpoints need a run directory"):
        scripted_workflow(handlers={"checkpointing": Checkpointing()})


def test_what_it_kept_before_a_resume_is_safe_from_what_another_one_prunes(tmp_path):
    best = Checkpointing(metric="loss", keep=1)
    workflow = scripted(tmp_path, handlers={"best": best})
    for step in (1, 2, 3):
        workflow.checkpoint_store().save(step, {})

    best.load_state_dict({"kept": [(0.5, 1)]})
    workflow.checkpoint_store().prune()

    assert steps(workflow) == [1, 3]
