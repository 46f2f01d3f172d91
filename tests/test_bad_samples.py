"""Samples that cannot be made, and workers that die: one line, or skipped; never another training, never a hang."""

import json
import logging
import os
import re
import signal
import socket
import subprocess
import sys
from multiprocessing.resource_sharer import DupFd
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from torch.utils.data import DataLoader, Dataset

from ignite_workflow import (
    ConfigError,
    DataError,
    TrainConfig,
    Workflow,
    config_from_mapping,
    evaluate,
    load_model,
    train,
)
from ignite_workflow.data import workers as workers_module
from ignite_workflow.data.bad_samples import SkippedSamples
from ignite_workflow.data.batches import SampleDataset
from ignite_workflow.data.loader import SeekableLoader
from ignite_workflow.data.workers import WorkerStart, end_workers, worker_death
from ignite_workflow.evaluation_output import evaluation_text
from ignite_workflow.trial import try_out

any_workers = pytest.mark.parametrize("workers", [0, 2])
QUIET = dict.fromkeys(("progress", "tensorboard", "curve_export"), False)


class Pictures(Dataset):
    """Sample ``i`` is ``i``; those of ``bad`` cannot be read."""

    def __init__(self, bad=(), size=10):
        self.bad, self.size = set(bad), size

    def __len__(self):
        return self.size

    def __getitem__(self, index):
        if index in self.bad:
            Path(f"/nowhere/{index}.jpg").read_bytes()
        return torch.tensor([float(index)]), torch.tensor([float(index)])


def loader(bad, *, workers=0, skipped=None, shuffle=False, size=10):
    dataset = SampleDataset(Pictures(bad, size), 3, seed=0, shuffle=shuffle)
    made = SeekableLoader(dataset, workers=workers)
    if skipped is not None:
        made.skip_bad_samples(skipped)
    return made


def read(made, epoch=1, start=0):
    made.seek(epoch, start)
    try:
        return [x.flatten().int().tolist() for x, _ in made]
    finally:
        made.close()


def listed(path):
    return [(entry["epoch"], entry["index"]) for entry in map(json.loads, path.read_text().splitlines())]


@any_workers
def test_a_sample_that_cannot_be_made_is_named_with_its_file_on_one_line(workers):
    with pytest.raises(DataError) as raised:
        read(loader([4], workers=workers))

    assert str(raised.value) == (
        "a sample cannot be made: sample 4 of Pictures: FileNotFoundError: [Errno 2] No such file or directory: "
        "'/nowhere/4.jpg'"
    )


def test_its_traceback_goes_to_the_log(caplog):
    caplog.set_level(logging.INFO)

    with pytest.raises(DataError):
        read(loader([4], workers=2))

    assert 'Path(f"/nowhere/{index}.jpg").read_bytes()' in caplog.text


@any_workers
def test_it_may_be_skipped_and_is_listed_with_the_reason(tmp_path, workers, caplog):
    skipped = SkippedSamples(tmp_path / "skipped", "train")

    batches = read(loader([4, 5], workers=workers, skipped=skipped))

    assert batches == [[0, 1, 2], [3], [6, 7, 8], [9]]
    assert listed(tmp_path / "skipped") == [(1, 4), (1, 5)]
    assert caplog.messages[0].startswith("skipped: sample 4 of Pictures (train): FileNotFoundError: ")


@any_workers
@pytest.mark.parametrize("epoch", [1, 2])
def test_a_run_that_goes_on_skips_the_same_samples_though_they_can_be_made_again(tmp_path, workers, epoch):
    read(loader([4, 5], skipped=SkippedSamples(tmp_path / "skipped", "train")))

    batches = read(loader([], workers=workers, skipped=SkippedSamples(tmp_path / "skipped", "train")), epoch, start=1)

    assert batches == [[3], [6, 7, 8], [9]]


def test_an_epoch_that_came_before_keeps_the_samples_it_had(tmp_path):
    skipped = SkippedSamples(tmp_path / "skipped", "train")
    read(loader([4], skipped=skipped), epoch=2)

    assert read(loader([], skipped=skipped), epoch=1)[1] == [3, 4, 5]


