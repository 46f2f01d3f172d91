import base64
import datetime as dt
import gzip
import os
import zipfile
from pathlib import Path

import fastexcel
import polars as pl
import pytest
import xlsxwriter

from ignite_workflow.config import DataConfig, ReadConfig
from ignite_workflow.data import excel, limited_process, sheet_process
from ignite_workflow.data.cells import CellRules
from ignite_workflow.data.file_formats import is_table_file
from ignite_workflow.data.merged_cells import Merge, fill_merged, merged_over_rows
from ignite_workflow.data.number_format import NumberFormat
from ignite_workflow.data.position import Position
from ignite_workflow.data.schema import Column, Part, Schema, TargetColumn
from ignite_workflow.data.sheet_area import SheetOptions
from ignite_workflow.data.survey import survey_table
from ignite_workflow.data.tables import open_table
from ignite_workflow.errors import ConfigError, DataError

XLS = """
H4sIAAAAAAACA+1YTUhUURT+7pv3xhl/RxsFjYZBSMsU/KtsoVORuVKsTVFBjc0jh8kZGceFLsqyWQZBq6KNYIs29rOwfyjaBAVG
LYIgcGrZKihoob7OPe+N+TMDDpigvPO4595z7jnfvffc8+59Mx9mSmcnHlalsII64MCC4YZziU5QcacFD6jfMGQzXbuoGDZtKnK7
aCOdGp4Xvc+Teyj3OwUFD9TXxIFvVM5gED2xqO7fQDrMcwgKOYd2oVLuKbhDpRiVPK8y5ueZb2N+n21fMD/ImuvM28l2VpzCTKCn
rs3K45NKNfcVExd4zD5fWNOEcryVeXz5hjBtNRyKh4MX7Y5VHT61EJOgtOnSo3pcyiW4i3xghKhhYKAhFJqFl1JqEr8NP/ArfXa8
8tv6jdULkP7Pcn1eFr2LNjGT3k1PJn1+FvuCLPaFGexvKiowBuOckC9kEkWo1WSPhs6BwcRIkpxO81Wk4kgwEZxDmDTgQudXtx4c
Go7rIX846m9ubG4lrKFwQieERDCiR6ke6g/GdQcwGh6ktzwWIVU0Fk/0k2VjU3OLtIgNm2Lr3n1UEWJCSvvbDuTLa4+PSc+yY7KI
D49C4iGUcLuUjxAPRXDu3s+P3X29gbOsGeOr0aSdcqUwcEV6kHPxiou3jj32ML/KqNu5XcXcSxGhuqa33GocHWeba9xbQ+O0MH0K
1C5p76J28sexJ77k98Buak91pUa9U58DE6imPQqRv3zGUS/qxe1bkp4G0rWwjtqvzCtXHbsdShmmZYMO3X+0fjETWWNmfppomzBm
LsVjrc2wvqxKMM8xA8UDloXCq1tuobCFjIkppeNnSgpJjkXJQZK6KKkkaRayIwOyg5FlTF/S7B2Qa3j0RqEZXyCdYtlITLmZmuKi
tspzkYhqBkSVEV0WorzCvZgmxHK8W0RUGdFtIaqMaM5Ry4CoMaKM0yVFSgIVeEaITuzgrTVXLz9CTbc8+AR8lCmmsxyqwBpKsybP
6YtM6WuTTTbZZJNNW5cEX8Xgi1O1PqecfHWa/+vMU1mw/ybZsnQcMXoS9HOsE1Gq4xjJKX8qoIk0llijT/r/QkknaPQ4IujjeURy
zl/60BZL17NmR8/6vUK5jr+Qyzz/8/h/AWI+jBUAFgAA
"""
NAMESPACE = "http://schemas.openxmlformats.org/"
SHEET = f'<worksheet xmlns="{NAMESPACE}spreadsheetml/2006/main"><sheetData>%s</sheetData></worksheet>'
OFFICE = "urn:oasis:names:tc:opendocument:xmlns"


