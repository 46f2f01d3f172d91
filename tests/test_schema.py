import json
import math
from datetime import datetime

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ignite_workflow.data.cells import CellRules
from ignite_workflow.data.chunk import as_chunk
from ignite_workflow.data.features import Column, Part, TargetColumn, Unseen
from ignite_workflow.data.fit import fit_schema
from ignite_workflow.data.number_format import NumberFormat
from ignite_workflow.data.schema import Schema
from ignite_workflow.data.statistics import Moments, quantile_edges
from ignite_workflow.errors import CheckpointError, DataError

BIRDS = {
    "bill": ["40", " 50 ", "NA", "60"],
    "wild": ["yes", "no", "yes", "yes"],
    "seen": ["2024-01-01", "2024-01-02", "2024-01-03", ""],
    "island": ["Dream", "Biscoe", "Dream", "NA"],
    "mass": ["3000", "4000", "5000", "4000"],
}
COLUMNS = (
    Column("bill", "number", ""),
    Column("wild", "boolean", ""),
    Column("seen", "datetime", "", formats=("%Y-%m-%d",)),
    Column("island", "category", ""),
    Column("ring", "identifier", "no value occurs twice"),
)
MASS = (TargetColumn("mass"),)


def fitted(data=BIRDS, columns=COLUMNS, task="regression", targets=MASS, train=None, seed=0):
    chunk = as_chunk(data)
    train = np.ones(chunk.frame.height, dtype=bool) if train is None else np.array(train)
    return fit_schema(Schema(task, "", columns, targets), [chunk], train, seed=seed)


def features(schema, data=BIRDS, **given):
    names = [(column.name, part.of) for column, part in schema.parts] + [each.name for each in schema.categories]
    return dict(zip(names, schema.encode(data, **given).T.tolist(), strict=True))


def test_numbers_are_standardised_and_missing_ones_are_the_mean():
    schema = fitted()
    unit = math.sqrt(200 / 3)

    assert features(schema)["bill", "value"] == pytest.approx([-10 / unit, 0, 0, 10 / unit])
    assert features(schema)["bill", "missing"] == [0, 0, 1, 0]


def test_booleans_are_zero_and_one_and_missing_ones_the_share_of_true():
    assert features(fitted())["wild", "value"] == [1, 0, 1, 1]
    assert features(fitted(), {**BIRDS, "wild": ["TRUE", "0", "", "f"]})["wild", "value"] == [1, 0, 0.75, 0]


def test_dates_are_seconds_and_places_in_the_cycles_that_vary():
    schema = fitted()
    of = {part.of for column, part in schema.parts if column.name == "seen"}
    encoded = features(schema)

    assert of == {"value", "missing", "weekday sin", "weekday cos", "yearday sin", "yearday cos"}
    assert encoded["seen", "value"] == pytest.approx([-math.sqrt(1.5), 0, math.sqrt(1.5), 0])
    assert encoded["seen", "weekday sin"] == pytest.approx([math.sin(2 * math.pi * day / 7) for day in range(3)] + [0])
    assert encoded["seen", "missing"] == [0, 0, 0, 1]


def test_categories_have_codes_from_one_and_missing_is_a_class_of_its_own():
    schema = fitted()

    assert features(schema)["island"] == [2, 1, 2, 3]
    assert features(schema, {**BIRDS, "island": ["Torgersen", "", " Biscoe ", "dream"]})["island"] == [0, 3, 1, 0]


def test_a_category_without_missing_values_in_training_takes_them_as_unknown():
    schema = fitted({**BIRDS, "island": ["Dream", "Biscoe", "Dream", "Biscoe"]})

    assert features(schema)["island"] == [2, 1, 2, 0]


def test_only_training_rows_count():
    schema = fitted(train=[True, True, False, False])

    assert [part.of for column, part in schema.parts if column.name == "bill"] == ["value"]
    assert features(schema)["bill", "value"] == [-1, 1, 0, 3]
    assert schema.categories[0].classes == ("Biscoe", "Dream")
    assert schema.targets == (TargetColumn("mass", 3500, 500),)


def test_numbers_come_before_categories():
    schema = fitted()
    facts = schema.model_facts()

    assert (facts["numbers"], facts["categories"], facts["in_features"]) == (9, (4,), 10)
    assert schema.encode(BIRDS).shape == (4, 10)
    assert schema.encode(BIRDS).dtype == np.float32


def test_columns_that_are_not_used_need_not_be_there():
    assert "ring" not in BIRDS
    assert fitted().encode(BIRDS).shape == (4, 10)


