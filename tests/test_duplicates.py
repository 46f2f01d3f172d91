import numpy as np
import pytest

from ignite_workflow.data.duplicates import count_common, hash_rows


@pytest.mark.parametrize("columns", [1, 2, 5, 8])
def test_equal_rows_have_equal_hashes_and_others_do_not(columns):
    rows = np.random.default_rng(0).integers(0, 2, (500, columns)).astype(np.float32)
    hashes = hash_rows(rows, np.zeros((500, 1), dtype=np.float32))

    assert len(np.unique(hashes)) == len(np.unique(rows, axis=0))


def test_the_second_array_counts_too():
    x, y = np.zeros((2, 3), dtype=np.float32), np.array([0, 1])

    first, second = hash_rows(x, y)
    assert first != second


def test_negative_zero_is_zero():
    first, second = hash_rows(np.array([[0.0, 1.0], [-0.0, 1.0]], dtype=np.float32))

    assert first == second


def test_common_hashes_are_counted_as_often_as_they_stand():
    hashes = np.array([5, 5, 7, 2**40 + 9], dtype=np.uint64)
    others = np.array([9, 5, 2**40 + 9, 11], dtype=np.uint64)

    assert count_common(hashes, others) == 3


def test_hashes_that_differ_in_their_upper_half_only_are_not_common():
    assert count_common(np.array([7], dtype=np.uint64), np.array([7 + 2**40], dtype=np.uint64)) == 0
    assert count_common(np.array([7], dtype=np.uint64), np.array([8], dtype=np.uint64)) == 0
