import errno
import os
import re
import subprocess
import sys

import numpy as np
import pytest
import torch
from click.testing import CliRunner

from ignite_workflow import NotEnoughMemoryError
from ignite_workflow.cli import main
from ignite_workflow.memory import memory_told

LIMITED = """
import resource, sys
from pathlib import Path
import torch
from ignite_workflow import tensor_file
tensors = {"a": torch.zeros(20_000_000), "b": torch.zeros(3, dtype=torch.int8)}
taken = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (taken + int(sys.argv[2]),) * 2)
from ignite_workflow.durable import write_over
write_over(sys.argv[1], tensor_file.weights_parts(tensors))
del tensors
print(len(tensor_file.read_weights(Path(sys.argv[1]))[0]))
"""


class PanicException(BaseException):
    """As a library in Rust raises it."""


def allocate_too_much(kind):
    if kind == "torch":
        torch.empty(2**46, dtype=torch.uint8)
    if kind == "numpy":
        np.empty(2**46, np.uint8)
    if kind == "system":
        raise OSError(errno.ENOMEM, os.strerror(errno.ENOMEM))
    if kind == "thread":
        raise RuntimeError("can't start new thread")
    if kind == "GPU":
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB. GPU 0 has ...")
    if kind == "Rust":
        raise PanicException("PyObject pointer is null")
    raise MemoryError


@pytest.mark.parametrize(
    ("kind", "wanted"),
    [
        ("torch", ": 70,368,744,177,664 bytes more were wanted"),
        ("numpy", ": 64.0 TiB more were wanted"),
        ("GPU", ": 20.00 MiB more were wanted"),
        ("thread", " for another thread, or too many processes"),
        ("system", ""),
        ("Rust", ""),
        ("Python", ""),
    ],
)
def test_each_word_for_it_is_told_with_what_was_wanted(kind, wanted):
    with pytest.raises(NotEnoughMemoryError) as told, memory_told("in iteration 4", "Use less"):
        allocate_too_much(kind)

    assert str(told.value) == f"not enough memory in iteration 4{wanted}. Use less"


NO_ROOM = """
import resource, sys
from pathlib import Path
from ignite_workflow import NotEnoughMemoryError, Ticker
from ignite_workflow.data.prefetch import parallel_map, prefetch
from ignite_workflow.data.digest import Digest
from ignite_workflow.memory import memory_told

started = {
    "Ticker": lambda: Ticker(60, print, name="test").start(),
    "ahead": lambda: next(prefetch([1])),
    "parallel_map": lambda: next(parallel_map(str, [1])),
    "Digest": lambda: Digest([Path(sys.executable)]).result(),
}[sys.argv[2]]

taken = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_STACK, (2**23, resource.getrlimit(resource.RLIMIT_STACK)[1]))
resource.setrlimit(resource.RLIMIT_AS, (taken + int(sys.argv[1]),) * 2)
try:
    with memory_told("at all", "Use less"):
        started()
except NotEnoughMemoryError as error:
    print(error)
"""


@pytest.mark.parametrize("error", [RuntimeError("shapes differ"), OSError(errno.ENOENT, "no"), PanicException("no")])
def test_another_error_stays_what_it_is(error):
    with pytest.raises(type(error)) as told, memory_told("", ""):
        raise error

    assert told.value is error


@pytest.mark.skipif(sys.platform != "linux", reason="limits memory by way of /proc")
@pytest.mark.parametrize(
    ("room", "what"),
    [(0, "Ticker"), *((8_400_000, what) for what in ("Ticker", "ahead", "parallel_map", "Digest"))],
    ids=["no stack", "a stack and little else", "ahead", "parallel_map", "digest"],
)
def test_a_thread_that_finds_no_memory_is_an_error_and_no_endless_wait(room, what):
    done = subprocess.run(
        [sys.executable, "-c", NO_ROOM, str(room), what], capture_output=True, text=True, timeout=300, check=True
    )

    assert done.stdout == "not enough memory at all for another thread, or too many processes. Use less\n"


@pytest.mark.skipif(sys.platform != "linux", reason="limits memory by way of /proc")
def test_weights_are_written_and_read_with_the_memory_they_take_once(tmp_path):
    """80 MB of them with 40 MB more to write, and in the room they left to read: the library would abort."""
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, tmp_path / "weights", "40000000"], capture_output=True, text=True
    )

    assert (done.stdout, done.stderr) == ("2\n", "")


def test_a_command_without_memory_ends_with_one_line(monkeypatch):
    monkeypatch.setattr("ignite_workflow.cli.train.read_settings", lambda *_: allocate_too_much("numpy"))
    done = CliRunner().invoke(main, ["train", "x.csv"])

    assert done.exit_code == 1
    assert re.fullmatch(
        r"Error: not enough memory for this command: 64.0 TiB more were wanted. End other [^\n]+\n", done.stderr
    )
