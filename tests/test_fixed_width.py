import random

import pytest

from ignite_workflow.config import ReadConfig
from ignite_workflow.data import text_file
from ignite_workflow.data.fixed_width import find_fixed_widths
from ignite_workflow.data.tables import open_table
from ignite_workflow.errors import ConfigError, DataError


@pytest.fixture
def read(tmp_path):
    def table(content, **said):
        path = tmp_path / "table.txt"
        path.write_text(content)
        opened = open_table(str(path), ReadConfig(**said))
        rows = [row for chunk in opened.chunks() for row in chunk.frame.rows()]
        return opened.columns, rows, [note.removeprefix("table.txt: ") for note in opened.notes]

    return table


TABLE = "id   name       x\n1    Ann Lee    1.5\n2    Bob        2.5\n3               13.5\n"
ROWS = [("1", "Ann Lee", "1.5"), ("2", "Bob", "2.5"), ("3", "", "13.5")]


def test_columns_that_blanks_align_are_read_and_said(read):
    columns, rows, notes = read(TABLE)

    assert (columns, rows) == (("id", "name", "x"), ROWS)
    assert notes == [
        "columns of fixed width begin at the characters [1,6,17] (blanks stand before them in all 4 lines looked at); "
        "otherwise: data.read.starts, or data.read.delimiter."
    ]


def test_the_line_drawn_beneath_the_names_shows_where_columns_begin(read):
    header, body = TABLE.split("\n", 1)

    columns, rows, notes = read(f"{header}\n---- ---------- -----\n{body}")

    assert (columns, rows) == (("id", "name", "x"), ROWS)
    assert "as the line drawn beneath the names shows" in notes[0]


def test_a_total_below_is_left_out_by_its_cells(read):
    lines = [
        "name         x",
        "Ann Lee      1.5",
        "Bob          2.5",
        "Al Moe       3.5",
        "Di          10.0",
        "Total       17.5",
    ]

    columns, rows, notes = read("\n".join(lines) + "\n", starts=[1, 13])

    assert (columns, rows[-1], len(rows)) == (("name", "x"), ("Di", "10.0"), 4)
    assert "the last line (6) is no data" in notes[-1]
    assert "(its 'x' is the sum of the 4 rows above)" in notes[-1]


def test_a_person_says_where_columns_begin(read):
    packed = "20240131AB  12\n20240201ABC123\n"

    columns, rows, _ = read(packed, starts=[1, 9, 12], header=False)

    assert columns == ("column_1", "column_2", "column_3")
    assert rows == [("20240131", "AB", "12"), ("20240201", "ABC", "123")]
    assert read(TABLE, delimiter=",")[0] == ("id   name       x",)


NAMES = ("Station", "Where-it-is", "Count", "Temperature")


def aligned(seed):
    """Rows as a program draws them, and what stands above and below the table."""
    pick = random.Random(seed)

    def words():
        return " ".join("".join(pick.choices("abcäöüß漢", k=pick.randint(1, 6))) for _ in range(pick.randint(1, 3)))

    rows = [
        (words(), pick.choice([words(), ""]), str(pick.randint(-999, 999999)), str(pick.randint(-99, 99)))
        for _ in range(pick.randint(8, 30))
    ]
    widths = [max(map(len, cells)) for cells in zip(NAMES, *rows, strict=True)]
    lines = [
        f"{one:{widths[0]}}  {two:{widths[1]}}  {three:>{widths[2]}}  {four:>{widths[3]}}"
        for one, two, three, four in (NAMES, *rows)
    ]
    title = pick.choice(["", "Report of 2024, by hand\n\n"])
    note = pick.choice(["", "\nSource: Agency-of-the-Report-of-the-Whole-of-the-Year\n"])
    return title + "\n".join(lines) + "\n" + note, rows


@pytest.mark.parametrize("seed", range(20))
def test_what_was_aligned_is_read_back(read, seed):
    content, rows = aligned(seed)

    assert read(content)[:2] == (NAMES, rows)


def test_a_line_without_a_blank_between_columns_is_refused(read, monkeypatch):
    monkeypatch.setattr(text_file, "_SAMPLE_BYTES", len(TABLE))

    with pytest.raises(DataError, match=r"line 5: no blank parts two columns: '4    Maximilian-Bob1.5'. Columns begin"):
        read(TABLE + "4    Maximilian-Bob1.5\n5    Eve        4.5\n")
    assert read(TABLE + "4    Maximilian 101.5\n")[1][-1] == ("4", "Maximilian", "101.5")


def test_few_lines_and_numbers_behind_one_blank_are_asked_about(read):
    with pytest.raises(DataError, match=r"characters \[1,8\], but there are 3 lines only. Say where: data"):
        read("Ann L  1.5\nBob    2.5\nEve K  3.5\n")
    codes = "".join(f"ab {number}2.5  some text\n" for number in range(8))
    with pytest.raises(DataError, match=r"\[1,10\], but another may begin at 4, behind one blank"):
        read(codes, delimiter=None, header=False)
    assert read(codes, starts=[1, 4, 10], header=False)[1][0] == ("ab", "02.5", "some text")


def test_a_date_and_a_time_behind_one_blank_are_one_cell(read):
    lines = "".join(f"2024-01-0{number + 1} 12:00  Ann {'Lee' * (number % 3)}\n" for number in range(8))

    assert read(f"when              who\n{lines}")[1][1] == ("2024-01-02 12:00", "Ann Lee")


@pytest.mark.parametrize(
    "text",
    ["one line of prose\nand another of it\nthen a third one\nand so on", "a\tb\nc\td\ne\tf\ng\th", "x\ny\nz\nw"],
)
def test_prose_lists_and_tabs_are_no_columns(text):
    assert find_fixed_widths(text.split("\n")) is None


@pytest.mark.parametrize(("wide", "found"), [(9_000, True), (10_000, False)])
def test_very_long_lines_are_text(wide, found):
    lines = [f"{'x' * wide}  {number}" for number in range(9)]

    assert (find_fixed_widths(lines) is not None) == found


def test_settings_that_contradict_each_other_are_refused():
    with pytest.raises(ConfigError, match="'starts' must ascend"):
        ReadConfig(starts=[1, 9, 4])
    with pytest.raises(ConfigError, match="have no 'delimiter'"):
        ReadConfig(starts=[1, 9], delimiter=",")
    with pytest.raises(ConfigError, match="none needs 'escapes'"):
        ReadConfig(quotes=False, escapes=True)
