import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ignite_workflow.config import DataConfig, ReadConfig
from ignite_workflow.data import text_file
from ignite_workflow.data.survey import survey_table
from ignite_workflow.data.tables import open_table
from ignite_workflow.errors import ConfigError, DataError


@pytest.fixture
def read(tmp_path):
    def table(content, name="table.csv", **said):
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        opened = open_table(str(path), ReadConfig(**said))
        rows = [row for chunk in opened.chunks() for row in chunk.frame.rows()]
        return opened.columns, rows, [note.removeprefix(f"{name}: ") for note in opened.notes]

    return table


ROWS = "\n".join(f"a{number}{{0}}{number}{{0}}{number},5" for number in range(20))


@pytest.mark.parametrize("delimiter", [";", "\t", "|", ":", "^", "~", "\x1f", " "])
def test_any_delimiter_is_found(read, delimiter):
    columns, rows, _ = read(f"name{delimiter}count{delimiter}size\n" + ROWS.format(delimiter))

    assert columns == ("name", "count", "size")
    assert rows[7] == ("a7", "7", "7,5")


def test_semicolons_part_numbers_with_commas_where_there_is_no_header(read):
    _, rows, _ = read("".join(f"{number},5;2,5;3,5\n" for number in range(20)))

    assert rows[0] == ("0,5", "2,5", "3,5")


def test_runs_of_blanks_part_cells(read):
    content = "".join(f"  {number / 7:8.3f}   {number}\t {number * 3:5d} \n" for number in range(20))

    assert read(content)[1][2] == ("0.286", "2", "6")


def test_blanks_in_quotes_are_kept(read):
    content = "name   size\n" + "".join(f'"a  {number}"   {number}\n' for number in range(20))

    assert read(content, delimiter=" ")[1][3] == ("a  3", "3")


def test_the_line_of_a_spreadsheet_that_names_the_delimiter_is_obeyed(read):
    assert read("sep=|\na|b\n1,2|3,4\n")[:2] == (("a", "b"), [("1,2", "3,4")])
    assert read("sep=é\na;b\n1;2\n3;4\n", header=2)[0] == ("a", "b")  # polars parts cells by one byte


@pytest.mark.parametrize(
    "above",
    [
        "Measured in Lyon\n",
        "Measured in Lyon\n\n",
        "Measured in Lyon,,\n",
        "# by hand, in a hurry\n# twice\n",
        '"Measured, mostly,\nin Lyon"\n\n',
        ",,\n",
        "Lyon\n-----\n",
    ],
)
def test_titles_and_comments_above_the_header_are_skipped_and_said(read, above):
    columns, rows, notes = read(f"{above}day,place,size\n" + "".join(f"{day},Lyon,{day}.5\n" for day in range(1, 20)))

    assert (columns, rows[0]) == (("day", "place", "size"), ("1", "Lyon", "1.5"))
    assert notes[0].startswith("what stands above line ")


@pytest.mark.parametrize("above", ["Device,X1\nRate,5,,,\n\n", "Device,X1,,\nRate,5\n"])
def test_names_and_values_above_the_header_are_skipped(read, above):
    columns, rows, _ = read(f"{above}day,place,size,y\n" + "".join(f"{day},Lyon,{day}.5,1\n" for day in range(1, 20)))

    assert (columns, rows[0]) == (("day", "place", "size", "y"), ("1", "Lyon", "1.5", "1"))


@pytest.mark.parametrize("line", ["TOA5,CR1000,5", "TOA5,CR1000,5,x", "TOA5,CR1000,5,x,y", "TOA5,CR1000,5,x,y,Table1"])
def test_a_first_line_that_names_no_columns_is_skipped(read, line):
    rows = "".join(f"2024-01-01,{row},{row}.5,x\n" for row in range(9))

    assert read(f"{line}\ntime,record,size,y\n{rows}")[0] == ("time", "record", "size", "y")


@pytest.mark.parametrize("header", ["time,NA,size,y", "time,5,size,y"])
def test_a_first_line_as_wide_as_no_other_is_refused_where_no_header_beyond_doubt_follows(read, header):
    with pytest.raises(DataError, match=r"line \d"):
        read(f"TOA5,CR1000,5,x,y\n{header}\n" + "".join(f"2024-01-01,{row},{row}.5,x\n" for row in range(9)))


def test_years_that_count_up_are_names_below_a_title_unless_years_stand_below(read):
    rows = "".join(f"c{row},{row},{row}.5\n" for row in range(9))

    assert read(f"World Bank\n\nname,2020,2021\n{rows}")[0] == ("name", "2020", "2021")
    assert read(f"Measured\nc,2020,2021\n{rows.replace('5', '2020')}")[0][1] != "2021"


