"""A config to start from: every setting written out, each with the evidence it was inferred from."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ignite_workflow.component_names import COMPONENTS
from ignite_workflow.component_options import check_components
from ignite_workflow.config import Component, RunConfig, config_to_mapping
from ignite_workflow.config_fields import DEFAULT_FRACTION
from ignite_workflow.config_tree import to_yaml
from ignite_workflow.data.findings import Finding
from ignite_workflow.data.inspection import TableReport, inspect_table, report_on
from ignite_workflow.data.kinds import USED_KINDS
from ignite_workflow.data.survey import Survey
from ignite_workflow.data_checks import check_data
from ignite_workflow.display import padded, printable, shorten_apart, text_width, wrapped
from ignite_workflow.handler_specs import DEFAULT_HANDLERS
from ignite_workflow.recipe import DEFAULT_NAMES, complete
from ignite_workflow.remarks import Remark
from ignite_workflow.run_data import prepare_data

__all__ = ["Start", "class_counts", "describe_columns", "start_from"]

_COMMENTS = {
    "split": "a fraction of the rows, a data file, or a list of row numbers; or column:, by:, group:",
    "model": "linear, mlp, or path/to/file.py:Name",
    "loss": "of torch.nn, in snake case",
    "optimizer": "name: of torch.optim, in lower case; without one it follows from model, task and rows",
    "schedule": "constant, cosine, linear, step, one_cycle, plateau",
    "max_epochs": "at most: early stopping ends sooner",
    "device": "auto, cpu, cuda, cuda:1, ...",
    "precision": "float32 or bfloat16",
    "accumulate": "batches a step of the optimizer",
    "workers": "processes that make samples; 0: none, best for data in memory",
    "threads": "CPU threads; more than one helps large models only",
}
_PLAIN = re.compile(r"(?i:(?!(?:true|false|null|yes|no|on|off|y|n|nan|inf)$))[A-Za-z][A-Za-z0-9_]*")


@dataclass(frozen=True)
class Start:
    """What ``init`` found and proposes.

    Attributes:
        report: what was understood of the table.
        config: every setting filled in.
        text: the same as a commented YAML file.
        remarks: what ``check`` says of the data: columns that give the target away, classes of few rows...
    """

    report: TableReport
    config: RunConfig
    text: str
    remarks: tuple[Remark, ...]


def start_from(config: RunConfig, directory: Path) -> Start:
    """Look at the data and propose a config for it.

    Args:
        config: path, target and whatever else was given.
        directory: where the file will lie: the data's path in it is relative to that.

    Raises:
        WorkflowError: the data cannot be used.
    """
    check_components(config)
    reports: list[TableReport] = []  # of a table that is looked at now: one look is enough

    def report(survey: Survey) -> None:
        reports.append(report_on(survey))

    data = prepare_data(config.data, seed=config.train.seed, on_survey=report)
    found = reports[-1] if reports else inspect_table(config.data)
    assert data.target is not None
    filled = complete(config, sizes=data.sizes, target=data.target)
    split = replace(filled.data.split, **_fractions(filled))
    optimizer = _optimizer(config.optimizer, filled.optimizer)
    filled = replace(filled, data=replace(filled.data, task=found.task, split=split), optimizer=optimizer)
    remarks = tuple(remark for remark in check_data(filled.data, data) if remark.level != "note")
    return Start(found, filled, "\n".join(_lines(filled, found, directory)) + "\n", remarks)


def _fractions(config: RunConfig) -> dict[str, Any]:
    split = config.data.split
    if split.column is not None:
        return {}
    return {name: DEFAULT_FRACTION for name in ("val", "test") if getattr(split, name) is None}


def _optimizer(given: Component | None, filled: Component | None) -> Component | None:
    """Groups that follow from the model and the number of rows are left to be worked out: both may be changed."""
    is_given = given is not None and given.name is not None
    if filled is None or is_given or filled.name == DEFAULT_NAMES["optimizer"]:
        return filled
    return Component(options={option: value for option, value in filled.options.items() if option != "groups"})


def _lines(config: RunConfig, report: TableReport, directory: Path) -> Iterator[str]:
    mapping = config_to_mapping(config)
    yield "# A run of ignite-workflow. Settings left out are inferred from the data again."
    for note in report.notes:
        yield f"# {_comment(note)}"
    yield "data:"
    paths = mapping["data"]["path"]
    relative = _relative(paths, directory) if isinstance(paths, str) else [_relative(path, directory) for path in paths]
    yield f"  path: {_value(relative)}"
    yield f"  target: {_value(mapping['data']['target'])}"
    yield f"  task: {report.task}  # {_comment(report.why)}"
    yield "  columns:  # number, category, boolean, datetime, text, ignore"
    yield from _columns(report)
    for key, value in mapping["data"].items():
        if key not in ("path", "target", "task", "columns", "kind") and value:
            yield f"  {key}: {_value(value)}" + (f"  # {_COMMENTS[key]}" if key in _COMMENTS else "")
    for section in COMPONENTS:
        yield f"{section}: {_value(mapping[section])}  # {_COMMENTS[section]}"
    yield "train:"
    for key, value in mapping["train"].items():
        yield f"  {key}: {_value(value)}" + (f"  # {_COMMENTS[key]}" if key in _COMMENTS else "")
    yield "handlers:  # those that are not named here have their default options: see the command handlers"
    for name in DEFAULT_HANDLERS:
        if name in mapping.get("handlers", {}):
            yield f"  {name}: {_value(mapping['handlers'][name])}"
    yield "  # gradient_clipping: {max_norm: 1.0}"


def _columns(report: TableReport) -> Iterator[str]:
    for finding in report.columns:
        if finding.name in report.targets:
            continue
        used = finding.kind in (*USED_KINDS, "text")
        line = (
            f"{_value(finding.name)}: {finding.kind}"
            if used
            else f"# {_comment(finding.name)}: {finding.kind}, not used"
        )
        yield f"    {line}  # {_comment(_evidence(finding))}"


def _evidence(finding: Finding) -> str:
    words = sorted(finding.words, key=finding.words.__getitem__, reverse=True)[:3]
    written = f" ({', '.join(f'{word!r} {finding.words[word]:,}' for word in words)})" if words else ""
    missing = f"; {finding.missing:,} missing{written}" if finding.missing else ""
    return f"{finding.why}{missing}"


def _comment(text: str) -> str:
    return printable(text)


def _value(value: Any) -> str:
    """A value as YAML on one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_value(key)}: {_value(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_value, value)) + "]"
    if isinstance(value, str) and _PLAIN.fullmatch(value):
        return value  # writing YAML takes a millisecond, and a table may have thousands of columns
    return to_yaml([value], one_line=True).strip()[1:-1]


def _relative(path: str, directory: Path) -> str:
    """Relative to the config's directory where the data lies in or beside it."""
    relative = os.path.relpath(path, directory)
    return path if relative.startswith(os.path.join("..", "..")) else relative


def describe_columns(report: TableReport, width: int | None) -> Iterator[str]:
    """The columns as a table, a line each.

    Args:
        report: of the table.
        width: of the terminal, where names are cut and the evidence is wrapped to fit; None: there is none.
    """
    names = [printable(finding.name) for finding in report.columns]
    longest = max(map(text_width, names))
    longest = longest if width is None else min(longest, max(12, width // 3))
    for name, finding in zip(shorten_apart(names, longest), report.columns, strict=True):
        kind = "target" if finding.name in report.targets else finding.kind
        line = f"  {padded(name, longest)}  {kind:<10}  {printable(_evidence(finding))}"
        yield wrapped(line, width, indent=longest + 16)


def class_counts(classes: Mapping[str, int]) -> str:
    """The classes and their rows on one line."""
    return ", ".join(f"{printable(name)} ({count:,})" for name, count in classes.items())
