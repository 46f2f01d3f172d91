import csv
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ignite_workflow.config import ReadConfig
from ignite_workflow.data import text_file
from ignite_workflow.data.quotes import doubled, doubtful_quote, has_blanks, has_escapes, with_doubled, without_blanks
from ignite_workflow.data.tables import open_table
from ignite_workflow.errors import DataError

CELLS = st.text(alphabet='ab," \n', max_size=9)
LINES = CELLS.filter(lambda cell: "\n" not in cell)
BLANKS = st.text(alphabet=" \t", max_size=3)
BY_HAND = '"Name",     "Sex", "Age"\n' + '"Alex, ""A""",       "M"\t,   41\n  "Bert",   "F , G"  ,   32 \n' * 20


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


def test_blanks_around_quoted_cells_are_none_of_them(tmp_path):
    (tmp_path / "by_hand.csv").write_text(BY_HAND)
    table = open_table(str(tmp_path / "by_hand.csv"), ReadConfig())
    frame = next(iter(table.chunks())).frame

    assert table.columns == ("Name", "Sex", "Age")
    assert [row[:2] for row in frame.rows()[:2]] == [('Alex, "A"', "M"), ("Bert", "F , G")]
    said = "by_hand.csv: blanks around quoted cells are none of them; otherwise: data.read.quotes=false."
    assert said in table.notes


def test_blanks_beside_quotes_stay_where_a_person_says_that_quotes_are_characters(read):
    rows = read('a,b\n1, "x"\n2, "y"\n3, "z"\n', quotes=False, header=True)

    assert rows == [("1", ' "x"'), ("2", ' "y"'), ("3", ' "z"')]


@given(st.lists(st.tuples(CELLS, BLANKS, BLANKS), min_size=2), st.sampled_from(",;|:"), st.sampled_from(["\n", "\r\n"]))
def test_quoted_cells_set_off_by_blanks_are_read_as_if_they_were_not(cells, delimiter, end):
    quoted = [(cell.replace('"', '""'), before, behind) for cell, before, behind in cells]
    loose, tight = (
        "".join(
            f'{before * far}"{cell}"{behind * far}{delimiter} 1{delimiter}{before * far}"{cell}"{behind * far}{end}'
            for cell, before, behind in quoted
        ).encode()
        for far in (1, 0)
    )

    assert without_blanks(loose, delimiter.encode()) == tight
    assert without_blanks(tight, delimiter.encode()) == tight
    assert has_blanks(loose, delimiter.encode()) == (loose != tight)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(CELLS, BLANKS, st.integers()), min_size=1), st.sampled_from(",;|"), st.integers(9, 99))
def test_tables_with_such_blanks_are_read_back(tmp_path_factory, rows, delimiter, size):
    lines = [
        f'{blanks}"{cell.replace(chr(34), 2 * chr(34))}" {delimiter} "{number}"{blanks}'
        for cell, blanks, number in rows
    ]
    path = tmp_path_factory.mktemp("blanks") / "table.csv"
    path.write_bytes("\n".join([f'"name" {delimiter} "x"', *lines, ""]).encode())
    said = ReadConfig(delimiter=delimiter, header=True, footer=False, units=False, row_names=False)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(text_file, "_FIRST_BYTES", size)
        patch.setattr(text_file, "_BLOCK_BYTES", size)
        table = open_table(str(path), said)
        read_back = [row for chunk in table.chunks() for row in chunk.frame.rows()]

    assert table.columns == ("name", "x")
    assert [(cell, int(number)) for cell, number in read_back] == [(cell, number) for cell, _, number in rows]


@pytest.mark.parametrize(
    "line",
    [
        '5, 6" pipe',
        'he, "yes" again,1',
        '"a, ""b"" , c",1',
        '"a , b",1',
        '" a ",1',
        '1,["a", "b"]',
        '"a" "b",1',
        '1, "c": "d"',
        "a, b",
    ],
)
def test_a_quote_within_plain_text_or_a_quoted_cell_is_not_set_off(line):
    assert not has_blanks(f"{line}\n".encode() * 3, b",")


def test_blanks_around_quotes_are_what_parts_cells_where_blanks_do():
    assert not has_blanks(b'"a"  "b"\n' * 3, b" ")
    assert not has_blanks(b'"a"\t "b"\n' * 3, b"\t")


def test_a_stray_quote_among_blanks_is_named_with_its_line(read, monkeypatch):
    monkeypatch.setattr(text_file, "_SAMPLE_BYTES", 200)

    with pytest.raises(DataError, match=r"line 42, column 2 'Sex': .*one in the middle of a cell.*B\" pipe"):
        read(BY_HAND + '"Carl",  "B" pipe", 3\n')
    with pytest.raises(DataError, match=r"line 42, column 2 'Sex': a quote is opened and not closed again"):
        read(BY_HAND + '"Carl",  "B pipe, 3\n')


