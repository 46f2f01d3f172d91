import numpy as np
import polars as pl
import pytest

from ignite_workflow.config import SplitConfig
from ignite_workflow.data.splits import Rows, Split, assign_rows
from ignite_workflow.errors import ConfigError, DataError

TRAIN, VAL, TEST, UNUSED = Split.TRAIN, Split.VAL, Split.TEST, Split.UNUSED


def rows(size=100, **given):
    return Rows(**{"usable": np.ones(size, dtype=bool), "place": "row {}".format, **given})


def assign(given=None, seed=0, **config):
    return assign_rows(SplitConfig(**config), rows() if given is None else given, seed=seed)


def sizes(split):
    return [int((split == each).sum()) for each in (TRAIN, VAL, TEST)]


@pytest.fixture
def listed(tmp_path):
    def listed(text):
        (tmp_path / "rows.txt").write_text(text)
        return str(tmp_path / "rows.txt")

    return listed


def test_fifteen_percent_validate_and_fifteen_test():
    assert sizes(assign()) == [70, 15, 15]


def test_fractions_are_kept():
    assert sizes(assign(val=0.2, test=0)) == [80, 20, 0]


def test_a_fraction_gives_at_least_one_row():
    assert sizes(assign(rows(3))) == [1, 1, 1]


def test_the_seed_decides_which_rows():
    assert (assign(seed=1) == assign(seed=1)).all()
    assert (assign(seed=1) != assign(seed=2)).any()


def test_rows_without_target_are_in_no_split():
    usable = np.arange(100) % 2 == 0
    split = assign(rows(usable=usable))

    assert (split[~usable] == UNUSED).all()
    assert sizes(split) == [34, 8, 8]


@pytest.mark.parametrize("seed", range(5))
def test_a_random_split_keeps_the_proportions_of_classes(seed):
    classes = np.repeat([0, 1, 2], [70, 28, 2])
    split = assign(rows(classes=classes), seed=seed)

    for name, count in ((VAL, 15), (TEST, 15)):
        held = np.bincount(classes[split == name], minlength=3)
        assert (np.abs(held - np.array([70, 28, 2]) * count / 100) <= 1).all()
    assert 2 in classes[split == TRAIN]


def test_stratify_can_be_turned_off():
    classes = np.repeat([0, 1], 50)
    plain = assign()

    assert (assign(rows(classes=classes), stratify=False) == plain).all()
    assert (assign(rows(classes=classes)) != plain).any()


def test_a_list_file_names_rows(listed):
    split = assign(test=listed("3\n\n 5 \n"), val=0.5)

    assert np.flatnonzero(split == TEST).tolist() == [3, 5]
    assert sizes(split) == [49, 49, 2]


def test_the_rest_of_a_listed_test_split_is_validated_on(listed):
    split = assign(test=listed("\n".join(map(str, range(20)))))

    assert sizes(split) == [68, 12, 20]


def test_a_listed_row_without_target_is_in_no_split(listed):
    usable = np.arange(100) != 3
    split = assign(rows(usable=usable), test=listed("3\n5\n"), val=0)

    assert (split[3], split[5]) == (UNUSED, TEST)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1\nseven\n", "line 2: row numbers are needed, one a line, from 0; got 'seven'"),
        ("1\n-7\n", "line 2: row numbers are needed"),
        ("1\n2.5\n", "line 2: row numbers are needed"),
        ("1\n100\n", "line 2: row 100 is not there; the table has rows 0 to 99"),
        ("1\n\n1\n", "line 3: row 1 stands on line 1 too"),
        ("\n", "no row numbers in it"),
    ],
)
def test_a_list_file_that_does_not_fit_is_named(listed, text, message):
    with pytest.raises(DataError, match=rf"rows\.txt: {message}"):
        assign(test=listed(text))


def test_a_row_listed_for_two_splits_is_refused(listed, tmp_path):
    (tmp_path / "val.txt").write_text("5\n3\n")

    with pytest.raises(DataError, match="row 3 is named for test and for another split"):
        assign(val=str(tmp_path / "val.txt"), test=listed("2\n3\n"))


def test_a_missing_list_file_suggests_the_nearest(listed):
    listed("1\n")

    with pytest.raises(ConfigError, match=r"data\.split\.test: no file .*row\.txt\. Did you mean 'rows\.txt'\?"):
        assign(test=listed("1\n").replace("rows", "row"))


