import errno
import json
import os
import re
import signal
import subprocess
import sys
from datetime import datetime

import pytest
import torch
from torch.utils.data import DataLoader

from ignite_workflow import Record, RunDirectory, RunDirectoryError, durable, run_directory
from ignite_workflow.durable import replace_file
from ignite_workflow.run_directory import new_run_directory, new_run_path

ROW = Record(1, 1, "val", "loss", 0.5)
HOLD = """
import sys
from pathlib import Path
from ignite_workflow.run_directory import RunDirectory
directory = RunDirectory(Path(sys.argv[1]))
print("held", flush=True)
sys.stdin.read()
"""
TAKE = "import fcntl, os, sys; fcntl.lockf(os.open(sys.argv[1], os.O_RDWR), fcntl.LOCK_EX | fcntl.LOCK_NB)"


@pytest.fixture
def path(tmp_path):
    return tmp_path / "run"


def other_process_gets(path):
    """Whether another process can take the lock at this moment."""
    return (
        subprocess.run([sys.executable, "-S", "-c", TAKE, path / "run.lock"], stderr=subprocess.DEVNULL).returncode == 0
    )


@pytest.fixture
def held_elsewhere(path):
    """Another process that holds ``path`` until its end."""
    command = [sys.executable, "-c", HOLD, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_makes_its_folder_and_says_where_things_lie(path):
    with RunDirectory(path / "deep") as directory:
        assert directory.path == path / "deep"
        assert directory.path.is_dir()
        assert directory.checkpoints == path / "deep" / "checkpoints"
        assert directory.model == path / "deep" / "model"


def test_its_path_stays_right_when_the_process_goes_elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with RunDirectory(run_directory.Path("run")) as directory:
        monkeypatch.chdir("/")

        assert directory.path == tmp_path / "run"


def test_a_second_one_in_the_same_process_is_refused(path, tmp_path):
    (tmp_path / "link").symlink_to(path)
    with RunDirectory(path):
        for same in (path, tmp_path / "link", path / ".." / "run"):
            with pytest.raises(RunDirectoryError, match=f"in use by this process .{os.getpid()}"):
                RunDirectory(same)


def test_after_a_second_one_was_refused_the_first_still_holds_it(path):
    with RunDirectory(path):
        with pytest.raises(RunDirectoryError):
            RunDirectory(path)

        assert not other_process_gets(path)


def test_held_by_another_process_it_is_refused_naming_it(path, held_elsewhere):
    with pytest.raises(
        RunDirectoryError, match=rf"run is in use by process {held_elsewhere.pid} on \S+, since \d{{4}}-"
    ):
        RunDirectory(path)


def test_a_holder_that_has_not_said_who_it_is_is_another_process(path, held_elsewhere):
    (path / "run.lock").write_text("")

    with pytest.raises(RunDirectoryError, match="run is in use by another process"):
        RunDirectory(path)


def test_is_free_again_when_its_holder_is_killed(path, held_elsewhere):
    held_elsewhere.send_signal(signal.SIGKILL)
    held_elsewhere.wait()

    with RunDirectory(path):
        assert json.loads((path / "run.lock").read_text())["pid"] == os.getpid()


def test_is_free_again_after_close(path):
    RunDirectory(path).close()

    assert other_process_gets(path)
    RunDirectory(path).close()


def test_closed_twice_it_does_not_let_go_of_what_somebody_else_holds(path):
    first = RunDirectory(path)
    first.close()
    with RunDirectory(path):
        first.close()

        assert not other_process_gets(path)


def test_the_holder_before_is_forgotten(path):
    path.mkdir()
    (path / "run.lock").write_text('{"pid": 123456789, "host": "a machine with a long name", "since": "long ago"}' * 9)

    with RunDirectory(path):
        assert json.loads((path / "run.lock").read_text())["pid"] == os.getpid()


def test_loader_workers_do_not_hold_it(path):
    directory = RunDirectory(path)
    loader = iter(DataLoader(torch.arange(4), num_workers=1))
    next(loader)  # the worker, forked while the directory was held, is alive

    directory.close()

    assert other_process_gets(path)


def test_its_records_are_in_metrics_jsonl_once_they_are_synced(path):
    with RunDirectory(path) as directory:
        directory.records.append(ROW)
        directory.records.sync()

    assert json.loads((path / "metrics.jsonl").read_text())["value"] == 0.5


@pytest.mark.parametrize("blocked", ["file/run", "file"])
def test_a_path_that_cannot_be_a_folder_is_refused(tmp_path, blocked):
    (tmp_path / "file").write_text("")

    with pytest.raises(RunDirectoryError, match=rf"cannot write to the run directory \S+{blocked}: \w"):
        RunDirectory(tmp_path / blocked)


def test_status_says_who_and_when_and_keeps_what_was_said(path):
    with RunDirectory(path) as directory:
        directory.update_status("running", epoch=1)
        directory.update_status("finished", best=0.5)
        status = directory.read_status()

    assert (status["state"], status["epoch"], status["best"], status["pid"]) == ("finished", 1, 0.5, os.getpid())
    assert datetime.fromisoformat(status["started"]) <= datetime.fromisoformat(status["updated"])


def test_status_keeps_the_time_of_the_first_start(path):
    with RunDirectory(path) as directory:
        directory.write("status.json", '{"started": "2020-01-01T00:00:00+0000", "state": "stopped"}')
        directory.update_status("running")

        assert directory.read_status()["started"] == "2020-01-01T00:00:00+0000"


def test_a_new_run_has_no_status(path):
    with RunDirectory(path) as directory:
        assert directory.read_status() == {}


@pytest.mark.parametrize("content", ["", '{"state": "fin', "[1, 2]", b"\xff".decode("latin-1")])
def test_a_status_that_somebody_damaged_is_one_line(path, content):
    with RunDirectory(path) as directory:
        directory.write("status.json", content)
        with pytest.raises(RunDirectoryError, match=r"^\S+status.json is damaged: put it back, or delete it: [^\n]+$"):
            directory.read_status()


def refuse(*_, **__):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.fixture
def full(monkeypatch):
    """``full()`` leaves no room for anything new from then on."""
    return lambda: monkeypatch.setattr(run_directory, "replace_file", refuse)


@pytest.mark.parametrize("state", ["failed", "stopped", "finished"])
def test_a_full_disk_keeps_no_run_from_saying_how_it_ended(path, full, state):
    with RunDirectory(path) as directory:
        directory.update_status("running", epoch=3)
        full()
        directory.update_status(state, reason="why")

    status = json.loads((path / "status.json").read_text())
    assert (status["state"], status["reason"], status["epoch"]) == (state, "why", 3)
    assert {file.name for file in path.iterdir()} == {"run.lock", "status.json"}


def test_on_a_full_disk_a_long_end_is_told_in_short(path, full):
    with RunDirectory(path) as directory:
        directory.update_status("running", metrics={f"val/{number}": 0.5 for number in range(500)}, from_model="m")
        full()
        directory.update_status("failed", reason="x" * 9000, exit_code=1)
        status = directory.read_status()

    assert (status["state"], status["reason"], status["exit_code"]) == ("failed", "x" * 500, 1)
    assert (status["from_model"], "metrics" in status) == ("m", False)


def test_a_finish_whose_numbers_do_not_fit_on_a_full_disk_is_none(path, full):
    """Its metrics are a part of the result: a run that cannot tell them has failed, and can say so."""
    with RunDirectory(path) as directory:
        directory.update_status("running")
        full()
        with pytest.raises(RunDirectoryError, match=r"status.json: No space left"):
            directory.update_status("finished", metrics={f"val/{number}": 0.5 for number in range(500)})
        directory.update_status("failed", reason="full")

        assert directory.read_status()["state"] == "failed"


def test_an_ended_run_keeps_no_room(path):
    with RunDirectory(path) as directory:
        directory.update_status("running")
        kept = (path / ".status.json.spare").stat().st_size
        directory.update_status("stopped")

    assert (kept, (path / ".status.json.spare").exists()) == (4096, False)


def test_what_a_full_disk_leaves_half_written_goes(tmp_path, monkeypatch):
    monkeypatch.setattr(durable, "sync_data", refuse)
    with pytest.raises(OSError, match="No space"):
        replace_file(tmp_path / "file", b"content", sync=True)

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", ["täglich", b"\xff"])
def test_a_file_is_replaced_whole(tmp_path, content):
    path = tmp_path / "file"
    path.write_text("a longer text that was there before")
    with path.open("rb") as before:
        replace_file(path, content)

        assert before.read() == b"a longer text that was there before"  # a reader keeps the file it opened
    assert path.read_bytes() == (content.encode() if isinstance(content, str) else content)
    assert [each.name for each in tmp_path.iterdir()] == ["file"]


def test_a_write_that_fails_leaves_the_old_file(tmp_path):
    path = tmp_path / "file"
    path.write_text("old")

    with pytest.raises(TypeError):
        replace_file(path, 3)

    assert path.read_text() == "old"


def test_synced_the_file_is_on_disk_before_its_name_and_the_name_before_it_returns(tmp_path, monkeypatch):
    seen = []

    def sync(descriptor):
        seen.append((os.path.basename(os.readlink(f"/proc/self/fd/{descriptor}")), (tmp_path / "file").exists()))

    monkeypatch.setattr(os, "fdatasync", sync)
    monkeypatch.setattr(os, "fsync", sync)

    replace_file(tmp_path / "file", "new", sync=True)

    assert seen == [(".file.tmp", False), (tmp_path.name, True)]


def test_a_run_is_named_after_what_it_trains_on_and_the_time(tmp_path):
    assert re.fullmatch(r"my-data.v2-\d{8}-\d{6}", new_run_path(tmp_path, "my data.v2").name)


def test_runs_of_the_same_second_are_numbered(tmp_path, monkeypatch):
    class Then(datetime):
        @classmethod
        def now(cls):
            return cls(2026, 1, 2, 3, 4, 5)

    monkeypatch.setattr(run_directory, "datetime", Then)
    names = []
    for _ in range(3):
        path = new_run_path(tmp_path, "penguins")
        path.mkdir()
        names.append(path.name)

    assert names == [f"penguins-20260102-030405{more}" for more in ("", "-2", "-3")]


@pytest.mark.parametrize("what", ["", "..", "///", "-x"])
def test_a_run_can_be_named_after_anything(tmp_path, what):
    path = new_run_path(tmp_path, what)

    assert path.parent == tmp_path
    assert re.match(r"(run|x)-\d", path.name)


def test_a_run_may_have_a_name(tmp_path):
    assert new_run_path(tmp_path, "data", "first try") == tmp_path / "first try"


@pytest.mark.parametrize("name", ["", " ", ".", "..", "a/b", "../a", "a\\b", "a\nb", "a\0b"])
def test_a_name_that_is_not_one_of_a_folder_is_refused(tmp_path, name):
    with pytest.raises(RunDirectoryError, match="must be the plain name of a folder"):
        new_run_path(tmp_path, "data", name)


def test_latest_points_to_the_newest(tmp_path):
    for name in ("a", "b"):
        with RunDirectory(tmp_path / name) as directory:
            directory.point_latest()

    assert (tmp_path / "latest").resolve() == tmp_path / "b"
    assert os.readlink(tmp_path / "latest") == "b"
    assert {path.name for path in tmp_path.iterdir()} == {"a", "b", "latest"}


def test_latest_is_set_though_a_process_was_killed_while_setting_it(tmp_path):
    (tmp_path / f".latest-{os.getpid()}").symlink_to("gone")
    with RunDirectory(tmp_path / "a") as directory:
        directory.point_latest()

    assert {path.name for path in tmp_path.iterdir()} == {"a", "latest"}


def test_latest_that_points_nowhere_is_replaced(tmp_path):
    (tmp_path / "latest").symlink_to("gone")
    with RunDirectory(tmp_path / "a") as directory:
        directory.point_latest()

    assert os.readlink(tmp_path / "latest") == "a"


def test_a_run_that_somebody_named_latest_stays(tmp_path):
    (tmp_path / "latest").mkdir()
    with RunDirectory(tmp_path / "a") as directory:
        directory.point_latest()

    assert not (tmp_path / "latest").is_symlink()


def test_the_status_is_strict_json_that_begins_with_how_it_ended(path):
    with RunDirectory(path) as directory:
        directory.update_status("running", metrics={"val/loss": float("nan")}, best={"value": -float("inf")})
        directory.update_status("failed", exit_code=1, reason="diverged")

    status = json.loads((path / "status.json").read_text(), parse_constant=pytest.fail)
    assert list(status.items())[:3] == [("state", "failed"), ("reason", "diverged"), ("exit_code", 1)]
    assert (status["metrics"], status["best"]) == ({"val/loss": "nan"}, {"value": "-inf"})


def test_a_start_that_fails_leaves_nothing_of_a_new_run(tmp_path):
    with pytest.raises(ValueError, match="no data"), new_run_directory(tmp_path / "runs" / "a"):
        raise ValueError("no data")

    assert list(tmp_path.iterdir()) == []


def test_a_start_that_fails_leaves_what_lay_in_the_directory_before(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")

    with pytest.raises(ValueError, match="no data"), new_run_directory(tmp_path):
        raise ValueError("no data")

    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_a_run_whose_config_stands_there_is_kept_when_it_fails(tmp_path):
    def start_and_fail():
        with new_run_directory(tmp_path / "run") as directory:
            directory.write("config.yaml", "")
            raise ValueError("diverged")

    with pytest.raises(ValueError, match="diverged"):
        start_and_fail()

    assert (tmp_path / "run" / "config.yaml").exists()
