"""Batches whose order is a function: a loader that starts at any batch of any epoch without replaying those before."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import (
    BatchSampler,
    DataLoader,
    Dataset,
    RandomSampler,
    Sampler,
    SequentialSampler,
    TensorDataset,
    default_collate,
)

from ignite_workflow.randomness import Stream, generator, seed_sample

__all__ = ["BatchDataset", "SampleDataset", "SeekableLoader", "TensorBatches", "as_seekable"]

log = logging.getLogger(__name__)

_BLOCK_BYTES = 512 * 1024

BatchKey = tuple[int, int]  # epoch (from 1), batch of that epoch (from 0)


class BatchDataset(Dataset[Any]):
    """A map from ``(epoch, batch)`` to a whole batch; what the two kinds below share.

    Args:
        size: number of samples.
        batch_size: samples a batch; the last one of an epoch may be shorter.
        seed: of the run.
        shuffle: a new order each epoch, from (seed, epoch); otherwise the order of the data.
        drop_last: leave out the last batch of an epoch where it is shorter; other samples each epoch.
        limit: batches an epoch, at most.
        rank: of this process among ``world_size``: it gets every ``world_size``-th sample, from ``rank`` on.

    Attributes:
        records: int64 (size,), the number of each sample's record in the data; None where that is the sample's own.
    """

    records: Tensor | None = None

    def __init__(
        self,
        size: int,
        batch_size: int,
        *,
        seed: int,
        shuffle: bool,
        drop_last: bool = False,
        limit: int | None = None,
        rank: int = 0,
        world_size: int = 1,
    ) -> None:
        self.size = size
        self.batch_size = batch_size
        self.drop_last = drop_last
        self.limit = limit
        self.seed = seed
        self.shuffle = shuffle
        self.rank = rank
        self.world_size = world_size
        self._order: tuple[int, Tensor] = (-1, torch.empty(0, dtype=torch.int64))

    def __len__(self) -> int:
        """Batches an epoch."""
        samples = -(-self.size // self.world_size)
        batches = samples // self.batch_size if self.drop_last else -(-samples // self.batch_size)
        return batches if self.limit is None else min(batches, self.limit)

    def order(self, epoch: int) -> Tensor:
        """The sample numbers of an epoch in the order they are visited, int64 (samples,)."""
        key = epoch if self.shuffle else 0
        if self._order[0] != key:
            if self.shuffle:
                order = torch.randperm(self.size, generator=generator(self.seed, Stream.ORDER, epoch))
            else:
                order = torch.arange(self.size)
            if self.world_size > 1:
                even = self.size + -self.size % self.world_size  # each rank must see as many batches: the first fill up
                order = order[torch.arange(self.rank, even, self.world_size) % self.size]
            self._order = (key, order)
        return self._order[1]

    def rows(self, epoch: int, batch: int) -> list[int]:
        """The numbers of the records that a batch is made of."""
        samples = self.order(epoch)[batch * self.batch_size : (batch + 1) * self.batch_size]
        numbers: list[int] = (samples if self.records is None else self.records[samples]).tolist()
        return numbers

    def read(self, epoch: int, start: int) -> Iterator[Any]:
        """The batches of an epoch from number ``start`` on."""
        return (self[epoch, batch] for batch in range(start, len(self)))


class TensorBatches(BatchDataset):
    """Batches gathered from tensors: a copy of the rows of a block of batches, then views of it.

    Each batch is handed out once, so a step that writes into it changes neither the data nor a later epoch.

    Args:
        tensors: each (size, ...), in memory or memory-mapped.
        **kwargs: of ``BatchDataset``.

    A batch is a tuple with a tensor (batch, ...) for each of ``tensors``.
    """

    def __init__(self, tensors: tuple[Tensor, ...], batch_size: int, **kwargs: Any) -> None:
        super().__init__(len(tensors[0]), batch_size, **kwargs)
        self.tensors = tensors
        row_bytes = sum(tensor[:1].nbytes for tensor in tensors)
        self._batches_a_block = max(1, _BLOCK_BYTES // max(1, row_bytes * batch_size))
        self._block: tuple[BatchKey, list[tuple[Tensor, ...]]] = ((-1, -1), [])
        self._last = -1

    def __getitem__(self, key: BatchKey) -> tuple[Tensor, ...]:
        epoch, batch = key
        number, offset = divmod(batch, self._batches_a_block)
        if self._block[0] != (epoch, number) or batch <= self._last:
            self._block = ((epoch, number), self._gather(epoch, number))
        self._last = batch
        return self._block[1][offset]

    def read(self, epoch: int, start: int) -> Iterator[tuple[Tensor, ...]]:
        """As above, without looking each batch up."""
        left = len(self) - start
        while left > 0:
            number, offset = divmod(len(self) - left, self._batches_a_block)
            block = self._gather(epoch, number)[offset : offset + left]
            left -= len(block)
            yield from block

    def _gather(self, epoch: int, number: int) -> list[tuple[Tensor, ...]]:
        rows = self._batches_a_block * self.batch_size
        order = self.order(epoch)
        if self.shuffle or self.world_size > 1:
            chosen = order[number * rows : (number + 1) * rows]
            gathered = [tensor.index_select(0, chosen) for tensor in self.tensors]
        else:
            gathered = [tensor[number * rows : (number + 1) * rows].clone() for tensor in self.tensors]
        return list(zip(*(block.split(self.batch_size) for block in gathered), strict=True))


class SampleDataset(BatchDataset):
    """Batches collated from a person's own map-style ``Dataset``, each sample made with streams of its own.

    A sample's random numbers (augmentation) come from (seed, epoch, index): the same with any number of workers.

    Args:
        dataset: ``dataset[i]`` is one sample.
        collate: makes a batch of a list of samples.
        **kwargs: of ``BatchDataset``.
    """

    def __init__(
        self,
        dataset: Dataset[Any],
        batch_size: int,
        *,
        collate: Callable[[list[Any]], Any] = default_collate,
        **kwargs: Any,
    ) -> None:
        super().__init__(len(dataset), batch_size, **kwargs)  # type: ignore[arg-type]
        self.dataset = dataset
        self.collate = collate

    def __getitem__(self, key: BatchKey) -> Any:
        epoch, batch = key
        rows = self.order(epoch)[batch * self.batch_size : (batch + 1) * self.batch_size]
        threads = torch.get_num_threads()
        torch.set_num_threads(1)  # as in a worker: sums differ between one thread and two
        try:
            return self.collate([self._sample(epoch, index) for index in rows.tolist()])
        finally:
            torch.set_num_threads(threads)

    def _sample(self, epoch: int, index: int) -> Any:
        seed_sample(self.seed, epoch, index)
        return self.dataset[index]


class _BatchKeys(Sampler[BatchKey]):
    """The keys of an epoch's batches, from the one sought on."""

    def __init__(self, length: int) -> None:
        self.length = length
        self.epoch = 1
        self.start = 0

    def __len__(self) -> int:
        return self.length

    def __iter__(self) -> Iterator[BatchKey]:
        return ((self.epoch, batch) for batch in range(self.start, self.length))


