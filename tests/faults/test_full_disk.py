"""F09: on a full disk training goes on and the last good checkpoint stays; with room again the run ends the same."""

import errno
import json
import os
import subprocess
from functools import partial

import pytest
from harness import EXHAUSTIVE, start, steps, unbroken, wrong
from injections import disk_of

from ignite_workflow import CheckpointStore

PAGE = 4096  # the least that a file takes
ROOM = 100_000_000
SIZES = {  # of weights, and of the disk in bytes
    "small": (0, range(0, 80_001, 4_000 if EXHAUSTIVE else 16_000)),
    "large": (100_000, range(0, 8_000_000, 500_000 if EXHAUSTIVE else 2_500_000)),
}


def complaints(run, done):
    """What is not as it should be where the disk was full, as far as it can be seen while it is."""
    file = run / "status.json"
    told = json.loads(file.read_text()) if file.exists() else {"exit_code": done.code, "state": "failed"}
    clear = done.code == 0 or ("No space left" in done.said and "Error: " in done.said)
    return [
        *([] if clear and "Traceback" not in done.said else [done]),
        *([] if (told["exit_code"], told["state"]) == (done.code, "failed" if done.code else "finished") else [told]),
        *([] if not steps(run) or CheckpointStore(run / "checkpoints").load_newest() else ["no good checkpoint"]),
    ]


@pytest.mark.parametrize("name", SIZES)
def test_f09_full_disk(tmp_path, name, tally):
    ballast, sizes = SIZES[name]
    expected = unbroken(tmp_path, train={"max_epochs": 3}, model={"ballast": ballast})
    failed, codes = {}, []

    for size in sizes:
        run = tmp_path / f"{size}"
        done = start(run, inject=partial(disk_of, size=size))
        codes.append(done.code)
        wrongs = complaints(run, done) + wrong(run, expected)
        failed |= {size: wrongs} if wrongs else {}

    assert codes[0] != 0
    assert codes[-1] == 0
    tally("F09 full disk", len(sizes), failed)


@pytest.fixture
def mounted():
    """``mounted(directory, size)`` gives a directory a disk of its own, in memory, or that disk another size."""
    disks = []

    def mount(directory, size):
        directory.mkdir(exist_ok=True)
        options = f"size={max(size, PAGE)}" + (",remount" if directory in disks else "")
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", directory], capture_output=True)
        if done.returncode != 0:
            pytest.skip("this machine lets nobody mount a disk here")
        disks.append(directory)

    yield mount
    for directory in {*disks}:
        subprocess.run(["umount", directory], check=True)


@pytest.mark.parametrize("name", SIZES)
def test_f09_full_disk_of_the_system(tmp_path, mounted, name, tally):
    """As the kernel has it: where files are of whole pages, and what is written over stays where it is."""
    ballast, sizes = SIZES[name]
    failed, codes = {}, []
    mounted(tmp_path / "0", 0)
    expected = unbroken(tmp_path, train={"max_epochs": 3}, model={"ballast": ballast})

    for size in sizes:
        run = tmp_path / f"{size}"
        mounted(run, size)
        done = start(run)
        codes.append(done.code)
        wrongs = complaints(run, done)
        mounted(run, ROOM)
        wrongs += wrong(run, expected)
        failed |= {size: wrongs} if wrongs else {}

    assert codes[0] != 0
    assert codes[-1] == 0
    tally("F09 full disk of the system", len(sizes), failed)


@pytest.mark.parametrize("error", [errno.EDQUOT, errno.EROFS, errno.EIO], ids=errno.errorcode.get)
def test_f09_quota_read_only_or_broken_disk(tmp_path, error, tally):
    """The last save says what the system said, how many bytes it needs and how many are free."""
    expected, run = unbroken(tmp_path, train={"max_epochs": 3}), tmp_path / "run"
    done = start(run, inject=partial(disk_of, size=16_000, error=error))

    assert (done.code, "Traceback" in done.said) == (1, False), done.said
    assert f"the last checkpoint cannot be written to {run}/checkpoints: {os.strerror(error)} (" in done.said
    assert "bytes needed, " in done.said
    tally("F09 quota, read-only, input/output error", 1, wrong(run, expected))