@pytest.fixture
def write(tmp_path):
    """Write the sheets of a workbook: cells by their place, a pair is a value and its format."""

    def write(name="book.xlsx", **sheets):
        path = tmp_path / name
        book = xlsxwriter.Workbook(path)
        for title, cells in sheets.items():
            sheet = book.add_worksheet(title)
            for (row, column), value in cells.items():
                value, form = value if isinstance(value, tuple) else (value, None)
                sheet.write(row, column, value, form and book.add_format({"num_format": form}))
        book.close()
        return str(path)

    return write


@pytest.fixture
def pack(tmp_path):
    """Make the archive of a workbook whose only sheet is this XML."""

    def pack(sheet, strings=""):
        relation = f'<Relationship Id="r%s" Type="{NAMESPACE}officeDocument/2006/relationships/%s" Target="%s"/>'
        relations = f'<Relationships xmlns="{NAMESPACE}package/2006/relationships">%s</Relationships>'
        inner = relation % (1, "worksheet", "sheet.xml") + relation % (2, "sharedStrings", "sharedStrings.xml")
        names = f'xmlns="{NAMESPACE}spreadsheetml/2006/main" xmlns:r="{NAMESPACE}officeDocument/2006/relationships"'
        book = f'<workbook {names}><sheets><sheet name="S" sheetId="1" r:id="r1"/></sheets></workbook>'
        strings = f'<sst xmlns="{NAMESPACE}spreadsheetml/2006/main">{strings}</sst>'
        path = tmp_path / "packed.xlsx"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("_rels/.rels", relations % (relation % (1, "officeDocument", "xl/workbook.xml")))
            archive.writestr("xl/workbook.xml", book)
            archive.writestr("xl/_rels/workbook.xml.rels", relations % inner)
            archive.writestr("xl/sheet.xml", sheet)
            archive.writestr("xl/sharedStrings.xml", strings)
        return str(path)

    return pack


def grid(*rows, top=0, left=0):
    return {(top + y, left + x): cell for y, row in enumerate(rows) for x, cell in enumerate(row) if cell is not None}


def cells(path, **read):
    table = open_table(path, ReadConfig(**read))
    return [table.columns, *(row for chunk in table.chunks() for row in chunk.frame.rows())]


def test_cells_have_their_own_types(write):
    day, moment = (dt.datetime(2024, 1, 31), "yyyy-mm-dd"), (dt.datetime(2024, 1, 31, 12, 30), "dd.mm.yy hh:mm")
    path = write(S=grid(["n", "d", "t", "p", "b", "z"], [1.5, day, moment, (0.15, "0%"), True, "0123"]))

    row = (1.5, dt.datetime(2024, 1, 31), dt.datetime(2024, 1, 31, 12, 30), 0.15, True, "0123")
    assert cells(path) == [("n", "d", "t", "p", "b", "z"), row]


def test_a_time_of_day_and_a_duration_are_seconds(write):
    path = write(S=grid(["t", "d"], [(dt.time(12, 30), "hh:mm"), (dt.timedelta(hours=30), "[h]:mm")]))

    assert cells(path) == [("t", "d"), (45_000.0, 108_000.0)]


def test_numbers_keep_every_digit_beside_a_word(write):
    path = write(S=grid(["a"], [1.234567890123], [1e-12], ["n/a"], [7]))

    assert cells(path)[1:] == [("1.234567890123",), ("1e-12",), ("n/a",), ("7",)]


def test_error_cells_are_missing_and_formulas_have_the_value_saved_with_them(tmp_path):
    book = xlsxwriter.Workbook(tmp_path / "book.xlsx")
    sheet = book.add_worksheet()
    sheet.write_row(0, 0, ["a", "b"])
    sheet.write_row(1, 0, [1, 2])
    sheet.write_formula(2, 0, "=1/0", None, "#DIV/0!")
    sheet.write_formula(2, 1, '=WEBSERVICE("http://127.0.0.1/")+1', None, 41)
    book.close()

    assert cells(str(tmp_path / "book.xlsx"))[1:] == [(1.0, 2.0), (None, 41.0)]


def test_the_first_sheet_that_is_not_empty_is_read_and_said(write):
    table = open_table(write(Empty={}, Data=grid(["a"], [1]), More=grid(["b"], [1])))

    assert table.columns == ("a",)
    assert table.notes == (
        "book.xlsx: sheet 'Data' (the first of 3 that shows anything; another: data.read.sheet): the header is row 1.",
    )


