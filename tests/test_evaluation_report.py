import dataclasses
import json
import math

import numpy as np
import polars as pl
import pytest
import small_model
import torch
from sklearn import metrics as oracle
from small_model import forge, rows, save_small_model, write_csv

from ignite_workflow import evaluation_report
from ignite_workflow.config import load_config
from ignite_workflow.data import parquet
from ignite_workflow.data_files import describe_data_files
from ignite_workflow.display import text_width
from ignite_workflow.errors import ConfigError, DataError
from ignite_workflow.evaluation_output import evaluation_text, write_evaluation
from ignite_workflow.evaluation_report import evaluate, main_metric
from ignite_workflow.importance import ColumnImportance
from ignite_workflow.job import train
from ignite_workflow.model_file import load_model

TABLE = rows(200)


def evaluated(directory, task="multiclass", *, table=None, new=TABLE, **given):
    """A model that learnt nothing from ``table``, measured on new rows; its predictions; the rows."""
    save_small_model(directory, task, table=table, **given)
    path = write_csv(directory / "labelled.csv", new)
    predictor = load_model(directory, device="cpu")
    return evaluate(predictor, path), predictor.predict(path, probabilities=True), pl.read_csv(path)


def test_the_figures_of_classes_equal_the_oracles(tmp_path):
    found, predicted, table = evaluated(tmp_path)
    y, y_pred = table["kind"].to_list(), predicted["prediction"].to_list()

    by_class = oracle.precision_recall_fscore_support(y, y_pred, labels=["ant", "bee", "cat"], zero_division=0)
    assert found.rows == 200
    assert found.metrics["accuracy"] == pytest.approx(oracle.accuracy_score(y, y_pred))
    assert found.metrics["f1"] == pytest.approx(oracle.f1_score(y, y_pred, average="macro"))
    assert found.metrics["loss"] == pytest.approx(oracle.log_loss(y, predicted.drop("prediction").to_numpy()), rel=1e-5)
    assert found.confusion.tolist() == oracle.confusion_matrix(y, y_pred).tolist()
    for figures, precision, recall, f1, support in zip(found.classes, *by_class, strict=True):
        assert dataclasses.astuple(figures)[1:5] == pytest.approx((precision, recall, f1, support))


def test_the_figures_of_two_classes_equal_the_oracles(tmp_path):
    found, predicted, table = evaluated(tmp_path, "binary")
    y, y_pred = table["sex"].to_list(), predicted["prediction"].to_list()

    assert found.metrics["accuracy"] == pytest.approx(oracle.accuracy_score(y, y_pred))
    assert found.confusion.tolist() == oracle.confusion_matrix(y, y_pred).tolist()


def test_the_figures_of_values_equal_the_oracles_in_the_targets_unit(tmp_path):
    found, predicted, table = evaluated(tmp_path, "regression")
    y, y_pred = table["mass"].to_numpy(), predicted["prediction"].to_numpy()

    expected = (
        math.sqrt(oracle.mean_squared_error(y, y_pred)),
        oracle.mean_absolute_error(y, y_pred),
        oracle.r2_score(y, y_pred),
    )
    [figures] = found.targets
    assert (found.metrics["rmse"], found.metrics["mae"], found.metrics["r2"]) == pytest.approx(expected)
    assert (figures.rmse, figures.mae, figures.r2) == pytest.approx(expected)
    assert found.truth[:, 0] == pytest.approx(y)
    assert found.prediction[:, 0] == pytest.approx(y_pred)


def test_each_of_several_targets_has_figures_of_its_own(tmp_path, monkeypatch):
    monkeypatch.setitem(small_model.TARGETS, "regression", ["mass", "weight"])
    table = [{**row, "weight": f"{5 - row_number % 7}"} for row_number, row in enumerate(TABLE)]
    found, predicted, read = evaluated(tmp_path, "regression", table=table, new=table)

    for figures in found.targets:
        y, y_pred = read[figures.name].to_numpy(), predicted[f"prediction_{figures.name}"].to_numpy()
        assert figures.mae == pytest.approx(oracle.mean_absolute_error(y, y_pred))
        assert figures.r2 == pytest.approx(oracle.r2_score(y, y_pred))


def test_counts_are_measured_in_their_own_unit(tmp_path):
    found, predicted, table = evaluated(tmp_path, "regression", loss="poisson_nll")

    mae = oracle.mean_absolute_error(table["mass"].to_numpy(), predicted["prediction"].to_numpy())
    assert found.metrics["mae"] == pytest.approx(mae)


