"""Batches made by number: whole, in an order that is a function of (seed, epoch)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import Dataset, default_collate

from ignite_workflow import registry
from ignite_workflow.data.bad_samples import BatchWithBad, bad_sample
from ignite_workflow.randomness import Stream, generator, seed_sample

__all__ = ["BatchDataset", "BatchKey", "SampleDataset", "TensorBatches"]

_BLOCK_BYTES = 512 * 1024

# epoch (from 1), batch of that epoch (from 0); where samples are skipped, those known when the epoch began
BatchKey = tuple[int, int] | tuple[int, int, frozenset[int]]


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

    def __reduce__(self) -> tuple[Any, ...]:
        """To a worker process that is not forked: what a file of code defines is known there once imported."""
        return _in_worker, (registry.imported_files(), type(self)), self.__dict__

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


def _in_worker(files: Iterable[Path], kind: type[BatchDataset]) -> BatchDataset:
    """An empty one, to be filled with what may be instances of classes in those files."""
    registry.import_files(files)
    return kind.__new__(kind)


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
        epoch, batch, *_ = key
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

    A sample that cannot be made comes back as a ``BatchWithBad``: an exception would leave a worker as a traceback.

    Args:
        dataset: ``dataset[i]`` is one sample.
        collate: makes a batch of a list of samples.
        **kwargs: of ``BatchDataset``.

    Attributes:
        skips_bad: a batch is made of the samples that can be made.
    """

    skips_bad = False

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
        epoch, batch, *rest = key
        without: frozenset[int] = rest[0] if rest else frozenset()
        rows = self.order(epoch)[batch * self.batch_size : (batch + 1) * self.batch_size]
        threads = torch.get_num_threads()
        torch.set_num_threads(1)  # as in a worker: sums differ between one thread and two
        try:
            return self._make(epoch, [index for index in rows.tolist() if index not in without])
        finally:
            torch.set_num_threads(threads)

    def _make(self, epoch: int, indices: list[int]) -> Any:
        samples, bad = [], []
        for index in indices:
            try:
                samples.append(self._sample(epoch, index))
            except Exception as error:
                row = index if self.records is None else int(self.records[index])
                bad.append(bad_sample(self.dataset, index, row, error))
                if not self.skips_bad:
                    return BatchWithBad(None, bad)
        if not samples:
            return BatchWithBad(None, bad)
        batch = self.collate(samples)
        return BatchWithBad(batch, bad) if bad else batch

    def _sample(self, epoch: int, index: int) -> Any:
        seed_sample(self.seed, epoch, index)
        return self.dataset[index]
