import csv
import errno
import json
import math
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from ignite_workflow.config import DataConfig, ReadConfig, SplitConfig
from ignite_workflow.data import array_files, prepare_table, text_file
from ignite_workflow.data import chunk_store as chunk_store_module
from ignite_workflow.data import prepared as prepared_module
from ignite_workflow.data.cache import default_cache_directory
from ignite_workflow.data.fit import fit_schema
from ignite_workflow.data.inspection import inspect_table
from ignite_workflow.data.schema import Schema
from ignite_workflow.errors import ConfigError, DataError

PENGUINS = str(Path(__file__).parent / "data" / "penguins.csv")


@pytest.fixture
def prepare(tmp_path):
    def prepare(table, target="y", *, seed=0, split=None, name="table.csv", directory=None, schema=None, **config):
        path = table
        if "\n" in table:
            path = str(tmp_path / name)
            Path(path).write_text(table)
        settings = DataConfig(path=path, target=target, split=split or SplitConfig(), **config)
        return prepare_table(settings, seed=seed, cache_directory=directory or tmp_path / "cache", schema=schema)

    return prepare


def table(rows, header="x,y"):
    return header + "\n" + "".join(f"{row}\n" for row in rows)


LINE = table(f"{0.1 * number:.1f},{number}.5" for number in range(40))


def everything(prepared):
    return {
        (name, part): getattr(split, part).tolist()
        for name, split in prepared.splits.items()
        for part in ("x", "y", "rows")
    }


def test_penguins_equal_arrays_computed_without_us(prepare):
    prepared = prepare(PENGUINS, "species")
    schema, train = prepared.schema, prepared.splits["train"]
    with Path(PENGUINS).open() as file:
        birds = list(csv.DictReader(file))
    names = ["bill_length_mm", "bill_depth_mm", "flipper_length_mm", "body_mass_g", "year"]
    numbers = np.array([[math.nan if bird[name] == "NA" else float(bird[name]) for name in names] for bird in birds])
    known = numbers[train.rows]
    islands = [["Biscoe", "Dream", "Torgersen"].index(bird["island"]) + 1 for bird in birds]
    sexes = [["female", "male", "NA"].index(bird["sex"]) + 1 for bird in birds]

    for split in prepared.splits.values():
        standardised = (numbers[split.rows] - np.nanmean(known, axis=0)) / np.nanstd(known, axis=0)
        at = [position for position, (_, part) in enumerate(schema.parts) if part.of == "value"]
        assert split.x[:, at] == pytest.approx(np.nan_to_num(standardised), abs=1e-5)  # float32
        flags = [position for position, (_, part) in enumerate(schema.parts) if part.of == "missing"]
        assert (split.x[:, flags] == np.isnan(numbers[split.rows])[:, : len(flags)]).all()
        assert split.x[:, len(schema.parts) :].tolist() == [[islands[row], sexes[row]] for row in split.rows]
        assert [schema.classes[code] for code in split.y] == [birds[row]["species"] for row in split.rows]


def test_every_row_is_in_one_split(prepare):
    prepared = prepare(PENGUINS, "species")

    assert sorted(row for split in prepared.splits.values() for row in split.rows) == list(range(344))
    assert {name: len(split.x) for name, split in prepared.splits.items()} == {"train": 240, "val": 52, "test": 52}


def test_arrays_are_row_major_and_of_the_types_that_models_take(prepare):
    train = prepare(PENGUINS, "species").splits["train"]

    assert (train.x.dtype, train.y.dtype, train.rows.dtype) == (np.float32, np.int64, np.int64)
    assert train.x.flags.c_contiguous
    assert train.x.flags.writeable  # torch warns of memory that it must not write


def test_the_second_start_reads_nothing_but_the_digest(prepare, monkeypatch):
    first = prepare(LINE)
    monkeypatch.setattr("ignite_workflow.data.prepared.survey_table", None)
    second = prepare(LINE)

    assert everything(first) == everything(second)
    assert (first.schema, first.notes) == (second.schema, second.notes)
    assert isinstance(second.splits["train"].x, np.memmap)


