"""F18: samples that cannot be read are the same ones however the run is broken; a killed worker costs nothing."""

import os
import signal
from functools import partial
from itertools import count
from pathlib import Path

from harness import EXHAUSTIVE, result, start, started, steps, unbroken, write_settings, wrong
from injections import healed, waiting_at

BAD = [3, 17, 31]
SKIPPING = {"on_bad_sample": "skip", "options": {"bad": BAD}}
EACH_ITERATION = "handlers.checkpointing.every={iterations: 1}"


def test_f18_skipped_samples_stay_skipped(tmp_path, tally):
    """Though they can be read again as soon as the run has a checkpoint: a run that is whole never reads them again."""
    expected = unbroken(tmp_path, data=SKIPPING, train={"max_epochs": 3})
    skipped = (tmp_path / "unbroken/skipped_samples.jsonl").read_text()
    failed, trials = {}, 0

    for number in count(20, 3 if EXHAUSTIVE else 50):
        run = tmp_path / f"{number}"
        code = start(run, "train.workers=2", inject=partial(healed, number=number)).code
        if code == 0:
            break  # it was done before
        trials += 1
        has_all = bool(steps(run)) and steps(run)[-1] >= 5  # each sample was seen once, in the first epoch
        ended = start(run, inject=healed) if has_all else start(run)
        same = ended.code == 0 and result(run) == expected
        same_list = (run / "skipped_samples.jsonl").read_text() == skipped
        failed |= {} if code == -signal.SIGKILL and same and same_list else {number: (code, ended)}

    assert skipped.count("\n") == len(BAD)
    tally("F18 skipped samples", trials, failed)


def test_f18_a_sample_that_cannot_be_read_is_named_and_the_run_goes_on_when_it_can(tmp_path, tally):
    expected = unbroken(tmp_path, train={"max_epochs": 3})
    write_settings(tmp_path, train={"max_epochs": 3}, data={"options": {"bad": [25]}})
    run = tmp_path / "run"
    done = start(run, EACH_ITERATION)

    assert done.code == 1
    assert "point-25.png" in done.said
    assert "Traceback" not in done.said
    ended = start(run, inject=healed)
    tally("F18 unreadable sample", 1, [] if ended.code == 0 and result(run) == expected else [ended])


def test_f18_a_worker_is_killed(tmp_path, tally):
    expected = unbroken(tmp_path, train={"max_epochs": 3})
    run = tmp_path / "run"
    process = started(run, "train.workers=2", inject=partial(waiting_at, moment="trainer SAFE_POINT"))
    process.wait_for(tmp_path / "run.waiting")
    pid = process.process.pid
    workers = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    os.kill(int(workers[0]), signal.SIGKILL)
    (tmp_path / "run.go").touch()
    done = process.wait()

    assert done.code == 1
    assert "a process that makes samples" in done.said
    assert "Traceback" not in done.said
    tally("F18 worker killed", 1, wrong(run, expected, "train.workers=2"))
