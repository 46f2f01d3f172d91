"""Streams are functions of seed and counters: equal where they should be, never shared."""

import itertools
import random

import numpy as np
import pytest
import torch

from ignite_workflow.randomness import StepStreams, Stream, generator, mix, seed_everything, seed_sample

CPU = torch.device("cpu")


def draws():
    """A number from each of the global generators."""
    return torch.rand(1).item(), random.random(), np.random.rand()


def test_mix_gives_what_it_always_gave():
    """A run that is resumed by a later version must find the numbers it began with."""
    assert mix(0, Stream.ORDER, 1) == 2945233807240002957
    assert mix(2**63, Stream.SAMPLE, 3, 1_000_000) == 281497476702790699


def test_mix_never_gives_the_same_for_other_seeds_streams_or_counters():
    seeds = [0, 1, -1, 2**32, 2**63]
    counters = [(), (0,), (1,), (0, 1), (1, 0), (2**40,)]
    values = [mix(seed, stream, *more) for seed, stream, more in itertools.product(seeds, Stream, counters)]

    assert len(set(values)) == len(values)


def test_mix_fits_every_generator():
    values = [mix(seed, Stream.STEP, seed) for seed in range(1000)]

    assert 0 <= min(values) <= max(values) < 2**63
    assert max(values) > 2**62


def test_a_generator_stands_at_the_start_of_its_stream():
    first = torch.rand(3, generator=generator(1, Stream.ORDER, 2))

    assert torch.equal(first, torch.rand(3, generator=generator(1, Stream.ORDER, 2)))
    assert not torch.equal(first, torch.rand(3, generator=generator(1, Stream.ORDER, 3)))


def test_a_generator_of_its_own_leaves_the_global_one_alone():
    torch.manual_seed(0)
    expected = torch.rand(1)
    torch.manual_seed(0)

    generator(1, Stream.ORDER, 2)

    assert torch.rand(1) == expected


def test_seeds_torch_as_torch_itself_would():
    torch.manual_seed(123)
    expected = torch.rand(3)

    seed_everything(123)

    assert torch.equal(torch.rand(3), expected)


def test_seeds_random_and_numpy_too():
    seed_everything(2**62 + 5)
    first = draws()
    seed_everything(2**62 + 5)

    assert draws() == first


def test_leaves_random_and_numpy_alone_where_nobody_foreign_draws():
    seed_everything(1)
    expected = draws()
    seed_everything(1)

    seed_everything(2, foreign=False)

    assert draws()[1:] == expected[1:]


def test_seeds_the_generator_of_the_gpu_that_computes(monkeypatch):
    gpus = [torch.Generator(), torch.Generator()]
    monkeypatch.setattr(torch.cuda, "default_generators", gpus)

    seed_everything(7, torch.device("cuda", 1))

    assert gpus[1].initial_seed() == 7
    assert gpus[0].initial_seed() != 7


def test_seeds_an_accelerator_of_another_kind(monkeypatch):
    seeds = []
    monkeypatch.setattr(torch.mps, "manual_seed", seeds.append)

    seed_everything(7, torch.device("mps"))

    assert seeds == [7]


def test_a_sample_has_numbers_of_its_own_in_each_epoch():
    seen = set()
    for epoch, index in itertools.product(range(5), range(5)):
        seed_sample(0, epoch, index)
        seen.add(draws())

    assert len(seen) == 25
    seed_sample(0, 3, 2)
    assert draws() in seen


def test_a_step_has_its_numbers_whatever_was_drawn_before():
    streams = StepStreams(0, CPU, foreign=True)
    streams.set(5)
    first = draws()
    draws()

    StepStreams(0, CPU, foreign=True).set(5)

    assert draws() == first


def test_each_step_has_the_numbers_of_its_own_however_many_went_before():
    streams, alone = StepStreams(0, CPU), []
    for iteration in range(1, 601):
        StepStreams(0, CPU).set(iteration)
        alone.append(torch.rand(1).item())

    for iteration in (*range(1, 601), 3, 600, 257):
        streams.set(iteration)
        assert torch.rand(1).item() == alone[iteration - 1]
    assert len(set(alone)) == 600


@pytest.mark.parametrize("other", [(Stream.EPOCH_END, 3), (Stream.EPOCH_START, 4)])
def test_beside_the_steps_each_moment_has_numbers_of_its_own(other):
    def drawn(stream, counter):
        StepStreams(0, CPU, foreign=True).set_beside(stream, counter)
        return draws()

    assert drawn(Stream.EPOCH_START, 3) == drawn(Stream.EPOCH_START, 3)
    assert set(drawn(*other)).isdisjoint(drawn(Stream.EPOCH_START, 3))


@pytest.mark.parametrize("other", [{"seed": 1}, {"rank": 1}, {"iteration": 6}])
def test_another_step_seed_or_rank_has_other_numbers(other):
    def drawn(seed=0, rank=0, iteration=5):
        StepStreams(seed, CPU, rank=rank, foreign=True).set(iteration)
        return draws()

    assert set(drawn(**other)).isdisjoint(drawn())


def test_steps_set_random_and_numpy_only_where_somebody_foreign_draws():
    seed_everything(1)
    expected = draws()
    seed_everything(1)

    StepStreams(0, CPU).set(5)

    assert draws()[1:] == expected[1:]


def test_steps_on_a_gpu_set_its_generator(monkeypatch):
    gpus = [torch.Generator()]
    monkeypatch.setattr(torch.cuda, "default_generators", gpus)

    StepStreams(0, torch.device("cuda", 0)).set(1)

    assert gpus[0].initial_seed() == torch.default_generator.initial_seed()
