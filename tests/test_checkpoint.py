import logging
import os
import shutil
import threading
import tracemalloc

import pytest
import torch
from torch import nn

from ignite_workflow import CheckpointError, CheckpointStore, checkpoint
from ignite_workflow.checkpoint import load_model_state, model_state


@pytest.fixture
def store(tmp_path):
    return CheckpointStore(tmp_path / "checkpoints")


def fill(store, *steps):
    for step in steps:
        store.save(step, {"x": torch.full((3,), float(step))})


def damage(store, step):
    path = store.path(step)
    content = bytearray(path.read_bytes())
    content[-40] ^= 1
    path.write_bytes(content)


def names(store):
    return sorted(path.name for path in store.directory.iterdir())


def test_what_is_saved_is_found_again(store):
    store.save(1500, {"x": torch.ones(2), "deep": {"list": [1, (2.5, None)]}})

    state = store.load_newest()

    assert names(store) == ["step-00001500.ckpt"]
    assert state["x"].tolist() == [1, 1]
    assert state["deep"] == {"list": [1, (2.5, None)]}


def test_steps_are_found_by_number_not_by_name_or_time(store):
    fill(store, 200_000_000, 3, 20)
    (store.directory / "step-00000004.ckpt.bak").write_text("")
    (store.directory / "step-4.ckpt").write_text("")

    assert store.steps() == [3, 20, 200_000_000]
    assert store.load_newest()["x"][0] == 200_000_000


def test_without_a_checkpoint_there_is_nothing_to_resume(store):
    assert store.steps() == []
    assert store.load_newest() is None


def test_a_step_saved_again_is_replaced(store):
    fill(store, 5)

    store.save(5, {"x": torch.zeros(1)})

    assert names(store) == ["step-00000005.ckpt"]
    assert store.load(5)["x"] == 0


def test_a_damaged_one_is_named_and_the_one_before_it_taken(store, caplog):
    fill(store, 1, 2, 3)
    damage(store, 3)
    store.path(2).write_bytes(b"")

    assert store.load_newest()["x"][0] == 1

    assert [record.levelno for record in caplog.records] == [logging.WARNING] * 2
    assert "step-00000003.ckpt is damaged" in caplog.text
    assert "step-00000002.ckpt is damaged" in caplog.text


def test_a_folder_of_that_name_is_passed_over(store, caplog):
    fill(store, 1)
    store.path(2).mkdir()

    assert store.load_newest()["x"][0] == 1
    assert "step-00000002.ckpt cannot be read: Is a directory" in caplog.text


def test_a_folder_of_that_name_is_set_aside_for_the_checkpoint_and_never_deleted(store):
    fill(store, 1)
    store.path(2).mkdir()
    store.path(3).mkdir()

    fill(store, 2, 4)
    store.prune()
    store.discard()

    assert names(store) == ["step-00000002.ckpt.set-aside", "step-00000003.ckpt"]


def test_where_all_are_damaged_the_run_is_refused(store):
    fill(store, 1, 2)
    damage(store, 1)
    damage(store, 2)

    with pytest.raises(
        CheckpointError, match=r"none of the 2 checkpoints in \S+ can be read; start over with --from-scratch"
    ):
        store.load_newest()


def test_another_format_is_refused(store, monkeypatch):
    monkeypatch.setattr("ignite_workflow.checkpoint._FORMAT", 5)
    fill(store, 1)
    monkeypatch.undo()

    with pytest.raises(CheckpointError, match=r"step-00000001.ckpt has format 5; this version reads 4"):
        store.load(1)


def test_its_name_appears_when_it_is_on_disk_and_is_on_disk_when_save_returns(store, monkeypatch):
    seen = []

    def sync(descriptor):
        seen.append((os.path.basename(os.readlink(f"/proc/self/fd/{descriptor}")), store.steps()))

    monkeypatch.setattr(os, "fdatasync", sync)
    monkeypatch.setattr(os, "fsync", sync)

    fill(store, 7)

    above = store.directory.parent.name  # the first one makes the directory, the name of which must be on disk too
    assert seen == [(above, []), ("unfinished.tmp", []), ("checkpoints", [7])]


@pytest.mark.parametrize("broken", ["fdatasync", "replace"])
def test_a_save_that_fails_leaves_what_was_there(store, monkeypatch, broken):
    fill(store, 1)

    def fail(*_):
        raise OSError("No space left on device")

    monkeypatch.setattr(os, broken, fail)
    with pytest.raises(OSError, match="No space left"):
        store.save(1, {"x": torch.zeros(1)})

    assert store.load(1)["x"][0] == 1


def test_a_state_that_cannot_be_saved_leaves_no_file(store):
    with pytest.raises(TypeError, match=r"state\['x'\] is a set"):
        store.save(1, {"x": {1}})

    assert store.steps() == []


@pytest.fixture
def gate(monkeypatch):
    """Writing ends when this is set; ``gate.reached`` is, when all but the end is done."""
    gate = threading.Event()
    gate.reached = threading.Event()
    write = checkpoint.write_parts

    def write_and_wait(path, parts):
        size = write(path, parts)
        gate.reached.set()
        gate.wait(300)
        return size

    monkeypatch.setattr(checkpoint, "write_parts", write_and_wait)
    yield gate
    gate.set()


def large(value):
    """A state that is written beside the training."""
    return {"x": torch.full((2**19,), value)}


