import base64
import datetime as dt
import zlib
from decimal import Decimal

import polars as pl
import pytest

from ignite_workflow.config import DataConfig
from ignite_workflow.data import parquet
from ignite_workflow.data.inspection import inspect_table
from ignite_workflow.data.tables import open_table, read_table
from ignite_workflow.errors import DataError


@pytest.fixture
def path(tmp_path):
    return tmp_path / "table.parquet"


def read(path, **columns):
    pl.DataFrame(columns).write_parquet(path)
    return pl.concat(chunk.frame for chunk in read_table(str(path))).to_dict(as_series=False)


def test_numbers_text_booleans_and_dates_stay_what_they_are(path):
    columns = {"n": [1, None], "f": [0.5, 1.5], "t": ["x", None], "b": [True, None], "d": [dt.date(2024, 1, 31), None]}

    assert read(path, **columns) == columns


def test_decimals_are_numbers(path):
    assert read(path, a=[Decimal("1.50"), None]) == {"a": [1.5, None]}


def test_times_and_durations_are_seconds(path):
    columns = read(path, t=[dt.time(12, 30), None], d=[dt.timedelta(hours=30), None])

    assert columns == {"t": [45_000.0, None], "d": [108_000.0, None]}


def test_moments_with_a_zone_are_those_of_utc(path):
    moment = pl.Series([dt.datetime(2024, 7, 1, 12)]).dt.replace_time_zone("Europe/Berlin")

    assert read(path, a=moment) == {"a": [dt.datetime(2024, 7, 1, 10)]}


@pytest.mark.parametrize("dtype", [pl.Categorical, pl.Enum(["x", "y"])])
def test_dictionaries_are_text(path, dtype):
    assert read(path, a=pl.Series(["x", "y"], dtype=dtype)) == {"a": ["x", "y"]}


def test_the_fields_of_structs_are_columns(path):
    rows = [{"b": 1, "c": {"d": "x"}}, {"b": None, "c": None}, None]

    assert read(path, a=rows) == {"a.b": [1, None, None], "a.c.d": ["x", None, None]}


@pytest.mark.parametrize("dtype", [pl.List(pl.Float64), pl.Array(pl.Float64, 2)])
def test_the_elements_of_lists_of_one_length_are_columns(path, dtype):
    columns = read(path, a=pl.Series([[1, 2], None, [3, 4]], dtype=dtype))

    assert columns == {"a[0]": [1, None, 3], "a[1]": [2, None, 4]}


def test_lists_inside_structs_are_columns(path):
    assert read(path, a=[{"b": [Decimal(1), Decimal(2)]}]) == {"a.b[0]": [1.0], "a.b[1]": [2.0]}


def test_bytes_that_are_text_are_text(path):
    assert read(path, a=["é".encode(), None], b=[b"\xff", b"x"]) == {"a": ["é", None], "b": [b"\xff", b"x"]}


def test_what_cannot_be_trained_on_is_named_with_its_reason(path):
    frame = {"l": [[1], [2, 3]] * 20, "b": [b"\xff", b"\xfe"] * 20, "n": list(range(5)) * 8, "y": ["p", "q"] * 20}
    pl.DataFrame(frame).write_parquet(path)
    report = inspect_table(DataConfig(path=str(path), target="y"))

    unused = {finding.name: finding.why for finding in report.columns if finding.kind == "ignore"}
    assert unused == {"l": "cells of type List(Int64)", "b": "cells of type Binary"}


def test_a_row_group_is_read_in_slices(path, monkeypatch):
    monkeypatch.setattr(parquet, "_SLICE_BYTES", 0)
    monkeypatch.setattr(parquet, "_CHUNK_ROWS", 160)
    pl.DataFrame({"a": range(1000)}).write_parquet(path, row_group_size=700)
    chunks = list(read_table(str(path)))

    assert [cell for chunk in chunks for cell in chunk.frame["a"]] == list(range(1000))
    assert max(chunk.frame.height for chunk in chunks) <= 10
    assert chunks[-1].place(0).endswith(f"row {chunks[-1].first_row}")


def footer(path):
    content = path.read_bytes()
    size = int.from_bytes(content[-8:-4], "little")
    return content[: -8 - size], content[-8 - size : -8], content[-8:]


