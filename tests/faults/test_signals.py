"""F11: the first signal saves within a step and leaves with its code, the second at once; workers ignore them."""

import os
import shutil
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path
from random import Random

import pytest
from harness import EXHAUSTIVE, HERE, PATIENCE, start, started, steps, unbroken, write_settings, wrong
from injections import signalled_at, waiting_at

CODES = {signal.SIGHUP: 129, signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGUSR1: 75}
MOMENTS = {  # and how often each may have come
    "start-up": 1,
    "dataset": 300,
    "forward": 70,
    "evaluator ITERATION_STARTED": 12,
    "write": 80,
    "trainer SAFE_POINT": 60,
    "trainer EPOCH_STARTED": 12,
}


@pytest.fixture(scope="module", params=[0, 100_000] if EXHAUSTIVE else [0], ids=str)
def job(tmp_path_factory, request):
    """The folder of the runs, and what an unbroken one comes to."""
    folder = tmp_path_factory.mktemp("signals")
    return folder, unbroken(folder, model={"ballast": request.param})


def complaints(run, number, moment, count):
    """What is not as it should be where that signal comes at that moment; but for what follows."""
    name = "dataset" if moment == "start-up" else moment  # the first sample is looked at before there is a run
    done = start(run, inject=partial(signalled_at, numbers=(number,), moment=name, count=count))
    if (name, count) == ("dataset", 1):  # there is nothing to save
        expected = (CODES[number], f"Stopped by {number.name}.\n", False)
        return [done] if (done.code, done.said, run.exists()) != expected else []
    at = int(run.with_name(f"{run.name}.signalled").read_text())
    saved = steps(run)[-1] if steps(run) else 0
    return [(done, at, saved)] if done.code != CODES[number] or not at <= saved <= at + 1 else []


@pytest.mark.parametrize("number", CODES)
def test_f11_a_signal_at_any_moment(job, number, tally):
    (folder, expected), random, failed = job, Random(f"F11 {number}"), {}
    for trial in range(50 if EXHAUSTIVE else 4):
        moment = [*MOMENTS][(trial + 4 * [*CODES].index(number)) % len(MOMENTS)]
        count = random.randint(1, MOMENTS[moment])
        run = folder / f"{number} {trial}"
        wrongs = complaints(run, number, moment, count) or wrong(run, expected)
        failed |= {(moment, count): wrongs} if wrongs else {}

    tally("F11 a signal at any moment", trial + 1, failed)


@pytest.mark.parametrize("number", CODES)
def test_f11_a_signal_while_python_starts(tmp_path, number, tally):
    """A process of its own, that imports all anew; ``started`` forks one that has."""
    write_settings(tmp_path)
    command = [sys.executable, "run.py", "train", tmp_path / "job.yaml", "--run-dir", tmp_path / "run", "--resume"]
    failed, trials = [], 50 if EXHAUSTIVE else 2
    for trial in range(trials):
        done = None
        while done is None:
            done = signalled_after(2 * trial / trials, command, number, tmp_path / "run")
        legal = done == (CODES[number], f"Stopped by {number.name}.\n", False)
        failed += [] if legal else [(trial, done)]

    tally("F11 a signal while Python starts", trials, failed)


def signalled_after(seconds, command, number, run):
    """Exit code, stderr, and whether there is a run; None where there was one before the signal: this was too slow."""
    environment = {**os.environ, "PYTHONPATH": str(HERE)}
    with subprocess.Popen(command, cwd=HERE.parents[1], env=environment, stderr=subprocess.PIPE) as process:
        wait_until_answered(process.pid)
        time.sleep(seconds)
        process.send_signal(signal.SIGSTOP)
        late = run.exists()
        process.send_signal(number)
        process.send_signal(signal.SIGCONT)
        said = process.communicate()[1].decode()
    found = None if late else (process.returncode, said, run.exists())
    shutil.rmtree(run, ignore_errors=True)
    return found


def wait_until_answered(process):
    """Until the interpreter itself has started, and the program has said what is to happen at a signal."""
    status, end = Path(f"/proc/{process}/status"), time.monotonic() + PATIENCE
    usr1 = 1 << (signal.SIGUSR1 - 1)
    while not int(status.read_text().partition("SigCgt:")[2].split()[0], 16) & usr1:
        assert time.monotonic() < end
        time.sleep(0.001)


@pytest.mark.parametrize("number", CODES)
def test_f11_the_second_signal_leaves_at_once(job, number, tally):
    folder, expected = job
    run = folder / f"{number} twice"
    done = start(run, inject=partial(signalled_at, numbers=(number, number), moment="forward", count=20))

    at = int(run.with_name(f"{run.name}.signalled").read_text())
    assert done.code == CODES[number]
    assert max(steps(run)) < at
    tally("F11 the second signal leaves at once", 1, wrong(run, expected))


@pytest.mark.parametrize(
    "number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1] if EXHAUSTIVE else [15]
)
def test_f11_workers_ignore_signals(job, number, tally):
    """Which come to all processes of a group, as from a terminal or a scheduler."""
    folder, expected = job
    run = folder / f"{number} group"
    process = started(run, "train.workers=2", inject=partial(waiting_at, moment="trainer SAFE_POINT"))
    process.wait_for(run.with_name(f"{run.name}.waiting"))
    process.send(number, group=True)
    run.with_name(f"{run.name}.go").touch()
    done = process.wait()

    tally("F11 workers ignore signals", 1, [done] if done.code != CODES[number] else wrong(run, expected))


@pytest.mark.skipif(not EXHAUSTIVE, reason="workers that import torch take seconds")
def test_f11_workers_that_are_still_starting_ignore_signals(job, tally):
    folder, expected = job
    run = folder / "starting"
    inject = partial(waiting_at, moment="trainer EPOCH_STARTED", workers_by="spawn")
    process = started(run, "train.workers=1", inject=inject)
    process.wait_for(run.with_name(f"{run.name}.waiting"))
    run.with_name(f"{run.name}.go").touch()
    time.sleep(1)
    process.send(signal.SIGTERM, group=True)
    done = process.wait()

    tally("F11 workers ignore signals", 1, [done] if done.code != 143 else wrong(run, expected))
