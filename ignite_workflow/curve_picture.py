"""The picture of a training: one panel for each thing measured, all splits in it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Literal

import numpy as np

from ignite_workflow.display import format_number, shorten
from ignite_workflow.pictures import COLORS, picture_style
from ignite_workflow.records import Record

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["draw_curves"]

_LINES = {"train": (COLORS[0], "-", "o"), "val": (COLORS[1], "--", "s"), "test": (COLORS[2], ":", "^")}
_OTHER_LINE = (COLORS[3], "-.", "D")
_LOG_SPREAD = 20  # largest over smallest value from which a linear axis hides the small ones
_FEW_POINTS = 25  # up to here each point has its marker
_DENSE_POINTS = 100  # beyond, dashes would be lost in the noise: markers tell the curves apart
_MANY_POINTS = 1_000  # beyond, a curve is drawn as mean and range of groups of points
_GROUPS = 250
_STEPS = (1, 2, 5, 10)  # between ticks
_WIDTH, _HEIGHT, _LOW_HEIGHT = 3.4, 2.1, 0.8  # of a panel's axes, inches
_LEFT, _RIGHT, _TOP, _BOTTOM = 0.65, 0.55, 0.5, 0.45  # room around them
_TITLE = 0.25  # room above all


@dataclass
class _Curve:
    epochs: list[float] = field(default_factory=list)
    values: list[float] = field(default_factory=list)


def draw_curves(
    records: Iterable[Record],
    *,
    epoch_length: int,
    modes: Mapping[str, Literal["min", "max"] | None],
    title: str = "",
) -> Figure:
    """Draw what was recorded over epochs: the loss first, the learning rate last.

    An axis is logarithmic where all values are positive, the largest is more than 20 times the smallest, and more is
    not better (an accuracy is read on a linear axis). Values that are not finite leave a gap, with a cross above it. A
    curve of more than 1,000 points is drawn as means of neighbours, with a band from the least to the greatest.

    Args:
        records: of one run.
        epoch_length: iterations an epoch.
        modes: by name, which direction is better; the best validation value is marked where that is known.
        title: above the picture.
    """
    from matplotlib.figure import Figure

    panels = _panels(records, epoch_length)
    with picture_style():
        places, size = _arrange(list(panels))
        figure = Figure(figsize=size)
        ends = [epoch for curves in panels.values() for curve in curves.values() for epoch in curve.epochs]
        for name, place in places.items():
            axes = figure.add_axes((place[0] / size[0], place[1] / size[1], place[2] / size[0], place[3] / size[1]))
            _draw_panel(axes, name, panels[name], modes.get(name), place[3])
            _set_epochs(axes, ends)
        figure.text(0.12 / size[0], 1 - 0.12 / size[1], shorten(title, 60), va="top", color="0.3")
    return figure


def _panels(records: Iterable[Record], epoch_length: int) -> dict[str, dict[str, _Curve]]:
    """Curves by name and split, in the order in which they are drawn."""
    panels: dict[str, dict[str, _Curve]] = {}
    for row in records:
        curve = panels.setdefault(row.name, {}).setdefault(row.split, _Curve())
        curve.epochs.append(row.iteration / epoch_length)
        curve.values.append(row.value)
    order = sorted(panels, key=_is_no_loss)
    return {name: dict(sorted(panels[name].items(), key=_split_place)) for name in order}


def _is_no_loss(name: str) -> bool:
    return name != "loss"


def _split_place(item: tuple[str, _Curve]) -> int:
    order = list(_LINES)
    return order.index(item[0]) if item[0] in order else len(order)


def _arrange(names: Sequence[str]) -> tuple[dict[str, tuple[float, float, float, float]], tuple[float, float]]:
    """Where each panel's axes stand (left, bottom, width, height) and how large the figure is, in inches.

    The learning rate takes a free place, or a low row of its own.
    """
    metrics = [name for name in names if name != "lr"]
    count = max(len(metrics), 1)
    columns = {1: 1, 2: 2, 3: 2 if "lr" in names else 3, 4: 2}.get(count, 3)
    rows = -(-count // columns)
    low_row = "lr" in names and (not metrics or count % columns == 0)
    heights = [_HEIGHT] * (rows if metrics else 0) + [_LOW_HEIGHT] * low_row
    stretch = 1.5 if columns == 1 else 1.0
    width = _LEFT + stretch * _WIDTH + _RIGHT
    total = sum(heights) + len(heights) * (_TOP + _BOTTOM) + _TITLE
    places = {}
    for number, name in enumerate([*metrics, *(["lr"] if "lr" in names else [])]):
        row, column = divmod(number, columns)
        above = sum(heights[: row + 1]) + row * (_TOP + _BOTTOM) + _TOP + _TITLE
        places[name] = (column * width + _LEFT, total - above, stretch * _WIDTH, heights[row])
    return places, (columns * width, max(total, 1.0))


def _draw_panel(axes: Axes, name: str, curves: Mapping[str, _Curve], mode: str | None, height: float) -> None:
    finite = [value for curve in curves.values() for value in curve.values if math.isfinite(value)]
    notes = []
    if _wants_log(name, finite, mode):
        axes.set_yscale("log")
        notes.append("log scale")
    missing = False
    axes.margins(y=0.08)
    for number, (split, curve) in enumerate(curves.items()):
        x, y = np.array(curve.epochs), np.array(curve.values)
        line = _LINES.get(split, _OTHER_LINE)
        _draw_curve(axes, x, y, line, number)
        missing |= _mark_not_finite(axes, x[~np.isfinite(y)], line[0], number)
    if missing:
        notes.append("crosses: not finite")
    if mode is not None and "val" in curves:
        notes = _mark_best(axes, curves["val"], mode) + notes
    _set_ticks(axes, finite, most=4 if height == _LOW_HEIGHT else 5)
    if name != "lr":
        _label_curves(axes, curves, 0.17 / height)
    shown, room = ("learning rate", 5) if name == "lr" else (shorten(name, 40), 17)
    axes.set_title(shown, loc="left", y=1, pad=room)  # y: no search for a free place, which takes a fifth of the time
    axes.text(0, 1 + 0.07 / height, "  ·  ".join(notes), transform=axes.transAxes, fontsize=8, color="0.4")


def _wants_log(name: str, finite: Sequence[float], mode: str | None) -> bool:
    if not finite or name == "lr" or mode == "max":
        return False
    return min(finite) > 0 and max(finite) / min(finite) > _LOG_SPREAD


def _draw_curve(axes: Axes, x: np.ndarray, y: np.ndarray, line: tuple[str, str, str], number: int) -> None:
    color, dashes, marker = line
    if len(x) > _MANY_POINTS:
        x, low, y, high = _group(x, y)
        axes.fill_between(x, low, high, color=color, alpha=0.2, linewidth=0)
    dense = len(x) > _DENSE_POINTS
    shown = np.where(np.isfinite(y), y, np.nan)
    axes.plot(
        x, shown, color=color, linestyle="-" if dense else dashes, linewidth=1 if dense else 1.3, marker=marker,
        markevery=_marked(shown, number), markersize=6 if dense else 4, markeredgecolor="white" if dense else color,
        markeredgewidth=0.8,
    )  # fmt: skip


def _group(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Middle, least, mean and greatest of neighbouring points, over the finite ones; NaN where a group has none."""
    starts = np.linspace(0, len(x), _GROUPS, endpoint=False).astype(int)
    finite = np.isfinite(y)
    counts = np.add.reduceat(finite.astype(int), starts)
    empty = counts == 0
    low = np.minimum.reduceat(np.where(finite, y, np.inf), starts)
    high = np.maximum.reduceat(np.where(finite, y, -np.inf), starts)
    mean = np.add.reduceat(np.where(finite, y, 0), starts) / np.maximum(counts, 1)
    middle = np.add.reduceat(x, starts) / np.diff([*starts, len(x)])
    low, mean, high = (np.where(empty, np.nan, values) for values in (low, mean, high))
    return middle, low, mean, high


