"""Which task the targets of a table make: found in what they hold, or held to what the settings say."""

from __future__ import annotations

from collections.abc import Sequence

from ignite_workflow.config import Task
from ignite_workflow.data.findings import Finding
from ignite_workflow.errors import ConfigError, DataError

__all__ = ["CLASS_TASKS", "choose_task"]

CLASS_TASKS = ("binary", "multiclass")
_MOST_NUMBER_CLASSES = 20
_ROWS_A_NUMBER_CLASS = 10


def choose_task(findings: Sequence[Finding], task: Task | None) -> tuple[Task, str]:
    """The task, and why.

    Two values are binary, other text multiclass. Integers are classes where they are at most 20 different ones with 10
    rows each on average and none with a single one (digits, grades), otherwise numbers are a regression (counts have
    rare large values). Several targets are a regression if all are numbers, multilabel if all are booleans.

    Args:
        findings: of the target columns, at least one.
        task: what ``data.task`` says.

    Raises:
        ConfigError: the targets do not fit the task, or no task fits them.
        DataError: a target is always missing or always the same.
    """
    for finding in findings:
        if finding.known == 0:
            raise DataError(f"data.target: every cell of column {finding.name!r} is missing.")
        if finding.kind == "constant":
            raise DataError(f"data.target: column {finding.name!r}: {finding.why}; there is nothing to learn.")
        if finding.counts is not None and len(finding.counts) == 1 and finding.kind in ("category", "boolean"):
            raise DataError(_one_class(finding))
    if task is not None:
        return _checked(findings, task), "as data.task says"
    return _one_target(findings[0]) if len(findings) == 1 else _several_targets(findings)


def _one_class(target: Finding) -> str:
    words = " and ".join(f"{word!r} ({count:,})" for word, count in target.words.items())
    taken = f" {words} mean{'s' if len(target.words) == 1 else ''} a missing value" if words else ""
    cure = "; if that is a class: data.read.missing_words=false" if words else ""
    only = f"every known cell is {next(iter(target.counts or ()))!r}; there is nothing to learn."
    return f"data.target: column {target.name!r}: {only}{taken}{cure}{'.' if words else ''}"


def _checked(findings: Sequence[Finding], task: Task) -> Task:
    if task not in ("regression", "multilabel", *CLASS_TASKS):
        raise ConfigError(
            f"data.task: {task} is not a task for tables; allowed: regression, binary, multiclass, multilabel."
        )
    if task in CLASS_TASKS and len(findings) > 1:
        raise ConfigError(f"data.task: {task} has one target, got {len(findings)}.")
    if task == "binary" and _distinct(findings[0]) != 2:
        raise ConfigError(f"data.task: binary needs two values, column {findings[0].name!r} has {_many(findings[0])}.")
    return task


def _one_target(target: Finding) -> tuple[Task, str]:
    distinct = _distinct(target)
    if target.given and target.kind == "number":
        return "regression", f"data.columns says that {target.name} is a number"
    if target.kind in ("number", "identifier") and target.whole and distinct == 2:
        return "binary", f"{target.name} is one of two integers"
    if target.kind in ("number", "identifier") and (target.whole or target.kind == "number"):
        return _numbers(target)
    if target.kind not in ("boolean", "category", "identifier", "text"):
        raise ConfigError(f"data.target: column {target.name!r} ({target.kind}: {target.why}) cannot be predicted.")
    if distinct == 2:
        return "binary", f"{target.name} has two values"
    if target.kind == "boolean":
        spelled = ", ".join(f"{name!r} ({count:,})" for name, count in sorted((target.counts or {}).items()))
        raise DataError(
            f"data.target: column {target.name!r} spells its two values in {distinct} ways: {spelled}. Write each in "
            "one way in the file; data.task=multiclass takes every spelling for a class of its own."
        )
    if target.kind != "category":
        raise DataError(f"data.target: column {target.name!r} holds neither classes nor numbers: {target.why}.")
    return "multiclass", f"{target.name} has {_many(target)} values"


def _numbers(target: Finding) -> tuple[Task, str]:
    distinct = _distinct(target)
    few = distinct is not None and distinct <= min(_MOST_NUMBER_CLASSES, target.known / _ROWS_A_NUMBER_CLASS)
    once = list((target.counts or {}).values()).count(1)
    if target.whole and few and once:
        return "regression", f"{target.name} holds {target.why}; {once} of {distinct} different ones once only"
    if target.whole and few:
        why = f"{target.name} has only {distinct} different integers in {target.known} rows"
        return "multiclass", f"{why}; if they are quantities, say data.task=regression"
    return "regression", f"{target.name} holds {target.why}"


def _several_targets(targets: Sequence[Finding]) -> tuple[Task, str]:
    kinds = {target.kind for target in targets}
    if kinds == {"boolean"}:
        return "multilabel", f"{len(targets)} columns of yes or no"
    for target in targets:
        if target.kind not in ("number", "boolean", "identifier") or (target.kind == "identifier" and not target.whole):
            raise ConfigError(
                f"data.target: several targets are all numbers or all booleans, but {target.name!r} is {target.kind}."
            )
    return "regression", f"{len(targets)} columns of numbers"


def _distinct(target: Finding) -> int | None:
    return None if target.counts is None else len(target.counts)


def _many(target: Finding) -> str:
    return "many" if target.counts is None else str(len(target.counts))
