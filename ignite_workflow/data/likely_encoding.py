# ruff: noqa: RUF001 - signs and letters that look like others are what this is about
"""The encoding of text that is not UTF-8, told by the languages that spreadsheets are written in.

A header alone, such as ``Größe`` or ``Возраст``, is too little for statistics, but enough for alphabets: in the right
encoding a word has the letters of one language, its capitals stand in front, and no sign stands between its letters.
"""

from __future__ import annotations

import re
from itertools import pairwise

from ignite_workflow.data.alphabets import LANGUAGES, SELDOM, Language

__all__ = ["likeliest_encoding"]

_LOOKED_BYTES = 4 * 1024
_UNLIKELY = 0.35  # of the foreign characters are wrong
_TENTH = 0.1  # of a letter that is wrong: one that is rare, or none of the common ones
_SIGNS = frozenset("\u00a0°²³µ·–—‘’“”„…«»§½¼¾×±™®©¡¿ªº•‰№€£¥¢‹›†")
_IN_WORDS = frozenset("’‘–—\u00a0")
_NOT_BEFORE_LETTERS, _NOT_BEHIND_LETTERS = frozenset("£¥¼½¾²³”"), frozenset("¿¡£¥¼½¾")
_NOT_TOGETHER = frozenset("°±×§¡¿®©™")
_NO_LETTERS = "µªº¹²³¼½¾"  # for all that Python's expressions think
_LETTER = re.compile(rf"[^\W\d_\x00-\x7f{_NO_LETTERS}]")
_WIDE_SIGN = re.compile("[\u3000-\u303f\uff01-\uff5e]")
_FOREIGN_WORD = re.compile(r"[^\W\d_\x00-\x7f]{4,}")
_WORD = re.compile(r"[^\W\d_]{3,}")
_ENCLOSED = re.compile(r"(?<=[a-z])[^\W\x00-\x7f](?=[a-z])")
_STATISTICAL = ("gb18030", "big5", "cp949", "cp932", "euc_jp", "cp874")


def likeliest_encoding(foreign: bytes) -> str | None:
    """The encoding of text that is not UTF-8; None where nothing tells.

    Args:
        foreign: a part of it.

    Example:
        >>> likeliest_encoding("Größe;Alter".encode("cp1252")), likeliest_encoding("Возраст".encode("cp1251"))
        ('cp1252', 'cp1251')
    """
    lines = b"\n".join(dict.fromkeys(line for line in foreign.splitlines() if not line.isascii()))
    cut = lines[:_LOOKED_BYTES]
    cut = cut[: cut.rfind(b"\n")] if len(lines) > _LOOKED_BYTES and b"\n" in cut else cut
    wrong = {name: _share_wrong(cut, name) for name in LANGUAGES}
    best = min(wrong, key=wrong.__getitem__)
    return best if wrong[best] <= _UNLIKELY else _by_statistics(cut)


def _share_wrong(data: bytes, encoding: str) -> float:
    """Of the foreign characters, those that are wrong in that encoding, by the language that suits them best."""
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError:
        return float("inf")
    foreign = sum(not character.isascii() for character in text)
    wrong = sum(map(_is_odd_sign, " " + text, text, text[1:] + " "))
    wrong += sum(map(_is_odd_letter, "  " + text, " " + text, text))
    least = min(_wrong_letters(text.lower(), language) / foreign + language.doubt for language in LANGUAGES[encoding])
    return wrong / foreign + least + SELDOM.get(encoding, 0.0)


def _is_odd_sign(before: str, sign: str, after: str) -> bool:
    """Whether a foreign sign is unusual, there or anywhere."""
    if sign.isascii() or _WIDE_SIGN.match(sign) or _LETTER.match(sign):
        return False
    if before.isalpha() and after.isalpha():
        return sign not in _IN_WORDS
    return (
        sign not in _SIGNS
        or (sign in _NOT_BEFORE_LETTERS and after.isalpha())
        or (sign in _NOT_BEHIND_LETTERS and before.isalpha())
        or (sign in _NOT_TOGETHER and not after.isascii())
        or (sign in "ªº" and before.islower() and before != "n")  # Nº, Mª, 1ª
    )


def _is_odd_letter(before: str, last: str, letter: str) -> bool:
    """Whether a letter is a capital behind a small one, or a small one behind two capitals, foreign ones among them."""
    if (last + letter).isascii() or not (last + letter).isalpha():
        return False
    capital = letter.isupper() and last.islower() and last != "ß"
    return capital or (letter.islower() and letter not in f"ß{_NO_LETTERS}" and last.isupper() and before.isupper())


def _wrong_letters(text: str, language: Language) -> float:
    """How much is wrong with the letters of a text, in small letters, if it is of that language."""
    letters = _LETTER.findall(text)
    wrong = float(len(re.findall(rf"[^\W\d_a-z{language.letters}{_NO_LETTERS}]", text)))
    wrong += len(re.findall(language.never, text)) if language.never else 0
    wrong += _TENTH * sum(letter in language.rare for letter in letters)
    if language.narrow:
        wrong += len(_ENCLOSED.findall(text))
        uncommon = sum(letter not in language.common for letter in letters)
        return wrong + _TENTH * uncommon + sum(not letter.encode(language.narrow, "ignore") for letter in letters)
    if language.alone:
        wrong += sum(_are_mixed(*pair) for pair in pairwise(text))
    else:
        wrong += sum(len(word) - 3 for word in _FOREIGN_WORD.findall(text))
    if language.vowels:
        words = [word for word in _WORD.findall(text) if not word.isascii()]
        wrong += sum(not any(vowel in word for vowel in language.vowels) for word in words)
    return wrong


def _are_mixed(first: str, second: str) -> bool:
    return first.isalpha() and second.isalpha() and first.isascii() != second.isascii()


def _by_statistics(data: bytes) -> str | None:
    from charset_normalizer import from_bytes  # few files pay for its import

    best = from_bytes(data, cp_isolation=[*_STATISTICAL]).best()
    return None if best is None else best.encoding
