"""Numbers and names as a person reads them, in the same way everywhere."""

from __future__ import annotations

import math
import textwrap
import unicodedata
from collections import Counter
from collections.abc import Sequence

__all__ = [
    "format_number",
    "format_seconds",
    "padded",
    "printable",
    "shorten",
    "shorten_apart",
    "text_width",
    "wrapped",
]


def format_number(value: float) -> str:
    """Four significant digits; whole numbers up to ten million in full, without an exponent.

    Example:
        >>> [format_number(value) for value in (0.5, 0.01234567, 0, 47412.3, 2.5e-7, math.nan)]
        ['0.5000', '0.01235', '0.000', '47412', '2.500e-07', 'nan']
    """
    if not math.isfinite(value):
        return str(value)
    size = abs(float(f"{value:.4g}"))  # 9999.7 is shown as 10000, so it belongs there
    if size == 0 or 1e-4 <= size < 1e4:
        return f"{value:#.4g}".rstrip(".")
    return f"{value:.0f}" if 1e4 <= size < 1e7 else f"{value:.3e}"


def format_seconds(seconds: float) -> str:
    """A time in the largest two units that say something.

    Example:
        >>> [format_seconds(seconds) for seconds in (0.034, 1.23, 59.97, 125, 7620)]
        ['0.03 s', '1.2 s', '1 min 00 s', '2 min 05 s', '2 h 07 min']
    """
    if seconds < 59.95:
        return f"{seconds:.{1 if seconds >= 1 else 2}f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    return f"{minutes // 60} h {minutes % 60:02d} min"


def printable(text: str) -> str:
    r"""The text with the characters that a terminal acts on, or that XML cannot hold, written as their escapes.

    Example:
        >>> printable("F1 Größe\n\x1b[31m")
        'F1 Größe\\n\\x1b[31m'
    """
    if text.isprintable():  # nearly all of thousands of lines
        return text
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in text)


def text_width(text: str) -> int:
    """The columns of a terminal that a text takes: two for each Chinese, Japanese or Korean character.

    Example:
        >>> text_width("class"), text_width("日本"), text_width("e\u0301")
        (5, 4, 1)
    """
    if text.isascii():
        return len(text)
    return sum(0 if unicodedata.combining(char) else 1 + (unicodedata.east_asian_width(char) in "WF") for char in text)


def padded(text: str, width: int) -> str:
    """The text with blanks after it, up to so many columns of a terminal."""
    return text + " " * (width - text_width(text))


def shorten(name: str, length: int) -> str:
    """The name in at most ``length`` columns, its middle left out, fit to be printed or drawn.

    Example:
        >>> shorten("a_very_long_name_of_something", 12)
        'a_very…thing'
    """
    shown = printable(name)
    if text_width(shown) <= length:
        return shown
    tail = (length - 1) // 2
    return f"{_beginning(shown, length - 1 - tail)}…{_beginning(shown[::-1], tail)[::-1]}"


def shorten_apart(names: Sequence[str], length: int) -> list[str]:
    """Each name in at most ``length`` columns: where the middle tells names apart, their beginning is left out.

    Example:
        >>> shorten_apart(["price of the first part", "price of the second part", "year"], 12)
        ['…e first pa…', '…e second p…', 'year']
    """
    shown = [shorten(name, length) for name in names]
    for each in [text for text, count in Counter(shown).items() if count > 1]:
        places = [place for place, text in enumerate(shown) if text == each]
        whole = [printable(names[place]) for place in places]
        if len({*whole}) == 1:
            continue
        letters = enumerate(zip(*whole, strict=False))
        differ = next((number for number, column in letters if len({*column}) > 1), min(map(len, whole)))
        for place, text in zip(places, whole, strict=True):
            rest = text[max(0, differ - 2) :]
            shown[place] = f"…{rest}" if text_width(rest) < length else f"…{_beginning(rest, length - 2)}…"
    return shown


def _beginning(text: str, width: int) -> str:
    for number in range(len(text)):
        if text_width(text[: number + 1]) > width:
            return text[:number]
    return text


def wrapped(line: str, width: int | None, *, indent: int = 4) -> str:
    r"""A line cut at words to fit a terminal, what goes on indented; a word that is too long stays whole.

    Args:
        line: may begin with blanks of its own, which are kept.
        width: columns; None: no terminal, where a line stays whole for whoever reads it.
        indent: blanks before each line but the first.

    Example:
        >>> wrapped("note    a name of two words", 20, indent=8)
        'note    a name of\n        two words'
    """
    if width is None or len(line) <= width:
        return line
    hanging = " " * indent
    return textwrap.fill(line, width, subsequent_indent=hanging, break_long_words=False, break_on_hyphens=False)
