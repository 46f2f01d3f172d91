"""How many threads a run computes on where that is to be found out: measured on a copy, before the run starts."""

from __future__ import annotations

import logging
from dataclasses import replace

from ignite_workflow.assembly import build_workflow
from ignite_workflow.config import RunConfig
from ignite_workflow.device import ALL_THREADS, resolve_device, set_threads
from ignite_workflow.handler_specs import NO_HANDLERS
from ignite_workflow.run_data import RunData

__all__ = ["choose_threads", "with_threads"]

log = logging.getLogger(__name__)

_BATCHES = 3  # timed, after as many to warm up
_SHORT_STEP = 0.001  # s: what threads gain here they lose as soon as the machine has something else to do
_WORTH_IT = 1.2


def with_threads(config: RunConfig, data: RunData, before: RunConfig | None) -> RunConfig:
    """``config`` with a number for ``train.threads: auto``: the one the run was started with, or one that is measured.

    Args:
        config: complete.
        data: to measure on.
        before: the settings of the run that goes on, which are to be kept; None for a new one.
    """
    if config.train.threads != "auto":
        return config
    threads = before.train.threads if before is not None else choose_threads(config, data)
    return replace(config, train=replace(config.train, threads=threads))


def choose_threads(config: RunConfig, data: RunData) -> int:
    """1, or all that torch finds where steps are long enough to gain by it; says which, and why.

    What is trained for it is thrown away; weights and random streams of the run are functions of its seed.
    """
    if resolve_device(config.train.device).type != "cpu" or ALL_THREADS == 1:
        return 1
    alone = _seconds_per_step(config, data, 1)
    if alone < _SHORT_STEP:
        log.warning("train.threads: auto is 1: a step takes %.2g ms, too short to share", 1000 * alone)
        return 1
    together = _seconds_per_step(config, data, ALL_THREADS)
    chosen = ALL_THREADS if together * _WORTH_IT < alone else 1
    log.warning(
        "train.threads: auto is %d: a step takes %.2g ms on 1 thread and %.2g ms on %d",
        *(chosen, 1000 * alone, 1000 * together, ALL_THREADS),
    )
    return chosen


def _seconds_per_step(config: RunConfig, data: RunData, threads: int) -> float:
    set_threads(threads)
    train = replace(config.train, max_epochs=2, limit_batches=_BATCHES, workers=0, compile=False)
    workflow = build_workflow(replace(config, train=train, handlers={**NO_HANDLERS}), data)
    state = workflow.run()
    seconds = state.times["EPOCH_COMPLETED"]  # of the second epoch
    assert seconds is not None
    assert state.epoch_length is not None
    return seconds / state.epoch_length
