import polars as pl
import pytest

from ignite_workflow.config import DataConfig, ReadConfig
from ignite_workflow.data import inspect_table, text_file
from ignite_workflow.data.cells import as_numbers
from ignite_workflow.data.chunk_store import ChunkStore
from ignite_workflow.data.number_format import NumberFormat, to_float
from ignite_workflow.data.survey import survey_table
from ignite_workflow.errors import ConfigError


@pytest.fixture
def understood(tmp_path):
    def look(rows, header="x;y", **settings):
        path = tmp_path / "table.csv"
        path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
        return inspect_table(DataConfig(path=str(path), target="y", **settings)).columns[0]

    return look


def test_a_decimal_comma_is_found_and_said(understood):
    column = understood([f"{number},5;{number}" for number in range(50)])

    assert (column.kind, column.why) == ("number", "numbers from 0.5 to 49.5, written like '10,5'")


def test_one_column_decides_what_another_leaves_open(understood):
    rows = [f"{number}.{number:03d};{number},5" for number in range(1, 50)]

    column = understood(rows)

    assert column.why == "integers from 1001 to 49049, written like '10.010', as column 'y' writes them"


def test_what_no_cell_decides_is_asked(understood):
    rows = [f"{number},{number:03d};{number}" for number in range(1, 50)]

    with pytest.raises(ConfigError, match=r"'1,001' may be thousands \(data\.read\.decimal='\.'\) or a fraction"):
        understood(rows)
    assert understood(rows, read=ReadConfig(decimal=",")).why.startswith("numbers from 1.001 to 49.049")
    assert understood(rows, read=ReadConfig(thousands=",")).why.startswith("integers from 1001 to 49049")
    assert understood(rows, columns={"x": "ignore"}).kind == "ignore"


def test_points_without_other_evidence_are_decimal_points(understood):
    assert (
        understood([f"{number}.{number:03d};{number}" for number in range(1, 50)]).why == "numbers from 1.001 to 49.049"
    )


@pytest.mark.parametrize(
    ("early", "late", "why"),
    [
        ("{}", "{},5", "numbers from 0 to 99.5, written like '50,5'"),
        ("1.{:03d}", "2.{:03d},5", "numbers from 1000 to 2099.5, written like '2.050,5'"),
        ("1,{:03d}", "{},5", "numbers from 1 to 99.5, written like '1,000'"),
        ("1,{:03d}", "1,{:03d},000", "integers from 1000 to 1099000, written like '1,050,000'"),
        ("", "{} kg", "integers from 50 to 99, written like '50 kg'"),
    ],
)
def test_the_end_of_a_file_counts_as_much_as_its_beginning(understood, monkeypatch, early, late, why):
    monkeypatch.setattr(text_file, "_BLOCK_BYTES", 100)
    rows = [f"{(early if number < 50 else late).format(number)};{number % 7}" for number in range(100)]

    assert understood(rows).why == why


def test_numbers_that_were_kept_in_the_wrong_reading_are_read_again(tmp_path, monkeypatch):
    monkeypatch.setattr(text_file, "_BLOCK_BYTES", 100)
    path = tmp_path / "table.csv"
    rows = [f"1.{number:03d};{number}" for number in range(50)] + [f"2.{number:03d},5;{number}" for number in range(50)]
    path.write_text("\n".join(["x;y", *rows]))

    survey = survey_table(DataConfig(path=str(path), target="y"), store=ChunkStore(None, [].append))

    first = next(survey.chunks())
    assert as_numbers(first.column("x"), survey.schema.rules, first.place)[0] == 1000


def test_different_units_are_said(understood):
    column = understood([f"{number} {'kg' if number % 2 else 'lb'};{number}" for number in range(40)])

    assert column.why.endswith("different units: kg (20), lb (20)")


@pytest.mark.parametrize(
    ("cells", "kind", "why"),
    [
        (["$5M", "3.2k", "1.5bn", "-$7", "12"], "number", "integers from -7 to 1500000000, written like '1.5bn'"),
        (["$5M", "$3.2M"], "number", "integers from 3200000 to 5000000, written like '$3.2M'"),
        (["5k", "100m"], "category", "text of 2 different values, numbers with different units: k (30), m (30)"),
        (["$5M", "€3k"], "category", "text of 2 different values, numbers with different units: $ M (30), € k (30)"),
        (["12k", "7k"], "number", "integers from 7 to 12, written like '12k'"),
        (
            ["\uff11\uff12", "\uff17\uff0e\uff15", "3"],
            "number",
            "numbers from 3 to 12, written like '\uff17\uff0e\uff15'",
        ),
        (["\u0661\u0662", "\u0667"], "number", "integers from 7 to 12, written like '\u0661\u0662'"),
        (["\uff10\uff11", "\uff17\uff12"], "category", "text of 2 different values"),
        (["110.110.114.101", "192.168.100.255"], "category", "text of 2 different values, addresses, not numbers"),
        (["1935-", "40-"], "category", "text of 2 different values, ranges without an end, not numbers below zero"),
        (["1935-", "40"], "number", "integers from -1935 to 40, written like '1935-'"),
        (["110.110.114.101", "192.168.100.256"], "number", "integers from 110110114101 to 192168100256, written like"),
    ],
)
def test_sizes_multiply_digits_are_those_of_any_script_and_addresses_are_text(understood, cells, kind, why):
    column = understood([f"{cells[row % len(cells)]};{row * 1.37 % 7:.2f}" for row in range(60)])

    assert column.kind == kind
    assert column.why.startswith(why)


def test_a_model_reads_sizes_and_digits_as_its_training_data_did():
    form = NumberFormat(unit="$", digits=True, scales=True)
    cells = pl.Series("x", ["$5M", "-3.2 k", "1.5bn", "$12", "\u0667", "5 apples"])

    assert cells.to_frame().select(to_float(pl.col("x"), form))["x"].to_list() == [5e6, -3200, 1.5e9, 12, 7, None]
