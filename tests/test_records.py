import json
import math
import os
import resource
from contextlib import contextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ignite_workflow import CheckpointError, Record, Records

ROW = Record(100, 2, "train", "loss", 0.31)


def row(iteration, value=0.5):
    return Record(iteration, 1, "val", "loss", value)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "metrics.jsonl"


def written(path, rows):
    records = Records(path)
    for each in rows:
        records.append(each)
    records.sync()
    return records


@contextmanager
def disk_full_at(size):
    """Files cannot grow beyond ``size`` bytes."""
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))


def test_a_row_of_the_file_is_a_json_object_of_plain_fields(path):
    written(path, [ROW])

    assert path.read_text() == '{"iteration": 100, "epoch": 2, "split": "train", "name": "loss", "value": 0.31}\n'


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_values_that_json_has_not_are_words(path, value):
    written(path, [row(1, value)])

    assert json.loads(path.read_text())["value"] == str(value)


@given(
    st.lists(
        st.builds(Record, st.integers(0), st.integers(1), st.text(), st.text(), st.floats() | st.integers(-9, 9)),
        max_size=5,
    )
)
def test_rows_come_back_as_they_were(tmp_path_factory, rows):
    path = tmp_path_factory.mktemp("run") / "metrics.jsonl"
    state = written(path, rows).state_dict()
    again = Records(path)

    again.load_state_dict(state)

    assert repr(again.rows) == repr([each._replace(value=float(each.value)) for each in rows])  # nan is not nan
    assert again.state_dict() == state


def test_knows_its_rows_curves_and_last_values():
    records = Records(None)
    for each in (row(1, 3.0), ROW, row(2, 2.0), Record(2, 1, "val", "accuracy", 0.9)):
        records.append(each)

    assert len(records) == len(list(records)) == 4
    assert records.curve("val", "loss") == [(1, 3.0), (2, 2.0)]
    assert records.last("val") == {"loss": 2.0, "accuracy": 0.9}


def test_the_file_is_written_at_sync_only(path):
    records = Records(path)
    records.append(ROW)

    assert not path.exists()


def test_synced_in_parts_each_row_is_there_once(path):
    records = written(path, [row(1)])
    records.append(row(2))
    records.sync()
    records.sync()

    assert [json.loads(line)["iteration"] for line in path.read_text().splitlines()] == [1, 2]


def test_what_is_in_the_file_is_not_written_again(path):
    records = written(path, [row(1)])
    path.write_bytes(path.read_bytes().replace(b"1", b"7"))
    records.append(row(2))

    records.sync()

    assert json.loads(path.read_text().splitlines()[0])["iteration"] == 7


def test_durable_means_on_disk_before_it_returns(path, monkeypatch):
    sizes = []
    monkeypatch.setattr(os, "fdatasync", lambda descriptor: sizes.append(os.fstat(descriptor).st_size))
    records = written(path, [ROW])
    assert sizes == []
    records.append(row(2))

    records.sync()
    records.make_durable()

    assert sizes == [path.stat().st_size]


def test_a_run_that_starts_anew_does_not_keep_the_rows_of_the_one_before(path):
    written(path, [row(1), row(2)])

    written(path, [ROW])

    assert len(path.read_text().splitlines()) == 1


def test_a_file_that_nobody_wrote_to_or_went_back_in_stays_as_it_is(path):
    written(path, [ROW])

    Records(path).sync()

    assert json.loads(path.read_text())["name"] == "loss"


def test_goes_back_to_where_a_checkpoint_stood(path):
    records = written(path, [row(1), row(2)])
    state = records.state_dict()
    content = path.read_bytes()
    records.append(row(3))
    records.sync()
    again = Records(path)

    again.load_state_dict(state)
    again.sync()

    assert again.rows == [row(1), row(2)]
    assert path.read_bytes() == content


