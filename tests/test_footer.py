"""Totals, sources, notes and counts below a table: left out where that is certain, else asked for, never in silence."""

import csv
import gzip
import io

import polars as pl
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from ignite_workflow.config import ReadConfig
from ignite_workflow.data.rows_above import RowsAbove
from ignite_workflow.data.tables import open_table
from ignite_workflow.errors import DataError

DATED = "day,n,x\n" + "".join(f"2024-01-{day:02d},{day},{day * 1.5}\n" for day in range(1, 13))
NAMED = "city,n,x\n" + "".join(f"{name},{n},{n * 1.5}\n" for n, name in enumerate(["Rome", "Oslo", "Bonn", "Bern"], 1))


@pytest.fixture
def read(tmp_path):
    def read(content, name="table.csv", **said):
        path = tmp_path / name
        path.write_bytes(content.encode())
        table = open_table(str(path), ReadConfig(**said))
        rows = [row for chunk in table.chunks() for row in chunk.frame.rows()]
        return rows, [note.removeprefix(f"{name}: ") for note in table.notes]

    return read


@pytest.mark.parametrize(
    ("table", "below", "why"),
    [
        (DATED, "Total,78,117\n", "its 'n' is the sum of the 12 rows above"),
        (DATED, "Total,70,100\n", "all other cells of 'day' hold digits"),
        (NAMED, "Grand total:,10,15\n", "its 'n' is the sum of the 4 rows above"),
        (NAMED, "Mittelwert,2.5,3.75\n", "its 'n' is the mean of the 4 rows above"),
        (NAMED, '"Total","10","15"\n\n\n', "its 'n' is the sum of the 4 rows above"),
        (NAMED, "Total,10\n", "its 'n' is the sum of the 4 rows above"),
        (NAMED, "All,10,\n", "its 'n' is the sum of the 4 rows above"),
        (DATED, "Source: WHO\n", "all other cells of 'day' hold digits"),
        (NAMED, "Source: WHO, 2023\n", "2 of 3 cells, and it begins as a note does"),
        (NAMED, "Quelle: Amt,,\n", "1 of 3 cells, and it begins as a note does"),
        (NAMED, "\nThe figures are provisional, as\never\n", "text below an empty row"),
        (NAMED, "(4 rows)\n", "4 rows stand above"),
        (NAMED, "\n4 rows selected.\n", "4 rows stand above"),
        (NAMED.replace(",", " "), "\n4 rows selected.\n", "4 rows stand above"),
        (NAMED.replace(",", "\t"), "\\.\n", "the end of PostgreSQL's COPY"),
        (DATED, "----------,--,----\nTotal,78,117\nSource: WHO\n", "its 'n' is the sum of the 12 rows above"),
    ],
)
def test_what_stands_below_is_left_out_and_said(read, table, below, why):
    rows, notes = read(table + below)

    assert len(rows) == table.count("\n") - 1
    assert f"({why}); otherwise: data.read.footer=false." in notes[-1]
    assert "no data" in notes[-1]


def test_what_stands_below_is_left_out_of_compressed_and_of_transcoded_files(tmp_path):
    for name, content in (("a.csv.gz", gzip.compress(DATED.encode() + b"Total,78,117\n")), ("b.csv", None)):
        (tmp_path / name).write_bytes(content or (DATED + "Total,78,117\n").encode("utf-16"))
        assert sum(chunk.frame.height for chunk in open_table(str(tmp_path / name)).chunks()) == 12


def test_totals_with_decimal_commas_and_thousands_are_sums(read):
    rows, notes = read("city;n;x\nRome;1.200;1,5\nOslo;800;2,25\nTotal;2.000;3,75\n")

    assert len(rows) == 2
    assert "its 'n' is the sum" in notes[1]


@pytest.mark.parametrize(
    ("below", "said"),
    [
        ("Total,9,14\n", "line 6, column 1 'city': 'Total,9,14' may be data or not: no cell in it is the sum"),
        ("Source: WHO, 2023, Rome\n", "line 6, column 1 'city': 'Source: WHO,2023,Rome' may be data or not: it looks"),
        ("(5 rows)\n", "line 6, column 1 'city': '(5 rows)' may be data or not: 4 rows stand above"),
        ("\nAnn\n", "line 7, column 1 'city': 'Ann' may be data or not: it looks like a note"),
    ],
)
def test_what_is_not_certain_is_asked(read, below, said):
    with pytest.raises(DataError) as error:
        read(NAMED + below)
    assert said in str(error.value)
    assert str(error.value).endswith("leaves out the last line; if so: data.read.footer=false.")
    assert len(read(NAMED + below, footer=1)[0]) == 4
    assert len(read(NAMED + below, footer=True)[0]) == 4


def test_what_a_person_says_holds(read):
    assert read(NAMED + "Total,10,15\n", footer=False)[0][-1] == ("Total", "10", "15")
    assert read(NAMED, footer=2)[0][-1] == ("Oslo", "2", "3.0")
    assert len(read(NAMED, footer=True)[0]) == 4