@pytest.mark.parametrize(("title", "skipped"), [("|1x3 of a validator", True), ("a;b;c", False), ("a b c", False)])
def test_a_title_above_rows_without_header_is_skipped_unless_it_may_be_a_header(tmp_path, title, skipped):
    (tmp_path / "table.csv").write_text(f"{title}\n" + "".join(f"{number},{number}.5,x\n" for number in range(20)))

    if skipped:
        assert next(open_table(str(tmp_path / "table.csv")).chunks()).frame.rows()[0] == ("0", "0.5", "x")
    else:
        with pytest.raises(DataError, match=r"line 2"):
            list(open_table(str(tmp_path / "table.csv")).chunks())


@pytest.mark.parametrize("line", ["-----------", "|---|---|", "+---+---+"])
def test_a_line_drawn_beneath_names_below_a_title_is_no_data(read, line):
    columns, rows, notes = read(f"Report 5\n\n|a|b|\n{line}\n" + "".join(f"|x|{row}.5|\n" for row in range(9)))

    assert (columns, rows[0]) == (("column_1", "a", "b", "column_4"), ("", "x", "0.5", ""))
    assert notes[2] == "line 4 is drawn beneath the names and no data."


def test_a_name_that_is_not_there_is_told_those_that_are(tmp_path):
    (tmp_path / "table.csv").write_text("Device;X1\nRate;10;Hz\n\nt;size\n1;2\n3;4\n")

    with pytest.raises(
        ConfigError, match=r"Its columns: 'Device', 'X1'; if another line holds .* data\.read\.header\."
    ):
        survey_table(DataConfig(path=str(tmp_path / "table.csv"), target="size"))


def test_names_with_digits_are_names_below_a_title_too(read):
    assert read("Measured\nx1,x2\n1,2\n3,4\n")[:2] == (("x1", "x2"), [("1", "2"), ("3", "4")])


def test_a_header_that_is_a_comment_names_the_columns(read):
    assert read("# x,y\n1,2\n3,4\n")[0] == ("x", "y")


@pytest.mark.parametrize(
    "content", ["a,b\n1,2,3\n4,5,6\n", "name,city\nBob,Rome,x\nAl,Oslo,y\n", "name\nBob,5\nAl,6\n"]
)
def test_a_header_too_short_is_not_taken_for_a_title(read, content):
    with pytest.raises(
        DataError, match=r"line 2, column .: '.*' is too much: . cells where the header has .\. .* data\.read\."
    ):
        read(content)


@pytest.mark.parametrize(
    "name", ["{0}", '"{0}"', "Mazda{0}", "{0}7"], ids=["counted", "quoted", "names", "numbers of their own"]
)
def test_a_header_one_short_leaves_out_the_names_of_the_rows_as_r_does(read, name):
    content = '"x" "y" "z" "g"\n' + "".join(f'{name.format(row)} {row}.5 {row} 7 "a b"\n' for row in range(1, 13))

    columns, rows, notes = read(content)
    assert (columns, rows[0][1:]) == (("row_names", "x", "y", "z", "g"), ("1.5", "1", "7", "a b"))
    assert "the header has 4 cells, every row 5" in notes[1]
    with pytest.raises(DataError, match=r"5 cells where the header has 4"):
        read(content, delimiter=" ", row_names=False)


@pytest.mark.parametrize("first", ["{0}.5", "x", "{0}"])
def test_names_of_rows_that_may_be_data_are_asked(read, first):
    content = "a,b\n" + "".join(f"{first.format(row)},1,2\n" for row in range(5, 9))

    with pytest.raises(DataError, match=r"if rows begin with names .* data\.read\.row_names=true"):
        read(content)
    assert read(content, row_names=True)[0] == ("row_names", "a", "b")


def test_a_wrong_name_is_told_that_there_is_no_header(tmp_path):
    (tmp_path / "table.csv").write_text("".join(f"{number}.5,{number},7\n" for number in range(20)))
    said = r"No header was found in line 1: columns are called column_1 to column_3; .* data\.read\.header=true"

    with pytest.raises(ConfigError, match=said):
        survey_table(DataConfig(path=str(tmp_path / "table.csv"), target="y"))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (
            "".join(f"{number}.5,{number},setosa\n" for number in range(20)),
            "line 1 holds numbers where the lines below do",
        ),
        ("e,x\np,y\n" * 20, "most cells of line 1 stand in the lines below too"),
    ],
)
def test_a_file_without_header_keeps_its_first_row(read, content, said):
    columns, rows, notes = read(content)

    assert (columns[0], len(rows)) == ("column_1", len(content.splitlines()))
    assert said in notes[0]


