import json

import polars as pl
import pytest

from ignite_workflow.config import DataConfig
from ignite_workflow.data import json_lines, text_file
from ignite_workflow.data.survey import survey_table
from ignite_workflow.data.tables import open_table
from ignite_workflow.errors import DataError


@pytest.fixture
def write(tmp_path):
    def write(*records):
        path = tmp_path / "table.jsonl"
        path.write_text("".join(f"{each if isinstance(each, str) else json.dumps(each)}\n" for each in records))
        return str(path)

    return write


def rows(path):
    table = open_table(path)
    return [table.columns, *(row for chunk in table.chunks() for row in chunk.frame.rows())]


def test_objects_inside_are_taken_apart(write):
    path = write({"a": {"b": 1, "c": {"d": "x"}}}, {"a": None, "e": 2}, {"a": {"c": {"d": "y"}}})

    assert rows(path) == [("a.b", "a.c.d", "e"), (1, "x", None), (None, None, 2), (None, "y", None)]


def test_the_nan_that_python_writes_is_missing_but_not_in_text(write):
    path = write({"a": float("nan"), "b": 'x: NaN, "NaN"'}, {"a": 1.5, "b": "NaN"})

    assert rows(path)[1:] == [(None, 'x: NaN, "NaN"'), (1.5, "NaN")]


def test_the_lines_of_records_below_one_of_blanks_stay(tmp_path):
    path = tmp_path / "table.jsonl"
    path.write_text('  \n{"a": 1}\n \t\r\n {"a": 2}\n\n{"a": 3}\n')

    [chunk] = open_table(str(path)).chunks()

    assert chunk.frame.rows() == [(1,), (2,), (3,)]
    assert [chunk.place(row).split()[2] for row in range(3)] == ["2", "4", "6"]


def test_lists_of_one_length_are_taken_apart(write, monkeypatch):
    monkeypatch.setattr(text_file, "_BLOCK_BYTES", 20)
    path = write({"a": [1, 2], "b": [1]}, {"a": [3, 4], "b": [1, 2]}, {"b": []}, {"a": [5, 6]})

    columns, *found = rows(path)
    assert columns == ("a[0]", "a[1]", "b")
    assert [row[:2] for row in found] == [(1, 2), (3, 4), (None, None), (5, 6)]


def test_a_key_that_begins_empty_has_the_type_of_what_follows(write, monkeypatch):
    monkeypatch.setattr(text_file, "_BLOCK_BYTES", 10)

    assert rows(write({"a": None}, {"a": {"b": 1}}))[1:] == [(None, None), (None, 1)]


@pytest.mark.parametrize("begin", ['{"a":', "["])
def test_a_value_so_deep_that_the_parser_crashes_is_one_line(write, begin):
    deep = (
        '{"a":' + begin * 5000 + "1" + begin.translate({91: "]", 123: "}", 34: None, 97: None, 58: None}) * 5000 + "}"
    )

    with pytest.raises(DataError, match=r"table\.jsonl: line 3: nested deeper than 64\.$"):
        open_table(write({"a": "[" * 100}, "", deep))


def test_brackets_in_text_are_no_depth(write):
    assert rows(write({"a": '\\"[[' * 100}, {"a": "{" * 1000})) == [("a",), ('\\"[[' * 100,), ("{" * 1000,)]


@pytest.mark.parametrize("line", ['{"a": 1, "b": 2, "a": 3}', '{"b": {"a" : 1, "a": 2}}', '{"b": [{"a": 1, "a": 1}]}'])
def test_a_key_that_stands_twice_in_one_object_is_refused_with_its_line(write, line):
    with pytest.raises(DataError, match=r"table\.jsonl: line 4: key 'a' stands twice in one object\.$"):
        open_table(write({"a": 1}, "", {"a": 1}, line))


def test_a_key_that_stands_twice_in_two_spellings_is_refused(write):
    with pytest.raises(DataError, match=r"table\.jsonl: line 3: key 'a' stands twice in one object\.$"):
        open_table(write({"a": 1}, r'{"\u0061": 2}', r'{"a": 2, "\u0061": 3}'))


def test_a_key_may_be_spelled_in_two_ways(write):
    assert rows(write({"a": 1, "b\\": 2}, r'{"\u0061": 2, "b\\": 3}'))[1:] == [(1, 2), (2, 3)]


def test_a_key_may_stand_in_several_objects_and_in_text(write):
    path = write({"a": 1, "b": {"a": 2}, "c": '"a": "a":'}, {"a": 3, "b": {"a": 4}, "c": "x"})

    assert rows(path)[1:] == [(1, 2, '"a": "a":'), (3, 4, "x")]


def test_keys_without_end_are_refused(write, monkeypatch):
    monkeypatch.setattr(json_lines, "_MOST_KEYS", 10)

    with pytest.raises(DataError, match=r"more than 10 different keys by line 1\.$"):
        open_table(write(*({f"k{number}": 1} for number in range(11))))


def test_numbers_with_and_without_fractions_are_numbers(write):
    [chunk] = open_table(write({"a": 1}, {"a": 1.5})).chunks()

    assert chunk.frame["a"].dtype == pl.Float64


def test_a_key_that_looks_like_one_of_an_object_inside_is_refused_beside_it(write):
    with pytest.raises(DataError, match=r"two keys are both named 'a\.b' once objects are taken apart"):
        open_table(write({"a.b": 1, "a": {"b": 2}}))


def test_infinity_is_named_and_not_the_numbers_beside_it(write):
    with pytest.raises(DataError, match=r"line 2, key 'a': inf is no number that JSON knows: write null\.$"):
        rows(write({"a": 1.5}, {"a": float("inf")}, {"a": 2}))
    with pytest.raises(DataError, match=r"line 3, key 'a': true among numbers\.$"):
        rows(write({"a": 1.5}, {"a": 2}, {"a": True}))


def test_lists_that_are_not_alike_are_named_with_their_key(write):
    with pytest.raises(DataError, match=r"line 2, key 'a\.b\[\]': \[2, 3\] among numbers\.$"):
        rows(write({"a": {"b": [1, 2], "c": None}}, {"a": {"b": [[2, 3]], "c": "x"}}))


def test_many_columns_stand_in_the_order_in_which_their_keys_first_occur(write):
    names = [f"k{number * 37 % 101}" for number in range(101)]
    path = write(dict.fromkeys(names[:90], 1), {"o": dict.fromkeys(names), **dict.fromkeys(names, 2)})

    assert open_table(path).columns == (*names[:90], *(f"o.{name}" for name in names), *names[90:])


def test_a_key_without_a_name_is_a_column(write):
    path = write(*({"": str(row), "b": f"{row},5"} for row in range(9)))

    assert survey_table(DataConfig(path=path, target="b")).findings[""].known == 9
