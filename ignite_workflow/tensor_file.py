"""One file of tensors and plain values that is either whole or refused.

The layout is that of safetensors, so any reader of those opens it: eight bytes of header length, a JSON header, the
tensors. Two things are added within that layout: the tree of plain values stands in the header's ``__metadata__``, and
the last tensor, ``checksum``, is the SHA-256 of all bytes before it. Nothing in such a file can be executed.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import torch
from torch import Tensor

from ignite_workflow.durable import write_over
from ignite_workflow.errors import CheckpointError, NotEnoughMemoryError
from ignite_workflow.state_tree import DTYPES, can_be_saved, decode_tree, encode_tree

__all__ = [
    "read_tensor_file",
    "read_weights",
    "tensor_file_parts",
    "weights_parts",
    "write_parts",
    "write_tensor_file",
]

_NAMES = DTYPES | {torch.complex64: "C64"}
_PAIRS = "complex"
_BY_NAME = {name: dtype for dtype, name in _NAMES.items()}
_MOST_NUMBERS = 2**50  # also of a tensor that is empty in one of its dimensions
_DIGEST_BYTES = 32
_PIECE_BYTES = 1024 * 1024
_JOINED_BYTES = 1024 * 1024  # up to here one hash and one write of a copy are cheaper than many of the parts
_HEADER_LIMIT = 100_000_000  # of safetensors itself


def write_tensor_file(path: Path | str, tree: dict[str, Any], kind: str) -> int:
    """Write ``tree`` to ``path``, on disk when this returns; the caller renames it to its final name.

    Args:
        path: a temporary name. A file that is there is written over, which costs the disk less than a new one.
        tree: nested dicts, lists and tuples of tensors, numbers, text, booleans and None. Not changed.
        kind: what the file is, checked when it is read.

    Returns:
        The size of the file in bytes.

    Raises:
        TypeError: a value is of another kind; says where.
    """
    return write_parts(path, tensor_file_parts(tree, kind))


def tensor_file_parts(tree: dict[str, Any], kind: str) -> list[bytes | memoryview]:
    """What a file is to hold: its header, then the bytes of the tensors, which are their own memory where they can be.

    Raises:
        TypeError: as ``write_tensor_file``.
    """
    tensors: dict[str, Tensor] = {}
    values = json.dumps(encode_tree(tree, tensors), separators=(",", ":"))
    layout = [*_layout(tensors), ("checksum", "U8", [_DIGEST_BYTES], _DIGEST_BYTES)]
    return [_header(layout, {"kind": kind, "values": values}), *map(_bytes_of, tensors.values())]


def weights_parts(tensors: dict[str, Tensor]) -> list[bytes | memoryview]:
    """What a plain safetensors file of ``tensors`` holds: their own memory where it can be, not a copy.

    The library of that name would copy all of it twice; where there is no memory for that, it aborts the process. The
    format has no complex numbers but those of 64 bits: others are pairs of real ones, and named in ``__metadata__``.

    Raises:
        TypeError: a tensor cannot be saved.
    """
    for name, tensor in tensors.items():
        if not can_be_saved(tensor):
            raise TypeError(f"{name!r} is a tensor of {tensor.dtype}, which cannot be saved")
    pairs = {
        name: torch.view_as_real(tensor.resolve_conj())
        for name, tensor in tensors.items()
        if tensor.dtype not in _NAMES
    }
    aligned = dict(sorted((tensors | pairs).items(), key=_negative_itemsize))
    metadata = {"format": "pt"} | ({_PAIRS: json.dumps([*pairs])} if pairs else {})
    return [_header([*_layout(aligned)], metadata), *map(_bytes_of, aligned.values())]


def _negative_itemsize(item: tuple[str, Tensor]) -> int:
    return -item[1].itemsize


def write_parts(path: Path | str, parts: Sequence[bytes | memoryview]) -> int:
    """Write the parts and their checksum, on disk when this returns; the size of the file in bytes."""
    if len(parts) > 1 and sum(map(len, parts)) <= _JOINED_BYTES:
        parts = [b"".join(parts)]
    return write_over(os.fspath(path), _with_checksum(parts))


def _with_checksum(parts: Iterable[bytes | memoryview]) -> Iterator[bytes | memoryview]:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part)
        yield part
    yield digest.digest()


def read_tensor_file(path: Path, kind: str) -> dict[str, Any]:
    """Read what ``write_tensor_file`` wrote; tensors are on the CPU.

    Each byte is read once, to where it stays: what is handed out is what the checksum was taken of, and takes no more
    memory than the file is long.

    Raises:
        CheckpointError: the file is missing, damaged or of another kind.
        NotEnoughMemoryError: for what the file holds.
    """
    try:
        with path.open("rb") as file:
            header, tensors = _read(file, path)
    except OSError as error:
        raise CheckpointError(f"{path} cannot be read: {error.strerror}") from error
    try:
        metadata = header.get("__metadata__", {})
        found = metadata.get("kind", "safetensors file")
        tree: dict[str, Any] = decode_tree(json.loads(metadata["values"]), tensors) if found == kind else {}
    except (ValueError, LookupError, TypeError, AttributeError, RuntimeError) as error:
        raise CheckpointError(f"{path} was not written by this library: {error}") from error
    if found != kind:
        raise CheckpointError(f"{path} is not a {kind} but a {found}")
    return tree


def read_weights(path: Path) -> tuple[dict[str, Tensor], str]:
    """The tensors of a plain safetensors file, on the CPU, and the SHA-256 of all of it, which the caller compares.

    Raises:
        CheckpointError: the file cannot be read, or is of another kind.
        NotEnoughMemoryError: for what the file holds.
    """
    try:
        with path.open("rb") as file:
            size, digest = os.fstat(file.fileno()).st_size, hashlib.sha256()
            header, layout = _read_header(file, path, size, digest)
            tensors = _read_tensors(file, path, size, layout, digest)
    except OSError as error:
        raise CheckpointError(f"{path} cannot be read: {error.strerror}") from error
    try:
        pairs = json.loads(header.get("__metadata__", {}).get(_PAIRS, "[]"))
        complexes = {name: torch.view_as_complex(tensors[name]) for name in pairs}
    except (ValueError, LookupError, TypeError, AttributeError, RuntimeError) as error:
        raise CheckpointError(f"{path} was not written by this library: {error}") from error
    return tensors | complexes, digest.hexdigest()


def _read(file: BinaryIO, path: Path) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """The header and the tensors, compared with the size of the file and with the checksum at its end."""
    size, digest = os.fstat(file.fileno()).st_size, hashlib.sha256()
    header, layout = _read_header(file, path, size, digest)
    if not layout or layout[-1][-1] != _DIGEST_BYTES:
        raise CheckpointError(f"{path} is damaged: its header names no checksum")
    tensors = _read_tensors(file, path, size, layout[:-1], digest)
    if file.read() != digest.digest():
        raise CheckpointError(f"{path} is damaged: its checksum does not match ({size:,} bytes)")
    return header, tensors


def _read_header(file: BinaryIO, path: Path, size: int, digest: hashlib._Hash) -> tuple[dict[str, Any], list[_Entry]]:
    start = file.read(8)
    length = int.from_bytes(start, "little")
    text = file.read(length) if length <= min(size, _HEADER_LIMIT) else b""
    header, layout = _parse(text)
    if size != 8 + length + sum(count for *_, count in layout):
        raise CheckpointError(f"{path} is damaged: its {size:,} bytes are not those its header speaks of")
    digest.update(start + text)
    return header, layout


def _read_tensors(
    file: BinaryIO, path: Path, size: int, layout: Sequence[_Entry], digest: hashlib._Hash
) -> dict[str, Tensor]:
    tensors: dict[str, Tensor] = {}
    for name, dtype, shape, count in layout:
        try:
            content = torch.empty(count, dtype=torch.uint8)
        except RuntimeError as error:  # an older checkpoint would be no smaller
            raise NotEnoughMemoryError(f"not enough memory for {path}, which needs {size:,} bytes") from error
        _read_into(content, file, digest)
        tensors[name] = content.view(dtype).view(shape)
    return tensors


def _read_into(content: Tensor, file: BinaryIO, digest: hashlib._Hash) -> None:
    for piece in content.split(_PIECE_BYTES):  # the digest finds it in the processor's cache
        file.readinto(piece.numpy())  # type: ignore[attr-defined]  # of a buffered file; all of it, or the file ends
        digest.update(piece.numpy())


_Entry = tuple[str, torch.dtype, list[int], int]
"""A tensor's name, dtype, shape and bytes."""


