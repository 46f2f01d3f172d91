import re

import pytest
from small_model import rows, save_small_model

from ignite_workflow.model_card import model_card, plain
from ignite_workflow.model_description import Architecture, DataFacts, ModelDescription


@pytest.mark.parametrize("task", ["regression", "binary", "multiclass", "multilabel"])
def test_the_card_says_what_is_predicted_from_what_and_how_it_is_used(tmp_path, task):
    _, description = save_small_model(tmp_path, task)

    card = (tmp_path / "model" / "README.md").read_text()

    assert all(name in card for name in (*description.target.columns, *description.target.classes))
    assert "| color | category | 3 values: blue, green, red |" in card
    assert "ring (identifier)" in card
    assert "| loss | inf | 0.5 |" in card
    assert "42 training, 9 validation, 9 test" in card
    assert "ignite-workflow predict MODEL new.csv" in card
    assert ("--probabilities" in card) == (task != "regression")


HOSTILE = ["<script>alert(1)</script>", "![x](http://a/b.png)", "[x](javascript:1)", "`x` *y* _z_ | # ~ & \\", "a\n# b"]


@pytest.mark.parametrize("name", HOSTILE)
def test_names_from_the_data_are_shown_and_mean_nothing(tmp_path, name):
    table = [{(name if key == "size" else key): value for key, value in row.items()} for row in rows()]
    table = [{**row, "kind": row["kind"] + name} for row in table]
    save_small_model(tmp_path, table=table)

    card = (tmp_path / "model" / "README.md").read_text()

    assert plain(name) in card
    assert name not in card
    assert "<" not in card
    assert "](" not in card


@pytest.mark.parametrize("name", [*HOSTILE, "plain_name", "Größe (m²)", "体重"])
def test_what_is_shown_can_be_read_back(name):
    shown = plain(name)

    read = re.sub(r"&#(\d+);", lambda match: chr(int(match[1])), shown)
    assert read == name.replace("\n", " ")
    assert not re.search(r"[<>*`\[\]|#!~\\](?!\d+;)", shown)


def test_many_classes_are_cut_short(tmp_path):
    table = [{**row, "kind": f"kind{number % 30}"} for number, row in enumerate(rows(900))]
    save_small_model(tmp_path, table=table)

    assert "and 10 more" in (tmp_path / "model" / "README.md").read_text()


def test_a_model_of_no_table_has_a_card_too():
    architecture = Architecture(name="nets.py:Net", options={"width": 3})

    card = model_card(ModelDescription(architecture=architecture, data=DataFacts(rows={"train": 1000})))

    assert "nets.py" in card
    assert "1,000 training" in card
    assert "trust=True" in card


def test_a_model_that_was_not_tested_says_so(tmp_path):
    _, description = save_small_model(tmp_path)
    untested = ModelDescription(architecture=description.architecture, metrics={"val/loss": 1.0})

    assert "No rows were held out for a test" in model_card(untested)
