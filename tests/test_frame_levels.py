import pytest

from ignite_workflow.data.frame_levels import find_frame_levels, is_above_index

BODY = [["East", "a", "1", "2", "3", "4"], ["East", "b", "5", "6", "7", "8"]]
GROUPS = ["", "", "price", "", "sales", ""]
INDEX = ["region", "shop", "", "", "", ""]
JOINED = ("price 1", "price 2", "sales 1", "sales 2")


@pytest.mark.parametrize(
    ("rows", "names", "taken"),
    [
        ([["", "", "price", "price", "sales", "sales"], ["week", "", "1", "2", "1", "2"], INDEX],
         ("region", "shop", *JOINED), 2),
        ([GROUPS, ["", "week", "1", "2", "1", "2"], INDEX], ("region", "shop", *JOINED), 2),
        ([GROUPS, ["", "", "1", "2", "1", "2"]], ("", "", *JOINED), 1),
        ([GROUPS, ["", "", "1", "2", "1", "2"], [""] * 6], ("", "", *JOINED), 2),
        ([["", "", "a", "", "", "b"], ["", "", "x", "", "y", "x"], ["", "", "1", "2", "1", "1"], ["r", "s", *[""] * 4]],
         ("r", "s", "a x 1", "a x 2", "a y 1", "b"), 3),
    ],
)  # fmt: skip
def test_the_levels_of_a_data_frame_are_joined(rows, names, taken):
    assert find_frame_levels(rows[0], rows[1:] + BODY) == (names, taken)


@pytest.mark.parametrize(
    "rows",
    [
        [["region", "shop", "a", "a", "b", "b"], ["East", "", "1", "2", "1", "2"]],  # an index has no name above it
        [["", "", "a", "a", "b", "b"], ["", "", "1", "1", "1", "2"]],  # not told apart
        [["", "", "a", "b", "c", "d"], ["", "", "1", "2", "1", "2"]],  # none is shared
        [["k", "", "a", "b", "c", "d"], ["", "", "1", "2", "1", "2"], ["u", "v", "", "", "", ""]],
        [["", "", "a", "a", "b", "b"], ["", "", "1", "", "1", "2"]],
        [["", "", "a", "a", "b", "b"], ["", "", "1", "2", "1", "2.5"]],  # a row of data whose index is missing
        [["u", "v", "a", "a", "b", "b"], ["", "", "1", "2", "1", "2"], INDEX],
        [["", "", "a", "a", "b", "b"], ["", "", "1", "2", "1", "2"], ["", "x", "1", "2", "3", "4"]],
    ],
)
def test_what_is_no_header_of_a_data_frame_is_left_alone(rows):
    assert find_frame_levels(rows[0], rows[1:] + BODY) is None


def test_rows_of_other_widths_end_the_header():
    assert find_frame_levels(GROUPS, [["note"], ["", "", "1", "2", "1", "2"], *BODY]) is None


@pytest.mark.parametrize(
    ("names", "body", "found"),
    [
        (["", "", "sales"], [["North", "a", "1.5"], ["", "a", "2.5"]], True),
        (["", "sales"], [["0", "1.5"], ["1", "2.5"]], True),
        (["", "", "Report"], [["city", "shop", "sales"], ["Rome", "a", "2.5"]], False),
        (["", "Sales", "Cost"], [["city", "1", "2"], ["Rome", "2.5", "3.5"]], False),
        (["", "Sales", "Sales"], [["a", "2.5", "2.5"], ["a", "2.5", "3.5"]], False),
        (["", "Sales", "Cost"], [["a", "2019", "2020"], ["a", "2.5", "3.5"]], False),
        (["city", "Sales"], [["a", "1"], ["a", "2"]], False),
    ],
)
def test_names_above_all_columns_but_those_of_an_index_are_a_header(names, body, found):
    assert is_above_index(names, body) is found
