"""Whether a record names the columns, and their names."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from ignite_workflow.data.sample import AGREEING, Record, column_of_numbers, is_number, is_year
from ignite_workflow.data.units import find_units

__all__ = ["column_names", "given_names", "is_header", "is_header_beyond_doubt"]

_SURE_RECORDS = 10


def is_header_beyond_doubt(first: Record, body: Sequence[Record]) -> bool:
    """Whether a record is a header beyond doubt: no number in it, but columns of numbers, dates or codes below.

    Years that go up are names, too.
    """
    numbers = [at for at, cell in enumerate(first.cells) if is_number(cell)]
    if (numbers and not _are_years(first, numbers, body)) or 2 * first.filled < len(first.cells):
        return False
    if body and len(body) > 1 and find_units(first.cells, body[0].cells, [record.cells for record in body[1:]]).found:
        body = body[1:]
    for position, name in enumerate(first.cells):
        below = [record.cells[position] for record in body if position < len(record.cells) and record.cells[position]]
        with_digits = sum(any(map(str.isdigit, cell)) for cell in below)
        telling = sum(map(is_number, below)) if any(map(str.isdigit, name)) else with_digits
        if name.strip() and below and telling >= AGREEING * len(below):
            return True
    return False


def is_header(records: Sequence[Record], at: int, setting: bool | int | None) -> tuple[bool, str]:
    """Whether a record names the columns, and if not, why.

    Args:
        records: the first of the file.
        at: which of them is in question.
        setting: see ``data.read.header``.
    """
    if setting is not None:
        return setting is not False, ""
    cells, body = records[at].cells, records[at + 1 :]
    filled = [cell.strip() for cell in cells if cell.strip()]
    numbers = [cell for cell in filled if is_number(cell)]
    is_index = not cells[0].strip() and _count_up(numbers)  # as data frames are written: no name, 0, 1, 2
    if filled and len(numbers) == len(filled) and not is_index:
        return False, ""
    of_years = _are_years(records[at], [place for place, cell in enumerate(cells) if is_number(cell)], body)
    if numbers and not _count_up(numbers) and not of_years and body:
        rows = [record.cells for record in body]
        numeric = [position for position in range(len(cells)) if column_of_numbers(rows, position)]
        as_below = [position for position in numeric if is_number(cells[position])]
        if as_below and 2 * len(as_below) >= len(numeric):
            return False, f": line {records[at].line} holds numbers where the lines below do"
    others = [record for record in body if record.cells != cells]  # where files were joined, headers are repeated
    body = others if len(others) >= AGREEING * len(body) else body
    again = [
        position
        for position, cell in enumerate(cells)
        if cell.strip() and any(position < len(record.cells) and record.cells[position] == cell for record in body)
    ]
    if len(filled) > 1 and 2 * len(again) > len(filled) and len(body) >= _SURE_RECORDS:
        return False, f": most cells of line {records[at].line} stand in the lines below too"
    return True, ""


def _are_years(first: Record, positions: Sequence[int], body: Sequence[Record]) -> bool:
    """Whether the cells at some positions are years that go up, beside others and above cells that hardly ever are."""
    years = [first.cells[at].strip() for at in positions]
    below = [record.cells[at].strip() for record in body for at in positions if at < len(record.cells)]
    are_years = len(years) < first.filled and all(map(is_year, years)) and (_count_up(years) or _go_up(years))
    return are_years and sum(map(is_year, below)) <= (1 - AGREEING) * len(below)


def _count_up(numbers: list[str]) -> bool:
    """Such as the years 1990, 1991, 1992: names of columns."""
    if len(numbers) < 2 or not all(number.isdecimal() for number in numbers):
        return False
    return all(int(after) == int(before) + 1 for before, after in pairwise(numbers))


def _go_up(numbers: list[str]) -> bool:
    """Such as the years 1940, 1950, 1960, or any four that grow: fewer may be quantities by chance."""
    steps = [int(after) - int(before) for before, after in pairwise(numbers)]
    enough = 2 if len(set(steps)) == 1 else 3
    return len(steps) >= enough and min(steps) > 0


def column_names(cells: Sequence[str], places: Sequence[str] = ()) -> tuple[tuple[str, ...], list[str]]:
    """The names of the columns, all different, and what was changed.

    Args:
        cells: of the header.
        places: what the columns are called where there are no names; empty: they are counted from 1.
    """
    places = places or [str(number) for number in range(1, len(cells) + 1)]
    names: dict[str, int] = {}  # and the number of each
    cells = [cell.strip() for cell in cells]
    taken = set(cells)
    changed = []
    for number, cell in enumerate(cells, start=1):
        name = cell or f"column_{number}"
        if number == 1 and name.startswith("#") and name.strip("# "):
            name = name.lstrip("# ")
        if name in names:
            again = next(
                f"{name}_{copy}"
                for copy in range(2, len(cells) + 2)
                if f"{name}_{copy}" not in taken and f"{name}_{copy}" not in names
            )
            changed.append(
                f"columns {places[names[name] - 1]} and {places[number - 1]} are both named {name!r}: "
                f"the second is {again!r}"
            )
            name = again
        names[name] = number
    return tuple(names), changed


def given_names(columns: Sequence[str]) -> str:
    """What is said of names that columns have for want of a header."""
    one = len(columns) == 1
    return f"the column is named {columns[0]}" if one else f"the columns are named {columns[0]} to {columns[-1]}"