@pytest.mark.parametrize("below", ['"a note\nover two lines",1,2\nlast,1,2\n', "one of 64 KB of notes,,\n" * 4000])
def test_more_rows_said_than_are_found_are_refused(read, below):
    with pytest.raises(DataError, match=r"data\.read\.footer: of 4,000 rows only [\d,]+ are found"):
        read(NAMED + below, footer=4000)


@pytest.mark.parametrize(
    "content",
    [
        "kind,n\nTotal,1\nRome,2\nTotal,3\n",  # a total in the midst is one of the classes
        "text,label\nNote: one,a\nwhat now,b\nNote: call me,\n",
        "text,label\nhello,a\nbye,b\nmax,a\n",
        "name,n\nAnn,1\nBob,\n",
        "x\n1\n2\nTotal\n",
        "word,kind\nthe,x\nall,y\n",
        'a,b\n1,"x\nTotal,3\nSource: y"\n',
        "a,b\n1,2\n---,---\n",
        "a,b,c\n1,2,3\n4,5,6\n,,6\n",
    ],
)
def test_rows_of_data_stay(read, content):
    expected = list(csv.reader(io.StringIO(content)))[1:]

    assert [list(row) for row in read(content, header=True)[0]] == expected


def test_a_last_line_that_was_cut_off_is_refused(read):
    for cut in ("Bri", "Brindisi", "Bri,5", "New York,5", "2024-01-13,5"):
        with pytest.raises(DataError, match="line 6, column"):
            read(NAMED + cut)


PLAIN = st.sampled_from(["", "Rome", "New York", "a b c d", "x1", "7", "-3.5", "2024-01-31", "NA", "it's (so)"])
ODD_WORDS = ["Total", "mean", "Source: x", "Note: y", "* z", "(3 rows)", "=====", "Sum", "12 records", "#1 of us all"]
ODD = st.sampled_from(ODD_WORDS)


def tables(cells):
    return st.integers(1, 4).flatmap(lambda width: st.lists(st.tuples(*[cells] * width), min_size=1, max_size=12))


def write(path, rows):
    text = io.StringIO()
    csv.writer(text).writerows([[f"c{number}" for number in range(len(rows[0]))], *rows])
    path.write_text(text.getvalue())


@settings(max_examples=300, deadline=None)
@given(tables(PLAIN))
def test_a_table_without_anything_below_is_never_cut(tmp_path_factory, rows):
    path = tmp_path_factory.mktemp("below") / "table.csv"
    write(path, rows)
    try:
        table = open_table(str(path), ReadConfig(header=True, delimiter=",", units=False))
    except DataError as error:
        assume("may be data or not" not in str(error))
        raise
    assert sum(chunk.frame.height for chunk in table.chunks()) == len(rows)


@settings(max_examples=300, deadline=None)
@given(tables(PLAIN | ODD))
def test_no_row_is_left_out_but_one_that_says_what_it_is(tmp_path_factory, rows):
    path = tmp_path_factory.mktemp("below") / "table.csv"
    write(path, rows)
    try:
        table = open_table(str(path), ReadConfig(header=True, delimiter=",", units=False))
    except DataError:
        return
    kept = sum(frame.height for frame, _ in table.files[0].frames(set()))
    for row in rows[kept:]:
        first = next((cell for cell in row if cell), "")
        assert first in ("", *ODD_WORDS)


def test_the_rows_above_are_read_once_for_a_few_columns_and_seldom_for_many():
    frame = pl.DataFrame({f"c{number}": [str(number), " 7 ", ""] for number in range(40)})
    passes = []

    def frames():
        passes.append(1)
        return [frame]

    rows = RowsAbove(frames, range(40))
    assert (rows.equals("sum", 2, "9"), rows.rows, len(passes)) == (True, 2, 1)
    assert all(rows.equals("sum", number, str(number + 7)) for number in reversed(range(40)))
    assert len(passes) == 4


def test_a_total_of_many_cells_is_compared_with_the_first_of_them(read):
    header = ",".join(["name", *(f"c{number}" for number in range(40))])
    body = [",".join([name, *["1"] * 40]) for name in ("Ann", "Bob", "Eve")]

    with pytest.raises(DataError, match="none of its first 16 cells is the sum of those above"):
        read("\n".join([header, *body, ",".join(["Total", *["7"] * 20, *["3"] * 20])]) + "\n")


@pytest.mark.parametrize(
    ("above", "cell", "equal"),
    [
        (["0.5", "1"], "1.5", True),
        (["14", "1"], "1.5", False),
        (["1499", "1"], "1.500", True),
        (["0,5005", "1"], "1,500.5", False),
        (["1499.5", "1"], "$ 1,500.5", True),
        (["1234566", "1"], "12,34,567", True),
        (["12344,6", "1"], "12.345,6 €", True),
        (["123455", "1"], "1.234.56", False),
        (["1499", "1"], "1500", True),
    ],
)
def test_a_number_is_compared_in_the_ways_that_it_may_be_written(above, cell, equal):
    rows = RowsAbove(lambda: [pl.DataFrame({"n": above})], [0])

    assert rows.equals("sum", 0, cell) == equal


def test_a_count_of_rows_may_include_one_that_is_asked_about(read):
    with pytest.raises(DataError, match=r"line 6, column 1 'city': 'Total,99,98' may be data or not"):
        read(NAMED + "Total,99,98\n(5 rows)\n")