def test_a_copy_elsewhere_is_the_same_content(prepare, monkeypatch, tmp_path):
    prepare(LINE)
    monkeypatch.setattr("ignite_workflow.data.prepared.survey_table", None)
    (tmp_path / "elsewhere").mkdir()
    os.utime(tmp_path / "table.csv", (0, 0))
    (tmp_path / "table.csv").rename(tmp_path / "elsewhere" / "table.csv")

    assert prepare(str(tmp_path / "elsewhere" / "table.csv"))


def test_a_copy_elsewhere_of_the_rows_of_a_split_is_the_same_content(prepare, monkeypatch, tmp_path):
    names = {"val": "val.csv", "test": "test.txt"}
    split = SplitConfig(**{key: str(tmp_path / name) for key, name in names.items()})
    (tmp_path / "val.csv").write_text(LINE)
    (tmp_path / "test.txt").write_text("3\n")
    prepare(LINE, split=split)
    monkeypatch.setattr("ignite_workflow.data.prepared.survey_table", None)
    (tmp_path / "elsewhere").mkdir()
    for name in names.values():
        (tmp_path / name).rename(tmp_path / "elsewhere" / name)

    assert prepare(LINE, split=SplitConfig(**{key: str(tmp_path / "elsewhere" / name) for key, name in names.items()}))


@pytest.mark.parametrize(
    "other",
    [
        {"seed": 1},
        {"table": LINE.replace("0.5", "0.6")},
        {"split": SplitConfig(val=0.3)},
        {"columns": {"x": "category"}},
        {"missing": ("0.0",)},
    ],
)
def test_what_arrays_depend_on_makes_new_ones(prepare, other):
    before = everything(prepare(LINE))

    assert everything(prepare(**{"table": LINE, **other})) != before


def test_a_list_file_that_changed_makes_new_arrays(prepare, tmp_path):
    splits = []
    for rows in ("1\n2\n", "3\n4\n"):
        (tmp_path / "rows.txt").write_text(rows)
        splits.append(prepare(LINE, split=SplitConfig(test=str(tmp_path / "rows.txt"))).splits["test"].rows.tolist())

    assert splits == [[1, 2], [3, 4]]


def entry(tmp_path):
    [found] = (tmp_path / "cache" / "tables").iterdir()
    return found


def flip(path, position):
    data = bytearray(path.read_bytes())
    data[position] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize("name", ["train-x.npy", "train-y.npy", "test-rows.npy", "entry.json"])
@pytest.mark.parametrize("damage", ["first", "last", "short", "gone"])
def test_a_damaged_file_is_never_trusted(prepare, tmp_path, name, damage):
    expected = everything(prepare(LINE))
    path = entry(tmp_path) / name
    before = path.read_bytes()
    if damage == "gone":
        path.unlink()
    elif damage == "short":
        path.write_bytes(path.read_bytes()[:-1])
    else:
        flip(path, 10 if damage == "first" else -1)

    assert everything(prepare(LINE)) == expected
    assert path.read_bytes() == before


def test_the_files_are_npy_files(prepare, tmp_path):
    train = prepare(LINE).splits["train"]

    assert (np.load(entry(tmp_path) / "train-x.npy") == train.x).all()


def test_arrays_stay_in_memory_where_the_cache_cannot_be_written(prepare, tmp_path):
    (tmp_path / "file").write_text("not a directory")
    prepared = prepare(LINE, directory=tmp_path / "file")

    assert everything(prepared) == everything(prepare(LINE))
    assert "arrays are kept in memory" in prepared.notes[-1]


