"""F09, F11: a full disk or signals exactly while the trained model is written; the next start writes it."""

import errno
import os
import signal
from functools import partial

import pytest
from file_calls import watch
from harness import start, unbroken, wrong


def disturbed_at_export(directory, fault):
    """``fault()`` is called before the first write of the model."""
    left = [fault]

    def come(call):
        if "/.model.new/" in call.path and call.name == "write" and left:
            left.pop()()

    watch(directory, come)


def disk_full():
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def signals(times):
    for _ in range(times):
        os.kill(os.getpid(), signal.SIGINT)


@pytest.mark.parametrize(
    ("fault", "code", "said"),
    [
        (disk_full, 1, "Error: the model cannot be written to "),
        (partial(signals, 1), 0, "finished: "),  # what is left takes no longer than a save
        (partial(signals, 2), 130, ""),
    ],
    ids=["full disk", "a signal", "two signals"],
)
def test_f11_a_fault_while_the_model_is_written(tmp_path, fault, code, said, tally):
    expected, run = unbroken(tmp_path, train={"max_epochs": 2}), tmp_path / "run"
    done = start(run, inject=partial(disturbed_at_export, fault=fault))

    assert (done.code, "Traceback" in done.said) == (code, False), done.said
    assert done.said.startswith(said)
    tally("F11 a fault while the model is written", 1, wrong(run, expected))