def test_a_sheet_given_is_read(write):
    assert cells(write(A=grid(["a"], [1]), B=grid(["b"], [2])), sheet="B") == [("b",), (2.0,)]


def test_an_unknown_sheet_names_the_nearest(write):
    message = r"data\.read\.sheet: no sheet 'Dta' in .*book\.xlsx\. Did you mean 'Data'\? Known: 'Data', 'B'\.$"
    with pytest.raises(ConfigError, match=message):
        open_table(write(Data=grid(["a"], [1]), B={}), ReadConfig(sheet="Dta"))


@pytest.mark.parametrize(
    ("read", "message"), [({}, "every sheet is empty: 'A', 'B'"), ({"sheet": "B"}, "sheet 'B' is")]
)
def test_empty_sheets_are_refused(write, read, message):
    with pytest.raises(DataError, match=message):
        open_table(write(A={}, B={}), ReadConfig(**read))


def test_titles_empty_rows_and_empty_columns_are_no_part_of_the_table(write):
    rows = [["Sales of 2024"], [], ["a", None, "b"], [1, None, 2], [], [3, None, 4]]
    table = open_table(write(S=grid(*rows, top=2, left=3)))
    [chunk] = table.chunks()

    assert (table.columns, chunk.frame.rows()) == (("a", "b"), [(1.0, 2.0), (3.0, 4.0)])
    assert table.notes == (
        "book.xlsx: sheet 'S': the header is row 5, the first as full as those below; another: data.read.header.",
    )
    assert chunk.place(1).endswith("book.xlsx: sheet 'S' row 8 (row 1)")


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (2, [("x", "y"), (1.0, 2.0)]),
        (True, [("a", "b"), ("x", "y"), ("1", "2")]),
        (False, [("column_1", "column_2"), ("a", "b"), ("x", "y"), ("1", "2")]),
    ],
)
def test_the_header_is_where_a_person_says(write, header, expected):
    assert cells(write(S=grid(["a", "b"], ["x", "y"], [1, 2])), header=header) == expected


def test_a_sheet_of_numbers_has_no_header(write):
    table = open_table(write(S=grid([1, 2], [3, 4])))

    assert table.columns == ("column_1", "column_2")
    assert table.notes == ("book.xlsx: sheet 'S': no header, the columns are named column_1 to column_2.",)


def test_a_name_that_stands_twice_gets_a_number_and_is_said(write):
    table = open_table(write(S=grid(["a", "b", "a"], [1, 2, 3], left=1)))

    assert table.columns == ("a", "b", "a_2")
    assert table.notes[1] == "book.xlsx: columns B and D are both named 'a': the second is 'a_2'."


def test_tables_side_by_side_are_one_and_that_is_said(write):
    left = grid(("a", "b"), *((row, row % 3) for row in range(5)))
    right = grid(("a", "c"), *((row, row % 2) for row in range(3)), left=3)

    table = open_table(write(Data={**left, **right}), ReadConfig())

    assert table.columns == ("a", "b", "a_2", "c")
    assert "columns A to B (to row 6), D to E (to row 4) are parted by empty columns" in table.notes[-1]


def test_a_wrong_name_is_told_which_sheet_is_read(write):
    path = write(First=grid(["a", "b"], [1, 2]), Second=grid(["c", "d"], [1, 2]))

    with pytest.raises(ConfigError, match=r"of sheet 'First' row 1; other sheets \(data\.read\.sheet\): 'Second'\.$"):
        survey_table(DataConfig(path=path, target="d"))


@pytest.mark.parametrize("below", ["f", 2024, 7, 1950.5])
def test_names_over_two_rows_with_merged_cells_are_joined(tmp_path, below):
    with xlsxwriter.Workbook(tmp_path / "book.xlsx") as book:
        sheet = book.add_worksheet("S")
        sheet.merge_range("A1:A2", "x")
        sheet.merge_range("B1:C1", "Measures")
        sheet.write_row("B2", [below, "g"])
        sheet.write_row("A3", [1, 2, 3])
    table = open_table(str(tmp_path / "book.xlsx"))

    joined = ("x", f"Measures {below}", "Measures g")
    assert table.columns == (joined if below in ("f", 2024) else ("x", "Measures", "column_3"))  # a number is data