def test_a_small_table_stays_in_memory_where_the_disk_is_full(prepare, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(array_files._OpenArray, "append", full)
    prepared = prepare(LINE)

    assert re.search(r"the disk is full: .* at least [\d,]+ bytes there, [\d,]+ are free\.$", prepared.notes[-1])
    assert list((tmp_path / "cache" / "tables").iterdir()) == []


def test_a_large_table_is_refused_where_the_disk_is_full(prepare, monkeypatch):
    def full(self, size):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(array_files.DiskSink, "expect", full)
    monkeypatch.setattr(prepared_module, "_MOST_IN_MEMORY", 0)

    with pytest.raises(DataError, match=r"at least [\d,]+ bytes there, [\d,]+ are free.*IGNITE_WORKFLOW_CACHE"):
        prepare(LINE)


def test_a_file_that_changes_while_it_is_read_is_refused(prepare, tmp_path, monkeypatch):
    def grow(*arguments, **options):
        with (tmp_path / "table.csv").open("a") as file:
            file.write("5,5\n")
        return fit_schema(*arguments, **options)

    monkeypatch.setattr(prepared_module, "fit_schema", grow)

    with pytest.raises(DataError, match="has changed while it was read"):
        prepare(LINE)


def test_the_space_that_arrays_will_take_is_known(prepare, tmp_path, monkeypatch):
    sizes = []
    monkeypatch.setattr(array_files.DiskSink, "expect", lambda self, size: sizes.append(size))
    prepared = prepare(LINE)

    assert sizes == [
        sum(array.nbytes for split in prepared.splits.values() for array in (split.x, split.y, split.rows))
    ]


def test_an_error_leaves_nothing_behind(prepare, tmp_path):
    with pytest.raises(DataError):
        prepare(LINE + "inf,1\n")

    assert list((tmp_path / "cache" / "tables").iterdir()) == []


def test_the_cache_lies_where_the_environment_says(monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", "/xdg")
    monkeypatch.delenv("IGNITE_WORKFLOW_CACHE", raising=False)
    assert default_cache_directory() == Path("/xdg/ignite-workflow")

    monkeypatch.setenv("IGNITE_WORKFLOW_CACHE", "/mine")
    assert default_cache_directory() == Path("/mine")


@pytest.mark.parametrize("most", [0, 10**9])
@pytest.mark.parametrize("block", [1024, 10**6])
def test_neither_chunks_nor_where_they_are_kept_matter(prepare, tmp_path, monkeypatch, most, block):
    expected = prepare(PENGUINS, "species")
    monkeypatch.setattr(chunk_store_module, "_MOST_BYTES", most)
    monkeypatch.setattr(text_file, "_BLOCK_BYTES", block)
    prepared = prepare(PENGUINS, "species", directory=tmp_path / "other")

    for name, split in expected.splits.items():
        assert (prepared.splits[name].rows == split.rows).all()
        assert prepared.splits[name].x == pytest.approx(split.x, abs=1e-6)  # sums of chunks round differently


def test_numbers_that_turn_out_to_be_codes_keep_their_spelling(prepare, monkeypatch):
    monkeypatch.setattr(text_file, "_BLOCK_BYTES", 16)
    prepared = prepare(table([f"{7 + number % 2}.0,{number}.5" for number in range(30)] + ["AB,1.5", "08,2.5"] * 30))

    assert prepared.schema.categories[0].classes == ("08", "7.0", "8.0", "AB")


def test_a_bad_cell_that_was_read_long_ago_is_still_placed(prepare, monkeypatch):
    monkeypatch.setattr(text_file, "_BLOCK_BYTES", 16)
    rows = [f"{number}.5,{number}" if number != 30 else "3O,2" for number in range(200)]

    with pytest.raises(DataError, match=r"table\.csv: line 32 \(row 30\), column 'x': '3O' is not a number"):
        prepare(table(rows))


def test_an_infinite_cell_is_placed(prepare):
    with pytest.raises(DataError, match=r"table\.csv: line 42 \(row 40\), column 'x': inf is not finite"):
        prepare(LINE + "inf,1\n")


def test_an_infinite_target_is_placed(prepare):
    with pytest.raises(DataError, match=r"table\.csv: line 42 \(row 40\), column 'y': -inf is not finite"):
        prepare(LINE + "1,-inf\n")


def test_rows_without_target_are_left_out_and_counted(prepare):
    prepared = prepare(LINE + "1,\n2,NA\n")

    assert prepared.lost_rows == {"table.csv": (2, 42)}
    assert sum(len(split.x) for split in prepared.splits.values()) == 40


def test_rows_in_both_training_and_another_split_are_counted(prepare, tmp_path):
    (tmp_path / "rows.txt").write_text("40\n41\n42\n")
    prepared = prepare(LINE + "0.5,5.5\n0.5,7\n-0.0,0.5\n", split=SplitConfig(val=0, test=str(tmp_path / "rows.txt")))

    assert prepared.repeated_rows == {"test": 2}


def test_a_test_split_may_be_another_file(prepare, tmp_path):
    (tmp_path / "new.csv").write_text("y,x\n7,0.1\n,5\n8,0.2\n")
    prepared = prepare(LINE, split=SplitConfig(test=str(tmp_path / "new.csv")))
    x, y = prepared.splits["test"].x, prepared.splits["test"].y

    assert {name: len(split.x) for name, split in prepared.splits.items()} == {"train": 34, "val": 6, "test": 2}
    assert prepared.splits["test"].rows.tolist() == [0, 2]
    assert (y * prepared.schema.target_std + prepared.schema.target_mean)[:, 0] == pytest.approx([7, 8])
    assert x[0, 0] < x[1, 0]


def test_a_test_file_that_lacks_a_column_is_named(prepare, tmp_path):
    (tmp_path / "new.csv").write_text("y,w\n7,1\n")

    with pytest.raises(DataError, match=r"new\.csv: no column 'x'"):
        prepare(LINE, split=SplitConfig(test=str(tmp_path / "new.csv")))


def test_a_class_known_only_to_the_test_file_is_named(prepare, tmp_path):
    (tmp_path / "new.csv").write_text("x,y\n1,ant\n2,gnu\n")

    with pytest.raises(DataError, match=r"new\.csv: line 3 \(row 1\), column 'y': class 'gnu' is not in the training"):
        prepare(table(["1,ant", "2,bee"] * 20), split=SplitConfig(test=str(tmp_path / "new.csv")))


@pytest.mark.parametrize("fraction", [0.15, 0.45])
def test_a_class_of_one_row_trains(prepare, fraction):
    prepared = prepare(table(["1,ant", "2,bee"] * 20 + ["3,gnu"]), split=SplitConfig(val=fraction, test=fraction))

    assert prepared.schema.classes == ("ant", "bee", "gnu")
    assert 40 in prepared.splits["train"].rows


def test_of_every_class_a_row_trains(prepare):
    rows = ["1,ant", "2,bee"] * 28 + ["3,gnu", "4,cow"] * 2

    codes = prepare(table(rows), split=SplitConfig(val=0.45, test=0.45)).splits["train"].y

    assert set(codes.tolist()) == {0, 1, 2, 3}


def test_a_class_of_one_row_that_does_not_train_is_named(prepare, tmp_path):
    (tmp_path / "rows.txt").write_text("40\n")

    with pytest.raises(DataError, match=r"'gnu' of column 'y' has no training row: its only one, .*line 42 .* in test"):
        prepare(table(["1,ant", "2,bee"] * 20 + ["3,gnu"]), split=SplitConfig(test=str(tmp_path / "rows.txt")))


def test_integers_of_which_some_occur_once_are_a_regression(prepare):
    counts = [f"{number % 3},{number % 5}" for number in range(100)] + ["1,17"]

    schema = prepare(table(counts)).schema

    assert (schema.task, schema.why) == (
        "regression",
        "y holds integers from 0 to 17; 1 of 6 different ones once only",
    )


def test_a_class_that_no_training_row_has_is_named(prepare, tmp_path):
    (tmp_path / "rows.txt").write_text("40\n41\n")

    with pytest.raises(DataError, match=r"class 'gnu' of column 'y' has no training row: its 2 are in test"):
        prepare(table(["1,ant", "2,bee"] * 20 + ["3,gnu"] * 2), split=SplitConfig(test=str(tmp_path / "rows.txt")))


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (["1,"] * 9, "every cell of column 'y' is missing"),
        (["1,5", "2,5"], "column 'y': every cell is 5; there is nothing to learn"),
        ([f"1,a{number}" for number in range(9)], "column 'y' holds neither classes nor numbers"),
        ([f"k,{number}" for number in range(9)], r"no column to learn from \(x: every cell is k\)"),
    ],
)
def test_a_table_that_teaches_nothing_is_refused(prepare, rows, message):
    with pytest.raises(DataError, match=message):
        prepare(table(rows))


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"target": "z"}, r"data\.target: no column 'z'"),
        ({"target": None}, r"data\.target: say which column is to be predicted; columns: x, y"),
        ({"target": ("y", "y")}, "column 'y' stands twice"),
        ({"columns": {"xx": "number"}}, r"data\.columns: no column 'xx' .*Did you mean 'x'"),
        ({"split": SplitConfig(by="t")}, r"data\.split: no column 't'"),
        ({"task": "forecast"}, r"data\.task: forecast is not a task for tables"),
        ({"task": "binary"}, r"data\.task: binary needs two values, column 'y' has many"),
        ({"read": ReadConfig(delimiter="||")}, "must be one ASCII character"),
    ],
)
def test_a_setting_that_does_not_fit_the_table_is_named(prepare, config, message):
    with pytest.raises(ConfigError, match=message):
        prepare(**{"table": LINE, **config})


