import dataclasses
import json

import pytest

from ignite_workflow.config import Component, DataConfig, ReadConfig, RunConfig, SplitConfig, TrainConfig
from ignite_workflow.config_schema import config_schema
from ignite_workflow.docstrings import described_names

SECTIONS = [Component, DataConfig, ReadConfig, RunConfig, SplitConfig, TrainConfig]


@pytest.mark.parametrize("section", SECTIONS)
def test_every_setting_is_documented_in_the_order_of_the_fields(section):
    assert list(described_names(section, "Attributes")) == [field.name for field in dataclasses.fields(section)]
    assert all(text.endswith(".") for text in described_names(section, "Attributes").values())


def test_a_text_of_several_lines_is_read_whole():
    assert described_names(SplitConfig, "Attributes")["val"].endswith("None: 0.15 (0 where ``column`` is given).")


def test_the_schema_is_plain_json_and_says_what_each_setting_is():
    schema = json.loads(json.dumps(config_schema()))
    train = schema["$defs"]["TrainConfig"]

    assert schema["required"] == ["data"]
    assert train["additionalProperties"] is False
    assert train["properties"]["max_epochs"]["description"] == "passes over the training split, at most."
    assert train["properties"]["max_epochs"]["anyOf"] == [{"minimum": 1, "type": "integer"}, {"type": "null"}]


def test_the_schema_lists_the_names_of_components():
    properties = config_schema()["properties"]

    assert "adamw" in properties["optimizer"]["anyOf"][0]["anyOf"][0]["enum"]
    assert "early_stopping" in properties["handlers"]["properties"]
    assert properties["handlers"]["additionalProperties"]["required"] == ["use"]


def test_the_schema_refers_to_nothing_that_it_does_not_hold():
    text = json.dumps(config_schema())

    assert "Component" not in text
    assert all(f'"#/$defs/{name}"' in text for name in config_schema()["$defs"])
