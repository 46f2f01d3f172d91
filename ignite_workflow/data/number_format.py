"""How the numbers of a column are written: decimal comma or point, thousands separators, currency, percent, units.

A column has one format, and a cell that is not written in it is no number: ``1.234`` in a column that writes
``1.234,50`` is 1234, and ``1.5`` there is a mistake to be named, not one and a half.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from operator import itemgetter
from typing import Literal

import polars as pl

from ignite_workflow.data.digits import OTHER_DIGITS, with_western_digits
from ignite_workflow.data.durations import to_seconds
from ignite_workflow.data.scales import ISO, UNIT, common_currency, is_scale, scaled

__all__ = ["Decimal", "NumberFormat", "NumberSearch", "Thousands", "to_float"]

Decimal = Literal[".", ","]
Thousands = Literal[",", ".", " ", "'"]

_BLANKS = "\u00a0\u2007\u2009\u202f"  # stand for a thousands separator as a space does
_APOSTROPHES = "\u2019"
_MINUS = "\u2212"
_CURRENCY = rf"[A-Z]{{0,2}}\p{{Sc}}|{ISO}|Rs\.?|kr\.?|Fr\.?"
_DIGITS = rf"[.,]?[0-9](?:[0-9.,' {_BLANKS}{_APOSTROPHES}]*[0-9])?[.,]?(?:[eE][+-]?[0-9]+)?"
_CELL = (
    rf"^(?P<open>\()?(?P<sign>[+\-{_MINUS}]?)\s?(?P<before>{_CURRENCY})?\s?(?P<sign2>[+\-{_MINUS}]?)"
    rf"(?P<digits>{_DIGITS})(?P<trail>-)?\s?(?P<after>{UNIT})?(?P<close>\))?$"
)
_BYTE = "(?:25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])"
_ADDRESS = rf"^{_BYTE}(?:\.{_BYTE}){{3}}$"
_BAD_SHARE = 0.05  # of cells that may be mistakes in a column of numbers
_PROOF = 3  # cells with a separator, and as many smaller ones without: then it is no coincidence
_CODE_DIGITS = 9
_MOST_UNITS = 5


@dataclass(frozen=True)
class NumberFormat:
    """How numbers are written.

    Attributes:
        decimal: between the whole part and the fraction.
        thousands: between groups of three digits; None: nothing. ``" "`` is any blank, narrow and no-break ones too.
        unit: before or after a number, perhaps left out: ``€``, ``%``, ``kg``.
        durations: cells are durations, and the numbers seconds.
        digits: some are those of another script: full width, Arabic...
        scales: ``k``, ``M``, ``bn`` and the like multiply: ``5M`` is 5,000,000.
        signs: some minus signs are no hyphens before a digit: a true minus, or bookkeepers' ``(7)``, ``7-``, ``- 7``.
    """

    decimal: Decimal = "."
    thousands: Thousands | None = None
    unit: str = ""
    signs: bool = False
    durations: bool = False
    digits: bool = False
    scales: bool = False

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
        if self.scales:
            return f"{self.unit}1{self.decimal}5M"
        minus = " or (7)" if self.signs else ""
        return f"1{self.thousands or ''}234{self.decimal}5{' ' if self.unit else ''}{self.unit}{minus}"


_PLAIN = NumberFormat()
_SEPARATORS: dict[Decimal, tuple[Thousands | None, ...]] = {".": (None, ",", " ", "'"), ",": (None, ".", " ", "'")}
_ALL = tuple(
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
    if form == NumberFormat(","):
        plain = pl.when(~cells.str.contains(".", literal=True)).then(cells.str.replace(",", ".", literal=True))
        return plain.cast(pl.Float64, strict=False)
    simple = _simplified(with_western_digits(cells) if form.digits else cells)
    bare = _without_unit(simple, form.unit)
    bare, factor = scaled(bare) if form.scales else (bare, pl.lit(1.0))
    number = rf"^[+-]?(?:{_pattern(form)})$"
    digits = bare.str.replace_all(rf"[^0-9+\-eE{re.escape(form.decimal)}]", "")
    if form.decimal == ",":
        digits = digits.str.replace(",", ".", literal=True)
    fits = bare.str.contains(number)
    if is_scale(form.unit):
        fits &= simple.str.contains(form.unit, literal=True)
    return pl.when(fits).then(digits).cast(pl.Float64, strict=False) * factor


def _simplified(cells: pl.Expr) -> pl.Expr:
    """One spelling of each blank, apostrophe and minus."""
    simple = cells.str.replace_all(f"[{_BLANKS}]", " ").str.replace_all(_APOSTROPHES, "'", literal=True)
    simple = simple.str.replace_all(_MINUS, "-", literal=True).str.strip_chars().str.replace(r"^- +", "-")
    simple = simple.str.replace(r"^\(([^()+-]*)\)$", "-${1}")
    return simple.str.replace(r"^([^()+-]*[0-9.,])-( ?[^0-9()+-]*)$", "-${1}${2}")


def _without_unit(cells: pl.Expr, unit: str) -> pl.Expr:
    if not unit:
        return cells
    literal = re.escape(unit)
    return cells.str.replace(rf"^([+-]?) ?{literal} ?", "${1}").str.replace(rf" ?{literal}$", "").str.strip_chars()


def _pattern(form: NumberFormat) -> str:
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


class NumberSearch:
    """Finds the format in which the numbers of a column are written, by looking at all of its cells.

    Args:
        allowed: what a person's settings leave open.
    """

    def __init__(self, allowed: Sequence[NumberFormat] = _ALL) -> None:
        self.known = 0
        self.units: dict[str, int] = {}
        self._bad = dict.fromkeys(allowed, 0)
        self._other = 0  # cells that are no numbers in any format
        self._seen: set[str] = set()  # of the separators
        self._parted = self._small = 0
        self._lengths: set[int] = set()
        self._signs = self._other_digits = False
        self._zeros = False  # such digits with a zero in front: a code
        self._addresses = 0
        self.cell = ""  # the longest, for evidence
        self.example = ""

    @staticmethod
    def allowed(decimal: Decimal | None, thousands: Thousands | None) -> tuple[NumberFormat, ...]:
        """The formats that settings leave open."""
        return tuple(
            form
            for form in _ALL
            if decimal in (None, form.decimal) and (thousands is None or form.thousands in (None, thousands))
        )

    def add(self, text: pl.Series) -> None:
        """Look at cells: text without blanks around it, none of them missing."""
        self.known += len(text)
        written = text
        if text.str.contains(OTHER_DIGITS).any():
            self._other_digits = True
            text = text.to_frame("cells").select(with_western_digits(pl.col("cells"))).to_series()
            self._zeros |= text.str.contains(r"^0\d").any()
        self._addresses += int(text.str.contains(_ADDRESS).sum())
        groups = text.str.extract_groups(_CELL).struct.unnest()
        fits = groups["digits"].is_not_null() & (groups["open"].is_null() == groups["close"].is_null())
        self._other += int((~fits).sum())
        if fits.any():
            written = written.filter(fits)
            longest = str(written[int(written.str.len_chars().arg_max() or 0)])
            self.cell = max(self.cell, longest, key=len)
        self._signs |= text.str.contains(rf"^[-{_MINUS}] ").any()
        groups = groups.filter(fits)
        odd = (pl.col("sign", "sign2") == _MINUS).any() | pl.col("open", "trail").is_not_null().any()
        self._signs |= bool(groups.select(pl.any_horizontal(odd)).item()) if groups.height else False
        both = groups.select(pl.concat_str("before", "after", separator=" ", ignore_nulls=True)).to_series()
        for unit, count in both.value_counts().iter_rows():
            self.units[unit] = self.units.get(unit, 0) + count
        digits = groups.select(_simplified(pl.col("digits"))).to_series()
        self._add_digits(digits)

    def _add_digits(self, digits: pl.Series) -> None:
        for separator in ".,' ":
            holds = digits.str.contains(separator, literal=True)
            if holds.any():
                self._seen.add(separator)
                self.example = self.example or str(digits.filter(holds)[0])
        for form in self._bad:
            self._bad[form] += int((~digits.str.contains(rf"^(?:{_pattern(form)})$")).sum())
        parted = digits.str.contains(r"[., ']")
        self._parted += int(parted.sum())
        self._small += int(digits.str.contains(r"^[1-9][0-9]{0,2}$").sum())
        self._lengths.update(digits.filter(parted).str.len_chars().unique().to_list()[:2])

    def _unit(self) -> tuple[str, int]:
        """The unit of most cells, and how many cells have another; none at all is another only for % and k."""
        unit = max(sorted(self.units), key=self.units.__getitem__, default="")
        granted = 0 if is_scale(unit) else self.units.get("", 0)
        if unit and self.units[unit] < granted:
            unit = ""
        same = self.units.get(unit, 0) + (granted if unit else 0)
        return unit, sum(self.units.values()) - same

    def formats(self, *, decimal: Decimal | None = None) -> tuple[NumberFormat, ...]:
        """The formats that fit; several where they are different numbers and no cell tells which; none: no numbers.

        Args:
            decimal: of other columns in the same table, which decides what this one leaves open.
        """
        fitting = self._fitting()
        if len(fitting) < 2:
            return fitting
        agreeing = tuple(form for form in fitting if form.decimal == decimal)
        grouped = tuple(form for form in fitting if form.thousands is not None)
        if len(agreeing) == 1:
            return agreeing
        # decimals of exactly three digits in some cells and of none in others would be a coincidence
        coincidence = len(grouped) == 1 and self._small >= _PROOF and self._parted >= _PROOF
        return grouped if coincidence else fitting

    def _fitting(self) -> tuple[NumberFormat, ...]:
        best = min(self._bad.values(), default=0)
        currency = common_currency(self.units, self.known, _BAD_SHARE)
        unit, strangers = self._unit() if currency is None else (currency, 0)
        bad = self._other + strangers + best
        if not self.known or bad > _BAD_SHARE * self.known or self._is_code():
            return ()
        forms = [form for form, bad in self._bad.items() if bad == best]
        plain = {form.decimal for form in forms if form.thousands is None}  # no cell needs a thousands separator
        forms = [form for form in forms if form.thousands is None or form.decimal not in plain]
        fitting = dict.fromkeys(map(self._reduced, forms))
        scales = currency is not None
        return tuple(
            replace(form, unit=unit, signs=self._signs, digits=self._other_digits, scales=scales) for form in fitting
        )

    def _reduced(self, form: NumberFormat) -> NumberFormat:
        """Without what does not occur in the column."""
        thousands = form.thousands if form.thousands in self._seen else None
        decimal = form.decimal
        if decimal not in self._seen and thousands != ".":
            decimal = "."
        return NumberFormat(decimal, thousands)

    def _is_code(self) -> bool:
        """Groups of digits that are all of one length, such as 030 123 456, and addresses: no quantities."""
        return (
            self.are_addresses
            or self._zeros
            or (
                self._parted == self.known
                and not self._seen & {".", ","}
                and len(self._lengths) == 1
                and max(self._lengths) > _CODE_DIGITS
            )
        )

    @property
    def are_addresses(self) -> bool:
        """Whether every cell is an address such as 110.110.114.101."""
        return 0 < self.known == self._addresses

    @property
    def proves(self) -> Decimal | None:
        """The decimal separator that this column's cells leave no doubt about; None where they do."""
        forms = self._fitting()
        return forms[0].decimal if len(forms) == 1 and self._seen & {".", ","} else None

    @property
    def mixed_units(self) -> str:
        """What keeps numbers with different units from being a column of numbers; empty where that is not so."""
        numbers = self._other <= _BAD_SHARE * self.known and 1 < len(self.units) <= _MOST_UNITS
        if not numbers or self._unit()[1] <= _BAD_SHARE * self.known:
            return ""
        counted = sorted(sorted(self.units.items()), key=itemgetter(1), reverse=True)
        return ", ".join(f"{unit or 'none'} ({count})" for unit, count in counted)
