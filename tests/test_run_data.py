import pytest

from ignite_workflow.config import DataConfig
from ignite_workflow.errors import ConfigError, DataError
from ignite_workflow.losses import build_loss
from ignite_workflow.run_data import prepare_data

DATASETS = """
import torch

class Pairs(torch.utils.data.Dataset):
    classes = ("low", "high")

    def __len__(self):
        return 20

    def __getitem__(self, index):
        return (torch.ones(2), torch.ones(1)), index % 2

class Objects(Pairs):
    def __getitem__(self, index):
        return object(), index % 2

class Unending(torch.utils.data.IterableDataset):
    def __iter__(self):
        yield torch.ones(2), 1.0
"""


@pytest.fixture
def kind(tmp_path):
    """The import path of one of the Datasets above."""
    (tmp_path / "own.py").write_text(DATASETS)
    return f"{tmp_path}/own.py:{{}}".format


def test_large_counts_come_back_from_the_standardised_target_as_they_were(tmp_path):
    counts = [2**24, 2**24 + 2] * 20  # their mean is no float32
    (tmp_path / "table.csv").write_text("x,y\n" + "".join(f"{row % 7}.5,{y}\n" for row, y in enumerate(counts)))
    config = DataConfig(path=str(tmp_path / "table.csv"), target="y", task="regression")

    data = prepare_data(config, seed=0, cache_directory=tmp_path)
    loss = build_loss("poisson_nll", {}, data.without_scaling().target)
    batches = data.batches("train", 64, seed=0, shuffle=False, loss=loss)

    assert {value for _, y in batches.read(1, 0) for value in y[:, 0].tolist()} == set(counts)


def test_a_sample_may_have_several_inputs(kind):
    data = prepare_data(DataConfig(kind=kind("Pairs")), seed=0)

    assert (data.target.task, data.target.classes, dict(data.facts)) == ("multiclass", ("low", "high"), {})


def test_an_input_that_no_batch_can_be_made_of_is_named(kind):
    with pytest.raises(DataError, match="Objects: the input of a sample is of type object"):
        prepare_data(DataConfig(kind=kind("Objects")), seed=0)


def test_a_dataset_without_a_length_is_refused(kind):
    with pytest.raises(ConfigError, match="Unending gives Unending, which has no length: a map-style Dataset"):
        prepare_data(DataConfig(kind=kind("Unending")), seed=0)
