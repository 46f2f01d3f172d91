"""A compiled model is trained, and goes on exactly. Only with EXHAUSTIVE=1: the first compilation takes a minute."""

import os
import shutil

import pytest
from test_stopped_runs import contents, start, wait_for_epoch

pytestmark = [
    pytest.mark.skipif(not os.environ.get("EXHAUSTIVE"), reason="the first compilation takes a minute: EXHAUSTIVE=1"),
    pytest.mark.skipif(shutil.which(os.environ.get("CXX", "g++")) is None, reason="no C++ compiler"),
]
SETTINGS = ["train.compile=true", "train.max_epochs=12", "model.hidden=[8]"]


def finish(directory):
    process = start(directory, *SETTINGS)
    _, said = process.communicate()
    assert process.returncode == 0, said
    return contents(directory)


def test_a_compiled_run_that_was_killed_goes_on_exactly(tmp_path):
    process = start(tmp_path / "broken", *SETTINGS)
    wait_for_epoch(process, 3)
    process.kill()
    process.communicate()

    assert finish(tmp_path / "broken") == finish(tmp_path / "unbroken")