def test_a_large_state_is_written_beside_the_training_as_it_was_when_it_was_given(store, gate):
    state = large(1.0)

    saving = store.save_beside(7, state, first=list)
    state["x"].fill_(2.0)
    assert not saving.done()
    assert store.steps() == []
    gate.set()

    assert saving.result() == store.path(7)
    assert store.load(7)["x"].unique().tolist() == [1.0]


def test_a_small_state_is_written_at_once(store):
    assert store.save_beside(7, {"x": torch.ones(1)}, first=list).done()


def test_one_at_a_time_is_written_each_as_it_was(store, gate):
    gate.set()
    for step in (1, 2, 3):
        store.save_beside(step, large(float(step)), first=list)
    store.close()

    assert [store.load(step)["x"].unique().tolist() for step in (1, 2, 3)] == [[1.0], [2.0], [3.0]]
    assert names(store) == [store.path(step).name for step in (1, 2, 3)]


def test_what_must_come_first_is_done_by_the_thread_that_writes(store, gate):
    gate.set()
    threads = []

    store.save_beside(1, large(1.0), first=lambda: threads.append(threading.current_thread())).result()

    assert threads != [threading.main_thread()]


def test_a_large_state_that_cannot_be_written_leaves_what_was_there(store, monkeypatch):
    def fail(path, parts):
        raise OSError("No space left on device")

    store.save_beside(1, large(1.0), first=list).result()
    monkeypatch.setattr(checkpoint, "write_parts", fail)
    saving = store.save_beside(2, large(2.0), first=list)

    assert str(saving.exception()) == "No space left on device"
    assert store.load_newest()["x"][0] == 1.0


def test_what_is_being_written_is_not_taken_for_an_old_file(store, gate):
    owner = object()
    gate.set()
    fill(store, 1, 2)
    gate.clear()
    gate.reached.clear()
    saving = store.save_beside(3, large(3.0), first=list)
    gate.reached.wait(300)
    store.keep(owner, [2])

    store.prune()
    gate.set()

    assert saving.result() == store.path(3)
    assert store.load(3)["x"].unique().tolist() == [3.0]


def test_prunes_what_nobody_keeps_but_never_the_newest(store):
    owner, other = object(), object()
    fill(store, 1, 2, 3, 4)
    store.keep(owner, [1, 3])
    store.keep(other, [])

    store.prune()
    assert store.steps() == [1, 3, 4]

    store.keep(owner, [])
    store.prune()
    assert store.steps() == [4]


def test_what_somebody_deleted_is_not_missed(store):
    fill(store, 1, 2, 3, 4)
    store.keep(store, [1, 2, 3])
    store.prune()
    store.path(2).unlink()
    store.keep(store, [])

    store.prune()

    assert store.steps() == [4]


def test_what_is_pruned_is_written_over_by_the_next_save(store):
    fill(store, 1, 2)
    inode = store.path(1).stat().st_ino
    store.prune()

    store.save(3, {"x": torch.zeros(1)})

    assert store.path(3).stat().st_ino == inode
    assert store.load(3)["x"] == 0
    assert names(store) == ["step-00000002.ckpt", "step-00000003.ckpt"]


@pytest.mark.parametrize("link", [os.link, shutil.copy])
def test_a_backup_of_what_is_pruned_is_not_written_over(store, tmp_path, link):
    fill(store, 1, 2)
    link(store.path(1), tmp_path / "backup.ckpt")
    content = (tmp_path / "backup.ckpt").read_bytes()
    store.prune()

    fill(store, 3)

    assert (tmp_path / "backup.ckpt").read_bytes() == content


def test_what_a_killed_write_left_is_no_checkpoint_and_can_be_removed(store):
    fill(store, 1)
    (store.directory / "unfinished.tmp").write_bytes(store.path(1).read_bytes()[:50])

    assert store.load_newest()["x"][0] == 1
    store.remove_leftovers()
    assert names(store) == ["step-00000001.ckpt"]


def test_discards_all_of_them(store):
    fill(store, 1, 2, 3)
    store.prune()

    store.discard()

    assert names(store) == []


def test_after_that_a_new_one_is_the_newest_though_its_number_is_smaller(store):
    fill(store, 1, 100)
    store.prune()
    store.discard()
    fill(store, 3)

    store.prune()

    assert names(store) == ["step-00000003.ckpt"]


def test_closing_lets_the_memory_of_the_copy_go(store):
    state = large(1.0)
    tracemalloc.start()
    store.save_beside(1, state, first=list).result()
    before = tracemalloc.get_traced_memory()[0]
    store.close()

    freed = before - tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert freed > 2**20


def build_model():
    return nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3), nn.Dropout())


def test_a_model_gets_back_weights_buffers_frozen_weights_and_modes(store):
    model = build_model()
    model(torch.randn(4, 2))
    model[0].weight.requires_grad_(False)
    model[1].eval()
    store.save(1, model_state(model))
    again = build_model()
    again[2].eval()

    load_model_state(again, store.load(1))

    assert all(map(torch.equal, model.state_dict().values(), again.state_dict().values()))
    assert [p.requires_grad for p in again.parameters()] == [False, True, True, True]
    assert [module.training for module in again.modules()] == [True, True, False, True]


def test_a_model_with_other_weights_is_refused_in_one_line():
    with pytest.raises(CheckpointError, match=r"the checkpoint does not fit the model: .* size mismatch") as caught:
        load_model_state(nn.Linear(2, 3), model_state(nn.Linear(2, 4)))

    assert "\n" not in str(caught.value)
