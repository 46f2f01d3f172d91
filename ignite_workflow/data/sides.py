"""Amounts of bookkeepers: ``1,234.50 CR`` and ``(980.00) DR``. Which side is below zero differs from book to book."""

from __future__ import annotations

from collections import Counter

import polars as pl

__all__ = ["SIDES", "Sides", "with_signs"]

SIDES = ("CR", "DR")
"""Credit and debit."""
_SIDE = r"(?i)^(.*[0-9](?:.*[^\pL])?)(CR|DR)\.?$"
_SIGNED = r"^[^0-9]*[-(\u2212]"
_OTHER = dict(zip(SIDES, SIDES[::-1], strict=True))


def with_signs(cells: pl.Expr, negative: str) -> pl.Expr:
    """Amounts without their side, and with a minus where it is the negative one; what has no side stays as it is.

    Example:
        >>> frame = pl.DataFrame({"x": ["1,234.50 CR", "(980.00) DR", "$5 Dr.", "7"]})
        >>> frame.select(with_signs(pl.col("x"), "DR"))["x"].to_list()
        ['1,234.50', '-980.00', '-$5', '7']
    """
    parts = cells.str.strip_chars().str.extract_groups(_SIDE)
    bare, side = parts.struct[0].str.strip_chars(), parts.struct[1].str.to_uppercase()
    unsigned = bare.str.replace(r"^\((.*)\)$", "${1}").str.replace(r"^([^0-9]*?)[-\u2212] ?", "${1}")
    signed = pl.when(side == negative).then(pl.concat_str(pl.lit("-"), unsigned)).otherwise(bare)
    return pl.when(side.is_null()).then(cells).otherwise(signed)


class Sides:
    """Finds out which side of a column is below zero, chunk by chunk.

    Args:
        told: what a person says; None: the cells may tell.
    """

    def __init__(self, told: str | None = None) -> None:
        self.told = told
        self.counts: Counter[str] = Counter()  # of cells, by side
        self._signed: Counter[str] = Counter()
        self.cell = ""  # the first

    @property
    def known(self) -> bool:
        """Whether the column is one of such amounts: both sides occur, or a person says what one is."""
        return len(self.counts) > 1 or (self.told is not None and bool(self.counts))

    @property
    def negative(self) -> str:
        """The side that is below zero: as a person says, or as all of its cells say, and none of the other.

        Empty: nobody knows.
        """
        if self.told is not None:
            return self.told
        signed = [side for side, count in self.counts.items() if self._signed[side] == count]
        return signed[0] if len(signed) == 1 and not self._signed[_OTHER[signed[0]]] else ""

    @property
    def why(self) -> str:
        """The evidence for which side is negative."""
        return (
            f"{self.negative} is below zero, as {'data.read.negative says' if self.told else 'signs in its cells show'}"
        )

    @property
    def hint(self) -> str:
        """What to say of a column where one side occurs, and cells without; empty: it is no such column."""
        if len(self.counts) != 1 or self.known:
            return ""
        side = next(iter(self.counts))
        return f"; if {side} is {'credit' if side == 'CR' else 'debit'} and below zero: data.read.negative={side}"

    def bare(self, text: pl.Series) -> pl.Series:
        """Look at cells; they come back without their sides, where these are known."""
        if not text.str.contains(_SIDE).any():
            return text
        parts = text.str.extract_groups(_SIDE).struct.unnest()
        sides = parts.to_series(1).str.to_uppercase()
        self.counts.update(sides.drop_nulls())
        self._signed.update(sides.filter(parts.to_series(0).str.contains(_SIGNED)).drop_nulls())
        self.cell = self.cell or str(text.filter(sides.is_not_null())[0])
        if not self.known:
            return text
        return text.to_frame("cells").select(with_signs(pl.col("cells"), self.negative or SIDES[1])).to_series()
