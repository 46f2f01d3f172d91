"""The spellings of dates and times that are known, and how a cell of each is read."""

from __future__ import annotations

import re
from collections.abc import Mapping

import polars as pl

from ignite_workflow.data.centuries import in_years_from, without_years
from ignite_workflow.data.month_names import with_english_months, with_english_weekday
from ignite_workflow.data.zones import KNOWN_ZONES, with_offsets, without_zones

__all__ = [
    "CLOCKS",
    "COMPACT",
    "DATE_FORMATS",
    "DAYS",
    "DIGITS",
    "ISO",
    "ISO_OFFSET",
    "ISO_UTC",
    "LOGGED",
    "MONTHS",
    "PERIODS",
    "TIMES",
    "is_zoned",
    "parse_dates",
]

DAYS = (
    *("%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d"),
    *("%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%m-%d-%Y", "%d.%m.%Y"),
    *("%d/%m/%y", "%m/%d/%y", "%d-%m-%y", "%m-%d-%y", "%d.%m.%y"),
    *("%d%B%Y", "%d %B %Y", "%d. %B %Y", "%d-%B-%Y", "%d-%B-%y", "%B %d, %Y", "%B %d %Y"),
    *("%A, %d %B %Y", "%A, %B %d, %Y", "%A %d %B %Y", "%A %B %d %Y", "%A, %d. %B %Y", "%A %d. %B %Y"),
    *("%d/%B/%Y", "%Y-%B-%d", "%d %B %y", "%d%B%y"),
    # as in Zagreb, Sofia, Budapest and Seoul, Beijing and Tokyo; a blank after a point is none that counts
    *("%d.%m.%Y.", "%d.%m.%Y г.", "%Y.%m.%d.", "%Y년 %m월 %d일", "%Y年%m月%d日"),  # noqa: RUF001
)
MONTHS = ("%Y-%m", "%Y/%m", "%m/%Y", "%B %Y", "%B-%y", "%Y年%m月")
PERIODS = (  # "%q": a quarter, counted from 1
    *("%Y-Q%q", "%YQ%q", "%Y Q%q", "%Y/Q%q", "Q%q %Y", "Q%q-%Y", "Q%q/%Y", "Q%q%Y"),
    *("%G-W%V", "%GW%V", "%G-W%V-%u", "%GW%V%u"),
)
COMPACT = ("%Y%m%d",)
# "%#z": +02, as PostgreSQL writes it
_ZONES = ("", "Z", "%z", " %z", "%#z", " UTC", " GMT", " GMT%z", " UTC%z", " %Z")
_HALF_DAYS = ("%I:%M %p", "%I:%M:%S %p", "%I %p")
CLOCKS = (
    *(f"{clock}{zone}" for clock in ("%H:%M:%S", "%H:%M:%S%.f") for zone in _ZONES),
    *("%H:%M", *_HALF_DAYS, "%H.%M.%S"),
    *(f"%H:%M{zone}" for zone in _ZONES[1:]),
    *(f"{clock} {zone}" for clock in _HALF_DAYS for zone in ("%Z", "%z", "GMT%z", "UTC%z")),
)
TIMES = ("%H:%M", "%H:%M:%S", "%H:%M:%S%.f", "%I:%M %p", "%I:%M:%S %p", "%H.%M.%S", "%I %p")
DIGITS = ("%Y%m%d%H%M%S", "%Y%m%d%H%M", "%Y%m%d%H")
LOGGED = (  # by web servers, by SAS, by C (ctime, and date with its zone), ISO 8601 in short, by DB2, cameras, in names
    *("%d/%B/%Y:%H:%M:%S %z", "[%d/%B/%Y:%H:%M:%S %z]", "%d/%B/%Y:%H:%M:%S"),
    *(f"{day}:{clock}" for day in ("%d%B%Y", "%d%B%y") for clock in ("%H:%M:%S", "%H:%M:%S%.f", "%H:%M")),
    *("%A %B %d %H:%M:%S %Y", "%A %B %d %H:%M:%S %Z %Y", "%A %B %d %H:%M:%S %z %Y"),
    *(f"%Y%m%dT{clock}{zone}" for clock in ("%H%M%S", "%H%M%S%.f", "%H%M") for zone in ("", "Z", "%z")),
    *("%Y-%m-%d-%H.%M.%S", "%Y-%m-%d-%H.%M.%S%.f", "%Y:%m:%d %H:%M:%S"),
    *("%Y%m%d %H%M%S", "%Y%m%d_%H%M%S", "%Y%m%d-%H%M%S", "%Y-%m-%d_%H-%M-%S", "%Y-%m-%d %H-%M-%S", "%Y-%m-%d_%H:%M:%S"),
    *("%Y-%m-%d %H", "%Y-%m-%dT%H", *DIGITS),
)
_MOMENTS = tuple(f"{day}{gap}{clock}" for day in (*DAYS, *COMPACT) for gap in (" ", "T", ", ") for clock in CLOCKS)
_ISO_CLOCKS = ("%H:%M", "%H:%M:%S", "%H:%M:%S%.f")
ISO = ("%Y-%m-%d", *(f"%Y-%m-%d{gap}{clock}" for gap in "T " for clock in _ISO_CLOCKS))
ISO_UTC = tuple(f"{form}Z" for form in ISO[1:])
ISO_OFFSET = tuple(f"{form}%z" for form in ISO[1:])
DATE_FORMATS = (*DAYS, *MONTHS, *PERIODS, *TIMES, *COMPACT, *LOGGED, *_MOMENTS)
"""All of them; one with ``%Z`` says in a column's schema what its abbreviations stand for, see ``zones``."""

