import threading
import time

import pytest

from ignite_workflow.data.ahead import ahead, map_ahead


def halt(_):
    raise ValueError("halt")


def counting(limit, log):
    for number in range(limit):
        log.append(number)
        yield number


def test_items_come_in_their_order():
    assert list(ahead(range(100))) == list(range(100))


def test_no_more_than_two_items_are_made_ahead():
    log = []

    items = ahead(counting(100, log))
    assert next(items) == 0
    time.sleep(0.05)
    items.close()

    assert len(log) <= 3


def test_items_are_made_by_another_thread():
    names = list(ahead(threading.current_thread().name for _ in range(3)))

    assert threading.current_thread().name not in names
    assert len(set(names)) == 1


def test_an_exception_is_raised_where_its_item_would_be():
    items = ahead(map(halt, [1]))

    with pytest.raises(ValueError, match="halt"):
        next(items)


def test_results_come_in_the_order_of_the_items():
    def slow_at_first(number):
        time.sleep(0.02 / (number + 1))
        return number

    assert list(map_ahead(slow_at_first, range(20))) == list(range(20))


def test_only_a_few_items_are_taken_ahead_of_the_results():
    log = []

    results = map_ahead(str, counting(1000, log))
    assert next(results) == "0"
    results.close()

    assert len(log) <= 9


def test_an_exception_of_the_function_is_raised():
    with pytest.raises(ValueError, match="halt"):
        list(map_ahead(halt, [1, 2, 3]))