def test_a_column_named_like_one_of_ours_is_read(write):
    assert cells(write(S=grid(["row", "0"], [1, 2]))) == [("row", "0"), (1.0, 2.0)]


def test_cells_merged_over_rows_have_their_value_in_each(tmp_path):
    with xlsxwriter.Workbook(tmp_path / "book.xlsx") as book:
        book.add_worksheet("Other").merge_range("B3:B5", "not here")
        sheet = book.add_worksheet("S <1>")
        sheet.merge_range("B1:C1", "a title")
        sheet.write_row("B2", ["a", "b"])
        sheet.write_column("C3", [1, 2, 3, 4])
        sheet.merge_range("B3:B4", "x")
        sheet.merge_range("B5:B6", 7)

    assert cells(str(tmp_path / "book.xlsx"), sheet="S <1>", header=2)[1:] == [
        ("x", 1.0), ("x", 2.0), ("7", 3.0), ("7", 4.0),
    ]  # fmt: skip


def test_xls_is_read(tmp_path):
    (tmp_path / "small.xls").write_bytes(gzip.decompress(base64.b64decode(XLS)))
    names, first, *_, last = cells(str(tmp_path / "small.xls"))

    assert names == ("site", "taken", "share", "zip", "ok")
    assert first == ("north", dt.datetime(2024, 1, 1), 0.25, "0123", True)
    assert last == ("east", dt.datetime(2024, 1, 3), None, "0789", True)


ODS_ROW = "<table:table-row>%s</table:table-row>"
ODS_NUMBER = '<table:table-cell office:value-type="float" office:value="%s"/>'
ODS_WORD = '<table:table-cell office:value-type="string"><text:p>%s</text:p></table:table-cell>'
ODS_TIME = '<table:table-cell office:value-type="time" office:time-value="%s"/>'


def write_ods(path, table):
    names = "".join(f' xmlns:{name}="{OFFICE}:{name}:1.0"' for name in ("office", "table", "text"))
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        content = f'<office:spreadsheet><table:table table:name="S">{table}</table:table></office:spreadsheet>'
        content = f"<office:body>{content}</office:body>"
        archive.writestr("content.xml", f"<office:document-content{names}>{content}</office:document-content>")
        archive.writestr("META-INF/manifest.xml", f'<manifest:manifest xmlns:manifest="{OFFICE}:manifest:1.0"/>')
    return str(path)


def test_errors_of_formulas_are_missing(tmp_path):
    errors = ["#NAME?", "#DIV/0!", "#N/A", "#REF!", "#VALUE!", "#NUM!", "#NULL!"]
    book = xlsxwriter.Workbook(tmp_path / "book.xlsx")
    sheet = book.add_worksheet()
    for column, error in enumerate([*errors, "#NAME?"]):
        sheet.write_column(0, column, [f"x{column}", 1])
        sheet.write_formula(2, column, "=1", None, error)
    book.close()

    assert cells(str(tmp_path / "book.xlsx"))[1:] == [("1", 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, "1")]


def test_a_sheet_of_durations_alone_is_empty(tmp_path):
    with pytest.raises(DataError, match=r"book\.ods: every sheet is empty: 'S'\.$"):
        cells(write_ods(tmp_path / "book.ods", ODS_ROW % (ODS_TIME % "PT1H")))


def test_ods_is_read(tmp_path):
    endless = '<table:table-cell table:number-columns-repeated="16384"/>'
    table = ODS_ROW % (ODS_WORD % "a" + ODS_WORD % "b" + endless) + ODS_ROW % (ODS_NUMBER % 1.5 + ODS_WORD % "x")
    table += f'<table:table-row table:number-rows-repeated="1048570">{endless}</table:table-row>'

    assert cells(write_ods(tmp_path / "book.ods", table)) == [("a", "b"), (1.5, "x")]


def test_durations_beside_numbers_are_refused(tmp_path):
    lines = [(ODS_WORD % "a", ODS_WORD % "b"), *[(ODS_NUMBER % row, ODS_TIME % "PT1H") for row in range(3)]]
    table = "".join(ODS_ROW % (a + b) for a, b in [*lines, (ODS_NUMBER % 4, ODS_NUMBER % 4)])

    with pytest.raises(DataError, match=r"book\.ods: column 2 holds durations beside other values"):
        cells(write_ods(tmp_path / "book.ods", table))


