from datetime import UTC, date, datetime
from random import Random

import numpy as np
import polars as pl
import pytest

from ignite_workflow.data.cells import CellRules, count_values
from ignite_workflow.data.column_scan import ColumnScan
from ignite_workflow.data.dates import as_seconds
from ignite_workflow.data.findings import keep_one_feature
from ignite_workflow.errors import DataError


def scan(values, name="x", chunk=1000, kind=None, **rules):
    found = ColumnScan(name, CellRules(**rules), kind)
    series = values if isinstance(values, pl.Series) else pl.Series(name, values)
    for start in range(0, len(series), chunk):
        found.add(series[start : start + chunk].alias(name), lambda index, start=start: f"row {start + index}")
    return found.finding()


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (["1.5", "2", "NA", "-3e2"], "number"),
        (["2007", "2008", "2009", "2007"], "number"),
        ([" 1", "2 ", "+3.5", ".5"], "number"),
        ([1, 5, None], "number"),
        ([1.5, 2.5, float("nan")], "number"),
        (["0", "1", "1"], "boolean"),
        ([0, 1, 1], "boolean"),
        (["Yes", "no", "NO", ""], "boolean"),
        ([True, False], "boolean"),
        (["a", "b", "a"], "category"),
        (["male", None, "male"], "category"),
        (["01234", "10115", "01234"], "category"),
        (["7", "7", "7"], "constant"),
        ([None, None], "constant"),
        (["", "NA", "?"], "constant"),
        ([1.5, 1.5], "constant"),
        (["2024-01-31", "2024-02-01", "2024-01-31"], "datetime"),
        (["31.12.2023 23:59", "", "01.01.2024 0:00"], "datetime"),
        ([date(2024, 1, 31), date(2024, 2, 1)], "datetime"),
        (["a", "b", "c"], "identifier"),
        ([[1], [2, 3]], "ignore"),
        (["ja", "Nein", "ja", "-"], "boolean"),
        (["oui", "non"], "boolean"),
        (["yes", "N", "TRUE", "0"], "boolean"),
        (["yes", "no", "perhaps"] * 3, "category"),
        (["1", "2", "#DIV/0!", "--", "N.A."], "number"),
        (["18.00.00", "19.30.00", "18.00.00"], "datetime"),
        (["12345678901234567890", "12345678901234567891"], "identifier"),
    ],
)
def test_cells_say_what_a_column_holds(values, kind):
    assert scan(values).kind == kind


@pytest.mark.parametrize("chunk", [1, 7, 1000])
@pytest.mark.parametrize("seed", range(4))
def test_the_size_of_chunks_does_not_matter(chunk, seed):
    random = Random(seed)
    makers = [
        lambda: str(random.randint(0, 99)),
        lambda: f"{random.random():.3f}",
        lambda: random.choice(["0", "1", ""]),
        lambda: random.choice(["red", "green", "NA"]),
    ]
    values = [makers[seed]() for _ in range(200)]

    assert scan(values, chunk=chunk) == scan(values, chunk=200)


def test_the_whole_file_counts():
    assert scan(["1", "2"] * 500 + ["much", "little"] * 500, chunk=100).kind == "category"
    assert scan(["1.5", "2.5"] * 500 + ["much", "little"] * 500, chunk=100).kind == "text"


def test_a_few_cells_that_are_not_numbers_are_mistakes():
    finding = scan([f"{number}.5" for number in range(99)] + ["broken"])

    assert (finding.kind, finding.why) == ("number", "1 of 100 known cells are not numbers: 'broken' in row 99")


def test_a_code_among_few_numbers_is_a_category():
    assert scan(["1", "2", "3"] * 50 + ["X"] * 2).kind == "category"


def test_integers_that_count_the_rows_are_an_identifier():
    finding = scan([str(number) for number in range(1, 500)], chunk=100)

    assert (finding.kind, finding.why) == ("identifier", "integers that count the rows, from 1 to 499")


def test_infinite_cells_are_looked_at_without_a_warning(recwarn):
    finding = scan(["1", "inf", "inf"])

    assert (finding.kind, len(recwarn)) == ("number", 0)


def test_large_integers_are_shown_whole():
    assert scan(["1700000000", "1702999400"]).why == "integers from 1700000000 to 1702999400"


