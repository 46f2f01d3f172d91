"""A run that was stopped or killed, anywhere and however often, ends with the bytes of one that was not.

``EXHAUSTIVE=1`` tries every moment and kills for longer; otherwise some moments are chosen, always the same ones.
"""

import json
import multiprocessing
import os
import signal
import sys
import time
from random import Random

import pytest
from small_run import OPTIMIZERS, VARIANTS, Moments, train

EXHAUSTIVE = bool(os.environ.get("EXHAUSTIVE"))
LONG = {"size": 60, "max_epochs": 6}  # 120 iterations: time enough to be killed

every_variant = pytest.mark.parametrize("variant", VARIANTS)
some_variants = pytest.mark.parametrize("variant", ["each epoch", "each 4 iterations", "in windows"])


def chosen(count, number, name):
    """``number`` of the moments from 0 to ``count``, or all of them."""
    return range(count) if EXHAUSTIVE else sorted(Random(name).sample(range(count), min(number, count)))


def stop(workflow):
    workflow.request_stop("signal", exit_code=143)


def unbroken(path, variant, *, of="", **size):
    """The result of a run that nothing disturbs, and how many moments it has."""
    moments = Moments(of=of)
    assert train(path, variant, moments.watch, **size)
    return json.loads((path / "result.json").read_text()), moments.count


def broken(path, variant, *numbers, of=""):
    """The result of a run that is stopped at the moment of the first number, resumed, stopped at the second, ..."""
    for number in numbers:
        if train(path, variant, Moments(number, stop, of=of).watch):
            break
    else:
        assert train(path, variant)
    return json.loads((path / "result.json").read_text())


def differing(found, expected):
    return [name for name in expected if found[name] != expected[name]]


@every_variant
def test_the_same_run_twice_gives_the_same_bytes(tmp_path, variant):
    expected, _ = unbroken(tmp_path / "a", variant)

    assert unbroken(tmp_path / "b", variant)[0] == expected


def test_any_number_of_workers_gives_the_same_bytes(tmp_path):
    assert unbroken(tmp_path / "a", "workers") == unbroken(tmp_path / "b", "each epoch")


