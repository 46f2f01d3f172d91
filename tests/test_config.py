import contextlib
import dataclasses
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ignite_workflow import registry
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
from ignite_workflow.errors import ConfigError

DATA = {"data": {"path": "/data/penguins.csv", "target": "species"}}


def config(*arguments, **sections):
    return config_from_mapping({**DATA, **sections}, arguments)


@pytest.fixture
def write(tmp_path):
    """Writes a config file; gives its path."""

    def write(text):
        file = tmp_path / "config.yaml"
        file.write_text(text, encoding="utf-8")
        return file

    return write


def mistakes(*args, **kwargs):
    """The lines of the error that reading a config ends with."""
    read = load_config if isinstance(args[0], Path) else config_from_mapping
    with pytest.raises(ConfigError) as error:
        read(*args, **kwargs)
    return str(error.value).splitlines()


def test_a_file_is_read_whole(write):
    file = write("""
data:      {path: penguins.csv, target: species, split: {val: 0.15, test: 0.15}}
model:     {name: mlp, hidden: [128, 128], dropout: 0.1}
loss:      cross_entropy
optimizer: {name: adamw, lr: 1e-3}
train:     {max_epochs: 50, seed: 0}
handlers:  {early_stopping: {patience: 10}, curve_export: false}
""")

    assert load_config(file) == RunConfig(
        data=DataConfig(path=f"{file.parent}/penguins.csv", target="species", split=SplitConfig(val=0.15, test=0.15)),
        model=Component(name="mlp", options={"hidden": [128, 128], "dropout": 0.1}),
        loss=Component(name="cross_entropy"),
        optimizer=Component(name="adamw", options={"lr": 0.001}),
        train=TrainConfig(max_epochs=50, seed=0),
        handlers={"early_stopping": {"patience": 10}, "curve_export": False},
    )


def test_all_mistakes_are_told_at_once_each_with_its_place(write):
    file = write("""data: {path: a.csv, target: [1]}
modle: mlp
optimizer:
  name: adanw
train:
  lrr: 0.1
  seed: "3"
handlers:
  early_stoping: {}
""")

    assert mistakes(file, ["train.max_epochs=0", "loss"]) == [
        f"{file}:1:30: data.target[0]: must be text, got 1 (in quotes it is text).",
        f"{file}:2:1: modle: unknown key. Did you mean 'model'? "
        "Known: data, model, loss, optimizer, schedule, train, handlers.",
        f"{file}:4:9: optimizer.name: unknown optimizer 'adanw'. Did you mean 'adamw'? Known: adadelta, adafactor, "
        "adagrad, adam, adamax, adamw, asgd, muon, nadam, radam, rmsprop, rprop, sgd.",
        f"{file}:6:3: train.lrr: unknown key. Known: max_epochs, max_minutes, deadline, batch_size, seed, device, "
        "precision, accumulate, compile, workers, threads, limit_batches, overfit_batches, step.",
        f"{file}:7:9: train.seed: must be a whole number, got '3'.",
        f"{file}:9:3: handlers.early_stoping: unknown handler 'early_stoping'. Did you mean 'early_stopping'? Known: "
        + ", ".join(sorted(registry.names("handler")))
        + ".",
        "argument 'train.max_epochs=0': train.max_epochs: must be at least 1, got 0.",
        "argument 'loss': a setting is written KEY=VALUE.",
    ]


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("train.seed=true", "train.seed: must be a whole number, got true."),
        ("train.seed=-1", "train.seed: must be at least 0, got -1."),
        ("train.seed=9223372036854775808", "train.seed: must be at most 9223372036854775807, got 9223372036854775808."),
        ("train.batch_size=1.5", "train.batch_size: must be a whole number, got 1.5."),
        ("train.compile=1", "train.compile: must be true or false, got 1."),
        ("train.compile=yes", "train.compile: must be true or false, got 'yes'."),
        ("train.workers=-1", "train.workers: must be at least 0, got -1."),
        ("train.accumulate=0", "train.accumulate: must be at least 1, got 0."),
        ("train.precision=float61", "train.precision: must be 'float32' or 'bfloat16', got 'float61'."),
        ("train=3", "train: must be a mapping, got 3."),
        ("train.step=gan", "train.step: step 'gan' is not an import path"),
        ("data.split.val=1", "data.split.val: must be less than 1, got 1."),
        ("data.split.val=-0.1", "data.split.val: must be at least 0, got -0.1."),
        ("data.split.val=true", "data.split.val: must be a number or text, got true"),
        ("data.split.test=0.85", "data.split: val and test leave nothing to train on: together 1 (0.15"),
        ("data.split={column: fold, val: 0.1, by: day}", "'column' already says where each row goes: leave out val"),
        ("data.split={by: day, stratify: true}", "rows cannot be cut in the order of a column ('by') and stratified"),
        ("data.target=[]", "data.target: must be at least 1 long, got []."),
        ("data.columns.zip=categry", "data.columns.zip: must be 'number', 'category', "),
        ("data.kind=tabel", "data.kind: unknown data kind 'tabel'. Did you mean 'table'?"),
        ("data.read.decimal=;", "data.read.decimal: must be '.' or ',', got ';'."),
        ("data.read.delimiter=;;", "data.read.delimiter: must be at most 1 long, got ';;'."),
        ("data=", "data: is missing."),
        ("data.path=", "data.path: must be at least 1 long, got ''."),
        ("model=3", "model.name: must be text, got 3"),
        ("loss=ctc", "loss.name: loss 'ctc' cannot be used by name: it needs the lengths"),
        ("handlers.noise={scale: 1}", "handlers.noise: unknown handler 'noise'."),
        ("handlers.noise={use: nosie}", "handlers.noise.use: unknown handler 'nosie'."),
        ("handlers.noise={use: 3}", "handlers.noise.use: must be text, got 3."),
        ("handlers.Noise={use: progress}", "handlers.Noise: an id must be lower-case letters"),
        ("handlers.progress=1", "handlers.progress: must be a mapping or true or false, got 1."),
        ("data.target.x=1", "data.target: must be text or a list, got {\"x\": 1}."),
        ("trian.seed=1", "trian: unknown key. Did you mean 'train'?"),
        ("=1", "unknown key."),
        ("train.seed=[1", "not valid YAML: expected ',' or ']'"),
    ],
)  # fmt: skip
def test_a_value_that_cannot_work_is_told(argument, message):
    [line] = mistakes(DATA, [argument])

    assert line.startswith(f"argument {argument!r}: {message}") or f": {message}" in line


