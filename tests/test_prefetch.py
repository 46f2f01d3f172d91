import threading
import time
from functools import partial

import pytest

from ignite_workflow.data.prefetch import parallel_map, prefetch

PATIENCE = 300


def halt(_):
    raise ValueError("halt")


def counting(limit, log):
    for number in range(limit):
        log.append(number)
        yield number


def test_items_come_in_their_order():
    assert list(prefetch(range(100))) == list(range(100))


def test_no_more_than_one_item_is_made_ahead():
    log = []

    items = prefetch(counting(100, log))
    assert [next(items), next(items)] == [0, 1]
    end = time.monotonic() + PATIENCE
    while len(log) < 3 and time.monotonic() < end:
        time.sleep(0.001)
    time.sleep(0.05)  # for a fourth, which must not come
    items.close()

    assert log == [0, 1, 2]


@pytest.mark.parametrize("begin", [prefetch, partial(parallel_map, int)])
def test_what_the_first_item_shows_may_decide_how_the_others_are_made(begin):
    log = []

    items = begin(counting(100, log))
    assert next(items) == 0
    time.sleep(0.02)
    items.close()

    assert log == [0]


def test_no_items_are_no_items():
    assert list(prefetch([])) == list(parallel_map(str, [])) == []


def test_items_are_made_by_another_thread():
    names = list(prefetch(threading.current_thread().name for _ in range(3)))

    assert threading.current_thread().name not in names
    assert len(set(names)) == 1


def test_an_exception_is_raised_where_its_item_would_be():
    items = prefetch(map(halt, [1]))

    with pytest.raises(ValueError, match="halt"):
        next(items)


def test_results_come_in_the_order_of_the_items():
    def slow_at_first(number):
        time.sleep(0.02 / (number + 1))
        return number

    assert list(parallel_map(slow_at_first, range(20))) == list(range(20))


def test_only_a_few_items_are_taken_ahead_of_the_results():
    log = []

    results = parallel_map(str, counting(1000, log))
    assert [next(results), next(results)] == ["0", "1"]
    results.close()

    assert len(log) <= 11


def test_an_exception_of_the_function_is_raised():
    with pytest.raises(ValueError, match="halt"):
        list(parallel_map(halt, [1, 2, 3]))
