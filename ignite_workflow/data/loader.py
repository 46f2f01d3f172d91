"""Batches whose order is a function: a loader that starts at any batch of any epoch without replaying those before."""

from __future__ import annotations

import logging
import multiprocessing
import os
import warnings
import weakref
from collections.abc import Callable, Iterable, Iterator, Sequence
from pickle import PicklingError
from typing import Any

from torch.utils.data import (
    BatchSampler,
    DataLoader,
    RandomSampler,
    Sampler,
    SequentialSampler,
    TensorDataset,
    default_collate,
)

from ignite_workflow.data.bad_samples import BatchWithBad, SkippedSamples, refuse
from ignite_workflow.data.batches import BatchDataset, BatchKey, SampleDataset, TensorBatches
from ignite_workflow.data.workers import WorkerStart, end_workers, kill_workers, signals_held, worker_death
from ignite_workflow.errors import ConfigError

__all__ = ["SeekableLoader", "as_seekable"]

log = logging.getLogger(__name__)

_END = object()


class _BatchKeys(Sampler[BatchKey]):
    """The keys of an epoch's batches, from the one sought on."""

    def __init__(self, length: int) -> None:
        self.length = length
        self.epoch = 1
        self.start = 0
        self.without: frozenset[int] = frozenset()

    def __len__(self) -> int:
        return self.length

    def __iter__(self) -> Iterator[BatchKey]:
        more = (self.without,) if self.without else ()
        return ((self.epoch, batch, *more) for batch in range(self.start, self.length))


class SeekableLoader(DataLoader[Any]):
    """A ``DataLoader`` over whole batches that goes to any batch of any epoch at once.

    Args:
        dataset: gives a batch for each ``(epoch, batch)``.
        workers: processes that make batches; 0 makes them here, which is faster for data in memory.
        pin_memory: for copies to a GPU that do not wait.
        worker_init_fn: called in each worker first.
        **options: of ``DataLoader``, about its workers.
    """

    def __init__(
        self,
        dataset: BatchDataset,
        *,
        workers: int = 0,
        pin_memory: bool = False,
        worker_init_fn: Callable[[int], None] | None = None,
        **options: Any,
    ) -> None:
        self.keys = _BatchKeys(len(dataset))
        self.skipped: SkippedSamples | None = None
        with warnings.catch_warnings():
            # How many are best is what `check` measures: more than there are processors, where files are waited for.
            warnings.filterwarnings("ignore", "This DataLoader will create")
            super().__init__(
                dataset,
                batch_size=None,
                sampler=self.keys,
                collate_fn=_as_it_is,
                num_workers=workers,
                pin_memory=pin_memory,
                persistent_workers=workers > 0,
                worker_init_fn=WorkerStart(worker_init_fn) if workers else None,
                **options,
            )

    def seek(self, epoch: int, batch: int = 0) -> None:
        """Stand before that batch of that epoch; the next ``iter`` starts there."""
        self.keys.epoch, self.keys.start = epoch, batch

    def close(self) -> None:
        """End the workers, which otherwise wait for another epoch. They start again when one is read."""
        iterator, self._iterator = self._iterator, None
        if iterator is not None:
            end_workers(iterator)

    def skip_bad_samples(self, skipped: SkippedSamples) -> None:
        """Do without the samples that cannot be made, instead of ending with an error: before anything is read."""
        self.skipped = skipped
        self.dataset.skips_bad = True  # type: ignore[attr-defined]

    def __iter__(self) -> Iterator[Any]:  # type: ignore[override]  # torch names a class of its own
        dataset: BatchDataset = self.dataset  # type: ignore[assignment]
        if self.skipped is not None:
            self.keys.without = self.skipped.until(self.keys.epoch)
        if self.num_workers or self.pin_memory:
            return self._checked(self._iterator_of_workers())
        if not isinstance(dataset, SampleDataset):
            return dataset.read(self.keys.epoch, self.keys.start)  # as DataLoader would, without its 6 us a batch
        return self._checked(dataset[key] for key in self.keys)

    def _iterator_of_workers(self) -> Iterator[Any]:
        context: Any = self.multiprocessing_context or multiprocessing
        before = self._iterator
        method = context.get_start_method()
        if method == "forkserver":
            context.set_forkserver_preload([__name__])  # torch is imported once, not by each worker
        try:
            with signals_held(method), warnings.catch_warnings():
                warnings.filterwarnings("ignore", "Got pickle error")  # that is told below
                iterator: Any = super().__iter__()
        except (PicklingError, AttributeError, TypeError) as error:  # all three are how pickle says it
            if not self.num_workers or method == "fork":
                raise
            raise ConfigError(
                f"train.workers: {self.num_workers}: the Dataset cannot be sent to a worker process "
                f"({method}): {error}; what it holds must be picklable, or set train.workers=0"
            ) from error
        if self.num_workers and iterator is not before:  # or Python, where it ends first, would wait for them for ever
            weakref.finalize(iterator, kill_workers, iterator._workers, parent=os.getpid())
        return iterator  # type: ignore[no-any-return]

    def _checked(self, batches: Iterator[Any]) -> Iterator[Any]:
        """The batches, what went wrong in making them told.

        Raises:
            DataError: a sample cannot be made, or a worker died.
        """
        epoch = self.keys.epoch
        while True:
            try:
                batch = next(batches, _END)
            except (RuntimeError, OSError, EOFError) as error:
                told = worker_death(error, self._iterator)
                if told is None:
                    raise
                raise told from error
            if batch is _END:
                return
            yield self._without_bad(batch, epoch) if type(batch) is BatchWithBad else batch

    def _without_bad(self, found: BatchWithBad, epoch: int) -> Any:
        if found.batch is None or self.skipped is None:
            refuse(found.bad, skipping=self.skipped is not None)
        for bad in found.bad:
            self.skipped.add(epoch, bad)
        return found.batch


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
