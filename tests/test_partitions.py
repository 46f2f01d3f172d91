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
