"""An evaluation as a person reads it: tables for a terminal, pictures for a directory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ignite_workflow import pictures
from ignite_workflow.display import format_number
from ignite_workflow.errors import ConfigError
from ignite_workflow.evaluation_report import Evaluation
from ignite_workflow.run_directory import replace_file

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["evaluation_text", "write_pictures"]

_MOST_MISTAKES = 10
_LONGEST_NAME = 30


def evaluation_text(found: Evaluation, *, width: int = 80) -> str:
    """The figures as tables of plain text.

    Args:
        found: from ``evaluate``.
        width: columns of the terminal; a confusion matrix that is wider is told by its largest mistakes.
    """
    rows = f"{found.rows:,} row{'s' if found.rows != 1 else ''}"
    skipped = f", {found.skipped:,} without a target left out" if found.skipped else ""
    lines = [f"{pictures.shorten(found.source, max(20, width - 30))}: {rows}{skipped}", ""]
    lines += _table([[name, format_number(value)] for name, value in found.metrics.items()], width)
    if found.classes:
        kind = "label" if found.target.task == "multilabel" else "class"
        figures = [
            [each.name, *(f"{value:.3f}" for value in (each.precision, each.recall, each.f1)), f"{each.rows}"]
            for each in found.classes
        ]
        lines += ["", *_table([[kind, "precision", "recall", "f1", "rows"], *figures], width)]
    if len(found.targets) > 1:
        figures = [
            [each.name, *(format_number(value) for value in (each.rmse, each.mae, each.r2))] for each in found.targets
        ]
        lines += ["", *_table([["target", "rmse", "mae", "r2"], *figures], width)]
    if found.confusion is not None:
        lines += ["", *_confusion(found.confusion, found.target.classes, width)]
    return "\n".join(lines) + "\n"


def _table(rows: Sequence[Sequence[str]], width: int) -> list[str]:
    """Cells in columns, the first to the left and cut where the line would be wider than the terminal."""
    widths = [max(map(len, column)) for column in list(zip(*rows, strict=True))[1:]]
    others = sum(widths) + 2 * len(widths)
    longest = max(len(pictures.shorten(row[0], _LONGEST_NAME)) for row in rows)
    first = min(longest, max(8, width - others))
    return [
        pictures.shorten(row[0], first).ljust(first)
        + "".join(f"  {cell:>{size}}" for cell, size in zip(row[1:], widths, strict=True))
        for row in rows
    ]


def _confusion(counts: np.ndarray, classes: Sequence[str], width: int) -> list[str]:
    names = [pictures.shorten(name, 12) for name in classes]
    rows = [[name, *map(str, row)] for name, row in zip(classes, counts.tolist(), strict=True)]
    table = _table([["true \\ predicted", *names], *rows], width)
    if max(map(len, table)) <= width:
        return table
    return ["largest mistakes:", *_table(list(_mistakes(counts, classes)) or [["none", ""]], width)]


def _mistakes(counts: np.ndarray, classes: Sequence[str]) -> Iterator[list[str]]:
    """The pairs of classes that are taken for each other most often."""
    wrong = counts - np.diag(np.diag(counts))
    for place in np.argsort(-wrong, axis=None, kind="stable")[:_MOST_MISTAKES]:
        true, predicted = divmod(int(place), len(classes))
        if wrong[true, predicted]:
            short = (pictures.shorten(classes[index], 24) for index in (true, predicted))
            yield [" taken for ".join(short), str(wrong[true, predicted])]


def write_pictures(found: Evaluation, directory: Path) -> list[Path]:
    """Draw the evaluation, each picture as SVG and PNG: the confusion matrix and the classes, or each target.

    Args:
        found: from ``evaluate``.
        directory: created where it does not exist.

    Returns:
        The files.

    Raises:
        ConfigError: they cannot be written.
    """
    written = []
    try:
        directory.mkdir(parents=True, exist_ok=True)
        for name, figure in _figures(found):
            for kind in ("svg", "png"):
                path = directory / f"{name}.{kind}"
                replace_file(path, pictures.figure_bytes(figure, kind))
                written.append(path)
    except OSError as error:
        raise ConfigError(f"cannot write pictures to {directory}: {error.strerror}") from error
    return written


def _figures(found: Evaluation) -> Iterator[tuple[str, Figure]]:
    if found.confusion is not None:
        yield (
            "confusion_matrix",
            pictures.draw_confusion_matrix(found.confusion, found.target.classes, title=found.source),
        )
    if found.classes:
        scores = {name: [getattr(each, name) for each in found.classes] for name in ("precision", "recall", "f1")}
        yield "classes", pictures.draw_per_class(scores, [each.name for each in found.classes], title=found.source)
    if found.truth is not None and found.prediction is not None:
        for index, name in enumerate(found.target.columns):
            number = f"_{index + 1}" if len(found.target.columns) > 1 else ""
            truth, prediction = found.truth[:, index], found.prediction[:, index]
            yield f"regression{number}", pictures.draw_regression(truth, prediction, name, title=found.source)
