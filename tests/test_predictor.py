import csv
import dataclasses
import gc
import logging
import os
import resource
import sys
import types
import weakref

import numpy as np
import polars as pl
import pytest
import torch
from small_model import rows, save_small_model, write_csv
from torch import nn

from ignite_workflow import predictor
from ignite_workflow.config import ReadConfig
from ignite_workflow.data import parquet, tables, text_file
from ignite_workflow.data.chunk import as_chunk
from ignite_workflow.data.known_widths import KnownWidths
from ignite_workflow.errors import CheckpointError, ConfigError, DataError
from ignite_workflow.model_description import Architecture, ModelDescription
from ignite_workflow.model_file import load_model, save_model

TABLE = rows(40)


def trained(directory, task="multiclass", **given):
    save_small_model(directory, task, **given)
    return load_model(directory, device="cpu")


@pytest.fixture
def by_class(tmp_path):
    return trained(tmp_path)


@pytest.fixture
def new(tmp_path):
    """A file of new rows, without any target."""
    features = [{name: row[name] for name in ("ring", "size", "color")} for row in TABLE]
    return write_csv(tmp_path / "new.csv", features)


# In memory.


def test_a_value_is_given_in_the_targets_own_unit(tmp_path):
    module, description = save_small_model(tmp_path, "regression")
    found = load_model(tmp_path, device="cpu").predict(TABLE)

    x = torch.from_numpy(description.schema.encode(pl.DataFrame(TABLE)))
    [mean], [std] = description.target.mean, description.target.std
    expected = module(x)[:, 0].double() * std + mean
    assert found.columns == ["prediction"]
    assert found["prediction"].to_list() == pytest.approx(expected.tolist())


def test_a_count_is_the_exponential_of_the_models_output(tmp_path):
    module, description = save_small_model(tmp_path, "regression", loss="poisson_nll")
    found = load_model(tmp_path, device="cpu").predict(TABLE)

    x = torch.from_numpy(description.schema.encode(pl.DataFrame(TABLE)))
    assert found["prediction"].to_list() == pytest.approx(module(x)[:, 0].exp().tolist())


def test_several_targets_have_a_column_each(tmp_path):
    _, description = save_small_model(tmp_path, "regression")
    target = dataclasses.replace(description.target, columns=("a", "b"), mean=(1.0, 2.0), std=(3.0, 4.0))
    loss = dataclasses.replace(load_model(tmp_path, device="cpu").loss, outputs=2)
    both = dataclasses.replace(load_model(tmp_path, device="cpu"), model=nn.Linear(2, 2), target=target, loss=loss)

    assert both.predict(TABLE).columns == ["prediction_a", "prediction_b"]


def test_a_class_is_given_by_its_name_and_is_the_most_probable(by_class):
    found = by_class.predict(TABLE, probabilities=True)
    probabilities = found.drop("prediction").to_numpy()

    assert found.columns == ["prediction", "probability_ant", "probability_bee", "probability_cat"]
    assert found["prediction"].to_list() == [("ant", "bee", "cat")[best] for best in probabilities.argmax(1)]
    assert probabilities.sum(1) == pytest.approx(np.ones(len(TABLE)))


def test_a_single_output_gives_the_probabilities_of_both_classes(tmp_path):
    found = trained(tmp_path, "binary").predict(TABLE, probabilities=True)

    assert found["prediction"].to_list() == ["m" if p > 0.5 else "f" for p in found["probability_m"]]
    assert (found["probability_f"] + found["probability_m"]).to_list() == pytest.approx([1.0] * len(TABLE))


def test_each_label_is_true_where_its_probability_is_at_least_one_half(tmp_path):
    found = trained(tmp_path, "multilabel").predict(TABLE, probabilities=True)

    assert found.columns == ["prediction_wild", "prediction_tame", "probability_wild", "probability_tame"]
    assert found["prediction_tame"].to_list() == [p >= 0.5 for p in found["probability_tame"]]


