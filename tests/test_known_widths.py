import json
import random

import pytest

from ignite_workflow.config import DataConfig, ReadConfig, SplitConfig
from ignite_workflow.data import prepare_table
from ignite_workflow.data.known_widths import KnownWidths, fitting_widths
from ignite_workflow.data.schema import Schema
from ignite_workflow.data.tables import open_table
from ignite_workflow.errors import CheckpointError, DataError


def line(name, size="", color="", y=""):
    return f"{name:<12}  {size:>6}  {color:<6}{y:>8}".rstrip()


HEADER = line("name", "size", "color", "y")
pick = random.Random(0)
ROWS = [
    (pick.choice(["Ann Lee", "Bob", "Carl Gustav"]), f"{number}.5", pick.choice(["red", "blue"]), f"{3 * number}")
    for number in range(40)
]
KNOWN = KnownWidths(((0, 11), (16, 20), (22, 27), (33, None)), ("name", "size", "color", "y"))
UNNAMED = KnownWidths(KNOWN.spans, ("column_1", "column_2", "column_3", "column_4"), named=False)


@pytest.fixture
def read(tmp_path):
    def read(*lines, known_widths=KNOWN, **said):
        (tmp_path / "new.txt").write_text("\n".join(lines) + "\n")
        table = open_table(str(tmp_path / "new.txt"), ReadConfig(**said), known_widths=known_widths)
        return table, [row for chunk in table.chunks() for row in chunk.frame.rows()]

    return read


def test_a_file_of_one_row_has_its_columns_where_other_files_have_them(read):
    table, rows = read(HEADER, line("Ann Lee", "", "red", "12"))

    assert (table.columns, rows) == (KNOWN.names, [("Ann Lee", "", "red", "12")])
    assert "begin at the characters [1,17,23,34] (as in other files of the table)" in table.notes[0]
    assert table.misfits == ()


def test_titles_above_the_header_and_notes_below_the_rows_are_left_out(read):
    table, rows = read("The report of 2024", "", HEADER, line("Bob", "1.5", "red", "1"), "", "Source: us, by hand")

    assert (table.columns, rows) == (KNOWN.names, [("Bob", "1.5", "red", "1")])


def test_the_last_columns_may_be_lacking(read):
    table, rows = read(line("name", "size", "color"), line("Bob", "1.5", "light green"))

    assert (table.columns, rows) == (("name", "size", "color"), [("Bob", "1.5", "light green")])


def test_a_title_is_no_header_though_no_row_holds_a_number(read):
    table, rows = read("The report of us", "", HEADER, line("Bob", "", "red", "x"))

    assert (table.columns, rows) == (KNOWN.names, [("Bob", "", "red", "x")])


def test_a_file_with_a_cell_that_has_no_name_does_not_fit(read):
    table, rows = read(line("name", "size", "color"), line("Ann Lee", "1.5", "red", "7"))

    assert table.misfits
    assert rows != [("Ann Lee", "1.5", "red          7")]


def test_a_header_alone_has_no_rows(read):
    with pytest.raises(DataError, match=r"new\.txt: no rows below the header"):
        read(HEADER)


def test_one_row_of_a_table_without_a_header_is_no_header(read):
    table, rows = read(line("Bob", "", "red", "x"), known_widths=UNNAMED)

    assert (table.columns, rows) == (UNNAMED.names, [("Bob", "", "red", "x")])


def test_a_row_that_no_blank_parts_is_refused_by_its_line(read):
    with pytest.raises(DataError, match=r"line 3: no blank parts two columns: 'Maximilian-Bobby12\.5 red'"):
        read(HEADER, line("Bob", "1.5", "red", "1"), "Maximilian-Bobby12.5 red")


def test_columns_elsewhere_are_found_anew_and_said(read):
    table, rows = read(*(f"  {each}" for each in (HEADER, *(line(*row) for row in ROWS))))

    assert (table.columns, rows) == (KNOWN.names, ROWS)
    assert (
        "columns do not begin at the characters [1,17,23,34], as in other files of the table: col" in table.misfits[0]
    )


def test_few_lines_with_columns_elsewhere_are_asked_about(read):
    with pytest.raises(DataError, match=r"3 lines only, and it does not fit those of other files of the table, \[1,17"):
        read(*(f"  {each}" for each in (HEADER, *(line(*row) for row in ROWS[:2]))))


