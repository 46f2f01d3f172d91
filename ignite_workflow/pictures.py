"""Pictures of what a model does: one style for all, as SVG and PNG, the same bytes for the same numbers.

matplotlib is imported when the first picture is drawn, and used without ``pyplot``: no window, no state that a person's
own plots could meet. Text is never read as markup.
"""

from __future__ import annotations

import io
import logging
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from ignite_workflow.display import format_number, printable

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import ArrayLike

__all__ = [
    "COLORS",
    "draw_confusion_matrix",
    "draw_per_class",
    "draw_regression",
    "figure_bytes",
    "picture_style",
    "shorten",
]

COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00")
"""Told apart by the colour-blind too. Source: Okabe and Ito, Color Universal Design, 2008."""

_STYLE: dict[Any, Any] = {
    "axes.axisbelow": True,
    "axes.edgecolor": "0.4",
    "axes.grid": True,
    "axes.linewidth": 0.8,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlesize": 9,
    "axes.titleweight": "bold",
    "figure.titlesize": 9,
    "figure.titleweight": "bold",
    "font.size": 9,
    "grid.color": "0.9",
    "grid.linewidth": 0.6,
    "savefig.dpi": 150,
    "svg.fonttype": "none",  # text stays text: it can be searched, copied and read aloud
    "svg.hashsalt": "ignite-workflow",
    "text.parse_math": False,  # a name may hold $, _ and ^
    "xtick.color": "0.3",
    "ytick.color": "0.3",
}
_MORE_FONTS = (
    "Noto Sans CJK SC",
    "Noto Sans CJK JP",
    "WenQuanYi Zen Hei",
    "PingFang SC",
    "Hiragino Sans",
    "Malgun Gothic",
)
_MANY_POINTS = 5_000  # beyond, points hide one another: shaded by their number instead
_MANY_CLASSES = 30  # beyond, counts cannot be read
_PERFECT: dict[str, Any] = {"color": "0.3", "linewidth": 1, "linestyle": "--"}


@contextmanager
def picture_style() -> Iterator[None]:
    """Draw in this package's style, whatever a person's ``matplotlibrc`` says."""
    import matplotlib as mpl

    fonts_log = logging.getLogger("matplotlib.font_manager")
    level = fonts_log.level
    fonts_log.setLevel(logging.ERROR)  # a script's font may have no bold: nothing anybody needs to know
    try:
        with mpl.rc_context(), warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Glyph .* missing from", UserWarning)  # a box here, whole in the SVG
            mpl.rcdefaults()
            mpl.rcParams.update(_STYLE | {"font.family": ["sans-serif", *_fonts_for_other_scripts()]})
            yield
    finally:
        fonts_log.setLevel(level)


@cache
def _fonts_for_other_scripts() -> tuple[str, ...]:
    from matplotlib.font_manager import fontManager

    installed = {font.name for font in fontManager.ttflist}
    return tuple(name for name in _MORE_FONTS if name in installed)


def figure_bytes(figure: Figure, kind: Literal["svg", "png"]) -> bytes:
    """The contents of a picture's file: the same for the same picture, without date or version."""
    buffer = io.BytesIO()
    nothing = {"svg": {"Date": None, "Creator": None}, "png": {"Software": None}}
    with picture_style():
        figure.savefig(buffer, format=kind, metadata=nothing[kind])
    return buffer.getvalue()


def shorten(name: str, length: int) -> str:
    """The name in at most ``length`` characters, its middle left out, fit to be drawn.

    Example:
        >>> shorten("a_very_long_name_of_something", 12)
        'a_very…thing'
    """
    shown = printable(name)
    if len(shown) <= length:
        return shown
    tail = (length - 1) // 2
    return f"{shown[: length - 1 - tail]}…{shown[-tail:]}"


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
            _write_counts(axes, table, share)
        bar = figure.colorbar(
            image, ax=axes, label="share of the true class", ticks=(0, 0.05, 0.2, 0.5, 1), aspect=30, shrink=0.85
        )
        bar.ax.minorticks_off()
        _finish(figure, shorten(title, 40), f"n = {int(table.sum()):,}")
    return figure


def _write_counts(axes: Axes, table: np.ndarray, share: np.ndarray) -> None:
    for row, column in zip(*np.nonzero(table), strict=True):
        count, color = f"{table[row, column]:.0f}", "white" if share[row, column] > 0.4 else "0.15"
        text = axes.text(column, row, count, ha="center", va="center", color=color, fontsize=8 if len(count) < 5 else 6)
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
        _finish(figure, shorten(title, 40))
    return figure


def _class_ticks(classes: Sequence[str]) -> tuple[Sequence[int], list[str]]:
    """Where classes are named and how: of more than 60 only some can be."""
    ticks = range(0, len(classes), -(-len(classes) // 60))
    return ticks, [shorten(classes[tick], 24) for tick in ticks]


def draw_regression(y: ArrayLike, y_pred: ArrayLike, unit_name: str, *, title: str = "") -> Figure:
    """Draw predictions against the truth, and the errors against the predictions.

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
    name = shorten(unit_name, 30)
    with picture_style():
        figure = Figure(figsize=(9, 4.3), layout="constrained")
        left, right = figure.subplots(1, 2)
        _draw_points(left, true, predicted)
        _draw_points(right, predicted, predicted - true)
        right.axhline(0, **_PERFECT)
        left.set(xlabel=f"true {name}", ylabel=f"predicted {name}", aspect="equal")
        right.set(xlabel=f"predicted {name}", ylabel="predicted - true")
        facts = [f"n = {len(true):,}"]
        if len(true):
            ends = [min(true.min(), predicted.min()), max(true.max(), predicted.max())]
            left.plot(ends, ends, **_PERFECT)
            facts.append(f"RMSE {format_number(float(np.sqrt(np.mean((predicted - true) ** 2))))}")
        _finish(figure, shorten(title, 40), *facts)
    return figure


def _draw_points(axes: Axes, x: np.ndarray, y: np.ndarray) -> None:
    from matplotlib.colors import LinearSegmentedColormap

    axes.locator_params(nbins=5)
    if len(x) > _MANY_POINTS:
        shades = LinearSegmentedColormap.from_list("number of points", ("#A6CBE3", "#08306B"))
        axes.hexbin(x, y, gridsize=60, bins="log", mincnt=1, cmap=shades, linewidths=0.1, rasterized=True)
    else:
        axes.scatter(x, y, s=16 if len(x) <= 500 else 5, color=COLORS[0], alpha=0.5, linewidths=0)


def _finish(figure: Figure, *above: str) -> None:
    """Write what stands above all and find room for every text: once, as each format would draw all twice to do so."""
    figure.suptitle("   ".join(filter(None, above)), x=0.01, ha="left")
    engine = figure.get_layout_engine()
    assert engine is not None
    engine.execute(figure)
    figure.set_layout_engine("none")