def test_the_splits_have_lists_of_their_own(tmp_path):
    read(loader([4], skipped=SkippedSamples(tmp_path / "skipped", "train")))

    assert SkippedSamples(tmp_path / "skipped", "val").until(9) == frozenset()


def test_a_line_that_was_cut_by_a_power_cut_is_as_if_it_had_not_been_written(tmp_path):
    read(loader([4, 5], skipped=SkippedSamples(tmp_path / "skipped", "train")))
    (tmp_path / "skipped").write_text((tmp_path / "skipped").read_text()[:-20])

    assert SkippedSamples(tmp_path / "skipped", "train").until(1) == {4}


@any_workers
def test_a_batch_without_a_sample_left_is_refused(tmp_path, workers):
    with pytest.raises(DataError, match=r"^a batch has no sample left: sample 3 of Pictures \(and 2 more\): FileNot"):
        read(loader([3, 4, 5], workers=workers, skipped=SkippedSamples(None, "train")))


def test_many_are_not_a_line_each(caplog):
    read(loader(range(0, 30, 2), skipped=SkippedSamples(None, "train"), size=30))

    assert len(caplog.messages) == 6
    assert caplog.messages[-1].startswith("further samples of the train split that are skipped are not listed here")


# A run


def build(directory, bad=(), workers=0, size=60):
    model = torch.nn.Linear(1, 1)
    torch.nn.init.zeros_(model.weight)
    return Workflow.from_parts(
        model,
        torch.optim.SGD(model.parameters(), lr=1e-9),
        torch.nn.functional.mse_loss,
        DataLoader(Pictures(bad, size), batch_size=3, num_workers=workers),
        train=TrainConfig(max_epochs=2, device="cpu"),
        handlers=QUIET,
        run_directory=directory,
    )


def pids(workflow):
    return [worker.pid for worker in workflow.train_loader._iterator._workers]


@any_workers
def test_a_run_ends_with_that_line_in_its_status(tmp_path, workers):
    with pytest.raises(DataError, match="sample 17 of Pictures"):
        build(tmp_path, [17], workers).run()

    status = json.loads((tmp_path / "status.json").read_text())
    assert (status["state"], status["exit_code"]) == ("failed", 1)
    assert status["reason"].startswith("DataError: a sample cannot be made: sample 17 of Pictures: FileNotFoundError")


@pytest.mark.parametrize("at", ["ITERATION_STARTED", "GET_BATCH_STARTED"])
def test_a_worker_that_is_killed_ends_the_run_with_one_line(tmp_path, at):
    workflow, killed = build(tmp_path, workers=2, size=600), []

    def kill():
        if workflow.trainer.state.iteration == 2 and not killed:
            killed.extend(pids(workflow))
            os.kill(killed[0], signal.SIGKILL)

    workflow.trainer.add_event_handler(at, kill)

    with pytest.raises(DataError) as raised:
        workflow.run()

    assert str(raised.value).startswith(f"a process that makes samples ({killed[0]}) ")
    assert json.loads((tmp_path / "status.json").read_text())["exit_code"] == 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1])
def test_workers_leave_signals_to_the_training(tmp_path, number):
    workflow, sent = build(tmp_path, workers=2, size=600), []

    def send():
        if workflow.trainer.state.iteration == 2 and not sent:
            sent.extend(pids(workflow))
            for pid in sent:
                os.kill(pid, number)

    workflow.trainer.add_event_handler("ITERATION_STARTED", send)

    workflow.run()

    assert len(sent) == 2
    assert workflow.trainer.finished
    assert not any(map(is_alive, sent))


def is_alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_person_s_own_start_of_a_worker_is_called_too():
    made = SeekableLoader(
        SampleDataset(Pictures(), 3, seed=0, shuffle=False), workers=1, worker_init_fn=lambda worker: 1 / 0
    )

    with pytest.raises(ZeroDivisionError):
        read(made)


