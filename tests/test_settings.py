"""Whatever a person points at becomes the settings of a run."""

import pytest

from ignite_workflow import ConfigError, config_from_mapping, read_settings
from ignite_workflow.errors import mistaken_at
from ignite_workflow.settings import placed_mistakes

SETTINGS = {"data": {"path": "a.csv", "target": "y"}, "train": {"seed": 1}}


def test_a_config_file_a_mapping_and_a_config_say_the_same(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config.YML").write_text("data: {path: a.csv, target: y}\ntrain: {seed: 1}\n")
    config = config_from_mapping(SETTINGS)

    assert read_settings("config.YML") == read_settings(SETTINGS) == read_settings(config) == config


def test_anything_else_is_data(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    assert read_settings("a.csv", target="y").data == read_settings(SETTINGS).data


@pytest.mark.parametrize("source", [SETTINGS, config_from_mapping(SETTINGS)], ids=["mapping", "config"])
def test_arguments_and_target_go_over_what_the_source_says(source):
    config = read_settings(source, ["train.seed=2"], target="z")

    assert (config.train.seed, config.data.target) == (2, "z")


@pytest.mark.parametrize("source", [SETTINGS, config_from_mapping(SETTINGS)], ids=["mapping", "config"])
def test_a_wrong_argument_is_refused(source):
    with pytest.raises(ConfigError, match=r"argument 'train\.sed=2': train\.sed: unknown key\. Did you mean 'seed'"):
        read_settings(source, ["train.sed=2"])


def test_a_mistake_that_is_found_later_is_told_with_its_place():
    with (
        pytest.raises(ConfigError, match=r"^argument 'train\.seed=2': bad luck$"),
        placed_mistakes(SETTINGS, ["train.seed=2"]),
        mistaken_at("train", "seed"),
    ):
        raise ConfigError("bad luck")
