"""The random streams of a run, each a function of the seed and of counters.

Nothing here has a state that would need saving: the numbers of step 1,000 are the same whether the 999 before were
made by this process, by one that was killed, or not at all.
"""

from __future__ import annotations

from enum import IntEnum

import numpy as np
import torch

__all__ = ["Stream", "StepStreams", "generator", "mix", "seed_everything", "seed_sample"]

_MASK = (1 << 64) - 1
_GOLDEN = 0x9E3779B97F4A7C15
_ROUNDS = ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB))
_AT_ONCE = 256


class Stream(IntEnum):
    """What a stream is for: two purposes never share numbers."""

    INITIAL_WEIGHTS = 1
    ORDER = 2
    SAMPLE = 3
    STEP = 4
    SPLIT = 5
    EPOCH_START = 6
    EPOCH_END = 7
    EVALUATION = 8
    IMPORTANCE = 9


def mix(seed: int, stream: Stream, *counters: int) -> int:
    """A 63-bit seed for the given stream at the given counters.

    Example:
        >>> mix(0, Stream.ORDER, 1) == mix(0, Stream.ORDER, 1)
        True
        >>> mix(0, Stream.ORDER, 1) == mix(0, Stream.ORDER, 2)
        False

    Source: the finalizer of SplitMix64 (Steele, Lea, Flood 2014), applied to each counter in turn.
    """
    value = _scramble(seed & _MASK)
    for counter in (stream, *counters):
        value = _scramble(value ^ (counter & _MASK))
    return value >> 1


def _scramble(value: int) -> int:
    value = (value + _GOLDEN) & _MASK
    for shift, factor in _ROUNDS:
        value = ((value ^ (value >> shift)) * factor) & _MASK
    return value ^ (value >> 31)


def _scrambled(base: int, start: int) -> list[int]:
    """``_scramble(base ^ counter) >> 1`` for so many counters at once, at a sixth of the price."""
    value = np.arange(start, start + _AT_ONCE, dtype=np.uint64) ^ np.uint64(base)
    value += np.uint64(_GOLDEN)
    for shift, factor in _ROUNDS:
        value ^= value >> np.uint64(shift)
        value *= np.uint64(factor)
    value ^= value >> np.uint64(31)
    values: list[int] = (value >> np.uint64(1)).tolist()
    return values


def generator(seed: int, stream: Stream, *counters: int) -> torch.Generator:
    """A CPU generator at the start of that stream."""
    return torch.Generator().manual_seed(mix(seed, stream, *counters))


def seed_everything(value: int, device: torch.device | None = None, *, foreign: bool = True) -> None:
    """Set the global generators that code may draw from.

    ``torch.manual_seed`` would do the same for torch, a hundred times slower: it visits every back end.

    Args:
        value: from ``mix``.
        device: its generator is set too, where it has one of its own.
        foreign: ``random`` and ``numpy.random`` too (4 us): for code that is not ours.
    """
    torch.default_generator.manual_seed(value)
    if device is not None and device.type == "cuda":
        torch.cuda.default_generators[device.index or 0].manual_seed(value)
    elif device is not None and device.type not in ("cpu", "meta"):
        torch.get_device_module(device).manual_seed(value)
    if foreign:
        import random

        random.seed(value)
        np.random.seed(value & 0xFFFFFFFF)


def seed_sample(seed: int, epoch: int, index: int) -> None:
    """Set the streams for making sample ``index`` in ``epoch``: the same in whichever process it is made."""
    seed_everything(mix(seed, Stream.SAMPLE, epoch, index))


class StepStreams:
    """Sets the streams of each training step (dropout and the like), and of what happens beside the steps.

    Args:
        seed: the run's.
        device: where the step computes.
        rank: of this process.
        foreign: layers, step, data or handlers are a person's own, so ``random`` and ``numpy.random`` are set too.
    """

    def __init__(self, seed: int, device: torch.device, *, rank: int = 0, foreign: bool = False) -> None:
        self._seed, self._rank = seed, rank
        self._base = mix(seed, Stream.STEP, rank)
        self._device = None if device.type == "cpu" else device
        self._foreign = foreign
        self._plain = self._device is None and not foreign  # the usual case, in every step: no call to spare
        self._first, self._values = 0, _scrambled(self._base, 0)  # of that iteration and those after it

    def include_foreign(self) -> None:
        """Set ``random`` and ``numpy.random`` from now on, too."""
        self._foreign, self._plain = True, False

    def set(self, iteration: int) -> None:
        """Set the streams for the step of that iteration (from 1)."""
        at = iteration - self._first
        if not 0 <= at < len(self._values):
            self._first, self._values, at = iteration, _scrambled(self._base, iteration), 0
        value = self._values[at]
        if self._plain:
            torch.default_generator.manual_seed(value)
        else:
            seed_everything(value, self._device, foreign=self._foreign)

    def set_beside(self, stream: Stream, counter: int) -> None:
        """Set the streams for what happens beside the steps: handlers at an epoch's ends, evaluations."""
        seed_everything(mix(self._seed, stream, self._rank, counter), self._device, foreign=self._foreign)
