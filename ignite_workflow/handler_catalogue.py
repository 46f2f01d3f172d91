"""What handlers there are: read off the classes themselves, and off the engines they attach to."""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch.optim import Optimizer

from ignite_workflow import registry
from ignite_workflow.docstrings import described_names
from ignite_workflow.handler import Handler
from ignite_workflow.handler_specs import handler_class
from ignite_workflow.schedules import build_schedule
from ignite_workflow.testing import scripted_workflow
from ignite_workflow.workflow import Workflow

__all__ = ["HandlerEntry", "describe_handlers"]


@dataclass(frozen=True)
class HandlerEntry:
    """A handler for people.

    Attributes:
        name: in a config.
        summary: the first line of its docstring.
        options: name, type, default and meaning of each.
        events: that it listens to, ``trainer.`` or ``evaluator.`` in front.
    """

    name: str
    summary: str
    options: tuple[Mapping[str, str], ...]
    events: tuple[str, ...]


def describe_handlers(name: str | None = None) -> list[HandlerEntry]:
    """Every handler that can be named, or the one of that name or import path.

    Raises:
        UnknownNameError: there is none of that name.
    """
    names = registry.names("handler") if name is None else [name]
    return [_describe(each, handler_class(each, {})) for each in names]


def _describe(name: str, cls: type[Handler]) -> HandlerEntry:
    texts = described_names(cls, "Args")
    options = tuple(
        {"name": field.name, "type": str(field.type), "default": _default(field), "text": texts.get(field.name, "")}
        for field in dataclasses.fields(cls)
        if field.init
    )
    summary = (cls.__doc__ or "").strip().splitlines()[0] if cls.__doc__ else ""
    return HandlerEntry(name, summary, options, _events(name, cls))


def _default(field: dataclasses.Field[Any]) -> str:
    if field.default is not dataclasses.MISSING:
        return str(field.default)
    return str(field.default_factory()) if field.default_factory is not dataclasses.MISSING else "(must be given)"


def _events(name: str, cls: type[Handler]) -> tuple[str, ...]:
    """The events a handler registers for, found by attaching it to a workflow that trains nothing."""
    with tempfile.TemporaryDirectory() as directory:
        workflow = scripted_workflow(Path(directory) / "run", loss=[1.0])
        run_directory = workflow.run_directory
        assert run_directory is not None
        try:
            assert isinstance(workflow.optimizer, Optimizer)
            workflow.schedule = build_schedule("cosine", {}, workflow.optimizer, total_steps=10, steps_per_epoch=1)
            before = _listened(workflow)
            workflow.attach({f"{name}_": cls()})
            after = _listened(workflow)
            return tuple(event for event, calls in after.items() if calls > before.get(event, 0))
        finally:
            workflow.close()
            run_directory.close()


def _listened(workflow: Workflow) -> dict[str, int]:
    return {
        f"{engine}.{event}": len(calls)
        for engine, events in (("trainer", workflow.trainer.calls), ("evaluator", workflow.evaluator.calls))
        for event, calls in events.items()
    }
