import polars as pl
import pytest

from ignite_workflow.config import DataConfig
from ignite_workflow.data.prepared import prepare_table
from ignite_workflow.data.tables import open_table
from ignite_workflow.errors import ConfigError, DataError


@pytest.fixture
def sales(tmp_path):
    frame = pl.DataFrame({"x": [0.5 * row for row in range(40)], "y": [row % 7 + 0.5 for row in range(40)]})
    for year in (2020, 2021):
        for city in ("S%C3%A3o Paulo", "__HIVE_DEFAULT_PARTITION__"):
            folder = tmp_path / "sales" / f"year={year}" / f"city={city}"
            folder.mkdir(parents=True)
            frame.write_parquet(folder / "part-0.parquet")
    (tmp_path / "sales" / "_SUCCESS").touch()
    return tmp_path / "sales"


@pytest.mark.parametrize("pattern", ["", "/*/*/*.parquet", "/**/*.parquet"])
def test_the_names_of_folders_give_columns(sales, pattern):
    table = open_table(f"{sales}{pattern}")
    rows = pl.concat([chunk.frame for chunk in table.chunks()])

    assert table.columns == ("x", "y", "year", "city")
    assert rows["year"].value_counts(sort=True).sort("year").rows() == [("2020", 80), ("2021", 80)]
    assert rows["city"].value_counts().sort("city").rows() == [(None, 80), ("São Paulo", 80)]
    assert table.notes == ("part-0.parquet: the folders' names give the columns 'year', 'city'.",)


def test_one_file_of_them_has_these_columns_too(sales):
    assert open_table(str(next(sales.rglob("*.parquet")))).columns == ("x", "y", "year", "city")


@pytest.mark.parametrize("ending", ["csv", "jsonl"])
def test_files_of_text_lie_in_such_folders_too(sales, tmp_path, ending):
    for file in sales.rglob("*.parquet"):
        frame = pl.read_parquet(file)
        frame.write_csv(file.with_suffix(".csv")) if ending == "csv" else frame.write_ndjson(file.with_suffix(".jsonl"))
        file.unlink()
    table = open_table(str(sales))
    rows = pl.concat([chunk.frame for chunk in table.chunks()])

    assert (rows.select("year", "city").n_unique(), rows["city"].null_count()) == (4, 80)
    assert table.notes == (f"part-0.{ending}: the folders' names give the columns 'year', 'city'.",)


def test_a_header_that_stands_again_is_found_in_such_a_folder(tmp_path):
    folder = tmp_path / "year=2020"
    folder.mkdir()
    (folder / "a.csv").write_text("x,y\n1,2\nx,y\n")

    with pytest.raises(DataError, match="the header stands here again"):
        list(open_table(str(tmp_path)).chunks())


def test_fractions_in_the_names_of_folders_are_numbers(tmp_path):
    for rate in ("0.1", "0.25"):
        folder = tmp_path / "rates" / f"rate={rate}"
        folder.mkdir(parents=True)
        (folder / "a.csv").write_text("x,y\n" + "".join(f"{row}.5,{row % 7}.25\n" for row in range(1500)))
    table = open_table(str(tmp_path / "rates"))
    again = pl.concat([chunk.frame for chunk in table.chunks({"x", "rate"})])

    prepared = prepare_table(DataConfig(path=str(tmp_path / "rates"), target="y"), seed=0, cache_directory=None)
    assert again.schema == {"x": pl.Float64, "y": pl.String, "rate": pl.String}
    assert [column.kind for column in prepared.schema.used] == ["number", "number"]


def test_a_column_in_the_file_goes_before_the_name_of_its_folder(tmp_path):
    folder = tmp_path / "x=1"
    folder.mkdir()
    pl.DataFrame({"x": [5]}).write_parquet(folder / "a.parquet")

    assert [chunk.frame.rows() for chunk in open_table(str(tmp_path)).chunks()] == [[(5,)]]


def test_folders_with_other_names_are_not_looked_into(sales):
    (sales / "year=2020").rename(sales / "2020")
    (sales / "year=2021").rename(sales / "2021")

    with pytest.raises(ConfigError, match="is a directory without a data file"):
        open_table(str(sales))


def test_files_in_folders_of_other_keys_are_refused(sales):
    (sales / "year=2020").rename(sales / "month=1")

    with pytest.raises(DataError, match=r"no column .(month|year)"):
        open_table(str(sales))


def test_a_folder_that_was_renamed_gives_other_arrays(sales, tmp_path):
    config = DataConfig(path=str(sales), target="y")
    before = prepare_table(config, seed=0, cache_directory=tmp_path / "cache")
    (sales / "year=2020").rename(sales / "year=2019")

    after = prepare_table(config, seed=0, cache_directory=tmp_path / "cache")

    assert [column.name for column in after.schema.used] == ["x", "year", "city"]
    assert before.schema != after.schema
