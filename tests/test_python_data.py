import numpy as np
import polars as pl
import pytest

from ignite_workflow import ConfigError, DataConfig, DataError, RunConfig, load_model, train
from ignite_workflow.data.python_data import save_python_data

QUICK = [
    "train.max_epochs=2",
    "train.device=cpu",
    "model=linear",
    "schedule=constant",
    "handlers.progress=false",
    "handlers.curve_export=false",
    "handlers.tensorboard=false",
]
SIZE = np.linspace(0, 1, 200)
FRAME = pl.DataFrame({"size": SIZE, "color": ["red", "blue"] * 100, "price": 3 * SIZE})


@pytest.fixture(autouse=True)
def _cache(tmp_path, monkeypatch):
    monkeypatch.setenv("IGNITE_WORKFLOW_CACHE", str(tmp_path / "cache"))


CONFIG = RunConfig(data=DataConfig())


@pytest.mark.parametrize("source", ["a.csv", {"data": {"path": ("a.csv", "b.csv")}}, {"model": "mlp"}, CONFIG])
def test_settings_are_passed_through(source):
    assert save_python_data(source) == source


def test_equal_data_is_one_file_however_it_came(tmp_path):
    frame = pl.DataFrame({"a": range(300_000)})
    pieces = pl.concat([frame[:1], frame[1:]], rechunk=False)
    columns = {"data": {"path": frame.to_dict()}}
    paths = {save_python_data(each, tmp_path)["data"]["path"] for each in (frame, pieces, columns)}
    [path] = paths

    assert pl.read_parquet(path).equals(frame)
    assert save_python_data(FRAME[1:], tmp_path)["data"]["path"] != path
    assert [each.name for each in tmp_path.glob("*/*")] == ["data.parquet"] * 2


def test_data_may_stand_where_settings_name_files(tmp_path):
    split = {"test": FRAME[:20], "val": 0.1}
    kept = save_python_data({"data": {"path": FRAME, "target": "price", "split": split}, "model": "mlp"}, tmp_path)

    assert pl.read_parquet(kept["data"]["split"]["test"]).equals(FRAME[:20])
    assert (kept["data"]["split"]["val"], kept["data"]["target"], kept["model"]) == (0.1, "price", "mlp")
    assert split["test"] is not kept["data"]["split"]["test"]


def test_a_frame_is_trained_on(tmp_path):
    result = train(FRAME, QUICK, target="price", run_directory=tmp_path / "run")

    assert load_model(result.run).predict(FRAME).height == 200


def test_arrays_are_trained_on_and_their_target_is_known(tmp_path):
    x = np.stack([SIZE, SIZE**2], axis=1)
    result = train((x, 3 * SIZE), QUICK, run_directory=tmp_path / "run")

    assert load_model(result.run).predict(x).columns == ["prediction"]


def test_several_targets_are_known():
    assert save_python_data((SIZE[:, None], np.stack([SIZE, SIZE], axis=1)))["data"]["target"] == ["y0", "y1"]


def test_a_run_goes_on_with_the_same_data_only(tmp_path):
    train(FRAME, QUICK, target="price", run_directory=tmp_path / "run")
    more = [*QUICK, "train.max_epochs=3"]

    with pytest.raises(ConfigError, match=r"changed: data\.path: .*/given/.* -> .*/given/"):
        train(FRAME[1:], more, target="price", run_directory=tmp_path / "run", resume=True)
    assert train(FRAME, more, target="price", run_directory=tmp_path / "run", resume=True).epochs == 3


def test_data_that_cannot_be_kept_is_one_line(tmp_path):
    (tmp_path / "file").touch()

    with pytest.raises(DataError, match=r"data: cannot be kept in .*file/given: Not a directory"):
        save_python_data(FRAME, tmp_path / "file/given")


@pytest.mark.parametrize("data", [pl.DataFrame({"a": [object()]}), 5, {"data": {"path": 5.5j}}])
def test_what_is_no_table_is_one_line(data):
    with pytest.raises(DataError, match="not a table: "):
        save_python_data(data)
