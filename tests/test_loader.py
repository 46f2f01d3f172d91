"""Order is a function, batches are independent of workers, and a person's DataLoader keeps what makes it theirs."""

import logging
import multiprocessing
import os
import random

import numpy as np
import pytest
import torch
from torch.utils.data import (
    BatchSampler,
    DataLoader,
    Dataset,
    IterableDataset,
    RandomSampler,
    SequentialSampler,
    Subset,
    SubsetRandomSampler,
    TensorDataset,
    WeightedRandomSampler,
)

from ignite_workflow import registry
from ignite_workflow.data.batches import SampleDataset, TensorBatches
from ignite_workflow.data.loader import SeekableLoader, as_seekable
from ignite_workflow.errors import ConfigError


class Numbers(Dataset):
    """Sample ``i`` is ``i`` and whatever a person's augmentation draws."""

    def __init__(self, size=10):
        self.size = size

    def __len__(self):
        return self.size

    def __getitem__(self, index):
        noise = torch.rand(2).sum() + random.random() + np.random.rand()
        return torch.tensor(float(index)), noise.double()


def tensor_loader(size=10, batch_size=3, *, workers=0, seed=0, shuffle=True, **options):
    tensors = (torch.arange(size), torch.arange(size * 2.0).reshape(size, 2))
    return SeekableLoader(TensorBatches(tensors, batch_size, seed=seed, shuffle=shuffle, **options), workers=workers)


def sample_loader(size=10, batch_size=3, *, workers=0, seed=0, shuffle=True, **options):
    return SeekableLoader(
        SampleDataset(Numbers(size), batch_size, seed=seed, shuffle=shuffle, **options), workers=workers
    )


every_kind = pytest.mark.parametrize("build", [tensor_loader, sample_loader])


def unix_time_of(loader, epoch=1, batch=0):
    """The batches from ``batch`` on as plain numbers."""
    loader.seek(epoch, batch)
    return [[part.tolist() for part in each] for each in loader]


def visited(loader, epoch=1):
    return [int(number) for numbers, _ in unix_time_of(loader, epoch) for number in numbers]


@every_kind
def test_every_sample_is_visited_once_an_epoch(build):
    assert sorted(visited(build())) == list(range(10))
    assert visited(build(shuffle=False)) == list(range(10))


@every_kind
def test_order_comes_from_seed_and_epoch_alone(build):
    loader = build()
    orders = [visited(loader, epoch) for epoch in (1, 2, 3)]

    assert visited(loader, 2) == visited(build(), 2) == orders[1]
    assert visited(build(seed=1), 2) not in orders
    assert len(set(map(tuple, orders))) == 3


@every_kind
def test_batches_of_one_order_have_the_size_that_was_asked_for(build):
    assert [len(numbers) for numbers, _ in unix_time_of(build())] == [3, 3, 3, 1]
    assert visited(build(batch_size=4)) == visited(build())


@every_kind
@pytest.mark.parametrize("batch", range(5))
def test_sought_it_gives_the_rest_of_the_epoch(build, batch):
    whole = unix_time_of(build(), 3)

    assert unix_time_of(build(), 3, batch) == whole[batch:]


@every_kind
@pytest.mark.parametrize("workers", [0, 2])
def test_an_epoch_left_in_its_middle_does_not_disturb_the_next(build, workers):
    loader = build(workers=workers)
    loader.seek(1)
    next(iter(loader))

    assert unix_time_of(loader, 2) == unix_time_of(build(), 2)
    assert unix_time_of(loader, 1) == unix_time_of(build(), 1)


@every_kind
def test_a_short_last_batch_may_be_left_out(build):
    loader = build(drop_last=True)

    assert len(loader) == len(unix_time_of(loader)) == 3
    assert visited(loader) == visited(build())[:9]


@every_kind
def test_an_epoch_may_be_limited(build):
    loader = build(limit=2)

    assert len(loader) == len(unix_time_of(loader)) == 2
    assert len(build(limit=9)) == 4