class Addresses(Dataset):
    """Samples are where their worker hands tensors over."""

    def __len__(self):
        return 1

    def __getitem__(self, index):
        return DupFd(0)._id[0]


def test_a_worker_says_nothing_of_a_tensor_that_the_training_broke_off_to_fetch(capfd):
    batches = iter(DataLoader(Addresses(), None, num_workers=1, worker_init_fn=WorkerStart()))
    address = next(batches)

    for _ in range(2):  # they are served one after the other: the second answer comes when the first one's end is told
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(address)
            connection.recv(1)
    end_workers(batches)

    assert capfd.readouterr().err == ""


def test_a_worker_that_dies_on_its_way_out_is_no_error(monkeypatch):
    made = loader([], workers=2)
    batches = iter(made)
    next(batches)
    workers, iterator = made._iterator._workers, made._iterator
    death = RuntimeError("DataLoader worker (pid 7) is killed by signal: Aborted. ")
    monkeypatch.setattr(iterator, "_shutdown_workers", lambda: raise_(death))

    made.close()

    assert [worker.exitcode for worker in workers] == [-signal.SIGKILL] * 2
    monkeypatch.undo()
    iterator._shutdown_workers()


def raise_(error):
    raise error


ENDS = """
import sys
sys.path.insert(0, sys.argv[1])
from test_bad_samples import loader
made = loader([], workers=1)
batches = iter(made)
next(batches)
print("the end")
"""


def test_a_program_that_ends_before_its_workers_does_not_wait_for_them():
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", ENDS, str(Path(__file__).parent)]

    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300)

    assert (done.returncode, done.stdout, done.stderr) == (0, "the end\n", "")


def test_a_worker_leaves_without_ending_its_threads_unless_an_error_is_to_be_shown(monkeypatch):
    left = []
    monkeypatch.setattr(workers_module.os, "_exit", left.append)
    try:
        1 / 0  # noqa: B018
    except ZeroDivisionError:
        workers_module._leave_at_once()
    assert left == []

    workers_module._leave_at_once()
    assert left == [0]


def test_another_error_is_not_taken_for_the_death_of_a_worker():
    assert worker_death(RuntimeError("mat1 and mat2 shapes cannot be multiplied")) is None


def test_a_broken_connection_to_a_worker_that_lives_is_what_it_is():
    made = loader([], workers=1)
    iterator = iter(made)
    next(iterator)

    assert worker_death(ConnectionResetError(), made._iterator) is None
    os.kill(made._iterator._workers[0].pid, signal.SIGKILL)
    made._iterator._workers[0].join()
    assert "died (exit code -9)" in str(worker_death(EOFError(), made._iterator))


# From settings

DATASET = """
import os
import re
import torch
from dataclasses import dataclass
from ignite_workflow import Handler

class Pictures(torch.utils.data.Dataset):
    classes = ("odd", "even")

    def __init__(self, path):
        self.path = path

    def __len__(self):
        return 60

    def __getitem__(self, index):
        if index % 10 == 0 and not os.path.exists(self.path + ".mended"):
            raise ValueError(f"picture {index} is cut short")
        return torch.randn(3) + index % 2, torch.tensor(index % 2)

class Net(torch.nn.Linear):
    def __init__(self, in_features, out_features):
        super().__init__(in_features, out_features)

@dataclass
class Stop(Handler):
    path: str

    def attach(self, workflow):
        self.workflow = workflow
        workflow.trainer.add_event_handler("EPOCH_COMPLETED", self.stop)

    def stop(self):
        if self.workflow.trainer.state.epoch == 2 and os.path.exists(self.path):
            self.workflow.request_stop("the test", 75)
"""


def settings(directory, **more):
    (directory / "own.py").write_text(DATASET)
    (directory / "pictures.bin").touch()
    own = {"kind": f"{directory}/own.py:Pictures", "path": f"{directory}/pictures.bin"}
    return {
        "data": {**own, **more},
        "model": {"name": f"{directory}/own.py:Net"},
        "train": {"max_epochs": 3, "device": "cpu", "batch_size": 8},
        "handlers": {
            **QUIET,
            "own_stop": {"use": f"{directory}/own.py:Stop", "path": f"{directory}/pictures.bin.stop"},
        },
    }


