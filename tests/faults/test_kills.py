"""F01, F02, F03: a run that is killed, anywhere and again and again, ends with the bytes of one that was not."""

import shutil
import signal
import time
from functools import partial
from itertools import count
from random import Random

import pytest
from harness import EXHAUSTIVE, HERE, start, started, unbroken, wrong
from injections import die_at_call, die_at_moment, workers_start_by

KILLED = -signal.SIGKILL
WORKERS = ("train.workers=0", "train.workers=2")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("kills")


@pytest.fixture(scope="module")
def expected(folder):
    return unbroken(folder)


@pytest.fixture(scope="module")
def seconds(folder, expected):
    """What an unbroken run takes, by its workers."""

    def measure(workers):
        begun = time.monotonic()
        assert start(folder / workers[-1], workers).code == 0
        return time.monotonic() - begun

    return {workers: measure(workers) for workers in WORKERS}


def test_f01_killed_at_random_instants(folder, expected, seconds, tally):
    random, failed, kills = Random("F01"), {}, 0
    while kills < (200 if EXHAUSTIVE else 8):
        directory, workers = folder / f"instant-{kills}", WORKERS[kills % 2]
        process = started(directory, workers)
        process.join(random.uniform(0, seconds[workers]))
        process.kill()
        if process.wait().code != KILLED:  # it was quicker: what was measured was a moment in which others were served
            seconds[workers] *= 0.8
            shutil.rmtree(directory)
            continue
        differing = wrong(directory, expected, WORKERS[random.random() < 0.3])
        failed |= {kills: differing} if differing else {}
        kills += 1

    tally("F01 killed at random instants, workers changed", kills, failed)


@pytest.mark.parametrize("ballast", [0, 100_000], ids=["small", "large"])
def test_f02_killed_before_the_nth_call_that_touches_the_run(tmp_path, ballast, tally):
    """A large checkpoint, of more than a megabyte, is written by a thread beside the training."""
    expected = unbroken(tmp_path, train={"max_epochs": 3}, model={"ballast": ballast})
    failed, trials = {}, 0

    for n in count(1, 1 if EXHAUSTIVE else 23):
        directory = tmp_path / f"{n}"
        code = start(directory, inject=partial(die_at_call, number=n)).code
        if code == 0:
            break
        differing = wrong(directory, expected)
        trials += 1
        failed |= {n: (code, differing)} if differing or code != KILLED else {}

    assert trials > 3
    tally("F02 killed before the Nth call that touches the run", trials, failed)


@pytest.mark.parametrize("seed", range(10 if EXHAUSTIVE else 1))
def test_f03_killed_again_and_again(folder, expected, seed, tally):
    random, directory = Random(f"F03 {seed}"), folder / f"again-{seed}"
    for kill in range(20):
        fault, most = (die_at_moment, 40) if kill % 2 else (die_at_call, 14)
        workers = WORKERS[kill % 5 == 0]
        assert start(directory, workers, inject=partial(fault, number=random.randint(1, most))).code == KILLED

    differing = wrong(directory, expected)
    tally("F03 killed 20 times in a row", 1, {seed: differing} if differing else {})


@pytest.mark.parametrize("method", ["fork", "forkserver", "spawn"] if EXHAUSTIVE else ["forkserver"])
def test_f01_however_workers_are_started(tmp_path, method, tally):
    """The Dataset lies in a file, which the workers must find again by themselves; some by importing all anew."""
    settings = {"data": {"kind": f"{HERE}/fault_job.py:Points"}, "train": {"max_epochs": 3}}
    expected, directory = unbroken(tmp_path, **settings), tmp_path / method
    killed = start(directory, "train.workers=1", inject=partial(workers_start_by, method=method, number=25))
    differing = wrong(directory, expected, "train.workers=1", inject=partial(workers_start_by, method=method))

    assert killed.code == KILLED
    tally("F01 killed, workers started by fork, forkserver or spawn", 1, differing)
