"""An evaluation as people and programs get it: tables for a terminal; pictures and a JSON file for a directory."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ignite_workflow.class_pictures import draw_calibration, draw_confusion_matrix, draw_per_class
from ignite_workflow.display import format_number, padded, shorten, shorten_apart, text_width, wrapped
from ignite_workflow.durable import replace_file
from ignite_workflow.errors import ConfigError
from ignite_workflow.evaluation_figures import ClassFigures
from ignite_workflow.evaluation_report import Evaluation, main_metric
from ignite_workflow.importance import ColumnImportance
from ignite_workflow.pictures import figure_bytes
from ignite_workflow.remarks import columns_named
from ignite_workflow.strict_json import to_json
from ignite_workflow.value_pictures import draw_importance, draw_regression

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["evaluation_text", "write_evaluation"]

_PICTURE = re.compile(r"(confusion_matrix|classes|calibration|importance|regression(_\d+)?)\.(svg|png)")
_MOST_MISTAKES = 10
_MOST_COLUMNS = 40
_LONGEST_NAME = 30
_NO_TERMINAL = 120  # columns of tables where it is not a terminal that they are for


def evaluation_text(found: Evaluation, *, width: int | None = 80) -> str:
    """The figures as tables of plain text.

    Args:
        found: from ``evaluate``.
        width: columns of the terminal; a confusion matrix that is wider is told by its largest mistakes. None: there
            is no terminal, and sentences stay on one line.
    """
    remarks = [wrapped(text, width, indent=2) for text in _remarks(found)]
    width = width or _NO_TERMINAL
    rows = f"{found.rows:,} row{'s' if found.rows != 1 else ''}"
    skipped = f", {found.skipped:,} without a target left out" if found.skipped else ""
    skipped += f", {len(found.bad_samples):,} skipped that cannot be made" if found.bad_samples else ""
    lines = [f"{shorten(found.source, max(20, width - 30))}: {rows}{skipped}", ""]
    lines += _table([[name, format_number(value)] for name, value in found.metrics.items()], width)
    lines += ["", *remarks] if remarks else []
    if found.classes:
        kind = "label" if found.target.task == "multilabel" else "class"
        figures = [
            [each.name, *(f"{value:.3f}" if known else "-" for value, known in _scores(each)), f"{each.rows}"]
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
        shown = found.importance[:_MOST_COLUMNS]
        lines += ["", *_table(list(_importance_rows(shown, main_metric(found.target))), width)]
        more = len(found.importance) - len(shown)
        lines += [f"and {more} more columns, in evaluation.json"] if more else []
    return "\n".join(lines) + "\n"


def _scores(each: ClassFigures) -> list[tuple[float, bool]]:
    """Precision, recall and F1 of a class, and whether there are rows that they could be of."""
    occurs, predicted = each.rows > 0, each.predicted > 0
    return [(each.precision, predicted), (each.recall, occurs), (each.f1, occurs or predicted)]


def _remarks(found: Evaluation) -> Iterator[str]:
    """What the figures alone do not say."""
    if found.not_finite:
        yield f"{found.not_finite:,} rows have no finite prediction: the figures mean little."
    if found.baseline is not None and found.baseline.misleads:
        always = f"always answering {shorten(found.baseline.name, 24)} would reach {found.baseline.accuracy:.4f}"
        balanced = found.baseline.balanced_accuracy
        advice = ""
        if balanced < found.metrics["accuracy"]:
            advice = " loss.class_weights=balanced makes rare classes count as much as common ones."
        yield f"accuracy misleads here: {always}; balanced accuracy {balanced:.4f}.{advice}"
    if found.calibration is not None:
        error, chance, excess = (getattr(found.calibration, name) for name in ("error", "by_chance", "excess"))
        side = f"too {'high' if excess > 0 else 'low'} by {abs(excess):.3f} on average"
        yield (
            f"calibration error {error:.3f} (chance alone would give {chance:.3f}); probabilities of "
            f"{shorten(found.calibration.of, 24)} are {side}."
        )
    yield from _error_remarks(found)
    if found.correlated:
        closest, more = found.correlated[0], len(found.correlated) - 1
        pairs = f"; and {more} more pairs" if more > 1 else "; and one more pair" if more else ""
        yield (
            f"{columns_named(closest.names)} go together (correlation {closest.correlation:.3f}{pairs}): they stand in "
            "for one another, so each of them seems to matter less than both do."
        )


def _error_remarks(found: Evaluation) -> Iterator[str]:
    for each in found.targets:
        low, first, median, third, high = map(format_number, each.quantiles)
        yield (
            f"errors of {shorten(each.name, 24)} (predicted - true): mean {format_number(each.bias)}, median {median}, "
            f"half within {first} to {third}, 90 % within {low} to {high}."
        )
        if each.r2 < 0:
            yield f"always answering the mean of {shorten(each.name, 24)} would be better than this model."


def _importance_rows(importance: Sequence[ColumnImportance], main: str) -> Iterator[list[str]]:
    shown = [main, *(name for name in ("loss",) if name in importance[0].mean)]
    yield ["without", *(part for name in shown for part in (f"{name} worse by", "+-"))]
    for each in importance:
        yield [each.name, *(format_number(part[name]) for name in shown for part in (each.mean, each.std))]


def _table(rows: Sequence[Sequence[str]], width: int) -> list[str]:
    """Cells in columns, the first to the left and cut where the line would be wider than the terminal."""
    widths = [max(map(text_width, column)) for column in list(zip(*rows, strict=True))[1:]]
    others = sum(widths) + 2 * len(widths)
    longest = max(text_width(shorten(row[0], _LONGEST_NAME)) for row in rows)
    first = min(longest, max(8, width - others))
    names = shorten_apart([row[0] for row in rows], first)
    return [
        padded(name, first)
        + "".join("  " + " " * (size - text_width(cell)) + cell for cell, size in zip(row[1:], widths, strict=True))
        for name, row in zip(names, rows, strict=True)
    ]


def _confusion(counts: np.ndarray, classes: Sequence[str], width: int) -> list[str]:
    names = shorten_apart(classes, 12)
    rows = [[name, *map(str, row)] for name, row in zip(classes, counts.tolist(), strict=True)]
    table = _table([["true \\ predicted", *names], *rows], width)
    if max(map(text_width, table)) <= width:
        return table
    return ["largest mistakes:", *(_mistakes(counts, classes, width) or ["none"])]


def _mistakes(counts: np.ndarray, classes: Sequence[str], width: int) -> list[str]:
    """The pairs of classes that are taken for each other most often, with their rows."""
    found = []
    size = len(str(counts.max()))
    longest = min(24, (width - len(" taken for ") - size - 2) // 2)
    names = shorten_apart(classes, longest)
    wrong = counts - np.diag(np.diag(counts))
    for place in np.argsort(-wrong, axis=None, kind="stable")[:_MOST_MISTAKES]:
        true, predicted = divmod(int(place), len(classes))
        if wrong[true, predicted]:
            found.append(f"{wrong[true, predicted]:>{size}}  {names[true]} taken for {names[predicted]}")
    return found


def write_evaluation(found: Evaluation, directory: Path) -> list[Path]:
    """Write ``evaluation.json``, which holds every figure, and draw the evaluation, each picture as SVG and PNG.

    Pictures that an earlier evaluation left there and this one does not draw are removed.

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
        before = [path for path in directory.iterdir() if _PICTURE.fullmatch(path.name)] if written[0].exists() else []
        replace_file(written[0], to_json(found.to_dict(), indent=1).encode())
        for name, figure in _figures(found):
            for kind in ("svg", "png"):
                path = directory / f"{name}.{kind}"
                replace_file(path, figure_bytes(figure, kind))
                written.append(path)
        for path in set(before).difference(written):
            path.unlink()
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
        values = [[value if known else np.nan for value, known in _scores(each)] for each in found.classes]
        scores = dict(zip(("precision", "recall", "f1"), zip(*values, strict=True), strict=True))
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
        main = main_metric(found.target)
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
