import subprocess
import sys
from dataclasses import dataclass
from importlib.metadata import EntryPoint
from typing import Any, Literal

import pytest
import torch

from ignite_workflow import registry
from ignite_workflow.built_in import BUILT_IN, REFUSED
from ignite_workflow.errors import ConfigError, UnknownNameError


def classes(module, base):
    return {value for value in vars(module).values() if isinstance(value, type) and issubclass(value, base)} - {base}


def plain(name):
    return name.replace("_", "").lower().removesuffix("loss")


@pytest.mark.parametrize(
    ("kind", "found"),
    [
        ("loss", {cls.__name__ for cls in classes(torch.nn, torch.nn.Module) if cls.__name__.endswith("Loss")}),
        ("optimizer", {cls.__name__ for cls in classes(torch.optim, torch.optim.Optimizer)}),
    ],
)
def test_every_loss_and_optimizer_of_torch_is_named_or_refused(kind, found):
    listed = {plain(name) for name in [*BUILT_IN[kind], *REFUSED[kind]]}

    assert listed == {plain(name) for name in found}


@pytest.mark.parametrize(("kind", "name"), [(kind, name) for kind in BUILT_IN for name in BUILT_IN[kind]])
def test_every_built_in_name_loads(kind, name):
    assert callable(registry.load(kind, name))


def test_a_name_is_checked_without_importing_anything_heavy():
    code = (
        "import sys; from ignite_workflow import registry; registry.check_name('loss', 'mse');"
        "sys.exit(bool({'torch', 'ignite', 'numpy', 'polars', 'pydantic'} & sys.modules.keys()))"
    )

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize(
    ("kind", "name", "message"),
    [
        ("optimizer", "adanw", "unknown optimizer 'adanw'. Did you mean 'adamw'? Known: adadelta,"),
        ("loss", "mse_loss", "Did you mean 'mse'?"),
        ("loss", "L1Loss", "Did you mean 'l1'?"),
        ("loss", "ctc", "loss 'ctc' cannot be used by name: it needs the lengths of inputs and targets"),
        ("optimizer", "lbfgs", "it calls the model several times a step"),
        ("data_kind", "tabel", "unknown data kind 'tabel'. Did you mean 'table'?"),
        ("model", "torch.nn.Linear", "is not an import path: package.module:Name or path/to/file.py:Name"),
        ("step", "train_step", "step 'train_step' is not an import path"),
        ("model", "torch.nn:", "import path 'torch.nn:' is not of the form"),
        ("model", "a-b:Net", "import path 'a-b:Net' is not of the form"),
        ("model", "gone/net.py:Net", "model 'gone/net.py:Net': there is no file gone/net.py."),
    ],
)
def test_a_name_that_cannot_be_right_is_told_before_importing(kind, name, message):
    with pytest.raises(ConfigError) as error:
        registry.check_name(kind, name)

    assert message in str(error.value)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("torch.nn:Linea", "model 'torch.nn:Linea': torch.nn has no 'Linea'. Did you mean 'Linear'?"),
        ("torch.gone:Net", "model 'torch.gone:Net': there is no module 'torch.gone'"),
        ("gone.layers:Net", "model 'gone.layers:Net': there is no module 'gone'"),
    ],
)
def test_an_import_path_that_leads_nowhere_is_told(name, message):
    with pytest.raises(ConfigError) as error:
        registry.load("model", name)

    assert message in str(error.value)


def test_a_name_in_a_module_is_loaded():
    assert registry.load("model", "torch.nn:Linear") is torch.nn.Linear


def test_a_persons_file_is_loaded_once(tmp_path):
    file = tmp_path / "net.py"
    file.write_text("class Net:\n    pass\n")

    cls = registry.load("model", f"{file}:Net")

    assert cls is registry.load("model", f"{tmp_path}/../{tmp_path.name}/net.py:Net")
    assert sys.modules[cls.__module__].Net is cls


def test_files_of_the_same_name_do_not_meet(tmp_path):
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "net.py").write_text(f"name = '{folder}'\n")

    assert [registry.load("model", f"{tmp_path}/{folder}/net.py:name") for folder in ("a", "b")] == ["a", "b"]


def test_a_persons_file_may_import_the_files_beside_it(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "path", [*sys.path])
    (tmp_path / "layers_beside.py").write_text("width = 3\n")
    (tmp_path / "net.py").write_text("from layers_beside import width\n")

    assert registry.load("model", f"{tmp_path}/net.py:width") == 3


@pytest.mark.parametrize(("code", "error"), [("1 / 0", ZeroDivisionError), ("import gone", ModuleNotFoundError)])
def test_an_error_in_a_persons_file_stays_and_says_what_it_was_imported_for(tmp_path, code, error):
    (tmp_path / "net.py").write_text(code)

    with pytest.raises(error) as raised:
        registry.load("model", f"{tmp_path}/net.py:Net")

    assert raised.value.__notes__ == [f"This happened while importing model '{tmp_path}/net.py:Net'."]


