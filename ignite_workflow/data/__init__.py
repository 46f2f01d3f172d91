"""From files to batches: readers, schemas, prepared arrays, loaders.

The names below are imported when they are first used: polars and numpy are not needed to find a mistyped option.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ignite_workflow.data.inspection import TableReport, inspect_table
    from ignite_workflow.data.prepared import ArraySplit, PreparedData, prepare_table
    from ignite_workflow.data.schema import Schema
    from ignite_workflow.data.tables import open_table, read_table

__all__ = [
    "ArraySplit",
    "PreparedData",
    "Schema",
    "TableReport",
    "inspect_table",
    "open_table",
    "prepare_table",
    "read_table",
]

_HOMES = {
    "inspection": ["TableReport", "inspect_table"],
    "prepared": ["ArraySplit", "PreparedData", "prepare_table"],
    "schema": ["Schema"],
    "tables": ["open_table", "read_table"],
}


def __getattr__(name: str) -> object:
    for module, names in _HOMES.items():
        if name in names:
            return getattr(import_module(f"{__name__}.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
