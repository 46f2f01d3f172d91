"""Files of a cache, known to be whole by checksums: what was cut short or has a bit wrong is not trusted."""

from __future__ import annotations

import hashlib
import json
import zlib
from pathlib import Path
from typing import Any

from ignite_workflow.durable import replace_file

__all__ = ["read_document", "fingerprint", "write_document"]

_READ_BYTES = 1024 * 1024


def write_document(path: Path, document: dict[str, Any]) -> None:
    """Write plain values, whole or not at all, below a checksum of their text."""
    text = json.dumps(document)
    replace_file(path, f"{hashlib.sha256(text.encode()).hexdigest()}\n{text}")


def read_document(path: Path) -> dict[str, Any] | None:
    """What ``write_document`` wrote; None where there is no such file, or a damaged one."""
    if not path.is_file():
        return None
    digest, _, text = path.read_bytes().partition(b"\n")
    if hashlib.sha256(text).hexdigest().encode() != digest:
        return None
    document: dict[str, Any] = json.loads(text)
    return document


def fingerprint(path: Path) -> list[int] | None:
    """The size and the checksum of a file, to be compared later; None where there is none."""
    if not path.is_file():
        return None
    size = checksum = 0
    buffer = memoryview(bytearray(_READ_BYTES))
    with path.open("rb", buffering=0) as file:
        while count := file.readinto(buffer):
            size, checksum = size + count, zlib.crc32(buffer[:count], checksum)
    return [size, checksum]
