"""How many cells of a column may be something else than the others are, and the column still be of their kind."""

from __future__ import annotations

__all__ = ["MOST_MISTAKES"]

MOST_MISTAKES = 0.05
"""Of the known cells of a column of numbers, dates, durations or places: they are named where the column is read."""
