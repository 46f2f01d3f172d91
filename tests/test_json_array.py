import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ignite_workflow.config import ReadConfig
from ignite_workflow.data import text_file
from ignite_workflow.data.json_array import find_elements
from ignite_workflow.data.tables import open_table
from ignite_workflow.data.text_file import open_text
from ignite_workflow.errors import ConfigError, DataError

RECORDS = [{"a": number, "b": {"c": f'[{number}], \\"'}} for number in range(5)]
ROWS = [(record["a"], record["b"]["c"]) for record in RECORDS]
VALUES = st.text(st.sampled_from('a"\\\\[]{},: \\n')) | st.integers()


@pytest.fixture
def write(tmp_path):
    def write(content, name="table.json"):
        path = tmp_path / name
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        return str(path)

    return write


def rows(path, **read):
    return [row for chunk in open_table(path, ReadConfig(**read)).chunks() for row in chunk.frame.rows()]


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("block", [1, 7, 1000])
def test_arrays_are_read_on_one_line_and_over_many(write, monkeypatch, indent, block):
    monkeypatch.setattr(text_file, "_BLOCK_BYTES", block)

    assert rows(write(json.dumps(RECORDS, indent=indent))) == ROWS


@given(
    st.lists(st.dictionaries(st.sampled_from("abc"), VALUES | st.lists(VALUES), min_size=1), min_size=1),
    st.sampled_from([None, 1]),
    st.sampled_from(["array", "objects", "key", "two keys"]),
    st.integers(1, 30),
)
def test_what_is_written_is_read_whatever_its_texts_hold(tmp_path_factory, records, indent, shape, size):
    whole = {"n": [1], "data": records} if shape == "key" else {"n": {"m": [1]}, "data": {"total": 3, "items": records}}
    text = "\n".join(json.dumps(record, indent=1) for record in records)
    text = text if shape == "objects" else json.dumps(records if shape == "array" else whole, indent=indent)
    path = tmp_path_factory.mktemp("json") / "table.json"
    path.write_text(text)
    found = find_elements(open_text(path, None), None)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(text_file, "_BLOCK_BYTES", size)
        content = b"".join(found.blocks())
        assert content[7:] == b"".join(found.blocks(7))
    lines = [json.loads(line) for line in content.splitlines() if line.strip()]
    assert (lines, len(content)) == (records, len(text))


def test_the_key_that_holds_the_records_is_said(write):
    table = open_table(write({"meta": {"n": 5}, "data": RECORDS}))

    assert table.notes == ("table.json: its records are the elements of key 'data'; what stands beside is left out.",)
    assert rows(write({"data": RECORDS, "old": RECORDS[:2]}), sheet="old") == ROWS[:2]
    with pytest.raises(DataError, match=r"keys 'data', 'old' hold lists of records: say which: data\.read\.sheet"):
        rows(write({"data": RECORDS, "old": RECORDS}))
    with pytest.raises(ConfigError, match=r"data\.read\.sheet: .* no key 'date' that holds records\. Did you mean"):
        rows(write({"data": RECORDS}), sheet="date")


@pytest.mark.parametrize("block", [1, 5, 1000])
def test_records_two_keys_deep_are_read(write, monkeypatch, block):
    monkeypatch.setattr(text_file, "_BLOCK_BYTES", block)
    others = {"took": [[{"n": 1}], [{"n": 2}]], "shards": {"n": 1}}
    path = write({**others, "hits": {"max": [[{"n": 1}]], "hits": RECORDS, "ids": []}, "next": {"a": 1}})

    assert open_table(path).notes == (
        "table.json: its records are the elements of key 'hits.hits'; what stands beside is left out.",
    )
    assert rows(path) == ROWS


def test_records_that_are_less_deep_go_before(write):
    path = write({"meta": {"pages": RECORDS[:2]}, "data": RECORDS})

    assert (rows(path), rows(path, sheet="meta.pages")) == (ROWS, ROWS[:2])
    with pytest.raises(DataError, match=r"keys 'd\.a', 'd\.b' hold lists of records: say which"):
        rows(write({"d": {"a": RECORDS, "b": RECORDS}}))


def test_an_object_of_many_objects_is_one_record(write):
    content = {f"u{number}": {"tags": [{"x": number}]} for number in range(1001)}

    assert len(open_table(write(content)).columns) == 1001


@pytest.mark.parametrize("block", [60, 1_000_000])
def test_lists_in_objects_one_after_the_other_are_not_those_of_one(write, monkeypatch, block):
    monkeypatch.setattr(text_file, "_BLOCK_BYTES", block)
    records = [{"a": number, "tags": ["x", "y"], "n": {"b": [{"c": 1}]}} for number in range(1200)]
    path = write("\n".join(json.dumps(record, indent=1) for record in records))

    assert [row[:3] for row in rows(path)] == [(number, "x", "y") for number in range(1200)]


def test_an_object_is_a_record_in_a_file_of_json_lines(write):
    record = {"a": 1, "b": [{"c": 1}, {"c": 2}]}

    assert open_table(write(record, "table.jsonl")).columns == ("a", "b")
    assert open_table(write(record)).columns == ("c",)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (json.dumps(RECORDS)[:-9], "ends within a record: it was not written, or not downloaded, to its end"),
        (json.dumps({"data": RECORDS}, indent=1)[:-9], "ends within a record"),
        ("[]", "there are no records"),
        ("[1, 2]", "element 1: a JSON object is needed, got ' 1'"),
        ("[[1, 2]]", "element 1: a JSON object is needed"),
        ('[{"a": 1}]\n[{"a": 2}]', "more than one JSON array"),
        ('[{"a": 1}, {"a": 1, "a": 2}]', "element 2: key 'a' stands twice in one object"),
        ('[{"a": 1},\n {"a" 2}]', "element 2: not JSON: Expecting ':'"),
        ('[{"a": "x\ny"}]', "element 1: not JSON"),
        ('[{"a": 1}]]', "a bracket is closed that was never opened"),
        ('[{"a":' + 1000 * "[" + 1000 * "]" + "}]", "nested deeper than 64"),
        ('{"a": {"0": 1, "1": 2}, "b": {"0": 3, "1": 4}}', "one object that holds a data frame by columns"),
        ('{"columns": ["a"], "index": [0, 1], "data": [[1], [2]]}', "one object that holds a data frame by columns"),
    ],
)
def test_what_holds_no_records_is_refused_with_the_reason(write, content, why):
    with pytest.raises(DataError, match=rf"table\.json: {why}"):
        rows(write(content))


def test_lists_without_end_in_one_object_are_refused(write):
    with pytest.raises(DataError, match="more than 1000 lists in one object"):
        rows(write({str(number): [] for number in range(1001)}))
