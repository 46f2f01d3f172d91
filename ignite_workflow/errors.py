"""The errors a user can cause: each is printed as one line, without a traceback.

* ``WorkflowError``
    * ``ConfigError``           a setting, an option or a name is wrong (exit code 2)
        * ``UnknownNameError``  a name is not known: suggests the nearest one
    * ``DataError``             a data file is wrong: names file, row and column
    * ``CheckpointError``       a checkpoint or model file cannot be read or written, or does not fit
    * ``RunDirectoryError``     a run directory cannot be used: taken, not empty, not writable
    * ``DivergedError``         training produced a value that is not finite
    * ``NotEnoughMemoryError``  this machine, or the GPU, has less memory than is needed

Anything else that escapes is a bug and keeps its traceback.
"""

from __future__ import annotations

import difflib
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

__all__ = [
    "CheckpointError",
    "ConfigError",
    "DataError",
    "DivergedError",
    "Keys",
    "Mistake",
    "NotEnoughMemoryError",
    "RunDirectoryError",
    "UnknownNameError",
    "WorkflowError",
    "mistaken_at",
    "nearest",
    "noted",
]

Keys = tuple[str | int, ...]
"""The way to a value from the root: names of fields, keys of mappings, places in lists."""


class Mistake(NamedTuple):
    """What is wrong with one value.

    Attributes:
        keys: the way to the value; for an unknown or a missing key, that key is the last one.
        text: a sentence without the place: "must be a whole number, got 'x'."
        at_key: the key is wrong, not what stands behind it.
    """

    keys: Keys
    text: str
    at_key: bool = False


class WorkflowError(Exception):
    """Base class of the errors a user can cause.

    Attributes:
        exit_code: what the command line exits with when this error ends it.
    """

    exit_code = 1


class ConfigError(WorkflowError, ValueError):
    """A setting cannot work. A ``ValueError`` too, so that pydantic collects it with the others.

    Attributes:
        mistakes: the settings that are wrong, each with its own text, where that is known: so that whoever has read
            them from a file can say where they stand. None: the text says it all.
    """

    exit_code = 2
    mistakes: tuple[Mistake, ...] = ()

    @classmethod
    def of(cls, mistakes: Iterable[Mistake]) -> ConfigError:
        """One error that tells all ``mistakes``, one a line."""
        told = tuple(mistakes)
        error = cls("\n".join(mistake.text for mistake in told))
        error.mistakes = told
        return error


class UnknownNameError(ConfigError):
    """``name`` is not one of ``known``.

    Example:
        >>> print(UnknownNameError("optimizer", "adma", ["adam", "sgd"]))
        unknown optimizer 'adma'. Did you mean 'adam'? Known: adam, sgd.
    """

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        known = sorted(known)
        super().__init__(f"unknown {kind} {name!r}.{nearest(name, known)} Known: {', '.join(known) or 'none'}.")


class DataError(WorkflowError):
    """A data file cannot be turned into tensors."""


class CheckpointError(WorkflowError):
    """A checkpoint or a model file cannot be read or written, or does not fit what it is loaded into."""

    @classmethod
    def unwritten(cls, what: str, path: Path, error: OSError, needed: int) -> CheckpointError:
        """What must be on disk at the end of a run is not: how many bytes it takes, and how many are free.

        Args:
            what: "the model".
            path: where it was to be; of its folders those that could not be made may be missing.
            error: the system's word for it.
            needed: in bytes.
        """
        folder = next(folder for folder in path.absolute().parents if folder.exists())
        return cls(
            f"{what} cannot be written to {path}: {error.strerror} ({needed:,} bytes needed, "
            f"{shutil.disk_usage(folder).free:,} free); make room and go on with the same command"
        )


class RunDirectoryError(WorkflowError):
    """A run directory cannot be used."""

    exit_code = 2


class DivergedError(WorkflowError):
    """Training produced a value that is not finite."""


class NotEnoughMemoryError(WorkflowError):
    """This machine, or the GPU, has less memory than is needed."""


@contextmanager
def mistaken_at(*keys: str | int) -> Iterator[None]:
    """A setting that is found wrong within is the one that ``keys`` lead to, unless the error knows better."""
    try:
        yield
    except ConfigError as error:
        error.mistakes = error.mistakes or tuple(Mistake(keys, line) for line in str(error).splitlines())
        raise


@contextmanager
def noted(where: str) -> Iterator[None]:
    """What is raised within gets a note that says where it came from: a plugin, as its author named it."""
    try:
        yield
    except BaseException as error:
        error.add_note(f"in {where}")
        raise


def nearest(name: str, known: Iterable[str]) -> str:
    """The sentence that suggests the nearest known name, with a leading blank; empty where none is near.

    Upper and lower case are the same; a known name that ``name`` begins with is near.

    Example:
        >>> nearest("specis", ["species", "island"])
        " Did you mean 'species'?"
        >>> nearest("MSELoss", ["mse", "l1"])
        " Did you mean 'mse'?"
    """
    by_lower = {other.lower(): other for other in known}
    beginnings = sorted(filter(name.lower().startswith, by_lower), key=len)
    near = difflib.get_close_matches(name.lower(), by_lower, n=1) or beginnings[-1:]
    return f" Did you mean {by_lower[near[0]]!r}?" if near else ""
