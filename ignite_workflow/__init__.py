"""An event-driven training engine for PyTorch: data in, trained model out, every moment of training an event.

The names below are imported when they are first used, so that ``--help`` and the message for a mistyped option need not
wait for torch.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ignite_workflow.checkpoint import CheckpointStore
    from ignite_workflow.config import (
        Component,
        DataConfig,
        ReadConfig,
        RunConfig,
        SplitConfig,
        TrainConfig,
        config_digest,
        config_from_mapping,
        diff_configs,
        dump_config,
        load_config,
    )
    from ignite_workflow.curve_picture import draw_curves
    from ignite_workflow.display import format_number, format_seconds, printable
    from ignite_workflow.engine import StopRequest, WorkflowEngine
    from ignite_workflow.errors import (
        CheckpointError,
        ConfigError,
        DataError,
        DivergedError,
        RunDirectoryError,
        UnknownNameError,
        WorkflowError,
    )
    from ignite_workflow.evaluator import EvaluationEngine
    from ignite_workflow.events import WorkflowEvents, fire
    from ignite_workflow.handler import Handler, is_better
    from ignite_workflow.interval import Interval
    from ignite_workflow.pictures import draw_confusion_matrix, draw_per_class, draw_regression, figure_bytes
    from ignite_workflow.records import Record, Records
    from ignite_workflow.run_directory import RunDirectory
    from ignite_workflow.steps import StepOutput
    from ignite_workflow.workflow import Workflow

_HOMES = {
    "checkpoint": ["CheckpointStore"],
    "curve_picture": ["draw_curves"],
    "display": ["format_number", "format_seconds", "printable"],
    "engine": ["StopRequest", "WorkflowEngine"],
    "evaluator": ["EvaluationEngine"],
    "events": ["WorkflowEvents", "fire"],
    "handler": ["Handler", "is_better"],
    "interval": ["Interval"],
    "pictures": ["draw_confusion_matrix", "draw_per_class", "draw_regression", "figure_bytes"],
    "records": ["Record", "Records"],
    "run_directory": ["RunDirectory"],
    "steps": ["StepOutput"],
    "workflow": ["Workflow"],
    "config": [
        "Component", "DataConfig", "ReadConfig", "RunConfig", "SplitConfig", "TrainConfig", "config_digest",
        "config_from_mapping", "diff_configs", "dump_config", "load_config",
    ],
    "errors": [
        "CheckpointError", "ConfigError", "DataError", "DivergedError", "RunDirectoryError", "UnknownNameError",
        "WorkflowError",
    ],
}  # fmt: skip
_HOME = {name: module for module, names in _HOMES.items() for name in names}

__all__ = [
    "CheckpointError", "CheckpointStore", "Component", "ConfigError", "DataConfig", "DataError", "DivergedError",
    "EvaluationEngine", "Handler", "Interval", "ReadConfig", "Record", "Records", "RunConfig", "RunDirectory",
    "RunDirectoryError", "SplitConfig", "StepOutput", "StopRequest", "TrainConfig", "UnknownNameError", "Workflow",
    "WorkflowEngine", "WorkflowError", "WorkflowEvents", "config_digest", "config_from_mapping", "diff_configs",
    "draw_confusion_matrix", "draw_curves", "draw_per_class", "draw_regression", "dump_config", "figure_bytes", "fire",
    "format_number", "format_seconds", "is_better", "load_config", "printable",
]  # fmt: skip


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
