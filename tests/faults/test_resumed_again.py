"""F13: a finished run stays as it is; more epochs are one long run where they can be; other settings are refused."""

from functools import partial
from random import Random

import pytest
from harness import EXHAUSTIVE, start, unbroken, write_settings, wrong
from injections import die_at_moment

CONSTANT = {"schedule": {"name": "constant"}, "handlers": {"early_stopping": False}}
OTHER = {  # settings, and what a refusal must show: before -> now
    "seed": (("train.seed=4",), "train.seed: 3 -> 4"),
    "batch size": (("train.batch_size=10",), "train.batch_size: 8 -> 10"),
    "fewer epochs": (("train.max_epochs=1",), "train.max_epochs"),
    "model": (("model.ballast=10",), "model.ballast"),
    "optimizer": (("optimizer.lr=0.5",), "optimizer.lr: 0.02 -> 0.5"),
    "loss": (("loss.name=l1",), "loss.name: 'mse' -> 'l1'"),
    "handler": (("handlers.gradient_clipping.max_norm=1",), "handlers.gradient_clipping"),
    "data": (("data.options.size=48",), "data.options.size"),
}
HARMLESS = ("train.workers=2", "train.max_minutes=60", "handlers.checkpointing.every={iterations: 7}")


@pytest.fixture(scope="module")
def job(tmp_path_factory):
    folder = tmp_path_factory.mktemp("again")
    return folder, unbroken(folder, train={"max_epochs": 3})


def everything(run):
    return {path: path.read_bytes() for path in run.rglob("*") if path.is_file() and path.name != "run.lock"}


def test_f13_a_finished_run_is_left_as_it_is(job, tally):
    folder, _ = job
    before = everything(folder / "unbroken")
    done = start(folder / "unbroken")

    assert "nothing left to do" in done.said
    tally("F13 resumed after the end", 1, [done] if done.code or everything(folder / "unbroken") != before else [])


@pytest.mark.parametrize("name", OTHER)
def test_f13_another_setting_is_refused_with_the_difference(job, name, tally):
    folder, expected = job
    run, (settings, shown) = folder / name, OTHER[name]
    assert start(run, inject=partial(die_at_moment, number=150)).code < 0
    before = {path: content for path, content in everything(run).items() if path.suffix in (".ckpt", ".jsonl", ".yaml")}
    done = start(run, *settings)
    after = everything(run)

    refused = done.code == 2 and shown in done.said and "Traceback" not in done.said
    untouched = all(after[path] == content for path, content in before.items())
    tally("F13 another setting", 1, wrong(run, expected) if refused and untouched else [done, untouched])


@pytest.mark.parametrize("name", OTHER)
def test_f13_another_setting_is_refused_after_the_end_too(job, name, tally):
    folder, expected = job
    settings, shown = OTHER[name]
    done = start(folder / "unbroken", *settings)

    refused = done.code == 2 and shown in done.said and "Traceback" not in done.said
    tally("F13 another setting, after the end", 1, wrong(folder / "unbroken", expected) if refused else [done])


def test_f13_harmless_settings_may_change(job, tally):
    folder, expected = job
    run = folder / "harmless"
    assert start(run, inject=partial(die_at_moment, number=150)).code < 0

    tally("F13 harmless settings", 1, wrong(run, expected, *HARMLESS))


def test_f13_more_epochs_are_refused_where_the_schedule_depends_on_them(job, tally):
    folder, expected = job
    run = folder / "more"
    assert start(run).code == 0
    done = start(run, "train.max_epochs=5")

    refused = done.code == 2 and "the cosine schedule depends on the number of epochs" in done.said
    tally("F13 more epochs, refused", 1, wrong(run, expected) if refused else [done])


@pytest.mark.parametrize("trial", range(10 if EXHAUSTIVE else 2))
def test_f13_more_epochs_equal_one_long_run(tmp_path, trial, tally):
    """After the end, or in mid-run; however it is killed."""
    random = Random(f"F13 {trial}")
    expected = unbroken(tmp_path, train={"max_epochs": 6}, **CONSTANT)
    write_settings(tmp_path, train={"max_epochs": 3}, **CONSTANT)
    run = tmp_path / "run"
    start(run, inject=partial(die_at_moment, number=random.randint(50, 300)) if trial % 2 else None)
    write_settings(tmp_path, train={"max_epochs": 6}, **CONSTANT)
    start(run, inject=partial(die_at_moment, number=random.randint(1, 200)))

    tally("F13 more epochs, as one long run", 1, wrong(run, expected))


def test_f13_a_run_that_lost_its_settings_is_refused(job, tally):
    folder, expected = job
    run = folder / "without settings"
    assert start(run, inject=partial(die_at_moment, number=150)).code < 0
    settings = (run / "config.yaml").read_text()
    (run / "config.yaml").unlink()
    done = start(run)
    (run / "config.yaml").write_text(settings)

    refused = done.code == 2 and "has lost its config.yaml" in done.said
    tally("F13 settings lost", 1, wrong(run, expected) if refused else [done])
