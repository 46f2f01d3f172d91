r"""Double quotes: where they stand in doubt inside of cells, those written ``\"``, and blanks around quoted cells.

In a quoted cell a quote is written twice. Spark, MySQL and R write ``\"``, which, taken for the end of the cell, may
join it to others and swallow rows in silence. Who writes tables by hand sets quoted cells off by blanks, as in
``"Alex",  "M"``; taken for the begin of the cell, they make characters of its quotes. ``="00012"`` makes spreadsheets
keep text as it is: a formula, of which the text is meant. And some programs quote cells with single quotes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np

__all__ = [
    "doubled",
    "doubtful_quote",
    "has_blanks",
    "has_escapes",
    "has_single_quotes",
    "odd_quote",
    "with_doubled",
    "with_single_blanks",
    "with_swapped",
    "without_blanks",
    "without_formulas",
]

_QUOTE, _BACKSLASH, _BLANK, _TAB, _NEWLINE, _RETURN = b'"\\ \t\n\r'
_ESCAPED = re.compile(rb"\\(.)", re.DOTALL)
_BESIDE_BLANK = (b' "', b'" ', b'\t"', b'"\t')
Places = np.ndarray[tuple[int], np.dtype[np.int64]]
Flags = np.ndarray[tuple[int], np.dtype[np.bool_]]

_RUNS = re.compile(rb"[ \t]+")
_RUNS_OR_CELL = re.compile(rb'"[^"]*"|[ \t]+')
_MARGINS = re.compile(rb"(?m)^ | (?=\r?$)")
_SWAPPED = bytes.maketrans(b"\"'", b"'\"")
_BEGINS_DOUBLE = re.compile(rb'(?m)(?:^|[,;\t|]) *"')
_BEGINS_SINGLE = re.compile(rb"(?m)(?:^|[,;\t|]) *'")
_SINGLE = re.compile(rb"(?m)(?:^|(?<=[,;\t|])) *'(?:[^'\r\n\\]|''|\\.)*' *(?=[,;\t|]|\r?$)")
_SEPARATORS = b",;\t| \r\n"  # what may part cells, as long as nobody knows


def _odd_quotes(data: bytes | bytearray, separators: bytes) -> tuple[Places, Flags]:
    """The places of all quotes, and which of them begin a cell within one, or end it before its end."""
    cells = np.frombuffer(b"".join((b"\n", data, b"\n")), dtype=np.uint8)
    at = np.flatnonzero(cells == _QUOTE)
    edge = np.zeros(256, dtype=bool)
    edge[[*separators, _QUOTE]] = True
    begun, ended = edge[cells[at[0::2] - 1]], edge[cells[at[1::2] + 1]]
    at -= 1
    odd = np.zeros(len(at), dtype=bool)
    if not (begun.all() and ended.all()):
        odd[0::2] = ~begun
        odd[1::2] = ~ended & begun[: len(ended)]  # in a cell that is not quoted it is a character like others
    return at, odd


def doubtful_quote(data: bytes, delimiter: bytes) -> bool:
    """Whether a quote within a cell makes it doubtful where cells or records end.

    It does not where none of them ends before the next quote, as in ``say "hi" again``. Where a backslash stands before
    one that should end a cell, something else than its end is meant.

    Args:
        data: whole records.
        delimiter: what parts their cells.
    """
    at, odd = _odd_quotes(data, delimiter + b"\r\n")
    if not odd.any():
        return False
    cells = np.frombuffer(data, dtype=np.uint8)
    if (cells[at[1::2][odd[1::2]] - 1] == _BACKSLASH).any():
        return True
    ends = np.flatnonzero((cells == ord(delimiter)) | (cells == ord("\n")))
    after = np.append(at[1:], len(data))
    return bool((np.searchsorted(ends, at[odd]) < np.searchsorted(ends, after[odd])).any())


def odd_quote(data: bytes, delimiter: bytes) -> bool:
    """Whether a quote begins within a cell, or ends one before its end."""
    return bool(_odd_quotes(data, delimiter + b"\r\n")[1].any())


def without_formulas(data: bytes, delimiters: bytes) -> tuple[bytes, int]:
    """Cells such as ``="00012"``, which spreadsheets take for text, as that text in quotes; and how many there are.

    Args:
        data: whole records.
        delimiters: what may part cells.
    """
    edge = re.escape(delimiters)
    formula = rb'(?m)(^|(?<=[%b]))(?:="([^"\r\n]*)"|"=""([^"\r\n]*)""")(?=[%b]|\r?$)' % (edge, edge)
    return re.subn(formula, rb'"\2\3"', data)


