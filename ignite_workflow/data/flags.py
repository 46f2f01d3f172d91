"""What stands beside a number and is no part of it: the flags of statistical offices (``12.3 b``, ``5*``, ``7 (e)``).

Letters after a blank are those of Eurostat, and letters right behind the digits e, p and r: estimated, provisional,
revised. They may also be units, and some of these change the number, so they are flags only where no other unit stands
in the column and most cells have none.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from operator import itemgetter

import polars as pl

__all__ = ["FlagSearch", "is_nothing", "limit_sign", "without_flags"]

_BEFORE = "[*~≈']{1,3}"  # the last is left by Excel: '00012
_SUPERSCRIPTS = "[¹²³⁰⁴-⁹ᵃ-ᶻ]{1,3}"
_WORDS = r"est\.?|prel\.?|prov\.?|rev\.?"
_BRACKETS = rf"\((?:[a-fijn-su-xzA-FIJN-SUXZ]|{_WORDS}|[*†‡])\)|\[(?:[a-z]{{1,4}}|[0-9]{{1,2}})\]"
_AFTER = rf"[*†‡§¶]{{1,3}}|{_SUPERSCRIPTS}|{_BRACKETS}"
_LETTER = "[bcdefinprsuz]|b[deprsu]|d[eprsu]|e[prsu]|pu|bd[epu]|be[pu]|dep"
_GLUED = "[epr]"
_NOTHING = r"^(?::(?: ?[a-z]{1,3})?|\[[a-z]{1,4}\]|\.[a-zA-Z_])$"  # not available, confidential...; .a of Stata and SAS
_POWER = rf"(?:^|[^0-9.,])10{_SUPERSCRIPTS}$"
_LIMIT = r"^[<>≤≥]=? ?[0-9.,]|^[0-9][0-9.,]*\+$"
_UNITS_OF_TIME, _SIZES = frozenset("ds"), frozenset("fnpu")
_MOST_SAID = 6


def is_nothing(cells: pl.Expr) -> pl.Expr:
    """Whether a cell is a flag alone, such as ``:``, ``: c`` and ``[x]``: there is no number."""
    return cells.str.contains(_NOTHING)


def without_flags(cells: pl.Expr, flags: Sequence[str]) -> pl.Expr:
    """Text without flags before and after numbers.

    Args:
        cells: text.
        flags: those that occur, letters among them only if they are left out; others than the usual ones as they stand.

    Example:
        >>> frame = pl.DataFrame({"x": ["12.3 b", "5*", "<0.3"]})
        >>> frame.select(without_flags(pl.col("x"), ["b", "*", "<"]))["x"].to_list()
        ['12.3', '5', '0.3']
    """
    usual = re.compile(f"{_BEFORE}|{_AFTER}|{_LETTER}")
    told = [re.escape(flag) for flag in flags if not usual.fullmatch(flag)]
    bare = cells.str.strip_chars().str.replace(f"^(?:{'|'.join([*told, _BEFORE])}) ?", "")
    bare = bare.str.replace(rf"\s?(?:{'|'.join([*told, _AFTER])})$", "")
    if any(re.fullmatch(_LETTER, flag) for flag in flags):
        bare = bare.str.replace(rf"([0-9.,])(?:\s(?:{_LETTER})|{_GLUED})$", "${1}")
    return pl.when(cells.str.contains(_POWER)).then(cells).otherwise(bare)


def limit_sign(cell: str) -> str:
    """What says that a number lies below or above the one in a cell, such as < in <0.3; empty: nothing does."""
    if not re.search(_LIMIT, cell):
        return ""
    return "+" if cell.endswith("+") else cell[0]


class FlagSearch:
    """Finds the flags of a column, chunk by chunk.

    Args:
        told: what a person says are flags; None: that there are none.
    """

    def __init__(self, told: Sequence[str] | None = ()) -> None:
        self.told = told
        self.nothing: dict[str, int] = {}
        self.limits = 0
        self.limit = ""  # the first
        self.glued = False  # a letter that may be a flag stands right behind digits
        self.usual = False  # other columns of the table have flags
        self._found: dict[str, int] = {}

    def bare(self, text: pl.Series) -> pl.DataFrame:
        """Cells that are no numbers as they stand: without their flags, and what was left out.

        Returns:
            Columns ``cells`` and ``flag``; a row less for each cell that is a flag alone.
        """
        frame = text.to_frame("cells")
        if self.told is None:
            return frame.with_columns(flag=pl.lit(""))
        is_limit = text.str.contains(_LIMIT)
        if is_limit.any():
            self.limits += int(is_limit.sum())
            self.limit = self.limit or str(text.filter(is_limit)[0])
        for cell, count in frame.filter(is_nothing(pl.col("cells"))).to_series().value_counts().iter_rows():
            self.nothing[cell] = self.nothing.get(cell, 0) + count
        frame = frame.filter(~is_nothing(pl.col("cells")))
        frame = frame.with_columns(bare=without_flags(pl.col("cells"), self.told))
        return frame.select(pl.col("bare").alias("cells"), flag=_left_out(pl.col("cells"), pl.col("bare")))

    def count(self, flags: pl.Series) -> None:
        """Keep in mind what was left out of numbers."""
        for flag, count in flags.filter(flags != "").alias("flag").value_counts().iter_rows():
            self._found[flag] = self._found.get(flag, 0) + count

    def look_behind(self, text: pl.Series) -> None:
        """See whether letters that may be flags, but stand right behind digits, are units."""
        self.glued |= bool(text.str.contains(rf"[0-9](?:{_LETTER})$").any()) and bool(
            text.filter(~text.str.contains(rf"[0-9]{_GLUED}$")).str.contains(rf"[0-9](?:{_LETTER})$").any()
        )

    def letters(self, units: Mapping[str, int]) -> frozenset[str]:
        """The units of a column that are none, but flags.

        Args:
            units: what stands beside digits, and how often; empty: nothing does.
        """
        if self.told is None:
            return frozenset()
        told = {unit for unit in units if unit in self.told}
        found = frozenset(unit for unit in units if re.fullmatch(_LETTER, unit))
        bare = units.get("", 0)
        sure = (bool(self.nothing) or (self.usual and not self.glued)) and bare > 0
        rare = bare > sum(units[unit] for unit in found)
        doubtful = self.glued or found == {"b"} or found <= _UNITS_OF_TIME or (len(found) > 1 and found <= _SIZES)
        if found | told | {""} < units.keys() or not (sure or (rare and not doubtful)):
            found = frozenset()
        return found | told

    def found(self, units: Mapping[str, int]) -> tuple[str, ...]:
        """What ``without_flags`` needs to know: the flags, the commonest first."""
        flags = {**self._found, **{letter: units[letter] for letter in self.letters(units)}, **self.nothing}
        ordered = [flag for flag, _ in sorted(sorted(flags.items()), key=itemgetter(1), reverse=True)]
        told = [flag for flag in self.told or () if any(flag in other for other in self._found)]
        return tuple(dict.fromkeys([*told, *ordered[: 2 * _MOST_SAID]]))

    def note(self, units: Mapping[str, int]) -> str:
        """The flags, for evidence."""
        letters = {letter: units[letter] for letter in self.letters(units)}
        left_out = _counted({**self._found, **letters})
        missing = _counted(self.nothing)
        parts = [f"flags left out: {left_out}" if left_out else "", f"missing: {missing}" if missing else ""]
        return f"{'; '.join(filter(None, parts))}; otherwise: data.read.flags=false"


def _left_out(cells: pl.Expr, bare: pl.Expr) -> pl.Expr:
    behind, before = cells.str.strip_prefix(bare), cells.str.strip_suffix(bare)
    both = cells.str.replace("[0-9](?:.*[0-9])?", " ")
    return pl.when(behind != cells).then(behind).when(before != cells).then(before).otherwise(both).str.strip_chars()


def _counted(flags: Mapping[str, int]) -> str:
    ordered = sorted(sorted(flags.items()), key=itemgetter(1), reverse=True)
    more = f" and {len(ordered) - _MOST_SAID} more" if len(ordered) > _MOST_SAID else ""
    return ", ".join(f"{flag!r} ({count})" for flag, count in ordered[:_MOST_SAID]) + more
