"""What was changed in the records of a text file so that they could be read, to be said."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ignite_workflow.data.repeated_header import left_out_note

__all__ = ["Repairs"]


@dataclass
class Repairs:
    """What was changed, by the line in which a block of records begins: blocks may be read again, and in any order.

    Attributes:
        cut, filled: the lines of rows with too many and too few cells.
        left_out: the lines of rows that hold the names of the columns.
        formulas: how many cells such as ``="00012"`` are text.
        blanks: the line of a block where blanks stand around quoted cells, which the first records did not show.
    """

    cut: dict[int, list[int]] = field(default_factory=dict)
    filled: dict[int, list[int]] = field(default_factory=dict)
    left_out: dict[int, list[int]] = field(default_factory=dict)
    formulas: dict[int, list[int]] = field(default_factory=dict)
    blanks: dict[int, list[int]] = field(default_factory=dict)

    def notes(self, name: str, width: int) -> list[str]:
        """One line each.

        Args:
            name: of the file.
            width: how many columns it has.
        """
        cut, filled, again, formulas, blanks = map(_in_order, vars(self).values())
        lines = []
        if cut:
            lines.append(f"{name}: {_rows(cut)} more than {width} cells: empty ones at the end, cut off.")
        if filled:
            lines.append(f"{name}: {_rows(filled)} fewer than {width} cells: filled with missing ones at the end.")
        if again:
            lines.append(f"{name}: {left_out_note(again, 'line')}.")
        otherwise = "otherwise: data.read.quotes=false"
        if formulas:
            cells = f'{sum(formulas):,} cells are written ="00012", as spreadsheets keep text'
            lines.append(f"{name}: {cells}: read as that text; {otherwise}.")
        if blanks:
            lines.append(f"{name}: below line {blanks[0]} blanks around quoted cells are none of them; {otherwise}.")
        return lines

    def state_dict(self) -> dict[str, Any]:
        """As plain values that JSON can hold."""
        return {kind: [list(each) for each in dict(found).items()] for kind, found in vars(self).items()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take what ``state_dict`` gave."""
        for kind, found in vars(self).items():
            found.update(state[kind])


def _in_order(found: dict[int, list[int]]) -> list[int]:
    return [value for _, values in sorted(found.items()) for value in values]


def _rows(lines: list[int]) -> str:
    return f"line {lines[0]} has" if len(lines) == 1 else f"{len(lines)} rows (the first in line {lines[0]}) have"
