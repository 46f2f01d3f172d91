"""Pictures of how well classes are told apart, and of how far their probabilities can be believed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from ignite_workflow.display import format_number, shorten, shorten_apart
from ignite_workflow.pictures import COLORS, GUIDE, finish_figure, picture_style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import ArrayLike

__all__ = ["draw_calibration", "draw_confusion_matrix", "draw_per_class"]

_MANY_CLASSES = 30  # beyond, counts cannot be read
_Z = 1.96  # of a normal distribution, 95 % lie within


def draw_confusion_matrix(counts: ArrayLike, classes: Sequence[str], *, title: str = "") -> Figure:
    """Draw how often each true class was taken for which.

    The shade is the share of the true class, so rare classes are seen as well as common ones, and grows with its square
    root, so a few errors in a hundred are seen too. Up to 30 classes have their counts written in.

    Args:
        counts: (C, C): rows are true classes, columns predicted ones.
        classes: C names.
        title: above the picture.
    """
    from matplotlib.colors import PowerNorm
    from matplotlib.figure import Figure

    table = np.asarray(counts)
    size = len(classes)
    share = table / np.maximum(table.sum(axis=1, keepdims=True), 1)
    side = min(max(2.4, 0.42 * size), 13)
    with picture_style():
        figure = Figure(figsize=(side + 3.2, side + 2.2), layout="constrained")
        axes = figure.add_subplot()
        image = axes.imshow(share, cmap="Blues", norm=PowerNorm(0.5, vmin=0, vmax=1))
        axes.spines[:].set_visible(False)
        ticks, names = _class_ticks(classes)
        upright = max(map(len, names)) * 0.085 < side / size  # inches
        axes.set_xticks(ticks, names, rotation=0 if upright else 90)
        axes.set_yticks(ticks, names)
        axes.tick_params(length=0, labelsize=9 if size <= _MANY_CLASSES else 7)
        axes.set(xlabel="predicted", ylabel="true")
        axes.grid(visible=False)
        if size <= _MANY_CLASSES:
            _write_counts(axes, table, share, width=side / size)
        bar = figure.colorbar(
            image, ax=axes, label="share of the true class", ticks=(0, 0.05, 0.2, 0.5, 1), aspect=30, shrink=0.85
        )
        bar.ax.minorticks_off()
        finish_figure(figure, shorten(title, 40), f"n = {int(table.sum()):,}")
    return figure


def _write_counts(axes: Axes, table: np.ndarray, share: np.ndarray, *, width: float) -> None:
    """Write each count into its cell, which is ``width`` inches wide."""
    for row, column in zip(*np.nonzero(table), strict=True):
        count, color = f"{table[row, column]:,.0f}", "white" if share[row, column] > 0.4 else "0.15"
        size = 8 if len(count) * 0.07 < width else 6
        text = axes.text(column, row, count, ha="center", va="center", color=color, fontsize=size)
        text.set_in_layout(False)  # within the axes anyway; hundreds of them would take the layout seconds
    edges = np.arange(len(table) + 1) - 0.5
    axes.set_xticks(edges, minor=True)
    axes.set_yticks(edges, minor=True)
    axes.grid(which="minor", visible=True)
    axes.tick_params(which="minor", length=0)


def draw_per_class(scores: Mapping[str, Sequence[float]], classes: Sequence[str], *, title: str = "") -> Figure:
    """Draw each class's scores, a row a class, in the order given.

    Args:
        scores: of each metric (precision, recall, F1, ...) its value, 0 to 1, for each class.
        classes: C names.
        title: above the picture.
    """
    from matplotlib.figure import Figure

    size = len(classes)
    with picture_style():
        figure = Figure(figsize=(6.4, 1.2 + min(max(1.0, 0.24 * size), 14)), layout="constrained")
        axes = figure.add_subplot()
        for (name, values), color, marker in zip(scores.items(), COLORS, "><osd^"):
            axes.plot(values, range(size), marker, color=color, label=shorten(name, 24), fillstyle="none", markersize=6)
        axes.set_yticks(*_class_ticks(classes))
        axes.set(xlim=(-0.02, 1.02), ylim=(size - 0.5, -0.5))
        axes.spines["left"].set_visible(False)
        axes.tick_params(axis="y", length=0)
        figure.legend(loc="outside lower center", ncols=len(scores), frameon=False)
        finish_figure(figure, shorten(title, 40))
    return figure


def _class_ticks(classes: Sequence[str]) -> tuple[Sequence[int], list[str]]:
    """Where classes are named and how: of more than 60 only some can be."""
    ticks = range(0, len(classes), -(-len(classes) // 60))
    return ticks, shorten_apart([classes[tick] for tick in ticks], 24)


def draw_calibration(
    probability: ArrayLike, share: ArrayLike, counts: ArrayLike, *, of: str, error: float, title: str = ""
) -> Figure:
    """Draw what came true against what was promised, and how often what was promised.

    A bar at a point is the interval in which the share lies with 95 % certainty: of few rows it is long.

    Args:
        probability: (B,) mean probability of the predictions in each bin of equal width; NaN where there are none.
        share: (B,) of them that came true.
        counts: (B,) how many they are.
        of: what the probability is of, for the axis.
        error: expected calibration error.
        title: above the picture.
    """
    from matplotlib.figure import Figure

    promised, true, rows = (np.asarray(values, dtype=np.float64) for values in (probability, share, counts))
    held = rows > 0
    promised, true = promised[held], true[held]
    low, high = _share_interval(true, rows[held])
    with picture_style():
        figure = Figure(figsize=(5.4, 5.8), layout="constrained")
        upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
        upper.plot((0, 1), (0, 1), label="as promised", **GUIDE)
        bars, label = (true - low, high - true), "came true (95 % interval)"
        upper.errorbar(promised, true, bars, fmt="o-", label=label, color=COLORS[0], linewidth=1.2, capsize=3)
        upper.legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=2, fontsize=8, frameon=False)  # hides no point
        upper.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), ylabel="share that came true")
        width = 1 / len(rows)
        bars_below = lower.bar((np.arange(len(rows)) + 0.5) * width, rows, width * 0.9, color="0.6")
        lower.bar_label(bars_below, [f"{count:,.0f}" if count else "" for count in rows], fontsize=7, padding=1)
        lower.margins(y=0.2)
        lower.set(ylabel="predictions", xlabel=f"probability of {shorten(of, 40)}")
        lower.locator_params(axis="y", nbins=4, integer=True)
        facts = (f"n = {int(rows.sum()):,}", f"calibration error {format_number(error)}")
        finish_figure(figure, shorten(title, 30), *facts)
    return figure


def _share_interval(share: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where the true share lies with 95 % certainty. Source: Wilson, Probable Inference (1927)."""
    middle = (share + _Z**2 / (2 * rows)) / (1 + _Z**2 / rows)
    half = _Z / (1 + _Z**2 / rows) * np.sqrt(share * (1 - share) / rows + _Z**2 / (4 * rows**2))
    return np.minimum(middle - half, share), np.maximum(middle + half, share)
