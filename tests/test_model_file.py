import errno
import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file
from small_model import forge, save_small_model
from torch import nn

from ignite_workflow.errors import CheckpointError, DivergedError, RunDirectoryError
from ignite_workflow.model_description import Architecture, ModelDescription, read_description
from ignite_workflow.model_file import load_model, save_model

X = torch.tensor([[0.3, 1.0], [-1.0, 0.0], [2.0, 3.0]])  # a number and a category of 3 known classes
OWN = ModelDescription(architecture=Architecture(name="torch.nn:Linear", facts={"in_features": 2, "out_features": 1}))


@pytest.fixture
def run(tmp_path):
    save_small_model(tmp_path)
    return tmp_path


def refusal(path, **options):
    """The one line that refuses to load a model."""
    with pytest.raises(CheckpointError) as caught:
        load_model(path, device="cpu", **options)
    message = str(caught.value)
    assert "\n" not in message
    return message


@pytest.mark.parametrize("task", ["regression", "binary", "multiclass", "multilabel"])
@pytest.mark.parametrize(
    ("model", "options"),
    [("linear", {}), ("mlp", {"hidden": [8, 4]}), ("mlp", {"number_embedding": "periodic"})],
)
def test_a_loaded_model_computes_what_the_saved_one_did(tmp_path, task, model, options):
    module, _ = save_small_model(tmp_path, task, model=model, options=options)

    loaded = load_model(tmp_path, device="cpu").model

    assert not loaded.training
    assert torch.equal(loaded(X), module(X))


def test_everything_said_of_a_model_is_read_back(tmp_path):
    _, description = save_small_model(tmp_path)

    found, _ = read_description(tmp_path / "model" / "model.json")

    assert found.facts == description.facts
    assert (found.schema, found.target, found.loss) == (description.schema, description.target, description.loss)
    assert (found.metrics, found.data) == (description.metrics, description.data)


def test_using_a_model_does_not_wait_for_what_only_training_needs():
    code = "import sys, ignite_workflow.model_file; print({'ignite', 'matplotlib'} & sys.modules.keys())"

    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "set()\n"


def test_a_model_is_found_by_its_run_by_a_link_to_it_and_by_its_own_directory(run, tmp_path):
    latest = tmp_path / "latest"
    latest.symlink_to(run)

    found = {load_model(path, device="cpu").directory.resolve() for path in (run, str(latest), run / "model")}

    assert found == {(run / "model").resolve()}


def test_weights_that_modules_share_are_written_under_each_name(tmp_path):
    model = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    model[1].weight = model[0].weight

    save_model(tmp_path / "model", model, OWN)

    weights = load_file(tmp_path / "model" / "model.safetensors")
    assert torch.equal(weights["0.weight"], weights["1.weight"])


def test_weights_laid_out_in_another_order_are_saved_as_they_are(tmp_path):
    model = nn.Linear(2, 3)
    model.weight = nn.Parameter(torch.arange(6.0).view(2, 3).t())

    save_model(tmp_path / "model", model, OWN)

    assert torch.equal(load_file(tmp_path / "model" / "model.safetensors")["weight"], model.weight)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_not_finite_are_not_saved(tmp_path, value):
    model = nn.Linear(2, 1)
    nn.init.constant_(model.weight, value)

    with pytest.raises(DivergedError, match="'weight'"):
        save_model(tmp_path / "model", model, OWN)

    assert not list(tmp_path.iterdir())


def test_a_buffer_that_is_nan_is_not_saved(tmp_path):
    model = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2))
    model[1].running_mean.fill_(float("nan"))

    with pytest.raises(DivergedError, match="running_mean"):
        save_model(tmp_path / "model", model, OWN)


def test_a_buffer_may_hold_infinities(tmp_path):
    model = nn.Linear(2, 1)
    model.register_buffer("mask", torch.tensor([-float("inf"), 0.0]))

    save_model(tmp_path / "model", model, OWN)

    assert load_file(tmp_path / "model" / "model.safetensors")["mask"].tolist() == [-float("inf"), 0.0]


def test_a_directory_that_holds_something_else_is_not_replaced(tmp_path):
    (tmp_path / "thesis.txt").write_text("years of work")

    with pytest.raises(RunDirectoryError, match="something other than a model"):
        save_model(tmp_path, nn.Linear(2, 1), OWN)

    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_save_replaces_the_model_and_what_a_killed_save_left(run):
    (run / ".model.new").mkdir()
    (run / ".model.new" / "model.json").write_text("half")

    save_small_model(run, "regression")

    assert load_model(run, device="cpu").target.task == "regression"
    assert not list(run.glob(".model*"))


