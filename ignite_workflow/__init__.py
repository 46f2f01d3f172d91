"""An event-driven training engine for PyTorch: data in, trained model out, every moment of training an event.

The names below are imported when they are first used, so that ``--help`` and the message for a mistyped option need not
wait for torch.
"""

from importlib import import_module

TYPE_CHECKING = False  # as in typing, whose import would double the time until signals are answered

if TYPE_CHECKING:
    from ignite_workflow.assembly import build_workflow
    from ignite_workflow.checkpoint import CheckpointStore
    from ignite_workflow.class_pictures import draw_calibration, draw_confusion_matrix, draw_per_class
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
    from ignite_workflow.divergence import Divergence, examine_divergence, keep_divergence
    from ignite_workflow.engine import WorkflowEngine
    from ignite_workflow.errors import (
        CheckpointError,
        ConfigError,
        DataError,
        DivergedError,
        NotEnoughMemoryError,
        RunDirectoryError,
        UnknownNameError,
        WorkflowError,
    )
    from ignite_workflow.evaluation_report import Evaluation, evaluate
    from ignite_workflow.evaluator import EvaluationEngine
    from ignite_workflow.events import WorkflowEvents, fire
    from ignite_workflow.handler import Handler, is_better
    from ignite_workflow.interval import Interval
    from ignite_workflow.job import TrainResult, train
    from ignite_workflow.model_file import load_model, save_model
    from ignite_workflow.pictures import figure_bytes
    from ignite_workflow.predictor import Predictor
    from ignite_workflow.records import Record, Records
    from ignite_workflow.run_directory import RunDirectory
    from ignite_workflow.schedules import Schedule, build_schedule
    from ignite_workflow.settings import read_settings
    from ignite_workflow.state import StopRequest
    from ignite_workflow.steps import StepOutput
    from ignite_workflow.ticker import Ticker
    from ignite_workflow.value_pictures import draw_importance, draw_regression
    from ignite_workflow.workflow import Workflow

__version__ = "0.1.0"

_HOMES = {
    "assembly": ["build_workflow"],
    "checkpoint": ["CheckpointStore"],
    "class_pictures": ["draw_calibration", "draw_confusion_matrix", "draw_per_class"],
    "config": [
        "Component", "DataConfig", "ReadConfig", "RunConfig", "SplitConfig", "TrainConfig", "config_digest",
        "config_from_mapping", "diff_configs", "dump_config", "load_config",
    ],
    "curve_picture": ["draw_curves"],
    "display": ["format_number", "format_seconds", "printable"],
    "divergence": ["Divergence", "examine_divergence", "keep_divergence"],
    "engine": ["WorkflowEngine"],
    "errors": [
        "CheckpointError", "ConfigError", "DataError", "DivergedError", "NotEnoughMemoryError", "RunDirectoryError",
        "UnknownNameError",
        "WorkflowError",
    ],
    "evaluation_report": ["Evaluation", "evaluate"],
    "evaluator": ["EvaluationEngine"],
    "events": ["WorkflowEvents", "fire"],
    "handler": ["Handler", "is_better"],
    "interval": ["Interval"],
    "job": ["TrainResult", "train"],
    "model_file": ["load_model", "save_model"],
    "pictures": ["figure_bytes"],
    "predictor": ["Predictor"],
    "records": ["Record", "Records"],
    "run_directory": ["RunDirectory"],
    "schedules": ["Schedule", "build_schedule"],
    "settings": ["read_settings"],
    "state": ["StopRequest"],
    "steps": ["StepOutput"],
    "ticker": ["Ticker"],
    "value_pictures": ["draw_importance", "draw_regression"],
    "workflow": ["Workflow"],
}  # fmt: skip
_HOME = {name: module for module, names in _HOMES.items() for name in names}

__all__ = [
    "CheckpointError", "CheckpointStore", "Component", "ConfigError", "DataConfig", "DataError", "DivergedError",
    "Divergence", "Evaluation", "EvaluationEngine", "Handler", "Interval", "NotEnoughMemoryError", "Predictor",
    "ReadConfig", "Record", "Records", "RunConfig", "RunDirectory", "RunDirectoryError", "Schedule", "SplitConfig",
    "StepOutput", "StopRequest", "Ticker", "TrainConfig", "TrainResult", "UnknownNameError", "Workflow",
    "WorkflowEngine", "WorkflowError", "WorkflowEvents", "build_schedule", "build_workflow", "config_digest",
    "config_from_mapping", "diff_configs", "draw_calibration", "draw_confusion_matrix", "draw_curves",
    "draw_importance", "draw_per_class", "draw_regression", "dump_config", "evaluate", "examine_divergence",
    "figure_bytes", "fire", "format_number", "format_seconds", "is_better", "keep_divergence", "load_config",
    "load_model", "printable", "read_settings", "save_model", "train",
]  # fmt: skip


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

    from ignite_workflow.quick_imports import quick_imports

    with quick_imports():
        home = import_module(f"{__name__}.{_HOME[name]}")
    return getattr(home, name)


def __dir__() -> list[str]:
    return sorted(__all__)
