"""What a disk holds after a power cut: a small model of a file system, where only what was synced is sure to stay.

A file's bytes are sure once the file was synced, a name in a directory once that directory was.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from file_calls import Call


@dataclass(eq=False)
class File:
    """A file's bytes: as they are, as they are on disk for sure, and the changes between."""

    now: bytearray = field(default_factory=bytearray)
    sure: bytes = b""
    changes: list[tuple[int, bytes | None]] = field(default_factory=list)  # None: cut there

    def change(self, position: int, data: bytes | None) -> None:
        """Write ``data`` at a position, or cut the file there."""
        self.changes.append((position, data))
        apply(self.now, position, data)

    def sync(self) -> None:
        """All of it is sure."""
        self.sure = bytes(self.now)
        self.changes.clear()

    def torn(self, random: Random) -> bytes:
        """What is sure, and some of the changes, one of them in part."""
        content = bytearray(self.sure)
        for position, data in self.changes:
            if random.random() < 0.6:
                part = data if data is None or random.random() < 0.6 else data[: random.randint(0, len(data))]
                apply(content, position, part)
        return bytes(content)


def apply(content: bytearray, position: int, data: bytes | None) -> None:
    """One change of a file."""
    if len(content) < position:
        content.extend(bytes(position - len(content)))
    if data is None:
        del content[position:]
    else:
        content[position : position + len(data)] = data


@dataclass(eq=False)
class Folder:
    """The names in a directory: as they are, as they are on disk for sure, and the states between."""

    now: dict[str, File | Folder] = field(default_factory=dict)
    sure: dict[str, File | Folder] = field(default_factory=dict)
    between: list[dict[str, File | Folder]] = field(default_factory=list)

    def change(self, name: str, node: File | Folder | None) -> None:
        """Put a file or directory under a name; None: take the name away."""
        self.now = {**self.now, name: node} if node is not None else {k: v for k, v in self.now.items() if k != name}
        self.between.append(self.now)

    def sync(self) -> None:
        """All names are sure."""
        self.sure = self.now
        self.between.clear()


VARIANTS = ("nothing unsynced", "names without bytes", "some of it")


class Disk:
    """A disk that holds one directory, which is there for sure, and what calls make below it."""

    def __init__(self, root: str) -> None:
        self.root, self.top = root, Folder()

    def follow(self, call: Call) -> None:
        """Do what the call did."""
        above, name = self._place(call.path)
        if call.name in ("create", "mkdir"):
            above.change(name, File() if call.name == "create" else Folder())
        elif call.name == "rename":
            node = above.now[name]
            above.change(name, None)
            target, other = self._place(call.other)
            target.change(other, node)
        elif call.name in ("unlink", "rmdir"):
            above.change(name, None)
        elif call.name == "sync":
            (above.now[name] if name else self.top).sync()
        else:
            file = above.now[name]
            assert isinstance(file, File)
            file.change(call.position, call.data if call.name == "write" else None)

    def _place(self, path: str) -> tuple[Folder, str]:
        relative = os.path.relpath(path, self.root)
        if relative == ".":
            return self.top, ""
        folder, (*above, name) = self.top, relative.split("/")
        for part in above:
            inner = folder.now[part]
            assert isinstance(inner, Folder)
            folder = inner
        return folder, name

    def after_power_cut(self, variant: str, random: Random) -> dict[str, bytes | None]:
        """The bytes of each file by its path, None for a directory."""
        found: dict[str, bytes | None] = {}
        self._collect(self.top, "", found, variant, random)
        return found

    def _collect(self, folder: Folder, path: str, found: dict[str, bytes | None], variant: str, random: Random) -> None:
        names = {
            "nothing unsynced": folder.sure,
            "names without bytes": folder.now,
            "some of it": random.choice([folder.sure, *folder.between]),
        }[variant]
        for name, node in names.items():
            if isinstance(node, File):
                found[f"{path}{name}"] = node.torn(random) if variant == "some of it" else node.sure
            else:
                found[f"{path}{name}"] = None
                self._collect(node, f"{path}{name}/", found, variant, random)


def build(folder: Path, found: dict[str, bytes | None]) -> None:
    """Make the files of ``after_power_cut`` below a folder."""
    folder.mkdir(parents=True)
    for name, content in found.items():
        if content is None:
            (folder / name).mkdir()
        else:
            (folder / name).write_bytes(content)