@pytest.mark.parametrize("values", [["1", "2", "4"], ["2", "3", "4"], ["1700", "1701", "1702"], ["0", "1", "", "3"]])
def test_other_integers_are_numbers(values):
    assert scan(values).kind == "number"


@pytest.mark.parametrize("name", ["id", "customer_id", "Customer ID", "customerId", "uuid", "Order No", "Kunde Nr."])
def test_integers_named_like_an_id_are_an_identifier_where_none_occurs_twice(name):
    assert scan(["17", "4", "23"], name).kind == "identifier"
    assert scan(["17", "4", "17"], name).kind == "number"


@pytest.mark.parametrize("name", ["width", "paid", "humid", "grid"])
def test_a_name_that_ends_in_id_by_chance_is_not_an_id(name):
    assert scan(["17", "4", "23"], name).kind == "number"


def test_long_texts_are_free_text():
    finding = scan([f"the bird number {number} was seen near the water" for number in range(30)] * 2)

    assert finding.kind == "text"


def test_few_long_answers_are_a_category():
    assert scan(["I agree with all of that", "I do not agree with it at all"] * 100).kind == "category"


def test_texts_of_which_most_differ_are_an_identifier():
    assert scan([f"bird {number // 1.5}" for number in range(90)]).kind == "identifier"


def test_texts_of_more_than_ten_thousand_values_are_not_used():
    finding = scan([f"v{number % 10_001}" for number in range(40_000)], chunk=5000)

    assert (finding.kind, finding.why) == ("text", "text of more than 10000 different values")


def test_a_date_that_may_begin_with_day_or_month_is_a_question():
    finding = scan(["01/02/2024", "03/04/2024", "01/02/2024"])

    assert finding.question.startswith("column 'x': '01/02/2024' may begin with the day or with the month")
    assert scan(["01/02/2024", "31/01/2024"] * 2).question == ""


def test_the_cell_that_is_asked_about_is_one_whose_day_and_month_may_be_exchanged():
    assert scan(["1-Jan-15", "05/04/82", "2-Feb-16"]).question.startswith("column 'x': '05/04/82' may begin with the")


def test_dates_say_what_decided_them():
    finding = scan(["5/1/2006", "5/19/2006", "5/1/2006"] * 9)

    assert finding.why == "every known cell is written %m/%d/%Y, as '5/19/2006' shows, from 2006-05-01 to 2006-05-19"


def test_dates_that_contradict_each_other_are_said():
    finding = scan(["31/01/2024", "01/31/2024", "02/02/2024"] * 2)

    assert finding.kind == "category"
    assert finding.why.endswith("are dates that contradict each other")


def test_words_that_mean_missing_are_counted():
    finding = scan(["1.5", "NA", "", " n/a", "NA", "7"], chunk=2)

    assert (finding.missing, finding.words) == (4, {"NA": 2, "n/a": 1})


def test_what_keeps_a_column_from_being_numbers_is_said():
    finding = scan([str(number) for number in range(30)] * 2 + ["soon"] * 20)

    assert finding.why.endswith("60 are numbers, not so 'soon' in row 60: if it means a missing value, data.missing")


def test_rows_that_are_empty_altogether_do_not_count():
    found = ColumnScan("x", CellRules())
    found.add(pl.Series("x", ["7", "7", "", ""]), str, empty=2)

    finding = found.finding()
    assert (finding.kind, finding.rows, finding.missing) == ("constant", 2, 0)


def test_missing_cells_are_counted_in_all_spellings():
    spellings = ["", "NA", "N/A", "n/a", "NaN", "nan", "null", "NULL", "None", "?", " NA "]

    assert scan([*spellings, "1.5", "2.5"]).missing == len(spellings)
    assert scan([*spellings, "a", "b", "a"]).missing == len(spellings)


@pytest.mark.parametrize("values", [["-200", "1.5", "-200.0"], [-200, 1, 2], [-200.0, 1.5, 2]])
def test_further_spellings_of_missing_are_those_numbers_too(values):
    assert scan(values, missing=("", "-200")).missing == sum(float(value) == -200 for value in values)


