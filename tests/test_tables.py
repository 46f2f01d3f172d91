import gzip
import os

import polars as pl
import pytest

from ignite_workflow.config import ReadConfig
from ignite_workflow.data import text_file, text_records
from ignite_workflow.data.cells import CellRules, parse_numbers
from ignite_workflow.data.chunk import Chunk, as_chunk, find_column, find_columns
from ignite_workflow.data.tables import open_table, read_table
from ignite_workflow.errors import ConfigError, DataError

RULES = CellRules()


def approx(values):
    return pytest.approx(values, rel=0, abs=0, nan_ok=True)


@pytest.fixture
def write(tmp_path):
    def write(content, name="table.csv", encoding="utf-8"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
        return str(path)

    return write


def rows(path, **read):
    return [row for chunk in read_table(path, ReadConfig(**read)) for row in chunk.frame.rows()]


def columns(path, **read):
    return open_table(path, ReadConfig(**read)).columns


def test_cells_are_read_as_the_text_they_are(write):
    path = write('zip,price,note\n01234,"1,5",\n00001,1e3, x \n')

    assert rows(path) == [("01234", "1,5", ""), ("00001", "1e3", " x ")]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("last", [True, False])
def test_lines_end_in_any_way(write, end, last):
    text = end.join(["a,b", "1,2", "3,4"]) + (end if last else "")

    assert rows(write(text)) == [("1", "2"), ("3", "4")]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found(write, delimiter):
    path = write(f"a{delimiter}b\n1{delimiter}2\n")

    assert rows(path) == [("1", "2")]


def test_a_comma_inside_numbers_does_not_hide_the_semicolon(write):
    assert rows(write("a;b\n1,5;2,5\n1,25;3\n")) == [("1,5", "2,5"), ("1,25", "3")]


def test_the_extension_tsv_says_tab(write):
    assert columns(write("a,b\tc\n1,2\t3\n", "table.tsv")) == ("a,b", "c")


def test_a_delimiter_given_is_used(write):
    assert rows(write("a:b\n1:2\n"), delimiter=":") == [("1", "2")]


def test_a_delimiter_of_two_characters_is_refused(write):
    with pytest.raises(ConfigError, match=r"data\.read\.delimiter: must be one ASCII character, got '::'"):
        open_table(write("a::b\n1::2\n"), ReadConfig(delimiter="::"))


def test_quoted_cells_hold_delimiters_quotes_and_line_breaks(write):
    path = write('a,b\n"x,y","say ""hi"""\n"two\nlines",2\n')

    assert rows(path) == [("x,y", 'say "hi"'), ("two\nlines", "2")]


CELLS = [
    "1.5",
    " 2.5",
    "2.5 ",
    '"3.5"',
    "1e400",
    "nan",
    "-inf",
    ".5",
    "5.",
    "+1E-3",
    "0.1000000000000000055511151231257827",
]


@pytest.mark.parametrize("cell", [*CELLS, "", "1_000", "x", "1.5.2", "0x10", "1,5"])
def test_numbers_read_right_away_are_those_of_a_cast(write, cell):
    delimiter = ";" if "," in cell else ","
    table = open_table(write(delimiter.join(["a", "b"]) + f"\n1.25{delimiter}k\n{cell}{delimiter}1\n"))
    [text], [typed] = table.chunks(), table.chunks({"a"})

    assert parse_numbers(typed.frame["a"], RULES).values.tolist() == approx(
        parse_numbers(text.frame["a"], RULES).values
    )
    assert typed.frame["b"].to_list() == ["k", "1"]


@pytest.mark.parametrize("record", ["3.5", "3.5,4,5", '3.5,"4'])
def test_rows_are_as_even_where_numbers_are_read_right_away(write, record):
    with pytest.raises(DataError, match="line 3"):
        list(open_table(write(f"a,b\n1.5,2\n{record}\n")).chunks({"a"}))


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("record", [",2,x", "1.5,,x", "1.5,2,", ",,"])
def test_empty_cells_do_not_keep_the_others_from_being_read_as_numbers(write, record, end):
    table = open_table(write(end.join(["a,b,c", record, "3.5,4,y", record])))
    frame = pl.concat([chunk.frame for chunk in table.chunks({"a", "b"})])
    a, b, c = record.split(",")

    assert frame["a"].to_list() == [float(a) if a else None, 3.5, float(a) if a else None]
    assert frame["b"].to_list() == [float(b) if b else None, 4.0, float(b) if b else None]
    assert frame["c"].to_list() == [c, "y", c]


@pytest.mark.parametrize("record", ["NA,2,x", "1.5, ,x", '1.5,"",x'])
def test_what_is_neither_a_number_nor_empty_is_read_as_text(write, record):
    [chunk] = open_table(write(f"a,b,c\n,4,y\n{record}\n")).chunks({"a", "b"})

    assert chunk.frame.dtypes == [pl.String] * 3


def test_a_short_row_is_found_among_empty_cells(write):
    with pytest.raises(DataError, match="line 4"):
        list(open_table(write("a,b,c\n1.5,,z\n,,\n1.5,2\n")).chunks({"a", "b"}))


def test_blank_lines_are_no_records_where_numbers_are_read_right_away(write):
    [chunk] = open_table(write("a\n1.5\n\n2.5\n\n")).chunks({"a"})

    assert chunk.frame["a"].to_list() == ["1.5", "2.5"]


def test_blocks_are_cut_between_records(write, monkeypatch):
    monkeypatch.setattr(text_file, "_BLOCK_BYTES", 7)
    expected = [(str(number), f"line\n{number},") for number in range(50)]
    path = write("a,b\n" + "".join(f'{a},"{b}"\n' for a, b in expected))

    assert rows(path) == expected


def test_a_place_is_line_and_row(write, monkeypatch):
    monkeypatch.setattr(text_file, "_BLOCK_BYTES", 7)
    path = write('a,b\n1,"x\ny"\n\n3,4\n5,6\n')
    places = [chunk.place(index) for chunk in read_table(path) for index in range(chunk.frame.height)]

    assert places == [f"{path}: line 2 (row 0)", f"{path}: line 5 (row 1)", f"{path}: line 6 (row 2)"]


def test_blank_lines_are_no_records(write):
    assert rows(write("\n\na,b\n1,2\n\n3,4\n\n\n")) == [("1", "2"), ("3", "4")]


def test_blank_lines_of_a_single_column_are_no_records(write):
    assert rows(write('a\n1\n\n""\n2\n')) == [("1",), ("",), ("2",)]


def test_rows_of_empty_cells_are_records(write):
    assert rows(write("a,b\n1,2\n,\n")) == [("1", "2"), ("", "")]


@pytest.mark.parametrize(
    ("record", "where"),
    [
        ("3", "column 1 'a': the row ends here"),
        ('3,"4,4",5,6', "column 3: '5' is too much"),
        ("3,4,5", "column 3: '5' .*"),
    ],
)
def test_a_ragged_row_is_named(write, record, where):
    path = write(f'a,b\n1,"2\n2"\n\n{record}\n5,6\n')

    with pytest.raises(
        DataError, match=f"table.csv: line 5, {where}: {record.replace('4,4', '').count(',') + 1} cells? where .* has 2"
    ):
        rows(path)


def test_ragged_rows_that_make_up_for_each_other_are_found(write):
    with pytest.raises(DataError, match="line 2, column 1 'a': the row ends here: 1 cell where the header has 2"):
        rows(write("a,b\n1\n2,3,4\n"))


def test_a_stray_quote_in_the_very_first_cell_is_named(write):
    with pytest.raises(DataError, match=r"line 2, column 1 'a': the quote that opens here is followed by one"):
        rows(write('a,b\n"1" x,"2"\n'))


def test_an_unclosed_quote_is_named(write):
    with pytest.raises(DataError, match=r"line 3, column 2 'b': a quote is opened and not closed again"):
        rows(write('a,b\n1,2\n3,"4\n5,6\n'))


def test_an_endless_line_is_not_taken_for_a_quote(write, monkeypatch):
    monkeypatch.setattr(text_file, "_BLOCK_BYTES", 8)
    monkeypatch.setattr(text_records, "_LONGEST_RECORD", 64)

    with pytest.raises(DataError, match=r": line 3 has \d+ MB and more, as no record of a table"):
        rows(write("a,b\n1,2\n" + "x" * 100))


def test_an_endless_quote_does_not_fill_the_memory(write, monkeypatch):
    monkeypatch.setattr(text_file, "_BLOCK_BYTES", 8)
    monkeypatch.setattr(text_records, "_LONGEST_RECORD", 64)

    with pytest.raises(DataError, match=r"line 2, column 2 'b': a quote is opened"):
        rows(write('a,b\n1,"2\n' + "3,4\n" * 100 + '"'))


def test_a_file_of_numbers_only_has_no_header(write):
    path = write("1,2\n3,4\n")

    assert (columns(path), rows(path)) == (("column_1", "column_2"), [("1", "2"), ("3", "4")])


def test_a_very_wide_header_is_read_whole(write):
    names = [f"a_rather_long_name_of_gene_{number}" for number in range(10_000)]
    path = write(";".join(names) + "\n" + ";".join(["1"] * len(names)) + "\n")

    assert columns(path) == tuple(names)


def test_header_can_be_told(write):
    path = write("1,2\n3,4\n")

    assert (columns(path, header=True), rows(path, header=True)) == (("1", "2"), [("3", "4")])


def test_a_nameless_column_is_numbered(write):
    assert columns(write("a,,b\n1,2,3\n")) == ("a", "column_2", "b")


def test_a_name_that_stands_twice_is_numbered_and_said(write):
    table = open_table(write("a,b,a,a_2\n1,2,3,4\n"))

    assert table.columns == ("a", "b", "a_3", "a_2")
    assert table.notes == ("table.csv: columns 1 and 3 are both named 'a': the second is 'a_3'.",)


@pytest.mark.parametrize("content", ["", "\n\n", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("name", ["table.csv", "table.jsonl"])
def test_an_empty_file_is_named(write, content, name):
    with pytest.raises(DataError, match=f"{name}: (the file is empty|there are no records)"):
        open_table(write(content, name))


def test_a_header_alone_is_not_a_table(write):
    with pytest.raises(DataError, match=r"table.csv: no rows below the header"):
        rows(write("a,b\n"))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252", "latin-1"])
def test_other_encodings_are_read(write, encoding):
    text = "name,city\n" + "Jürgen,Köln\nZoë,Besançon\nÅsa,Malmö\n" * 5
    given = {"encoding": encoding} if encoding == "utf-16-le" else {}

    assert rows(write(text, encoding=encoding), **given)[:2] == [("Jürgen", "Köln"), ("Zoë", "Besançon")]


def test_a_foreign_byte_far_down_is_found_and_said(write, monkeypatch):
    monkeypatch.setattr(text_file, "_BLOCK_BYTES", 256)
    path = write("name\n" + "Anna\n" * 100 + "Jürgen\nZoë\nÅsa\nFrançois\nSeñor Muñoz\n" * 3, encoding="cp1252")

    assert rows(path)[-1] == ("Señor Muñoz",)
    assert open_table(path).notes == (
        "table.csv: not UTF-8, read as cp1252, then it reads 'Jürgen'; if that is wrong: data.read.encoding.",
    )


def test_an_encoding_that_does_not_fit_is_named(write):
    with pytest.raises(DataError, match=r"table.csv: not ascii .* data\.read\.encoding"):
        rows(write("a\nö\n"), encoding="ascii")


def test_an_encoding_nobody_knows_is_refused(write):
    with pytest.raises(ConfigError, match=r"data\.read\.encoding: 'klingon' is no encoding"):
        open_table(write("a\n1\n"), ReadConfig(encoding="klingon"))


@pytest.mark.parametrize("name", ["table.csv", "table.jsonl"])
def test_compressed_text_is_read(write, name):
    content = "a,b\n1,2\n" if name.endswith("csv") else '{"a": "1", "b": "2"}\n'

    assert rows(write(gzip.compress(content.encode()), f"{name}.gz")) == [("1", "2")]


@pytest.mark.parametrize(
    "damage", [lambda data: data[:-9], lambda data: b"not\0gzip", lambda data: data[:20] + b"x" * 30]
)
def test_a_damaged_compressed_file_is_named(write, damage):
    path = write(damage(gzip.compress(b"a,b\n" + b"1,2\n" * 50)), "table.csv.gz")

    with pytest.raises(DataError, match=r"table\.csv\.gz: the compressed file is damaged"):
        rows(path)


def test_json_lines_keep_types_and_fill_keys(write):
    path = write('{"a": 1}\n{"a": 2, "b": "x"}\n\n{"b": null, "c": true}\n', "table.jsonl")

    assert columns(path) == ("a", "b", "c")
    assert rows(path) == [(1, None, None), (2, "x", None), (None, None, True)]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"a": ', "not JSON"),
        ("[1]", "a JSON object is needed"),
        ('{"a": true}', "key 'a': true among numbers"),
    ],
)
def test_a_bad_json_line_is_named(write, line, message):
    with pytest.raises(DataError, match=f"line 3.*{message}"):
        rows(write('{"a": 1}\n\n' + line + "\n", "table.jsonl"))


def test_parquet_keeps_types(tmp_path):
    frame = pl.DataFrame({"a": [1, None], "b": ["x", "y"]})
    frame.write_parquet(tmp_path / "table.parquet")
    [chunk] = read_table(str(tmp_path / "table.parquet"))

    assert chunk.frame.equals(frame)
    assert chunk.place(1).endswith("table.parquet: row 1")


def test_a_damaged_parquet_file_is_named(write):
    with pytest.raises(DataError, match=r"table\.parquet: not a Parquet file, or a damaged one"):
        open_table(write(b"PAR1 and nothing more", "table.parquet"))


def test_a_glob_that_meets_itself_through_a_link_reads_each_file_once(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.csv").write_text("x\n1\n")
    (tmp_path / "in" / "again").symlink_to(tmp_path / "in")

    assert open_table(f"{tmp_path}/**/*.csv").paths == (tmp_path / "in" / "a.csv",)


def test_a_pipe_is_refused_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.csv")

    for path in (str(tmp_path / "pipe.csv"), "/dev/zero"):
        with pytest.raises(ConfigError, match=rf"^{path} is a pipe or a device: name a file, or write what comes"):
            open_table(path)


def test_a_file_on_standard_input_is_refused_as_it_is_another_one_the_next_time(tmp_path):
    with (tmp_path / "table.csv").open("w+") as file:
        for path in ("/proc/self/fd/{}", "/dev/fd/{}"):
            with pytest.raises(ConfigError, match="is a pipe or a device: name a file"):
                open_table(path.format(file.fileno()))


def test_a_link_to_nothing_is_no_misspelt_name(tmp_path):
    (tmp_path / "link.csv").symlink_to("gone.csv")

    with pytest.raises(ConfigError, match=r"link\.csv is a link to gone\.csv, which is not there\.$"):
        open_table(str(tmp_path / "link.csv"))


def test_a_glob_is_one_table_whose_rows_run_on(write, tmp_path):
    write("a,b\n3,4\n", "part2.csv")
    write("a,b\n1,2\n", "part1.csv")
    chunks = list(read_table(str(tmp_path / "part*.csv")))

    assert [chunk.frame.rows() for chunk in chunks] == [[("1", "2")], [("3", "4")]]
    assert chunks[1].place(0).endswith("part2.csv: line 2 (row 1)")


def test_files_of_one_table_may_order_their_columns_differently(write):
    assert rows([write("a,b\n1,2\n", "x.csv"), write("b,a\n4,3\n", "y.csv")]) == [("1", "2"), ("3", "4")]


@pytest.mark.parametrize(("header", "message"), [("a", "no column 'bill'"), ("a,bill,c", "column 'c' is not in")])
def test_a_file_of_other_columns_is_named(write, header, message):
    with pytest.raises(DataError, match=rf"other\.csv: {message}"):
        open_table([write("a,bill\n1,2\n"), write(f"{header}\n{header}\n", "other.csv")])


def test_a_missing_file_suggests_the_nearest(write, tmp_path):
    write("a\n1\n", "penguins.csv")

    with pytest.raises(ConfigError, match=r"data\.path: no file .*pengiuns\.csv\. Did you mean 'penguins\.csv'\?"):
        open_table(str(tmp_path / "pengiuns.csv"), option="data.path")


def test_columns_are_found_exactly_first_then_without_blanks():
    assert find_column("a", ["a ", "a"]) == "a"
    assert find_column("a", ["a ", "b"]) == "a "
    assert find_column("a", ["a ", " a"]) is None


def test_of_many_columns_each_is_found_as_one_is():
    assert find_columns(["a", "b", "c"], ["a", "a ", " b"]) == {"a": "a", "b": " b", "c": None}


def test_a_missing_column_suggests_the_nearest():
    with pytest.raises(DataError, match=r"new: no column 'bill'\. Did you mean 'bil'\?"):
        Chunk(pl.DataFrame({"bil": [1]}), "new").column("bill")


@pytest.mark.parametrize("data", [{"a": [1, 2]}, {"a": pl.Series([1, 2])}, pl.DataFrame({"a": [1, 2]})])
def test_data_of_python_code_is_taken(data):
    assert as_chunk(data, "rows", 7).place(1) == "rows: row 8"
    assert as_chunk(data).frame["a"].to_list() == [1, 2]


def test_columns_of_different_lengths_are_refused():
    with pytest.raises(DataError, match="not a table"):
        as_chunk({"a": [1, 2], "b": [1, 2, 3]})


def test_a_pattern_that_matches_nothing_is_told_as_one():
    with pytest.raises(ConfigError, match=r"^no file has a name like .*/sales_\*\.csv\.$"):
        open_table("/nowhere/sales_*.csv")


@pytest.mark.parametrize("name", ["a" * 5000 + ".csv", "a/" * 2500 + "a.csv"])
def test_a_path_too_long_for_any_file_is_no_file(name):
    with pytest.raises(ConfigError, match=r"no file a.*a\.csv"):
        open_table(name)


@pytest.mark.parametrize("cell", ["he said\\, to", "'x, y'"])
def test_a_delimiter_inside_of_a_cell_is_no_name_of_a_row(write, cell):
    with pytest.raises(DataError, match=r"line 2, column 4: '0' is too much: 4 cells where the header has 3"):
        rows(write('a,"b",c\n' + "".join(f"{number},{cell},{number}\n" for number in range(30))))
