"""Units that make another number of the digits before them: 5 %, 5k, 5 Mio. €, 5万円; and those that are multiplied."""

from __future__ import annotations

import re
from collections.abc import Mapping

import polars as pl

__all__ = ["ISO", "UNIT", "common_currency", "is_scale", "scaled"]

ISO = "USD|EUR|GBP|JPY|CHF|CAD|AUD|NZD|CNY|INR|RUB|BRL|ZAR|SEK|NOK|DKK|PLN|CZK|HUF|TRY|MXN|KRW|SGD|HKD"
_WORDS_AFTER = r"[\p{L}µ][\p{L}µ°%/·.^²³*-]{0,14}[23]?(?: [\p{L}][\p{L}/²³.]{0,9}[23]?)?"
_OUT_OF = "/ ?(?:4|5|6|7|10|15|20|30|50|100|1000)"  # of marks and ratings: 4.1/5
UNIT = rf"(?:%|‰|°\s?[A-Za-z]?|\p{{Sc}}|{_WORDS_AFTER}|{_OUT_OF})"
# where these are left out, another number is meant; the letters in this case only, words in any
_SCALE_LETTERS = ("%", "‰", "k", "K", "m", "M", "b", "B", "G", "T")
_SCALE_WORDS = re.compile(
    "hundred|dozen|thousands?|millions?|billions?|trillions?|mn|mln|mil|mill|bn|bln|tn|lakhs?|lacs?|crores?|cr|tsd|"
    "tausend|mio|millionen|mrd|mia|milliarden|mille|milliards|millones|milhão|milhões|bilhões|mila|milioni|miliardi|"
    "tys|mld|тыс|млн|млрд|трлн|ألف|مليون|مليار",
    re.IGNORECASE,
)
_SCALE_SIGNS = "百千万萬億亿兆천만억조"  # stand before a currency or a counter: 万円
_SCALED_CURRENCY = re.compile(rf"[kKTM](?:[€$£¥₹]|{ISO})")
_LETTERS = {"k": 1e3, "K": 1e3, "m": 1e6, "M": 1e6, "b": 1e9, "B": 1e9, "T": 1e12}
_WORDS = {
    **dict.fromkeys(("thousand", "tsd"), 1e3),
    **dict.fromkeys(("mn", "mln", "mio", "million", "millions"), 1e6),
    **dict.fromkeys(("bn", "bln", "mrd", "mld", "billion", "billions"), 1e9),
    **dict.fromkeys(("tn", "trillion", "trillions"), 1e12),
}
_FACTORS = {
    **_LETTERS,
    **{spelled: size for word, size in _WORDS.items() for spelled in (word, word.title(), word.upper())},
}
_CURRENCY = re.compile(rf"[A-Z]{{0,2}}[€$£¥₹₩₽₺₫₪₦₴]|{ISO}")
_SUFFIX = r" ?([\p{L}]+)\.?$"
_BILLIONS = 1e9


def is_scale(unit: str) -> bool:
    """Whether a number without the unit is another one: 5 and 5 %, 5 and 5 Mio. €, 5 and 5万円."""
    words = unit.split()
    return any(
        word in _SCALE_LETTERS
        or _SCALE_WORDS.fullmatch(word.rstrip("."))
        or word[0] in _SCALE_SIGNS
        or word[0] == "/"
        or _SCALED_CURRENCY.fullmatch(word)
        for word in words
    )


def common_currency(units: Mapping[str, int], known: int, share: float) -> str | None:
    """The currency of cells such as $5M, 3.2k, 1.5bn that are to be multiplied; empty: none; None: they are not such.

    They are where several sizes occur, or one beside a currency. That of ``5m`` may be metres, unless a currency or
    billions stand in the column too.

    Args:
        units: what stands before and after the digits, a blank between, and in how many cells.
        known: how many cells there are.
        share: of them that may be something else.
    """
    parted = {unit: (rest, size) for unit in units for rest, _, size in [unit.rpartition(" ")] if size in _FACTORS}
    bare = {unit: unit for unit in units if unit not in parted}
    currencies = {rest for rest, _ in parted.values()} | {unit for unit in bare if _CURRENCY.fullmatch(unit)} - {""}
    currencies.discard("")
    sizes = {_FACTORS[size] for _, size in parted.values()}
    several = len(sizes) > 1 or any(rest for rest, _ in parted.values())
    doubtful = any(size == "m" for _, size in parted.values()) and not currencies and max(sizes) < _BILLIONS
    if not parted or not several or doubtful or len(currencies) > 1:
        return None
    currency = next(iter(currencies), "")
    fitting = sum(count for unit, count in units.items() if unit in parted or unit in ("", currency))
    wanted = not currency or _CURRENCY.fullmatch(currency)
    return currency if wanted and known - fitting <= share * known else None


def scaled(digits: pl.Expr) -> tuple[pl.Expr, pl.Expr]:
    """Text without the size at its end, and what that multiplies by: null where it is none."""
    size = digits.str.extract(_SUFFIX)
    factor = pl.when(size.is_null()).then(1.0).otherwise(size.replace_strict(_FACTORS, default=None))
    return digits.str.replace(_SUFFIX, ""), factor