@pytest.mark.parametrize(
    ("above", "below"), [('Sales of "spring"\n\n', ""), ("", '\nSource: "the web"\n'), ("", '"Total", 190\n')]
)
def test_quotes_in_a_title_or_in_a_note_hide_no_such_blanks(read, above, below):
    rows = read(above + '"item", "x"\n' + "".join(f'"a, b{row}" , {row}\n' for row in range(20)) + below)

    assert (len(rows), rows[1][0]) == (20, "a, b1")


FORMULAS = 'id,x,y\n="00012",1,a\n"=""00013""",="2",="b, c"\n'


def test_text_that_spreadsheets_keep_by_a_formula_is_that_text(read, tmp_path):
    assert read(FORMULAS) == [("00012", "1", "a"), ("00013", "2", "b, c")]
    assert read(FORMULAS.replace(',="b, c"', ",b"), quotes=False)[0][0] == '="00012"'

    table = open_table(str(tmp_path / "table.csv"))
    assert len(list(table.chunks())) == 1
    assert table.notes == (
        'table.csv: 3 cells are written ="00012", as spreadsheets keep text: read as that text; '
        "otherwise: data.read.quotes=false.",
    )


def test_formulas_that_begin_late_are_text_too(read, monkeypatch):
    monkeypatch.setattr(text_file, "_SAMPLE_BYTES", 100)
    rows = read("id,x\n" + "".join(f"{number},a\n" for number in range(50)) + '="0012",b\n12,="c"\n')

    assert rows[-2:] == [("0012", "b"), ("12", "c")]


@pytest.mark.parametrize("content", ['id,x\n1,a="b"\n2,c\n', 'id,x\n1,"a,=""b"",c"\n2,c\n'])
def test_an_equals_sign_within_a_cell_is_no_formula(read, content):
    assert read(content) == [tuple(row) for row in list(csv.reader(io.StringIO(content)))[1:]]


@given(st.lists(st.tuples(LINES, LINES), min_size=3))
@settings(deadline=None)
def test_cells_in_single_quotes_are_read_back(tmp_path_factory, rows):
    swap = str.maketrans("'\"", "\"'")
    out = io.StringIO()
    csv.writer(out, quotechar="'", quoting=csv.QUOTE_ALL, lineterminator="\n").writerows(
        [("'n'", "y"), *((cell.translate(swap), other) for cell, other in rows)]
    )
    path = tmp_path_factory.mktemp("single") / "table.csv"
    path.write_text(out.getvalue())

    table = open_table(
        str(path), ReadConfig(delimiter=",", header=True, footer=False, units=False, repeated_header=False)
    )
    assert table.columns == ("'n'", "y")
    found = [row for chunk in table.chunks() for row in chunk.frame.rows()]
    assert found == [(cell.translate(swap), other) for cell, other in rows]


def test_single_quotes_hold_cells_together_and_it_is_said(read, tmp_path):
    content = "id,x,y\n" + "".join(f"{number},'a, ''b'' \"c\"',OBrien\n" for number in range(9))

    assert read(content)[8] == ("8", "a, 'b' \"c\"", "OBrien")
    notes = open_table(str(tmp_path / "table.csv")).notes
    assert notes == ("table.csv: cells are held together by single quotes; otherwise: data.read.quotes=false.",)
    assert read(content.replace("a, ", "a"), quotes=False)[8][1] == "'a''b'' \"c\"'"


@pytest.mark.parametrize(
    "line", ["1,O'Brien,'s", "1,'00012,'00013", "1,'a','b", "1,['a','b']", "1,5',6'", "1,'a',\"b\""]
)
def test_other_apostrophes_are_characters(read, line):
    assert read(f"a,b,c\n{line}\n{line}\n", header=True)[0][1].strip("'") == line.split(",")[1].strip("'")


def test_blanks_around_quotes_that_begin_late_are_none_of_cells(read, tmp_path, monkeypatch):
    monkeypatch.setattr(text_file, "_SAMPLE_BYTES", 100)
    content = "id,x\n" + "".join(f'{number},"M"\n' for number in range(50)) + '50, "M"\n51, "F, M" \n'

    assert read(content)[-2:] == [("50", "M"), ("51", "F, M")]
    table = open_table(str(tmp_path / "table.csv"))
    assert len(list(table.chunks())) == 1
    assert table.notes[-1] == (
        "table.csv: below line 2 blanks around quoted cells are none of them; otherwise: data.read.quotes=false."
    )


def test_blanks_around_names_are_none_of_them(tmp_path):
    (tmp_path / "table.csv").write_text("a , b,\tb\n1,2,3\n")

    assert open_table(str(tmp_path / "table.csv")).columns == ("a", "b", "b_2")
