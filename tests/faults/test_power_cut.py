"""F05: a power cut leaves a good checkpoint, at most an interval old, from which the run goes on to the same bytes."""

import json
import pickle
import shutil
from random import Random

import pytest
from harness import EXHAUSTIVE, SETTINGS, start, unbroken, wrong
from injections import record_calls
from power_cut import VARIANTS, Disk, build

from ignite_workflow import CheckpointError, CheckpointStore, Records
from ignite_workflow.config import load_config

INTERVAL = SETTINGS["handlers"]["checkpointing"]["every"]["iterations"]


def recorded(path):
    """The calls of a run and the iterations that began between them."""
    with path.open("rb") as file:
        while file.peek(1):
            yield pickle.load(file)


def complaint(run, promised):
    """What is wrong with a run's directory as a power cut left it; None where nothing is."""
    try:
        state = CheckpointStore(run / "checkpoints").load_newest()
        if state is not None:
            load_config(run / "config.yaml")
        if (run / "status.json").exists():
            json.loads((run / "status.json").read_bytes())
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    found = state["trainer"]["iteration"] if state is not None else 0
    if found < promised:
        return f"the newest checkpoint is of iteration {found}, {promised} was promised"
    try:
        if state is not None:
            Records(run / "metrics.jsonl").load_state_dict(state["records"])
    except CheckpointError as error:
        return f"the records of iteration {found} are not there: {error}"
    return None


@pytest.mark.parametrize(("ballast", "in_flight"), [(0, 0), (100_000, 1)], ids=["small", "large"])
def test_f05_power_cut_at_every_call(tmp_path, ballast, in_flight, tally):
    """A large checkpoint is written beside the training: one may be on its way when the next interval begins."""
    expected = unbroken(tmp_path, train={"max_epochs": 3}, model={"ballast": ballast})
    assert start(tmp_path / "run", inject=record_calls).code == 0
    disk, random, promised, seen, failed, resumed = Disk(str(tmp_path)), Random("F05"), 0, set(), {}, {}

    for number, call in enumerate(recorded(tmp_path / "run.calls")):
        if isinstance(call, int):
            promised = max(0, ((call - 1) // INTERVAL - in_flight) * INTERVAL)
            continue
        disk.follow(call)
        for variant in VARIANTS:
            found = disk.after_power_cut(variant, random)
            key = hash((promised, *found.items()))
            if key in seen or (not EXHAUSTIVE and random.random() < (0.8 if ballast else 0.5)):
                continue
            seen.add(key)
            folder = tmp_path / "cut" / f"{number} {variant}"
            build(folder, found)
            what = complaint(folder / "run", promised)
            failed |= {f"{number} {variant}": what} if what else {}
            if what is None and random.random() < (0.25 if EXHAUSTIVE else 0.04):
                shutil.copy(tmp_path / "job.yaml", folder)
                resumed[f"{number} {variant}"] = wrong(folder / "run", expected)
            shutil.rmtree(folder)

    tally("F05 power cut: a good checkpoint, at most an interval old", len(seen), failed)
    tally("F05 power cut: resumed to the same bytes", len(resumed), {k: v for k, v in resumed.items() if v})