def test_a_header_that_stands_again_where_files_were_joined_is_a_header(read):
    columns, rows, _ = read("a,b\n" + "1,x\n" * 30 + "a,b\n" + "2,y\n" * 30, repeated_header=False)

    assert (columns, rows[30]) == (("a", "b"), ("a", "b"))


@pytest.mark.parametrize("header", ["country,1990,1991,1992", "country,1940,1960,1980", "x,y,z,w", ",1,2,3"])
def test_names_may_be_years_or_numbers_that_count(read, header):
    assert read(header + "\n" + "".join(f"c{row},{row},5,6\n" for row in range(20)))[0][1] == header.split(",")[1]


def test_years_that_go_up_by_other_steps_are_names_where_there_are_four(read):
    few = "".join(f"c{row},{row}.5,5,6,{1790 + row}\n" for row in range(14))  # four of the cells look like years

    assert read("country,1990,1992,1995,2001\n" + few)[0][1] == "1990"
    assert read("country,1990,1992,1995,7\n" + few)[0][1] == "column_2"
    assert read("country,1990,1992,2001,1995\n" + few)[0][1] == "column_2"
    assert read("country,1990,1992,1995,2001\n" + few.replace("5,6", "1999,1998"))[0][1] == "column_2"


def test_the_only_column_of_a_file_without_header_is_named_as_one(read):
    assert read("1.5\n2.5\n3\n")[2] == ["no header, the column is named column_1."]


def test_a_header_is_where_a_person_says(read):
    content = "Bob,Rome\nname,city\nAl,Oslo\n"

    assert read(content, header=2)[:2] == (("name", "city"), [("Al", "Oslo")])
    assert len(read(content, header=False)[1]) == 3
    assert read(content, header=True)[0] == ("Bob", "Rome")
    with pytest.raises(DataError, match=r"data\.read\.header: line 9 is blank, or not among the first"):
        read(content, header=9)


def test_a_header_of_several_lines_keeps_them(read):
    assert read('"a\r\n\x0b\r end",b,c\r\nd,e,f\r\n')[:2] == (("a\r\n\x0b\r end", "b", "c"), [("d", "e", "f")])


def test_empty_cells_beyond_the_header_are_cut_and_said(read):
    columns, rows, notes = read("a,b\n1,2,\n3,4,,,\n5,6\n")

    assert (columns, rows) == (("a", "b"), [("1", "2"), ("3", "4"), ("5", "6")])
    assert notes == ["2 rows (the first in line 2) have more than 2 cells: empty ones at the end, cut off."]


def test_short_rows_are_filled_where_nothing_is_invented(read):
    _, rows, notes = read("a,b,,\n1,2,,\n3,4\n,\n\n")

    assert rows == [("1", "2", "", ""), ("3", "4", "", ""), ("", "", "", "")]
    assert notes == ["2 rows (the first in line 3) have fewer than 4 cells: filled with missing ones at the end."]


def test_short_rows_are_refused_unless_told_to_fill_them(read):
    content = "a,b,c\n1,2,3\n4,5\n"

    with pytest.raises(
        DataError, match=r"line 3, column 2 'b': .* 2 cells where the header has 3\. .* data\.read\.pad_rows=true"
    ):
        read(content)
    assert read(content, pad_rows=True)[1][1] == ("4", "5", "")
    with pytest.raises(DataError, match="line 2, column 3: '' is too much: 3 cells where the header has 2"):
        read("a,b\n1,2,\n3,4,\n", pad_rows=False)


def test_every_uneven_row_of_every_block_is_counted_once(read, monkeypatch):
    monkeypatch.setattr(text_file, "_BLOCK_BYTES", 32)
    content = "a,b\n" + "1,2,\n" * 50

    _, rows, notes = read(content)

    assert (len(rows), notes[0][:30]) == (50, "50 rows (the first in line 2) ")


def test_inches_are_no_quotes(read):
    _, rows, notes = read('item,price\n5" pipe,1\n6" hose,2\n7 bolts,3\n')

    assert rows[1] == ('6" hose', "2")
    assert notes == ["double quotes stand inside of cells only: taken as characters."]


def test_quotes_that_begin_a_cell_after_all_are_refused(read, monkeypatch):
    monkeypatch.setattr(text_file, "_SAMPLE_BYTES", 16)

    with pytest.raises(DataError, match=r"line 4, column 1 'item': a double quote begins the cell, but others"):
        read('item,price\n5" pipe,1\n6" hose,2\n"a,b",3\n')


@pytest.mark.parametrize("content", ["Chicago Reader 1971 40\nChicago Sun-Times 1948 63\nTribune 1, 1920\n"])
def test_columns_of_fixed_width_are_refused(read, content):
    with pytest.raises(DataError, match="if they have fixed widths"):
        read(content)