@pytest.mark.parametrize(
    ("argument", "section", "value"),
    [
        ("model=linear", "model", Component(name="linear")),
        ("model={name: mlp, hidden: [3]}", "model", Component(name="mlp", options={"hidden": [3]})),
        ("model.hidden=[64]", "model", Component(name="mlp", options={"dropout": 0.1, "hidden": [64]})),
        ("model.embedding.size=3", "model", Component(name="mlp", options={"dropout": 0.1, "embedding": {"size": 3}})),
        ("model=", "model", None),
        ("optimizer.lr=3e-3", "optimizer", Component(options={"lr": 0.003})),
        ("handlers.progress=false", "handlers", {"early_stopping": {"patience": 3}, "progress": False}),
        ("handlers.progress=true", "handlers", {"early_stopping": {"patience": 3}, "progress": {}}),
        ("handlers.early_stopping=", "handlers", {"early_stopping": {}}),
        ("handlers.early_stopping.patience=5", "handlers", {"early_stopping": {"patience": 5}}),
        ("handlers.mine={use: torch.nn:Linear}", "handlers",
         {"early_stopping": {"patience": 3}, "mine": {"use": "torch.nn:Linear"}}),
    ],
)  # fmt: skip
def test_an_argument_goes_over_the_file(argument, section, value):
    sections = {"model": {"name": "mlp", "dropout": 0.1}, "handlers": {"early_stopping": {"patience": 3}}}

    assert getattr(config(argument, **sections), section) == value


def test_a_later_argument_goes_over_an_earlier_one():
    assert config("train.seed=1", "train.seed=2").train.seed == 2


def test_a_handler_of_ones_own_is_taken_away_by_false():
    assert config("handlers.mine=false", handlers={"mine": {"use": "torch.nn:Linear"}}).handlers == {}


def test_an_option_of_a_handler_that_was_taken_away_brings_it_back():
    assert config("handlers.progress.every=3", handlers={"progress": False}).handlers == {"progress": {"every": 3}}


