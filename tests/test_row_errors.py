import pytest

from ignite_workflow.data.tables import open_table
from ignite_workflow.errors import DataError

CASES = [
    ('4,5" pipe,6\n', "line 3, column 2 'b': a quote in the middle of a cell: '4,5\" pipe,6'. If quotes"),
    ('4,"5" pipe,6\n', "line 3, column 2 'b': the quote that opens here is followed by one in the middle of a cell"),
    ('4,"5 pipe,6\n5,"6 p",7\n', "line 3, column 2 'b': the quote that opens here is followed in line 4 by one in the"),
    ('"4\n4",",",5"\n', "line 4, column 3 'c': a quote in the middle of a cell: '4\",\",\",5\"'."),
    ('4,5,"6\n5,6,7\n', "line 3, column 3 'c': a quote is opened and not closed again."),
]


@pytest.mark.parametrize(("records", "said"), CASES)
def test_a_stray_quote_is_named_with_line_and_column(tmp_path, records, said):
    path = tmp_path / "table.csv"
    path.write_text('a,b,c\n1,"x",3\n' + records)

    with pytest.raises(DataError) as error:
        list(open_table(str(path)).chunks())
    assert str(error.value).startswith(f"{path}: {said}")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(("end", "what"), [("\x1a", r"\^Z \(0x1a\)"), ("\0\0\0", "zero bytes")])
def test_bytes_that_are_no_text_at_the_end_are_named(tmp_path, end, what):
    path = tmp_path / "table.csv"
    path.write_text(f"a,b\n1,2\n3,4\n{end}")

    with pytest.raises(DataError, match=f"line 4 holds nothing but {what}"):
        list(open_table(str(path)).chunks())


def test_columns_without_names_are_numbered(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("1,2,3\n4,5\n")

    with pytest.raises(DataError, match=r"line 2, column 2: the row ends here: 2 cells where the first row has 3"):
        list(open_table(str(path)).chunks())


@pytest.mark.parametrize("row", ["5,6", "5,6,7"])
def test_a_row_that_lacks_only_cells_of_columns_without_names_is_filled(tmp_path, row):
    path = tmp_path / "table.csv"
    path.write_text("a,b,,\n" + "1,2,3,4\n" * 9 + f"{row}\n")

    [chunk] = open_table(str(path)).chunks()

    assert ",".join(filter(None, chunk.frame.row(9))) == row
