"""Parsers that a hostile file can make crash or take all memory, run in a process of their own, within limits.

A limit on its address space ends the process where the parser asks for too much; the caller goes on.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

from ignite_workflow.errors import DataError

__all__ = ["limit_this_process", "most_memory", "run_limited"]

_MOST_BYTES = 8 * 1024**3
_PROGRAM_BYTES = 1024**3  # of address space that the interpreter and its libraries take themselves
_MOST_SECONDS = 1800


def most_memory() -> int:
    """What a parser may take, in bytes: 8 GB, or half of what the machine has if that is less."""
    return min(_MOST_BYTES, os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2)


def run_limited(module: str, arguments: list[str], path: Path, memory: int) -> dict[str, Any]:
    """Run a module that calls ``limit_this_process`` first and prints one JSON document, in a process of its own.

    Args:
        module: full name.
        arguments: for it.
        path: of the file it reads, for messages.
        memory: that it may take, in bytes; no more than ``most_memory``.

    Raises:
        DataError: it ended otherwise than it should: for want of memory or time, most likely.
    """
    root = str(Path(__file__).parents[2])
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([root, *filter(None, sys.path)]),
        "POLARS_MAX_THREADS": "1",  # each takes address space
    }
    memory = min(memory, most_memory())
    command = [sys.executable, "-P", "-m", module, str(memory), *arguments]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, env=environment, check=False)  # noqa: S603
    if done.returncode == 0:
        document: dict[str, Any] = json.loads(done.stdout)
        return document
    reason = "" if done.returncode < 0 else f" ({_last_line(done.stderr)})"
    most = f"{memory / 1024**3:.1f} GB of memory"
    raise DataError(f"{path}: cannot be read within {most}: its dimensions are huge, or it is damaged{reason}.")


def limit_this_process(memory: int) -> None:
    """Let this process take that many bytes and no more, and not run for ever."""
    for limit, value in (
        (resource.RLIMIT_AS, memory + _PROGRAM_BYTES),
        (resource.RLIMIT_FSIZE, memory),
        (resource.RLIMIT_CPU, _MOST_SECONDS),
        (resource.RLIMIT_CORE, 0),
    ):
        _, hard = resource.getrlimit(limit)
        resource.setrlimit(limit, (value if hard == resource.RLIM_INFINITY else min(value, hard), hard))


def _last_line(text: bytes) -> str:
    lines = text.decode(errors="replace").strip().splitlines()
    return lines[-1] if lines else "no message"
