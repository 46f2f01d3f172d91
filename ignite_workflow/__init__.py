"""An event-driven training engine for PyTorch: data in, trained model out, every moment of training an event.

The names below are imported when they are first used, so that ``--help`` and the message for a mistyped option need not
wait for torch.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ignite_workflow.config import Component, DataConfig, ReadConfig, RunConfig, SplitConfig, TrainConfig
    from ignite_workflow.errors import (
        CheckpointError,
        ConfigError,
        DataError,
        DivergedError,
        RunDirectoryError,
        UnknownNameError,
        WorkflowError,
    )

_HOMES = {
    "config": ["Component", "DataConfig", "ReadConfig", "RunConfig", "SplitConfig", "TrainConfig"],
    "errors": [
        "CheckpointError", "ConfigError", "DataError", "DivergedError", "RunDirectoryError", "UnknownNameError",
        "WorkflowError",
    ],
}  # fmt: skip
_HOME = {name: module for module, names in _HOMES.items() for name in names}

__all__ = [
    "CheckpointError", "Component", "ConfigError", "DataConfig", "DataError", "DivergedError", "ReadConfig",
    "RunConfig", "RunDirectoryError", "SplitConfig", "TrainConfig", "UnknownNameError", "WorkflowError",
]  # fmt: skip


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