def test_rows_give_the_same_in_whatever_form_they_come(by_class, new, tmp_path):
    parquet = tmp_path / "new.parquet"
    pl.read_csv(new).write_parquet(parquet)
    forms = [pl.read_csv(new), pl.read_csv(new).to_dict(as_series=False), TABLE, new, str(new), parquet]

    first, *others = (by_class.predict(form, probabilities=True) for form in forms)

    assert all(other.equals(first) for other in others)


def test_a_pandas_frame_with_missing_values_gives_the_same(by_class):
    pandas = pytest.importorskip("pandas")
    table = [*TABLE, {"size": None, "color": None}]

    assert by_class.predict(pandas.DataFrame(table)).equals(by_class.predict(table))


def test_a_key_that_a_row_lacks_is_missing_there(by_class):
    rows_with_a_gap = [{"size": "12", "color": "red"}, {"color": "red"}]

    assert by_class.predict(rows_with_a_gap).equals(by_class.predict({"size": ["12", ""], "color": ["red", "red"]}))


@pytest.mark.parametrize("batch_size", [1, 7, 1000])
def test_the_size_of_a_batch_changes_rounding_only(by_class, batch_size):
    usual = by_class.predict(TABLE, probabilities=True).drop("prediction").to_numpy()
    found = by_class.predict(TABLE, probabilities=True, batch_size=batch_size).drop("prediction").to_numpy()

    assert found == pytest.approx(usual, rel=1e-4, abs=1e-6)  # float32: 1e-7 a sum


def test_no_rows_give_no_rows(by_class):
    assert by_class.predict({"size": [], "color": []}).columns == ["prediction"]


def test_rows_are_computed_as_many_at_a_time_as_fit_or_as_are_asked_for(by_class, monkeypatch):
    sizes = []
    by_class.model.register_forward_pre_hook(lambda _, x: sizes.append(len(x[0])))
    monkeypatch.setattr(predictor, "_SLICE_BYTES", 40 * 8)

    by_class.predict(rows(100))
    by_class.predict(rows(100), batch_size=60)

    assert sizes == [40, 40, 20, 60, 40]


def test_predicting_leaves_no_graph_behind(by_class):
    assert not by_class.model_output(torch.zeros(1, 2)).requires_grad


# Rows that do not fit.


def test_a_missing_column_is_named_with_the_nearest(by_class):
    with pytest.raises(DataError, match=r"no column 'color'. Did you mean 'colour'\?"):
        by_class.predict({"size": ["1"], "colour": ["red"]})


@pytest.mark.parametrize(
    ("content", "header", "why"),
    [
        (
            "1.5,red\n2.5,blue\n",
            True,
            r"'size'\. The first row looks like data \('1\.5', 'red'\), not like names: write",
        ),
        (
            "1.5,red\n2.5,blue\n",
            None,
            r"'size'\. No header was found in line 1: columns are called column_1 to column_2",
        ),
        ("size,2020\n2.5,4\n", True, r"bare\.csv: no column 'color'\.$"),
    ],
)
def test_a_table_without_names_is_told_so(by_class, tmp_path, content, header, why):
    path = tmp_path / "bare.csv"
    path.write_text(content)

    with pytest.raises(DataError, match=why):
        by_class.predict(path, read=ReadConfig(header=header))


def test_a_cell_of_the_wrong_type_is_named_with_row_and_column(by_class, tmp_path):
    path = write_csv(tmp_path / "bad.csv", [*TABLE, {**TABLE[0], "size": "large"}])

    with pytest.raises(DataError, match=r"bad.csv: line 42 \(row 40\), column 'size': 'large' is not a number"):
        by_class.predict_file(path, tmp_path / "out.csv")


def test_new_categories_are_counted_in_one_warning_a_column(by_class, tmp_path, caplog):
    path = write_csv(tmp_path / "new.csv", [{"size": "1", "color": color} for color in ("red", "pink", "mauve")])

    with caplog.at_level(logging.WARNING):
        by_class.predict_file(path, tmp_path / "out.csv")

    [record] = caplog.records
    assert "'color': 2 " in record.message
    assert "'pink'" in record.message
    assert "row 1" in record.message