def test_columns_that_do_not_vary_in_training_are_left_out():
    columns = (Column("bill", "number", ""), Column("island", "category", ""))
    schema = fitted(
        columns=columns, train=[True, False, False, False], task="multiclass", targets=(TargetColumn("mass"),)
    )

    assert [column.kind for column in schema.columns] == ["constant", "constant"]


def test_a_column_that_varies_only_by_being_missing_keeps_that():
    schema = fitted({**BIRDS, "bill": ["40", "NA", "40", "40"]})

    assert [part.of for column, part in schema.parts if column.name == "bill"] == ["missing"]
    assert features(schema)["bill", "missing"] == [0, 0, 1, 0]


def test_quantiles_are_in_standardised_units():
    values = np.random.default_rng(0).normal(7, 3, 1000)
    schema = fitted({"bill": values, "mass": values}, COLUMNS[:1])
    [edges] = schema.model_facts()["quantiles"]
    expected = np.quantile((values - values.mean()) / values.std(), np.linspace(0, 1, 31))

    assert edges == pytest.approx(expected.tolist())


@pytest.mark.parametrize(("rows", "edges"), [(4, 3), (100, 10), (10_000, 48)])
def test_few_rows_have_few_quantiles(rows, edges):
    assert len(quantile_edges(np.arange(float(rows)))) == edges


def test_quantiles_of_few_values_are_those_values():
    assert quantile_edges(np.array([1, 0, np.nan, 1, 1])) == (0, 1)


def test_a_sample_of_the_rows_is_enough_for_quantiles_and_the_seed_picks_it(monkeypatch):
    monkeypatch.setattr("ignite_workflow.data.fit._SAMPLED_ROWS", 500)
    values = np.random.default_rng(0).random(5000)
    edges = [
        fitted({"bill": values, "mass": values}, COLUMNS[:1], seed=seed).model_facts()["quantiles"][0]
        for seed in (0, 0, 1)
    ]

    assert edges[0] == edges[1] != edges[2]
    assert max(edges[0]) == pytest.approx(math.sqrt(3), abs=0.05)


@given(st.lists(st.floats(-1e6, 1e6) | st.none(), min_size=1), st.integers(1, 5), st.sampled_from([0.0, 1e12]))
def test_moments_of_chunks_are_those_of_the_whole(values, chunk, offset):
    array = np.array([[math.nan if value is None else value + offset for value in values]])
    moments = Moments(1)
    for start in range(0, array.shape[1], chunk):
        cells = array[:, start : start + chunk]
        moments.add(Moments.of(list(cells), np.arange(cells.shape[1]) % 3 < 2))
    chosen = array[:, np.arange(array.shape[1]) % chunk % 3 < 2]
    known = chosen[~np.isnan(chosen)]

    assert moments.count[0] == len(known)
    assert moments.varies[0] == (len(known) > 0 and known.max() > known.min())
    if moments.varies[0]:
        assert moments.mean[0] == pytest.approx(known.mean(), rel=1e-12)
        assert moments.std[0] == pytest.approx(known.std(), rel=1e-6, abs=1e-3)  # float64 holds 1e12 to 1e-4


def test_large_numbers_with_small_differences_keep_them():
    values = [1_700_000_000 + number for number in range(4)]
    data = {**BIRDS, "bill": values}
    encoded = features(fitted(data), data)["bill", "value"]

    assert np.diff(encoded) == pytest.approx([math.sqrt(0.8)] * 3, rel=1e-6)


def test_a_target_in_the_hundred_thousands_is_standardised_exactly():
    schema = fitted({**BIRDS, "mass": [500_001, 452_600, 14_999, 358_500]})
    y = schema.encode_target({"mass": [500_001, 452_600, 14_999, 358_500]})

    assert y.dtype == np.float32
    assert y.mean() == pytest.approx(0, abs=1e-6)
    assert y.std() == pytest.approx(1, rel=1e-6)
    assert (y * schema.target_std + schema.target_mean)[:, 0] == pytest.approx([500_001, 452_600, 14_999, 358_500])


def test_several_targets_are_standardised_each():
    targets = (TargetColumn("mass"), TargetColumn("bill"))
    schema = fitted(columns=COLUMNS[1:2], targets=targets)
    y = schema.encode_target(BIRDS)

    assert y.shape == (4, 2)
    assert np.isnan(y).tolist() == [[False, False], [False, False], [False, True], [False, False]]


def test_classes_are_sorted_and_missing_ones_are_minus_one():
    schema = fitted(columns=COLUMNS[:1], task="multiclass", targets=(TargetColumn("island"),))

    assert schema.classes == ("Biscoe", "Dream")
    assert schema.encode_target(BIRDS).tolist() == [1, 0, 1, -1]