def has_single_quotes(sample: bytes) -> bool:
    """Whether single quotes hold cells together: some cells have them at both ends, and none at its begin alone."""
    if b"'" not in sample or not _BEGINS_SINGLE.search(sample):
        return False
    whole = sample[: sample.rfind(b"\n") + 1] or sample
    rest, quoted = _SINGLE.subn(b"", whole)
    return quoted > 1 and not _BEGINS_SINGLE.search(rest) and not _BEGINS_DOUBLE.search(rest)


def with_swapped(data: bytes | bytearray) -> bytes:
    """The same with single quotes for double ones, and double ones for single ones."""
    return bytes(data.translate(_SWAPPED))


def has_escapes(sample: bytes) -> bool:
    r"""Whether quotes inside of quoted cells are written ``\"``: then fewer quotes stand where none can."""
    if b'\\"' not in sample:
        return False
    as_it_is, doubled_quotes = (int(_odd_quotes(text, _SEPARATORS)[1].sum()) for text in (sample, doubled(sample)))
    return doubled_quotes < as_it_is


def doubled(data: bytes | bytearray) -> bytes:
    r"""The same with ``\"`` written ``""``, which takes as many bytes."""
    return _ESCAPED.sub(_doubled, data)


def with_doubled(blocks: Iterator[bytes | bytearray]) -> Iterator[bytes | bytearray]:
    """Blocks of bytes, cut anywhere, with such quotes written twice; no byte is lost or added."""
    rest = b""
    for block in blocks:
        data = b"".join((rest, block)) if rest else block
        slashes = len(data) - len(data.rstrip(b"\\"))
        rest = b"\\" if slashes % 2 else b""
        data = data[:-1] if rest else data
        yield doubled(data) if b"\\" in data else data
    if rest:
        yield rest


def has_blanks(sample: bytes, delimiter: bytes) -> bool:
    """Whether blanks stand around quoted cells, and without them each quote that begins a cell has one that ends it.

    Quotes within cells that are not quoted, as in ``say "hi" again``, may stand beside.

    Args:
        sample: the first records; the last may be cut off.
        delimiter: what parts their cells; no blanks stand around what is parted by blanks.
    """
    if delimiter in b" \t" or not any(beside in sample for beside in _BESIDE_BLANK):
        return False
    without = without_blanks(sample, delimiter)
    if len(without) == len(sample):
        return False
    _, odd = _odd_quotes(without, delimiter + b"\r\n")
    return not odd[1::2].any() and not doubtful_quote(without, delimiter)


def without_blanks(data: bytes, delimiter: bytes) -> bytes:
    """The same without blanks and tabs around quoted cells; those within stay.

    Args:
        data: begins with a record.
        delimiter: what parts cells.
    """
    cells = np.frombuffer(b"".join((b"\n", data, b"\n")), dtype=np.uint8)
    blank = (cells == _BLANK) | (cells == _TAB)
    edges = np.flatnonzero(blank[1:] != blank[:-1]) + 1
    starts, ends = edges[0::2], edges[1::2]  # of runs of blanks
    before, behind = cells[starts - 1], cells[ends]
    begins, closes = np.zeros((2, 256), dtype=bool)
    begins[[*delimiter, _NEWLINE]] = True
    closes[[*delimiter, _NEWLINE, _RETURN]] = True
    around = (begins[before] & (behind == _QUOTE)) | ((before == _QUOTE) & closes[behind])
    starts, ends = starts[around], ends[around]
    outside = np.searchsorted(np.flatnonzero(cells == _QUOTE), starts) % 2 == 0
    if not outside.any():
        return data
    turns = np.zeros(len(cells), dtype=np.int8)
    turns[starts[outside]] = 1
    turns[ends[outside]] = -1
    kept = np.cumsum(turns, dtype=np.int8) == 0
    return bytes(cells[kept][1:-1])


def _doubled(match: re.Match[bytes]) -> bytes:
    return b'""' if match[1] == b'"' else match[0]


def with_single_blanks(data: bytes, *, quotes: bool) -> bytes:
    """The same with one blank for each run of blanks and tabs, and none at the ends of lines.

    Args:
        data: whole records.
        quotes: whether those within quotes stay.
    """
    runs = _RUNS_OR_CELL if quotes and b'"' in data else _RUNS
    return _MARGINS.sub(b"", runs.sub(_squeezed, data))


def _squeezed(match: re.Match[bytes]) -> bytes:
    return match[0] if match[0].startswith(b'"') else b" "