def test_without_the_package_the_command_that_installs_it_is_named(write, monkeypatch):
    monkeypatch.setattr(excel, "find_spec", lambda name: None)

    with pytest.raises(ConfigError, match=r"Excel files need: pip install 'ignite-workflow\[excel\]'$"):
        open_table(write(S={}))


@pytest.mark.parametrize("content", [b"PK\3\4 and nothing more", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"\0\1\2"])
def test_what_is_no_workbook_is_one_line(tmp_path, content):
    (tmp_path / "book.xlsx").write_bytes(content)

    with pytest.raises(DataError, match=r"book\.xlsx: not a workbook, or a damaged or encrypted one \(.*\)\.$"):
        open_table(str(tmp_path / "book.xlsx"))


def test_a_sheet_of_huge_dimensions_is_one_line(pack):
    path = pack(SHEET % '<row><c r="A1"><v>1</v></c></row><row><c r="XFD1048576"><v>2</v></c></row>')

    with pytest.raises(
        DataError, match=r"packed\.xlsx: cannot be read within 1\.0 GB of memory: its dimensions are hu"
    ):
        open_table(path)


def test_a_string_that_is_repeated_without_end_is_one_line(pack, monkeypatch):
    monkeypatch.setattr(excel, "_LEAST_MEMORY", 256 * 1024**2)
    monkeypatch.setattr(excel, "_MEMORY_A_BYTE", 0)
    rows = '<row><c t="s"><v>0</v></c></row>' * 60
    path = pack(SHEET % rows, strings=f"<si><t>{'x' * 10_000_000}</t></si>")

    with pytest.raises(DataError, match=r"cannot be read within 0\.2 GB of memory"):
        open_table(path)


@pytest.mark.parametrize("entity", ['SYSTEM "file:///etc/hostname"', '"aaaa"'])
def test_entities_are_not_expanded(pack, entity):
    path = pack(f"<!DOCTYPE x [<!ENTITY e {entity}>]>" + SHEET % '<row><c t="inlineStr"><is><t>&e;</t></is></c></row>')

    with pytest.raises(DataError, match="unrecognized entity"):
        open_table(path)


def test_an_archive_that_expands_beyond_measure_is_not_parsed(pack, monkeypatch):
    monkeypatch.setattr(excel, "_ALWAYS_ALLOWED", 1_000_000)

    with pytest.raises(DataError, match=r"its parts expand to [\d,]+ bytes, from [\d,]+, as those of a decompression"):
        open_table(pack(SHEET % (" " * 5_000_000)))


def test_an_archive_that_says_less_than_it_expands_to_is_not_parsed(pack):
    path = pack(SHEET % (" " * 5_000_000))
    with zipfile.ZipFile(path) as archive:
        size = archive.getinfo("xl/sheet.xml").file_size.to_bytes(4, "little")
    Path(path).write_bytes(Path(path).read_bytes().replace(size, (1000).to_bytes(4, "little")))

    with pytest.raises(DataError, match=r"packed\.xlsx: the workbook is damaged or encrypted \(Bad CRC-32"):
        open_table(path)


def test_a_module_in_the_current_directory_is_not_run(write, tmp_path, monkeypatch):
    (tmp_path / "fastexcel.py").write_text("raise SystemExit(1)")
    monkeypatch.chdir(tmp_path)

    assert cells(write(S=grid(["a"], [1]))) == [("a",), (1.0,)]


@pytest.mark.parametrize("name", ["a.xlsx", "a.XLS", "a.ods", "a.xlsb"])
def test_workbooks_are_table_files(name):
    assert is_table_file(name)


def test_memory_is_limited_by_what_the_machine_has():
    assert limited_process.most_memory() <= os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2


def test_percentages_of_a_workbook_are_refused_where_text_was_trained_on(write):
    rules = CellRules(formats={"p": NumberFormat(unit="%")})
    schema = Schema("regression", "", (Column("p", "number", "", (Part("value"),)),), (TargetColumn("y"),), rules=rules)
    (chunk,) = open_table(write(S={(0, 0): "p", (1, 0): (0.15, "0%"), (2, 0): (0.2, "0%")})).chunks()

    with pytest.raises(
        DataError, match=r"sheet 'S' row 2 \(row 0\), column 'p': 15 % is 0\.15 in a workbook, and 15 in"
    ):
        schema.encode(chunk)
    assert schema.encode({"p": ["15%", "20 %"]}).tolist() == [[15], [20]]