def test_a_model_that_gives_another_number_of_values_is_refused(by_class):
    broken = dataclasses.replace(by_class, model=nn.Linear(2, 2))

    with pytest.raises(CheckpointError, match="3 numbers a row"):
        broken.predict(TABLE)


def test_a_model_of_no_table_says_so(tmp_path):
    own = ModelDescription(
        architecture=Architecture(name="torch.nn:Linear", options={"in_features": 2, "out_features": 1})
    )
    save_model(tmp_path / "model", nn.Linear(2, 1), own)

    with pytest.raises(ConfigError, match="not trained on a table"):
        load_model(tmp_path, trust=True, device="cpu").predict(TABLE)


# To files.


@pytest.mark.parametrize("name", ["out.csv", "out.parquet"])
def test_a_file_has_row_numbers_identifiers_and_predictions_in_order(by_class, new, tmp_path, name):
    count = by_class.predict_file(new, tmp_path / name, probabilities=True)

    found = pl.read_csv(tmp_path / name) if name.endswith("csv") else pl.read_parquet(tmp_path / name)
    in_memory = by_class.predict(new, probabilities=True)
    assert count == len(TABLE)
    assert found["row"].to_list() == list(range(len(TABLE)))
    assert found["ring"].to_list() == [row["ring"] for row in TABLE]
    assert found["prediction"].equals(in_memory["prediction"])
    assert found["probability_bee"].to_list() == pytest.approx(in_memory["probability_bee"].to_list())


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_a_table_of_many_chunks_keeps_its_order(by_class, tmp_path, monkeypatch, suffix):
    monkeypatch.setattr(parquet, "_CHUNK_ROWS", 7)
    table = pl.DataFrame({"color": ["red", "blue"] * 250, "size": np.arange(500.0), "ring": np.arange(500)})
    table.write_parquet(tmp_path / "in.parquet")

    by_class.predict_file(tmp_path / "in.parquet", tmp_path / f"out.{suffix}")

    read = pl.read_csv if suffix == "csv" else pl.read_parquet
    found = read(tmp_path / f"out.{suffix}")
    assert found["row"].equals(found["ring"].alias("row"))
    assert found["prediction"].to_list() == by_class.predict(table)["prediction"].to_list()


def test_memory_holds_no_more_than_a_few_chunks(by_class, tmp_path, monkeypatch):
    made, most = [], 0

    def chunks(*_):
        nonlocal most
        for number in range(50):
            chunk = as_chunk({"color": ["red"] * 100, "size": list(range(100))}, first_row=100 * number)
            made.append(weakref.ref(chunk))
            gc.collect()
            most = max(most, sum(each() is not None for each in made))
            yield chunk

    monkeypatch.setattr(tables.Table, "chunks", chunks)
    count = by_class.predict_file(tmp_path / "table.csv", tmp_path / "out.csv", id_columns=[])

    assert count == 5000
    assert most <= 3 + (os.cpu_count() or 1)  # one for each thread, those that wait, the one that is written


@pytest.mark.parametrize("threads", [1, 2])
def test_chunks_computed_side_by_side_keep_their_order(by_class, tmp_path, monkeypatch, threads):
    monkeypatch.setattr(text_file, "_BLOCK_BYTES", 40)
    colors = ["red", "green", "violet", "blue"]
    (tmp_path / "rows.csv").write_text("color,size\n" + "".join(f"{colors[n % 4]},{n}.5\n" for n in range(200)))
    whole = by_class.predict({"color": [colors[n % 4] for n in range(200)], "size": [n + 0.5 for n in range(200)]})
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    found = by_class.predict(tmp_path / "rows.csv")
    torch.set_num_threads(before)

    assert found.equals(whole)


