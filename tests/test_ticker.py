import threading

from ignite_workflow import Ticker

PATIENCE = 300


def test_calls_again_and_again_until_it_is_stopped():
    calls, third = [], threading.Event()
    ticker = Ticker(0.001, lambda: calls.append(1) or (len(calls) > 2 and third.set()), name="test")
    ticker.start()
    assert third.wait(PATIENCE)

    ticker.stop()
    count = len(calls)

    assert "test" not in [thread.name for thread in threading.enumerate()]
    assert len(calls) == count


def test_may_be_stopped_before_it_starts_and_twice():
    ticker = Ticker(60, lambda: None, name="test")

    ticker.stop()
    ticker.start()
    ticker.stop()
    ticker.stop()

    assert "test" not in [thread.name for thread in threading.enumerate()]


def test_starts_anew():
    called = threading.Event()
    ticker = Ticker(0.001, called.set, name="test")
    ticker.start()
    ticker.stop()
    called.clear()

    ticker.start()

    assert called.wait(PATIENCE)
    ticker.stop()
