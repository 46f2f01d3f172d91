"""What is said of a table before a model is trained on it."""

import random
import re

import numpy as np
import pytest
from small_model import write_csv

from ignite_workflow.column_checks import check_columns
from ignite_workflow.config import DataConfig, config_from_mapping
from ignite_workflow.data_checks import check_data
from ignite_workflow.errors import DataError
from ignite_workflow.lone_features import gives_class, gives_number
from ignite_workflow.run_data import prepare_data


def table(count=120, **columns):
    """Rows of two features that say nothing, a target that follows from neither, and further columns."""
    draw = random.Random(0)
    return [
        {
            "size": f"{draw.random():.6f}",
            "color": draw.choice(["red", "green", "blue"]),
            "y": draw.choice(["no", "yes"]),
            **{name: make(row, draw) for name, make in columns.items()},
        }
        for row in range(count)
    ]


def prepared(directory, rows, **data):
    settings = {"data": {"path": str(write_csv(directory / "table.csv", rows)), "target": "y", **data}}
    config = config_from_mapping(settings).data
    return config, prepare_data(config, seed=0, cache_directory=directory / "cache")


def remarks(directory, rows, **data):
    return [(remark.level, remark.text) for remark in check_data(*prepared(directory, rows, **data))]


def test_of_a_table_without_faults_nothing_is_said(tmp_path):
    assert remarks(tmp_path, table()) == []


@pytest.mark.parametrize(
    ("cell", "reach", "cure"),
    [
        (
            "{month:02}/15/{two:02}",
            "from the year 19",
            "years of two digits are read as 1970 to 2069: if they are those up to 20",
        ),
        ("{thai}-{month:02}-15", "from the year 2561 to 2567", "Buddhist calendar, write 2018 for 2561 in the file"),
        ("{never}-{month:02}-15", "from the year 2018 to 9999", "if a date stands for a missing one, name it in"),
    ],
)
def test_dates_far_in_the_future_are_a_warning_with_the_cure(tmp_path, cell, reach, cure):
    def born(row, draw):
        near = row % 7
        years = {"two": (41 + row) % 100, "thai": 2561 + near, "never": 9999 if near == 3 else 2018 + near}
        return cell.format(month=draw.randint(1, 12), **years)

    told = remarks(tmp_path, table(born=born))

    [text] = [text for level, text in told if level == "warning" and "reaches" in text]
    assert reach in text
    assert cure in text
    assert text.endswith("otherwise leave the column out (data.columns.born=ignore).")


def test_a_column_that_gives_the_target_is_named_with_what_to_do(tmp_path):
    rows = [{**row, "the answer": {"no": "-", "yes": "paid"}[row["y"]].replace("-", "open")} for row in table()]

    [(level, text)] = remarks(tmp_path, rows)

    assert level == "warning"
    assert text.startswith("column 'the answer' alone gives the target")
    assert "'data.columns.the answer=ignore'" in text


def test_a_number_that_gives_the_target_in_another_unit_is_named(tmp_path):
    rows = table(y=lambda row, draw: f"{draw.random():.5f}")
    rows = [{**row, "inches": f"{float(row['y']) / 2.54 + 7:.6f}"} for row in rows]

    [(_, text)] = remarks(tmp_path, rows)

    assert text.startswith("column 'inches' alone gives the target")


def test_of_several_targets_that_is_named_which_is_given_away(tmp_path):
    rows = table(y=lambda row, draw: f"{draw.random():.5f}", z=lambda row, draw: f"{draw.random():.5f}")
    rows = [{**row, "twice": f"{2 * float(row['z']):.6f}"} for row in rows]

    [(_, text)] = remarks(tmp_path, rows, target=["y", "z"])

    assert text.startswith("column 'twice' alone gives 'z'")


def test_of_few_numbers_it_is_said_that_figures_are_chance(tmp_path):
    rows = [{"x": f"{row % 7}.5", "w": f"{row % 5}.5", "y": f"{2 * row}.1"} for row in range(12)]

    [(level, text)] = remarks(tmp_path, rows)

    assert (level, text[:41]) == ("warning", "few rows: train 8, val 2, test 2; figures")


def test_the_only_column_may_give_the_target_and_be_sorted(tmp_path):
    rows = [{"x": f"{row}.5", "y": f"{2 * row}.1"} for row in range(200)]

    assert remarks(tmp_path, rows) == []


@pytest.mark.parametrize("word", ["none", "NA", "null", "-"])
def test_a_class_that_reads_like_a_missing_value_is_named_with_the_cure(tmp_path, word):
    rows = [{**row, "y": word if number % 3 == 0 else row["y"]} for number, row in enumerate(table())]

    told = [text for level, text in remarks(tmp_path, rows) if level == "warning"]

    assert len(told) == 1
    assert told[0].startswith(f"the target, column 'y': '{word}' stands in 40 rows and is taken for a missing value")
    assert "data.read.missing_words=false" in told[0]
    assert not remarks(tmp_path, rows, read={"missing_words": False})