def test_labels_have_figures_and_no_confusion_matrix(tmp_path):
    found, predicted, table = evaluated(tmp_path, "multilabel")

    [wild, _] = found.classes
    y = (table["wild"] == "yes").to_list()
    assert wild.recall == pytest.approx(oracle.recall_score(y, predicted["prediction_wild"].to_list()))
    assert found.confusion is None


def test_metrics_that_training_measured_are_measured_again(tmp_path):
    save_small_model(tmp_path)
    forge(tmp_path, metrics={"val/balanced_accuracy": 0.5, "val/of_my_own": 0.1})

    found = evaluate(load_model(tmp_path, device="cpu"), tmp_path / "table.csv")

    assert list(found.metrics) == ["loss", "accuracy", "f1", "balanced_accuracy"]


# What is measured on.


def test_a_run_is_measured_on_its_own_test_split(tmp_path):
    save_small_model(tmp_path)

    found = evaluate(load_model(tmp_path, device="cpu"), cache_directory=tmp_path / "cache")

    assert (found.source, found.rows) == ("test split", 9)


def test_a_run_without_a_test_split_is_measured_on_the_validation_split(tmp_path):
    save_small_model(tmp_path, split={"test": 0.0})

    found = evaluate(load_model(tmp_path, device="cpu"), cache_directory=tmp_path / "cache")

    assert found.source == "validation split"


def test_a_run_that_held_nothing_out_says_so(tmp_path):
    save_small_model(tmp_path, split={"test": 0.0, "val": 0.0})

    with pytest.raises(ConfigError, match="held no rows out"):
        evaluate(load_model(tmp_path, device="cpu"), cache_directory=tmp_path / "cache")


def test_a_model_of_another_schema_is_measured_with_its_own(tmp_path):
    _, description = save_small_model(tmp_path, "regression")
    plain = description.schema.to_dict()
    plain["columns"][1]["parts"][0]["mean"] = 0.0
    forge(tmp_path, schema=plain)
    predictor = load_model(tmp_path, device="cpu")

    found = evaluate(predictor, cache_directory=tmp_path / "cache")

    everything = evaluate(predictor, tmp_path / "table.csv")
    assert found.rows == 9
    assert set(found.prediction[:, 0]) <= set(everything.prediction[:, 0])


def test_data_that_has_changed_since_training_is_refused(tmp_path):
    save_small_model(tmp_path)
    write_csv(tmp_path / "table.csv", rows(80))

    with pytest.raises(DataError, match=r"has changed: 42 train.* 9 test rows in training, 56 train"):
        evaluate(load_model(tmp_path, device="cpu"), cache_directory=tmp_path / "cache")


def test_rows_in_another_order_are_no_test_split(tmp_path):
    save_small_model(tmp_path)
    (tmp_path / "data_files.json").write_text(describe_data_files(load_config(tmp_path / "config.yaml").data))
    table = tmp_path / "table.csv"
    header, *lines = table.read_text().splitlines()
    table.write_text("\n".join([header, *sorted(lines), ""]))

    with pytest.raises(DataError, match=r"table.csv has changed since the run started: .*Name a table to evaluate on"):
        evaluate(load_model(tmp_path, device="cpu"), cache_directory=tmp_path / "cache")


def test_a_model_without_its_run_needs_a_table(tmp_path):
    save_small_model(tmp_path)
    (tmp_path / "config.yaml").unlink()

    with pytest.raises(ConfigError, match="name a table"):
        evaluate(load_model(tmp_path, device="cpu"))


def test_data_that_is_code_is_imported_only_where_it_is_trusted(tmp_path):
    save_small_model(tmp_path)
    config = tmp_path / "config.yaml"
    config.write_text("data: {path: x, kind: 'evil:Dataset'}")

    with pytest.raises(ConfigError, match="with trust"):
        evaluate(load_model(tmp_path, device="cpu"))


OWN_DATASET = """
import torch


class Points(torch.utils.data.TensorDataset):
    classes = ("left", "right")

    def __init__(self):
        x = torch.randn(60, 2, generator=torch.Generator().manual_seed(0))
        super().__init__(x, (x[:, 0] > 0).long())
"""
QUIET = {"progress": False, "tensorboard": False, "curve_export": False}