def test_lists_that_leave_nothing_to_train_on_are_refused(listed):
    with pytest.raises(DataError, match="no row is left to train on"):
        assign(rows(2), test=listed("0\n1\n"), val=0)


def test_a_fraction_out_of_range_is_named():
    with pytest.raises(ConfigError, match=r"data\.split\.val: must be a fraction from 0 up to 1, or a file; got -0\.1"):
        assign(val=-0.1)


def test_too_few_rows_are_refused():
    with pytest.raises(DataError, match="2 rows are too few to take 1 for val and 1 for test"):
        assign(rows(2))


def test_a_column_says_the_split():
    fold = pl.Series(["train", " Test", "validation", "TRAIN"])
    split = assign(rows(4, columns={"fold": fold}), column="fold")

    assert split.tolist() == [TRAIN, TEST, VAL, TRAIN]


def test_a_column_that_names_no_validation_rows_gives_none():
    fold = pl.Series(["train"] * 80 + ["test"] * 20)

    assert sizes(assign(rows(columns={"fold": fold}), column="fold")) == [80, 0, 20]


@pytest.mark.parametrize("value", ["dev", None])
def test_a_word_that_is_no_split_is_named(value):
    fold = pl.Series(["train", value, "test"])

    with pytest.raises(DataError, match=f"row 1, column 'fold': must say train, val or test, got {value!r}"):
        assign(rows(3, columns={"fold": fold}), column="fold")


def test_a_split_by_a_column_trains_on_the_first_and_tests_on_the_last():
    order = np.arange(100)[::-1].astype(float)
    split = assign(rows(order=order), by="time")

    assert sizes(split) == [70, 15, 15]
    assert order[split == TRAIN].max() < order[split == VAL].min()
    assert order[split == VAL].max() < order[split == TEST].min()


def test_a_missing_time_is_named():
    with pytest.raises(DataError, match="row 2, column 'time': missing, but rows are split by it"):
        assign(rows(4, order=np.array([1, 2, np.nan, 4])), by="time")


@pytest.mark.parametrize("seed", range(5))
def test_rows_of_a_group_stay_together(seed):
    patients = np.random.default_rng(seed).integers(0, 20, 100)
    split = assign(rows(columns={"patient": pl.Series(patients)}), group="patient", seed=seed)

    assert all(len(set(split[patients == patient])) == 1 for patient in set(patients))
    assert all(abs(got - wanted) <= 10 for got, wanted in zip(sizes(split), [70, 15, 15], strict=True))


def test_the_seed_decides_which_groups():
    given = rows(columns={"patient": pl.Series(np.arange(100) // 5)})
    splits = [assign(given, group="patient", seed=seed) for seed in (0, 0, 1)]

    assert sizes(splits[0]) == [70, 15, 15]
    assert (splits[0] == splits[1]).all()
    assert (splits[0] != splits[2]).any()


def test_too_few_groups_are_refused():
    group = pl.Series(["a"] * 99 + ["b"])

    with pytest.raises(DataError, match=r"data\.split\.group: too few groups in column 'patient' to give val any"):
        assign(rows(columns={"patient": group}), group="patient")


def test_a_missing_group_is_named():
    with pytest.raises(DataError, match="row 1, column 'patient': missing, but rows are grouped by it"):
        assign(rows(3, columns={"patient": pl.Series(["a", "NA", "b"])}), group="patient")


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"by": "time", "group": "patient"}, "by and group exclude each other"),
        ({"stratify": True}, "only classes can be stratified"),
    ],
)
def test_settings_that_contradict_each_other_are_refused(config, message):
    with pytest.raises(ConfigError, match=message):
        assign(**config)


def test_groups_are_not_stratified():
    with pytest.raises(ConfigError, match="rows cannot be kept in groups and stratified"):
        assign(rows(classes=np.zeros(100, dtype=np.int64)), group="patient", stratify=True)


def test_a_rare_class_has_the_nearest_whole_number_of_rows_in_a_small_split():
    classes = np.repeat([0, 1], [90, 10])
    split = assign(rows(classes=classes), val=0.06, test=0)

    assert int((classes[split == VAL] == 1).sum()) == 1
