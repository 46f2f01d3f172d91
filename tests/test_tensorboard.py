"""What stands in the event files, read as TensorBoard reads them."""

import errno
import logging
import resource
import struct
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest
from ignite.engine import Events
from tensorboardX.proto.event_pb2 import Event, SessionLog
from tensorboardX.record_writer import masked_crc32c

from ignite_workflow.handlers import tensorboard
from ignite_workflow.handlers.checkpointing import Checkpointing
from ignite_workflow.handlers.loss_logging import LossLogging
from ignite_workflow.handlers.tensorboard import TensorBoard
from ignite_workflow.testing import scripted_workflow


def watched_workflow(directory, *, every=1, **script):
    handlers = {
        "loss_logging": LossLogging(every={"iterations": 3}),
        "tensorboard": TensorBoard(),
        "checkpointing": Checkpointing(every={"iterations": every}, keep=100),
    }
    return scripted_workflow(directory, handlers=handlers, **script)


def events(path):
    """The events of a file; each checksum must be right, as TensorBoard reads no further than the first wrong one."""
    data = path.read_bytes()
    while data:
        (size,) = struct.unpack("<Q", data[:8])
        length_check, content, content_check = struct.unpack(f"<I{size}sI", data[8 : 16 + size])
        assert (length_check, content_check) == (masked_crc32c(data[:8]), masked_crc32c(content))
        yield Event.FromString(content)
        data = data[16 + size :]


def points(directory):
    """The points that TensorBoard shows: file by file, a start forgets all from its step on."""
    shown = []
    for path in sorted(directory.glob("*tfevents*")):
        for event in events(path):
            if event.session_log.status == SessionLog.START:
                shown = [point for point in shown if point[0] < event.step]
            shown += [(event.step, value.tag, value.simple_value) for value in event.summary.value]
    return shown


def recorded(workflow):
    float32 = struct.Struct("f")
    return [
        (row.iteration, f"{row.split}/{row.name}", *float32.unpack(float32.pack(row.value))) for row in workflow.records
    ]


def die():
    raise SystemExit


def full_disk(*_, **__):
    raise OSError(errno.ENOSPC, "No space left on device")


@contextmanager
def largest_file(size):
    """Writing beyond so many bytes fails, as on a full disk: after what fits."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_every_record_is_a_point(tmp_path):
    workflow = watched_workflow(tmp_path, train_losses=[0.5] * 4, loss=[0.25, 0.1], accuracy=[0.5, 0.75])

    workflow.run()

    assert points(tmp_path) == recorded(workflow)
    assert (4, "val/accuracy", 0.5) in points(tmp_path)


def test_a_file_begins_with_the_version_that_tells_readers_how_to_read_it(tmp_path):
    watched_workflow(tmp_path, loss=[0.3]).run()

    [path] = tmp_path.glob("events.out.tfevents.*")
    assert next(events(path)).file_version == "brain.Event:2"


def test_an_iteration_costs_nothing(tmp_path):
    with_it = scripted_workflow(tmp_path / "a", handlers={"tensorboard": TensorBoard()}, max_epochs=1)
    without = scripted_workflow(tmp_path / "b", max_epochs=1)

    assert set(with_it.trainer.calls) - set(without.trainer.calls) <= {"EPOCH_COMPLETED"}


@pytest.mark.parametrize(
    ("event", "number"),
    [
        *(("ITERATION_STARTED", iteration) for iteration in (4, 5, 7, 8, 9, 11)),
        ("EPOCH_COMPLETED", 2),  # all is written and no checkpoint knows
    ],
)
@pytest.mark.parametrize("every", [1, 3, 4])
def test_after_a_kill_and_a_resume_each_point_stands_once(tmp_path, every, event, number):
    script = {"every": every, "train_losses": [0.5] * 4, "loss": [0.3, 0.2, 0.1]}
    killed = watched_workflow(tmp_path, **script)
    killed.trainer.add_event_handler(Events[event](once=number), die)
    killed.handlers["tensorboard"].close = lambda: None  # nothing is closed by a kill
    with pytest.raises(SystemExit):
        killed.run()
    killed.run_directory.close()

    resumed = watched_workflow(tmp_path, **script)
    resumed.resume()
    resumed.run()

    assert sorted(points(tmp_path)) == sorted(recorded(resumed))


def test_points_beyond_the_last_checkpoint_are_forgotten(tmp_path):
    script = {"every": 4, "train_losses": [0.5] * 4, "loss": [0.3, 0.2, 0.1]}
    killed = watched_workflow(tmp_path, **script)
    killed.trainer.add_event_handler(Events.ITERATION_STARTED(once=8), die)  # close() writes what was recorded at 6
    with pytest.raises(SystemExit):
        killed.run()
    killed.run_directory.close()
    assert (6, "train/loss", 0.5) in points(tmp_path)

    resumed = watched_workflow(tmp_path, **script)
    resumed.resume()
    resumed.run()

    assert points(tmp_path).count((6, "train/loss", 0.5)) == 1


def test_a_run_begun_anew_in_the_same_directory_forgets_the_old_one(tmp_path):
    old = watched_workflow(tmp_path, train_losses=[0.5] * 4, loss=[0.3])
    old.run()
    old.run_directory.close()

    new = watched_workflow(tmp_path, train_losses=[0.25] * 7, loss=[0.2])
    new.run()

    assert points(tmp_path) == recorded(new)


def test_files_of_others_do_not_matter(tmp_path):
    (tmp_path / "events.out.tfevents.1700000000.host").touch()
    workflow = watched_workflow(tmp_path, loss=[0.3])

    workflow.run()

    assert points(tmp_path) == recorded(workflow)


def test_a_full_disk_is_one_warning_in_thirty_seconds(tmp_path, monkeypatch, caplog):
    clock = SimpleNamespace(now=0.0)
    monkeypatch.setattr(tensorboard, "time", SimpleNamespace(monotonic=lambda: clock.now, time=lambda: 0.0))
    monkeypatch.setattr(Path, "open", full_disk)
    workflow = scripted_workflow(tmp_path, handlers={"tensorboard": TensorBoard()})
    workflow.trainer.state.iteration = 1

    for clock.now in (0, 29, 31):
        workflow.record("train", "loss", 0.5)
        workflow.handlers["tensorboard"].write_if_possible()

    warnings = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    message = "nothing written for TensorBoard: [Errno 28] No space left on device; next try in 30 s"
    assert warnings == [message, message]


@pytest.mark.parametrize("fitting", [0, 10, 100])
def test_half_an_event_that_was_written_is_taken_back(tmp_path, fitting):
    workflow = scripted_workflow(tmp_path, handlers={"tensorboard": TensorBoard()}, loss=[0.3])
    workflow.run()
    [path] = tmp_path.glob("events.out.tfevents.*")
    handler = workflow.handlers["tensorboard"]
    for number in range(5):
        workflow.trainer.state.iteration = 10 + number
        workflow.record("train", "loss", 0.5)

    with largest_file(path.stat().st_size + fitting):
        handler.write()
    assert len(points(tmp_path)) == 1
    handler.write()

    assert points(tmp_path) == recorded(workflow)


def test_values_that_are_not_finite_and_strange_names_are_written(tmp_path):
    workflow = watched_workflow(tmp_path, loss=[float("inf")])
    workflow.trainer.add_event_handler(Events.ITERATION_COMPLETED, lambda: workflow.record("train", "Größe\n", -1e300))

    workflow.run()

    assert points(tmp_path) == [(1, "train/Größe\\n", float("-inf")), (1, "val/loss", float("inf"))]