@pytest.mark.parametrize("kind", ["table", "own"])
def test_a_run_is_measured_as_its_training_measured_it(tmp_path, monkeypatch, kind):
    monkeypatch.setenv("IGNITE_WORKFLOW_CACHE", str(tmp_path / "cache"))
    (tmp_path / "own.py").write_text(OWN_DATASET)
    data = {"path": str(write_csv(tmp_path / "table.csv", TABLE)), "target": "kind"}
    if kind == "own":
        data = {"path": "nowhere", "kind": f"{tmp_path}/own.py:Points"}
    model = {"name": "torch.nn:Linear"} if kind == "own" else {"name": "linear"}
    settings = {"data": data, "model": model, "train": {"max_epochs": 1, "device": "cpu"}, "handlers": QUIET}
    result = train(settings, run_directory=tmp_path / "run")

    found = evaluate(load_model(tmp_path / "run", trust=kind == "own", device="cpu"))

    measured = {name: value for name, value in result.metrics.items() if name.startswith("test/")}
    assert {f"test/{name}": value for name, value in found.metrics.items()} == pytest.approx(measured)


def test_rows_without_a_target_are_left_out_and_counted(tmp_path):
    with_gaps = [{**row, "kind": "" if number % 4 == 0 else row["kind"]} for number, row in enumerate(TABLE)]

    found, _, _ = evaluated(tmp_path, new=with_gaps)

    assert (found.rows, found.skipped) == (150, 50)


def test_a_chunk_of_missing_targets_changes_no_figure(tmp_path, monkeypatch):
    monkeypatch.setattr(parquet, "_CHUNK_ROWS", 40)
    found, _, table = evaluated(tmp_path, "regression")
    gap = pl.concat([table.head(80), table.head(40).with_columns(mass=None), table.tail(120)], how="vertical_relaxed")
    gap.write_parquet(tmp_path / "gap.parquet")

    with_gap = evaluate(load_model(tmp_path, device="cpu"), tmp_path / "gap.parquet")

    assert with_gap.skipped == 40
    assert with_gap.metrics == pytest.approx(found.metrics)


def test_a_table_of_missing_targets_is_refused(tmp_path):
    with pytest.raises(DataError, match="every row lacks its target"):
        evaluated(tmp_path, new=[{**row, "kind": ""} for row in TABLE])


def test_a_class_that_training_never_saw_is_named_with_its_row(tmp_path):
    with pytest.raises(DataError, match=r"row 200.*'kind'.*'dog'"):
        evaluated(tmp_path, new=[*TABLE, {**TABLE[0], "kind": "dog"}])


def test_a_loss_that_is_not_trusted_code_is_left_out(tmp_path):
    save_small_model(tmp_path)
    forge(tmp_path, loss__name="evil:Loss")

    found = evaluate(load_model(tmp_path, device="cpu"), tmp_path / "table.csv")

    assert list(found.metrics) == ["accuracy", "f1"]


