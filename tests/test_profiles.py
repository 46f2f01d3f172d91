"""What is saved of a look at a column: declared fields, checked when they are read."""

import json
from dataclasses import fields

import polars as pl
import pytest

from ignite_workflow.data.cells import CellRules
from ignite_workflow.data.column_scan import ColumnScan
from ignite_workflow.data.journal import _FORMAT
from ignite_workflow.data.profiles import CellProfile, DateProfile


def scan_of(*chunks):
    scan = ColumnScan("x", CellRules())
    for cells in chunks:
        scan.add(pl.Series("x", cells), "row {}".format)
    return scan


def put_on_disk(scan):
    return json.loads(json.dumps(scan.state_dict()))


@pytest.mark.parametrize(
    ("first", "rest"),
    [
        (["1.5", "2", "NA"], ["7", ""]),
        (["01/02/2024", "soon"], ["31/12/2023"]),
        (["2024-01-01 12:00 CET"], ["2024-01-02 12:00 CET"]),
        (["a", "b", None], ["b"]),
        ([None, None], [None]),
        ([[1]], [[2]]),
    ],
)
def test_a_scan_goes_on_from_what_another_has_saved(first, rest):
    resumed = scan_of()
    resumed.load_state_dict(put_on_disk(scan_of(first)))
    resumed.add(pl.Series("x", rest), "row {}".format)

    assert (resumed.profile, resumed.dates.profile) == ((whole := scan_of(first, rest)).profile, whole.dates.profile)
    assert resumed.finding() == whole.finding()


@pytest.mark.parametrize("part", ["cells", "dates"])
@pytest.mark.parametrize("change", [{"bad": "1"}, {"bad": None}, {"other": 1}])
def test_what_is_not_of_this_form_is_refused(part, change):
    state = put_on_disk(scan_of(["1"]))
    state[part] |= change

    with pytest.raises(ValueError, match=r"other|bad"):
        scan_of().load_state_dict(state)


def test_a_field_that_was_not_saved_is_refused():
    state = put_on_disk(scan_of(["1"]))
    del state["cells"]["repeated"]

    with pytest.raises(ValueError, match="CellProfile: saved with other fields: repeated"):
        scan_of().load_state_dict(state)


def test_other_fields_are_another_format_of_the_journal():
    """Where this fails, raise ``_FORMAT`` in ``data/journal.py``, and write the fields here as they are now."""
    cells = "rows missing bad low high first_bad unusable numeric whole consecutive compact power leading_zeros "
    cells += "typed_dates repeated settled fractions counts examples words"
    dates = "known bad first_bad example proof contradiction unknown_zone zones groups first last failed"

    assert [each.name for each in fields(CellProfile)] == cells.split()
    assert [each.name for each in fields(DateProfile)] == dates.split()
    assert _FORMAT == 9
