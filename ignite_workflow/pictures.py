"""What all pictures share: one style, as SVG and PNG, the same bytes for the same numbers.

matplotlib is imported when the first picture is drawn, and used without ``pyplot``: no window, no state that a person's
own plots could meet. Text is never read as markup.
"""

from __future__ import annotations

import io
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = [
    "COLORS",
    "GUIDE",
    "figure_bytes",
    "finish_figure",
    "picture_style",
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
GUIDE: dict[str, Any] = {"color": "0.3", "linewidth": 1, "linestyle": "--"}
"""The look of a line that shows what would be perfect."""


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


def finish_figure(figure: Figure, *above: str) -> None:
    """Write what stands above all and find room for every text: once, as each format would draw all twice to do so."""
    figure.suptitle("   ".join(filter(None, above)), x=0.01, ha="left")
    engine = figure.get_layout_engine()
    assert engine is not None
    engine.execute(figure)
    figure.set_layout_engine("none")