def test_the_first_new_value_is_named_and_all_are_counted(by_class, tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(text_file, "_BLOCK_BYTES", 40)
    (tmp_path / "rows.csv").write_text("color,size\n" + "".join(f"new{n},{n}.5\n" for n in range(200)))
    by_class.predict(tmp_path / "rows.csv")

    assert "200 values new since training" in caplog.text
    assert "'new0' in" in caplog.text


def test_identifiers_that_are_numbers_are_carried_over_as_they_are_written(by_class, tmp_path):
    (tmp_path / "rows.csv").write_text("color,size\nred,1.50\nred,2.0\n")
    by_class.predict_file(tmp_path / "rows.csv", tmp_path / "out.csv", id_columns=["size"])

    assert "1.50" in (tmp_path / "out.csv").read_text()


def test_only_the_columns_asked_for_are_carried_over(by_class, tmp_path):
    by_class.predict_file(tmp_path / "table.csv", tmp_path / "out.csv", id_columns=["color", "kind"])
    by_class.predict_file(tmp_path / "table.csv", tmp_path / "bare.csv", id_columns=[])

    assert pl.read_csv(tmp_path / "out.csv").columns == ["row", "color", "kind", "prediction"]
    assert pl.read_csv(tmp_path / "bare.csv").columns == ["row", "prediction"]


@pytest.mark.parametrize(("name", "says"), [("colour", "Did you mean 'color'?"), ("row", "cannot be carried over")])
def test_a_column_that_cannot_be_carried_over_is_named(by_class, tmp_path, name, says):
    write_csv(tmp_path / "new.csv", [{**row, "row": 1} for row in TABLE])

    with pytest.raises(ConfigError) as caught:
        by_class.predict_file(tmp_path / "new.csv", tmp_path / "out.csv", id_columns=[name])

    assert says in str(caught.value)


def test_an_identifier_named_as_a_column_of_the_output_is_left_out(tmp_path):
    table = [{**row, "prediction": row["ring"]} for row in rows()]
    found = trained(tmp_path, table=table)

    found.predict_file(tmp_path / "table.csv", tmp_path / "out.csv")

    assert pl.read_csv(tmp_path / "out.csv").columns == ["row", "ring", "prediction"]


def test_standard_output_gets_csv(by_class, new, capfdbinary):
    by_class.predict_file(new, "-")

    lines = capfdbinary.readouterr().out.decode().splitlines()
    assert lines[0] == "row,ring,prediction"
    assert len(lines) == 1 + len(TABLE)


CELLS = {
    "=1+1": "'=1+1",
    "+cmd|' /C calc'!A0": "'+cmd|' /C calc'!A0",
    "-2+3": "'-2+3",
    "@SUM(A1)": "'@SUM(A1)",
    "\tx": "'\tx",
    "\rx": "'\rx",
    "＝1": "'＝1",  # noqa: RUF001
    "-5": "-5",
    "+5.5e-3": "+5.5e-3",
    "-1,5": "-1,5",
    "a=1": "a=1",
    "": "",
}


def test_text_that_a_spreadsheet_would_run_is_made_inert_and_numbers_stay(by_class, tmp_path):
    pl.DataFrame({"id": list(CELLS), "size": 1.0, "color": "red", "=f()": 1}).write_parquet(tmp_path / "in.parquet")

    by_class.predict_file(tmp_path / "in.parquet", tmp_path / "out.csv", id_columns=["id", "=f()"])

    with (tmp_path / "out.csv").open(newline="") as file:
        header, *cells = csv.reader(file)
    assert header == ["row", "id", "'=f()", "prediction"]
    assert [row[1] for row in cells] == list(CELLS.values())


def test_the_names_of_classes_are_made_inert(tmp_path):
    table = [{**row, "kind": f"={row['kind']}"} for row in rows()]
    found = trained(tmp_path, table=table)

    found.predict_file(tmp_path / "table.csv", tmp_path / "out.csv")

    assert set(pl.read_csv(tmp_path / "out.csv")["prediction"]) <= {"'=ant", "'=bee", "'=cat"}


@pytest.mark.parametrize(
    ("output", "says"),
    [
        ("new.csv", "is the table that is read"),
        ("link.csv", "is the table that is read"),
        ("out.txt", "as .csv or .parquet, got .txt"),
        ("out", "got no extension"),
        ("nowhere/out.csv", "there is no directory"),
        ("model.csv", "is a directory"),
    ],
)
def test_an_output_that_cannot_be_is_refused_before_anything_is_computed(by_class, new, tmp_path, output, says):
    (tmp_path / "link.csv").symlink_to(new)
    (tmp_path / "model.csv").mkdir()
    before = new.read_bytes()

    with pytest.raises(ConfigError) as caught:
        by_class.predict_file(new, tmp_path / output)

    assert says in str(caught.value)
    assert new.read_bytes() == before


@pytest.mark.parametrize("name", ["out.csv", "out.parquet"])
def test_a_failure_half_way_leaves_what_was_there_and_nothing_else(by_class, tmp_path, monkeypatch, name):
    monkeypatch.setattr(parquet, "_CHUNK_ROWS", 10)
    pl.DataFrame({"size": ["1"] * 30 + ["x"], "color": "red"}).write_parquet(tmp_path / "in.parquet")
    (tmp_path / name).write_text("of yesterday")
    before = sorted(tmp_path.iterdir())

    with pytest.raises(DataError, match="'x' is not a number"):
        by_class.predict_file(tmp_path / "in.parquet", tmp_path / name)

    assert (tmp_path / name).read_text() == "of yesterday"
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize("name", ["out.csv", "out.parquet"])
def test_a_full_disk_is_one_line_and_leaves_nothing(by_class, new, tmp_path, name):
    before = sorted(tmp_path.iterdir())
    usual = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, usual[1]))
    try:
        with pytest.raises(ConfigError, match=f"{name} cannot be written: File too large.$") as caught:
            by_class.predict_file(new, tmp_path / name)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, usual)

    assert "\n" not in str(caught.value)
    assert sorted(tmp_path.iterdir()) == before


