import pytest
import torch
from torch import nn

from ignite_workflow import CheckpointError
from ignite_workflow.bad_batches import find_bad_batch, load_bad_batch, save_bad_batch


def save(run, iteration, batch=(), **facts):
    return save_bad_batch(run, nn.Linear(2, 1), [(iteration, batch)], facts)


def test_what_is_kept_comes_back(tmp_path):
    model, batch = nn.Linear(2, 1), {"x": torch.tensor([[1.0, float("nan")]]), "names": ("a", None)}

    path = save_bad_batch(tmp_path, model, [(6, batch), (7, batch)], {"rows": [4, 2]})

    kept = load_bad_batch(path)
    assert [iteration for iteration, _ in kept["batches"]] == [6, 7]
    assert repr(kept["batches"][1][1]) == repr(batch)
    assert torch.equal(kept["model"]["weights"]["weight"], model.weight)
    assert kept["rows"] == [4, 2]


def test_the_newest_is_found_or_that_of_an_iteration(tmp_path):
    paths = [save(tmp_path, iteration) for iteration in (12, 3)]

    assert find_bad_batch(tmp_path) == paths[0]
    assert find_bad_batch(tmp_path, 3) == paths[1]


def test_three_are_kept(tmp_path):
    for iteration in range(1, 6):
        save(tmp_path, iteration)

    assert sorted(path.name for path in (tmp_path / "bad_batches").iterdir()) == [
        f"iteration-{iteration:08}.tensors" for iteration in (3, 4, 5)
    ]


def test_the_same_one_twice_is_one_file(tmp_path):
    assert save(tmp_path, 5) == save(tmp_path, 5)


def test_none_is_told(tmp_path):
    with pytest.raises(CheckpointError, match="keeps no batch at which training diverged"):
        find_bad_batch(tmp_path)
    save(tmp_path, 5)

    with pytest.raises(CheckpointError, match="keeps no batch of iteration 6; there are: 5"):
        find_bad_batch(tmp_path, 6)


def test_a_damaged_file_is_refused(tmp_path):
    path = save(tmp_path, 5)
    content = bytearray(path.read_bytes())
    content[-40] ^= 1
    path.write_bytes(content)

    with pytest.raises(CheckpointError, match="is damaged"):
        load_bad_batch(path)


def test_what_cannot_be_kept_leaves_nothing_behind(tmp_path):
    with pytest.raises(TypeError, match="object"):
        save(tmp_path, 5, batch=object())

    assert list((tmp_path / "bad_batches").iterdir()) == []