CELLS = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]) | st.sampled_from(' ",;|\t\n\r'), max_size=8
)


@given(
    st.integers(2, 4).flatmap(lambda width: st.lists(st.lists(CELLS, min_size=width, max_size=width), min_size=1)),
    st.sampled_from(",;|\t"),
    st.sampled_from(["\n", "\r\n"]),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"]),
)
def test_what_a_program_wrote_is_read_back(tmp_path_factory, rows, delimiter, end, encoding):
    path = tmp_path_factory.mktemp("table") / "table.csv"
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, lineterminator=end, quoting=csv.QUOTE_ALL)
    writer.writerow([f"name {number}" for number in range(len(rows[0]))])
    writer.writerows(rows)
    path.write_bytes(text.getvalue().encode(encoding))

    table = open_table(str(path), ReadConfig(delimiter=delimiter, header=True))

    assert [row for chunk in table.chunks() for row in chunk.frame.rows()] == [tuple(row) for row in rows]


def test_a_row_of_units_beneath_the_header_is_skipped_and_said(read):
    content = "name;weight;speed\n;kg;m/s\nAnn;1,5;2\nBob;3;4\n"

    columns, rows, notes = read(content)

    assert (columns, rows) == (("name", "weight", "speed"), [("Ann", "1,5", "2"), ("Bob", "3", "4")])
    assert notes[1] == "line 2 holds units and no data: weight kg, speed m/s; otherwise: data.read.units=false."
    assert len(read(content, units=False)[1]) == 3


def test_units_that_may_be_data_are_asked(read):
    content = "sex,weight\nm,kg\nm,70\nf,60\n"

    with pytest.raises(DataError, match=r"line 2, column 1 'sex': 'm' stands in a row .* data\.read\.units=true or"):
        read(content)
    assert len(read(content, units=True)[1]) == 2
    assert len(read(content, units=False)[1]) == 3


def test_titles_above_and_notes_below_a_short_table_leave_its_delimiter_alone(read):
    columns, rows, _ = read("Title\n\nname;b;c\n;kg;m/s\nx;1,5;2\ny;3;4\n\nQuelle: Amt, 2023\nStand: Mai\n")

    assert (columns, rows) == (("name", "b", "c"), [("x", "1,5", "2"), ("y", "3", "4")])


def test_tables_as_consoles_and_markdown_draw_them_are_read(read):
    psql = " id | name  | x\n----+-------+-----\n  1 | Ann   | 1.5\n  2 | Bob B | 2.5\n(2 rows)\n\n"
    mysql = "+----+------+\n| id | name |\n+----+------+\n|  1 | Ann  |\n|  2 | Bob  |\n+----+------+\n2 rows\n"
    markdown = "| id | name |\n|---:|:-----|\n| 1 | Ann |\n| 2 | Bob |\n"

    for content, last in ((psql, "Bob B"), (mysql, "Bob"), (markdown, "Bob")):
        columns, rows, notes = read(content)
        assert [name.strip() for name in columns if "column" not in name][:2] == ["id", "name"]
        assert len(rows) == 2
        assert last in [cell.strip() for cell in rows[1]]
        assert any("is drawn beneath the names and no data" in note for note in notes)


def test_a_cell_that_psql_continues_below_is_refused(read):
    with pytest.raises(DataError, match="line 3: a cell goes on in the next line"):
        read(" id  | x\n-----+---\n one+| 1\n two |\n 3   | 4\n")


def test_a_column_of_sentences_is_one_of_a_single_column(read):
    assert len(read("text\nhow are you\nI  am fine\nso\n")[1]) == 3


@pytest.mark.parametrize("header", ['"size" "color" "y"', '"name" "size" "color" "y"'])
def test_quoted_cells_between_blanks_need_not_be_numbers(read, header):
    columns, rows, _ = read(f"{header}\n" + "".join(f'"bolt {row}" {row}.5 "dark red" {row}\n' for row in range(12)))

    assert (columns[1:], rows[1]) == (("size", "color", "y"), ("bolt 1", "1.5", "dark red", "1"))


def test_a_line_drawn_as_long_as_short_names_is_no_data(read):
    columns, rows = read("id,x\n--,-\n1,2\n3,4\n")[:2]

    assert (columns, rows) == (("id", "x"), [("1", "2"), ("3", "4")])
    assert read("a,b\n-,-\n1,2\n3,4\n")[1][0] == ("-", "-")


def test_a_row_turned_into_columns_is_no_table(read):
    names = ",".join(f"c{number}" for number in range(100_001))

    with pytest.raises(DataError, match=r"line 1 has 100,001 columns; at most 100,000 are read"):
        read(f"{names}\n")