def test_a_save_that_fails_in_its_last_step_leaves_the_old_model(run, monkeypatch):
    rename = Path.rename

    def fail(path, target):
        if path.name == ".model.new":
            raise OSError(errno.EIO, "Input/output error")
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", fail)
    with pytest.raises(CheckpointError, match="Input/output error"):
        save_small_model(run, "regression")

    assert load_model(run, device="cpu").target.task == "multiclass"
    assert not list(run.glob(".model*"))


KILLED = """
import os, sys
from pathlib import Path
from torch import nn
from test_model_file import OWN
from ignite_workflow.errors import CheckpointError
from ignite_workflow.model_file import load_model, save_model

directory = Path(sys.argv[1])
old, new = nn.Linear(2, 1), nn.Linear(2, 1)
nn.init.zeros_(old.weight)
nn.init.ones_(new.weight)


def killed_at(instant):
    save_model(directory, old, OWN)
    child = os.fork()
    if child == 0:
        count = 0

        def watch(event, arguments):
            nonlocal count
            if event in ("open", "os.rename", "os.mkdir", "os.remove", "os.rmdir") and ".model" in str(arguments):
                count += 1
                if count == instant:
                    os._exit(9)

        sys.addaudithook(watch)
        save_model(directory, new, OWN)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9


instant = 1
while killed_at(instant):
    try:
        print(load_model(directory, trust=True, device="cpu").model.weight[0, 0].item())
    except CheckpointError as error:
        print(str(error).partition(" ")[0] == "there")
    instant += 1
"""


def test_a_save_killed_at_any_instant_leaves_the_old_model_the_new_one_or_none(tmp_path):
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([*sys.path, os.path.dirname(__file__)])}
    command = [sys.executable, "-W", "ignore", "-c", KILLED, str(tmp_path / "model")]

    found = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout.split()

    assert len(found) > 8
    assert set(found) == {"0.0", "True", "1.0"}  # "True": there is no model


# What is found where no whole model is.


def test_an_unfinished_run_says_how_far_it_is_and_how_to_go_on(tmp_path):
    (tmp_path / "status.json").write_text('{"state": "stopped", "epoch": 3, "iteration": 120}')

    message = refusal(tmp_path)

    assert "stopped at epoch 3, iteration 120" in message
    assert f"resume {tmp_path}" in message


def test_a_mistyped_run_is_met_with_the_nearest_one(tmp_path):
    (tmp_path / "penguins").mkdir()

    assert "Did you mean 'penguins'?" in refusal(tmp_path / "pengiuns")


def test_a_directory_or_a_file_that_is_no_model_is_named(tmp_path):
    assert f"{tmp_path} is neither a run nor a model" in refusal(tmp_path)
    assert "is a file" in refusal(__file__)


@pytest.mark.parametrize("name", ["model.json", "model.safetensors"])
def test_a_missing_file_is_named(run, name):
    (run / "model" / name).unlink()

    assert name in refusal(run / "model")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], max_examples=60)
@given(data=st.data())
def test_a_flipped_bit_of_the_weights_is_found(run, data):
    path = run / "model" / "model.safetensors"
    content = path.read_bytes()
    place = data.draw(st.integers(0, 8 * len(content) - 1))

    path.write_bytes(flipped(content, place))
    message = refusal(run)
    path.write_bytes(content)

    assert "model.safetensors is damaged" in message


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], max_examples=60)
@given(data=st.data())
def test_a_flipped_bit_of_the_description_is_found_or_changes_nothing(run, data):
    path = run / "model" / "model.json"
    content = path.read_bytes()
    path.write_bytes(flipped(content, data.draw(st.integers(0, 8 * len(content) - 1))))
    try:
        is_same = json.loads(path.read_bytes()) == json.loads(content)
    except ValueError:
        is_same = False

    if not is_same:  # blanks may turn into other blanks
        assert "model.json" in refusal(run)
    path.write_bytes(content)


