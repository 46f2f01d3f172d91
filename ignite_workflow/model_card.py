"""The model card: what a trained model predicts, from what, how well, and how it is used, as Markdown."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from ignite_workflow.data.kinds import USED_KINDS
from ignite_workflow.data.schema import Column, Schema

if TYPE_CHECKING:
    from ignite_workflow.model_description import ModelDescription
    from ignite_workflow.targets import Target

__all__ = ["model_card", "plain"]

_MOST_NAMES = 20
_SPLITS = {"train": "training", "val": "validation", "test": "test"}
# Everything that can mean something to Markdown or HTML; an underscore within a word means nothing.
_MEANINGFUL = re.compile(r"[^\w\s.,/-]|(?<![^\W_])_|_(?![^\W_])")


def model_card(description: ModelDescription) -> str:
    """The text of ``README.md``. Nothing in it that comes from the data can be markup."""
    parts = [
        _head(description),
        _columns(description.schema),
        _metrics(description),
        _use(description),
        _mind(description),
    ]
    return "\n".join(line for part in parts for line in part) + "\n"


def plain(text: str) -> str:
    r"""Text from the data so that Markdown and HTML show it and no more: on one line, punctuation as entities.

    Example:
        >>> print(plain("median_house_value"), plain("<script>"), plain("*_x_*"))
        median_house_value &#60;script&#62; &#42;&#95;x&#95;&#42;
    """
    shown = "".join(character if character.isprintable() else " " for character in text)
    return _MEANINGFUL.sub(_entity, shown)


def _entity(match: re.Match[str]) -> str:
    return f"&#{ord(match[0])};"


def _head(description: ModelDescription) -> Iterator[str]:
    target, schema = description.target, description.schema
    source = f"{len(schema.used)} columns of a table" if schema else "the samples of a Dataset"
    if target is None:
        yield "# A trained model"
        yield f"\nWorks on {source}. What its output means is known to the code that trained it."
    else:
        names = _list(target.columns)
        yield f"# A model of {names}"
        yield f"\nPredicts **{names}** from {source}. {_task(target)}"
    options = "".join(f", {name} {json.dumps(value)}" for name, value in description.architecture.options.items())
    yield f"\n* architecture: {plain(description.architecture.name + options)}"
    if description.loss:
        yield f"* trained to make small: {plain(description.loss.name)}"
    if description.data.files:
        yield f"* data: {_list(description.data.files)}"
    if description.data.rows:
        yield "* rows: " + ", ".join(f"{rows:,} {_SPLITS[split]}" for split, rows in description.data.rows.items())


def _task(target: Target) -> str:
    if target.task == "regression":
        return "Predictions are in the unit of the training data."
    kind = "Labels, any number of which a row may have" if target.task == "multilabel" else "Classes"
    return f"{kind}: {_list(target.classes)}."


def _columns(schema: Schema | None) -> Iterator[str]:
    if schema is None:
        return
    yield "\n## Columns it needs\n"
    yield "| column | holds | in training |"
    yield "| --- | --- | --- |"
    for column in schema.used:
        yield f"| {plain(column.name)} | {column.kind} | {_seen(column)} |"
    others = [f"{plain(column.name)} ({column.kind})" for column in schema.columns if column.kind not in USED_KINDS]
    yield "\nOther columns may be there and are not used." + (f" In training: {', '.join(others)}." if others else "")


def _seen(column: Column) -> str:
    """What a column held in training."""
    values = [part for part in column.parts if part.of == "value"]
    missing = "; some missing" if column.missing or any(part.of == "missing" for part in column.parts) else ""
    if column.kind == "category":
        return f"{len(column.classes)} values: {_list(column.classes)}{missing}"
    if column.kind == "number" and values:
        return f"mean {values[0].mean:.6g}, standard deviation {values[0].std:.6g}{missing}"
    return missing.removeprefix("; ")


def _metrics(description: ModelDescription) -> Iterator[str]:
    if not description.metrics:
        return
    splits = [split for split in _SPLITS if any(name.startswith(f"{split}/") for name in description.metrics)]
    names = dict.fromkeys(name.partition("/")[2] for name in description.metrics)
    yield "\n## How good it is\n"
    yield f"| | {' | '.join(_SPLITS[split] for split in splits)} |"
    yield f"| --- |{' --- |' * len(splits)}"
    for name in names:
        cells = [_value(description.metrics, f"{split}/{name}") for split in splits]
        yield f"| {plain(name)} | {' | '.join(cells)} |"
    if "test" not in splits:
        yield "\nNo rows were held out for a test: on new rows it may well be worse."


def _value(metrics: Mapping[str, float], name: str) -> str:
    return f"{metrics[name]:.4g}" if name in metrics else ""


def _use(description: ModelDescription) -> Iterator[str]:
    yield "\n## Use\n"
    yield "`MODEL` stands for this directory, or the run it lies in.\n"
    if description.schema is None:
        yield "```python\nfrom ignite_workflow import load_model\n"
        yield 'predictor = load_model("MODEL", trust=True)'
        yield (
            "predictor.outputs(x)  # x as the Dataset gives it, in batches\n```"
            if description.target is not None
            else "predictor.model(x)  # the trained module itself\n```"
        )
        return
    options = " --probabilities" if description.target and description.target.classes else ""
    argument = ", probabilities=True" if options else ""
    yield f"```sh\nignite-workflow predict MODEL new.csv -o predictions.csv{options}"
    yield "ignite-workflow evaluate MODEL labelled.csv\n```\n"
    yield "```python\nfrom ignite_workflow import load_model\n"
    yield 'predictor = load_model("MODEL")'
    yield f'predictor.predict("new.csv"{argument})  # or a data frame, or {{"column": [values]}}\n```'


def _mind(description: ModelDescription) -> Iterator[str]:
    yield "\n## Mind\n"
    yield "* It knows rows like those it was trained on. Elsewhere (other years, places, units) measure it first."
    if description.schema is not None and description.schema.categories:
        yield "* A category that was not there in training is taken as unknown; a warning counts them."
    if description.schema is not None and description.schema.numeric:
        yield "* A missing number is filled in with the training mean."
    if description.target is not None and description.target.classes:
        yield "* Probabilities are the model's own; they were not calibrated."
    if description.loss is not None and "margin" in description.loss.name:
        yield "* The loss makes scores, not probabilities: only their order means something."
    yield "* Loading it executes nothing that stands in its files; `model.json` has a checksum of the weights."


def _list(names: Iterable[str]) -> str:
    """Names one after another, the first of many."""
    shown = [plain(name) for name in names]
    more = f" and {len(shown) - _MOST_NAMES} more" if len(shown) > _MOST_NAMES else ""
    return ", ".join(shown[:_MOST_NAMES]) + more
