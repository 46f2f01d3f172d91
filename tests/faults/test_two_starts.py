"""F20: of two starts in one directory one is refused, or they come one after the other; never both at once."""

import signal
import time
from functools import partial

import pytest
from harness import EXHAUSTIVE, start, started, unbroken, wrong
from injections import die_at_moment, waiting_at


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("two")


@pytest.fixture(scope="module")
def expected(folder):
    return unbroken(folder, train={"max_epochs": 3})


def first_start(run, moment, *arguments, who=""):
    """A start that waits at that moment."""
    process = started(run, *arguments, inject=partial(waiting_at, moment=moment, who=who))
    process.wait_for(run.with_name(f"{run.name}.waiting{who}"))
    return process


def go_on(run, process, who=""):
    run.with_name(f"{run.name}.go{who}").touch()
    return process.wait()


def is_refusal(done):
    return done.code == 2 and "is in use by process" in done.said


@pytest.mark.parametrize("resumed", [False, True], ids=["new", "resumed"])
@pytest.mark.parametrize("moment", ["config", "trainer STARTED", "forward", "trainer SAFE_POINT"])
def test_f20_a_start_while_another_one_runs_is_refused_at_once(folder, expected, moment, resumed, tally):
    run = folder / f"{moment} {resumed}"
    if resumed:
        assert start(run, inject=partial(die_at_moment, number=120)).code == -signal.SIGKILL
    first = first_start(run, moment, "train.workers=2")
    second = start(run)
    ended = go_on(run, first)

    assert ended.code == 0, ended.said
    tally("F20 a start while another one runs", 1, wrong(run, expected) if is_refusal(second) else [second])


def test_f20_a_start_that_was_overtaken_goes_on_behind_the_other(folder, expected, tally):
    """It had not taken the directory yet when the other one made it, and ended."""
    run = folder / "overtaken"
    first = first_start(run, "dataset")
    assert start(run).code == 0
    ended = go_on(run, first)

    tally("F20 a start that is overtaken", 1, wrong(run, expected) if ended.code == 0 or is_refusal(ended) else [ended])


def test_f20_a_start_that_came_second_to_a_new_directory_leaves_it_to_the_first(folder, expected, tally):
    """Both found no directory; it must not be tidied away by the one that is refused."""
    run = folder / "new"
    second = first_start(run, "dataset", who=" second")
    first = first_start(run, "config", who=" first")
    refused = go_on(run, second, who=" second")
    ended = go_on(run, first, who=" first")

    assert is_refusal(refused), refused
    assert ended.code == 0, ended.said
    tally("F20 two starts, both new", 1, wrong(run, expected))


def test_f20_two_starts_at_once(folder, expected, tally):
    failed = {}
    for trial in range(20 if EXHAUSTIVE else 2):
        run = folder / f"at once {trial}"
        ended = [process.wait() for process in [started(run, "train.workers=0"), started(run, "train.workers=2")]]
        legal = {done.code for done in ended} <= {0, 2} and any(done.code == 0 for done in ended)
        differing = wrong(run, expected)
        failed |= {trial: (ended, differing)} if differing or not legal else {}

    tally("F20 two starts at once", trial + 1, failed)


def test_f20_a_start_right_after_a_kill_whose_workers_live(folder, expected, tally):
    """The lock is not theirs, though they live on for some seconds."""
    run = folder / "workers"
    killed = first_start(run, "trainer SAFE_POINT", "train.workers=2")
    killed.kill()
    assert killed.wait().code == -signal.SIGKILL

    tally("F20 a start right after a kill", 1, wrong(run, expected, "train.workers=2"))


@pytest.mark.parametrize("method", ["fork", "spawn"] if EXHAUSTIVE else ["fork"])
def test_f20_workers_end_with_the_run_that_is_killed_while_they_start(folder, expected, method, tally):
    run = folder / f"orphans {method}"
    inject = partial(waiting_at, moment="trainer EPOCH_STARTED", workers_by=method)
    killed = started(run, "train.workers=1", inject=inject)
    killed.wait_for(run.with_name(f"{run.name}.waiting"))
    run.with_name(f"{run.name}.go").touch()
    time.sleep(1)
    killed.kill()
    killed.wait()
    killed.wait_for_group()

    tally("F20 workers end with a run that is killed", 1, wrong(run, expected, "train.workers=1"))
