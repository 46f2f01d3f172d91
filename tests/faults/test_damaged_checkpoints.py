"""F06, F07, F08: no damaged checkpoint is read; the one before it is taken, or the run is refused."""

import shutil
from functools import partial
from random import Random

import pytest
from harness import EXHAUSTIVE, start, steps, unbroken, wrong
from injections import die_at_moment, unreadable

from ignite_workflow import CheckpointError, CheckpointStore


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("damaged")


@pytest.fixture(scope="module")
def expected(folder):
    return unbroken(folder)


@pytest.fixture(scope="module")
def killed(folder, expected):
    """A run that was killed in its middle."""
    assert start(folder / "killed", inject=partial(die_at_moment, number=700)).code < 0
    assert len(steps(folder / "killed")) == 2
    return folder / "killed"


def newest(run):
    return CheckpointStore(run / "checkpoints").path(steps(run)[-1])


def cut(path, part):
    content = path.read_bytes()
    path.write_bytes(content[: len(content) * part // 64])


def make_directory(path):
    path.unlink()
    path.mkdir()


DAMAGES = {
    **{f"cut at {part} of 64": partial(cut, part=part) for part in range(64 if EXHAUSTIVE else 0)},
    "empty": partial(cut, part=0),
    "cut at its middle": partial(cut, part=32),
    "cut near its end": partial(cut, part=63),
    "a directory": make_directory,
}


def test_f06_the_newest_checkpoint_is_damaged(folder, expected, killed, tally):
    failed = {}
    for name, damage in {**DAMAGES, "unreadable": None}.items():
        run = shutil.copytree(killed, folder / name)
        path = newest(run)
        if damage is not None:
            damage(path)
        done = start(run, inject=unreadable if damage is None else None)
        named = f"{path} " in done.said and "going back to the checkpoint before it" in done.said
        differing = wrong(run, expected) if done.code == 0 else [done]
        failed |= {name: (named, differing)} if differing or not named else {}

    tally("F06 newest checkpoint damaged: named, the one before it taken", len(DAMAGES) + 1, failed)


def test_f07_a_flipped_bit_is_found(folder, killed, tally):
    run = shutil.copytree(killed, folder / "flipped")
    store, random, path, missed = CheckpointStore(run / "checkpoints"), Random("F07"), newest(run), []
    before, content = steps(run)[0], path.read_bytes()
    for bit in random.sample(range(8 * len(content)), 500):
        flipped = bytearray(content)
        flipped[bit // 8] ^= 1 << bit % 8
        path.write_bytes(flipped)
        if store.load_newest()["trainer"]["iteration"] != before:
            missed.append(bit)

    tally("F07 one bit flipped in a checkpoint", 500, missed)


def test_f08_all_checkpoints_are_damaged(folder, expected, killed, tally):
    """Refused with a message of its own, again and again; only --from-scratch goes on."""
    run = shutil.copytree(killed, folder / "all")
    for step in steps(run):
        cut(CheckpointStore(run / "checkpoints").path(step), part=60)
    refusals = [start(run) for _ in range(2)]
    ended = start(run, "--from-scratch")

    assert {refusal.code for refusal in refusals} == {CheckpointError.exit_code}
    for refusal in refusals:
        assert "none of the 2 checkpoints" in refusal.said
        assert "--from-scratch" in refusal.said
        assert "Traceback" not in refusal.said
    tally("F08 all checkpoints damaged: refused; from scratch", 1, [ended] if ended.code else wrong(run, expected))
