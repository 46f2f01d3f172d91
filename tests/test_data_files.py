import hashlib
import json
import os
import shutil
from pathlib import Path

import pytest

from ignite_workflow import DataConfig, DataError, RunDirectoryError, SplitConfig, train
from ignite_workflow.data.digest import Digest
from ignite_workflow.data_files import describe_data_files

PENGUINS = Path(__file__).parent.parent / "examples/data/penguins.csv"
QUICK = [
    "data.target=species",
    "train.max_epochs=2",
    "train.device=cpu",
    "model.hidden=[8]",
    *(f"handlers.{name}=false" for name in ("progress", "curve_export", "tensorboard")),
]


@pytest.fixture
def data(tmp_path):
    return Path(shutil.copy(PENGUINS, tmp_path / "table.csv"))


@pytest.fixture
def run(tmp_path):
    (tmp_path / "run").mkdir()
    return tmp_path / "run"


def started(run, config):
    (run / "data_files.json").write_text(describe_data_files(config, None))
    return json.loads((run / "data_files.json").read_text())


def test_files_are_what_they_were(data, run):
    config = DataConfig(path=str(data), target="species")
    before = started(run, config)

    assert json.loads(describe_data_files(config, run)) == before
    assert before[str(data)]["bytes"] == data.stat().st_size


def test_a_file_that_was_written_again_with_the_same_content_has_not_changed(data, run):
    config = DataConfig(path=str(data), target="species")
    started(run, config)
    os.utime(data, (1, 1))

    assert str(data) in json.loads(describe_data_files(config, run))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda text: text + "\n", "has changed since the run started: 13,519 bytes then, 13,520 now"),
        (lambda text: text.replace("Adelie", "Adelia", 1), "has changed since the run started: it was written again"),
    ],
)
def test_a_file_that_changed_is_named(data, run, change, said):
    config = DataConfig(path=str(data), target="species")
    before = started(run, config)[str(data)]["bytes"]
    data.write_text(change(data.read_text()))
    os.utime(data, (1, 1))

    with pytest.raises(DataError) as raised:
        describe_data_files(config, run)

    said = said.replace("13,519", f"{before:,}").replace("13,520", f"{before + 1:,}")
    assert str(raised.value).startswith(f"{data} {said}. A run goes on with the data it was started with; --from-scr")


def test_so_are_the_files_of_a_split_one_that_is_gone_and_one_that_is_new(data, run, tmp_path):
    folder, rows = tmp_path / "folder", tmp_path / "test.txt"
    folder.mkdir()
    rows.write_text("1\n2\n")
    shutil.copy(data, folder / "a.csv")
    shutil.copy(data, folder / "b.csv")
    config = DataConfig(path=str(folder), target="species", split=SplitConfig(test=str(rows)))
    assert set(started(run, config)) == {str(rows), str(folder / "a.csv"), str(folder / "b.csv")}

    (folder / "c.csv").touch()
    with pytest.raises(DataError, match=r"folder/c.csv was not there when the run started"):
        describe_data_files(config, run)
    (folder / "b.csv").unlink()
    with pytest.raises(DataError, match=r"folder/b.csv is gone since the run started"):
        describe_data_files(config, run)


@pytest.mark.parametrize("content", ["", "{", "5", "\xff"])
def test_a_damaged_list_of_files_is_one_line(data, run, content):
    (run / "data_files.json").write_text(content, encoding="latin-1")

    with pytest.raises(RunDirectoryError, match=r"data_files\.json is damaged: put it back, or delete it: "):
        describe_data_files(DataConfig(path=str(data), target="species"), run)


def test_a_run_does_not_go_on_with_a_table_that_changed_unless_it_starts_over(data, tmp_path):
    more = [*QUICK, "schedule=constant"]
    train(data, more, run_directory=tmp_path / "run")
    data.write_text(data.read_text().replace("Adelie", "Gentoo", 1))

    with pytest.raises(DataError, match=r"table.csv has changed since the run started"):
        train(data, [*more, "train.max_epochs=3"], run_directory=tmp_path / "run", resume=True)

    assert train(data, more, run_directory=tmp_path / "run", from_scratch=True).status == "finished"
    assert train(data, [*more, "train.max_epochs=3"], run_directory=tmp_path / "run", resume=True).epochs == 3


def test_a_finished_run_stays_finished_whatever_became_of_its_data(data, tmp_path):
    train(data, QUICK, run_directory=tmp_path / "run")
    data.unlink()

    result = train(tmp_path / "run/config.yaml", run_directory=tmp_path / "run", resume=True)

    assert result.was_finished


def test_a_table_that_was_prepared_is_not_read_again_for_its_checksum(data, run, monkeypatch):
    monkeypatch.setattr("ignite_workflow.data.digest._SETTLED_NANOSECONDS", -1)  # nor was it written just now
    config = DataConfig(path=str(data), target="species")
    with Digest([data]) as digest:
        digest.result()
    monkeypatch.setattr("ignite_workflow.data.digest._READ_BYTES", None)  # nothing can be read any more

    assert started(run, config)[str(data)]["sha256"] == hashlib.sha256(data.read_bytes()).hexdigest()


def test_a_file_whose_time_was_set_back_is_read_again(data, run):
    config = DataConfig(path=str(data), target="species")
    with Digest([data]) as digest:
        digest.result()
    status = data.stat()
    data.write_bytes(data.read_bytes().replace(b"Adelie", b"Adelia", 1))
    os.utime(data, ns=(status.st_atime_ns, status.st_mtime_ns))

    assert started(run, config)[str(data)]["sha256"] == hashlib.sha256(data.read_bytes()).hexdigest()