_CLOCK = r"^\d{1,2}(:\d{2}|\.\d{2}\.\d{2}$| ?[aApP]\.? ?[mM]\b)"
_MIDNIGHT = r"([ T])24((?:[:.]00){1,2}(?:\.0+)?(?:[^\d:.]|$))"
_TWO_DIGITS = r"\D\d{2}(\D|$)"
_OFFSET_OF_FORM = re.compile(r" ?(?:GMT)?%#?z$")
_OFFSET = r"(?:Z| ?(?:GMT)?[+-]\d{2}:?(?:\d{2})?)$"
_FIRST_YEAR = 1000  # a year of two digits is not the first century
_QUARTERS = {"Q1": "Q01", "Q2": "Q04", "Q3": "Q07", "Q4": "Q10"}
_OUR_TIME = r"^(?:19|[2-9]\d)\d+$"


def parse_dates(text: pl.Series, form: str, zones: Mapping[str, str] = KNOWN_ZONES) -> pl.Series:
    """The moments of cells, null where a cell is not written so; a time without zone is one of UTC.

    Args:
        text: the cells, (N,).
        form: one of ``DATE_FORMATS``, perhaps with what its zones and its years of two digits stand for.
        zones: what they stand for where the format does not say it.

    Example:
        >>> parse_dates(pl.Series(["1:05 p.m.", "noon"]), "%I:%M %p").dt.hour().to_list()
        [13, None]
    """
    if form in TIMES:
        times = parse_dates("1970-01-01 " + text, f"%Y-%m-%d {form}")
        return times.set(~text.str.contains(_CLOCK), None)
    form, first_year = without_years(form)
    form, offsets = without_zones(form)
    if form in PERIODS:
        return _periods(text, form)
    text, form = _with_minutes(text, form)
    if "%Z" in form:
        text = with_offsets(text, offsets or zones)
        form = form.replace(" %Z", "") + "%z"
    if form.endswith(("GMT%z", "UTC%z")):
        text = text.str.replace(r"([TC][+-])(\d)(:|$)", "${1}0${2}${3}").str.replace(r"([TC][+-]\d\d)$", "${1}:00")
    if form.endswith("%z"):
        # as letters and browsers write the name of the zone, and as Java does
        text = text.str.replace(r"(?: \([^()]*\)|\[[^\[\]]*\])$", "")
    moments = _moments(text, form, first_year)
    if "%B" not in form or moments.null_count() == text.null_count():
        return moments
    other = moments.is_null() & text.is_not_null()  # names in another language, perhaps
    rest = text.filter(other)
    english = with_english_weekday(rest) if form.startswith("%A") else with_english_months(rest)
    return moments.scatter(other.arg_true(), _moments(english, form, first_year))