@pytest.mark.parametrize("values", [["10", "9.0", "9", "10"], [10, 9, 9, 10], [10.0, 9.0, 9.0, 10.0]])
def test_class_names_that_are_numbers_are_in_their_order_however_written(values):
    schema = fitted({**BIRDS, "grade": values}, COLUMNS[:1], "binary", (TargetColumn("grade", numeric=True),))

    assert schema.classes == ("9", "10")
    assert schema.encode_target({"grade": values}).tolist() == [1, 0, 0, 1]
    assert schema.encode_target({"grade": ["9", "10.0"]}).tolist() == [0, 1]


def test_a_class_with_a_unit_is_one_however_the_number_is_written():
    rules = CellRules(formats={"dose": NumberFormat(unit="x")})
    target = TargetColumn("dose", numeric=True, spellings={"1": "1x", "2": "2x"})
    chunk = as_chunk({"dose": ["1x", "2x", "2", "1 x"]})
    schema = fit_schema(Schema("binary", "", (), (target,), rules=rules), [chunk], np.ones(4, dtype=bool), seed=0)

    assert schema.classes == ("1x", "2x")
    assert schema.encode_target({"dose": ["2x", "1", "2 x"]}).tolist() == [1, 0, 1]
    assert schema.encode_target({"dose": [2.0, 1.0]}).tolist() == [1, 0]
    with pytest.raises(DataError, match="class '3' is not in the training split"):
        schema.encode_target({"dose": ["3x"]})


def test_labels_are_zero_and_one():
    schema = fitted(
        {**BIRDS, "sick": [0, 1, 1, 0]}, COLUMNS[:1], "multilabel", (TargetColumn("wild"), TargetColumn("sick"))
    )

    assert schema.encode_target({"wild": ["yes", ""], "sick": [True, False]})[0].tolist() == [1, 1]
    assert math.isnan(schema.encode_target({"wild": ["yes", ""], "sick": [True, False]})[1, 0])


def test_a_target_that_does_not_vary_is_refused():
    with pytest.raises(DataError, match="column 'mass' is 7 in every training row"):
        fitted({**BIRDS, "mass": ["7", "7", "7", "8"]}, train=[True, True, True, False])


def test_of_one_training_row_it_is_said_that_it_is_one():
    with pytest.raises(DataError, match="one row is left for training"):
        fitted({**BIRDS, "mass": ["6", "7", "7", "8"]}, train=[True, False, False, False])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"bill": ["40", "50", "60", "long"]}, "new: row 8, column 'bill': 'long' is not a number"),
        ({"bill": ["40", "inf", "60", "70"]}, "new: row 6, column 'bill': 'inf' is not finite"),
        ({"bill": ["1", "2", "3", "-1e300"]}, "new: row 8, column 'bill': '-1e300' is too large to compute with"),
        ({"bill": [1.0, 2.0, -math.inf, 4.0]}, "new: row 7, column 'bill': -inf is not finite"),
        ({"wild": ["yes", "perhaps", "no", "no"]}, "new: row 6, column 'wild': 'perhaps' is neither true nor false"),
        (
            {"seen": ["2024-01-01", "", "", "01/02/2024"]},
            "new: row 8, column 'seen': '01/02/2024' is not a date written",
        ),
        ({"seen": [1.5, 2.5, 3.5, 4.5]}, "new: row 5, column 'seen': 1.5 is not a date"),
    ],
)
def test_a_cell_that_does_not_fit_is_named(change, message):
    with pytest.raises(DataError, match=message):
        fitted().encode({**BIRDS, **change}, source="new", first_row=5)


def test_a_missing_column_is_named_with_the_nearest():
    data = {("iland" if name == "island" else name): values for name, values in BIRDS.items()}

    with pytest.raises(DataError, match=r"new: no column 'island'\. Did you mean 'iland'\?"):
        fitted().encode(data, source="new")


def test_names_that_differ_by_blanks_are_found():
    data = {f" {name} ": values for name, values in BIRDS.items()}

    assert (fitted().encode(data) == fitted().encode(BIRDS)).all()


def test_values_not_seen_in_training_are_counted():
    unseen, schema = Unseen(), fitted()
    for first_row in (0, 4):
        schema.encode(
            {**BIRDS, "island": ["Dream", "Mars", "", "Venus"]}, source="new", first_row=first_row, unseen=unseen
        )

    assert unseen.lines() == ["column 'island': 4 values new since training, taken as unknown: 'Mars' in new: row 1."]