def test_a_file_with_delimiters_is_read_by_them(read):
    table, rows = read("name,size,color", "Ann Lee,1.5,red")

    assert rows == [("Ann Lee", "1.5", "red")]
    assert table.misfits[0].endswith("as in other files of the table: cells are parted by ,.")


@pytest.mark.parametrize("said", [{"starts": [1, 13, 23, 29]}, {"delimiter": ","}])
def test_what_a_person_says_of_a_file_counts_more(read, said):
    table, _ = read(HEADER, line("Bob", "1.5", "red", "1"), known_widths=UNNAMED, header=True, **said)

    assert table.columns == (KNOWN.names if "starts" in said else (HEADER,))
    assert table.misfits == ()


def test_the_first_file_of_a_table_tells_of_the_others(tmp_path):
    (tmp_path / "a.txt").write_text("\n".join([HEADER, *(line(*row) for row in ROWS)]) + "\n")
    (tmp_path / "b.txt").write_text(f"{HEADER}\n{line('Eve', '', 'red', '7')}\n")

    *_, last = open_table([str(tmp_path / "a.txt"), str(tmp_path / "b.txt")]).chunks()

    assert last.frame.rows() == [("Eve", "", "red", "7")]


def test_the_schema_keeps_them_for_a_file_of_validation_rows(tmp_path):
    (tmp_path / "table.txt").write_text("\n".join([HEADER, *(line(*row) for row in ROWS)]) + "\n")
    (tmp_path / "val.csv").write_text(f"{HEADER}\n{line('Bob', '', 'red', '7')}\n")
    split = SplitConfig(val=str(tmp_path / "val.csv"), test=0.1)
    config = DataConfig(path=str(tmp_path / "table.txt"), target="y", split=split)

    prepared = prepare_table(config, seed=0, cache_directory=tmp_path / "cache")

    assert prepared.schema.known_widths == KNOWN
    assert len(prepared.splits["val"].x) == 1
    assert Schema.from_dict(json.loads(json.dumps(prepared.schema.to_dict()))) == prepared.schema


def test_a_file_of_validation_rows_with_columns_elsewhere_is_said(tmp_path):
    lines = [HEADER, *(line(*row) for row in ROWS)]
    (tmp_path / "table.txt").write_text("\n".join(lines) + "\n")
    (tmp_path / "val.csv").write_text("\n".join(f"  {each}" for each in lines) + "\n")
    config = DataConfig(path=str(tmp_path / "table.txt"), target="y", split=SplitConfig(val=str(tmp_path / "val.csv")))

    notes = prepare_table(config, seed=0, cache_directory=tmp_path / "cache").notes

    assert any(note.startswith("val.csv: columns do not begin at the characters [1,17,23,34]") for note in notes)


@pytest.mark.parametrize(
    "spans",
    [
        [],
        [[0, 5], [4, None]],
        [[0, 5], [5, 5], [9, None]],
        [[0, None], [7, None]],
        [[-1, 5], [7, None]],
        [[0, 5], [7, 9]],
        [[0, 5], [10**12, None]],
    ],
)
def test_a_schema_with_columns_that_no_file_can_have_shown_is_refused(spans, tmp_path):
    (tmp_path / "table.csv").write_text("x,y\n" + "".join(f"{number}.5,{number}\n" for number in range(20)))
    config = DataConfig(path=str(tmp_path / "table.csv"), target="y")
    plain = prepare_table(config, seed=0, cache_directory=tmp_path / "cache").schema.to_dict()
    plain["known_widths"] = {"spans": spans, "names": [str(number) for number in range(len(spans))], "named": True}

    with pytest.raises(CheckpointError, match="columns of fixed width that do not follow one another"):
        Schema.from_dict(plain)


@pytest.mark.parametrize(("odd", "fits"), [(1, True), (3, False)])
def test_without_a_header_nearly_all_lines_have_to_fit(odd, fits):
    lines = [*(line(*row) for row in ROWS[:10]), *["Maximilian-Bobby12.5 red"] * odd]

    assert (fitting_widths(lines, UNNAMED) is not None) == fits
