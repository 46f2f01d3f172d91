import gzip
import io
import shutil
import zipfile
from dataclasses import fields

import polars as pl
import pytest
import xlsxwriter

from ignite_workflow.config import ReadConfig
from ignite_workflow.data.file_formats import READ_KEYS, FileFormat, find_file_format, is_table_file
from ignite_workflow.data.tables import open_table
from ignite_workflow.errors import ConfigError, DataError


def archive(name):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as file:
        file.writestr(name, "a,b\n1,2\n")
    return content.getvalue()


def workbook():
    content = io.BytesIO()
    with xlsxwriter.Workbook(content) as book:
        book.add_worksheet().write_column(0, 0, ["a", 1])
    return content.getvalue()


def parquet():
    content = io.BytesIO()
    pl.DataFrame({"a": [1]}).write_parquet(content)
    return content.getvalue()


def cells(path):
    return [cell for chunk in open_table(str(path)).chunks() for cell in chunk.frame["a"]]


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("a.csv", b"a,b\n", FileFormat.DELIMITED),
        ("a", b"a,b\n", FileFormat.DELIMITED),
        ("a.ndjson.gz", b"\x1f\x8b", FileFormat.JSON_LINES),
        ("a.json", b'{"a": 1}', FileFormat.JSON_LINES),
        ("a.csv", b"PAR1", FileFormat.PARQUET),
        ("a.pq", b"", FileFormat.PARQUET),
        ("a.csv", archive("xl/workbook.xml"), FileFormat.EXCEL),
        ("a.xls", archive("xl/workbook.xml"), FileFormat.EXCEL),
        ("a.csv", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", FileFormat.EXCEL),
        ("a.xls", b"a\tb\n1\t2\n", FileFormat.DELIMITED),
    ],
)
def test_the_first_bytes_tell_more_than_the_name(tmp_path, name, content, expected):
    (tmp_path / name).write_bytes(content)

    assert find_file_format(tmp_path / name) is expected


@pytest.mark.parametrize("name", ["a.csv", "a.xls", "a"])
@pytest.mark.parametrize("make", [workbook, parquet])
def test_a_file_of_another_name_is_read(tmp_path, make, name):
    (tmp_path / name).write_bytes(make())

    assert cells(tmp_path / name) == [1]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.xls", b"<html><table>", "a web page that is called a workbook"),
        ("a.csv", archive("a.csv"), "an archive of files: unpack it first"),
        ("a.csv", b"\n<!DOCTYPE html>\n<html>Sign in, please", "no table, but a web page, as servers send it"),
        ("a.json", b"<html>\n<body>404", "no table, but a web page"),
        ("a.csv", b'<?xml version="1.0"?>\n<rows/>', "no table, but XML"),
        ("a.csv", b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a", "keeps in its place: git lfs pull"),
        ("a.csv", b"SQLite format 3\0", "no table, but a SQLite database: export the table as CSV"),
        ("a.txt", b"%PDF-1.4\n", "no table, but a PDF"),
        ("a.txt", b"-- dump\n\nCREATE TABLE a (b int);\n", "no table, but statements of SQL"),
        ("a.txt", b"% iris\n@RELATION iris\n@attribute a numeric\n", "no table, but an ARFF file"),
        ("a.zip", archive("a.csv"), "an archive of files: unpack it first"),
        ("a.parquet.gz", gzip.compress(b"PAR1", mtime=0), "Parquet files are compressed in themselves"),
        ("a.sav", b"\0", r"no reader for \.sav files\. Known: \.csv, .*\.ods; the text ones also with \.gz, \.zst\.$"),
        ("a.lvm", b"x", r"no reader for \.lvm files\. .* If it is text with delimiters, call it \.csv\.$"),
    ],
)
def test_what_nothing_here_reads_is_one_line(tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)

    with pytest.raises((ConfigError, DataError), match=message):
        open_table(str(tmp_path / name))


def test_a_folder_is_one_table_of_its_data_files(tmp_path):
    for name in ("b.csv", "a.csv", ".hidden.csv", "_SUCCESS", "README.txt", "sub.csv"):
        (tmp_path / name).write_text(f"a\n{name}\n")
    (tmp_path / "sub.csv").unlink()
    (tmp_path / "sub.csv").mkdir()
    table = open_table(str(tmp_path))

    assert cells(tmp_path) == ["a.csv", "b.csv"]
    assert [path.name for path in table.paths] == ["a.csv", "b.csv"]
    assert is_table_file(str(tmp_path))


def test_a_folder_without_data_says_what_it_holds(tmp_path):
    for name in "gfedcba":
        (tmp_path / name).touch()

    with pytest.raises(
        ConfigError, match=r"data\.path: .* is a directory without a data file; it holds a, .*, e and 2 mo"
    ):
        open_table(str(tmp_path), option="data.path")


def test_several_files_of_each_format_are_one_table(tmp_path):
    for name, make in (("a.xlsx", workbook), ("a.parquet", parquet)):
        (tmp_path / name).write_bytes(make())
        shutil.copy(tmp_path / name, tmp_path / f"b_{name}")
        paths = [str(tmp_path / name), str(tmp_path / f"b_{name}")]
        chunks = list(open_table(paths).chunks())

        assert [(chunk.frame["a"].to_list(), chunk.first_row) for chunk in chunks] == [([1], 0), ([1], 1)]


def test_mixed_formats_are_refused(tmp_path):
    (tmp_path / "a.csv").write_text("a\n1\n")
    (tmp_path / "b.parquet").write_bytes(parquet())

    message = (
        r"data\.path: the files of a table are of one format, but .*a\.csv is text with delimiters and .*b\.parquet is"
    )
    with pytest.raises(ConfigError, match=message):
        open_table(str(tmp_path), option="data.path")


@pytest.mark.parametrize("content", ['{"a": 1}\n{"a": 2}\n', '[{"a": 1},\n {"a": 2}]', '[\n  {\n    "a": 1\n  }\n]'])
def test_json_under_the_name_of_text_is_json(tmp_path, content):
    path = tmp_path / "a.csv"
    path.write_text(content)

    assert find_file_format(path) is FileFormat.JSON_LINES


@pytest.mark.parametrize("content", ['{"a": 1},5\n{"a": 2},6\n', '"{""a"": 1}",5\n', "[1],x\n", "{a},b\n1,2\n"])
def test_cells_that_look_like_json_are_text(tmp_path, content):
    path = tmp_path / "a.csv"
    path.write_text(content)

    assert find_file_format(path) is FileFormat.DELIMITED


def test_each_way_to_say_how_a_file_is_read_is_of_some_format_or_of_cells():
    of_cells = {"decimal", "thousands", "flags", "negative", "day_first", "first_year", "zones", "missing_words"}
    of_files = {key for keys in READ_KEYS.values() for key in keys}

    assert of_files.isdisjoint(of_cells)
    assert of_files | of_cells == {each.name for each in fields(ReadConfig)}
    assert READ_KEYS.keys() == set(FileFormat)
