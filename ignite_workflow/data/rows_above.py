"""What the rows of a table hold that stand above what may be its footer: the evidence for what that is."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

import numpy as np
import polars as pl

from ignite_workflow.data.cells import MISSING

__all__ = ["RowsAbove"]

_RELATIVE = 1e-9  # what sums of float64 differ by; of numbers that were rounded for display see ``equals``
_LEAST_ROWS = 2
_FIRST_COLUMNS = 3  # that of a label, and two to compare with what stands below
_MORE_COLUMNS = 16  # at once: a table is not read again for each


class RowsAbove:
    """Rows of text, looked at column by column as they are asked about.

    Args:
        frames: gives the rows, every cell as text. Read again for columns beyond the first few.
        positions: of the columns that may be asked about.
    """

    def __init__(self, frames: Callable[[], Iterable[pl.DataFrame]], positions: Sequence[int]) -> None:
        self._frames = frames
        self._waiting = list(positions)
        self._kept: dict[int, pl.Series] = {}
        self.rows = self._read(self._waiting[:_FIRST_COLUMNS])

    def _read(self, positions: Sequence[int]) -> int:
        """Keep the known cells of some columns; how many rows are not empty."""
        rows = 0
        pieces: dict[int, list[pl.Series]] = {at: [] for at in positions}
        for frame in self._frames():
            rows += frame.height - _empty_rows(frame)
            for at, column in pieces.items():
                column.append(frame.to_series(at).alias("cells"))
        for at, column in pieces.items():
            cells = pl.concat(column).str.strip_chars() if column else pl.Series("cells", [], dtype=pl.String)
            self._kept[at] = cells.filter(~cells.is_in(list(MISSING)).fill_null(value=True))
            self._waiting.remove(at)
        return rows

    def _cells(self, position: int) -> pl.Series:
        """The known cells of a column."""
        if position not in self._kept:
            others = [at for at in self._waiting if at != position]
            self._read([position, *others[: _MORE_COLUMNS - 1]])
        return self._kept[position]

    def has_read(self, position: int) -> bool:
        """Whether the rows need not be read again for a column."""
        return position in self._kept

    def has_digits(self, position: int) -> bool:
        """Whether every known cell of a column holds a digit, and there are some."""
        cells = self._cells(position)
        return len(cells) >= _LEAST_ROWS and bool(cells.str.contains(r"\d").all())

    def has_word(self, position: int, word: str) -> bool:
        """Whether a cell of a column is that word, in any case."""
        return bool((self._cells(position).str.to_lowercase().str.strip_chars(" :.*") == word).any())

    def holds(self, position: int, pattern: re.Pattern[str]) -> bool:
        """Whether a cell of a column is of that form."""
        return any(map(pattern.fullmatch, self._cells(position).unique().to_list()))

    def words(self, position: int) -> int:
        """The most words that a cell of a column has."""
        return max(self._cells(position).str.count_matches(r"\S+").to_list(), default=0)

    def equals(self, statistic: str, position: int, cell: str) -> bool:
        """Whether a cell is the sum, mean, smallest or largest of the numbers of a column, as far as it is written.

        Both ways of writing fractions are tried: with a point, and with a comma.
        """
        ways = [decimal for decimal in ".," if _fits_decimal(cell, decimal)]
        return any(self._equals(statistic, position, cell, decimal) for decimal in ways)

    def _equals(self, statistic: str, position: int, cell: str, decimal: str) -> bool:
        numbers = _numbers(self._cells(position), decimal)
        number = _numbers(pl.Series([cell]), decimal)[0]
        if number is None or not number or numbers.null_count() or len(numbers) < _LEAST_ROWS:
            return False
        values = numbers.to_numpy()
        found = {"sum": values.sum(), "mean": values.mean(), "smallest": values.min(), "largest": values.max()}
        fraction = re.search(rf"\{decimal}(\d+)\D*$", cell)
        digits = len(fraction[1]) if fraction else 0
        slack = 0.5 * 10.0**-digits if statistic == "mean" else 1e-6 * 10.0**-digits
        off: float = abs(float(found[statistic]) - number)
        return bool(off <= 1.001 * slack + _RELATIVE * float(np.abs(values).sum()))


def _empty_rows(frame: pl.DataFrame) -> int:
    """How many rows hold nothing but blanks; a column without an empty cell ends the search."""
    for name in frame.columns:
        frame = frame.filter((pl.col(name).str.strip_chars() == "").fill_null(value=True))
        if not frame.height:
            break
    return frame.height


def _fits_decimal(cell: str, decimal: str) -> bool:
    """Whether what would separate thousands stands before three digits at last: 1.5 has no decimal comma."""
    parting = "," if decimal == "." else "."
    grouped = rf"[^{parting}]*\d(\{parting}\d{{2,3}})*\{parting}\d{{3}}(?!\d)[^{parting}]*"
    return parting not in cell or re.fullmatch(grouped, cell) is not None


def _numbers(cells: pl.Series, decimal: str) -> pl.Series:
    """Cells as numbers, whatever separates thousands; null where they are none."""
    plain = cells.str.replace_all("," if decimal == "." else ".", "", literal=True)
    numbers = plain.str.replace(decimal, ".", literal=True).cast(pl.Float64, strict=False)
    rest = numbers.is_null().arg_true()  # a pattern takes ten times as long
    bare = cells.gather(rest).str.replace_all(rf"[^\d{decimal}eE+-]", "").str.replace(decimal, ".", literal=True)
    return numbers.scatter(rest, bare.cast(pl.Float64, strict=False))