def flipped(content, place):
    changed = bytearray(content)
    changed[place // 8] ^= 1 << place % 8
    return bytes(changed)


@pytest.mark.parametrize("size", [0, 4, 100])
def test_weights_cut_short_are_found(run, size):
    path = run / "model" / "model.safetensors"
    path.write_bytes(path.read_bytes()[:size])

    assert f"damaged: it has {size} bytes" in refusal(run)


@pytest.mark.parametrize("content", [b"", b"\xff" * 8 + b"{}", (2).to_bytes(8, "little") + b"{}"])
def test_a_file_that_holds_no_weights_is_refused_however_it_is_vouched_for(run, content):
    replace_weights(run, content)

    assert "model.safetensors" in refusal(run)


def replace_weights(run, content):
    (run / "model" / "model.safetensors").write_bytes(content)
    forge(run, weights__size=len(content), weights__sha256=hashlib.sha256(content).hexdigest())


def test_weights_of_another_type_are_refused(run):
    path = run / "model" / "model.safetensors"
    save_file({name: tensor.double() for name, tensor in load_file(path).items()}, path)
    replace_weights(run, path.read_bytes())

    assert "is float32" in refusal(run)


# Files made to do harm.


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"architecture__options__hidden": [9]}, "weight"),
        ({"architecture__options__hidden": [10**12]}, "weight"),
        ({"architecture__options__hidden": [10**30]}, "cannot be built"),
        ({"architecture__options__hidden": [1] * 100_000}, "more weights than"),
        ({"architecture__options__hidden": "many"}, "cannot be built"),
        ({"architecture__options__embedding_size": 10**12}, "weight"),
        ({"architecture__options__depth": 3}, "depth"),
        ({"architecture__facts__out_features": 10**12}, "weight"),
        ({"architecture__facts__out_features": -1}, "cannot be built"),
        ({"architecture__facts": []}, "facts"),
        ({"architecture__name": "mpl"}, "Did you mean 'mlp'?"),
        ({"architecture__name": 5}, "name"),
        ({"schema__targets": []}, "schema"),
        ({"schema": None}, "cannot be built"),
        ({"target": None}, "target"),
        ({"target__task": "divination"}, "target"),
        ({"target__classes": ["ant", "bee"]}, "target"),
        ({"target__counts": "all"}, "counts"),
        ({"loss__name": "crossentropy"}, "Did you mean 'cross_entropy'?"),
        ({"loss__link": "exec"}, "link"),
        ({"loss__link": "exp"}, "another meaning"),
        ({"loss__outputs": 10**9}, "another meaning"),
        ({"loss__options": {"reduction": "sum"}}, "reduction"),
        ({"weights__size": "many"}, "size"),
        ({"weights__size": -1}, "damaged"),
        ({"metrics": {"test/loss": "good"}}, "good"),
        ({"data__rows": {"train": "all"}}, "rows"),
        ({"extra": 1}, "extra"),
        ({"format": 2}, "this version reads 1"),
    ],
)
def test_a_description_that_lies_is_one_line_that_names_the_file(run, change, says):
    forge(run, **change)

    message = refusal(run)

    assert says in message
    assert str(run / "model") in message


def test_what_the_schema_says_of_the_data_goes_before_what_the_file_adds(run):
    forge(run, architecture__facts={"categories": [2], "out_features": 3, "output": "logit"})

    assert load_model(run, device="cpu").model.numbers == 1


def test_a_schema_of_other_columns_than_the_model_was_built_for_is_refused(run):
    columns = json.loads((run / "model" / "model.json").read_text())["schema"]["columns"]
    forge(run, schema__columns=[column for column in columns if column["kind"] != "number"])

    assert "weight" in refusal(run)


@pytest.mark.parametrize("std", [0.0, -1.0, float("nan"), float("inf")])
def test_a_scale_that_cannot_be_is_refused(tmp_path, std):
    save_small_model(tmp_path, "regression")
    forge(tmp_path, target__std=[std])

    assert "target" in refusal(tmp_path)


@pytest.mark.parametrize("content", ["", "[]", "5", "\xff", "[" * 1_000_000, '{"format": ' + "9" * 5000 + "}"])
def test_what_is_not_a_description_is_refused(run, content):
    (run / "model" / "model.json").write_text(content, encoding="latin-1")

    assert "model.json" in refusal(run)


def test_an_enormous_description_is_not_even_read(run):
    with (run / "model" / "model.json").open("wb") as file:
        file.truncate(10**12)

    assert "at most" in refusal(run)


def test_code_that_a_file_names_is_imported_only_where_it_is_trusted(run, tmp_path):
    module = tmp_path / "evil.py"
    module.write_text("import pathlib\npathlib.Path(__file__).with_suffix('.ran').touch()\nclass Net: pass\n")
    forge(run, architecture__name=f"{module}:Net")

    assert "--trust" in refusal(run)
    assert not module.with_suffix(".ran").exists()


def test_a_model_of_a_persons_own_is_loaded_where_it_is_trusted(tmp_path):
    model = nn.Linear(2, 1)
    save_model(tmp_path / "model", model, OWN)

    loaded = load_model(tmp_path, trust=True, device="cpu")

    assert torch.equal(loaded.model.weight, model.weight)
    assert loaded.schema is None


def test_weights_that_do_not_fit_a_model_of_a_persons_own_are_refused(tmp_path):
    save_model(tmp_path / "model", nn.Linear(3, 1), OWN)

    assert "do not fit" in refusal(tmp_path, trust=True)


def test_a_copied_model_works_without_its_run(run, tmp_path):
    shutil.copytree(run / "model", tmp_path / "copy")

    assert load_model(tmp_path / "copy", device="cpu").target.classes == ("ant", "bee", "cat")
