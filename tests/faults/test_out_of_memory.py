"""F31: with too little memory a run ends with one line and its exit code, and goes on to the same bytes with more."""

import json
from functools import partial

from harness import EXHAUSTIVE, start, unbroken, wrong
from injections import poisoned

# MB beyond what the process has when it starts; the last is more than enough
LIMITS = (*range(10, 300, 10 if EXHAUSTIVE else 140), 2000)


def complaints(run, done):
    """What is not as it should be."""
    errors = [line for line in done.said.splitlines() if line.startswith("Error: ")]
    told = json.loads((run / "status.json").read_text()) if (run / "status.json").exists() else {}
    said = ["not enough memory" in line and "with more memory" in line for line in errors]
    return [
        *([] if (done.code, said) in ((0, []), (1, [True])) and "Traceback" not in done.said else [done]),
        *([] if told.get("exit_code", done.code) == done.code else [told]),
    ]


def test_f31_out_of_memory(tmp_path, tally):
    expected = unbroken(tmp_path, train={"max_epochs": 2}, model={"ballast": 3_000_000})
    failed, codes = {}, []

    for limit in LIMITS:
        run = tmp_path / f"{limit}"
        done = start(run, inject=partial(poisoned, memory=limit * 1_000_000))
        codes.append(done.code)
        wrongs = complaints(run, done) + wrong(run, expected)
        failed |= {limit: wrongs} if wrongs else {}

    assert codes[0] == 1
    assert codes[-1] == 0
    tally("F31 out of memory", len(LIMITS), failed)
