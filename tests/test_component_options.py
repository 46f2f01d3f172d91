"""Wrong options of components: all of them at once, each with the place where it was written."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from ignite_workflow import ConfigError, train
from ignite_workflow.cli import main
from ignite_workflow.component_options import check_components
from ignite_workflow.config import config_from_mapping
from ignite_workflow.settings import placed_mistakes, read_settings

CONFIG = """data: {path: x.csv, target: y}
model: {name: mlp, hiden: [8]}
loss:
  name: huber
  delta: high
optimizer: {name: adamw, lrr: 3, betas: [0.9, x]}
schedule: {name: step}
handlers:
  early_stopping: {patience: soon}
  again: {use: early_stopping, patiense: 3}
"""


@pytest.fixture(autouse=True)
def scratch(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def told(source, *arguments):
    """The lines of the error that the components of these settings end with."""
    with pytest.raises(ConfigError) as error, placed_mistakes(source, arguments):
        check_components(read_settings(source, arguments))
    return str(error.value).splitlines()


def config(text):
    Path("c.yaml").write_text(text)
    return "c.yaml"


def test_all_wrong_options_are_told_at_once_in_the_order_of_the_file():
    lines = told(config(CONFIG))

    assert [line.split(". ")[0] for line in lines] == [
        "c.yaml:2:20: model mlp: unknown option 'hiden'",
        "c.yaml:5:10: loss huber: delta must be a number, got 'high'.",
        "c.yaml:6:26: optimizer adamw: unknown option 'lrr'",
        "c.yaml:6:47: optimizer adamw: betas[1] must be a number, got 'x'.",
        "c.yaml:7:11: schedule step: option 'step_size' is missing.",
        "c.yaml:9:30: handler early_stopping: patience must be a whole number, got 'soon'.",
        "c.yaml:10:32: handler again: unknown option 'patiense'",
    ]
    assert "Did you mean 'hidden'? Options: " in lines[0]


@pytest.mark.parametrize("value", [".inf", "-.inf", ".nan"])
def test_a_number_that_no_model_file_can_hold_is_refused_before_training(value):
    given = config(f"data: {{path: x.csv, target: y}}\nloss: {{name: cross_entropy, label_smoothing: {value}}}\n")

    [line] = told(given)

    assert line.startswith("c.yaml:2:46: loss.label_smoothing: must be finite, as the model file is strict JSON; got ")


@pytest.mark.parametrize("value", [".inf", ".nan"])
def test_numbers_that_are_not_finite_are_refused_before_any_data_are_read(value):
    given = config(
        "data: {path: x.csv, target: y}\n"
        f"optimizer: {{name: adamw, lr: {value}, groups: [{{match: '*', eps: {value}}}]}}\n"
        f"schedule: {{name: cosine, warmup: {value}}}\n"
    )

    assert told(given) == [
        f"c.yaml:2:30: optimizer.lr: must be finite; got {value.strip('.')}.",
        f"c.yaml:2:63: optimizer.groups.0.eps: must be finite; got {value.strip('.')}.",
        f"c.yaml:3:34: schedule.warmup: must be finite; got {value.strip('.')}.",
    ]


def test_options_of_handlers_may_be_infinite_but_must_be_numbers():
    handlers = "handlers: {gradient_clipping: {norm_type: .inf}, early_stopping: {min_delta: .nan}}"

    [line] = told(config(f"data: {{path: x.csv, target: y}}\n{handlers}\n"))

    assert line == "c.yaml:2:78: handlers.early_stopping.min_delta: must be a number; got nan."


def test_an_option_of_an_argument_stands_in_the_argument():
    [file_line, argument_line] = told(config(CONFIG.splitlines()[0] + "\nmodel: {hiden: 1}"), "optimizer.lrr=3")

    assert file_line.startswith("c.yaml:2:9: model mlp: unknown option 'hiden'.")
    assert argument_line.startswith("argument 'optimizer.lrr=3': optimizer adamw: unknown option 'lrr'. Did you mean")


def test_a_name_that_its_file_does_not_hold_is_told_where_it_stands():
    Path("net.py").write_text("class Net: pass\nclass Own: pass\n")

    lines = told(config("data: {path: x.csv}\nmodel: net.py:Nett\nhandlers: {own: {use: net.py:Own}}"))

    assert lines[0].startswith("c.yaml:2:8: model ")
    assert lines[0].endswith("has no 'Nett'. Did you mean 'Net'?")
    assert lines[1].startswith("c.yaml:3:23: handler own: ")
    assert lines[1].endswith("is not a Handler class, or none of its objects")


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("optimizer.groups=3", "optimizer adamw: groups must be a list"),
        ("optimizer.groups=[{match: '*', lrr: 1}]", "optimizer adamw, group '*': unknown option 'lrr'"),
        ("schedule.total_epochs=0", "schedule cosine: total_epochs must be"),
        ("loss={name: mse, reduction: sum}", "loss mse: option 'reduction' must be mean"),
        ("loss={name: mse, class_weights: balanced}", "loss mse takes no class_weights"),
    ],
)
def test_options_that_a_signature_does_not_know_are_placed_too(argument, message):
    [line] = told({"data": {"path": "x.csv"}}, argument)

    assert line.startswith(f"argument {argument!r}: {message}")


def test_what_the_data_may_not_tell_a_model_is_an_option_until_it_is_known():
    own = {"data": {"kind": "data:Own"}, "model": {"name": "torch.nn:Linear", "in_features": 3}}

    check_components(config_from_mapping(own))


def test_without_a_file_the_component_says_where():
    [line] = told({"data": {"path": "x.csv"}, "optimizer": {"name": "sgd", "momentun": 1}})

    assert line.startswith("optimizer sgd: unknown option 'momentun'. Did you mean 'momentum'?")


@pytest.mark.parametrize("command", ["check", "train", "init", "resume"])
def test_every_command_tells_the_place_before_it_reads_the_data(command):
    Path("run").mkdir()
    Path("run/config.yaml").write_text("data: {path: x.csv}")
    source = {"init": "x.csv", "resume": "run"}.get(command, config("data: {path: x.csv}"))

    result = CliRunner().invoke(main, [command, source, "optimizer.lrr=3"])

    assert result.exit_code == 2
    assert result.stderr.startswith("Error: argument 'optimizer.lrr=3': optimizer adamw: unknown option 'lrr'.")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ("train: {batch_size: 500}", "c.yaml:2:21: train.batch_size: 500 is more than"),
        ("handlers: {gradient_clipping: {max_norm: -1}}", "c.yaml:2:31: gradient_clipping: max_norm must be positive"),
        ("handlers: {early_stopping: {metric: rsme}}", "c.yaml:2:28: unknown validation metric 'rsme'"),
        ("optimizer: {lr: -1}", "c.yaml:2:12: optimizer adamw: Invalid learning rate"),
        ("model: {dropout: 2}", "c.yaml:2:8: model mlp: dropout must be at least 0"),
        ("loss: cross_entropy", "c.yaml:2:7: loss cross_entropy does not fit a regression target"),
    ],
)
def test_what_only_the_data_or_the_component_can_tell_is_placed_too(settings, message):
    Path("data.csv").write_text("x,y\n" + "".join(f"{row},{row * 2}.5\n" for row in range(30)))

    with pytest.raises(ConfigError) as error:
        train(config(f"data: {{path: data.csv, target: y}}\n{settings}"), ["handlers.progress=false"])

    assert str(error.value).startswith(message)
    assert len(str(error.value).splitlines()) == 1
