"""Whole runs from the command line: stopped or killed, gone on with by the same command, compared byte by byte."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
COMMAND = [
    sys.executable, str(ROOT / "run.py"), "train", str(ROOT / "examples/data/penguins.csv"), "--target", "species",
    "--device", "cpu", "--resume", "train.max_epochs=80", "handlers.early_stopping=false",
    "handlers.curve_export=false", "handlers.tensorboard=false", "handlers.checkpointing.every={iterations: 5}",
]  # fmt: skip
SAME = ("metrics.jsonl", "model/model.safetensors", "config.yaml")


def start(directory, *more):
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "IGNITE_WORKFLOW_CACHE": str(directory.parent / "cache")}
    command = [*COMMAND, *more, "--run-dir", str(directory)]
    return subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, bufsize=0, pipesize=4096)


def finish(directory):
    process = start(directory)
    process.communicate()
    return process.returncode


def wait_for_epoch(process, epoch):
    """The run waits too, once it is ahead of who reads here by a page of lines: it is not done before it is stopped."""
    for line in process.stderr:
        if line.startswith(b"epoch") and int(line.split()[1].partition(b"/")[0]) >= epoch:
            return
    raise AssertionError("the run ended before that epoch")


def contents(directory):
    return {name: (directory / name).read_bytes() for name in SAME}


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory):
    directory = tmp_path_factory.mktemp("unbroken") / "run"
    assert finish(directory) == 0
    return contents(directory)


@pytest.mark.parametrize(
    ("number", "exit_code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130), (signal.SIGUSR1, 75), (signal.SIGHUP, 129)]
)
def test_a_signal_stops_after_a_checkpoint_and_the_same_command_goes_on_exactly(number, exit_code, tmp_path, unbroken):
    directory = tmp_path / "run"
    process = start(directory)
    wait_for_epoch(process, 3)
    process.send_signal(number)
    process.communicate()

    assert process.returncode == exit_code
    assert finish(directory) == 0
    assert contents(directory) == unbroken


def test_killed_runs_go_on_exactly(tmp_path, unbroken):
    directory = tmp_path / "run"
    for epoch in (2, 7, 20):
        process = start(directory)
        wait_for_epoch(process, epoch)
        time.sleep(0.001 * epoch)  # somewhere in the epoch, not always at its beginning
        process.kill()
        process.communicate()

    assert finish(directory) == 0
    assert contents(directory) == unbroken


def test_a_second_start_is_refused_and_says_by_whom(tmp_path):
    directory = tmp_path / "run"
    first = start(directory, "train.max_epochs=1000000")
    wait_for_epoch(first, 1)
    second = start(directory, "train.max_epochs=1000000")
    _, said = second.communicate()
    first.kill()
    first.communicate()

    assert second.returncode == 2
    assert f"is in use by process {first.pid}" in said.decode()