@every_kind
@pytest.mark.parametrize("world_size", [2, 3])
@pytest.mark.parametrize("shuffle", [False, True])
def test_the_processes_of_a_group_share_the_samples_evenly(build, world_size, shuffle):
    loaders = [build(rank=rank, world_size=world_size, shuffle=shuffle) for rank in range(world_size)]
    parts = [visited(loader) for loader in loaders]
    alone = visited(build(shuffle=shuffle))
    together = [number for numbers in zip(*parts) for number in numbers]

    assert together[:10] == alone
    assert together[10:] == alone[: len(together) - 10]  # filled up from the beginning: as many batches for each
    assert {len(loader) for loader in loaders} == {len(unix_time_of(loaders[0]))}


@every_kind
def test_more_processes_than_samples_each_get_one(build):
    parts = [visited(build(size=1, rank=rank, world_size=3)) for rank in range(3)]

    assert parts == [[0], [0], [0]]


@pytest.mark.parametrize("batch_size", [1, 3, 4, 5, 100])
@pytest.mark.parametrize("shuffle", [False, True])
def test_blocks_of_batches_make_no_difference(monkeypatch, batch_size, shuffle):
    monkeypatch.setattr(
        "ignite_workflow.data.batches._BLOCK_BYTES", 16 * 8
    )  # 8 rows: a batch is 1 row to a whole block
    in_blocks = tensor_loader(size=21, batch_size=batch_size, shuffle=shuffle)
    monkeypatch.setattr("ignite_workflow.data.batches._BLOCK_BYTES", 0)
    one_by_one = tensor_loader(size=21, batch_size=batch_size, shuffle=shuffle)

    for epoch, batch in ((1, 0), (2, 0), (2, 1)):
        assert unix_time_of(in_blocks, epoch, batch) == unix_time_of(one_by_one, epoch, batch)


def test_the_rows_of_a_batch_belong_together():
    for numbers, rows in unix_time_of(tensor_loader()):
        assert rows == [[2.0 * number, 2.0 * number + 1] for number in numbers]


@pytest.mark.parametrize("shuffle", [False, True])
@pytest.mark.parametrize("workers", [0, 2])
def test_a_step_that_writes_into_its_batch_does_not_change_the_data(shuffle, workers):
    loader = tensor_loader(size=4, batch_size=1, shuffle=shuffle, workers=workers)
    before = unix_time_of(loader)

    for _ in range(2):
        loader.seek(1)
        for _, rows in loader:
            rows.add_(100)

    assert unix_time_of(loader) == before


def test_memory_mapped_arrays_that_cannot_be_written_to_survive_a_step_that_writes(tmp_path):
    np.save(tmp_path / "x.npy", np.zeros((4, 2), dtype=np.float32))
    with pytest.warns(UserWarning, match="not writable"):
        mapped = torch.from_numpy(np.load(tmp_path / "x.npy", mmap_mode="r"))

    for (x,) in SeekableLoader(TensorBatches((mapped,), 2, seed=0, shuffle=False)):
        x.add_(1)

    assert mapped.sum() == 0


@pytest.mark.parametrize("build", [tensor_loader, sample_loader])
def test_any_number_of_workers_gives_the_same_bits(build):
    alone, by_two = build(workers=0), build(workers=2)

    for epoch, batch in ((1, 0), (2, 0), (3, 2)):  # the workers live on from one epoch to the next
        assert unix_time_of(by_two, epoch, batch) == unix_time_of(alone, epoch, batch)


class Pids(Numbers):
    def __getitem__(self, index):
        return os.getpid()


def test_workers_live_on_from_one_epoch_to_the_next_until_they_are_ended():
    loader = SeekableLoader(SampleDataset(Pids(), 1, seed=0, shuffle=False), workers=1)
    pids = [{pid for [pid] in epoch_of_numbers(loader, epoch)} for epoch in (1, 2)]
    loader.close()
    pids.append({pid for [pid] in epoch_of_numbers(loader, 3)})

    assert pids[0] == pids[1]
    assert pids[1].isdisjoint(pids[2])


def epoch_of_numbers(loader, epoch):
    loader.seek(epoch)
    return [batch.tolist() for batch in loader]