def test_a_cut_off_or_changed_file_is_one_line(path):
    pl.DataFrame({"a": range(1000)}).write_parquet(path)
    pages, end, size = footer(path)
    for content in (pages, pages + end, pages[100:] + end + size, pages + end[::-1] + size, b"PAR1 and nothing more"):
        path.write_bytes(content)
        with pytest.raises(DataError, match=r"table\.parquet: not a Parquet file, or a damaged one \(.+\)\.$"):
            list(read_table(str(path)))


def test_decimals_of_more_than_38_digits_are_refused_with_what_to_do(path):
    packed = (  # one column of decimal256(50, 3), one row; polars writes none
        "c-m!A!AiqG5S^?Nib!u0vap9-8c@<|MRO2)n5~f(Db_&sl1r!|deFpFji2Tx`5De`OGSLJvya(%^M=_ur9%XaF^*6$anV%(Ak1;#"
        "KX$%xS4L;xyQ}46@tmUo?BXE`-}&tAvHT&*Oyp8eNF`MW3cIrBg5(P1q?dVF*qJIe16E%gxH7bU{2;=Pmw{CNKBei+{rTF%|8kBD"
        "PRZbw*0?5WNtbj*RMNP#IjxCihKz}(Ht~Bi5)&31wlF%@PfQ=%S8qB~GO?Aq-HK?d*E~gKSYq^-b`CbR{xkYBA&o}h2X)@Oz87!("
        "WnK64rm5QCqi9x7)k|;^4~_>zsm#Lfc-eFQiyxPpQjP"
    )
    path.write_bytes(zlib.decompress(base64.b85decode(packed)))

    with pytest.raises(DataError, match=r"table\.parquet: a column holds decimals of 50 digits, and 38 are the most"):
        list(read_table(str(path)))


def test_a_file_with_fewer_rows_than_it_says_is_one_line(path):
    pl.DataFrame({"a": range(1000)}).write_parquet(path)
    pages, end, size = footer(path)
    path.write_bytes(pages + end.replace(b"\xd0\x0f", b"\xd2\x0f", 1) + size)  # 1001 in the place of 1000

    with pytest.raises(DataError, match=r"it says that it has 1001 rows, but has \d+\)"):
        list(read_table(str(path)))


def test_few_bytes_that_say_they_are_many_rows_are_refused(path, monkeypatch):
    monkeypatch.setattr(parquet, "_MOST_CELLS", 10_000)
    monkeypatch.setattr(parquet, "_MOST_CELLS_A_BYTE", 10)
    pl.DataFrame({"a": [0] * 100_000}).write_parquet(path)

    with pytest.raises(DataError, match=r"100,000 rows of 1 columns in [\d,]+ bytes, as a decompression bomb has"):
        open_table(str(path))


def test_text_that_is_repeated_without_end_is_refused(path, monkeypatch):
    monkeypatch.setattr(parquet, "_MOST_TEXT", 10_000)
    pl.DataFrame({"a": ["x" * 1000] * 1000}).write_parquet(path)

    with pytest.raises(DataError, match=r"column 'a' holds more than a gigabyte of text in 1000 rows"):
        list(read_table(str(path)))


def test_a_schema_nested_so_deep_that_the_parser_crashes_is_one_line(path):
    def varint(number):
        return bytes([number]) if number < 128 else bytes([number & 127 | 128]) + varint(number >> 7)

    levels = 20_000
    group = b"\x35\x02\x18\x01a\x15\x02\x00"  # optional, its name, one child; numbers are zigzag
    leaf = b"\x15\x02\x25\x02\x18\x01x\x00"
    schema = b"\x48\x01r\x15\x02\x00" + group * levels + leaf
    end = b"\x15\x02\x19\xfc" + varint(levels + 2) + schema + b"\x16\x00\x19\x0c\x00"
    path.write_bytes(b"PAR1" + end + len(end).to_bytes(4, "little") + b"PAR1")

    with pytest.raises(
        DataError, match=r"cannot be read within .* GB of memory: its dimensions are huge, or it is dam"
    ):
        open_table(str(path))


def test_structs_nested_deep_are_refused(path):
    value = 1
    for _ in range(20):
        value = {"a": value}

    with pytest.raises(DataError, match="structs nested deeper than 16"):
        read(path, a=[value])
