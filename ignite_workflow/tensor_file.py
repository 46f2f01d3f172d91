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
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import torch
from torch import Tensor

from ignite_workflow.durable import write_over
from ignite_workflow.errors import CheckpointError, WorkflowError

__all__ = ["decode_tree", "encode_tree", "read_tensor_file", "tensor_file_parts", "write_parts", "write_tensor_file"]

_DTYPES = {
    torch.float64: "F64",
    torch.float32: "F32",
    torch.float16: "F16",
    torch.bfloat16: "BF16",
    torch.int64: "I64",
    torch.int32: "I32",
    torch.int16: "I16",
    torch.int8: "I8",
    torch.uint8: "U8",
    torch.bool: "BOOL",
}
_BY_NAME = {name: dtype for dtype, name in _DTYPES.items()}
_MOST_NUMBERS = 2**50  # also of a tensor that is empty in one of its dimensions
_PLAIN = frozenset({type(None), bool, int, float, str})
_TEXT = frozenset({str})
_TAG = ""
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
    return [_header(tensors, {"kind": kind, "values": values}), *map(_bytes_of, tensors.values())]


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
        WorkflowError: there is not as much memory.
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


def _read(file: BinaryIO, path: Path) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """The header and the tensors, compared with the size of the file and with the checksum at its end."""
    size, digest = os.fstat(file.fileno()).st_size, hashlib.sha256()
    start = file.read(8)
    length = int.from_bytes(start, "little")
    text = file.read(length) if length <= min(size, _HEADER_LIMIT) else b""
    header, layout = _parse(text)
    if size != 8 + length + sum(count for *_, count in layout):
        raise CheckpointError(f"{path} is damaged: its {size:,} bytes are not those its header speaks of")
    digest.update(start + text)
    tensors: dict[str, Tensor] = {}
    for name, dtype, shape, count in layout[:-1]:
        try:
            content = torch.empty(count, dtype=torch.uint8)
        except RuntimeError as error:  # an older checkpoint would be no smaller
            raise WorkflowError(f"there is not enough memory for {path}, which needs {size:,} bytes") from error
        _read_into(content, file, digest)
        tensors[name] = content.view(dtype).view(shape)
    if file.read() != digest.digest():
        raise CheckpointError(f"{path} is damaged: its checksum does not match ({size:,} bytes)")
    return header, tensors


def _read_into(content: Tensor, file: BinaryIO, digest: hashlib._Hash) -> None:
    for piece in content.split(_PIECE_BYTES):  # the digest finds it in the processor's cache
        file.readinto(piece.numpy())  # type: ignore[attr-defined]  # of a buffered file; all of it, or the file ends
        digest.update(piece.numpy())


def _parse(text: bytes) -> tuple[dict[str, Any], list[tuple[str, torch.dtype, list[int], int]]]:
    """The header, and each tensor's name, dtype, shape and bytes, one behind the other as in the file, checksum last.

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
    return (header, layout) if layout and layout[-1][-1] == _DIGEST_BYTES else ({}, [])


def _offsets(entry: tuple[str, Any]) -> Any:
    return entry[1]["data_offsets"]


def encode_tree(node: Any, tensors: dict[str, Tensor], where: tuple[Any, ...] = ()) -> Any:
    """``node`` as JSON values; the tensors go to ``tensors`` and their names stand for them.

    A dict with text for keys stays what it is. What JSON does not have is an object with the one key ``""``: of a
    tensor it holds the name, of another kind ``{kind: content}``.

    Raises:
        TypeError: a value is neither plain nor a tensor.
    """
    if isinstance(node, dict):
        if _TAG not in node and _TEXT.issuperset(map(type, node)):
            return {
                key: value if type(value) in _PLAIN else encode_tree(value, tensors, (*where, key))
                for key, value in node.items()
            }
        return {
            _TAG: {"dict": [[_checked(key, where), encode_tree(node[key], tensors, (*where, key))] for key in node]}
        }
    if isinstance(node, Tensor):
        return {_TAG: _encode_tensor(node, tensors, where)}
    if isinstance(node, list | tuple):
        items = [
            value if type(value) in _PLAIN else encode_tree(value, tensors, (*where, i)) for i, value in enumerate(node)
        ]
        return {_TAG: {"tuple": items}} if isinstance(node, tuple) else items
    plain = node.item() if isinstance(node, np.generic) else node  # numpy's numbers are plain ones in all but type
    if plain is None or isinstance(plain, bool | int | float | str):
        return plain
    raise TypeError(
        f"{_path(where)} is a {type(node).__name__}: a saved state holds tensors, numbers, text, lists and dicts only"
    )


def _checked(key: Any, where: tuple[Any, ...]) -> str | int:
    if type(key) not in (str, int):
        raise TypeError(f"{_path(where)} has the key {key!r}: a saved state has text or whole numbers for keys")
    return key  # type: ignore[no-any-return]


def _path(where: tuple[Any, ...]) -> str:
    return "state" + "".join(f"[{key!r}]" for key in where)


def _encode_tensor(tensor: Tensor, tensors: dict[str, Tensor], where: tuple[Any, ...]) -> str | dict[str, str]:
    real = torch.view_as_real(tensor.resolve_conj()) if tensor.is_complex() else tensor
    if real.dtype not in _DTYPES:
        raise TypeError(f"{_path(where)} is a tensor of {tensor.dtype}, which cannot be saved")
    name = f"t{len(tensors)}"
    tensors[name] = real
    return name if real is tensor else {"complex": name}


def decode_tree(node: Any, tensors: dict[str, Tensor]) -> Any:
    """The inverse of ``encode_tree``."""
    if isinstance(node, list):
        return [decode_tree(value, tensors) for value in node]
    if not isinstance(node, dict):
        return node
    if _TAG not in node:
        return {key: decode_tree(value, tensors) for key, value in node.items()}
    [tagged] = node.values()
    if isinstance(tagged, str):
        return tensors[tagged]
    [(kind, content)] = tagged.items()
    if kind == "complex":
        return torch.view_as_complex(tensors[content])
    if kind == "tuple":
        return tuple(decode_tree(value, tensors) for value in content)
    return {key: decode_tree(value, tensors) for key, value in content}


def _header(tensors: dict[str, Tensor], metadata: dict[str, str]) -> bytes:
    entries: dict[str, Any] = {"__metadata__": metadata}
    end = 0
    for name, dtype, shape, size in _layout(tensors):
        entries[name] = {"dtype": dtype, "shape": shape, "data_offsets": [end, end + size]}
        end += size
    text = json.dumps(entries, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    if len(text) > _HEADER_LIMIT:
        raise TypeError(
            f"a state may hold {_HEADER_LIMIT:,} bytes of plain values, this one holds {len(text):,}: use tensors"
        )
    return len(text).to_bytes(8, "little") + text


def _layout(tensors: dict[str, Tensor]) -> Iterator[tuple[str, str, list[int], int]]:
    for name, tensor in tensors.items():
        yield name, _DTYPES[tensor.dtype], list(tensor.shape), tensor.nbytes
    yield "checksum", "U8", [_DIGEST_BYTES], _DIGEST_BYTES


def _bytes_of(tensor: Tensor) -> memoryview:
    known = tensor.detach().view(torch.int16) if tensor.dtype is torch.bfloat16 else tensor  # numpy has no bfloat16
    return np.ascontiguousarray(known.numpy(force=True)).reshape(-1).view(np.uint8).data
