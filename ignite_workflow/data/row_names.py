"""A header that is one name short, since the first column holds the names of the rows: so R writes its tables."""

from __future__ import annotations

from collections.abc import Sequence

from ignite_workflow.data.sample import Record

__all__ = ["ROW_NAMES", "has_row_names"]

ROW_NAMES = "row_names"
_SURE_RECORDS = 10
_COUNTED_RECORDS = 3


def has_row_names(header: Record, body: Sequence[Record]) -> bool | None:
    """Whether each record begins with a name of its own that no column is named for.

    Args:
        header: names the columns.
        body: the first records below it.

    Returns:
        None where it may be so: another column than the first may be the one without a name.
    """
    width = len(header.cells) + 1
    if width == 2 or not body or any(len(record.cells) != width for record in body) or header.filled < width - 1:
        return False  # a header of one cell: parted by something else
    if any(_is_parted_inside(record.cells) for record in body):
        return False
    names = [record.cells[0].strip() for record in body]
    if not all(names) or not any(record.cells[-1].strip() for record in body) or len(set(names)) < len(names):
        return False
    if len(names) >= _COUNTED_RECORDS and names == [str(number) for number in range(1, len(names) + 1)]:
        return True
    are_names = not any(_has_fraction(name) for name in names)
    return True if are_names and len(names) >= _SURE_RECORDS else None


def _is_parted_inside(cells: Sequence[str]) -> bool:
    """Whether a delimiter that belongs to a cell has parted it: after a backslash, or within single quotes."""
    halves = any(cell.lstrip().startswith("'") and cell.count("'") == 1 for cell in cells[:-1])
    return any(cell.endswith("\\") for cell in cells[:-1]) or (halves and any(cell.endswith("'") for cell in cells[1:]))


def _has_fraction(name: str) -> bool:
    """A measured number is no name, though it may be another in each row."""
    return any(character in ".,eE" for character in name) and name.strip("+-0123456789.,eE") == ""