def test_a_decimal_comma_is_read():
    finding = scan(["1,5", "-0,25"], decimal=",")

    assert (finding.kind, finding.why) == ("number", "numbers from -0.25 to 1.5")


def test_what_a_person_says_overrules():
    finding = scan(["1", "2", "3"], kind="category")

    assert (finding.kind, finding.why, finding.given) == ("category", "as data.columns says", True)


def test_numbers_of_which_every_one_is_a_day_are_dates():
    found = scan(["20240131", "20240229", None, "20231231", "20240401"])

    assert (found.kind, found.formats) == ("datetime", ("%Y%m%d",))
    assert found.why == (
        "every known cell is written %Y%m%d, from 2023-12-31 to 2024-04-01; if these are numbers: data.columns.x=number"
    )


@pytest.mark.parametrize("other", ["20240230", "20241301", "18990101", "20240131.5", "2024013112", "7"])
def test_with_one_number_that_is_no_day_they_are_numbers(other):
    assert scan(["20240131", "20240229", "20231231", "20240401", other]).kind == "number"
    assert scan([other, "20240131", "20240229", "20231231", "20240401"]).kind == "number"


def test_few_different_days_may_be_chance_unless_the_name_or_a_person_tells():
    assert scan(["20240131", "20240201"]).kind == "number"
    assert scan(["20240131", "20240201"], "sold_date").kind == "datetime"
    assert scan(["20240131", "20240201"], kind="datetime").formats[0] == "%Y%m%d"
    assert scan(["20240131", "20240229", "20231231", "20240401"], kind="number").kind == "number"


@pytest.mark.parametrize("form", ["%Y%m%d", "%Y%m%d%H", "%Y%m%d%H%M", "%Y%m%d%H%M%S"])
@pytest.mark.parametrize("make", [int, float, str])
def test_numbers_that_are_moments_are_read_to_the_second(form, make):
    moments = [datetime(2024, 2, day, 23, 59, 58, tzinfo=UTC) for day in range(1, 30)]
    cells = [make(moment.strftime(form)) for moment in moments]

    found = scan(cells)
    seconds = as_seconds(pl.Series("x", cells), found.formats, CellRules(), str)

    assert (found.kind, found.formats) == ("datetime", (form,))
    assert seconds.tolist() == [
        datetime.strptime(moment.strftime(form) + "+0000", form + "%z").timestamp() for moment in moments
    ]


def test_the_last_hour_of_a_day_is_23():
    cells = [f"202402{day:02}24" for day in range(1, 30)]

    assert scan(cells).kind == "number"


def test_values_are_counted_and_shown():
    finding = scan(["b", "a", "b", None])

    assert (finding.counts, finding.examples, finding.known) == ({"b": 2, "a": 1}, ("b", "a"), 3)


def test_a_column_that_counts_the_rows_is_learned_from_where_there_is_no_other():
    counting, target = scan(["0", "1", "2"], "x"), scan(["0.5", "1.5", "2.5"], "y")

    assert keep_one_feature({"x": counting, "y": target}, ["y"])["x"].kind == "number"
    assert keep_one_feature({"x": counting, "y": target, "z": target}, ["y"])["x"].kind == "identifier"


def test_the_index_that_pandas_wrote_says_nothing():
    assert scan(["17", "3", "29", "8"], name="Unnamed: 0").kind == "identifier"
    assert scan(["17", "3", "3", "8"], name="Unnamed: 0").kind == "number"


def test_words_among_dates_are_said():
    found = scan(["2024-01-03", "2024-01-04", "unknown", "2024-02-05", "2024-02-06"])

    assert found.why.endswith("; most are dates, not so 'unknown': if it means a missing value, data.missing")


@pytest.mark.parametrize(("unit", "size"), [("seconds", 1), ("milliseconds", 10**3), ("nanoseconds", 10**9)])
@pytest.mark.parametrize("make", [int, str])
def test_numbers_are_moments_where_a_person_says_so(unit, size, make):
    values = [make(second * size) for second in (1_704_067_200, 1_735_689_600)] + [None]

    found = scan(values, kind="datetime")
    seconds = as_seconds(pl.Series("x", values), found.formats, CellRules(), str)

    assert found.why == f"as data.columns says: {unit} since 1970, from 2024-01-01 to 2025-01-01"
    assert seconds[:2].tolist() == [1_704_067_200, 1_735_689_600]