@pytest.mark.parametrize(
    ("target", "task", "classes"),
    [
        ([0.5, 1.5, 2.5], "regression", ()),
        (list(range(1, 40)), "regression", ()),
        ([0, 1], "binary", ("0", "1")),
        ([1, 2], "binary", ("1", "2")),
        (["no", "yes"], "binary", ("no", "yes")),
        (["b", "a"], "binary", ("a", "b")),
        (list(range(10)), "multiclass", tuple("0123456789")),
        (["1.0", "2.0", "10.0"], "multiclass", ("1", "2", "10")),
        (["01", "02", "03"], "multiclass", ("01", "02", "03")),
        (list(range(100, 100 + 21)), "regression", ()),
    ],
)
def test_the_target_decides_the_task(prepare, target, task, classes):
    rows = [f"{number % 7}.5,{target[number % len(target)]}" for number in range(400)]
    schema = prepare(table(rows)).schema

    assert (schema.task, schema.classes) == (task, classes)


@pytest.mark.parametrize(
    ("target", "classes", "y"),
    [
        (["2x", "10x", "9x"], ("2x", "9x", "10x"), [0, 2, 1]),
        (["20%", "10%"], ("10%", "20%"), [1, 0]),
        (["2 kg", "1 kg", "2kg", "2 kg", "3"], ("1 kg", "2 kg", "3"), [1, 0, 1, 1, 2]),
        (["1*", "2", "3"], ("1", "2", "3"), [0, 1, 2]),
        (["(1)", "2"], ("(1)", "2"), [0, 1]),
    ],
)
def test_classes_that_are_numbers_are_named_as_they_are_written(prepare, tmp_path, target, classes, y):
    rows = [f"{number % 7}.5,{target[number % len(target)]}" for number in range(400)]
    prepared = prepare(table(rows))

    assert prepared.schema.classes == classes
    assert all((split.y == np.array(y)[split.rows % len(y)]).all() for split in prepared.splits.values())
    assert Schema.from_dict(prepared.schema.to_dict()) == prepared.schema
    assert list(inspect_table(DataConfig(path=str(tmp_path / "table.csv"), target="y")).classes) == list(classes)


