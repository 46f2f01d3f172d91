"""What the rows of a table hold that stand above its end: evidence for what the end is."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import numpy as np
import polars as pl

from ignite_workflow.data.cells import MISSING

__all__ = ["Evidence"]

_RELATIVE = 1e-9  # what sums of float64 differ by; of numbers that were rounded for display see ``equals``
_LEAST_ROWS = 2


class Evidence:
    """Rows of text, looked at column by column as they are asked about.

    Args:
        frames: the rows, every cell as text; taken once, and kept for those columns only.
        positions: of the columns that are asked about.
    """

    def __init__(self, frames: Iterable[pl.DataFrame], positions: Sequence[int]) -> None:
        self._kept: dict[int, pl.Series] = {}
        self.rows = 0
        pieces: dict[int, list[pl.Series]] = {at: [] for at in positions}
        for frame in frames:
            filled = frame.select(
                pl.any_horizontal(pl.all().str.strip_chars() != "").fill_null(value=False)
            ).to_series()
            self.rows += int(filled.sum())
            for at, column in pieces.items():
                column.append(frame.to_series(at).alias("cells"))
        for at, column in pieces.items():
            cells = pl.concat(column).str.strip_chars() if column else pl.Series("cells", [], dtype=pl.String)
            self._kept[at] = cells.filter(~cells.is_in(list(MISSING)).fill_null(value=True))

    def has_digits(self, position: int) -> bool:
        """Whether every known cell of a column holds a digit, and there are some."""
        cells = self._kept[position]
        return len(cells) >= _LEAST_ROWS and bool(cells.str.contains(r"\d").all())

    def has_word(self, position: int, word: str) -> bool:
        """Whether a cell of a column is that word, in any case."""
        return bool((self._kept[position].str.to_lowercase().str.strip_chars(" :.*") == word).any())

    def holds(self, position: int, pattern: re.Pattern[str]) -> bool:
        """Whether a cell of a column is of that form."""
        return any(map(pattern.fullmatch, self._kept[position].unique().to_list()))

    def words(self, position: int) -> int:
        """The most words that a cell of a column has."""
        return max(self._kept[position].str.count_matches(r"\S+").to_list(), default=0)

    def equals(self, statistic: str, position: int, cell: str) -> bool:
        """Whether a cell is the sum, mean, smallest or largest of the numbers of a column, as far as it is written.

        Both ways of writing fractions are tried: with a point, and with a comma.
        """
        return any(self._equals(statistic, position, cell, decimal) for decimal in ".,")

    def _equals(self, statistic: str, position: int, cell: str, decimal: str) -> bool:
        numbers = _numbers(self._kept[position], decimal)
        said = _numbers(pl.Series([cell]), decimal)[0]
        if said is None or not said or numbers.null_count() or len(numbers) < _LEAST_ROWS:
            return False
        values = numbers.to_numpy()
        found = {"sum": values.sum(), "mean": values.mean(), "smallest": values.min(), "largest": values.max()}
        fraction = re.search(rf"\{decimal}(\d+)\D*$", cell)
        digits = len(fraction[1]) if fraction else 0
        slack = 0.5 * 10.0**-digits if statistic == "mean" else 1e-6 * 10.0**-digits
        off: float = abs(float(found[statistic]) - said)
        return bool(off <= 1.001 * slack + _RELATIVE * float(np.abs(values).sum()))


def _numbers(cells: pl.Series, decimal: str) -> pl.Series:
    """Cells as numbers, whatever separates thousands; null where they are none."""
    bare = cells.str.replace_all(rf"[^\d{decimal}eE+-]", "").str.replace(decimal, ".", literal=True)
    return bare.cast(pl.Float64, strict=False)