def test_of_many_rows_some_from_everywhere_are_kept_for_the_picture(tmp_path, monkeypatch):
    monkeypatch.setattr(evaluation_report, "_MOST_POINTS", 50)
    monkeypatch.setattr("ignite_workflow.evaluation_data._ROWS_A_BATCH", 7)

    found, _, table = evaluated(tmp_path, "regression")

    kept = table["mass"].to_numpy()[:: 200 // (len(found.truth) - 1) // 2 * 2]
    assert 25 <= len(found.truth) <= 50
    assert found.truth[:, 0] == pytest.approx(kept)


# What people and programs get.


@pytest.mark.parametrize("task", ["regression", "multiclass", "multilabel"])
@pytest.mark.parametrize("width", [40, 80])
def test_the_text_is_no_wider_than_the_terminal(tmp_path, task, width):
    table = [{**row, "kind": row["kind"] * 20} for row in TABLE]
    found, _, _ = evaluated(tmp_path, task, table=table, new=table)

    text = evaluation_text(dataclasses.replace(found, source="long/" * 30), width=width)

    assert max(map(len, text.splitlines())) <= width


def test_the_text_has_each_class_and_the_confusion_matrix(tmp_path):
    found, _, _ = evaluated(tmp_path)

    text = evaluation_text(found)

    assert ["class", "precision", "recall", "f1", "rows"] in [line.split() for line in text.splitlines()]
    assert "true \\ predicted" in text
    assert ["bee", *map(str, found.confusion[1])] in [line.split() for line in text.splitlines()]


def test_a_confusion_matrix_too_wide_is_told_by_its_largest_mistakes(tmp_path):
    found, _, _ = evaluated(tmp_path)
    many = tuple(f"kind{number}" for number in range(40))
    counts = np.diag(np.full(40, 9))
    counts[3, 7] = 5
    found = dataclasses.replace(found, confusion=counts, target=dataclasses.replace(found.target, classes=many))

    assert "5  kind3 taken for kind7" in evaluation_text(found)


def test_both_names_of_a_mistake_are_whole_where_there_is_room(tmp_path):
    found, _, _ = evaluated(tmp_path)
    many = tuple(f"a class of number {number}" for number in range(40))
    counts = np.diag(np.full(40, 9))
    counts[3, 7] = 5
    found = dataclasses.replace(found, confusion=counts, target=dataclasses.replace(found.target, classes=many))

    assert "5  a class of number 3 taken for a class of number 7\n" in evaluation_text(found, width=60)


def test_in_a_pipe_sentences_stay_whole(tmp_path):
    found, _, _ = evaluated(tmp_path, "regression")

    [line] = [line for line in evaluation_text(found, width=None).splitlines() if line.startswith("errors of mass")]

    assert line.endswith(".")
    assert len(line) > 100


def test_columns_of_wide_characters_stand_below_each_other(tmp_path):
    table = [{**row, "kind": row["kind"].replace("bee", "日本語")} for row in TABLE]
    found, _, _ = evaluated(tmp_path, table=table, new=table)

    text = evaluation_text(found)
    lines = text.partition("precision")[2].partition("\n\n")[0].splitlines()[1:]

    assert len({text_width(line) for line in lines}) == 1


def test_what_there_are_no_rows_for_is_no_zero(tmp_path):
    found, _, _ = evaluated(tmp_path)
    nothing = dataclasses.replace(found.classes[0], precision=0.0, recall=0.0, f1=0.0, rows=0, predicted=3)

    text = evaluation_text(dataclasses.replace(found, classes=(nothing,)))

    assert ["ant", "0.000", "-", "0.000", "0"] in [line.split() for line in text.splitlines()]


def test_an_accuracy_that_misleads_is_said(tmp_path):
    found, predicted, table = evaluated(tmp_path, "binary")
    baseline = dataclasses.replace(found.baseline, name="m", accuracy=0.95, misleads=True)

    text = " ".join(evaluation_text(dataclasses.replace(found, baseline=baseline)).split())

    balanced = oracle.balanced_accuracy_score(table["sex"].to_list(), predicted["prediction"].to_list())
    assert f"always answering m would reach 0.9500; balanced accuracy {balanced:.4f}." in text
    assert "calibration error" in text


@pytest.mark.parametrize(("balanced", "advised"), [(0.5, True), (0.99, False)])
def test_class_weights_are_advised_where_rare_classes_are_missed(tmp_path, balanced, advised):
    found, _, _ = evaluated(tmp_path, "binary")
    baseline = dataclasses.replace(found.baseline, balanced_accuracy=balanced, misleads=True)
    found = dataclasses.replace(found, baseline=baseline, metrics={"accuracy": 0.9})

    assert ("loss.class_weights=balanced" in evaluation_text(found)) == advised


def test_a_regression_says_how_its_errors_lie(tmp_path):
    found, predicted, table = evaluated(tmp_path, "regression")
    error = predicted["prediction"].to_numpy() - table["mass"].to_numpy()

    [figures] = found.targets
    assert figures.bias == pytest.approx(error.mean())
    assert figures.quantiles == pytest.approx(np.quantile(error, [0.05, 0.25, 0.5, 0.75, 0.95]))
    assert "always answering the mean of mass would be better" in evaluation_text(found)


def test_predictions_that_are_not_finite_are_counted_said_and_drawn(tmp_path):
    save_small_model(tmp_path, "regression")
    predictor = load_model(tmp_path, device="cpu")
    with torch.no_grad():
        for parameter in predictor.model.parameters():
            parameter.fill_(math.nan)

    found = evaluate(predictor, tmp_path / "table.csv")

    assert found.not_finite == found.rows == 60
    assert "60 rows have no finite prediction" in evaluation_text(found)
    assert json.dumps(found.to_dict(), allow_nan=False)
    assert len(write_evaluation(found, tmp_path / "pictures")) == 3


# Importance of columns.


@pytest.mark.parametrize("task", ["regression", "binary", "multiclass", "multilabel"])
def test_columns_are_sorted_by_what_the_model_loses_without_them(tmp_path, task):
    save_small_model(tmp_path, task)

    found = evaluate(load_model(tmp_path, device="cpu"), tmp_path / "table.csv", importance=True)

    main = main_metric(found.target)
    assert {each.name for each in found.importance} == {"size", "color"}
    worse = [each.mean[main] for each in found.importance]
    assert worse == sorted(worse, reverse=True)
    plain = found.to_dict()["importance"]
    assert [column["mean"][main] for column in plain["columns"]] == worse
    assert f"without  {main} worse by" in evaluation_text(found, width=200)


def test_columns_that_stand_in_for_one_another_are_named(tmp_path):
    table = [{**row, "length": f"{-2 * float(row['size']) + number % 2:.2f}"} for number, row in enumerate(rows())]
    save_small_model(tmp_path, table=table)

    found = evaluate(load_model(tmp_path, device="cpu"), tmp_path / "table.csv", importance=True)

    [pair] = found.correlated
    assert pair.names == ("size", "length")
    expected = np.corrcoef([float(row["size"]) for row in table], [float(row["length"]) for row in table])[0, 1]
    assert pair.correlation == pytest.approx(expected, abs=1e-6)
    assert "columns 'size' and 'length' go together (correlation -0.9" in evaluation_text(found, width=None)
    assert found.to_dict()["importance"]["correlated"][0]["names"] == ["size", "length"]


def test_of_very_many_columns_the_first_are_listed(tmp_path):
    found, _, _ = evaluated(tmp_path)
    columns = tuple(
        ColumnImportance(name=f"c{number}", mean={"f1": 0.1, "loss": 0.1}, std={"f1": 0.1, "loss": 0.1})
        for number in range(50)
    )

    text = evaluation_text(dataclasses.replace(found, importance=columns))

    assert "c39" in text
    assert "c40" not in text
    assert text.endswith("and 10 more columns, in evaluation.json\n")


def test_columns_are_not_ranked_by_the_target_of_the_largest_numbers(tmp_path, monkeypatch):
    monkeypatch.setitem(small_model.TARGETS, "regression", ["mass", "weight"])
    table = [{**row, "weight": f"{5 - row_number % 7}"} for row_number, row in enumerate(TABLE)]
    found, _, _ = evaluated(tmp_path, "regression", table=table, new=table)

    assert main_metric(found.target) == "r2"


def test_importance_of_inputs_that_are_no_table_is_refused(tmp_path):
    save_small_model(tmp_path)
    predictor = dataclasses.replace(load_model(tmp_path, device="cpu"), schema=None)

    with pytest.raises(ConfigError, match="importance is of columns, and the model was not trained on a table"):
        evaluate(predictor, tmp_path / "table.csv", importance=True)


def test_names_cannot_act_on_the_terminal(tmp_path):
    table = [{**row, "kind": row["kind"] + "\x1b[2J"} for row in TABLE]
    found, _, _ = evaluated(tmp_path, table=table, new=table)

    assert "\x1b" not in evaluation_text(found)


def test_programs_get_json_without_nan(tmp_path):
    found, _, _ = evaluated(tmp_path, new=[row for row in TABLE if row["kind"] == "ant"])
    found = dataclasses.replace(found, metrics={**found.metrics, "r2": math.nan})

    plain = json.loads(json.dumps(found.to_dict(), allow_nan=False))

    assert plain["metrics"]["r2"] == "nan"
    assert plain["confusion_matrix"]["classes"] == ["ant", "bee", "cat"]


@pytest.mark.parametrize(
    ("task", "names"),
    [
        ("regression", ["regression"]),
        ("multiclass", ["confusion_matrix", "classes", "calibration"]),
        ("multilabel", ["classes", "calibration"]),
    ],
)
def test_pictures_are_written_as_svg_and_png_beside_the_figures(tmp_path, task, names):
    found, _, _ = evaluated(tmp_path, task)

    paths = write_evaluation(found, tmp_path / "pictures")

    drawn = [f"{name}.{kind}" for name in names for kind in ("svg", "png")]
    assert [path.name for path in paths] == ["evaluation.json", *drawn]
    assert all(path.stat().st_size > 1000 for path in paths[1:])
    assert json.loads(paths[0].read_text()) == found.to_dict()


def test_pictures_of_an_earlier_evaluation_do_not_stay_beside_another(tmp_path):
    found, _, _ = evaluated(tmp_path)
    (tmp_path / "mine").mkdir()
    for name in ("importance.svg", "regression_2.png", "notes.svg"):
        (tmp_path / "mine" / name).touch()

    first = write_evaluation(found, tmp_path / "mine")
    assert {path.name for path in (tmp_path / "mine").iterdir()} > {"importance.svg", "notes.svg"}  # a person's own
    write_evaluation(found, tmp_path / "mine")

    left = {path.name for path in (tmp_path / "mine").iterdir()}
    assert left == {"notes.svg", *(path.name for path in first)}


def test_an_evaluation_that_cannot_be_written_are_one_line(tmp_path):
    found, _, _ = evaluated(tmp_path)
    (tmp_path / "taken").write_text("")

    with pytest.raises(ConfigError, match="cannot write the evaluation"):
        write_evaluation(found, tmp_path / "taken")
