"""F29: a long run, killed, stopped and starved again and again: the same bytes; memory, files, directory stay flat."""

from functools import partial
from random import Random
from statistics import median

import pytest
from harness import EXHAUSTIVE, result, start, unbroken, write_settings
from injections import gauged, soaked

UNIX_TIMES, FAULTS = (200, 60) if EXHAUSTIVE else (10, 5)
STEPS = 50  # an epoch
MOMENTS = 24 * STEPS  # an epoch, about
LONG = {
    "data": {"options": {"size": 8 * STEPS}},
    "train": {"max_epochs": UNIX_TIMES},
    "handlers": {"early_stopping": False, "checkpointing": {"every": {"iterations": 20}}},
}
CODES = {"kill": {-9}, "signal": {143}, "full": {-9, 1, 2}}
MEGABYTE = 1_000_000


def gauges(run):
    """Memory, open files and bytes in the run, at the end of each epoch."""
    lines = run.with_name(f"{run.name}.gauge").read_text().splitlines()
    return [tuple(map(int, line.split())) for line in lines]


def growth(values):
    """From the first half to the second one."""
    return median(values[len(values) // 2 :]) - median(values[1 : len(values) // 2])


def test_f29_soak(tmp_path, tally):
    expected = unbroken(tmp_path, **LONG)
    random, run, kinds = Random("F29"), tmp_path / "run", []
    while len(kinds) < FAULTS:
        kinds.append([*CODES][len(kinds) % 3])
        number = random.randint(1, 2 * MOMENTS * UNIX_TIMES // (FAULTS + FAULTS // 2))
        workers = f"train.workers={2 * (random.random() < 0.1)}"
        done = start(run, workers, inject=partial(soaked, kind=kinds[-1], number=number))
        assert done.code in CODES[kinds[-1]], done
    ended = start(run, inject=gauged)

    assert ended.code == 0, ended.said
    found = result(run)
    tally("F29 soak: faults survived", FAULTS, [name for name in expected if found[name] != expected[name]])
    size = [gauge[2] for gauge in gauges(run)]
    assert max(size) < 2 * median(size)


@pytest.mark.parametrize("workers", [0, 2] if EXHAUSTIVE else [0])
def test_f29_one_long_start_stays_flat(tmp_path, workers, tally):
    write_settings(tmp_path, **LONG)
    assert start(tmp_path / "run", f"train.workers={workers}", inject=gauged).code == 0
    memory, files, size = zip(*gauges(tmp_path / "run"), strict=True)

    grown = [growth(memory) > 10 * MEGABYTE, growth(files) > 0, growth(size) > 0.02 * median(size)]
    tally("F29 memory, open files, directory flat", 3, [name for name in range(3) if grown[name]])
