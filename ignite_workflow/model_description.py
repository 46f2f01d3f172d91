"""What a model file says of a model beside its weights: ``model.json``, written, read and distrusted."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch
from pydantic import ConfigDict, TypeAdapter, ValidationError

from ignite_workflow.config import ReadConfig
from ignite_workflow.data.schema import Schema
from ignite_workflow.errors import CheckpointError
from ignite_workflow.losses import DEFAULT_LOSSES, Loss
from ignite_workflow.models.output import Output
from ignite_workflow.strict_json import with_text_for_nan
from ignite_workflow.targets import Link, Target, TargetForm

__all__ = ["Architecture", "DataFacts", "LossFacts", "ModelDescription", "WeightsFacts", "read_description"]

_FORMAT = 1
_SIZE_LIMIT = 64 * 1024 * 1024
_NO_OTHER_KEYS = ConfigDict(extra="forbid")


@dataclass(frozen=True, kw_only=True)
class Architecture:
    """How the module is built again, without its weights.

    Attributes:
        name: of a registered model, or an import path.
        options: from the config.
        facts: what was filled in beside the options: about the data, the target, the loss.
    """

    __pydantic_config__ = _NO_OTHER_KEYS

    name: str
    options: dict[str, Any] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class LossFacts:
    """A ``Loss`` without its function: see there."""

    __pydantic_config__ = _NO_OTHER_KEYS

    name: str
    target_form: TargetForm
    output: Output
    outputs: int
    link: Link
    scale_target: bool
    options: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, loss: Loss, options: Mapping[str, Any]) -> LossFacts:
        """Those of ``loss``, which was built with ``options``."""
        return cls(
            name=loss.name,
            target_form=loss.target_form,
            output=loss.output,
            outputs=loss.outputs,
            link=loss.link,
            scale_target=loss.scale_target,
            options=dict(options),
        )


@dataclass(frozen=True, kw_only=True)
class DataFacts:
    """Where the model comes from, as far as a reader of the model should know.

    Attributes:
        files: the names of the data files, without their directories.
        rows: in each split.
        read: how the files were read, where a person said so: files to come are read in the same way.
    """

    __pydantic_config__ = _NO_OTHER_KEYS

    files: tuple[str, ...] = ()
    rows: dict[str, int] = field(default_factory=dict)
    read: ReadConfig = field(default_factory=ReadConfig)


@dataclass(frozen=True, kw_only=True)
class WeightsFacts:
    """The file of the weights: its bytes and their digest."""

    __pydantic_config__ = _NO_OTHER_KEYS

    size: int
    sha256: str


@dataclass(frozen=True, kw_only=True)
class ModelDescription:
    """Everything about a trained model but its weights.

    Attributes:
        architecture: how the module is built.
        schema: how a table becomes the model's input. None where a person's own Dataset made it.
        target: what is predicted. None where only a person's own train step knows.
        loss: what the model's output means. None as for ``target``.
        metrics: measured, by ``split/name``.
        data: where the model comes from.
    """

    architecture: Architecture
    schema: Schema | None = None
    target: Target | None = None
    loss: LossFacts | None = None
    metrics: Mapping[str, float] = field(default_factory=dict)
    data: DataFacts = field(default_factory=DataFacts)

    @property
    def facts(self) -> dict[str, Any]:
        """What ``build_model`` may fill in: the schema's facts and the architecture's own."""
        return {**self.architecture.facts, **(self.schema.model_facts() if self.schema else {})}

    def to_json(self, weights: WeightsFacts) -> str:
        """The contents of ``model.json``, for that file of weights."""
        known = self.schema.model_facts() if self.schema else {}
        own_facts = {key: value for key, value in self.architecture.facts.items() if key not in known}
        content: dict[str, Any] = {
            "format": _FORMAT,
            "architecture": asdict(replace(self.architecture, facts=own_facts)),
            "target": None if self.target is None else asdict(self.target),
            "loss": None if self.loss is None else asdict(self.loss),
            "metrics": with_text_for_nan(self.metrics),
            "data": asdict(self.data),
            "schema": None if self.schema is None else self.schema.to_dict(),
            "weights": asdict(weights),
            "versions": {"ignite_workflow": _own_version(), "torch": str(torch.__version__)},
        }
        return json.dumps({**content, "checksum": _checksum(content)}, indent=1, ensure_ascii=False) + "\n"


@dataclass(frozen=True, kw_only=True)
class _File:
    """``model.json`` as it lies on disk; ``schema`` is checked by its own reader."""

    __pydantic_config__ = _NO_OTHER_KEYS

    format: int
    architecture: Architecture
    target: Target | None
    loss: LossFacts | None
    metrics: dict[str, float | str]
    data: DataFacts
    schema: dict[str, Any] | None
    weights: WeightsFacts
    versions: dict[str, str]
    checksum: str


def read_description(path: Path) -> tuple[ModelDescription, WeightsFacts]:
    """What ``ModelDescription.to_json`` wrote to ``path``, and the facts of the weights that belong to it.

    Raises:
        CheckpointError: the file is missing, too large, damaged, of another version, or contradicts itself.
    """
    content = _read(path)
    if content.get("format") != _FORMAT:
        raise CheckpointError(f"{path} has format {content.get('format')!r}; this version reads {_FORMAT}")
    checksum = content.pop("checksum", None)
    if checksum != _checksum(content):
        raise CheckpointError(f"{path} is damaged or was edited: its checksum does not match")
    try:
        text = json.dumps({**content, "checksum": checksum})
        file = TypeAdapter(_File).validate_json(text, strict=True)
        schema = None if file.schema is None else Schema.from_dict(file.schema)
        metrics = {name: float(value) for name, value in file.metrics.items()}
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise CheckpointError(f"{path}: {'.'.join(map(str, first['loc']))}: {first['msg']}") from error
    except (CheckpointError, ValueError) as error:
        raise CheckpointError(f"{path}: {error}") from error
    description = ModelDescription(
        architecture=file.architecture,
        schema=schema,
        target=file.target,
        loss=file.loss,
        metrics=metrics,
        data=file.data,
    )
    contradiction = _contradiction(description)
    if contradiction:
        raise CheckpointError(f"{path}: {contradiction}")
    return description, file.weights


def _read(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > _SIZE_LIMIT:
            raise CheckpointError(f"{path} has {path.stat().st_size:,} bytes; at most {_SIZE_LIMIT:,} are expected")
        content = json.loads(path.read_bytes())
    except OSError as error:
        raise CheckpointError(f"{path} cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise CheckpointError(f"{path} is damaged: it is not JSON") from error
    if not isinstance(content, dict):
        raise CheckpointError(f"{path} is damaged: it does not hold a JSON object")
    return content


def _contradiction(description: ModelDescription) -> str:
    """What types cannot say: where the parts of a hostile file do not fit each other; empty where they do."""
    schema, target, loss = description.schema, description.target, description.loss
    if target is None or loss is None:
        return "" if schema is None else "a schema without a target and a loss"
    if schema is not None and not _fits(schema, target):
        return "its target is not that of its schema"
    if target.task not in DEFAULT_LOSSES:
        return f"target: task {target.task!r} is unknown here"
    numbers = [*target.mean, *target.std]
    if not all(map(math.isfinite, numbers)) or min(target.std, default=1.0) <= 0:
        return "target: a mean or deviation is not finite, or a deviation not above zero"
    if not loss.scale_target and (any(target.mean) or set(target.std) > {1.0}):
        return f"target: standardised, though loss {loss.name} needs it as it is"
    if target.task == "regression" and not len(target.columns) == len(target.mean) == len(target.std) == loss.outputs:
        return "target: its columns, means, deviations and the model's outputs are not of one number"
    if target.task != "regression" and len(target.classes) < 1 + (target.task != "multilabel"):
        return "target: too few classes"
    return ""


def _fits(schema: Schema, target: Target) -> bool:
    names = tuple(each.name for each in schema.targets)
    if target.task != schema.task or target.columns != names:
        return False
    return target.task == "multilabel" or target.classes == schema.classes


def _checksum(content: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _own_version() -> str:
    try:
        return version("ignite-workflow")
    except PackageNotFoundError:
        return "not installed"
