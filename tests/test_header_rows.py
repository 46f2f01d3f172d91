import pytest
from hypothesis import given
from hypothesis import strategies as st

from ignite_workflow.data.header_rows import HeaderRows, find_header_rows
from ignite_workflow.data.tables import open_table

BODY = [[f"c{row}", f"{row}.5", f"2024-01-{row + 10}"] for row in range(8)]
NAMES = ("city", "size", "day")


@pytest.mark.parametrize(
    ("names", "rows", "joined"),
    [
        (NAMES, [["Your city?", "How large?", "When?"]], NAMES),
        (NAMES, [["Your city?", "How large?", "When?"], ["", '{"ImportId":"Q1"}', ""]], NAMES),
        (("", "2023", ""), [["", "Jan", "Feb"]], ("", "2023 Jan", "2023 Feb")),
        (("site", "sales", ""), [["", "2023", "2024"]], ("site", "sales 2023", "sales 2024")),
        (("", "a", "a"), [["", "low", "high"], ["city", "", ""]], ("city", "a low", "a high")),
        (("city", "Which?", ""), [["", "", "Other"]], ("city", "Which?", "Which? Other")),
        (NAMES, [["d", "c", "time"], ["meta", "class"]], NAMES),
        (NAMES, [["Rome Oslo", "c", "s"], ["", "", "m type=day"]], NAMES),
        (NAMES, [["string", "continuous", "t"], ["", "", ""]], NAMES),
        (NAMES, [["d", "c", "t"]], NAMES),
    ],
)
def test_what_stands_beneath_the_header_and_above_the_data_is_no_data(names, rows, joined):
    more = find_header_rows(names, rows + BODY)

    assert (more.names, more.rows) == (joined, len(rows))
    assert find_header_rows(names, rows + BODY, setting=False) == HeaderRows(tuple(names))


@pytest.mark.parametrize(
    "row",
    [
        *(
            ["Rome", "12", "unknown"],
            ["Rome", "large", ""],
            ["Rome", "nd", "nd"],
            ["Rome", "", "NA"],
            ["Rome", "T", "no"],
        ),
        *(["d", "12", "c"], ["c0", "c", "t"], ["d", "c", "5"]),
        *(["Rome", "2023", "2024"], ["Rome", "0.5", "never"], ["large", "never"]),
    ],
)
def test_a_row_that_may_be_data_is_data(row):
    assert find_header_rows(NAMES, [row, *BODY]).rows == 0


def test_short_words_are_no_marks_where_every_column_of_numbers_has_words():
    body = [[f"2024-01-{row + 10}", f"{row}", f"{row}.5", "x"] for row in range(8)]
    names = ("time", "record", "load", "site")

    assert find_header_rows(names, [["TS", "RN", "%", ""], ["", "", "Avg", ""], *body]).rows == 2
    assert find_header_rows(names, [["TS", "", "%", ""], *body]).rows == 0
    assert find_header_rows(names, [["nd", "nd", "nd", "x"], *body]).rows == 0


def test_a_row_of_words_that_stand_below_again_is_data():
    rows = [["Rome", "unknown", "unknown"], *BODY * 10, ["Oslo", "unknown", "2024-01-01"]]

    assert find_header_rows(NAMES, rows).rows == 0


@given(st.lists(st.tuples(st.sampled_from(["x", "lo", "12", "word", ""]), st.floats(0, 9).map(str)), min_size=2))
def test_a_row_with_a_number_where_all_are_numbers_is_data(rows):
    assert find_header_rows(("a", "b"), rows).rows == 0


def test_the_table_of_a_survey_begins_beneath_the_questions(tmp_path):
    (tmp_path / "survey.csv").write_text(
        'Q1,Q2\nHow old?,"How, in a word?"\n{ImportId:1},{ImportId:2}\n' + "".join(f"{age},{age}\n" for age in range(9))
    )
    table = open_table(str(tmp_path / "survey.csv"))
    chunk = next(table.chunks())

    assert (chunk.frame.rows()[0], chunk.place(0)) == (("0", "0"), f"{table.source}: line 4 (row 0)")
    assert table.notes[0].startswith(
        "survey.csv: 2 lines beneath the header hold more of the header and no data: words"
    )
