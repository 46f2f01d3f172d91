"""Numbers that may stand for a missing value, such as -200 or 9999: said, and left alone until a person agrees."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ignite_workflow.data.cells import CellRules, Floats, parse_numbers
from ignite_workflow.data.chunk import Chunk
from ignite_workflow.data.findings import Finding

__all__ = ["find_sentinels"]

_FEWEST = 5
_SHARE = 0.005
_MENU = 20  # numbers: of fewer others, such as the prices of a few goods, the largest one often stands apart
_MOST_NAMED = 3


@dataclass(frozen=True)
class _Extreme:
    """The lowest or highest number of a column, and what sets it apart from the others."""

    value: float
    count: int
    others: int  # how many different ones
    gap: float  # to the next number
    spread: float  # of all the others
    alone_below_zero: bool

    def stands_out(self, known: int) -> bool:
        nines = {*str(int(abs(self.value)))} == {"9"} and abs(self.value) > 9
        often = self.count >= max(_FEWEST, _SHARE * known)
        apart = self.gap > self.spread and self.others >= _MENU
        return often and (self.alone_below_zero or apart or (nines and self.gap > self.spread / 2))


def find_sentinels(chunk: Chunk, findings: Mapping[str, Finding], rules: CellRules) -> list[str]:
    """A line for each number that lies far from all others in its columns, or alone below zero, and occurs often.

    Args:
        chunk: the first rows of a table.
        findings: of its columns.
        rules: how its cells are read.
    """
    columns: dict[float, dict[str, int]] = {}
    for name, finding in findings.items():
        if finding.kind == "number":
            values = parse_numbers(chunk.column(name), rules).values
            known = np.sort(values[np.isfinite(values)])  # others are refused where they are read for training
            for extreme in _extremes(known):
                if extreme.stands_out(len(known)):
                    columns.setdefault(extreme.value, {})[name] = extreme.count
    return [_line(value, counts) for value, counts in columns.items()]


def _extremes(known: Floats) -> list[_Extreme]:
    found = []
    for lowest, value in ((True, known[:1]), (False, known[-1:])):
        if not len(value) or value[0] != np.floor(value[0]):
            continue  # before anything is compared: there may be thousands of columns
        others = known[known != value]
        different = len(np.unique(others))
        if different >= _FEWEST:
            gap = abs(float(value[0] - (others[0] if lowest else others[-1])))
            below_zero = bool(lowest and value[0] < 0 <= others[0])
            spread = float(others[-1] - others[0])
            found.append(_Extreme(float(value[0]), len(known) - len(others), different, gap, spread, below_zero))
    return found


def _line(value: float, counts: Mapping[str, int]) -> str:
    named = ", ".join(f"{name!r} {count:,} times" for name, count in list(counts.items())[:_MOST_NAMED])
    more = f" and {len(counts) - _MOST_NAMED} more columns" if len(counts) > _MOST_NAMED else ""
    advice = f"if it means missing, say data.missing=['{value:.0f}']"
    return f"{value:.0f} stands apart from all other numbers ({named}{more}): {advice}."
