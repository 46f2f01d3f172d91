"""Pictures of how well numbers are predicted, and of what a prediction rests on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ignite_workflow.display import format_number, shorten, shorten_apart
from ignite_workflow.pictures import COLORS, GUIDE, finish_figure, picture_style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import ArrayLike

__all__ = ["draw_importance", "draw_regression"]

_MANY_POINTS = 5_000  # beyond, points hide one another: shaded by their number instead
_MANY_COLUMNS = 40  # beyond, their names cannot be read
_FEWEST_BINS, _MOST_BINS = 4, 20  # of predictions, each with as many rows
_ROWS_A_BIN = 25  # below, its quantiles say little
_FAR = 5  # times what the middle 99 % take: beyond, the others would lie in one spot


def draw_regression(y: ArrayLike, y_pred: ArrayLike, unit_name: str, *, title: str = "") -> Figure:
    """Draw predictions against the truth, the errors against the predictions, and how often which error occurs.

    Over the errors stand, for equal parts of the rows in the order of their predictions, the median error and the band
    that holds the middle 80 %: they show where predictions are too high or too low, and where they are less sure.

    Args:
        y: (N,) true values, in their own unit.
        y_pred: (N,) predictions, in the same.
        unit_name: what they are, for the axes: the target's name, with its unit where it has one.
        title: above the picture.
    """
    from matplotlib.figure import Figure

    true, predicted = np.asarray(y, dtype=np.float64), np.asarray(y_pred, dtype=np.float64)
    finite = np.isfinite(true) & np.isfinite(predicted)
    true, predicted = true[finite], predicted[finite]
    error, name = predicted - true, shorten(unit_name, 30)
    with picture_style():
        figure = Figure(figsize=(12.5, 4.3), layout="constrained")
        left, middle, right = figure.subplots(1, 3, width_ratios=(1, 1, 0.8))
        left.set(xlabel=f"true {name}", ylabel=f"predicted {name}", aspect="equal")
        middle.set(xlabel=f"predicted {name}", ylabel="predicted - true")
        right.set(xlabel="predicted - true (line: median)", ylabel="rows")
        facts = [f"n = {len(true):,}" if len(true) else "no finite prediction"]
        if len(true):
            ends = _ends(np.concatenate((true, predicted)))
            _draw_points(left, true, predicted, (*ends, *ends))
            left.plot(ends, ends, **GUIDE)
            _draw_points(middle, predicted, error, (*_ends(predicted), *_ends(np.append(error, 0))))
            middle.axhline(0, **GUIDE)
            _draw_bands(middle, predicted, error)
            _draw_errors(right, error)
            facts.append(f"RMSE {format_number(float(np.sqrt(np.mean(error**2))))}")
            facts.append(f"mean error {format_number(float(error.mean()))}")
        finish_figure(figure, shorten(title, 40), *facts)
    return figure


def _draw_bands(axes: Axes, predicted: np.ndarray, error: np.ndarray) -> None:
    count = min(_MOST_BINS, len(error) // _ROWS_A_BIN)
    if count < _FEWEST_BINS:
        return
    bins = np.array_split(np.argsort(predicted, kind="stable"), count)
    middles = [float(np.median(predicted[rows])) for rows in bins]
    low, median, high = np.array([np.quantile(error[rows], (0.1, 0.5, 0.9)) for rows in bins]).T
    axes.plot(middles, median, "o-", color="black", linewidth=1.4, markersize=3.5, label="median")
    for edge, label in ((low, "middle 80 %"), (high, None)):
        axes.plot(middles, edge, "-", color=COLORS[1], linewidth=1.4, label=label)
    axes.legend(loc="best", fontsize=8, framealpha=0.8)


def _draw_errors(axes: Axes, error: np.ndarray) -> None:
    """How often which error occurs, one in a hundred at either end left outside."""
    axes.locator_params(axis="x", nbins=5)
    axes.locator_params(axis="y", nbins=5, integer=True)
    low, high = np.quantile(error, (0.005, 0.995)) if len(error) > 200 else (error.min(), error.max())
    inside = error[(error >= low) & (error <= high)]
    bins = min(50, max(5, round(len(inside) ** 0.5)))
    axes.hist(inside, bins=bins, range=_apart(low, high), color=COLORS[4], edgecolor="white", linewidth=0.4)
    axes.axvline(0, **GUIDE)
    axes.axvline(float(np.median(error)), color="black", linewidth=1.4)
    _say_outside(axes, len(error) - len(inside))


def _ends(values: np.ndarray) -> tuple[float, float]:
    """Where an axis begins and ends: with all values, or without the few that lie far away from all others."""
    low, high = float(values.min()), float(values.max())
    inner = np.quantile(values, (0.005, 0.995))
    if high - low > _FAR * (inner[1] - inner[0]) > 0:
        low, high = float(inner[0]), float(inner[1])
    low, high = _apart(low, high)
    margin = 0.05 * (high - low)
    return low - margin, high + margin


def _apart(low: float, high: float) -> tuple[float, float]:
    """Two ends of an axis, with room between them where they differ by rounding alone."""
    largest = max(abs(low), abs(high))
    if high - low > 1e-9 * largest:
        return low, high
    return low - (0.05 * largest or 0.5), high + (0.05 * largest or 0.5)


def _draw_points(axes: Axes, x: np.ndarray, y: np.ndarray, view: tuple[float, float, float, float]) -> None:
    from matplotlib.colors import LinearSegmentedColormap

    inside = (x >= view[0]) & (x <= view[1]) & (y >= view[2]) & (y <= view[3])
    _say_outside(axes, len(x) - int(inside.sum()))
    x, y = x[inside], y[inside]
    axes.locator_params(nbins=5)
    if len(x) > _MANY_POINTS:
        shades = LinearSegmentedColormap.from_list("number of points", ("#A6CBE3", "#08306B"))
        axes.hexbin(x, y, gridsize=60, extent=view, bins="log", mincnt=1, cmap=shades, linewidths=0.1, rasterized=True)
    else:
        axes.scatter(x, y, s=16 if len(x) <= 500 else 5, color=COLORS[0], alpha=0.5, linewidths=0)
    axes.set(xlim=view[:2], ylim=view[2:])


def _say_outside(axes: Axes, count: int) -> None:
    if count:
        axes.set_xlabel(f"{axes.get_xlabel()}\n{count:,} {'rows lie' if count > 1 else 'row lies'} outside")


def draw_importance(names: Sequence[str], mean: ArrayLike, std: ArrayLike, *, metric: str, title: str = "") -> Figure:
    """Draw how much worse a model gets without each column: a bar a column, in the order given.

    Args:
        names: K columns; the first 40 are drawn.
        mean: (K,) by how much ``metric`` gets worse.
        std: (K,) over the repeats.
        metric: the name of it, for the axis.
        title: above the picture.
    """
    from matplotlib.figure import Figure

    size = min(len(names), _MANY_COLUMNS)
    values, spread = np.asarray(mean, dtype=np.float64)[:size], np.asarray(std, dtype=np.float64)[:size]
    with picture_style():
        figure = Figure(figsize=(7.2, 1.3 + 0.24 * max(4, size)), layout="constrained")
        axes = figure.add_subplot()
        axes.barh(range(size), values, 0.7, xerr=spread, color=COLORS[4], ecolor="0.2", capsize=2)
        axes.axvline(0, color="0.3", linewidth=1)
        axes.set_yticks(range(size), shorten_apart(names[:size], 32))
        axes.set_ylim(size - 0.4, -0.6)
        axes.set_xlabel(f"{shorten(metric, 24)} gets worse by (bar: mean, line: standard deviation)")
        axes.tick_params(axis="y", length=0)
        axes.grid(visible=False, axis="y")
        more = f"and {len(names) - size} more columns" if len(names) > size else ""
        finish_figure(figure, shorten(title, 40), "each column's cells dealt out at random", more)
    return figure
