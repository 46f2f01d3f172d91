"""Digits and separators of other scripts, as those that programs read."""

from __future__ import annotations

import polars as pl

__all__ = ["OTHER_DIGITS", "with_western_digits"]

OTHER_DIGITS = r"[\p{Nd}--0-9]"
"""What matches a digit that is not one of 0 to 9."""

_ZEROS = (  # full width, Arabic, Persian, and those of India and its neighbours
    *("\uff10", "\u0660", "\u06f0", "\u0966", "\u09e6", "\u0a66", "\u0ae6", "\u0b66", "\u0be6", "\u0c66", "\u0ce6"),
    *("\u0d66", "\u0e50", "\u0ed0", "\u0f20", "\u1040", "\u17e0"),
)
_SIGNS = {"\uff0e": ".", "\uff0c": ",", "\uff05": "%", "\uff0d": "-", "\uff0b": "+", "\u066b": ".", "\u066c": ","}
_WESTERN = {
    **{chr(ord(zero) + digit): str(digit) for zero in _ZEROS for digit in range(10)},
    **_SIGNS,
    "\u066a": "%",
}


def with_western_digits(cells: pl.Expr) -> pl.Expr:
    """Text with the digits 0 to 9, and points and commas between them, in the place of those of other scripts.

    Example:
        >>> frame = pl.DataFrame({"cells": ["\\uff11\\uff12\\uff0e\\uff15", "\\u0664\\u0665", "78"]})
        >>> frame.select(with_western_digits(pl.col("cells")))["cells"].to_list()
        ['12.5', '45', '78']
    """
    return cells.str.replace_many(list(_WESTERN), list(_WESTERN.values()))
