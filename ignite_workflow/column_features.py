"""Where a table's columns stand among the features, and how those of numbers go together.

Shapes: ``N`` rows, ``F`` features, ``V`` columns of numbers, booleans and dates.
"""

from __future__ import annotations

from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ignite_workflow.data.schema import Schema

__all__ = ["column_features", "value_correlations"]

_MOST_COMPARED = 2000  # columns: there are as many pairs as half their square


def column_features(schema: Schema) -> dict[str, list[int]]:
    """For each used column the places of its features."""
    features: dict[str, list[int]] = {}
    for place, (column, _) in enumerate(schema.parts):
        features.setdefault(column.name, []).append(place)
    for place, column in enumerate(schema.categories, start=len(schema.parts)):
        features[column.name] = [place]
    return features


def value_correlations(schema: Schema, x: NDArray[Any]) -> tuple[list[str], NDArray[np.float64]]:
    """How the values of columns go together, of the first 2,000 of them, those of categories left out.

    Args:
        schema: of the features.
        x: features (N, F). Not changed.

    Returns:
        The names of the columns; and the correlation of each with each that comes after it, (V, V): above the diagonal,
        elsewhere 0, as for a column that does not vary.
    """
    named = ((place, column.name) for place, (column, part) in enumerate(schema.parts) if part.of == "value")
    places = dict(islice(named, _MOST_COMPARED))
    values = x[:, list(places)].astype(np.float64)
    values -= values.mean(axis=0)
    size = np.sqrt((values**2).sum(axis=0))
    values /= np.where(size > 0, size, 1)
    return list(places.values()), np.triu(values.T @ values, 1)
