"""A file is either whole or refused: flips, cuts, lies in the header."""

import hashlib
import json
import math
import os
import pickle
import random
import subprocess
import sys
import tracemalloc

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors import safe_open
from safetensors.torch import load_file

from ignite_workflow import CheckpointError, tensor_file
from ignite_workflow.state_tree import decode_tree, encode_tree
from ignite_workflow.tensor_file import read_tensor_file, read_weights, weights_parts, write_tensor_file

FLIPS = 500 if os.environ.get("EXHAUSTIVE") else 60
DTYPES = [
    torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.int64, torch.int32, torch.int16, torch.int8,
    torch.uint8, torch.bool,
]  # fmt: skip
TREE = {"weights": torch.linspace(0, 1, 100), "step": 3, "names": ("a", None, [True, 1.5]), 7: {}}

plain = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
trees = st.recursive(
    plain,
    lambda inner: st.lists(inner) | st.lists(inner).map(tuple) | st.dictionaries(st.text() | st.integers(), inner),
    max_leaves=6,
)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "file.ckpt"


@pytest.fixture
def content(path):
    write_tensor_file(path, TREE, "state")
    return path.read_bytes()


def through_a_file(path, tree):
    write_tensor_file(path, tree, "state")
    return read_tensor_file(path, "state")


