import io
import sys
import time

import polars as pl
import pytest

from ignite_workflow.data import meter as meter_module
from ignite_workflow.data.chunk import Chunk
from ignite_workflow.data.meter import Meter


class Stream(io.StringIO):
    def __init__(self, terminal):
        super().__init__()
        self.terminal = terminal

    def isatty(self):
        return self.terminal


@pytest.fixture
def clock(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(meter_module.time, "monotonic", lambda: now[0])
    return now


def stderr(monkeypatch, *, terminal):
    stream = Stream(terminal)
    monkeypatch.setattr(sys, "stderr", stream)
    return stream


def test_what_is_short_says_nothing_in_a_pipe(monkeypatch, clock):
    stream = stderr(monkeypatch, terminal=False)
    with Meter("a.csv") as meter:
        clock[0] = 9.9
        meter.count(1000)

    assert stream.getvalue() == ""


def test_what_is_long_says_so_in_a_pipe_once(monkeypatch, clock):
    stream = stderr(monkeypatch, terminal=False)
    with Meter("a.csv") as meter:
        meter.count(1000)
        clock[0] = 10.1
        meter.count(1000)
        clock[0] = 30
        meter.start("encoding", 5000)
        meter.count(1000)

    assert stream.getvalue() == "reading a.csv: 2,000 rows after 10 s\n"


def test_later_passes_know_how_many_rows_there_are(monkeypatch, clock):
    stream = stderr(monkeypatch, terminal=False)
    with Meter("a.csv") as meter:
        meter.start("encoding", 5000)
        clock[0] = 10.1
        assert len(list(meter.over([Chunk(pl.DataFrame({"a": [1, 2]}), "")]))) == 1

    assert stream.getvalue() == "encoding a.csv: 2 of 5,000 rows after 10 s\n"


def test_a_terminal_gets_a_bar_that_goes_away(monkeypatch):
    stream = stderr(monkeypatch, terminal=True)
    monkeypatch.setattr(meter_module, "_DELAY_SECONDS", 0)
    with Meter("a.csv") as meter:
        meter.start("encoding", 5000)
        time.sleep(0.11)  # no more often is it drawn
        meter.count(2500)

    assert "encoding a.csv:  50%" in stream.getvalue()
    assert stream.getvalue().rstrip("\r").endswith(" ")
