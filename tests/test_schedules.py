import json
import math

import pytest
import torch
from torch import nn

from ignite_workflow import ConfigError, UnknownNameError, registry
from ignite_workflow.schedules import build_schedule

TOTAL, PER_EPOCH = 40, 8
LR = 0.1


def build(name, options=None, *, total=TOTAL, lr=LR, momentum=0.0):
    model = nn.Linear(1, 1)
    groups = [{"params": [model.weight]}, {"params": [model.bias], "lr": lr / 4}]
    optimizer = torch.optim.SGD(groups, lr=lr, momentum=momentum)
    schedule = build_schedule(name, options or {}, optimizer, total_steps=total, steps_per_epoch=PER_EPOCH)
    return optimizer, schedule


def run(optimizer, schedule, *, start=0, stop=TOTAL, metrics=None):
    """The learning rates (of both groups) that each optimizer step from ``start`` to ``stop`` uses."""
    used = []
    for done in range(start, stop):
        used.append([group["lr"] for group in optimizer.param_groups])
        optimizer.step()
        if schedule.when == "step":
            schedule.step()
        if (done + 1) % PER_EPOCH == 0 and schedule.when == "epoch":
            schedule.step()
        if (done + 1) % PER_EPOCH == 0 and schedule.when == "evaluation":
            schedule.step(metrics[done // PER_EPOCH])
    return used


def rates(name, options=None, **more):
    return [first for first, _ in run(*build(name, options, **more), stop=more.get("total", TOTAL))]


def test_constant_stays():
    assert rates("constant") == [LR] * TOTAL


def test_constant_with_warmup_rises_in_a_straight_line():
    assert rates("constant", {"warmup": 4}) == pytest.approx([LR * min(1, (s + 1) / 5) for s in range(TOTAL)])


def test_cosine_is_half_a_cosine():
    expected = [LR / 2 * (1 + math.cos(math.pi * s / TOTAL)) for s in range(TOTAL)]

    assert rates("cosine") == pytest.approx(expected)


def test_cosine_agrees_with_torchs_own():
    optimizer, _ = build("constant")
    theirs = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, TOTAL)
    expected = []
    for _ in range(TOTAL):
        expected.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        theirs.step()

    assert rates("cosine") == pytest.approx(expected)


def test_cosine_starts_after_its_warmup_and_ends_at_its_floor():
    used = rates("cosine", {"warmup": 0.25, "min_lr": 0.02})
    expected = [LR * (s + 1) / 11 for s in range(10)]
    expected += [0.02 + (LR - 0.02) / 2 * (1 + math.cos(math.pi * s / 30)) for s in range(30)]

    assert used == pytest.approx(expected)


def test_linear_falls_in_a_straight_line():
    assert rates("linear", {"min_lr": 0.05}) == pytest.approx([LR - (LR - 0.05) * s / TOTAL for s in range(TOTAL)])


def test_step_falls_by_epochs():
    expected = [LR * 0.5 ** (s // PER_EPOCH // 2) for s in range(TOTAL)]

    assert rates("step", {"step_size": 2, "gamma": 0.5}) == pytest.approx(expected)


def test_one_cycle_rises_to_the_learning_rate_and_ends_near_nothing():
    def between(start, end, share):
        return end + (start - end) / 2 * (1 + math.cos(math.pi * share))

    rise = [between(LR / 25, LR, s / 11) for s in range(12)]
    fall = [between(LR, LR / 25 / 1e4, (s - 11) / 28) for s in range(12, 40)]

    assert rates("one_cycle", momentum=0.9) == pytest.approx(rise + fall)


def test_one_cycle_moves_momentum_the_other_way():
    optimizer, schedule = build("one_cycle", momentum=0.9)
    run(optimizer, schedule, stop=11)

    assert optimizer.param_groups[0]["momentum"] == pytest.approx(0.85)


def test_plateau_falls_when_the_metric_does_not_improve():
    optimizer, schedule = build("plateau", {"factor": 0.5, "patience": 1})
    metrics = [1.0, 1.0, 1.0, 0.5, 0.5]

    used = run(optimizer, schedule, metrics=metrics)

    assert [first for first, _ in used[::PER_EPOCH]] == pytest.approx([LR, LR, LR, LR / 2, LR / 2])
    assert (schedule.metric, schedule.mode) == ("loss", "min")


def test_plateau_of_accuracy_waits_for_a_rise():
    optimizer, schedule = build("plateau", {"metric": "accuracy", "mode": "max", "patience": 0, "factor": 0.5})

    used = run(optimizer, schedule, metrics=[0.5, 0.6, 0.7, 0.6, 0.8])

    assert [first for first, _ in used[::PER_EPOCH]] == pytest.approx([LR, LR, LR, LR, LR / 2])
    assert (schedule.metric, schedule.mode) == ("accuracy", "max")


def test_plateau_takes_nan_for_no_improvement():
    optimizer, schedule = build("plateau", {"patience": 0, "factor": 0.5})

    used = run(optimizer, schedule, metrics=[1.0, math.nan, 0.5, 0.4, 0.3])

    assert [first for first, _ in used[::PER_EPOCH]] == pytest.approx([LR, LR, LR / 2, LR / 2, LR / 2])


CASES = [
    ("constant", {}),
    ("constant", {"warmup": 6}),
    ("cosine", {"warmup": 0.1, "min_lr": 0.01}),
    ("linear", {"warmup": 3, "min_lr": 0.01}),
    ("step", {"step_size": 2}),
    ("one_cycle", {"cycle_momentum": False}),
    ("plateau", {"patience": 0, "factor": 0.3, "min_lr": 0.02}),
]
METRICS = [1.0, 1.0, 0.5, 0.6, 0.7]


@pytest.mark.parametrize(("name", "options"), CASES)
def test_groups_keep_their_ratio(name, options):
    used = run(*build(name, options), metrics=METRICS)

    assert [second / first for first, second in used] == pytest.approx([0.25] * TOTAL)


@pytest.mark.parametrize("at", [0, 3, 8, 16, 21])
@pytest.mark.parametrize(("name", "options"), CASES)
def test_a_resumed_run_has_the_very_same_rates(name, options, at):
    unbroken = run(*build(name, options), metrics=METRICS)
    optimizer, schedule = build(name, options)
    run(optimizer, schedule, stop=at, metrics=METRICS)
    saved = optimizer.state_dict(), json.loads(json.dumps(schedule.state_dict()))

    optimizer, schedule = build(name, options)
    optimizer.load_state_dict(saved[0])
    schedule.load_state_dict(saved[1])

    assert run(optimizer, schedule, start=at, metrics=METRICS) == unbroken[at:]


def test_resuming_at_an_epochs_end_gives_no_warning():
    optimizer, schedule = build("step", {"step_size": 1})
    run(optimizer, schedule, stop=PER_EPOCH - 1)
    saved = schedule.state_dict()
    optimizer, schedule = build("step", {"step_size": 1})
    schedule.load_state_dict(saved)

    schedule.step()

    assert optimizer.param_groups[0]["lr"] == pytest.approx(LR / 10)


@pytest.mark.parametrize(
    ("name", "options", "depends"),
    [
        ("constant", {}, False),
        ("constant", {"warmup": 5}, False),
        ("constant", {"warmup": 0.1}, True),
        ("cosine", {}, True),
        ("linear", {}, True),
        ("one_cycle", {"cycle_momentum": False}, True),
        ("step", {"step_size": 1}, False),
        ("plateau", {}, False),
        ("cosine", {"total_epochs": 9}, False),
    ],
)
def test_it_is_known_whether_more_epochs_change_the_rates(name, options, depends):
    assert build(name, options)[1].depends_on_total is depends


@pytest.mark.parametrize("name", ["cosine", "linear", "one_cycle"])
def test_total_epochs_replaces_the_length_of_the_run(name):
    options = {"cycle_momentum": False} if name == "one_cycle" else {}

    assert rates(name, {**options, "total_epochs": 10})[:40] == rates(name, options, total=80)[:40]


@pytest.mark.parametrize("name", ["cosine", "linear", "one_cycle"])
def test_a_run_longer_than_its_schedule_stays_at_the_end(name):
    options = {"cycle_momentum": False} if name == "one_cycle" else {}
    used = rates(name, {**options, "total_epochs": 2})

    assert used[20:] == [min(used)] * 20


@pytest.mark.parametrize("name", ["constant", "cosine", "linear", "one_cycle"])
@pytest.mark.parametrize("total", [1, 2, 3, 4, 5, 7, 10])
def test_short_runs_have_positive_rates(name, total):
    options = {"cycle_momentum": False} if name == "one_cycle" else {}

    assert all(0 < rate <= LR for rate in rates(name, options, total=total))


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("cosine", {"warmpu": 0.1}, r"schedule cosine: unknown option 'warmpu'. Did you mean 'warmup'\?"),
        ("cosine", {"total_steps": 10}, "'total_steps' is not an option"),
        ("cosine", {"warmup": 40}, "schedule cosine: a warmup of 40 steps is longer than the run of 40"),
        ("cosine", {"warmup": -1}, "warmup must be a share of the run .* or a number of steps, got -1"),
        ("cosine", {"warmup": 2.5}, "warmup must be a share of the run .* or a number of steps, got 2.5"),
        ("cosine", {"min_lr": 0.2}, "min_lr must be between 0 and the learning rate 0.1, got 0.2"),
        ("cosine", {"total_epochs": 0}, "schedule cosine: total_epochs must be a number of epochs, got 0"),
        ("step", {}, "schedule step: option 'step_size' is missing"),
        ("step", {"step_size": 0}, "step_size must be at least 1 epoch, got 0"),
        ("one_cycle", {"pct_start": 1.5}, "schedule one_cycle: .*pct_start.*1.5"),
        ("one_cycle", {"pct_start": 0.025}, "leaves no step to rise in"),
        ("plateau", {"factor": 2.0}, "schedule plateau: Factor should be < 1.0"),
        ("plateau", {"mode": "least"}, "schedule plateau: mode"),
        ("plateau", {"min_lr": 0.2}, "min_lr must be between 0 and the learning rate 0.1, got 0.2"),
    ],
)
def test_what_cannot_work_is_refused_with_the_reason(name, options, message):
    with pytest.raises(ConfigError, match=message):
        build(name, options, momentum=0.9)


@pytest.mark.parametrize("name", ["constant", "cosine", "linear", "one_cycle"])
def test_a_learning_rate_of_zero_stays_zero(name):
    assert set(rates(name, lr=0.0, momentum=0.9)) == {0.0}


def test_a_wrong_name_suggests_the_right_one():
    with pytest.raises(UnknownNameError, match=r"unknown schedule 'cosin'. Did you mean 'cosine'\?"):
        build("cosin")


def test_one_cycle_without_momentum_to_cycle_is_refused():
    optimizer = torch.optim.Adagrad(nn.Linear(1, 1).parameters())

    with pytest.raises(ConfigError, match="schedule one_cycle: optimizer must support momentum"):
        build_schedule("one_cycle", {}, optimizer, total_steps=TOTAL, steps_per_epoch=PER_EPOCH)


def test_a_scheduler_of_torchs_can_be_named_and_steps_by_epochs():
    used = rates("torch.optim.lr_scheduler:ExponentialLR", {"gamma": 0.5})

    assert used == pytest.approx([LR * 0.5 ** (s // PER_EPOCH) for s in range(TOTAL)])


def test_a_persons_own_function_says_when_it_is_stepped(tmp_path):
    (tmp_path / "own.py").write_text(
        "from torch.optim.lr_scheduler import LinearLR\n"
        "from ignite_workflow.schedules import Schedule\n"
        "def rise(optimizer, total_steps, share=0.5):\n"
        "    return Schedule(LinearLR(optimizer, 0.5, total_iters=int(share * total_steps)), 'step')\n"
    )

    assert rates(f"{tmp_path}/own.py:rise", {"share": 0.25})[::5] == pytest.approx([0.05, 0.075] + [LR] * 6)


def test_every_schedule_by_name_is_tried_here():
    assert {name for name, _ in CASES} == set(registry.names("schedule"))
