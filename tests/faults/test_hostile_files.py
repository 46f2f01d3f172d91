"""F25: nothing in a hostile checkpoint or model file is run, memory stays bounded, and one line says what it is."""

import functools
import hashlib
import io
import json
import os
import pickle
import shutil
import sys
import zipfile
from functools import partial
from pathlib import Path

import pytest
import torch
from harness import EXHAUSTIVE, start, steps, unbroken, wrong
from injections import die_at_moment, poisoned

from ignite_workflow import CheckpointError, load_model

sys.path.insert(0, str(Path(__file__).parent.parent))
from small_model import forge, save_small_model

MEMORY = 300_000_000


class Bomb:
    """Makes a file where it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


def zipped(name, content):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return file.getvalue()


def saved_by_torch(content):
    file = io.BytesIO()
    torch.save(content, file)
    return file.getvalue()


def signed(header, data=b""):
    """A file of our layout whose checksum is right."""
    text = json.dumps(header).encode()
    content = len(text).to_bytes(8, "little") + text + data
    return content + hashlib.sha256(content).digest()


def claiming(**tensor):
    checksum = {"dtype": "U8", "shape": [32], "data_offsets": [4, 36]}
    metadata = {"kind": "ignite-workflow checkpoint", "values": "{}"}
    return signed({"__metadata__": metadata, "../../t0": {"dtype": "F32", **tensor}, "checksum": checksum}, b"\0" * 4)


@functools.cache
def zip_bomb():
    return zipped("archive/data.pkl", b"\0" * 600_000_000)


def hostile(bomb):
    """Files by what they are."""
    return {
        "a pickle": pickle.dumps(Bomb(bomb)),
        "a torch file with a pickle": saved_by_torch({"model": Bomb(bomb)}),
        "a checkpoint that holds a pickle": signed({"__metadata__": {"values": "x"}}, pickle.dumps(Bomb(bomb))),
        "600 MB in 0.6": zip_bomb(),
        "a name above the directory": zipped("../../../exploded", b"x"),
        "a huge shape": claiming(shape=[2**40], data_offsets=[0, 4]),
        "a shape that overflows": claiming(shape=[2**62, 2**62], data_offsets=[0, 4]),
        "offsets beyond the file": claiming(shape=[1], data_offsets=[2**50, 2**50 + 4]),
    }


def test_f25_hostile_checkpoints(tmp_path, tally):
    expected = unbroken(tmp_path, train={"max_epochs": 3})
    assert start(tmp_path / "killed", inject=partial(die_at_moment, number=200)).code < 0
    bomb, failed = tmp_path / "exploded", {}
    files = hostile(bomb)
    if not EXHAUSTIVE:  # a model file's go through the same reader, and are fewer seconds each
        files = {name: files[name] for name in [*files][1::2]}

    for name, content in files.items():
        run = shutil.copytree(tmp_path / "killed", tmp_path / name)
        path = run / "checkpoints" / f"step-{steps(run)[-1] + 1:08}.ckpt"
        path.write_bytes(content)
        done = start(run, inject=partial(poisoned, memory=MEMORY))
        told = [line for line in done.said.splitlines() if f"{path} " in line]
        differing = wrong(run, expected) if done.code == 0 else [done]
        failed |= {name: (told, differing)} if differing or len(told) != 1 or bomb.exists() else {}

    assert not list(tmp_path.glob("exploded*"))
    tally("F25 hostile checkpoints", len(files), failed)


def test_f25_hostile_weights_whose_checksum_is_right(tmp_path, tally):
    directory, bomb, failed = tmp_path / "run", tmp_path / "exploded", {}
    save_small_model(directory)
    files = hostile(bomb)

    for name, content in files.items():
        (directory / "model/model.safetensors").write_bytes(content)
        forge(directory, weights__size=len(content), weights__sha256=hashlib.sha256(content).hexdigest())
        try:
            load_model(directory)
            failed[name] = "loaded"
        except CheckpointError as error:
            failed |= {name: str(error)} if "\n" in str(error) or bomb.exists() else {}

    tally("F25 hostile weights", len(files), failed)


@pytest.mark.parametrize("name", ["../evil.py:Net", "evil.py:Net", "/tmp/evil.py:Net", "os:mkdir"])
def test_f25_a_model_that_names_code_is_not_imported(tmp_path, name, tally):
    directory = tmp_path / "run"
    save_small_model(directory)
    for folder in (tmp_path, directory, directory / "model"):
        (folder / "evil.py").write_text(f"open({str(tmp_path / 'exploded')!r}, 'w')\nNet = None\n")
    forge(directory, architecture__name=name)

    with pytest.raises(CheckpointError, match=r"imported and run only if you say --trust"):
        load_model(directory)

    tally("F25 a model that names code", 1, list(tmp_path.glob("exploded")))
