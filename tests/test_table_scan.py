import pytest

from ignite_workflow.config import DataConfig, ReadConfig
from ignite_workflow.data import inspect_table
from ignite_workflow.errors import ConfigError, DataError


@pytest.fixture
def look(tmp_path):
    def inspect(content, **settings):
        path = tmp_path / "table.csv"
        path.write_text(content)
        return inspect_table(DataConfig(path=str(path), target="y", **settings))

    return inspect


def column(report, name):
    return next(finding for finding in report.columns if finding.name == name)


def test_a_dash_is_a_missing_value(look):
    report = look("x,y\n" + "-,1\n5.5,2\n" * 20)

    assert (column(report, "x").kind, column(report, "x").missing) == ("number", 20)


def test_a_dash_beside_plus_signs_is_a_sign(look):
    report = look("x,y\n" + "-,1.5\n+,2.5\n" * 20)

    assert (column(report, "x").kind, column(report, "x").missing) == ("category", 0)
    assert column(look("x,y\n" + "-,1.5\n+,2.5\n" * 20, missing=("-",)), "x").missing == 20


def test_words_are_values_where_a_person_says_so(look):
    content = "x,y\n" + "NA,1.5\nEU,2.5\n,3\n" * 20

    assert column(look(content), "x").missing == 40
    assert column(look(content, read=ReadConfig(missing_words=False)), "x").missing == 20


def test_empty_rows_are_counted_and_left_out(look):
    report = look("x,y\n" + "5,1.5\n6,2.5\n" * 20 + ",\n" * 7)

    assert report.notes == ("7 rows are empty in all cells.",)
    assert column(report, "x").missing == 0


def test_everything_that_is_open_is_asked_at_once(look):
    content = "a,b,y\n" + '01/02/2024,"1,234",1\n03/04/2024,"5,678",2\n' * 20

    with pytest.raises(ConfigError) as error:
        look(content)

    assert [line[:10] for line in str(error.value).splitlines()] == ["column 'b'", "column 'a'"]
    report = look(content, read=ReadConfig(day_first=False, decimal="."))
    assert (column(report, "a").formats, column(report, "b").why[:13]) == (("%m/%d/%Y",), "integers from")


def test_a_header_that_stands_again_below_is_refused_with_its_line(look):
    joined = "x,y\n" + "a,b\nc,d\n" * 20

    with pytest.raises(DataError, match=r"line 42 \(row 40\): the header stands here again"):
        look(joined + joined)


def test_a_cell_that_is_the_name_of_its_column_is_a_cell(look):
    assert look("y\n" + "y\nn\n" * 20).classes == {"n": 20, "y": 20}
    assert look("x,y\n" + "x,n\nz,m\n" * 20).rows == 40