class SeekableLoader(DataLoader[Any]):
    """A ``DataLoader`` over whole batches that goes to any batch of any epoch at once.

    Args:
        dataset: gives a batch for each ``(epoch, batch)``.
        workers: processes that make batches; 0 makes them here, which is faster for data in memory.
        pin_memory: for copies to a GPU that do not wait.
        **options: of ``DataLoader``, about its workers.
    """

    def __init__(self, dataset: BatchDataset, *, workers: int = 0, pin_memory: bool = False, **options: Any) -> None:
        self.keys = _BatchKeys(len(dataset))
        super().__init__(
            dataset,
            batch_size=None,
            sampler=self.keys,
            collate_fn=_as_it_is,
            num_workers=workers,
            pin_memory=pin_memory,
            persistent_workers=workers > 0,
            **options,
        )

    def seek(self, epoch: int, batch: int = 0) -> None:
        """Stand before that batch of that epoch; the next ``iter`` starts there."""
        self.keys.epoch, self.keys.start = epoch, batch

    def close(self) -> None:
        """End the workers, which otherwise wait for another epoch. They start again when one is read."""
        self._iterator = None

    def __iter__(self) -> Iterator[Any]:  # type: ignore[override]  # torch names a class of its own
        if self.num_workers or self.pin_memory:
            return super().__iter__()
        dataset: BatchDataset = self.dataset  # type: ignore[assignment]
        return dataset.read(self.keys.epoch, self.keys.start)  # as DataLoader would, without its 6 us a batch


def _as_it_is(batch: Any) -> Any:
    return batch


def as_seekable(loader: Iterable[Any], *, seed: int) -> Iterable[Any]:
    """A loader that can start at any batch, over the same data in batches of the same size.

    A ``DataLoader`` over a map-style dataset, in order or shuffled with all the samples, becomes a ``SeekableLoader``.
    Anything else stays as it is: a list of batches is read up to the right one; of other loaders a warning says that a
    run resumed in mid-epoch may see other batches.
    """
    if hasattr(loader, "seek") or isinstance(loader, Sequence):
        return loader
    if not isinstance(loader, DataLoader) or not _is_plain(loader):
        log.warning(
            "%s is read in its own order: resumed in mid-epoch, the run may see other batches", type(loader).__name__
        )
        return loader
    sampler: Any = loader.batch_sampler
    options: dict[str, Any] = {
        "batch_size": sampler.batch_size,
        "seed": seed,
        "shuffle": isinstance(sampler.sampler, RandomSampler),
        "drop_last": sampler.drop_last,
    }
    batches: BatchDataset
    if type(loader.dataset) is TensorDataset and loader.collate_fn is default_collate and not loader.num_workers:
        batches = TensorBatches(loader.dataset.tensors, **options)
    else:
        batches = SampleDataset(loader.dataset, collate=loader.collate_fn, **options)
    return SeekableLoader(
        batches,
        workers=loader.num_workers,
        pin_memory=loader.pin_memory,
        timeout=loader.timeout,
        worker_init_fn=loader.worker_init_fn,
        prefetch_factor=loader.prefetch_factor,
        multiprocessing_context=loader.multiprocessing_context,
    )


def _is_plain(loader: DataLoader[Any]) -> bool:
    """Whether the order of a loader is one that a function of (seed, epoch) can stand in for."""
    if type(loader).__iter__ is not DataLoader.__iter__ or type(loader.batch_sampler) is not BatchSampler:
        return False
    sampler: Any = loader.batch_sampler.sampler
    if type(sampler) is RandomSampler:
        return not sampler.replacement and sampler.num_samples == len(loader.dataset)  # type: ignore[arg-type]
    return type(sampler) is SequentialSampler