def _parse(text: bytes) -> tuple[dict[str, Any], list[_Entry]]:
    """The header, and its entries, one behind the other as in the file.

    Both empty where the header cannot be true.
    """
    end, layout = 0, []
    try:
        header: dict[str, Any] = json.loads(text)
        entries = [(name, entry) for name, entry in header.items() if name != "__metadata__"]
        for name, entry in sorted(entries, key=_offsets):
            (begin, stop), shape, dtype = entry["data_offsets"], entry["shape"], _BY_NAME[entry["dtype"]]
            if {*map(type, (begin, stop, *shape))} != {int} or min(begin, *shape, 0) < 0 or begin != end:
                return {}, []
            if stop - begin != math.prod(shape) * dtype.itemsize or math.prod(filter(None, shape)) > _MOST_NUMBERS:
                return {}, []
            layout.append((name, dtype, shape, stop - begin))
            end = stop
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return {}, []
    return header, layout


def _offsets(entry: tuple[str, Any]) -> Any:
    return entry[1]["data_offsets"]


def _header(layout: Iterable[tuple[str, str, list[int], int]], metadata: dict[str, str]) -> bytes:
    entries: dict[str, Any] = {"__metadata__": metadata}
    end = 0
    for name, dtype, shape, size in layout:
        entries[name] = {"dtype": dtype, "shape": shape, "data_offsets": [end, end + size]}
        end += size
    text = json.dumps(entries, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    if len(text) > _HEADER_LIMIT:
        raise TypeError(
            f"a state may hold {_HEADER_LIMIT:,} bytes of plain values, this one holds {len(text):,}: use tensors"
        )
    return len(text).to_bytes(8, "little") + text


def _layout(tensors: Mapping[str, Tensor]) -> Iterator[tuple[str, str, list[int], int]]:
    for name, tensor in tensors.items():
        yield name, _NAMES[tensor.dtype], list(tensor.shape), tensor.nbytes


def _bytes_of(tensor: Tensor) -> memoryview:
    known = tensor.detach().view(torch.int16) if tensor.dtype is torch.bfloat16 else tensor  # numpy has no bfloat16
    return np.ascontiguousarray(known.numpy(force=True)).reshape(-1).view(np.uint8).data
