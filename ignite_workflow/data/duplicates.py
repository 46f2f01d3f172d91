"""Rows that stand in the training split and in another one too, found by the hashes of their encoded cells."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["Hashes", "count_common", "hash_rows"]

Hashes = np.ndarray[tuple[int], np.dtype[np.uint64]]

_BLOCK_ROWS = 16_384
_MULTIPLIER = np.uint64(0xBF58476D1CE4E5B9)
_START = np.uint64(0x9E3779B97F4A7C15)
_SHIFT = np.uint64(29)
_MARKS = 2**22


def hash_rows(*arrays: np.ndarray[Any, np.dtype[Any]]) -> Hashes:
    """A 64-bit hash of each row, (N,): equal rows have equal hashes, others almost never.

    Args:
        *arrays: each (N, ...), of four-byte or eight-byte numbers; 0.0 and -0.0 are equal.
    """
    size = len(arrays[0])
    hashes = np.full(size, _START)
    for start in range(0, size, _BLOCK_ROWS):
        rows = slice(start, start + _BLOCK_ROWS)
        value = hashes[rows]
        for array in arrays:
            cells = np.ascontiguousarray(array[rows] + array.dtype.type(0)).reshape(len(value), -1)
            words: Any = cells.view(np.uint64 if cells[0].nbytes % 8 == 0 else np.uint32)
            for word in words.T:
                value ^= word
                value *= _MULTIPLIER
                value ^= value >> _SHIFT
    return hashes


def count_common(hashes: Hashes, others: Hashes) -> int:
    """How many of ``hashes`` are among ``others``, neither of them empty."""
    others = _likely_among(hashes, others, bits=0)  # few are left: to sort all takes longest
    hashes = _likely_among(others, hashes, bits=32)
    return int(np.isin(hashes, others).sum())


def _likely_among(found: Hashes, hashes: Hashes, *, bits: int) -> Hashes:
    """Those of ``hashes`` that are in ``found``, and few others: from so many bits on, some are compared."""
    marked, shift, mask = np.zeros(_MARKS, dtype=bool), np.uint64(bits), np.uint64(_MARKS - 1)
    marked[(found >> shift) & mask] = True
    likely: Hashes = hashes[marked[(hashes >> shift) & mask]]
    return likely