@pytest.fixture
def plugin(monkeypatch):
    """Installs plugins by name for one test."""

    def install(**targets):
        points = [EntryPoint(name, target, "ignite_workflow.models") for name, target in targets.items()]
        monkeypatch.setattr("importlib.metadata.entry_points", lambda group: points if "models" in group else [])
        registry._plugins.cache_clear()

    yield install
    registry._plugins.cache_clear()


def test_an_installed_plugin_is_known_by_its_name(plugin):
    plugin(bilinear="torch.nn:Bilinear")

    registry.check_name("model", "bilinear")

    assert registry.names("model") == ["linear", "mlp", "bilinear"]
    assert registry.load("model", "bilinear") is torch.nn.Bilinear


def test_a_plugin_does_not_shadow_a_built_in_name(plugin):
    plugin(linear="torch.nn:Linear")

    with pytest.warns(UserWarning, match="the installed model 'linear' .* is ignored"):
        names = registry.names("model")

    assert names == ["linear", "mlp"]


def test_a_near_plugin_is_suggested(plugin):
    plugin(transformer="torch.nn:Transformer")

    with pytest.raises(UnknownNameError, match="Did you mean 'transformer'"):
        registry.check_name("model", "transfomer")


@dataclass
class Options:
    width: int
    rate: float = 0.1
    mode: Literal["min", "max"] = "min"
    layers: tuple[int, ...] = ()
    name: str | None = None
    every: dict[str, float] | None = None
    weight: torch.Tensor | None = None
    betas: tuple[float | torch.Tensor, float] = (0.9, 0.99)
    anything: Any = None


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"with": 3}, "unknown option 'with'. Did you mean 'width'? Options: width, rate, mode,"),
        ({"width": True}, "width must be a whole number, got true."),
        ({"width": "3"}, "width must be a whole number, got '3'."),
        ({"width": 3.5}, "width must be a whole number, got 3.5."),
        ({"rate": True}, "rate must be a number, got true."),
        ({"mode": "mim"}, "mode must be 'min' or 'max', got 'mim'."),
        ({"layers": [1, "x"]}, "layers[1] must be a whole number, got 'x'."),
        ({"layers": 3}, "layers must be a list, got 3."),
        ({"name": 3}, "name must be text, got 3 (in quotes it is text)."),
        ({"every": {"epochs": "x"}}, "every[epochs] must be a number, got 'x'."),
        ({"betas": [0.9, "x"]}, "betas[1] must be a number, got 'x'."),
        ({"betas": [0.9]}, "betas[1] is missing."),
        ({"betas": [0.9, 1, 2]}, "betas must be at most 2 long, got [0.9, 1, 2]."),
        ({}, "option 'width' is missing."),
    ],
)
def test_a_wrong_option_is_named(options, message):
    with pytest.raises(ConfigError) as error:
        registry.check_options("model", "net", options, Options)

    assert f"model net: {message}" in str(error.value)


@pytest.mark.parametrize(
    "options",
    [
        {"rate": 1},
        {"layers": [1, 2]},
        {"name": None},
        {"weight": [1, 2]},
        {"betas": [0.9, 1]},
        {"anything": {"a": [1]}},
        {"every": {"epochs": 1}},
    ],
)
def test_a_right_option_passes(options):
    registry.check_options("model", "net", {"width": 1, **options}, Options)


def test_all_wrong_options_are_named_at_once():
    with pytest.raises(ConfigError) as error:
        registry.check_options("model", "net", {"rate": "x", "mood": 1}, Options)

    assert len(str(error.value).splitlines()) == 3


def test_what_is_filled_in_is_no_option():
    with pytest.raises(ConfigError, match="optimizer sgd: 'params' is not an option: it is filled in"):
        registry.check_options("optimizer", "sgd", {"params": 1}, torch.optim.SGD, given=("params",))


def test_what_is_filled_in_is_not_asked_for():
    registry.check_options("optimizer", "sgd", {"lr": 0.1}, torch.optim.SGD, given=("params",))


def test_a_factory_with_open_keywords_takes_any_option():
    def build(**options):
        raise NotImplementedError

    registry.check_options("model", "net", {"whatever": 1}, build)


def test_annotations_that_cannot_be_resolved_are_not_checked():
    def build(width: "Gone", height: "int"):  # noqa: F821
        raise NotImplementedError

    registry.check_options("model", "net", {"width": 1, "height": "x"}, build)


def test_the_metrics_named_are_those_that_can_be_computed():
    from ignite_workflow.metrics import MODES

    assert {*registry.names("metric"), "loss"} == set(MODES)
