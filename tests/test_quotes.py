import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ignite_workflow.config import ReadConfig
from ignite_workflow.data import text_file
from ignite_workflow.data.quotes import doubled, doubtful_quote, has_escapes, with_doubled
from ignite_workflow.data.tables import open_table
from ignite_workflow.errors import DataError

CELLS = st.text(alphabet='ab," \n', max_size=9)


@pytest.fixture
def read(tmp_path):
    def rows(content, **said):
        (tmp_path / "table.csv").write_bytes(content.encode())
        return [
            row
            for chunk in open_table(str(tmp_path / "table.csv"), ReadConfig(**said)).chunks()
            for row in chunk.frame.rows()
        ]

    return rows


def written(rows, **dialect):
    text = io.StringIO()
    csv.writer(text, lineterminator="\n", **dialect).writerows(rows)
    return text.getvalue()


@given(st.lists(st.tuples(CELLS, CELLS), min_size=1))
def test_quotes_written_with_a_backslash_are_written_twice(rows):
    escaped = written(rows, doublequote=False, escapechar="\\", quoting=csv.QUOTE_ALL)

    assert doubled(escaped.encode()) == written(rows, quoting=csv.QUOTE_ALL).encode()
    assert not doubtful_quote(written(rows).encode(), b",")
    assert not has_escapes(written(rows).encode())


@given(st.binary(max_size=40), st.integers(1, 9))
def test_blocks_may_be_cut_between_a_backslash_and_its_quote(data, size):
    data = data.replace(b"x", b"\\").replace(b"y", b'"')
    blocks = iter([data[start : start + size] for start in range(0, len(data), size)])

    assert b"".join(with_doubled(blocks)) == doubled(data)


@pytest.mark.parametrize("cell", ['5\\" pipe', 'say \\"hi\\"', 'say \\"hi, you\\" \\"there\\"', '\\"'])
def test_such_quotes_are_found_and_swallow_no_rows(read, monkeypatch, cell):
    monkeypatch.setattr(text_file, "_FIRST_BYTES", 50)
    monkeypatch.setattr(text_file, "_BLOCK_BYTES", 50)
    rows = read("item,x\n" + "".join(f'"{cell} a",{row}\nbolt,{row}\n' for row in range(20)))

    assert (len(rows), rows[2]) == (40, (cell.replace("\\", "") + " a", "1"))


@pytest.mark.parametrize("cell", ["C:\\dir\\", 'b\\""c', "5\\"])
def test_a_backslash_at_the_end_of_a_cell_is_a_backslash(read, cell):
    rows = read("item,x\n" + "".join(f'"{cell}",{row}\nbolt,{row}\n' for row in range(20)))

    assert (len(rows), rows[2]) == (40, (cell.replace('""', '"'), "1"))


@pytest.mark.parametrize("cell", ['"5\\" pipe"', '"say \\"hi\\""', '"5" pipe"', '"big" one', 'an 8" pipe'])
def test_a_quote_that_would_swallow_rows_is_refused_with_its_line(read, monkeypatch, cell):
    monkeypatch.setattr(text_file, "_SAMPLE_BYTES", 20)
    content = "item,x\n" + "".join(f'"bolt",{row}\n' for row in range(20)) + f"{cell},1\nnut,2\n{cell},3\n"

    with pytest.raises(DataError, match=r"line 22, column 1 'item': .*quote"):
        read(content)
    if "\\" in cell:
        with pytest.raises(DataError, match=r"If quotes inside of cells are written \\\": data\.read\.escapes=true\."):
            read(content)
        assert read(content, escapes=True)[-1] == (cell[1:-1].replace("\\", ""), "3")


def test_quotes_within_one_cell_are_characters(read):
    rows = read('item,x\n"a, b",1\n' + 'an 8" and 9" pipe,2\n' * 20)

    assert rows[1] == ('an 8" and 9" pipe', "2")


def test_quotes_that_a_person_says_are_characters_may_begin_cells(read):
    assert read('item,x\n"big" one,1\n"5" pipe,2\n', quotes=False) == [('"big" one', "1"), ('"5" pipe', "2")]
