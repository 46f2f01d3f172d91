"""Predictions on disk: a file that appears whole, written chunk by chunk, harmless to open in a spreadsheet."""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import BinaryIO

import polars as pl
import polars.selectors as cs

from ignite_workflow.errors import ConfigError

__all__ = ["check_output", "inert", "prediction_writer"]

_PARQUET = (".parquet", ".pq")
# What makes a spreadsheet take a cell for a formula; plain numbers are none.
# Source: https://owasp.org/www-community/attacks/CSV_Injection
_FORMULA = r"^[=+\-@\t\r\n＝＋－＠]"  # noqa: RUF001
_SYSTEM_ERROR = re.compile(r"([^:]+) \(os error \d+\)")
_NUMBER = r"^[+-]?[0-9][0-9.,]*([eE][+-]?[0-9]+)?$"

Write = Callable[[pl.DataFrame], None]


def check_output(output: str | Path, inputs: Sequence[Path]) -> None:
    """Check, before anything is computed, that predictions can be written there.

    Args:
        output: a path, or ``-`` for standard output.
        inputs: the files that are read.

    Raises:
        ConfigError: nothing here writes such a file, its directory is not there, or it is one of ``inputs``.
    """
    path = Path(output)
    if str(output) == "-":
        return
    if path.suffix.lower() not in (".csv", *_PARQUET):
        raise ConfigError(
            f"{output}: predictions are written as .csv or .parquet, got {path.suffix or 'no extension'}."
        )
    if path.is_dir():
        raise ConfigError(f"{output} is a directory; the name of a file is needed.")
    if not path.parent.is_dir():
        raise ConfigError(f"{output}: there is no directory {path.parent}.")
    if path.exists() and any(path.samefile(each) for each in inputs):
        raise ConfigError(f"{output} is the table that is read: choose another name for the predictions.")


@contextmanager
def prediction_writer(output: str | Path) -> Iterator[Write]:
    """What writes one chunk after another; the file stands under its name once all are written, or not at all.

    Args:
        output: checked with ``check_output``.

    Raises:
        ConfigError: it cannot be written.
    """
    if str(output) == "-":
        yield _CsvFile(sys.stdout.buffer).write
        sys.stdout.buffer.flush()
        return
    path = Path(output)
    temporary = path.with_name(f".{path.name}.tmp")
    with _told_of(path):
        file = _ParquetFile(temporary) if path.suffix.lower() in _PARQUET else _CsvFile(temporary.open("wb"))
    try:
        yield partial(_write, file, path)
        with _told_of(path):
            file.finish()
            temporary.replace(path)
    finally:
        with suppress(OSError):  # of a full disk, which was told already
            file.close()
        temporary.unlink(missing_ok=True)


def _write(file: _CsvFile | _ParquetFile, path: Path, frame: pl.DataFrame) -> None:
    with _told_of(path):
        file.write(frame)


@contextmanager
def _told_of(path: Path) -> Iterator[None]:
    """A full disk, or a file that may not be written, is one line."""
    try:
        yield
    except (OSError, pl.exceptions.PolarsError) as error:
        reason = getattr(error, "strerror", None) or str(error).splitlines()[0]
        if system := _SYSTEM_ERROR.search(reason):  # within what polars makes of it
            reason = system[1].strip()
        raise ConfigError(f"{path} cannot be written: {reason}.") from error


class _CsvFile:
    """Writes CSV as it comes."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._is_first = True

    def write(self, frame: pl.DataFrame) -> None:
        # Not written by polars itself, whose errors do not tell a closed pipe from a full disk.
        self._file.write(inert(frame).write_csv(include_header=self._is_first).encode())
        self._is_first = False

    def finish(self) -> None:
        self._file.close()

    def close(self) -> None:
        self._file.close()


class _ParquetFile:
    """Writes pieces and puts them together in the end: Parquet has its index there, and polars writes none in steps."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._pieces = path.with_suffix(".pieces")
        self._count = 0
        shutil.rmtree(self._pieces, ignore_errors=True)
        self._pieces.mkdir()

    def write(self, frame: pl.DataFrame) -> None:
        frame.write_parquet(self._pieces / f"{self._count:08}.parquet")
        self._count += 1

    def finish(self) -> None:
        paths = [self._pieces / f"{number:08}.parquet" for number in range(self._count)]
        pl.scan_parquet(paths, glob=False).sink_parquet(self._path)

    def close(self) -> None:
        shutil.rmtree(self._pieces, ignore_errors=True)


def inert(frame: pl.DataFrame) -> pl.DataFrame:
    """The frame with a quote before every text cell, and column name, that a spreadsheet would take for a formula.

    Example:
        >>> inert(pl.DataFrame({"a": ["=1+1", "-5", "x"]}))["a"].to_list()
        ["'=1+1", '-5', 'x']
    """
    text = cs.string()
    is_formula = text.str.contains(_FORMULA) & ~text.str.contains(_NUMBER)
    safe = frame.with_columns(pl.when(is_formula).then("'" + text).otherwise(text).name.keep())
    names = pl.Series(frame.columns)
    return safe.rename(dict(zip(frame.columns, _inert_names(names), strict=True)))


def _inert_names(names: pl.Series) -> list[str]:
    return [f"'{name}" if formula else name for name, formula in zip(names, names.str.contains(_FORMULA), strict=True)]
