"""How the numbers of a column are written: decimal comma or point, thousands separators, currency, percent, units.

A column has one format, and a cell that is not written in it is no number: ``1.234`` in a column that writes
``1.234,50`` is 1234, and ``1.5`` there is a mistake to be named, not one and a half.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Literal

import polars as pl

from ignite_workflow.data.coordinates import to_degrees
from ignite_workflow.data.digits import with_western_digits
from ignite_workflow.data.durations import to_seconds
from ignite_workflow.data.flags import is_nothing, without_flags
from ignite_workflow.data.money import with_plain_money
from ignite_workflow.data.scales import is_scale, scaled
from ignite_workflow.data.sides import with_signs

__all__ = [
    "APOSTROPHES",
    "BLANKS",
    "FORMATS",
    "MINUS",
    "Decimal",
    "NumberFormat",
    "Thousands",
    "pattern",
    "simplified",
    "to_float",
]

Decimal = Literal[".", ","]
Thousands = Literal[",", ".", " ", "'"]

BLANKS = "\u00a0\u2007\u2009\u202f"  # stand for a thousands separator as a space does
APOSTROPHES = "\u2019"
MINUS = "\u2212"


@dataclass(frozen=True)
class NumberFormat:
    """How numbers are written.

    Attributes:
        decimal: between the whole part and the fraction.
        thousands: between groups of three digits; None: nothing. ``" "`` is any blank, narrow and no-break ones too.
        unit: before or after a number, perhaps left out: ``€``, ``%``, ``kg``.
        durations: cells are durations, and the numbers seconds.
        degrees: cells are latitudes or longitudes: ``12.5S`` is -12.5.
        digits: some are those of another script: full width, Arabic...
        scales: ``k``, ``M``, ``bn`` and the like multiply: ``5M`` is 5,000,000.
        negative: the side of bookkeepers that is below zero, DR or CR; the other is left out.
        money: ``5.-`` is 5, ``$ (7)`` -7 and ``$ -`` 0.
        flags: what stands beside numbers and is no part of them, as statistical offices write it: ``12.3 b``, ``5*``.
        signs: some minus signs are no hyphens before a digit: a true minus, or bookkeepers' ``(7)``, ``7-``, ``- 7``.
    """

    decimal: Decimal = "."
    thousands: Thousands | None = None
    unit: str = ""
    signs: bool = False
    durations: bool = False
    degrees: bool = False
    digits: bool = False
    scales: bool = False
    money: bool = False
    negative: str = ""
    flags: tuple[str, ...] = ()

    @property
    def is_plain(self) -> bool:
        """Whether numbers are written as programs write them."""
        return self == _PLAIN

    def example(self) -> str:
        """A number written in this way, for evidence.

        Example:
            >>> NumberFormat(",", ".", "€").example()
            '1.234,5 €'
        """
        if self.durations:
            return "1:02:03"
        if self.degrees:
            return "12.5S"
        if self.scales:
            return f"{self.unit}1{self.decimal}5M"
        minus = " or (7)" if self.signs else ""
        return f"1{self.thousands or ''}234{self.decimal}5{' ' if self.unit else ''}{self.unit}{minus}"


_PLAIN = NumberFormat()
_SEPARATORS: dict[Decimal, tuple[Thousands | None, ...]] = {".": (None, ",", " ", "'"), ",": (None, ".", " ", "'")}
FORMATS = tuple(
    NumberFormat(decimal, thousands) for decimal, separators in _SEPARATORS.items() for thousands in separators
)


def to_float(cells: pl.Expr, form: NumberFormat) -> pl.Expr:
    """Text as numbers, null where it is no number of that format.

    Example:
        >>> frame = pl.DataFrame({"price": ["1.234,50 €", "(7)", "1.5"]})
        >>> frame.select(to_float(pl.col("price"), NumberFormat(",", ".", "€")))["price"].to_list()
        [1234.5, -7.0, None]
    """
    if form.is_plain:
        return cells.cast(pl.Float64, strict=False)
    if form.durations:
        return to_seconds(cells)
    if form.degrees:
        return to_degrees(cells)
    if form.flags:
        numbers = to_float(without_flags(cells, form.flags), replace(form, flags=()))
        known = ~is_nothing(cells.str.strip_chars()).fill_null(value=False)
        return pl.when(known).then(numbers).otherwise(float("nan"))
    if form.negative:
        return to_float(with_signs(cells, form.negative), replace(form, negative="", signs=True))
    if form.money:
        return to_float(with_plain_money(cells), replace(form, money=False, signs=True))
    if form == NumberFormat(","):
        plain = pl.when(~cells.str.contains(".", literal=True)).then(cells.str.replace(",", ".", literal=True))
        return plain.cast(pl.Float64, strict=False)
    simple = simplified(with_western_digits(cells) if form.digits else cells)
    bare = _without_unit(simple, form.unit)
    bare, factor = scaled(bare) if form.scales else (bare, pl.lit(1.0))
    number = rf"^[+-]?(?:{pattern(form)})$"
    digits = bare.str.replace_all(rf"[^0-9+\-eE{re.escape(form.decimal)}]", "")
    if form.decimal == ",":
        digits = digits.str.replace(",", ".", literal=True)
    fits = bare.str.contains(number)
    if is_scale(form.unit):
        fits &= simple.str.contains(form.unit, literal=True)
    return pl.when(fits).then(digits).cast(pl.Float64, strict=False) * factor


def simplified(cells: pl.Expr) -> pl.Expr:
    """One spelling of each blank, apostrophe and minus."""
    simple = cells.str.replace_all(f"[{BLANKS}]", " ").str.replace_all(APOSTROPHES, "'", literal=True)
    simple = simple.str.replace_all(MINUS, "-", literal=True).str.strip_chars().str.replace(r"^- +", "-")
    simple = simple.str.replace(r"^\(([^()+-]*)\)$", "-${1}")
    # letters right behind it make a day of the cell: 20-Jan
    return simple.str.replace(r"^([^()+-]*[0-9])-((?: |[^0-9()+\-\pL]|$)[^0-9()+-]*)$", "-${1}${2}")


def _without_unit(cells: pl.Expr, unit: str) -> pl.Expr:
    if not unit:
        return cells
    literal = re.escape(unit)
    return cells.str.replace(rf"^([+-]?) ?{literal} ?", "${1}").str.replace(rf" ?{literal}$", "").str.strip_chars()


def pattern(form: NumberFormat) -> str:
    """Of digits without sign and unit."""
    point = re.escape(form.decimal)
    number = rf"(?:[0-9]+(?:{point}[0-9]*)?|{point}[0-9]+)(?:[eE][+-]?[0-9]+)?"
    if form.thousands is None:
        return number
    gap = re.escape(form.thousands)
    grouped = rf"[1-9][0-9]{{0,2}}(?:{gap}[0-9]{{3}})+"
    if form.thousands == ",":  # 12,34,567 as it is written in India
        grouped = rf"{grouped}|[1-9][0-9]?(?:,[0-9]{{2}})+,[0-9]{{3}}"
    return rf"(?:{grouped})(?:{point}[0-9]*)?|{number}"  # with an exponent nobody groups digits
