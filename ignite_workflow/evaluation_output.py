"""An evaluation as people and programs get it: tables for a terminal; pictures and a JSON file for a directory."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ignite_workflow.class_pictures import draw_calibration, draw_confusion_matrix, draw_per_class
from ignite_workflow.display import format_number
from ignite_workflow.durable import replace_file
from ignite_workflow.errors import ConfigError
from ignite_workflow.evaluation_report import MAIN_METRICS, Evaluation
from ignite_workflow.importance import ColumnImportance
from ignite_workflow.pictures import figure_bytes, shorten
from ignite_workflow.strict_json import to_json
from ignite_workflow.value_pictures import draw_importance, draw_regression

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["evaluation_text", "write_evaluation"]

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
    skipped += f", {len(found.bad_samples):,} skipped that cannot be made" if found.bad_samples else ""
    lines = [f"{shorten(found.source, max(20, width - 30))}: {rows}{skipped}", ""]
    lines += _table([[name, format_number(value)] for name, value in found.metrics.items()], width)
    remarks = list(_remarks(found, width))
    lines += ["", *remarks] if remarks else []
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
    if found.importance:
        lines += ["", *_table(list(_importance_rows(found.importance, MAIN_METRICS[found.target.task])), width)]
    return "\n".join(lines) + "\n"


def _remarks(found: Evaluation, width: int) -> Iterator[str]:
    """What the figures alone do not say, in lines no wider than the terminal."""
    texts = []
    if found.not_finite:
        texts.append(f"{found.not_finite:,} rows have no finite prediction: the figures mean little.")
    if found.baseline is not None and found.baseline.misleads:
        always = f"always answering {shorten(found.baseline.name, 24)} would reach {found.baseline.accuracy:.4f}"
        balanced = found.baseline.balanced_accuracy
        texts.append(f"accuracy misleads here: {always}; balanced accuracy {balanced:.4f}.")
        if balanced < found.metrics["accuracy"]:
            texts[-1] += " loss.class_weights=balanced makes rare classes count as much as common ones."
    if found.calibration is not None:
        error, chance, excess = (getattr(found.calibration, name) for name in ("error", "by_chance", "excess"))
        side = f"too {'high' if excess > 0 else 'low'} by {abs(excess):.3f} on average"
        texts.append(
            f"calibration error {error:.3f} (of so few rows, {chance:.3f} would be chance); probabilities of "
            f"{shorten(found.calibration.of, 24)} are {side}."
        )
    for each in found.targets:
        low, first, median, third, high = map(format_number, each.quantiles)
        texts.append(
            f"errors of {shorten(each.name, 24)} (predicted - true): mean {format_number(each.bias)}, median {median}, "
            f"half within {first} to {third}, 90 % within {low} to {high}."
        )
        if each.r2 < 0:
            texts.append(f"always answering the mean of {shorten(each.name, 24)} would be better than this model.")
    for text in texts:
        yield from textwrap.wrap(text, max(20, width), subsequent_indent="  ")


def _importance_rows(importance: Sequence[ColumnImportance], main: str) -> Iterator[list[str]]:
    shown = [main, *(name for name in ("loss",) if name in importance[0].mean)]
    yield ["without", *(part for name in shown for part in (f"{name} worse by", "+-"))]
    for each in importance:
        yield [each.name, *(format_number(part[name]) for name in shown for part in (each.mean, each.std))]


def _table(rows: Sequence[Sequence[str]], width: int) -> list[str]:
    """Cells in columns, the first to the left and cut where the line would be wider than the terminal."""
    widths = [max(map(len, column)) for column in list(zip(*rows, strict=True))[1:]]
    others = sum(widths) + 2 * len(widths)
    longest = max(len(shorten(row[0], _LONGEST_NAME)) for row in rows)
    first = min(longest, max(8, width - others))
    return [
        shorten(row[0], first).ljust(first)
        + "".join(f"  {cell:>{size}}" for cell, size in zip(row[1:], widths, strict=True))
        for row in rows
    ]


def _confusion(counts: np.ndarray, classes: Sequence[str], width: int) -> list[str]:
    names = [shorten(name, 12) for name in classes]
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
            short = (shorten(classes[index], 24) for index in (true, predicted))
            yield [" taken for ".join(short), str(wrong[true, predicted])]


def write_evaluation(found: Evaluation, directory: Path) -> list[Path]:
    """Write ``evaluation.json``, which holds every figure, and draw the evaluation, each picture as SVG and PNG.

    Args:
        found: from ``evaluate``.
        directory: created where it does not exist.

    Returns:
        The files, ``evaluation.json`` first.

    Raises:
        ConfigError: they cannot be written.
    """
    written = [directory / "evaluation.json"]
    try:
        directory.mkdir(parents=True, exist_ok=True)
        replace_file(written[0], to_json(found.to_dict(), indent=1).encode())
        for name, figure in _figures(found):
            for kind in ("svg", "png"):
                path = directory / f"{name}.{kind}"
                replace_file(path, figure_bytes(figure, kind))
                written.append(path)
    except OSError as error:
        raise ConfigError(f"cannot write the evaluation to {directory}: {error.strerror}") from error
    return written


def _figures(found: Evaluation) -> Iterator[tuple[str, Figure]]:
    if found.confusion is not None:
        yield (
            "confusion_matrix",
            draw_confusion_matrix(found.confusion, found.target.classes, title=found.source),
        )
    if found.classes:
        scores = {name: [getattr(each, name) for each in found.classes] for name in ("precision", "recall", "f1")}
        yield "classes", draw_per_class(scores, [each.name for each in found.classes], title=found.source)
    if found.calibration is not None:
        known = found.calibration
        yield (
            "calibration",
            draw_calibration(
                known.probability, known.share, known.counts, of=known.of, error=known.error, title=found.source
            ),
        )
    if found.importance:
        main = MAIN_METRICS[found.target.task]
        names = [each.name for each in found.importance]
        mean, std = (
            [part[main] for part in parts] for parts in zip(*((e.mean, e.std) for e in found.importance), strict=True)
        )
        yield "importance", draw_importance(names, mean, std, metric=main, title=found.source)
    if found.truth is not None and found.prediction is not None:
        for index, name in enumerate(found.target.columns):
            number = f"_{index + 1}" if len(found.target.columns) > 1 else ""
            truth, prediction = found.truth[:, index], found.prediction[:, index]
            yield f"regression{number}", draw_regression(truth, prediction, name, title=found.source)
