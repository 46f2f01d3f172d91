import polars as pl
import pytest

from ignite_workflow.config import ReadConfig
from ignite_workflow.data.sheet_area import SheetOptions, find_area
from ignite_workflow.data.tables import open_table
from ignite_workflow.errors import DataError

ROWS = "\n".join(f"r{row},{row * 150},{row}.5" for row in range(1, 9))  # the sums: 5,400 and 40


def rows(tmp_path, text, **read):
    (tmp_path / "t.csv").write_text(f"region,people,area\n{text}\n")
    table = open_table(str(tmp_path / "t.csv"), ReadConfig(**read))
    return [row for chunk in table.chunks() for row in chunk.frame.rows()], table.notes


@pytest.mark.parametrize("first", ["Total,5400,40", '"Summe:",,"40.0"', 'All,"5,400",', "Total,,7\n"])
def test_a_total_in_the_first_row_is_no_data(tmp_path, first):
    text = f"{first}\n{ROWS}" if "7" not in first else f"{first}r1,3,2\nr2,4,5"
    found, notes = rows(tmp_path, text)

    assert found[0][0] == "r1"
    assert notes[0].startswith("t.csv: line 2, the first below the header, is no data: '")
    assert notes[0].endswith("otherwise: data.read.footer=false.")


def test_the_evidence_is_said(tmp_path):
    _, notes = rows(tmp_path, f"Total,5400,40\n{ROWS}\nSource: WHO")

    assert "'Total,5400,40' (its 'people' is the sum of the 8 rows below)" in notes[0]
    assert "the last line (11) is no data" in notes[1]


@pytest.mark.parametrize("text", [f"Total,5400,40\n{ROWS}\nTotal,1,2", f"Total,x,\n{ROWS}", f"Rome,5400,40\n{ROWS}"])
def test_a_first_row_that_sums_up_nothing_is_data(tmp_path, text):
    assert len(rows(tmp_path, text)[0]) == 1 + text.count("\n")


def test_a_first_row_that_may_be_a_total_is_asked(tmp_path):
    text = f"Total,5,6\n{ROWS}"

    with pytest.raises(DataError, match=r"line 2, column 1 'region': 'Total,5,6' may be data or not: none of its num"):
        rows(tmp_path, text)
    assert len(rows(tmp_path, text, footer=False)[0]) == 9
    assert len(rows(tmp_path, text, footer=True)[0]) == 8
    with pytest.raises(DataError, match="may be data or not"):
        rows(tmp_path, text, footer=1)


def test_a_first_row_beneath_units_or_without_header_is_looked_at_too(tmp_path):
    assert rows(tmp_path, f",[k],[km]\nTotal,5400,40\n{ROWS}")[0][0][0] == "r1"
    (tmp_path / "u.csv").write_text(f"Total,5400,40\n{ROWS}\n")
    table = open_table(str(tmp_path / "u.csv"), ReadConfig(header=False))
    assert next(table.chunks()).frame.height == 8


def test_the_rows_are_read_for_a_total_only(tmp_path, monkeypatch):
    def fail(*_):
        raise AssertionError

    monkeypatch.setattr("ignite_workflow.data.first_total.RowsAbove", fail)

    assert len(rows(tmp_path, f"Rome,5400,40\n{ROWS}")[0]) == 9


def test_a_total_in_the_first_row_of_a_sheet_is_no_data():
    lines = [["region", "people"], [None, None], ["Total", "12"], ["a", "5"], ["b", "7"]]
    texts = pl.DataFrame(lines, orient="row", schema=["0", "1"])

    area = find_area(texts, SheetOptions())
    assert (area.first, area.last) == (3, 5)
    assert area.notes[0].startswith("row 3, the first below the header, is no data: 'Total,12' (its 'people'")
    assert find_area(texts, SheetOptions(footer=False)).first == 1
    asked = find_area(texts.with_columns(pl.Series("1", ["people", None, "9", "5", "7"])), SheetOptions())
    assert asked.question.startswith("row 3, column 1 'region': 'Total,9' may be data or not")
