"""train.threads: auto: measured once, kept with the run, without a trace on what is trained."""

import pytest
import torch
from test_job import PENGUINS, QUICK

from ignite_workflow import config_from_mapping, load_config, threads, train
from ignite_workflow.recipe import complete
from ignite_workflow.run_data import prepare_data
from ignite_workflow.threads import choose_threads

AUTO = [*QUICK, "train.threads=auto"]


@pytest.fixture(autouse=True)
def one_thread_afterwards():
    yield
    torch.set_num_threads(1)


def steps_take(monkeypatch, *, alone, together):
    monkeypatch.setattr(threads, "ALL_THREADS", 4)
    monkeypatch.setattr(threads, "_seconds_per_step", lambda config, data, count: alone if count == 1 else together)


@pytest.mark.parametrize(
    ("alone", "together", "chosen", "said"),
    [
        (0.0008, 0.0001, 1, "auto is 1: a step takes"),
        (0.010, 0.004, 4, "auto is 4: a step takes"),
        (0.010, 0.009, 1, "auto is 1: a step takes"),
    ],
)
def test_long_steps_that_gain_are_shared(monkeypatch, caplog, alone, together, chosen, said):
    steps_take(monkeypatch, alone=alone, together=together)

    assert choose_threads(config_from_mapping({"data": {"path": "a.csv"}, "train": {"device": "cpu"}}), None) == chosen
    [line] = caplog.messages
    assert said in line


def test_the_number_is_kept_with_the_run(monkeypatch, tmp_path):
    steps_take(monkeypatch, alone=0.010, together=0.004)
    train(PENGUINS, [*AUTO, "schedule=constant"], run_directory=tmp_path)
    steps_take(monkeypatch, alone=0.010, together=0.010)

    train(PENGUINS, [*AUTO, "schedule=constant", "train.max_epochs=4"], run_directory=tmp_path, resume=True)

    assert load_config(tmp_path / "config.yaml").train.threads == 4
    assert torch.get_num_threads() == 4


def test_measuring_leaves_no_trace(monkeypatch, tmp_path):
    monkeypatch.setattr(threads, "ALL_THREADS", 2)
    monkeypatch.setattr(threads, "_WORTH_IT", 1e9)  # whatever the machine does: one thread

    train(PENGUINS, AUTO, run_directory=tmp_path / "auto")
    train(PENGUINS, QUICK, run_directory=tmp_path / "one")

    for file in ("metrics.jsonl", "model/model.safetensors", "config.yaml"):
        assert (tmp_path / "auto" / file).read_bytes() == (tmp_path / "one" / file).read_bytes()


def test_a_step_is_timed_on_that_many_threads(tmp_path, monkeypatch):
    monkeypatch.setenv("IGNITE_WORKFLOW_CACHE", str(tmp_path))
    config = config_from_mapping({"data": {"path": str(PENGUINS), "target": "species"}, "train": {"device": "cpu"}})
    data = prepare_data(config.data, seed=0)

    seconds = threads._seconds_per_step(complete(config, sizes=data.sizes, target=data.target), data, 2)

    assert seconds > 0
    assert torch.get_num_threads() == 2