def test_missing_cells_are_counted_where_training_had_none():
    unseen, schema = Unseen(), fitted()
    whole = [column.name for column in schema.numeric if all(part.of != "missing" for part in column.parts)]
    for first_row in (0, 4):
        schema.encode(
            {**BIRDS, whole[0]: ["", *BIRDS[whole[0]][1:3], None]}, source="new", first_row=first_row, unseen=unseen
        )

    assert unseen.lines() == [
        f"column '{whole[0]}': 4 missing cells, where training had none, taken as the training mean: "
        "the first in new: row 0."
    ]


def test_a_class_not_in_training_is_named():
    schema = fitted(columns=COLUMNS[:1], task="multiclass", targets=(TargetColumn("island"),))

    with pytest.raises(
        DataError, match=r"row 1, column 'island': class 'Drem' is not in the training split\. Did you mean 'Dream'"
    ):
        schema.encode_target({"island": ["Dream", "Drem"]})


@given(
    st.lists(
        st.tuples(
            st.none() | st.integers(-(10**6), 10**6) | st.floats(-1e9, 1e9),
            st.none() | st.booleans(),
            st.none() | st.datetimes(datetime(1800, 1, 1), datetime(2200, 1, 1)),
            st.none() | st.sampled_from(["a", "b", "ü", "=1"]),
        ),
        min_size=2,
        max_size=20,
    )
)
def test_text_and_typed_columns_are_encoded_alike(rows):
    numbers, booleans, moments, texts = zip(*rows, strict=True)
    typed = pl.DataFrame(
        {
            "bill": pl.Series(numbers, dtype=pl.Float64, strict=False),
            "wild": pl.Series(booleans, dtype=pl.Boolean),
            "seen": pl.Series(moments, dtype=pl.Datetime("us")),
            "island": pl.Series(texts, dtype=pl.String),
            "mass": list(range(len(rows))),
        }
    )
    text = {
        "bill": ["" if value is None else repr(float(value)) for value in numbers],
        "wild": ["NA" if value is None else str(value) for value in booleans],
        "seen": ["" if value is None else f"{value:%Y-%m-%d %H:%M:%S.%f}".zfill(26) for value in moments],
        "island": ["null" if value is None else f" {value}" for value in texts],
        "mass": [str(number) for number in range(len(rows))],
    }
    columns = tuple(
        Column("seen", "datetime", "", formats=("%Y-%m-%d %H:%M:%S%.f",)) if each.name == "seen" else each
        for each in COLUMNS
    )
    schema = fitted(typed, columns)

    assert schema == fitted(text, columns)
    assert (schema.encode(typed) == schema.encode(text)).all()


def test_a_schema_survives_json_exactly():
    schema = fitted({**BIRDS, "bill": [0.1, 1 / 3, 1e-300, 1e99]})
    back = Schema.from_dict(json.loads(json.dumps(schema.to_dict())))

    assert back == schema


def change(plain, path, value):
    *parents, last = path
    for key in parents:
        plain = plain[key]
    plain[last] = value


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (["format"], 1, "format 1"),
        (["task"], "divination", "task"),
        (["task"], "binary", "fewer than two classes"),
        (["columns", 0, "parts", 0, "std"], 0.0, "deviation not above zero"),
        (["columns", 0, "parts", 0, "mean"], float("nan"), "not finite"),
        (["columns", 0, "parts", 0, "mean"], "1", "columns.0.parts.0.mean"),
        (["columns", 0, "parts", 0, "of"], "__import__", "a part that is unknown"),
        (["columns", 2, "formats"], ["%n"], "a date format that is unknown"),
        (["columns", 0, "name"], "wild", "a name stands twice"),
        (["columns", 0, "name"], "\ud800", "surrogates not allowed"),
        (["columns", 3, "classes"], ["a", "a"], "a name stands twice"),
        (["columns", 0, "command"], "rm", "columns.0.command"),
        (["targets"], [], "no target"),
        (["columns"], 7, "columns"),
        (["rules", "decimal"], ";", "rules.decimal"),
    ],
)
def test_a_schema_that_is_not_ours_is_refused(path, value, message):
    plain = fitted().to_dict()
    change(plain, path, value)

    with pytest.raises(CheckpointError, match=message):
        Schema.from_dict(plain)


def test_parts_say_how_to_get_back_to_the_data_s_own_units():
    [(column, part), *_] = fitted().parts

    assert (column.name, part.of, part.mean) == ("bill", "value", 50)
    assert isinstance(part, Part)


def test_a_column_that_no_training_row_has_a_value_for_is_constant():
    schema = fitted({**BIRDS, "bill": [None, None, 3.0, 4.0]}, train=[True, True, False, False])

    assert (schema.columns[0].kind, schema.columns[0].parts) == ("constant", ())