def test_a_reader_of_standard_output_that_has_gone_is_a_broken_pipe(by_class, new, monkeypatch):
    reader, writer = os.pipe()
    os.close(reader)
    with open(writer, "wb", buffering=0) as pipe:
        monkeypatch.setattr(sys, "stdout", types.SimpleNamespace(buffer=pipe))
        with pytest.raises(BrokenPipeError):
            by_class.predict_file(new, "-")


def test_an_input_that_is_not_there_is_one_line_and_leaves_no_output(by_class, tmp_path):
    with pytest.raises(ConfigError, match=r"Did you mean 'table.csv'"):
        by_class.predict_file(tmp_path / "tabel.csv", tmp_path / "out.csv")

    assert not (tmp_path / "out.csv").exists()


def test_a_file_whose_columns_are_not_where_those_of_the_training_data_were_is_a_warning(tmp_path, caplog):
    predictor_ = trained(tmp_path, "regression")
    known = KnownWidths(((0, 3), (9, 13), (15, None)), ("ring", "size", "color"))
    predictor_ = dataclasses.replace(predictor_, schema=dataclasses.replace(predictor_.schema, known_widths=known))
    lines = [f"{name:<7}  {size:>4}  {color}" for name, size, color in [known.names, ("a b", "12.5", "red")]]
    (tmp_path / "one.txt").write_text("\n".join(lines) + "\n")

    assert predictor_.predict(tmp_path / "one.txt").equals(predictor_.predict({"size": ["12.5"], "color": ["red"]}))
    assert not caplog.messages
    (tmp_path / "many.txt").write_text("\n".join(f"  {each}" for each in [lines[0], *lines[1:] * 9]) + "\n")
    assert predictor_.predict(tmp_path / "many.txt").height == 9
    assert "many.txt: columns do not begin at the characters [1,10,16], as in other" in caplog.text
