"""Amounts of money as people and spreadsheets write them, in the spelling of other numbers."""

from __future__ import annotations

import polars as pl

from ignite_workflow.data.scales import ISO

__all__ = ["CURRENCY", "dash_for_zero", "has_money", "with_plain_money"]

CURRENCY = rf"[A-Z]{{0,2}}\p{{Sc}}|{ISO}|Rs\.?|kr\.?|Fr\.?"
_DASHES = "[-\u2013\u2014\u2212]"
_CENTS = rf"([0-9])([.,]){_DASHES}{{1,2}}(\s?[^0-9+\-]*)$"  # 5.- and 1.200,-- €
_PARENTHESES = rf"^({CURRENCY})\s*\(\s*([0-9][0-9.,' ]*?)\s*\)$"
_BEFORE_DASH, _BEHIND_DASH = rf"^({CURRENCY})\s*{_DASHES}$", rf"^{_DASHES}\s*({CURRENCY})$"
_ANY = "|".join((_CENTS, _PARENTHESES, _BEFORE_DASH, _BEHIND_DASH))


def has_money(text: pl.Series) -> bool:
    """Whether some cells are written as ``with_plain_money`` reads them."""
    return bool(text.str.contains(_ANY).any())


def dash_for_zero(text: pl.Series) -> str:
    """The first cell that is a currency and a dash, which stands for zero; empty: none is."""
    found = text.filter(text.str.contains(f"{_BEFORE_DASH}|{_BEHIND_DASH}"))
    return str(found[0]) if len(found) else ""


def with_plain_money(cells: pl.Expr) -> pl.Expr:
    """Amounts with zeros for a dash that stands for them, and a minus for parentheses behind a currency.

    Example:
        >>> frame = pl.DataFrame({"x": ["Fr. 5.\u2013", "$ (7.00)", "$ -"]})
        >>> frame.select(with_plain_money(pl.col("x")))["x"].to_list()
        ['Fr. 5.0', '-$7.00', '$0']
    """
    plain = cells.str.strip_chars().str.replace(_CENTS, "${1}${2}0${3}")
    plain = plain.str.replace(_PARENTHESES, "-${1}${2}").str.replace(_BEFORE_DASH, "${1}0")
    return plain.str.replace(_BEHIND_DASH, "0 ${1}")
