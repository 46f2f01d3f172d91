"""The config as a JSON Schema: what editors complete and check, and what the docs say of each setting."""

from __future__ import annotations

import inspect
from typing import Any

from pydantic import TypeAdapter

from ignite_workflow import registry
from ignite_workflow.component_names import COMPONENTS
from ignite_workflow.config import DataConfig, ReadConfig, RunConfig, SplitConfig, TrainConfig
from ignite_workflow.docstrings import described_names

__all__ = ["config_schema"]

_IMPORT_PATH = {"type": "string", "pattern": "^[^:]+:[^:]+$"}


def config_schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of a config file. Components are named as built in or installed, or by import path."""
    schema = TypeAdapter(RunConfig).json_schema()
    definitions = schema["$defs"]
    del definitions["Component"]
    properties = schema["properties"]
    for kind in COMPONENTS:
        properties[kind] = {"anyOf": [_name(kind), _named_options("name", kind), {"type": "null"}]}
    properties["handlers"] = _handlers()
    definitions["DataConfig"]["properties"]["kind"] = {**_name("data_kind"), "default": "table"}
    definitions["TrainConfig"]["properties"]["step"] = {"anyOf": [_IMPORT_PATH, {"type": "null"}], "default": None}
    sections = (DataConfig, ReadConfig, SplitConfig, TrainConfig)
    described = [(section, definitions[section.__name__]) for section in sections]
    for section, definition in [(RunConfig, schema), *described]:
        definition["description"] = (inspect.getdoc(section) or "").partition("\n")[0]
        for name, text in described_names(section, "Attributes").items():
            definition["properties"][name]["description"] = text.replace("``", "'")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def _name(kind: str) -> dict[str, Any]:
    return {"anyOf": [{"enum": registry.names(kind)}, _IMPORT_PATH]}


def _named_options(key: str, kind: str) -> dict[str, Any]:
    return {"type": "object", "properties": {key: _name(kind)}}


def _handlers() -> dict[str, Any]:
    options = {"type": ["object", "boolean", "null"]}
    own = {**_named_options("use", "handler"), "required": ["use"]}
    built_in = dict.fromkeys(registry.names("handler"), options)
    return {"type": "object", "properties": built_in, "additionalProperties": own}
