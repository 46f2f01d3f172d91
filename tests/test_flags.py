import polars as pl
import pytest

from ignite_workflow.config import DataConfig, ReadConfig
from ignite_workflow.data import inspect_table
from ignite_workflow.data.cells import CellRules, as_numbers
from ignite_workflow.data.number_format import to_float
from ignite_workflow.data.number_search import NumberSearch
from ignite_workflow.errors import DataError


def search(*cells, flags=()):
    found = NumberSearch(flags=flags)
    found.add(pl.Series("x", cells))
    return found


def read(*cells, flags=()):
    """The cells as numbers, None where they are none; empty: the column is none of numbers."""
    return [
        number
        for form in search(*cells, flags=flags).formats()
        for number in pl.DataFrame({"x": cells}).select(to_float(pl.col("x"), form).fill_nan(-1))["x"].to_list()
    ]


@pytest.mark.parametrize(
    ("cells", "numbers"),
    [
        (["12.3 b", "7.1", "8.8 p", "9", "10 bp", "11.5", "12"], [12.3, 7.1, 8.8, 9, 10, 11.5, 12]),
        (["5*", "12", "7.5**", "-3***"], [5, 12, 7.5, -3]),
        (["3.4†", "12‡", "7.5"], [3.4, 12, 7.5]),
        (["1.5¹", "2.5²", "7"], [1.5, 2.5, 7]),
        (["7 (e)", "12", "4.2 [r]", "33[1]"], [7, 12, 4.2, 33]),
        (["1,234,567r", "12,000", "2,500"], [1234567, 12000, 2500]),
        (["10 %*", "20 %", "35 %"], [10, 20, 35]),
        (["~5", "*7.5", "'9"], [5, 7.5, 9]),
        (["12,3 e", "14,55", "7"], [12.3, 14.55, 7]),
    ],
)
def test_flags_beside_numbers_are_left_out(cells, numbers):
    assert read(*cells) == numbers


def test_flags_that_stand_alone_are_missing():
    assert read("12.3", ": c", ":", "[x]", "7.5 b") == [12.3, -1, -1, -1, 7.5]
    assert read("12.3", ".a", ".Z", "._", ".5") == [12.3, -1, -1, -1, 0.5]  # of Stata and SAS


@pytest.mark.parametrize(
    "cells",
    [
        ["12 b", "7", "8", "9"],  # billions
        ["10p", "4.7n", "100", "200", "300"],  # sizes of capacitors
        ["10 p", "4.7 n", "100", "200", "300"],
        ["10 d", "4 s", "100", "200", "300"],  # days and seconds
        ["12b", "14", "7c", "9", "22"],  # numbers of houses
        ["5 kg", "6 e", "7", "8", "9"],
        ["10²", "10³", "5"],
        ["'00012", "'00400"],
        ["<0.3", "5", "7"],
        ["5*", "six", "7"],
    ],
)
def test_what_may_be_something_else_is_no_flag(cells):
    assert read(*cells) == []


def test_flags_are_told():
    assert read("<0.3", "5", ">100", flags=["<", ">"]) == [0.3, 5, 100]
    assert read("12 b", "7", "8", flags=["b"]) == [12, 7, 8]
    assert read("50+", "7", flags=["+"]) == [50, 7]
    assert read("5*", "7", "8 (e)", flags=None) == []


def test_flags_are_counted_and_limits_are_said(tmp_path):
    rows = ["12.3 b,<0.3", "7.1,5", ": c,6", "8.8 bp,7.5", "9,8", "9.5,<0.3"]
    path = tmp_path / "table.csv"
    path.write_text("\n".join(["x,z,y", *(f"{row},{number}.5" for number, row in enumerate(rows))]))

    flagged, limits, _ = inspect_table(DataConfig(path=str(path), target="y")).columns

    assert (flagged.kind, flagged.missing) == ("number", 1)
    assert flagged.why == (
        "numbers from 7.1 to 12.3, flags left out: 'b' (1), 'bp' (1); missing: ': c' (1); "
        "otherwise: data.read.flags=false"
    )
    assert limits.kind == "category"
    assert limits.why.endswith("'<0.3'; if the limit may stand for it: data.read.flags=['<']")


def test_flags_in_one_column_tell_what_letters_are_in_another(tmp_path):
    path = tmp_path / "table.csv"
    rows = [f"{row}.5{' b' if row == 3 else ''},{':' if row == 5 else row},{row * 2}.5" for row in range(9)]

    path.write_text("\n".join(["x,z,y", *rows]))
    assert inspect_table(DataConfig(path=str(path), target="y")).columns[0].kind == "number"
    path.write_text("\n".join(["x,z,y", *rows]).replace(":", "7"))
    assert inspect_table(DataConfig(path=str(path), target="y")).columns[0].kind != "number"


def test_flags_that_begin_late_are_found(tmp_path, monkeypatch):
    monkeypatch.setattr("ignite_workflow.data.text_file._FIRST_BYTES", 400)
    rows = [f"{number}.5,{number % 7}.25" for number in range(200)]
    rows[150:] = [row.replace(".5,", ".5 p,") for row in rows[150:]]
    path = tmp_path / "table.csv"
    path.write_text("\n".join(["x,y", *rows]))

    column = inspect_table(DataConfig(path=str(path), target="y")).columns[0]

    assert column.why == "numbers from 0.5 to 199.5, flags left out: 'p' (50); otherwise: data.read.flags=false"
    column = inspect_table(DataConfig(path=str(path), target="y", read=ReadConfig(flags=False))).columns[0]
    assert column.kind != "number"


def test_a_limit_among_numbers_says_what_it_can_be_taken_for():
    with pytest.raises(
        DataError, match=r"'<0.3' is not a number; if the limit may stand for it, train with data\.read\.flags="
    ):
        as_numbers(pl.Series("x", ["1", "<0.3"]), CellRules(), "row {}".format)


@pytest.mark.parametrize(("cell", "said"), [("c168", True), ("98115-4820", True), ("abc", False), ("7 kg", False)])
def test_a_code_among_numbers_is_refused_with_what_to_say(cell, said):
    with pytest.raises(DataError, match="is not a number") as refused:
        as_numbers(pl.Series("x", ["117", cell]), CellRules(), "row {}".format)

    assert ("if these are codes, train with data.columns.x=category" in str(refused.value)) == said


@pytest.mark.parametrize(
    ("cells", "numbers"),
    [
        (["Fr. 5.-", "Fr. 7.50", "Fr. 1'200.\u2013"], [5, 7.5, 1200]),
        (["1'000.--", "5.25", "75.\u2014"], [1000, 5.25, 75]),
        (["5,- €", "7,50 €", "1.200,-- €"], [5, 7.5, 1200]),
        (["$ (7.00)", "($1,234.00)", "$ 5.00", "$ -"], [-7, -1234, 5, 0]),
        (["- €", "1.200,50 €"], [0, 1200.5]),
        (["5.-", "17.25-", "8"], [5, -17.25, 8]),
    ],
)
def test_amounts_of_money_are_read(cells, numbers):
    assert read(*cells) == numbers


def test_a_dash_that_stands_for_zero_is_said(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("x,y\n" + "".join(f"{'$ -' if row == 2 else f'${row}.50'},{row}.5\n" for row in range(9)))

    column = inspect_table(DataConfig(path=str(path), target="y")).columns[0]

    assert column.why == "numbers from 0 to 8.5, written like '$0.50'; '$ -' is 0"