def signed(header, data=b""):
    """A file with that header and a checksum that is right."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    content = len(text).to_bytes(8, "little") + text + data
    return content + hashlib.sha256(content).digest()


def header_with(values, **tensors):
    """A header like ours, around plain values of any kind and further tensors."""
    end = max([0, *(entry["data_offsets"][1] for entry in tensors.values())])
    checksum = {"dtype": "U8", "shape": [32], "data_offsets": [end, end + 32]}
    return {"__metadata__": {"kind": "state", "values": values}, **tensors, "checksum": checksum}


@settings(max_examples=50)
@given(trees)
def test_plain_values_come_back_as_they_were(tree):
    assert repr(decode_tree(json.loads(json.dumps(encode_tree(tree, {}))), {})) == repr(tree)  # nan is not nan


@pytest.mark.parametrize("value", [np.float64(0.1), np.float32(0.5), np.int64(3), np.bool_(True), np.str_("a")])
def test_numbers_of_numpy_are_saved_as_plain_ones(path, value):
    again = through_a_file(path, {"x": value})["x"]

    assert again == value
    assert type(again) in (float, int, bool, str)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 3), (2, 0, 3)])
def test_tensors_come_back_as_they_were(path, dtype, shape):
    tensor = torch.randint(0, 2, shape).to(dtype)

    again = through_a_file(path, {"odd": torch.ones(3, dtype=torch.int8), "tensor": tensor})["tensor"]

    assert (again.dtype, again.shape, again.device) == (tensor.dtype, tensor.shape, tensor.device)
    assert torch.equal(again, tensor)


@pytest.mark.parametrize("dtype", [torch.complex64, torch.complex128])
@pytest.mark.parametrize("shape", [(), (2, 3)])
def test_complex_tensors_come_back_as_they_were(path, dtype, shape):
    tensor = torch.randn(shape, dtype=dtype)

    assert torch.equal(through_a_file(path, {"x": tensor.conj()})["x"], tensor.conj())


def test_bits_that_are_no_number_come_back_too(path):
    tensor = torch.tensor([math.nan, -0.0, math.inf, 1e-45])

    assert torch.equal(through_a_file(path, {"x": tensor})["x"].view(torch.int32), tensor.view(torch.int32))


@pytest.mark.parametrize(
    "tensor",
    [torch.arange(6).reshape(2, 3).T, torch.arange(9)[::2], torch.ones(1).expand(4), torch.ones(2).requires_grad_()],
)
def test_views_and_weights_are_saved_by_their_values(path, tensor):
    assert through_a_file(path, {"x": tensor})["x"].tolist() == tensor.tolist()


def test_a_tensor_that_stands_in_two_places_stands_in_both(path):
    tied = torch.ones(2)

    tree = through_a_file(path, {"a": tied, "b": [tied]})

    assert tree["a"].tolist() == tree["b"][0].tolist() == [1, 1]


def test_saving_changes_nothing_and_loaded_tensors_can_be_written_to(path):
    tree = {"x": torch.zeros(2, requires_grad=True)}

    again = through_a_file(path, tree)

    assert tree["x"].requires_grad
    assert again["x"].add_(1).tolist() == [1, 1]


def test_safetensors_itself_opens_it(path, content):
    with safe_open(path, "pt") as file:
        assert file.metadata()["kind"] == "state"
        assert torch.equal(file.get_tensor("t0"), TREE["weights"])
        assert bytes(file.get_tensor("checksum").tolist()) == hashlib.sha256(content[:-32]).digest()


def test_weights_of_every_dtype_are_those_that_safetensors_reads(tmp_path):
    weights = {str(dtype): torch.arange(6).to(dtype).view(2, 3).T for dtype in tensor_file._NAMES}
    weights |= {"": torch.tensor(True), 'empty "ü"': torch.empty(0, 4)}
    (tmp_path / "weights").write_bytes(b"".join(weights_parts(weights)))

    read = load_file(tmp_path / "weights")

    assert read.keys() == weights.keys()
    assert all(torch.equal(read[name], weights[name]) for name in weights)
    assert all(read[name].dtype == weights[name].dtype for name in weights)


@pytest.mark.parametrize("dtype", [torch.complex64, torch.complex128])
def test_complex_weights_come_back_as_they_were(tmp_path, dtype):
    weights = {"w": torch.randn(2, 3, dtype=torch.complex128).to(dtype).conj(), "x": torch.ones(2)}
    (tmp_path / "weights").write_bytes(b"".join(weights_parts(weights)))

    again, _ = read_weights(tmp_path / "weights")

    assert {name: tensor.dtype for name, tensor in again.items()} == {"w": dtype, "x": torch.float32}
    assert torch.view_as_real(again["w"]).equal(torch.view_as_real(weights["w"].resolve_conj()))


@pytest.mark.parametrize("pairs", ['["y"]', '["x"]', "{", 3, "[[]]"])
def test_weights_that_are_no_pairs_are_not_taken_for_complex_ones(tmp_path, pairs):
    header = {"__metadata__": {"complex": pairs}, "x": {"dtype": "F32", "shape": [3], "data_offsets": [0, 12]}}
    text = json.dumps(header).encode()
    (tmp_path / "weights").write_bytes(len(text).to_bytes(8, "little") + text + bytes(12))

    with pytest.raises(CheckpointError, match=r"weights was not written by this library: ."):
        read_weights(tmp_path / "weights")


def test_a_weight_that_cannot_be_saved_is_named():
    with pytest.raises(TypeError, match=r"^'w' is a tensor of torch.float8_e5m2, which cannot be saved$"):
        weights_parts({"w": torch.ones(1, dtype=torch.float8_e5m2)})


def test_tensors_begin_at_multiples_of_8_bytes(content):
    assert int.from_bytes(content[:8], "little") % 8 == 0


def test_it_says_how_large_it_is(path):
    assert write_tensor_file(path, TREE, "state") == path.stat().st_size


def test_written_over_a_longer_file_nothing_of_that_is_left(path):
    path.write_bytes(b"x" * 10_000)

    assert repr(through_a_file(path, TREE)) == repr(TREE)


def test_is_on_disk_when_written(path, monkeypatch):
    sizes = []
    monkeypatch.setattr(os, "fdatasync", lambda descriptor: sizes.append(os.fstat(descriptor).st_size))

    write_tensor_file(path, TREE, "state")

    assert sizes == [path.stat().st_size]


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({1, 2}, r"state\['a'\]\[1\] is a set: a saved state holds"),
        (torch.float32, r"state\['a'\]\[1\] is a dtype"),
        (np.longdouble(1), r"state\['a'\]\[1\] is a longdouble"),
        (np.ones(2), r"state\['a'\]\[1\] is a ndarray"),
        (2 + 1j, r"state\['a'\]\[1\] is a complex"),
        ({True: 1}, r"state\['a'\]\[1\] has the key True"),
        ({(1, 2): 1}, r"state\['a'\]\[1\] has the key \(1, 2\)"),
        (
            torch.ones(1, dtype=torch.float8_e5m2),
            r"state\['a'\]\[1\] is a tensor of torch.float8_e5m2, which cannot be saved",
        ),
    ],
)
def test_a_value_that_cannot_be_saved_is_named_with_its_place(path, value, message):
    with pytest.raises(TypeError, match=message):
        write_tensor_file(path, {"a": [0, value]}, "state")

    assert not path.exists()


def test_a_flipped_bit_is_found_wherever_it_is(path, content):
    chosen = random.Random(0)
    for bit in [0, len(content) * 8 - 1, *(chosen.randrange(len(content) * 8) for _ in range(FLIPS))]:
        flipped = bytearray(content)
        flipped[bit // 8] ^= 1 << bit % 8
        path.write_bytes(flipped)

        with pytest.raises(CheckpointError, match=r"file\.ckpt is damaged: its"):
            read_tensor_file(path, "state")


@pytest.mark.parametrize("part", range(64))
def test_a_file_cut_short_is_found_wherever_it_is_cut(path, content, part):
    path.write_bytes(content[: len(content) * part // 64])

    with pytest.raises(CheckpointError, match=r"file\.ckpt is damaged"):
        read_tensor_file(path, "state")


@pytest.mark.parametrize("more", [b"\0", b"\0" * 4096, b"x"])
def test_a_file_with_more_at_its_end_is_damaged(path, content, more):
    path.write_bytes(content + more)

    with pytest.raises(CheckpointError, match="is damaged"):
        read_tensor_file(path, "state")


def test_an_empty_file_is_damaged(path):
    path.write_bytes(b"")

    with pytest.raises(CheckpointError, match=r"damaged: its 0 bytes are not those"):
        read_tensor_file(path, "state")


def test_a_missing_file_cannot_be_read(path):
    with pytest.raises(CheckpointError, match="cannot be read: No such file"):
        read_tensor_file(path, "state")


def test_a_folder_cannot_be_read(path):
    path.mkdir()

    with pytest.raises(CheckpointError, match="cannot be read: Is a directory"):
        read_tensor_file(path, "state")


def test_a_file_of_another_size_than_its_header_says_is_refused_unread(path, content):
    with path.open("r+b") as file:
        file.truncate(2**40)  # a terabyte that takes no room

    with pytest.raises(CheckpointError, match="its 1,099,511,627,776 bytes are not those its header speaks of"):
        read_tensor_file(path, "state")


def test_another_kind_of_file_is_named(path, content):
    with pytest.raises(CheckpointError, match="is not a model but a state"):
        read_tensor_file(path, "model")


@pytest.mark.skipif(sys.platform != "linux", reason="memory is looked up in /proc")
def test_reading_takes_the_memory_of_the_file_once(path):
    write_tensor_file(path, {"a": torch.zeros(50_000_000, dtype=torch.uint8)}, "state")
    code = (
        "import sys\nfrom pathlib import Path\nfrom ignite_workflow.tensor_file import read_tensor_file\n"
        "def most(): return int(Path('/proc/self/status').read_text().partition('VmHWM:')[2].split()[0]) * 1024\n"
        "before = most()\nread_tensor_file(Path(sys.argv[1]), 'state')\nprint(most() - before)"
    )

    more = int(subprocess.run([sys.executable, "-c", code, path], capture_output=True, text=True, check=True).stdout)

    assert 40_000_000 < more < 75_000_000


LIES = {
    "header longer than the file": (2**40).to_bytes(8, "little") + b"{}",
    "header of the longest length there is": b"\xff" * 8 + b"{}",
    "no header": b"",
    "header that is no JSON": signed(b"{'"),
    "header that is no text": signed(b"\xff\xfe"),
    "header that is a list": signed([1]),
    "no metadata": signed({"checksum": {"dtype": "U8", "shape": [32], "data_offsets": [0, 32]}}),
    "metadata that is a list": signed({**header_with("{}"), "__metadata__": [1]}),
    "no values": signed({**header_with("{}"), "__metadata__": {"kind": "state"}}),
    "values that are no JSON": signed(header_with("{")),
    "values of no known tag": signed(header_with('{"": {"dict": 3}}')),
    "values of two tags": signed(header_with('{"": "t0", "x": 1}')),
    "values of no kind": signed(header_with('{"": {}}')),
    "values that name a missing tensor": signed(header_with('{"": "t9"}')),
    "values nested without end": signed(header_with("[" * 100_000 + "]" * 100_000)),
    "a key that is a list": signed(header_with('{"": {"dict": [[[1], 2]]}}')),
    "an offset beyond the file": signed(
        header_with("{}", t0={"dtype": "F32", "shape": [1024], "data_offsets": [0, 4096]})
    ),
    "a shape larger than its bytes": signed(
        header_with("{}", t0={"dtype": "F32", "shape": [2**40], "data_offsets": [0, 4]}), b"\0" * 4
    ),
    "a shape that overflows": signed(
        header_with("{}", t0={"dtype": "F32", "shape": [2**62, 2**62], "data_offsets": [0, 4]}), b"\0" * 4
    ),
    "a negative offset": signed({**header_with("{}"), "t0": {"dtype": "F32", "shape": [1], "data_offsets": [-4, 0]}}),
    "a shape whose strides overflow": signed(
        header_with("{}", t0={"dtype": "F32", "shape": [0, 2**62, 2**62], "data_offsets": [0, 0]})
    ),
    "a shape that is no whole number": signed(
        header_with("{}", t0={"dtype": "F32", "shape": [1.0], "data_offsets": [0, 4]}), b"\0" * 4
    ),
    "an unknown dtype": signed(
        header_with("{}", t0={"dtype": "object", "shape": [1], "data_offsets": [0, 4]}), b"\0" * 4
    ),
    "tensors on top of one another": signed(
        header_with(
            "{}",
            t0={"dtype": "U8", "shape": [4], "data_offsets": [0, 4]},
            t1={"dtype": "U8", "shape": [4], "data_offsets": [0, 4]},
        ),
        b"\0" * 4,
    ),
    "a complex number of three parts": signed(
        header_with('{"": {"complex": "t0"}}', t0={"dtype": "F32", "shape": [3], "data_offsets": [0, 12]}), b"\0" * 12
    ),
}


@pytest.mark.parametrize("lie", LIES.values(), ids=LIES)
def test_a_file_that_lies_is_refused_without_taking_memory(path, lie):
    path.write_bytes(lie)
    tracemalloc.start()

    try:
        with pytest.raises(CheckpointError, match=r"file\.ckpt"):
            read_tensor_file(path, "state")

        assert tracemalloc.get_traced_memory()[1] < 20 * len(lie) + 1_000_000
    finally:
        tracemalloc.stop()


class Bomb:
    def __reduce__(self):
        return os.mkdir, ("exploded",)


@pytest.mark.parametrize("wrap", [bytes, signed, lambda bomb: signed(header_with(bomb.decode("latin-1")))])
def test_nothing_in_a_file_is_executed(path, wrap, monkeypatch):
    monkeypatch.chdir(path.parent)
    path.write_bytes(wrap(pickle.dumps(Bomb())))

    with pytest.raises(CheckpointError):
        read_tensor_file(path, "state")

    assert not (path.parent / "exploded").exists()