def test_a_row_cut_in_two_by_a_kill_is_cut_off_with_the_others(path):
    state = written(path, [row(1)]).state_dict()
    content = path.read_bytes()
    path.write_bytes(content + b'{"iteration": 2, "ep')
    again = Records(path)

    again.load_state_dict(state)
    again.append(row(2))
    again.sync()

    assert path.read_bytes().startswith(content)
    assert [json.loads(line)["iteration"] for line in path.read_text().splitlines()] == [1, 2]


@pytest.mark.parametrize("damage", [lambda content: content[:100], lambda content: content.replace(b"1", b"2"), None])
def test_a_file_that_is_not_what_it_was_is_refused(path, damage):
    state = written(path, [row(number) for number in range(40)]).state_dict()
    content = path.read_bytes()
    path.unlink()
    if damage:
        path.write_bytes(damage(content))

    with pytest.raises(CheckpointError, match=r"metrics.jsonl is not what it was when the checkpoint was written"):
        Records(path).load_state_dict(state)


@pytest.mark.parametrize("rows", [1, 2, 40, 400])
@pytest.mark.parametrize("left", [0.0, 0.5, 1.0])
def test_lines_that_no_checkpoint_waited_for_come_from_the_checkpoint(path, rows, left):
    records = written(path, [row(number) for number in range(rows)])
    content, state = path.read_bytes(), records.state_dict()
    sure = len(content) - len(state["tail"])
    path.write_bytes(content[: sure + int(left * len(state["tail"]))])  # after a power cut
    again = Records(path)

    again.load_state_dict(state)
    again.append(row(rows))
    again.sync()

    assert len(state["tail"]) < 2048
    assert again.rows == [row(number) for number in range(rows + 1)]
    assert path.read_bytes().startswith(content)
    assert path.read_bytes().count(b"\n") == rows + 1


def test_the_disk_is_waited_for_once_in_some_thousand_bytes(path):
    records, waits = Records(path), 0
    for number in range(200):
        records.append(row(number))
        records.sync()
        waits += records.to_make_durable
        if records.to_make_durable:
            records.make_durable()

    assert not records.to_make_durable
    assert waits == path.stat().st_size // 2048


@given(st.lists(st.integers(0, 30), max_size=12))
def test_the_state_depends_on_the_rows_alone(back):
    records, straight = Records(None), Records(None)
    for number in back:
        for each in range(10):
            records.append(row(each))
        records.rewind(max(0, len(records) - number))
    for each in records:
        straight.append(each)

    assert records.state_dict() == straight.state_dict()


def test_rows_that_are_rewound_leave_memory_at_once_and_the_file_at_the_next_sync(path):
    records = written(path, [row(1), row(2)])
    records.append(row(3))

    records.rewind(1)
    records.append(row(4))
    records.sync()

    assert records.rows == [row(1), row(4)]
    assert [json.loads(line)["iteration"] for line in path.read_text().splitlines()] == [1, 4]


def test_rewound_rows_do_not_count_in_the_state():
    records, shorter = Records(None), Records(None)
    for each in (row(1), row(2)):
        records.append(each)
    shorter.append(row(1))

    records.rewind(1)

    assert records.state_dict() == shorter.state_dict()


@pytest.mark.parametrize("rows", [3, 1000])
def test_what_a_full_disk_refused_is_whole_after_the_next_sync(path, rows):
    """1000 rows are more than a file buffers, 3 are less: part of them is in the file, or none."""
    records = written(path, [row(0)])
    for number in range(rows):
        records.append(row(number))
    for _ in range(2):
        with disk_full_at(150), pytest.raises(OSError, match="File too large"):
            records.sync()

    records.sync()

    Records(path).load_state_dict(records.state_dict())
    assert path.stat().st_size == records.state_dict()["bytes"]


def test_without_a_path_nothing_is_written(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    records = Records(None)
    records.append(ROW)

    records.sync()
    records.make_durable()

    assert list(tmp_path.iterdir()) == []
    assert records.rows == [ROW]


def test_what_was_never_written_is_not_looked_for_on_disk(path):
    records = Records(path)
    records.append(ROW)

    records.make_durable()

    assert not path.exists()