def test_a_sample_is_augmented_anew_each_epoch_and_alike_in_each_order():
    def noise(epoch, shuffle):
        """The noise of each sample by its number."""
        loader = sample_loader(shuffle=shuffle)
        return {number: noise for batch in unix_time_of(loader, epoch) for number, noise in zip(*batch)}

    assert noise(1, shuffle=True) == noise(1, shuffle=False)
    assert len({*noise(1, shuffle=True).values(), *noise(2, shuffle=True).values()}) == 20


def test_samples_are_made_under_one_thread_and_the_threads_given_back(monkeypatch):
    seen = []
    monkeypatch.setattr(Numbers, "__getitem__", lambda self, index: seen.append(torch.get_num_threads()) or index)
    torch.set_num_threads(2)
    try:
        unix_time_of(SeekableLoader(SampleDataset(Numbers(2), 2, seed=0, shuffle=True, collate=lambda _: ())))

        assert seen == [1, 1]
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(1)


def test_the_threads_are_given_back_though_a_sample_fails():
    torch.set_num_threads(2)
    try:
        with pytest.raises(TypeError):
            unix_time_of(SeekableLoader(SampleDataset(Numbers(2), 2, seed=0, shuffle=True, collate=len)))
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(1)


# A person's own DataLoader


def same_samples(loader, seekable):
    return sorted(map(repr, flat(loader))) == sorted(map(repr, flat(seekable)))


def flat(loader):
    return [tuple(part[i].tolist() for part in batch) for batch in loader for i in range(len(batch[0]))]


@pytest.mark.parametrize("drop_last", [False, True])
@pytest.mark.parametrize("shuffle", [False, True])
def test_a_loader_of_tensors_becomes_seekable(shuffle, drop_last):
    data = TensorDataset(torch.arange(10), torch.arange(20.0).reshape(10, 2))
    theirs = DataLoader(data, batch_size=3, shuffle=shuffle, drop_last=drop_last)

    ours = as_seekable(theirs, seed=1)

    assert isinstance(ours.dataset, TensorBatches)
    assert len(ours) == len(theirs)
    assert [len(x) for x, _ in ours] == [len(x) for x, _ in theirs]
    if not shuffle:
        assert flat(ours) == flat(theirs)
    elif not drop_last:
        assert same_samples(ours, theirs)
        assert flat(ours) != sorted(flat(ours))


def test_its_order_comes_from_the_runs_seed():
    loader = DataLoader(TensorDataset(torch.arange(100)), batch_size=10, shuffle=True)

    orders = [flat(as_seekable(loader, seed=seed)) for seed in (1, 1, 2)]

    assert orders[0] == orders[1] != orders[2]


@pytest.mark.parametrize("workers", [0, 2])
def test_a_loader_of_samples_keeps_how_they_are_collated(workers):
    loader = DataLoader(Subset(Numbers(), range(4)), batch_size=2, collate_fn=negative, num_workers=workers)

    assert [batch.tolist() for batch in as_seekable(loader, seed=0)] == [[0, -1], [-2, -3]]


def negative(samples):
    return -torch.stack([number for number, _ in samples])


def test_tensors_collated_in_an_own_way_are_collated_so():
    loader = DataLoader(TensorDataset(torch.arange(4)), batch_size=2, collate_fn=len)

    assert list(as_seekable(loader, seed=0)) == [2, 2]


class Shifted(TensorDataset):
    def __getitem__(self, index):
        return tuple(tensor + 100 for tensor in super().__getitem__(index))


def test_a_kind_of_tensor_dataset_keeps_its_own_samples():
    loader = DataLoader(Shifted(torch.arange(4)), batch_size=2)

    assert flat(as_seekable(loader, seed=0)) == [(100,), (101,), (102,), (103,)]


class Doubling(DataLoader):
    def __iter__(self):
        for (x,) in super().__iter__():
            yield (2 * x,)


class Stream(IterableDataset):
    def __iter__(self):
        return iter(range(4))