def test_of_numbers_named_like_a_time_it_is_said_that_they_may_be_moments():
    found = scan([1_704_067_200_000, 1_735_689_600_000], "made_at")

    assert found.kind == "number"
    assert found.why.endswith("since 1970 from 2024-01-01 to 2025-01-01: data.columns.made_at=datetime")


def test_numbers_that_are_moments_of_no_unit_are_asked():
    asked = scan([0, 1_704_067_200, 1_704_067_201], kind="datetime").question

    assert asked.startswith("column 'x': its numbers, from 0 to 1704067201, are neither dates such as 20240131 nor")
    assert scan(["20240131", "20240201"], kind="datetime").formats == ("%Y%m%d",)


def test_a_cell_that_is_no_number_among_moments_is_named():
    with pytest.raises(DataError, match=r"0, column 'x': 'soon' is not seconds since 1970"):
        as_seconds(pl.Series("x", ["soon"]), ("seconds since 1970",), CellRules(), str)


def test_the_first_cells_show_the_same_as_many_do():
    assert scan(["NA", " 1.5", "1.5", "", "2.5", "7.5", "8.5"]).examples == ("1.5", "2.5", "7.5")
    assert scan(["b"] * 500 + ["a", "c"]).examples == ("b", "a", "c")


def test_numbers_of_two_spellings_are_named_with_both_cells_and_the_place():
    assert scan(["1.5"] * 10 + ["2,5"] * 1000, chunk=10).why == (
        "text and numbers with fractions, mixed: '1.5' is a number, '2,5' in row 10 is not written as one"
    )


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        (["12e345", "7", "8"] * 10, "category"),
        (["12e34", "12034", "54321"] * 10, "category"),
        ([f"12e{number}" for number in range(30)] * 3 + ["9"] * 20 + ["12x34"], "category"),
        (["1e3", "1e4", "250"] * 10, "number"),
        (["12e3", "9", "150"] * 10, "number"),
        (["12e3", "1.5", "150"] * 10, "number"),
        (["1e+03", "2e+04"] * 10, "number"),
    ],
)
def test_digits_e_digits_are_codes_where_other_cells_show_it(cells, kind):
    scan = ColumnScan("plate", CellRules())
    scan.add(pl.Series("plate", cells), "row {}".format)

    assert scan.finding().kind == kind


def test_what_may_be_a_code_or_a_number_is_said():
    scan = ColumnScan("plate", CellRules())
    scan.add(pl.Series("plate", ["12e3", "9", "150"] * 10), "row {}".format)

    assert scan.finding().why.endswith("; '12e3' in scientific notation, if it is a code: data.columns.plate=category")


def test_numbers_of_a_column_of_fractions_are_seen_alike_in_short_and_in_full():
    values = np.random.default_rng(0).normal(size=4000).tolist()
    values[1500], values[2500], values[3500] = -9.0, 9.0, None
    typed, text = ColumnScan("a", CellRules()), ColumnScan("a", CellRules())

    for start in range(0, 4000, 1000):
        cells = pl.Series("a", values[start : start + 1000], dtype=pl.Float64)
        typed.add(cells if start else cells.cast(pl.String), str)
        text.add(cells.cast(pl.String).fill_null(""), str)

    assert typed.finding() == text.finding()
    assert typed.finding().missing == 1


def test_few_values_are_counted_as_many_are():
    text = pl.Series("count", ["b", "a", "b"])

    assert count_values(text) == {"a": 1, "b": 2}
    assert count_values(pl.concat([text] * 1000)) == {"a": 1000, "b": 2000}


@pytest.mark.parametrize(
    ("cells", "counts"), [(["5", " 5", "7 "], {"5": 2, "7": 1}), (["5", "-999", "05"], {"5": 1, "05": 1})]
)
def test_whole_numbers_are_counted_without_blanks_and_missing_ones(cells, counts):
    series, column = pl.Series("x", cells), ColumnScan("x", CellRules(missing=("", "-999")))

    column.add(series, str, series.cast(pl.Float64, strict=False))

    assert column.finding().counts == counts
