"""Moments written as numbers: seconds, milliseconds, microseconds or nanoseconds since 1970."""

from __future__ import annotations

import re
from datetime import UTC, datetime

__all__ = ["UNIX_TIMES", "UNREADABLE", "unix_time_of", "unix_time_range", "is_named_like_a_time"]

UNIX_TIMES = {
    "seconds since 1970": 1.0,
    "milliseconds since 1970": 1e3,
    "microseconds since 1970": 1e6,
    "nanoseconds since 1970": 1e9,
}
_FROM, _TO = (datetime(year, 1, 1, tzinfo=UTC).timestamp() for year in (1980, 2100))
UNREADABLE = (
    "are neither dates such as 20240131 nor moments of the years 1980 to 2099 in seconds, milliseconds, microseconds "
    "or nanoseconds since 1970"
)
_TIME = re.compile(r"time|date|epoch|(^|[_\s.-])ts$|_at$", re.IGNORECASE)


def unix_time_of(low: float, high: float) -> str:
    """The unit in which numbers are moments of our time, empty where there is none: no number fits two of them.

    Example:
        >>> unix_time_of(1_704_067_200, 1_735_689_600), unix_time_of(0, 1_704_067_200)
        ('seconds since 1970', '')
    """
    return next((name for name, size in UNIX_TIMES.items() if low / size >= _FROM and high / size < _TO), "")


def unix_time_range(unit: str, low: float, high: float) -> str:
    """The first and the last day, for people."""
    first, last = (datetime.fromtimestamp(value / UNIX_TIMES[unit], tz=UTC) for value in (low, high))
    return f"from {first:%Y-%m-%d} to {last:%Y-%m-%d}"


def is_named_like_a_time(name: str) -> bool:
    """Whether a column's name says that it holds times."""
    return _TIME.search(name.strip()) is not None
