"""What is said of columns that are not used, or that hardly vary. Leaks and duplicates: test_data_checks.py."""

import pytest
from test_data_checks import remarks, table


@pytest.mark.parametrize(
    ("name", "cell", "text"),
    [
        ("one", "7", "column 'one' does not vary and is not used (every cell is 7): if that is a surprise"),
        (
            "number",
            "{row}",
            "(integers that count the rows, from 0 to 119): if there is something to learn from it, say",
        ),
        ("user id", "u{row}", "column 'user id' names the rows and is not used (text, and no value occurs twice): if"),
        ("said", "the {row} words of a customer today", "say data.columns.said=category"),
    ],
)
def test_a_column_that_is_not_used_is_a_note_with_what_to_do(tmp_path, name, cell, text):
    [(level, told)] = remarks(
        tmp_path, table(**{name: lambda row, draw: cell.format(row=row // (1 + (name == "said")))})
    )

    assert level == "note"
    assert text in told


def test_columns_of_one_fate_share_a_line(tmp_path):
    [(_, told)] = remarks(tmp_path, table(a=lambda row, draw: "1", b=lambda row, draw: "{x}"))

    assert told.startswith("columns 'a' and 'b' do not vary and are not used (every cell is 1; every cell is {x}): ")


def test_of_what_the_settings_say_themselves_nothing_is_said(tmp_path):
    rows = table(part=lambda row, draw: "train" if row % 3 else "test", a=lambda row, draw: f"{row}")

    assert remarks(tmp_path, rows, columns={"a": "ignore"}, split={"column": "part"}) == []


@pytest.mark.parametrize(
    ("rare", "common", "shown"),
    [("b", "a", "'a'"), ("4.5", "-2.25", "-2.250"), ("3", "", "missing"), ("yes", "no", "false")],
)
def test_a_column_that_hardly_varies_is_a_note_with_its_common_value(tmp_path, rare, common, shown):
    rows = table(400, near=lambda row, draw: rare if row in (10, 20) else common)

    [(level, told)] = [each for each in remarks(tmp_path, rows, split={"val": 0.0, "test": 0.0}) if "near" in each[1]]

    assert level == "note"
    assert told.startswith(
        f"column 'near' is {shown} in 99.5% of the training rows: little can be learnt of it; leave it"
    )


def test_a_column_that_varies_a_little_is_not_remarked_on(tmp_path):
    assert remarks(tmp_path, table(400, some=lambda row, draw: "ab"[row % 50 == 0])) == []