def test_units_beneath_the_header_and_notes_below_are_no_data(write):
    rows = [["when", "w", "v"], [None, "[kg]", "m/s"], [(dt.datetime(2024, 1, 1), "yyyy-mm-dd"), 1.5, 2]]
    rows += [[(dt.datetime(2024, 1, 2), "yyyy-mm-dd"), 2.25, 4], ["Total", 3.75, 6], [], ["Source: WHO"]]
    table = open_table(write(S=grid(*rows)))
    [chunk] = table.chunks()

    assert chunk.frame.rows() == [(dt.datetime(2024, 1, 1), 1.5, 2.0), (dt.datetime(2024, 1, 2), 2.25, 4.0)]
    assert table.notes[1:] == (
        "book.xlsx: row 2 holds units and no data: w [kg], v m/s; otherwise: data.read.units=false.",
        "book.xlsx: the last 2 rows (from 5 on) are no data: 'Total,3.75,6 / Source: WHO' (its 'w' is the sum of the 2 "
        "rows above); otherwise: data.read.footer=false.",
    )


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (
            [["a", "b"], ["Rome", 1], ["Oslo", 2], ["Total", 4]],
            "sheet 'S' row 4, column 1 'a': 'Total,4' may be data or",
        ),
        ([["a", "b"], ["m", "kg"], ["m", 2], ["f", 4]], "sheet 'S' row 2, column 1 'a': 'm' stands in a row that may"),
    ],
)
def test_what_may_be_data_in_a_sheet_is_asked(write, rows, said):
    with pytest.raises(DataError, match=said):
        open_table(write(S=grid(*rows)))
    assert len(cells(write(S=grid(*rows)), footer=False, units=False)) == 4
    assert len(cells(write(S=grid(*rows)), footer=True, units=False)) == (3 if "Total" in said else 4)


def test_formulas_saved_without_a_value_are_counted_and_a_column_of_them_refused(pack):
    formula = '<c r="%s"><f>A2*2</f><v></v></c>'
    head = '<row r="1"><c r="A1" t="inlineStr"><is><t>a</t></is></c><c r="B1" t="inlineStr"><is><t>b</t></is></c></row>'
    row = '<row r="%d"><c r="A%d"><v>1</v></c>%s</row>'
    known = '<c r="B3"><f>A3*2</f><v>2</v></c>'
    text = '<c r="B3" t="str"><f>""</f><v></v></c>'
    path = pack(SHEET % (head + row % (2, 2, formula % "B2") + row % (3, 3, known)))

    [note] = open_table(path).notes[1:]
    assert note.startswith(
        "packed.xlsx: sheet 'S': 1 cell holds a formula saved without a value, the first B2: missing."
    )
    with pytest.raises(
        DataError, match=r"sheet 'S' cell B2, column 'b': all its values are formulas .* \(2\)\. Open it"
    ):
        open_table(pack(SHEET % (head + row % (2, 2, formula % "B2") + row % (3, 3, '<c r="B3"><f>A3</f><v/></c>'))))
    assert (
        len(open_table(pack(SHEET % (head + row % (2, 2, '<c r="B2"><v>1</v></c>') + row % (3, 3, text)))).notes) == 1
    )


def test_rows_that_were_taken_are_left_out(monkeypatch):
    monkeypatch.setattr(excel, "_CHUNK_ROWS", 2)
    table = pl.DataFrame({"x": range(5)})
    file = excel.ExcelFile(Path("a.xlsx"), "Data", ("x",), (), "", table, table["x"] + 2)
    (frame, rows), (last, _) = file.frames(set(), Position(row=12, taken=2))

    assert (frame["x"].to_list(), rows.place(0), last["x"].to_list()) == ([2, 3], "sheet 'Data' row 4", [4])