def test_few_rows_a_value_are_a_regression(prepare):
    assert prepare(table(f"{number}.5,{number % 5}" for number in range(49))).schema.task == "regression"
    assert prepare(table(f"{number}.5,{number % 5}" for number in range(50))).schema.task == "multiclass"


def test_a_person_decides_the_task(prepare):
    digits = table(f"{number % 7}.5,{number % 10}" for number in range(400))

    assert "say data.task=regression" in prepare(digits).schema.why
    assert prepare(digits, task="regression").schema.task == "regression"
    assert prepare(digits, columns={"y": "number"}).schema.task == "regression"
    assert (
        prepare(table(f"{number}.5,{number}" for number in range(40)), columns={"y": "number"}).schema.task
        == "regression"
    )


def test_several_numbers_are_a_regression(prepare):
    prepared = prepare(table((f"{number}.5,{number},{-number}" for number in range(40)), "x,y,z"), target=("y", "z"))

    assert (prepared.schema.task, prepared.splits["train"].y.shape) == ("regression", (28, 2))


def test_several_booleans_are_labels(prepare):
    rows = (f"{number}.5,{number % 2},{'yes' if number % 3 else 'no'}" for number in range(40))
    prepared = prepare(table(rows, "x,y,z"), target=("y", "z"))

    assert prepared.schema.task == "multilabel"
    assert prepared.splits["test"].y.tolist() == [[row % 2, float(row % 3 > 0)] for row in prepared.splits["test"].rows]


def test_targets_of_different_kinds_are_refused(prepare):
    with pytest.raises(ConfigError, match="several targets are all numbers or all booleans, but 'z' is category"):
        prepare(table((f"1,{number},{'abc'[number % 3]}" for number in range(40)), "x,y,z"), target=("y", "z"))