def _marked(y: np.ndarray, number: int) -> list[int]:
    """Which points have a marker: all of a few, some of many; and each that stands alone, where no line shows it."""
    if len(y) <= _FEW_POINTS:
        return list(range(len(y)))
    gap = np.isnan(np.concatenate(([np.nan], y, [np.nan])))
    alone = ~gap[1:-1] & gap[:-2] & gap[2:]
    step = len(y) / 8
    spaced = [int((place + 0.3 + 0.4 * (number % 2)) * step) for place in range(8)]
    return sorted({*spaced, *np.flatnonzero(alone).tolist()})


def _mark_not_finite(axes: Axes, x: np.ndarray, color: str, number: int) -> bool:
    if len(x) > 100:
        x = x[np.linspace(0, len(x) - 1, 100).astype(int)]
    axes.plot(
        x, np.full(len(x), 1.0 - 0.06 * number), "x", color=color, markersize=4, transform=axes.get_xaxis_transform(),
        clip_on=False,
    )  # fmt: skip
    return len(x) > 0


def _mark_best(axes: Axes, curve: _Curve, mode: str) -> list[str]:
    finite = [(value, epoch) for value, epoch in zip(curve.values, curve.epochs) if math.isfinite(value)]
    if not finite:
        return []
    value, epoch = min(finite) if mode == "min" else max(finite, key=_value_then_earlier)
    axes.plot([epoch], [value], "o", markersize=9, markerfacecolor="none", markeredgecolor="0.1", zorder=5)
    return [f"best val {format_number(value)} in epoch {math.ceil(epoch)}"]