@pytest.mark.parametrize(
    ("argument", "name", "value"),
    [
        ("data.target=1e3", "target", "1e3"),
        ("data.target=a: b", "target", "a: b"),
        ("data.target=[a, 1e3]", "target", ("a", "1e3")),
        ("data.target=", "target", None),
        ("data.target=[a", "target", "[a"),
        ("data.missing=[-200, '?']", "missing", ("-200", "?")),
        ("data.read.delimiter=;", "read", ReadConfig(delimiter=";")),
        ("data.split.by=null", "split", SplitConfig(by="null")),
        ("data.split.val=0.2", "split", SplitConfig(val=0.2)),
        ("data.columns.zip.code=category", "columns", {"zip.code": "category"}),
        ("data.columns={zip: category}", "columns", {"zip": "category"}),
    ],
)
def test_text_in_an_argument_is_taken_as_it_stands(argument, name, value):
    assert getattr(config(argument).data, name) == value


def test_a_blank_setting_is_as_if_not_given(write):
    assert load_config(write("data:\n  path: /a.csv\n  split:\ntrain:\n  seed:\nmodel:\nhandlers:\n  progress:\n")) == (
        RunConfig(data=DataConfig(path="/a.csv"), handlers={"progress": {}})
    )


def test_paths_in_a_file_are_relative_to_it(write, monkeypatch):
    file = write(
        "data: {path: [a.csv, ../b.csv], split: {val: val.csv}}\nmodel: net.py:Net\nloss: {name: mse, f: net.py:f}"
    )
    folder = file.parent
    (folder / "net.py").touch()
    monkeypatch.chdir(folder.parent)

    config = load_config(Path(folder.name, "config.yaml"))

    assert config.data.path == (f"{folder}/a.csv", f"{folder.parent}/b.csv")
    assert config.data.split.val == f"{folder}/val.csv"
    assert config.model == Component(name=f"{folder}/net.py:Net")
    assert config.loss == Component(name="mse", options={"f": f"{folder}/net.py:f"})


def test_paths_in_arguments_are_relative_to_the_current_directory(write, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path.parent)

    config = load_config(write("data: {path: a.csv}"), ["data.path=b/*.csv", "data.split={test: t.csv}"])

    assert config.data.path == f"{tmp_path.parent}/b/*.csv"
    assert config.data.split.test == f"{tmp_path.parent}/t.csv"


def test_a_home_directory_is_filled_in(monkeypatch):
    monkeypatch.setenv("HOME", "/home/someone")

    assert config("data.path=~/a.csv").data.path == "/home/someone/a.csv"


def test_a_path_object_is_a_path():
    assert config_from_mapping({"data": {"path": Path("/a.csv")}}).data.path == "/a.csv"


def test_an_argument_below_a_list_replaces_it():
    assert config("model.hidden.x=1", model={"hidden": [1]}).model == Component(options={"hidden": {"x": 1}})


def test_a_file_that_is_no_mapping_is_refused(write):
    file = write("- a\n")

    assert mistakes(file) == [f'{file}:1:1: a config must be a mapping, got ["a"].']


def test_an_empty_file_lacks_data(write):
    file = write("# nothing yet\n")

    assert mistakes(file) == [f"{file}:1:1: data: is missing."]


odd_text = st.text(max_size=20) | st.sampled_from(
    [
        "yes",
        "1e3",
        "null",
        "~",
        "#x",
        "a: b",
        "- x",
        "0777",
        "2026-01-01",
        "é",
        "'",
        '"',
        " a ",
        "a\nb",
        "\u2028",
        "x " * 90,
    ]
)
plain_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | odd_text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(odd_text, inner, max_size=3),
    max_leaves=6,
)
option_values = st.dictionaries(odd_text.filter(lambda key: key not in ("name", "use")), plain_values, max_size=3)
names = odd_text.filter(bool)
configs = st.builds(
    RunConfig,
    data=st.builds(
        DataConfig,
        path=st.just("/a.csv") | st.just(("/a.csv", "/b.csv")),
        target=st.none() | names | st.lists(names, min_size=1, max_size=3).map(tuple),
        columns=st.dictionaries(odd_text, st.sampled_from(["number", "text"]), max_size=3),
        missing=st.lists(odd_text, max_size=3).map(tuple),
        options=option_values,
        split=st.builds(SplitConfig, val=st.none() | st.floats(0, 0.4), group=st.none() | names),
    ),
    model=st.none() | st.builds(Component, name=st.sampled_from([None, "mlp"]), options=option_values),
    train=st.builds(TrainConfig, seed=st.integers(0, 2**63 - 1), compile=st.booleans()),
    handlers=st.dictionaries(st.sampled_from(["progress", "evaluation"]), option_values | st.just(False)),
)


