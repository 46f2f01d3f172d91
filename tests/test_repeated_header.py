import polars as pl
import pytest
from xlsxwriter import Workbook

from ignite_workflow.config import DataConfig, ReadConfig
from ignite_workflow.data import prepare_table, text_file
from ignite_workflow.data.tables import open_table
from ignite_workflow.data.text_records import Block
from ignite_workflow.errors import DataError

JOINED = "a,b\n1,x\n2,y\na,b\n3,z\na,b\n"
ROWS = [("1", "x"), ("2", "y"), ("3", "z")]


@pytest.fixture
def read(tmp_path):
    def read(content, name="joined.csv", **said):
        path = tmp_path / name
        if isinstance(content, str):
            path.write_text(content)
        else:
            content(path)
        table = open_table(str(path), ReadConfig(**said))
        chunks = list(table.chunks())
        return chunks, [row for chunk in chunks for row in chunk.frame.rows()], table.notes

    return read


def workbook(path):
    with Workbook(path) as book:
        sheet = book.add_worksheet("S")
        for number, cells in enumerate([("a", "b"), (1, "x"), ("a", "b"), (2, "y")]):
            sheet.write_row(number, 0, cells)


def parquet(path):
    pl.DataFrame({"a": ["1", "a"], "b": ["x", "b"]}).write_parquet(path)


def test_whoever_reads_is_told_of_it_with_what_can_be_done(read):
    with pytest.raises(DataError, match=r"line 4 \(row 2\): the header stands here again.*repeated_header=true leaves"):
        read(JOINED)
    with pytest.raises(DataError, match=r"sheet 'S' row 3 \(row 1\): the header stands here.*header=true leaves"):
        read(workbook, "joined.xlsx")
    with pytest.raises(DataError, match=r"row 1: the header stands here again.*: delete this row; if it is data"):
        read(parquet, "joined.parquet", repeated_header=True)


def test_such_rows_are_left_out_and_the_lines_of_others_stay(read):
    [chunk], rows, notes = read(JOINED, repeated_header=True)

    assert rows == ROWS
    assert chunk.place(2).endswith("joined.csv: line 5 (row 2)")
    assert notes == ("joined.csv: 2 rows (the first: line 4) hold the names of all columns again: left out.",)


def test_such_rows_of_a_sheet_are_left_out(read):
    [chunk], rows, notes = read(workbook, "joined.xlsx", repeated_header=True)

    assert rows == [("1", "x"), ("2", "y")]
    assert chunk.place(1).endswith("sheet 'S' row 4 (row 1)")
    assert notes[-1] == "joined.xlsx: row 3 holds the names of all columns again: left out."


@pytest.mark.parametrize(("content", "name"), [(JOINED, "joined.csv"), (parquet, "joined.parquet")])
def test_such_rows_are_data_where_a_person_says_so(read, content, name):
    assert ("a", "b") in read(content, name, repeated_header=False)[1]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("a  b  c\n1  x  p\na  b  c\n2  y  q\n", {"starts": [1, 4, 7]}),
        ("a b c\n1 x p\na  b c\n2 y q\n", {"delimiter": " "}),
        ('a,b,"c\nd"\n1,x,p\na,b,"c\nd"\n2,y,q\n', {}),
        ("\n\na,b,c\n1,x,p\n\n\na,b,c\n\n2,y,q", {"header": 3}),
    ],
)
def test_such_rows_are_left_out_however_cells_are_parted(read, content, said):
    (*_, last), rows, _ = read(content, repeated_header=True, **said)

    assert rows == [("1", "x", "p"), ("2", "y", "q")]
    line = content.count("\n", 0, content.index("2")) + 1
    assert last.place(last.frame.height - 1).endswith(f"line {line} (row 1)")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("a b\n1 x\n  \n2 y\na b\n3 z\n", {"delimiter": " "}),
        ("a    b\n1    x\n      \n2    y\na    b\n3    z\n", {"starts": [1, 6]}),
    ],
)
def test_no_other_row_is_left_out_below_a_line_of_blanks(read, content, said):
    [chunk], rows, notes = read(content, repeated_header=True, **said)

    assert rows == ROWS
    assert [chunk.place(row).split()[2] for row in range(3)] == ["2", "4", "6"]
    assert "joined.csv: line 5 holds the names of all columns again: left out." in notes


def test_numbers_around_such_rows_are_the_same(read, monkeypatch, tmp_path):
    monkeypatch.setattr(text_file, "_BLOCK_BYTES", 4096)
    body = "".join(f"{number}.5,{number % 3}.25\n" for number in range(3000))
    (tmp_path / "plain.csv").write_text("a,y\n" + body)
    (tmp_path / "joined.csv").write_text("a,y\n" + body.replace("\n1500.5", "\na,y\n1500.5"))

    plain, joined = (
        prepare_table(
            DataConfig(path=str(tmp_path / f"{name}.csv"), target="y", read=ReadConfig(repeated_header=True)),
            seed=0,
            cache_directory=tmp_path / "cache",
        )
        for name in ("plain", "joined")
    )

    assert (plain.splits["train"].x == joined.splits["train"].x).all()
    assert joined.notes[0].startswith("joined.csv: line 1502 holds")


def test_records_are_replaced_by_as_many_blank_lines():
    block = Block(b'a\n"b\nc"\nd', 5)

    assert block.without([1]).data == b"a\n\n\nd"
    assert block.without([1]).line(1) == block.line(2) == 8
    assert block.without([0, 2]).data == b'\n"b\nc"\n'
