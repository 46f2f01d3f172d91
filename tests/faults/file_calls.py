"""What a process does to the files of a run, call by call: told to a listener before it happens.

Python's own ways to change files are wrapped in the process that runs the job. A listener may let the process die, or
raise the ``OSError`` that the system would.
"""

from __future__ import annotations

import builtins
import fcntl
import io
import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Call:
    """One change of a file, or one wait until a change is on disk.

    Attributes:
        name: ``create``, ``write``, ``truncate``, ``rename``, ``unlink``, ``mkdir``, ``rmdir`` or ``sync``.
        path: of what is changed.
        other: the new path of a rename.
        position: where a write begins; the new size where a file is cut.
        data: what is written.
    """

    name: str
    path: str
    other: str = ""
    position: int = 0
    data: bytes = b""


Listener = Callable[[Call], int | None]
"""What is to happen before a call; of a write it may say how many bytes are written only."""


def watch(directory: Path, listener: Listener) -> None:
    """Tell ``listener`` of every call of this process that changes something in ``directory``, before it is made.

    A sync of the directory above it is told too.
    """
    Watch(str(directory.absolute()), listener)


class Watch:
    """The wrapped calls."""

    def __init__(self, root: str, listener: Listener) -> None:
        self.root, self.above, self.listener = root, os.path.dirname(root), listener
        self.real = {
            name: getattr(os, name)
            for name in (
                *("open", "write", "pwrite", "ftruncate", "truncate", "fsync", "fdatasync"),
                *("replace", "rename", "unlink", "remove", "mkdir", "rmdir"),
            )
        }
        self.real_open = io.open
        for name in ("write", "pwrite", "ftruncate", "fsync", "fdatasync"):
            setattr(os, name, getattr(self, name))
        for name in ("replace", "rename"):
            setattr(os, name, partial(self.rename, name))
        for name in ("unlink", "remove", "mkdir", "rmdir"):
            setattr(os, name, partial(self.change, name))
        os.open = self.open  # type: ignore[assignment]
        io.open = builtins.open = self.open_file  # type: ignore[assignment]

    def path(self, path: Any, dir_fd: int | None = None) -> str:
        """Absolute; a descriptor's own."""
        if isinstance(path, int):
            return os.readlink(f"/proc/self/fd/{path}")
        above = os.readlink(f"/proc/self/fd/{dir_fd}") if dir_fd is not None else os.getcwd()
        return os.path.join(above, os.fspath(path))

    def tell(self, name: str, path: str, **facts: Any) -> int | None:
        if path in (self.root, self.above) or path.startswith(f"{self.root}/"):
            return self.listener(Call(name, path, **facts))
        return None

    def open(self, path: Any, flags: int, mode: int = 0o777, *, dir_fd: int | None = None) -> int:
        full = self.path(path, dir_fd)
        if flags & os.O_CREAT and not os.path.exists(full):
            self.tell("create", full)
        elif flags & os.O_TRUNC:
            self.tell("truncate", full)
        descriptor: int = self.real["open"](path, flags, mode, dir_fd=dir_fd)
        return descriptor

    def write(self, descriptor: int, data: Any) -> int:
        path = self.path(descriptor)
        if path.startswith(f"{self.root}/"):
            appends = fcntl.fcntl(descriptor, fcntl.F_GETFL) & os.O_APPEND
            position = os.fstat(descriptor).st_size if appends else os.lseek(descriptor, 0, os.SEEK_CUR)
            fits = self.tell("write", path, position=position, data=bytes(data))
            data = data if fits is None else memoryview(data)[:fits]
        written: int = self.real["write"](descriptor, data)
        return written

    def pwrite(self, descriptor: int, data: Any, position: int) -> int:
        self.tell("write", self.path(descriptor), position=position, data=bytes(data))
        written: int = self.real["pwrite"](descriptor, data, position)
        return written

    def ftruncate(self, descriptor: int, length: int) -> None:
        self.tell("truncate", self.path(descriptor), position=length)
        self.real["ftruncate"](descriptor, length)

    def fsync(self, descriptor: int) -> None:
        self.tell("sync", self.path(descriptor))
        self.real["fsync"](descriptor)

    fdatasync = fsync

    def rename(self, name: str, source: Any, target: Any, **where: Any) -> None:
        self.tell(
            "rename", self.path(source, where.get("src_dir_fd")), other=self.path(target, where.get("dst_dir_fd"))
        )
        self.real[name](source, target, **where)

    def change(self, name: str, path: Any, *arguments: Any, dir_fd: int | None = None) -> None:
        full = self.path(path, dir_fd)
        fails = os.path.lexists(full) == (name == "mkdir") or (name == "rmdir" and os.listdir(full))
        if not fails:
            self.tell("unlink" if name == "remove" else name, full)
        self.real[name](path, *arguments, dir_fd=dir_fd)

    def open_file(self, file: Any, mode: str = "r", buffering: int = -1, *text: Any, **options: Any) -> Any:
        """As ``open``; what is written goes through ``write`` above."""
        if isinstance(file, int) or mode[0] not in "wax" or not self.path(file).startswith(f"{self.root}/"):
            return self.real_open(file, mode, buffering, *text, **options)
        flags = os.O_WRONLY | os.O_CREAT | (os.O_APPEND if "a" in mode else os.O_TRUNC) | os.O_CLOEXEC
        raw = _Raw(self.open(file, flags, 0o666), mode.replace("b", "").replace("t", ""))
        raw.watched = self
        if "b" in mode:
            return raw if buffering == 0 else io.BufferedWriter(raw)
        encoding = text[0] if text else options.get("encoding")
        return io.TextIOWrapper(io.BufferedWriter(raw), encoding, newline=options.get("newline"))


class _Raw(io.FileIO):
    watched: Watch

    def write(self, data: Any) -> int:
        return self.watched.write(self.fileno(), data)