@settings(derandomize=True, deadline=None, max_examples=60)
@given(config=configs)
def test_a_config_that_was_written_reads_back_equal(config, tmp_path_factory):
    file = tmp_path_factory.mktemp("run") / "config.yaml"
    file.write_text(dump_config(config), encoding="utf-8")

    assert load_config(file) == config
    assert config_digest(load_config(file)) == config_digest(config)


@settings(derandomize=True, deadline=None, max_examples=60)
@given(sections=st.dictionaries(odd_text | st.sampled_from(["data", "train", "model", "handlers"]), plain_values))
def test_whatever_is_given_is_a_config_or_a_list_of_mistakes(sections):
    with contextlib.suppress(ConfigError):
        assert isinstance(config_from_mapping({**DATA, **sections}), RunConfig)


def test_a_config_is_written_in_the_order_of_the_sections():
    text = dump_config(config(handlers={"progress": {}}, train={"max_epochs": 3}, model={"name": "mlp", "hidden": [3]}))

    assert text == (
        "data: {path: /data/penguins.csv, kind: table, target: species}\n"
        "model:\n  name: mlp\n  hidden: [3]\n"
        "train: {max_epochs: 3, seed: 0, device: auto, precision: float32, accumulate: 1, compile: false, workers: 0}\n"
        "handlers:\n  progress: {}\n"
    )


def test_a_config_made_in_python_is_written_with_absolute_paths(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)

    assert f"path: {tmp_path}/a.csv" in dump_config(RunConfig(data=DataConfig(path="a.csv")))


@pytest.mark.parametrize(
    "argument", ["train.seed=1", "model.hidden=[3]", "handlers.progress=false", "data.split.val=0.3"]
)
def test_the_digest_tells_configs_apart(argument):
    assert config_digest(config(argument)) != config_digest(config())


def test_the_digest_counts_the_order_of_handlers_but_not_of_options():
    first = config(model={"a": 1, "b": 2}, handlers={"progress": {}, "evaluation": {}})

    assert config_digest(first) == config_digest(dataclasses.replace(first, model=Component(options={"b": 2, "a": 1})))
    assert config_digest(first) != config_digest(
        config(model={"a": 1, "b": 2}, handlers={"evaluation": {}, "progress": {}})
    )


def test_what_differs_is_told_setting_by_setting():
    old = config(optimizer={"name": "adam", "lr": 0.001}, handlers={"progress": {}})
    new = config(optimizer={"name": "adam", "lr": 0.01}, model={"name": "mlp"}, handlers={"progress": False})

    assert diff_configs(old, new) == [
        "optimizer.lr: 0.001 -> 0.01",
        "handlers.progress: {} -> false",
        "model.name: not set -> 'mlp'",
    ]
    assert diff_configs(old, old) == []


def test_a_mistake_is_told_without_importing_anything_heavy(write):
    file = write("data: {path: a.csv}\noptimizer: adanw\n")
    code = f"""
import sys
from ignite_workflow.config import load_config
from ignite_workflow.errors import ConfigError
try:
    load_config({str(file)!r})
except ConfigError:
    sys.exit(bool({{"torch", "ignite", "numpy", "polars", "matplotlib"}} & sys.modules.keys()))
"""

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_settings_that_differ_at_their_ends_differ():
    old, new = (
        config_from_mapping({"data": {"path": f"/{'folder/' * 60}{name}.csv", "target": "y"}}) for name in ("a", "b")
    )

    [line] = diff_configs(old, new)

    assert line.startswith("data.path: '/folder/")
    assert "/a.csv' -> '/folder/" in line
    assert line.endswith("/folder/b.csv'")
    assert len(line) < 450