DATA = TensorDataset(torch.arange(4))
OWN_ORDER = {
    "a sampler": DataLoader(DATA, sampler=SubsetRandomSampler([0, 1])),
    "weights": DataLoader(DATA, sampler=WeightedRandomSampler([1, 1, 1, 1], 4)),
    "samples that come back": DataLoader(DATA, sampler=RandomSampler(DATA, replacement=True)),
    "a part of the samples": DataLoader(DATA, sampler=RandomSampler(DATA, num_samples=2)),
    "an own batch sampler": DataLoader(DATA, batch_sampler=[[0, 1], [2, 3]]),
    "a stream": DataLoader(Stream()),
    "no batches": DataLoader(DATA, batch_size=None),
    "a loader of another kind": Doubling(DATA, batch_size=2),
    "a generator": (batch for batch in ()),
}


@pytest.mark.parametrize("kind", sorted(OWN_ORDER))
def test_a_loader_with_an_order_of_its_own_stays_as_it_is_with_a_warning(kind, caplog):
    loader = OWN_ORDER[kind]

    assert as_seekable(loader, seed=0) is loader

    [record] = caplog.records
    assert record.levelno == logging.WARNING
    assert "is read in its own order: resumed in mid-epoch, the run may see other batches" in record.getMessage()


@pytest.mark.parametrize("sampler", [SequentialSampler, RandomSampler])
def test_a_plain_batch_sampler_becomes_seekable(sampler):
    ours = as_seekable(DataLoader(DATA, batch_sampler=BatchSampler(sampler(DATA), 3, True)), seed=0)

    assert len(ours) == 1
    assert ours.dataset.shuffle is (sampler is RandomSampler)


@pytest.mark.parametrize("loader", [[1, 2], (1, 2), tensor_loader()])
def test_what_can_be_read_from_anywhere_stays_as_it_is_without_a_warning(loader, caplog):
    assert as_seekable(loader, seed=0) is loader
    assert not caplog.records


def note_worker(number):
    torch.utils.data.get_worker_info().dataset.dataset.noted = 100 + number


class Noted(Dataset):
    def __len__(self):
        return 2

    def __getitem__(self, index):
        return self.noted


def test_the_function_that_prepares_a_worker_finds_the_dataset_one_level_down():
    loader = DataLoader(Noted(), batch_size=2, num_workers=1, worker_init_fn=note_worker)

    [batch] = as_seekable(loader, seed=0)

    assert batch.tolist() == [100, 100]


def test_options_of_the_workers_are_kept():
    loader = DataLoader(
        Numbers(),
        batch_size=2,
        num_workers=1,
        worker_init_fn=note_worker,
        timeout=30,
        prefetch_factor=3,
        multiprocessing_context="fork",
    )

    ours = as_seekable(loader, seed=0)

    assert (ours.num_workers, ours.timeout, ours.prefetch_factor) == (1, 30, 3)
    assert ours.worker_init_fn.then is note_worker
    assert ours.multiprocessing_context is loader.multiprocessing_context


@pytest.mark.parametrize("start_method", ["fork", "forkserver", "spawn"])
def test_a_dataset_from_a_file_works_in_workers_however_they_start(tmp_path, start_method):
    (tmp_path / "squares.py").write_text(
        "class Squares:\n"
        "    def __len__(self): return 6\n"
        "    def __getitem__(self, index): return index * index, index\n"
    )
    squares = registry.load("data_kind", f"{tmp_path}/squares.py:Squares")()
    batches = SampleDataset(squares, 3, seed=0, shuffle=True)
    context = multiprocessing.get_context(start_method)
    loader = SeekableLoader(batches, workers=1, multiprocessing_context=context)

    assert unix_time_of(loader) == unix_time_of(SeekableLoader(batches))
    loader.close()


def test_a_dataset_that_cannot_be_sent_to_a_worker_is_told_on_one_line():
    numbers = Numbers()
    numbers.transform = lambda x: x
    batches = SampleDataset(numbers, 3, seed=0, shuffle=True)

    with pytest.raises(ConfigError, match=r"train.workers: 1: .* cannot be sent .* \(spawn\): .*lambda"):
        iter(SeekableLoader(batches, workers=1, multiprocessing_context="spawn"))
