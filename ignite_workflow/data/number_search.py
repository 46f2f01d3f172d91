"""Finds the way in which a column writes its numbers, by looking at all of its cells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from operator import itemgetter

import polars as pl

from ignite_workflow.data.digits import OTHER_DIGITS, with_western_digits
from ignite_workflow.data.flags import FlagSearch, limit_sign
from ignite_workflow.data.money import CURRENCY, dash_for_zero, has_money, with_plain_money
from ignite_workflow.data.number_format import (
    APOSTROPHES,
    BLANKS,
    FORMATS,
    MINUS,
    Decimal,
    NumberFormat,
    Thousands,
    pattern,
    simplified,
)
from ignite_workflow.data.scales import UNIT, common_currency, is_scale
from ignite_workflow.data.sides import SIDES, Sides
from ignite_workflow.data.tolerance import MOST_MISTAKES

__all__ = ["NumberSearch"]

_DIGITS = rf"[.,]?[0-9](?:[0-9.,' {BLANKS}{APOSTROPHES}]*[0-9])?[.,]?(?:[eE][+-]?[0-9]+)?"
_CELL = (
    rf"^(?P<open>\()?(?P<sign>[+\-{MINUS}]?)\s?(?P<before>{CURRENCY})?\s?(?P<sign2>[+\-{MINUS}]?)"
    rf"(?P<digits>{_DIGITS})(?P<trail>-)?(?P<gap>\s)?(?P<after>{UNIT})?(?P<close>\))?$"
)
_BYTE = "(?:25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])"
_ADDRESS = rf"^{_BYTE}(?:\.{_BYTE}){{3}}$"
_OPEN_RANGE = r"^\d+-$"
_PROOF = 3  # cells with a separator, and as many smaller ones without (or fewer, among more): then it is no coincidence
_CODE_DIGITS = 9
_MOST_UNITS = 5


class NumberSearch:
    """Finds the format in which the numbers of a column are written, by looking at all of its cells.

    Args:
        allowed: what a person's settings leave open.
        flags: what a person says stands beside numbers and is no part of them; None: nothing does.
        negative: the side that a person says is below zero, see ``Sides``.
    """

    def __init__(
        self,
        allowed: Sequence[NumberFormat] = FORMATS,
        flags: Sequence[str] | None = (),
        negative: str | None = None,
    ) -> None:
        self.flags = FlagSearch(flags)
        self.sides = Sides(negative)
        self.known = 0
        self.units: dict[str, int] = {}
        self._bad = dict.fromkeys(allowed, 0)
        self._other = 0  # cells that are no numbers in any format
        self._seen: set[str] = set()  # of the separators
        self._parted = self._small = 0
        self._lengths: set[int] = set()
        self._signs = self._other_digits = self._money = False
        self._zeros = False  # such digits with a zero in front: a code
        self._addresses = self._open_ranges = 0
        self.cell = ""  # the longest, for evidence
        self.example = ""
        self.zero = ""  # the first that is a dash beside a currency

    @staticmethod
    def allowed(decimal: Decimal | None, thousands: Thousands | None) -> tuple[NumberFormat, ...]:
        """The formats that settings leave open."""
        return tuple(
            form
            for form in FORMATS
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
        self._open_ranges += int(text.str.contains(_OPEN_RANGE).sum())
        text = self.sides.bare(text)
        if has_money(text):
            self._money, self.zero = True, self.zero or dash_for_zero(text)
            text = text.to_frame("cells").select(with_plain_money(pl.col("cells"))).to_series()
        groups, fits = _parted(text)
        if fits.any():
            self._show(written.filter(fits))
        self._signs |= text.str.contains(rf"^[-{MINUS}] ").any()
        self._add_numbers(groups.filter(fits), text)
        if not fits.all():
            self._add_flagged(text.filter(~fits), written.filter(~fits))

    def _show(self, written: pl.Series) -> None:
        longest = str(written[int(written.str.len_chars().arg_max() or 0)])
        self.cell = max(self.cell, longest, key=len)

    def _add_flagged(self, text: pl.Series, written: pl.Series) -> None:
        """Look at cells that are no numbers, but may be without their flags."""
        bare = self.flags.bare(text)
        self.known += bare.height - len(text)
        flagged = bare.filter(pl.col("flag") != "")
        groups, fits = _parted(flagged["cells"])
        self._other += bare.height - int(fits.sum())
        self.flags.count(flagged["flag"].filter(fits))
        self._zeros |= bool(flagged["cells"].filter(fits).str.contains(r"^0\d").any())
        self._add_numbers(groups.filter(fits), bare["cells"])
        if fits.any() and not self.cell:
            self._show(written.filter(written.str.contains(r"\d")))

    def _add_numbers(self, groups: pl.DataFrame, text: pl.Series) -> None:
        if groups.height:
            self._add_parts(groups)
        if any(len(unit) == 1 for unit in self.units):
            self.flags.look_behind(text)

    def _add_parts(self, groups: pl.DataFrame) -> None:
        odd = (pl.col("sign", "sign2") == MINUS).any() | pl.col("open", "trail").is_not_null().any()
        self._signs |= bool(groups.select(pl.any_horizontal(odd)).item())
        both = groups.select(pl.concat_str("before", "after", separator=" ", ignore_nulls=True)).to_series()
        for unit, count in both.value_counts().iter_rows():
            self.units[unit] = self.units.get(unit, 0) + count
        digits = groups.select(simplified(pl.col("digits"))).to_series()
        self._add_digits(digits)

    def _add_digits(self, digits: pl.Series) -> None:
        for separator in ".,' ":
            holds = digits.str.contains(separator, literal=True)
            if holds.any():
                self._seen.add(separator)
                self.example = self.example or str(digits.filter(holds)[0])
        for form in self._bad:
            self._bad[form] += int((~digits.str.contains(rf"^(?:{pattern(form)})$")).sum())
        parted = digits.str.contains(r"[., ']")
        self._parted += int(parted.sum())
        self._small += int(digits.str.contains(r"^[1-9][0-9]{0,2}$").sum())
        self._lengths.update(digits.filter(parted).str.len_chars().unique().to_list()[:2])

    def _units(self) -> dict[str, int]:
        """Those of the column, and in how many cells: none in those that have a flag in the place of it."""
        letters = self.flags.letters(self.units)
        if not letters:
            return self.units
        units = {unit: count for unit, count in self.units.items() if unit not in letters}
        return {**units, "": units.get("", 0) + sum(self.units[letter] for letter in letters)}

    def _unit(self) -> tuple[str, int]:
        """The unit of most cells, and how many cells have another; none at all is another only for % and k."""
        units = self._units()
        unit = max(sorted(units), key=units.__getitem__, default="")
        granted = 0 if is_scale(unit) else units.get("", 0)
        if unit and units[unit] < granted:
            unit = ""
        same = units.get(unit, 0) + (granted if unit else 0)
        return unit, sum(units.values()) - same

    def formats(self, *, decimal: Decimal | None = None) -> tuple[NumberFormat, ...]:
        """The formats that fit; several where they are different numbers and no cell tells which; none: no numbers.

        Args:
            decimal: of other columns in the same table, which decides what this one leaves open.
        """
        fitting = self._with_decimal(decimal)
        if len(fitting) != 1 or not self.sides.known:
            return fitting
        return tuple(
            replace(fitting[0], negative=side) for side in ([self.sides.negative] if self.sides.negative else SIDES)
        )

    def _with_decimal(self, decimal: Decimal | None) -> tuple[NumberFormat, ...]:
        fitting = self._fitting()
        if len(fitting) < 2:
            return fitting
        agreeing = tuple(form for form in fitting if form.decimal == decimal)
        grouped = tuple(form for form in fitting if form.thousands is not None)
        if len(agreeing) == 1:
            return agreeing
        # decimals of exactly three digits in some cells and of none in others would be a coincidence
        coincidence = len(grouped) == 1 and self._parted >= _PROOF and self._small * self._parted >= _PROOF**2
        return grouped if coincidence else fitting

    def _fitting(self) -> tuple[NumberFormat, ...]:
        best = min(self._bad.values(), default=0)
        currency = common_currency(self._units(), self.known, MOST_MISTAKES)
        unit, strangers = self._unit() if currency is None else (currency, 0)
        bad = self._other + strangers + best
        if not self.known or bad > MOST_MISTAKES * self.known or self._is_code():
            return ()
        forms = [form for form, bad in self._bad.items() if bad == best]
        plain = {form.decimal for form in forms if form.thousands is None}  # no cell needs a thousands separator
        forms = [form for form in forms if form.thousands is None or form.decimal not in plain]
        fitting = dict.fromkeys(map(self._reduced, forms))
        same = NumberFormat(
            unit=unit,
            signs=self._signs,
            digits=self._other_digits,
            scales=currency is not None,
            money=self._money,
            flags=self.flags.found(self.units),
        )
        return tuple(replace(same, decimal=form.decimal, thousands=form.thousands) for form in fitting)

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
            or self.are_open_ranges
            or self._zeros
            or (
                self._parted == self.known
                and not self._seen & {".", ","}
                and len(self._lengths) == 1
                and max(self._lengths) > _CODE_DIGITS
            )
        )

    @property
    def why_not(self) -> str:
        """What keeps the column from being one of numbers, where that is worth a word; else empty."""
        if self.are_addresses:
            return "addresses, not numbers"
        if self.are_open_ranges:
            return "ranges without an end, not numbers below zero"
        units = self._mixed_units
        return f"numbers with different units: {units}" if units else self._said_of_limits

    @property
    def are_addresses(self) -> bool:
        """Whether every cell is an address such as 110.110.114.101."""
        return 0 < self.known == self._addresses

    @property
    def are_open_ranges(self) -> bool:
        """Whether every cell is one such as 1935-: not all would be below zero, and end with the sign."""
        return 0 < self.known == self._open_ranges

    @property
    def proves(self) -> Decimal | None:
        """The decimal separator that this column's cells leave no doubt about; None where they do."""
        forms = self._fitting()
        return forms[0].decimal if len(forms) == 1 and self._seen & {".", ","} else None

    @property
    def _mixed_units(self) -> str:
        """What keeps numbers with different units from being a column of numbers; empty where that is not so."""
        numbers = self._other <= MOST_MISTAKES * self.known and 1 < len(self.units) <= _MOST_UNITS
        if not numbers or self._unit()[1] <= MOST_MISTAKES * self.known:
            return ""
        counted = sorted(sorted(self.units.items()), key=itemgetter(1), reverse=True)
        said = ", ".join(f"{unit or 'none'} ({count})" for unit, count in counted)
        flags = [unit for unit, _ in counted if len(unit) == 1 and unit.isalpha()]
        hint = (
            f"; if these are flags and change no number: data.read.flags={flags}" if flags and "" in self.units else ""
        )
        return said + hint + self.sides.hint

    @property
    def _said_of_limits(self) -> str:
        """That cells such as <0.3 keep a column from being one of numbers, and what to do; empty: that is not so."""
        limits = self.flags.limits
        if not limits or self._other - limits > MOST_MISTAKES * self.known:
            return ""
        cure = f"if the limit may stand for it: data.read.flags=[{limit_sign(self.flags.limit)!r}]"
        return f"{limits} say what a number is below or above, such as {self.flags.limit!r}; {cure}"


def _parted(text: pl.Series) -> tuple[pl.DataFrame, pl.Series]:
    """The parts of cells that may be numbers, and which are."""
    groups = text.str.extract_groups(_CELL).struct.unnest()
    closed = groups["open"].is_null() == groups["close"].is_null()
    is_day = groups["trail"].is_not_null() & groups["gap"].is_null() & groups["after"].str.contains(r"^\pL")  # 20-Jan
    return groups, groups["digits"].is_not_null() & closed & ~is_day.fill_null(value=False)
