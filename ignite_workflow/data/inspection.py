"""What is understood of a table before anything is trained: for ``init`` to print and comment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ignite_workflow.config import DataConfig, Task
from ignite_workflow.data.features import class_order, target_text
from ignite_workflow.data.findings import Finding
from ignite_workflow.data.sentinels import find_sentinels
from ignite_workflow.data.survey import Survey, survey_table
from ignite_workflow.data.task import CLASS_TASKS

__all__ = ["TableReport", "inspect_table", "report_on"]


@dataclass(frozen=True)
class TableReport:
    """What is understood of a table.

    Attributes:
        source: its file, or the first of its files.
        rows: how many records.
        columns: what each column was found to hold, in the order of the table, the targets among them.
        targets: the names of the columns to be predicted, as they stand in the table.
        task: regression, binary, multiclass or multilabel.
        why: how the task was chosen.
        classes: of binary and multiclass, the rows of each class, in the order of their codes.
        notes: what was guessed about the files, one line each.
    """

    source: str
    rows: int
    columns: tuple[Finding, ...]
    targets: tuple[str, ...]
    task: Task
    why: str
    classes: Mapping[str, int]
    notes: tuple[str, ...]


def inspect_table(config: DataConfig) -> TableReport:
    """Look at every cell of a table once, and say what is understood of it.

    Args:
        config: where it lies, what is to be predicted, and corrections.

    Raises:
        ConfigError: a column that the settings name is not there, or the targets fit no task.
        DataError: the files cannot be read.
    """
    return report_on(survey_table(config))


def report_on(survey: Survey) -> TableReport:
    """What a look at a table found, for people.

    Args:
        survey: of the table; what it keeps is looked at.
    """
    schema = survey.schema
    classes: dict[str, int] = {}
    if schema.task in CLASS_TASKS:
        text = target_text(survey.kept[schema.targets[0].name], schema.rules, schema.targets[0]).drop_nulls()
        counts = dict(text.alias("").value_counts().iter_rows())
        classes = {name: counts[name] for name in class_order(counts, schema.targets[0].spellings)}
    return TableReport(
        survey.table.source,
        survey.kept.height,
        tuple(survey.findings.values()),
        tuple(target.name for target in schema.targets),
        schema.task,
        schema.why,
        classes,
        (*survey.table.notes, *survey.notes, *find_sentinels(next(survey.chunks()), survey.findings, schema.rules)),
    )
