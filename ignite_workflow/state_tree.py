"""A state as JSON values: nested dicts, lists and tuples of tensors and plain values, and back."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

__all__ = ["DTYPES", "can_be_saved", "decode_tree", "encode_tree"]

DTYPES = {
    torch.float64: "F64",
    torch.float32: "F32",
    torch.float16: "F16",
    torch.bfloat16: "BF16",
    torch.int64: "I64",
    torch.int32: "I32",
    torch.int16: "I16",
    torch.int8: "I8",
    torch.uint8: "U8",
    torch.uint16: "U16",
    torch.uint32: "U32",
    torch.uint64: "U64",
    torch.bool: "BOOL",
}
"""What tensors of a state may hold, by the names of safetensors; or complex numbers, as pairs of these."""

_PLAIN = frozenset({type(None), bool, int, float, str})
_TEXT = frozenset({str})
_TAG = ""


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
    if not can_be_saved(tensor):
        raise TypeError(f"{_path(where)} is a tensor of {tensor.dtype}, which cannot be saved")
    name = f"t{len(tensors)}"
    tensors[name] = real
    return name if real is tensor else {"complex": name}


def can_be_saved(tensor: Tensor) -> bool:
    """Whether there is a name for what a tensor holds, in checkpoints as with models; there is none for float8.

    Example:
        >>> can_be_saved(torch.ones(1, dtype=torch.complex128)), can_be_saved(torch.ones(1, dtype=torch.float8_e5m2))
        (True, False)
    """
    return tensor.dtype in DTYPES or tensor.is_complex()


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