def test_classes_that_differ_in_case_and_blanks_are_named(tmp_path):
    rows = [{**row, "y": ["Big cat", "big  cat", "dog"][number % 3]} for number, row in enumerate(table())]

    assert remarks(tmp_path, rows) == [
        (
            "warning",
            "classes 'Big cat' and 'big  cat' differ in upper case and blanks only, and are taken for 2 classes: if "
            "they are one, write them in one way in the file.",
        )
    ]


@pytest.mark.parametrize(
    ("one", "other", "written"),
    [("é", "e\u0301", r"'e\u0301', '\xe9'"), ("x", "x\u200b", r"'x', 'x\u200b'"), ("\uff21", "A", r"'A', '\uff21'")],
)
def test_classes_that_look_alike_are_named_as_they_are_written(tmp_path, one, other, written):
    rows = [{**row, "y": [one, other, "dog"][number % 3]} for number, row in enumerate(table())]

    ((level, told),) = remarks(tmp_path, rows)

    assert level == "warning"
    assert f"look alike but are written {written}, and are taken for 2 classes" in told


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (
            ["Yes", "yes", "no"],
            "in 3 ways: 'Yes' (40), 'no' (40), 'yes' (40). Write each in one way in the file; data.task",
        ),
        (
            ["mild", "none"],
            "every known cell is 'mild'; there is nothing to learn. 'none' (60) means a missing value; if",
        ),
    ],
)
def test_a_target_whose_words_are_no_classes_is_refused_with_what_to_do(tmp_path, values, said):
    rows = [{**row, "y": values[number % len(values)]} for number, row in enumerate(table())]

    with pytest.raises(DataError, match=re.escape(said)):
        prepared(tmp_path, rows)


@pytest.mark.parametrize(("other", "level"), [("green", "note"), ("", "warning")])
def test_a_value_that_reads_like_a_missing_one_is_told_where_it_is_common(tmp_path, other, level):
    rows = [{**row, "color": {"red": "None", "green": other}.get(row["color"], "blue")} for row in table()]

    [(found, text)] = remarks(tmp_path, rows)

    assert found == level
    assert "column 'color': 'None' stands in" in text
    assert ("a class of its own" in text) == (level == "note")


@pytest.mark.parametrize("split", [{}, {"val": 0.1, "test": 0.0}])
def test_times_in_a_random_split_are_told_with_the_setting(tmp_path, split):
    rows = table(taken=lambda row, draw: f"2021-{draw.randint(1, 12):02}-{draw.randint(1, 28):02}")

    [(level, text)] = remarks(tmp_path, rows, split=split)

    assert level == "warning"
    assert text.startswith("column 'taken' holds times, but the split is random")
    assert text.endswith("data.split.by=taken.")


@pytest.mark.parametrize("split", [{"by": "taken"}, {"val": 0.0, "test": 0.0}])
def test_times_that_the_split_heeds_are_no_leak(tmp_path, split):
    rows = table(taken=lambda row, draw: f"2021-{draw.randint(1, 12):02}-{draw.randint(1, 28):02}")

    assert remarks(tmp_path, rows, split=split) == []


@pytest.mark.parametrize("sign", [1, -1])
def test_a_number_that_never_turns_back_is_a_time(tmp_path, sign):
    rows = table(reading=lambda row, draw: "" if row % 9 == 0 else f"{sign * (row // 3) * 1.5}")

    [(_, text)] = remarks(tmp_path, rows)

    start = "column 'reading' only grows or shrinks from the first row to the last, but the split is random"
    assert text.startswith(start)


def test_a_table_in_a_few_groups_is_not_a_table_in_time(tmp_path):
    assert remarks(tmp_path, table(group=lambda row, draw: f"{row // 40}.5")) == []


def test_a_column_that_repeats_another_in_another_unit_is_named(tmp_path):
    rows = [{**row, "size in inches": f"{float(row['size']) / 2.54:.6f}"} for row in table()]

    [(level, text)] = remarks(tmp_path, rows)

    assert level == "warning"
    assert text.startswith("column 'size in inches' says the same as 'size'")


def test_a_category_that_repeats_another_in_other_words_is_named(tmp_path):
    words = {"red": "rouge", "green": "vert", "blue": "bleu"}
    rows = [{**row, "couleur": words[row["color"]]} for row in table()]

    [(_, text)] = remarks(tmp_path, rows)

    assert text.startswith("column 'couleur' says the same as 'color'")


def test_a_category_that_is_coarser_than_another_is_not_the_same(tmp_path):
    assert remarks(tmp_path, [{**row, "warm": f"{row['color'] == 'red'}x"} for row in table()]) == []


def test_categories_that_do_not_vary_in_the_rows_looked_at_are_not_the_same(tmp_path):
    rows = [{**row, "couleur": {"red": "rouge"}.get(row["color"], "autre")} for row in table()]
    _, data = prepared(tmp_path, rows)

    found = check_columns(DataConfig(), data.schema, np.ones((50, 3)), np.arange(50) % 2)

    assert not any("says the same" in remark.text for remark in found)