def measured(run):
    """What was measured before the test split, for which the samples can be made again."""
    rows = (run / "metrics.jsonl").read_text().splitlines()
    return [row for row in rows if json.loads(row)["split"] != "test"]


def test_settings_say_that_samples_are_skipped_and_a_stopped_run_goes_on_without_them(tmp_path):
    given = settings(tmp_path, on_bad_sample="skip")
    train(given, run_directory=tmp_path / "unbroken")
    (tmp_path / "pictures.bin.stop").touch()
    stopped = train(given, run_directory=tmp_path / "run")
    (tmp_path / "pictures.bin.stop").rename(tmp_path / "pictures.bin.mended")

    result = train(given, run_directory=tmp_path / "run", resume=True)

    assert (stopped.exit_code, result.status) == (75, "finished")
    assert measured(tmp_path / "run") == measured(tmp_path / "unbroken")
    skipped = [json.loads(line) for line in (tmp_path / "unbroken/skipped_samples.jsonl").read_text().splitlines()]
    assert sorted(each["row"] for each in skipped) == [0, 10, 20, 30, 40, 50]
    assert skipped[0]["reason"] == f"ValueError: picture {skipped[0]['row']} is cut short"


def test_without_a_word_the_first_one_stops_the_run_before_it_starts(tmp_path):
    with pytest.raises(DataError, match=r"of Pictures: ValueError: picture \d+ is cut short"):
        train(settings(tmp_path), run_directory=tmp_path / "run")


def test_a_table_has_no_such_samples():
    with pytest.raises(ConfigError, match=r"data.on_bad_sample: is for a Dataset of your own; a table is read whole"):
        train("examples/data/penguins.csv", ["data.target=species", "data.on_bad_sample=skip"])


def test_an_evaluation_does_without_them_too_and_lists_them(tmp_path):
    result = train(settings(tmp_path, on_bad_sample="skip", split={"test": 0.5}), run_directory=tmp_path / "run")

    found = evaluate(load_model(result.run, trust=True, device="cpu"))

    rows = sorted(bad.row for bad in found.bad_samples)
    assert rows == [row for row in range(0, 60, 10) if row in rows] != []
    assert found.rows == 30 - len(rows)
    assert found.to_dict()["skipped_samples"][0]["reason"].endswith("is cut short")
    assert f"{found.rows} rows, {len(rows)} skipped that cannot be made" in evaluation_text(found)


def test_an_evaluation_stops_for_one_where_the_run_would_have(tmp_path):
    (tmp_path / "pictures.bin.mended").touch()
    result = train(settings(tmp_path, split={"test": 0.5}), run_directory=tmp_path / "run")
    (tmp_path / "pictures.bin.mended").unlink()

    with pytest.raises(DataError, match=r"a sample cannot be made: sample \d+ of Pictures: ValueError: picture"):
        evaluate(load_model(result.run, trust=True, device="cpu"))


def test_a_check_does_without_them_and_says_how_many(tmp_path):
    found = try_out(config_from_mapping(settings(tmp_path, on_bad_sample="skip")))

    [remark] = [remark for remark in found.remarks if "cannot be made" in remark.text]
    assert remark.level == "warning"
    assert re.match(r"\d samples of the few that were tried cannot be made \(\d0 of ", remark.text)
    assert "is cut short): mend or remove them" in remark.text


class Dying:
    """A worker whose files are closed, and that has not ended yet."""

    pid, exitcode = 7, None

    def __init__(self):
        self.sentinel, other = os.pipe()
        os.close(other)

    def join(self, timeout):
        self.exitcode = -9


def test_a_worker_that_is_just_dying_is_told_of():
    worker = Dying()

    told = worker_death(ConnectionResetError(), SimpleNamespace(_workers=[worker]))
    os.close(worker.sentinel)

    assert str(told).startswith("a process that makes samples (7) died (exit code -9).")