@pytest.mark.parametrize("merged", [True, False])
def test_words_beneath_the_header_are_no_data_in_a_sheet_either(tmp_path, merged):
    with xlsxwriter.Workbook(tmp_path / "book.xlsx") as book:
        sheet = book.add_worksheet("S")
        sheet.write_row("A1", ["city", "2023", "", "y"])
        if merged:
            sheet.merge_range("B1:C1", "2023")
        sheet.write_row("B2", ["Jan", "Feb"])
        for row in range(2, 9):
            sheet.write_row(row, 0, [f"c{row}", row, row / 2, 1])
    table = open_table(str(tmp_path / "book.xlsx"))

    assert table.columns == ("city", "2023 Jan", "2023 Feb", "y")
    assert next(table.chunks()).frame.rows()[0] == ("c2", 2.0, 1.0, 1.0)
    assert table.notes[1].startswith(
        "book.xlsx: row 2 holds more of the header and no data: words such as 'Jan', 'Feb'"
    )


def test_cells_merged_over_rows_are_those_of_the_table():
    merges = [Merge(0, 0, 0, 4), Merge(0, 1, 3, 4), Merge(1, 2, 5, 5), Merge(3, 3, 5, 6), Merge(1, 1, 8, 9)]

    assert merged_over_rows(merges, 3, first_row=2, last_row=8) == {0: [merges[1]]}


def test_merged_cells_that_overlap_or_end_below_the_table_have_the_nearest_value():
    cells = pl.Series(["a", "b", None, "d", None])
    merges = [Merge(0, 0, 3, 9), Merge(0, 0, 4, 5), Merge(0, 0, 6, 99)]

    assert fill_merged(cells, merges, first_row=3).to_list() == ["a", "b", "b", "d", "d"]


def write_frame(path, rows, merges=()):
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet("S")
        for number, row in enumerate(rows):
            sheet.write_row(number, 0, row)
        for place, value in merges:
            sheet.merge_range(place, value)
    return str(path)


def test_more_merged_cells_than_are_looked_at_are_no_table(tmp_path, monkeypatch):
    path = write_frame(tmp_path / "f.xlsx", [["g", "y"], ["", 1], ["", 2]], [("A2:A3", "East")])
    monkeypatch.setattr(sheet_process, "MOST_MERGED", 0)
    answer = sheet_process._read(Path(path), fastexcel.read_excel(path), "", SheetOptions(), tmp_path / "table.arrow")

    assert answer["question"].startswith("has more than 2,000,000 merged cells")


def test_a_data_frame_with_levels_in_rows_and_columns_is_read(tmp_path):
    rows = [[], ["", "week", 1, 2, 1, 2], ["region", "shop"], ["", "a", 5.5, 6.5, 7, 8], ["", "b", 1.5, 2.5, 3, 4]]
    path = write_frame(tmp_path / "f.xlsx", rows, [("C1:D1", "price"), ("E1:F1", "sales"), ("A4:A5", "East")])

    assert cells(path) == [
        ("region", "shop", "price 1", "price 2", "sales 1", "sales 2"),
        ("East", "a", 5.5, 6.5, 7.0, 8.0),
        ("East", "b", 1.5, 2.5, 3.0, 4.0),
    ]
    assert open_table(path).notes[1:] == (
        "f.xlsx: rows 2 to 3 hold more of the header and no data: a data frame's names in several levels; otherwise: "
        "data.read.units=false.",
        "f.xlsx: 1 cell is merged over rows in 'region', the first in row 4: each row has the value.",
    )


def test_an_index_without_names_does_not_make_names_of_the_first_row(tmp_path):
    rows = [["", "", "y"], ["", "a", 5.5], ["", "b", 1.5], ["", "a", 2.5], ["", "b", 3.5]]
    path = write_frame(tmp_path / "f.xlsx", rows, [("A2:A3", "East"), ("A4:A5", "West")])

    assert cells(path)[:3] == [("column_1", "column_2", "y"), ("East", "a", 5.5), ("East", "b", 1.5)]


def test_a_note_below_an_empty_row_of_a_sheet_is_left_out(write):
    cells = {(0, 0): "city", (0, 1): "n", (6, 0): "Source: WHO"}
    for row, name in enumerate(["Rome", "Oslo", "Bonn", "Bern"], start=1):
        cells |= {(row, 0): name, (row, 1): row}

    table = open_table(write(S=cells))

    assert "the last row (7) is no data: 'Source: WHO' (text below an empty row)" in table.notes[-1]