def test_rows_are_cut_in_the_order_of_dates(prepare):
    rows = [f"{number}.5,{2023 - number}-01-01,{number}" for number in range(20)]
    prepared = prepare(table(rows, "x,day,y"), split=SplitConfig(by="day"))

    assert prepared.splits["test"].rows.tolist() == [0, 1, 2]
    assert prepared.splits["val"].rows.tolist() == [3, 4, 5]


def test_a_column_without_order_cannot_cut(prepare):
    rows = [f"{'ab'[number % 2]},{number}" for number in range(20)]

    with pytest.raises(ConfigError, match=r"data\.split\.by: column 'x' has no order"):
        prepare(table(rows), split=SplitConfig(by="x"))


def test_columns_that_divide_rows_are_not_learned_from(prepare):
    rows = [f"{number}.5,p{number // 4},{number}" for number in range(80)]
    schema = prepare(table(rows, "x,patient,y"), split=SplitConfig(group="patient")).schema

    assert [column.name for column in schema.used] == ["x"]


def test_a_number_that_counts_the_rows_is_learned_from_where_it_is_all_there_is(prepare):
    assert prepare(table(f"{number},{0.7 * number + 0.3:.2f}" for number in range(40))).schema.used[0].name == "x"


def test_typed_tables_give_the_same_arrays_as_text(prepare, tmp_path):
    expected = everything(prepare(PENGUINS, "species"))
    frame = pl.read_csv(PENGUINS, null_values="NA")
    frame.write_parquet(tmp_path / "penguins.parquet")
    (tmp_path / "penguins.jsonl").write_text("".join(json.dumps(row) + "\n" for row in frame.to_dicts()))

    assert everything(prepare(str(tmp_path / "penguins.parquet"), "species")) == expected
    assert everything(prepare(str(tmp_path / "penguins.jsonl"), "species")) == expected


def test_a_model_goes_on_with_its_own_schema(prepare):
    first = prepare(table(f"{number}.5,{'ab'[number % 2]}" for number in range(40)))
    second = prepare(table(f"{number}.5,b" for number in range(10)), schema=first.schema)

    assert second.schema == first.schema
    assert set(second.splits["train"].y.tolist()) == {1}


def test_nothing_of_the_test_rows_reaches_the_schema(prepare, tmp_path):
    (tmp_path / "rows.txt").write_text("\n".join(map(str, range(10))))
    split = SplitConfig(test=str(tmp_path / "rows.txt"))
    other = LINE.splitlines()
    other[1:11] = [f"{number}999.5,-7.5" for number in range(10)]

    first, second = prepare(LINE, split=split).schema, prepare("\n".join(other) + "\n", split=split).schema

    assert (first.parts[0][1], first.targets) == (second.parts[0][1], second.targets)


PREPARE = """
import sys
from ignite_workflow.config import DataConfig
from ignite_workflow.data import prepare_table, prepared
from pathlib import Path
if sys.argv[3:]:
    prepared.Schema.encode_target = lambda *_: __import__("os").kill(__import__("os").getpid(), 9)
config = DataConfig(path=sys.argv[1], target="y")
train = prepare_table(config, seed=0, cache_directory=Path(sys.argv[2])).splits["train"]
print(float(train.x.sum()), len(train.rows))
"""


def start(path, cache, *more):
    command = [sys.executable, "-c", PREPARE, str(path), str(cache), *more]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def test_two_processes_at_once_and_one_that_was_killed_do_not_disturb_each_other(prepare, tmp_path):
    expected = prepare(LINE, directory=tmp_path / "other").splits["train"]
    path, cache = tmp_path / "table.csv", tmp_path / "cache"
    killed = start(path, cache, "die")
    killed.communicate()
    left = [entry.name for entry in (cache / "tables").iterdir()]
    found = [process.communicate()[0] for process in (start(path, cache), start(path, cache))]

    assert killed.returncode == -signal.SIGKILL
    assert [name.partition("-")[0] for name in left] == ["building"]
    assert set(found) == {f"{float(expected.x.sum())} {len(expected.rows)}\n"}
    assert len([each for each in (cache / "tables").iterdir() if not each.name.startswith("building")]) == 1