def test_the_number_of_workers_may_change_from_one_start_to_the_next(tmp_path):
    expected, count = unbroken(tmp_path / "unbroken", "each epoch")
    assert not train(tmp_path / "run", "workers", Moments(count // 2, stop).watch)

    assert differing(broken(tmp_path / "run", "each epoch"), expected) == []


@pytest.mark.parametrize("variant", OPTIMIZERS)
def test_every_optimizer_goes_on_where_it_was(tmp_path, variant):
    expected, count = unbroken(tmp_path / "unbroken", variant)

    assert differing(broken(tmp_path / "run", variant, count // 2), expected) == []


@some_variants
@pytest.mark.parametrize("of", ["trainer ITERATION_STARTED before", "evaluator ITERATION_COMPLETED before"])
def test_stopped_at_each_iteration_of_training_or_evaluation(tmp_path, variant, of):
    expected, count = unbroken(tmp_path / "unbroken", variant, of=of)

    wrong = {n: differing(broken(tmp_path / f"{n}", variant, n, of=of), expected) for n in range(count)}

    assert count >= 12
    assert {n: names for n, names in wrong.items() if names} == {}


@every_variant
def test_stopped_at_any_moment(tmp_path, variant):
    expected, count = unbroken(tmp_path / "unbroken", variant)

    wrong = {
        n: differing(broken(tmp_path / f"{n}", variant, n), expected)
        for n in chosen(count, 3 if variant == "workers" else 10, variant)
    }

    assert {n: names for n, names in wrong.items() if names} == {}


@every_variant
def test_stopped_again_and_again(tmp_path, variant):
    expected, count = unbroken(tmp_path / "unbroken", variant)
    random = Random(variant)

    for attempt in range(20 if EXHAUSTIVE else 1):
        moments = [random.randrange(min(count, 150)) for _ in range(8)]

        assert differing(broken(tmp_path / f"{attempt}", variant, *moments), expected) == [], moments


def test_a_run_that_ended_early_within_an_epoch_has_its_weights_when_it_is_asked_again(tmp_path):
    expected, _ = unbroken(tmp_path, "stopped early within an epoch")

    assert train(tmp_path, "stopped early within an epoch")

    assert json.loads((tmp_path / "result.json").read_text()) == expected


def test_a_stop_is_saved_before_the_run_is_left(tmp_path):
    """So that the next start goes on where this one stopped, not some iterations before."""
    _, count = unbroken(tmp_path / "unbroken", "each 4 iterations")
    for n in chosen(count, 15, "saved"):
        left = []

        train(
            tmp_path / f"{n}",
            "each 4 iterations",
            lambda workflow, n=n, left=left: Moments(n, stop).watch(workflow) or left.append(workflow),
        )

        [workflow] = left
        iteration = workflow.trainer.state.iteration
        assert workflow.checkpoint_store().steps()[-1:] == ([iteration] if iteration else [])


# Killed


@pytest.fixture(scope="module")
def context():
    """Processes forked from one that has imported already what takes long: torch, and what an optimizer imports."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["pytest", "torch._dynamo", "ignite_workflow.workflow", "ignite_workflow.schedules"])
    return context


def train_and_say_so(path, variant, size, started, go):
    train(path, variant, lambda workflow: started.set() or go.wait(), **size)


def kill_at_file_operation(number, path):
    """This process dies, as by a power cut, before that one of its operations on the files of a run; counts them."""
    count = 0

    def hook(event, args):
        nonlocal count
        if event in ("open", "os.rename", "os.remove", "os.truncate", "os.mkdir") and str(path) in f"{args[0]}":
            if count == number:
                os.kill(os.getpid(), signal.SIGKILL)
            count += 1

    sys.addaudithook(hook)
    return lambda: count


def train_until_file_operation(path, variant, number, counts):
    count = kill_at_file_operation(number, path)
    train(path, variant)
    counts.put(count())


@some_variants
def test_killed_at_random_instants(tmp_path, context, variant):
    started = time.monotonic()
    expected, _ = unbroken(tmp_path / "unbroken", variant, **LONG)
    seconds = time.monotonic() - started
    path, random, kills = tmp_path / "killed", Random(variant), 0
    while not (path / "result.json").exists():
        running, go = context.Event(), context.Event()
        process = context.Process(target=train_and_say_so, args=(path, variant, LONG, running, go))
        process.start()
        running.wait()
        if kills:  # the first at once: on a fast machine a run may end before any later instant
            go.set()
        if kills < (40 if EXHAUSTIVE else 4):
            process.join(random.uniform(0, seconds / 4) if kills else 0)
            process.kill()
        process.join()
        kills += process.exitcode == -signal.SIGKILL
        assert process.exitcode in (0, -signal.SIGKILL)

    assert kills > 0
    assert differing(json.loads((path / "result.json").read_text()), expected) == []


def test_killed_before_any_operation_on_a_file(tmp_path, context):
    variant = "each 4 iterations"
    counts = context.SimpleQueue()
    expected, _ = unbroken(tmp_path / "unbroken", variant)
    run_in(context, train_until_file_operation, tmp_path / "counted", variant, None, counts)
    wrong = {}

    for n in chosen(counts.get(), 8, "files"):
        path = tmp_path / f"{n}"
        assert run_in(context, train_until_file_operation, path, variant, n, counts) == -signal.SIGKILL
        assert train(path, variant)
        wrong[n] = differing(json.loads((path / "result.json").read_text()), expected)
        assert not list(path.rglob("*.tmp"))

    assert {n: names for n, names in wrong.items() if names} == {}


def run_in(context, function, *args):
    process = context.Process(target=function, args=args)
    process.start()
    process.join()
    return process.exitcode