def _value_then_earlier(point: tuple[float, float]) -> tuple[float, float]:
    return point[0], -point[1]


def _set_epochs(axes: Axes, epochs: Sequence[float]) -> None:
    from matplotlib.ticker import MaxNLocator

    first, last = min(epochs), max(epochs)
    if first == last or first < 1:
        first, last = 0, math.ceil(last)
    room = 0.03 * (last - first)
    axes.set_xlim(first - room, last + room)
    axes.xaxis.set_major_locator(MaxNLocator(nbins=8, steps=_STEPS, integer=True))
    axes.set_xlabel("epoch", labelpad=1)


def _set_ticks(axes: Axes, finite: Sequence[float], *, most: int) -> None:
    from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

    if not finite:
        axes.set_yticks([])
        axes.text(0.5, 0.5, "no finite value", transform=axes.transAxes, ha="center", va="center", color="0.4")
        return
    low, high = axes.get_ylim()
    if axes.get_yscale() == "log":
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if high / low < 2_000 else (1,)))
        axes.yaxis.set_minor_formatter(NullFormatter())
        digits = 3
    else:
        axes.yaxis.set_major_locator(MaxNLocator(nbins=most, steps=_STEPS))
        digits = 3 + max(0, math.ceil(math.log10(max(abs(low), abs(high)) / (high - low))))
    axes.yaxis.set_major_formatter(FuncFormatter(partial(_tick, digits)))


def _tick(digits: int, value: float, _: int) -> str:
    return f"{value:.{max(digits, 6)}g}"


def _label_curves(axes: Axes, curves: Mapping[str, _Curve], gap: float) -> None:
    """Write each split's name beside the end of its curve, ``gap`` of the axes' height apart at least."""
    ends = []
    for split, curve in curves.items():
        finite = [value for value in curve.values if math.isfinite(value)]
        if finite:
            place = axes.transAxes.inverted().transform(axes.transData.transform((0, finite[-1])))
            ends.append((float(place[1]), split))
    ends.sort()
    places = [height for height, _ in ends]
    for number in range(1, len(places)):
        places[number] = max(places[number], places[number - 1] + gap)
    pushed = (sum(places) - sum(height for height, _ in ends)) / max(len(ends), 1)
    for height, (_, split) in zip(places, ends, strict=True):
        color = _LINES.get(split, _OTHER_LINE)[0]
        axes.text(1.02, height - pushed, shorten(split, 9), transform=axes.transAxes, va="center", color=color)
