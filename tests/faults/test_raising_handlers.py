"""F16: a handler that raises is named with event and iteration, the others hear of it, and the run can be resumed."""

import json
from functools import partial
from random import Random

from fault_job import MOMENTS
from harness import EXHAUSTIVE, start, unbroken, wrong
from injections import raising_at

CODES = {"Exception": 1, "SystemExit": 7, "KeyboardInterrupt": 130}
TRIALS = [(moment, kind) for moment in MOMENTS for kind in CODES]


def complaints(run, moment, kind, expected):
    """What is not as it should be where a handler raises at that moment."""
    count = 1 if moment.endswith((" STARTED", "trainer COMPLETED")) else 2
    done = start(run, inject=partial(raising_at, moment=moment, count=count, kind=kind))
    status = json.loads((run / "status.json").read_text())
    place = f"in Moments.come, at {moment.split()[1]}, iteration "
    return [
        *([f"exit code {done.code}"] if done.code != CODES[kind] else []),
        *([f"not named: {done.said}"] if place not in done.said else []),
        *([f"status: {status}"] if status["exit_code"] != CODES[kind] or place not in status["reason"] else []),
        *(["the other handlers did not hear"] if not run.with_name(f"{run.name}.heard").exists() else []),
        *wrong(run, expected),
    ]


def test_f16_a_handler_raises(tmp_path, tally):
    expected = unbroken(tmp_path, train={"max_epochs": 3})
    trials = TRIALS if EXHAUSTIVE else Random("F16").sample(TRIALS, 9)

    found = {
        (moment, kind): complaints(tmp_path / f"{moment} {kind}", moment, kind, expected) for moment, kind in trials
    }

    tally("F16 a handler raises", len(trials), {trial: wrongs for trial, wrongs in found.items() if wrongs})
