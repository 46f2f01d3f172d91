"""F09: on a full disk training goes on and the last good checkpoint stays; with room again the run ends the same."""

import errno
import os
from functools import partial

import pytest
from harness import EXHAUSTIVE, start, steps, unbroken, wrong
from injections import disk_of

from ignite_workflow import CheckpointStore

SIZES = {  # of weights, and of the disk in bytes
    "small": (0, range(0, 40_000, 2_000 if EXHAUSTIVE else 11_000)),
    "large": (100_000, range(0, 8_000_000, 500_000 if EXHAUSTIVE else 2_500_000)),
}


@pytest.mark.parametrize("name", SIZES)
def test_f09_full_disk(tmp_path, name, tally):
    ballast, sizes = SIZES[name]
    expected = unbroken(tmp_path, train={"max_epochs": 3}, model={"ballast": ballast})
    failed, codes = {}, []

    for size in sizes:
        run = tmp_path / f"{size}"
        done = start(run, inject=partial(disk_of, size=size))
        codes.append(done.code)
        clear = done.code == 0 or ("No space left" in done.said and "Error: " in done.said)
        good = not steps(run) or CheckpointStore(run / "checkpoints").load_newest()
        differing = wrong(run, expected)
        if differing or not good or not clear or "Traceback" in done.said:
            failed[size] = (done, differing)

    assert codes[0] != 0
    assert codes[-1] == 0
    tally("F09 full disk", len(sizes), failed)


@pytest.mark.parametrize("error", [errno.EDQUOT, errno.EROFS, errno.EIO], ids=errno.errorcode.get)
def test_f09_quota_read_only_or_broken_disk(tmp_path, error, tally):
    """The last save says what the system said, how many bytes it needs and how many are free."""
    expected, run = unbroken(tmp_path, train={"max_epochs": 3}), tmp_path / "run"
    done = start(run, inject=partial(disk_of, size=16_000, error=error))

    assert (done.code, "Traceback" in done.said) == (1, False), done.said
    assert f"the last checkpoint cannot be written to {run}/checkpoints: {os.strerror(error)} (" in done.said
    assert "bytes needed, " in done.said
    tally("F09 quota, read-only, input/output error", 1, wrong(run, expected))