def _with_minutes(text: pl.Series, form: str) -> tuple[pl.Series, str]:
    """Cells and a format as polars takes them: an hour has minutes, the half of a day no points."""
    if form in DIGITS:
        text = text.set(~text.str.contains(_OUR_TIME), None)
    if form.endswith("%H"):
        text, form = (text + "00", f"{form}%M") if form in DIGITS else (text + ":00", f"{form}:%M")
    if "%p" in form:
        text = text.str.replace(r"([aApP])\. ?([mM])\.?", "${1}${2}")
    if "%I %p" in form:
        text = text.str.replace(r"(^|[ T])(\d{1,2}) ?([aApP][mM])\b", "${1}${2}:00 ${3}")
        form = form.replace("%I %p", "%I:%M %p")
    return text, form


def _periods(text: pl.Series, form: str) -> pl.Series:
    """The first day of quarters and weeks; of weeks with a day, that day."""
    if "%q" in form:
        written = form.replace("%Y", r"\d{4}").replace("%q", "[1-4]")
        months = text.set(~text.str.contains(f"(?i)^{written}$"), None).str.to_uppercase().str.replace_many(_QUARTERS)
        return _clocked(months, form.replace("%q", "%m"), None)
    return _clocked(text, form, None) if "%u" in form else _clocked(text + "-1", f"{form}-%u", None)


def is_zoned(form: str) -> bool:
    """Whether a cell written so says its time zone."""
    form, _ = without_years(form)
    return form.endswith(("Z", " UTC", " GMT")) or any(zone in form for zone in ("%z", "%#z", "%Z"))


def _moments(text: pl.Series, form: str, first_year: int | None = None) -> pl.Series:
    """The moments of cells; 24:00 is midnight at the end of a day."""
    moments = _clocked(text, form, first_year)
    if "%H" not in form or not moments.null_count():
        return moments
    rest = moments.is_null().arg_true()
    cells = text.gather(rest)
    rest = rest.filter(cells.str.contains(_MIDNIGHT).fill_null(value=False))
    if not len(rest):
        return moments
    begun = text.gather(rest).str.replace(_MIDNIGHT, "${1}00${2}")
    return moments.scatter(rest, _clocked(begun, form, first_year).dt.offset_by("1d"))


def _clocked(text: pl.Series, form: str, first_year: int | None) -> pl.Series:
    if is_zoned(form) and "z" in form:
        moments = text.str.to_datetime(form, strict=False, time_unit="us", time_zone="UTC").dt.replace_time_zone(None)
    elif "%H" in form or "%I" in form:
        moments = text.str.to_datetime(form, strict=False, time_unit="us")
    else:
        moments = text.str.to_date(form, strict=False).cast(pl.Datetime("us"))
    wrong = ~text.str.contains(_TWO_DIGITS) if "%y" in form else moments.dt.year() < _FIRST_YEAR
    moments = moments.set(wrong, None)
    return moments if first_year is None else in_years_from(moments, first_year, _written(text, form, moments))


def _written(text: pl.Series, form: str, moments: pl.Series) -> pl.Series:
    """The moments as they are written, their time zone left out."""
    bare = _OFFSET_OF_FORM.sub("", form)
    return (
        moments if bare == form else text.str.replace(_OFFSET, "").str.to_datetime(bare, strict=False, time_unit="us")
    )