def test_classes_that_lack_rows_are_told_by_split(tmp_path):
    rows = table(200, y=lambda row, draw: "rare" if row % 40 == 0 else draw.choice(["no", "yes"]))

    found = remarks(tmp_path, rows, split={"val": 0.1, "test": 0.1})

    assert ("warning", "class 'rare' has fewer than 10 training rows: little can be learnt of it; get more rows, or "
            "merge classes.") in found  # fmt: skip
    assert [text.split(":")[0] for _, text in found[1:]] in (
        ["class 'rare' has fewer than 5 rows in val", "class 'rare' has fewer than 5 rows in test"],
        ["class 'rare' has no row in val", "class 'rare' has fewer than 5 rows in test"],
        ["class 'rare' has fewer than 5 rows in val", "class 'rare' has no row in test"],
    )


def test_several_classes_that_lack_rows_share_a_line(tmp_path):
    rows = table(200, y=lambda row, draw: {0: "rare", 1: "odd"}.get(row % 40) or draw.choice(["no", "yes"]))

    told = [text for _, text in remarks(tmp_path, rows, split={"val": 0.0, "test": 0.0})]

    assert told == ["classes 'odd' and 'rare' have fewer than 10 training rows each: little can be learnt of them; "
                    "get more rows, or merge classes."]  # fmt: skip


def test_a_class_missing_from_a_split_is_named(tmp_path):
    rows = table(part=lambda row, draw: ["train", "val", "test"][row % 3])
    rows = [{**row, "y": "no"} if row["part"] == "test" else row for row in rows]

    found = remarks(tmp_path, rows, split={"column": "part"})

    assert [(level, text.split(":")[0]) for level, text in found] == [("warning", "class 'yes' has no row in test")]


def test_a_common_class_is_a_note_with_the_setting(tmp_path):
    rows = table(400, y=lambda row, draw: "yes" if row % 8 == 0 else "no")

    [(level, text)] = remarks(tmp_path, rows)

    assert level == "note"
    assert text.startswith("class 'no' has 88% of the training rows")
    assert "loss.class_weights=balanced" in text


@pytest.mark.parametrize(
    ("copies", "levels"), [(0, []), (15, ["note", "note"]), (120, ["warning", "warning"]), (600, ["error", "error"])]
)
def test_rows_that_stand_in_training_too_are_told_the_louder_the_more_they_are(tmp_path, copies, levels):
    rows = table(600)

    found = remarks(tmp_path, [*rows, *rows[:copies]], split={"val": 0.2, "test": 0.2})

    assert [level for level, _ in found] == levels
    assert all(text.endswith("(data.split.group=COLUMN).") for _, text in found)


def test_rows_of_few_values_are_equal_by_chance(tmp_path):
    rows = [
        {"color": row["color"], "shape": "round" if row["size"] < "0.5" else "square", "y": row["y"]} for row in table()
    ]

    assert {level for level, text in remarks(tmp_path, rows) if "stand in the training split" in text} == {"warning"}


@pytest.mark.parametrize(("lost", "level"), [(30, "note"), (90, "warning")])
def test_rows_without_a_target_are_counted_with_what_to_do(tmp_path, lost, level):
    rows = [{**row, "y": "" if number < lost else row["y"]} for number, row in enumerate(table(160))]

    found = dict(remarks(tmp_path, rows))

    assert found[level].startswith(f"{lost} of 160 rows of 'table.csv' have no target and are left out: fill in")


# One feature alone.

RANDOM = np.random.default_rng(0)
FEATURE = RANDOM.uniform(0, 10, 1000)


@pytest.mark.parametrize(
    ("y", "expected"),
    [
        (np.sin(FEATURE), True),
        (FEATURE**2, True),
        (FEATURE + RANDOM.normal(0, 1, 1000), False),  # r2 0.9
        (RANDOM.normal(0, 1, 1000), False),
    ],
)
def test_a_number_follows_from_a_feature_where_nearly_all_of_it_is_explained(y, expected):
    assert gives_number(FEATURE, y, is_category=False) == expected


def test_codes_have_no_in_between():
    codes = np.tile([1, 1, 2, 2, 3, 3], 20).astype(np.float32)

    assert gives_number(codes, np.array([0.0, 5.0, -1.0, 7.0])[codes.astype(int)], is_category=True)
    assert not gives_number(np.arange(120.0), np.arange(120.0), is_category=True)  # every code is new


@pytest.mark.parametrize(
    ("y", "expected"),
    [
        ((FEATURE > 3).astype(int) + (FEATURE > 7), True),
        ((FEATURE + RANDOM.normal(0, 1, 1000) > 5).astype(int), False),
        (np.zeros(1000, dtype=int), False),
    ],
)
def test_a_class_follows_from_a_feature_where_nearly_all_rows_are_right(y, expected):
    assert gives_class(FEATURE, y) == expected


def test_a_feature_that_does_not_vary_gives_nothing():
    assert not gives_class(np.ones(100), np.arange(100) % 2)
    assert not gives_number(np.ones(100), np.arange(100), is_category=False)


def test_of_few_rows_nothing_is_said():
    few = np.arange(39)

    assert not gives_number(few, few, is_category=False)
    assert not gives_class(few, (few > 20).astype(int))
