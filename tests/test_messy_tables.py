"""Whole tables as people export them, read back equal: whatever is not refused must be right."""

import csv
import io
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ignite_workflow.config import DataConfig, ReadConfig
from ignite_workflow.data.features import base_values
from ignite_workflow.data.survey import survey_table
from ignite_workflow.errors import DataError

ABOVE = ["", "Sales of spring\n", "# made by hand\n# and sent by post\n", "Sales of spring\n\n\n", "{0}{0}{0}{0}\n"]
NUMBERS = [("", ","), (",", "."), (".", ","), ("'", "."), (" ", ","), ("\u202f", ","), ("", ".")]  # thousands, decimal
UNITS = ["{}", "{} €", "$ {}", "{} %", "{} kg", "{}\u00a0m²"]
DATES = ["%Y-%m-%d", "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%d %B %Y", "%Y-%m-%dT%H:%M:%S", "%d.%m.%y"]
WORDS = [("yes", "no"), ("TRUE", "FALSE"), ("ja", "nein"), ("Y", "N"), ("oui", "non")]
MISSING = ["", "NA", "-", "n/a", "?", "NULL", "#N/A", "--"]
ENCODINGS = ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"]

ROW = st.tuples(
    st.none() | st.integers(-(10**8), 10**8),
    st.datetimes(datetime(1970, 1, 1), datetime(2068, 12, 31)).map(lambda moment: moment.replace(microsecond=0)),
    st.booleans(),
)
LOOK = st.fixed_dictionaries(
    {
        "delimiter": st.sampled_from(";\t|,"),
        "above": st.sampled_from(ABOVE),
        "number": st.sampled_from(NUMBERS),
        "unit": st.sampled_from(UNITS),
        "date": st.sampled_from(DATES),
        "words": st.sampled_from(WORDS),
        "missing": st.sampled_from(MISSING),
        "encoding": st.sampled_from(ENCODINGS),
        "end": st.sampled_from(["\n", "\r\n"]),
        "empty_rows": st.integers(0, 2),
    }
)


def number_cell(cents, look):
    if cents is None:
        return look["missing"]
    thousands, decimal = look["number"]
    text = f"{abs(cents) // 100:,}".replace(",", thousands) + f"{decimal}{abs(cents) % 100:02d}"
    return look["unit"].format(f"-{text}" if cents < 0 else text)


def write(path, rows, look):
    text = io.StringIO()
    writer = csv.writer(text, delimiter=look["delimiter"], lineterminator=look["end"])
    writer.writerow(["amount", "day", "paid", "note", "y"])
    for position, (cents, moment, paid) in enumerate(rows):
        note = 'two\nlines, "quoted"' if position % 5 == 0 else "one; line"
        writer.writerow(
            [number_cell(cents, look), moment.strftime(look["date"]), look["words"][not paid], note, position]
        )
    writer.writerows([[""] * 5] * look["empty_rows"])
    above = look["above"].format(look["delimiter"]).replace("\n", look["end"])
    path.write_bytes((above + text.getvalue()).encode(look["encoding"]))


def values(survey, name):
    (chunk,) = survey.table.chunks()
    column = next(each for each in survey.schema.columns if each.name == name)
    return base_values(column, chunk.column(name), survey.schema.rules, chunk.place)


@settings(max_examples=40)
@given(st.lists(ROW, min_size=12, max_size=30), LOOK)
def test_what_people_export_is_read_back_equal(tmp_path_factory, rows, look):
    path = tmp_path_factory.mktemp("messy") / "export.csv"
    write(path, rows, look)
    kinds = {"amount": "number", "day": "datetime", "paid": "boolean"}  # few or equal values look like other kinds
    said = ReadConfig(day_first=look["date"].startswith("%d"))

    survey = survey_table(DataConfig(path=str(path), target="y", columns=kinds, read=said))

    read = {name: values(survey, name)[: len(rows)] for name in kinds}
    amounts = [np.nan if cents is None else cents / 100 for cents, _, _ in rows]
    moments = [datetime.strptime(moment.strftime(look["date"]), look["date"]) for _, moment, _ in rows]
    assert read["amount"] == pytest.approx(np.array(amounts), nan_ok=True)
    assert read["day"].tolist() == [moment.replace(tzinfo=UTC).timestamp() for moment in moments]
    assert read["paid"].tolist() == [float(paid) for _, _, paid in rows]


@settings(max_examples=40)
@given(st.lists(ROW, min_size=12, max_size=30), LOOK, st.data())
def test_a_row_cut_short_is_refused_with_its_line(tmp_path_factory, rows, look, data):
    path = tmp_path_factory.mktemp("messy") / "export.csv"
    write(path, rows, {**look, "encoding": "utf-8", "above": "", "empty_rows": 0, "end": "\n"})
    lines = path.read_text().split("\n")
    cut = data.draw(st.sampled_from([at for at, line in enumerate(lines) if line.endswith(f"{look['delimiter']}7")]))
    lines[cut] = lines[cut].removesuffix(f"{look['delimiter']}7")
    path.write_text("\n".join(lines))

    with pytest.raises(
        DataError, match=rf"export\.csv: line {cut + 1}, column 4 'note': .* 4 cells where the header has 5\."
    ):
        survey_table(DataConfig(path=str(path), target="y"))
