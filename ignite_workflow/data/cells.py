"""From the cells of a column to arrays: text and typed columns alike, every bad cell named.

Shapes: ``N`` is the number of rows.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache, lru_cache

import numpy as np
import polars as pl

from ignite_workflow.data.flags import limit_sign
from ignite_workflow.data.number_format import Decimal, NumberFormat, Thousands, to_float
from ignite_workflow.errors import DataError

__all__ = [
    "DASHES",
    "IF_MISSING",
    "LARGEST",
    "MISSING",
    "CellRules",
    "Floats",
    "Numbers",
    "Place",
    "as_booleans",
    "as_numbers",
    "as_text",
    "cast_columns",
    "count_values",
    "has_leading_zeros",
    "is_scalar",
    "missing_words",
    "numbers_that_mean_missing",
    "parse_numbers",
    "whole_power",
]

DASHES = ("-", "--", "---", "\u2013", "\u2014")
MISSING = (
    "",
    *("NA", "N/A", "n/a", "na", "N.A.", "n.a.", "#N/A", "#NA", "<NA>", "NaN", "nan", "-nan", "NaT"),
    *("-1.#IND", "1.#QNAN", "-1.#QNAN", "-nan(ind)"),  # NaN as programs of Microsoft's compiler write it
    *("null", "NULL", "Null", "(null)", "<null>", "nil", "\\N", "None", "none", "NONE", "(none)"),
    *("?", "??", ".", "..", "...", *DASHES),
    *(
        "missing",
        "Missing",
        "MISSING",
        "(missing)",
        "(blank)",
        "#NULL!",
        "#DIV/0!",
        "#VALUE!",
        "#REF!",
        "#NUM!",
        "#NAME?",
        *("#SPILL!", "#CALC!", "#FIELD!", "#BLOCKED!", "#CONNECT!", "#BUSY!", "#GETTING_DATA", "#UNKNOWN!", "#ERROR!"),
        *(f"Err:{number}" for number in range(501, 541)),  # of LibreOffice
    ),
)
LARGEST = 1e100  # the squares of larger numbers overflow
_CODE = re.compile(r"(?=.*\d)(?=.*[^\W\d_]|.+-)[^\W_]+(?:-[^\W_]+)*")  # c168, 98115-4820
_FEW = 2000  # cells: to call polars takes longer than to count them
_LARGEST_WHOLE = 2.0**53  # beyond it float64 skips integers
_TRUE = ("true", "t", "yes", "y", "on", "1", "1.0", "ja", "oui", "si", "sí", "sim", "tak", "да", "wahr", "vrai")
_FALSE = ("false", "f", "no", "n", "off", "0", "0.0", "nein", "non", "não", "nao", "nie", "нет", "falsch", "faux")

IF_MISSING = "; if it means a missing value: data.missing."

Floats = np.ndarray[tuple[int], np.dtype[np.float64]]
Positions = np.ndarray[tuple[int], np.dtype[np.int64]]
Place = Callable[[int], str]  # the index of a row in a chunk -> where it stands, for messages


@cache
def _usual(decimal: Decimal, thousands: Thousands | None) -> NumberFormat:
    return NumberFormat(decimal, thousands)


@dataclass(frozen=True)
class CellRules:
    """How cells are read.

    Attributes:
        missing: the spellings of a missing value, compared without the blanks around a cell.
        decimal, thousands: how numbers are written, unless ``formats`` knows better.
        formats: how the numbers of a column are written, by its name.
    """

    missing: tuple[str, ...] = MISSING
    decimal: Decimal = "."
    thousands: Thousands | None = None
    formats: Mapping[str, NumberFormat] = field(default_factory=dict)

    def format(self, name: str) -> NumberFormat:
        """How the numbers of a column are written."""
        return self.formats.get(name) or _usual(self.decimal, self.thousands)


@dataclass(frozen=True)
class Numbers:
    """The cells of a column as numbers.

    Attributes:
        values: float64 (N,), NaN where a cell is missing or bad; not to be changed.
        missing: how many cells are missing.
        bad: the positions of cells that are neither missing nor numbers.
    """

    values: Floats
    missing: int
    bad: Positions


def is_scalar(dtype: pl.DataType) -> bool:
    """Whether cells of that type are single values that a table can use."""
    return dtype.is_numeric() or dtype in (
        pl.String,
        pl.Boolean,
        pl.Date,
        pl.Datetime,
        pl.Null,
        pl.Categorical,
        pl.Enum,
    )


def cast_columns(columns: Iterable[pl.Series], rules: CellRules) -> dict[str, pl.Series]:
    """Columns of text as numbers by their names, null where a cell is none: polars shares them among its threads."""
    forms = {series.name: (series, rules.format(series.name)) for series in columns}
    plain = pl.DataFrame({name: series for name, (series, form) in forms.items() if form.is_plain})  # one may be ""
    numbers = plain.select(pl.all().cast(pl.Float64, strict=False)).get_columns()  # one expression for thousands
    others = pl.DataFrame({name: series for name, (series, form) in forms.items() if not form.is_plain})
    numbers += others.select(to_float(pl.col(name), forms[name][1]) for name in others.columns).get_columns()
    return {series.name: series for series in numbers}


def parse_numbers(series: pl.Series, rules: CellRules, cast: pl.Series | None = None) -> Numbers:
    """Read the cells as numbers.

    Args:
        series: (N,), text or numbers or booleans; cells of other types are bad.
        rules: how missing values and decimal points are spelled.
        cast: ``series`` after ``to_float``, where it is known already.
    """
    nothing = np.empty(0, dtype=np.int64)
    if series.dtype == pl.String:
        values, bad = _parse_text(series, rules, cast)
    elif series.dtype.is_numeric() or series.dtype == pl.Boolean:
        values, bad = series.cast(pl.Float64).to_numpy(), nothing  # null becomes NaN
    else:
        values, bad = np.full(len(series), np.nan), series.is_not_null().arg_true().to_numpy().astype(np.int64)
    for spelling in numbers_that_mean_missing(rules.missing):
        values = np.where(values == spelling, np.nan, values)
    return Numbers(values, int(np.isnan(values).sum()) - len(bad), bad)


def _parse_text(series: pl.Series, rules: CellRules, cast: pl.Series | None) -> tuple[Floats, Positions]:
    values = (_cast(series, rules) if cast is None else cast).to_numpy()
    rest = np.flatnonzero(np.isnan(values))
    if not len(rest):
        return values, rest
    # cells with blanks around them, missing ones and bad ones are looked at again
    cells = as_text(series.gather(rest), rules.missing)
    numbers = _cast(cells, rules)
    values = values.copy()
    values[rest] = numbers.to_numpy()
    return values, rest[(cells.is_not_null() & numbers.is_null()).to_numpy()]


@lru_cache
def _as_series(words: tuple[str, ...]) -> pl.Series:
    return pl.Series(words, dtype=pl.String).implode()


@lru_cache
def numbers_that_mean_missing(missing: tuple[str, ...]) -> tuple[float, ...]:
    """Those among the spellings of a missing value, as -999."""
    numbers = pl.Series(missing, dtype=pl.String).cast(pl.Float64, strict=False)
    return tuple(numbers.drop_nulls().drop_nans())


def _cast(series: pl.Series, rules: CellRules) -> pl.Series:
    form = rules.format(series.name)
    if form.is_plain:
        return series.cast(pl.Float64, strict=False)  # a tenth of the time of what follows, for few cells
    return series.to_frame("cells").select(to_float(pl.col("cells"), form)).to_series()


def as_numbers(series: pl.Series, rules: CellRules, place: Place) -> Floats:
    """The cells as float64 (N,), NaN where missing.

    Raises:
        DataError: a cell is not a number, infinite, or beyond 1e100; names row, column and value.
    """
    if series.dtype == pl.Float64 and not numbers_that_mean_missing(rules.missing):
        plain: Floats = series.to_numpy()
        if np.einsum("n,n", plain, plain) < LARGEST**2:  # one look for all three: missing, infinite, too large
            return plain
    numbers = parse_numbers(series, rules)
    if len(numbers.bad):
        first = int(numbers.bad[0])
        form = rules.format(series.name)
        written = "" if form.is_plain or series.dtype != pl.String else f" written like {form.example()}"
        cure = _cure(str(series[first]), series.name)
        raise DataError(f"{place(first)}, column {series.name!r}: {series[first]!r} is not a number{written}{cure}")
    large = np.abs(numbers.values) > LARGEST
    if large.any():
        first = int(large.argmax())
        what = "not finite" if np.isinf(numbers.values[first]) else "too large to compute with"
        raise DataError(f"{place(first)}, column {series.name!r}: {series[first]!r} is {what}{IF_MISSING}")
    return numbers.values


def _cure(cell: str, column: str) -> str:
    """What may be done about a cell that is no number; a model keeps how columns are read: its training can be told."""
    sign = limit_sign(cell)
    if sign:
        return f"; if the limit may stand for it, train with data.read.flags=[{sign!r}]{IF_MISSING}"
    if _CODE.fullmatch(cell.strip()):
        return f"; if these are codes, train with data.columns.{column}=category{IF_MISSING}"
    return IF_MISSING


def as_text(series: pl.Series, missing: tuple[str, ...]) -> pl.Series:
    """The cells as text without blanks around them, null where missing: the same for 5, 5.0 and "5".

    Args:
        series: (N,) of any scalar type.
        missing: spellings of a missing value.
    """
    if series.dtype.is_float():
        series = series.fill_nan(None)
        whole = (series == series.round()) & (series.abs() < _LARGEST_WHOLE)
        integers = series.cast(pl.Int64, strict=False).cast(pl.String)
        text = integers.zip_with(whole.fill_null(value=False), series.cast(pl.String))
    else:
        text = series.cast(pl.String).str.strip_chars()
    text = text.set(text.is_in(_as_series(missing)), None) if missing else text
    return text.alias(series.name)


def as_booleans(series: pl.Series, rules: CellRules, place: Place) -> Floats:
    """The cells as 1.0 (true, t, yes, y, on, 1, ja, oui...) and 0.0 (false, f, no, n, off, 0...) in any case, else NaN.

    Raises:
        DataError: a cell is neither; names row, column and value.
    """
    text = as_text(series, rules.missing).str.to_lowercase()
    values = np.full(len(text), np.nan)
    values[text.is_in(_TRUE).fill_null(value=False).to_numpy()] = 1.0
    values[text.is_in(_FALSE).fill_null(value=False).to_numpy()] = 0.0
    bad = np.isnan(values) & text.is_not_null().to_numpy()
    if bad.any():
        first = int(bad.argmax())
        raise DataError(f"{place(first)}, column {series.name!r}: {series[first]!r} is neither true nor false.")
    return values


def missing_words(series: pl.Series, missing: tuple[str, ...]) -> dict[str, int]:
    """How often each spelling of a missing value occurs in text, empty cells left out."""
    if series.dtype != pl.String:
        return {}
    filled = series.filter(series != "").str.strip_chars()
    return count_values(filled.filter(filled.is_in(_as_series(missing))))


def count_values(text: pl.Series) -> dict[str, int]:
    """How often each value occurs, none of them missing."""
    if len(text) < _FEW:
        return dict(Counter(text.to_list()))
    return dict(text.alias("").value_counts().iter_rows())  # a column may be called count


def whole_power(series: pl.Series) -> str:
    """The first cell of text that is digits, e, digits, such as 12e34: a number or a code; empty: none is."""
    if series.dtype != pl.String:
        return ""
    holds = series.str.contains("[eE]")  # many times faster than to look at all for the whole pattern
    if not holds.any():
        return ""
    rare = series.filter(holds)
    found = rare.str.strip_chars().str.extract(r"^(\d+[eE]\d+)$").drop_nulls()
    return str(found[0]) if len(found) else ""


def has_leading_zeros(series: pl.Series) -> bool:
    """Whether any cell is a number written with zeros in front, such as 01234: a code, not a quantity."""
    if series.dtype != pl.String:
        return False
    return bool(series.str.contains(r"^\s*0\d").any())
