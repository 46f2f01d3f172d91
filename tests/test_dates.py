import re
from datetime import UTC, datetime

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ignite_workflow.config import DataConfig, ReadConfig
from ignite_workflow.data.cells import CellRules
from ignite_workflow.data.column_scan import ColumnScan
from ignite_workflow.data.date_formats import DATE_FORMATS, parse_dates
from ignite_workflow.data.date_search import DateSearch
from ignite_workflow.data.dates import as_seconds
from ignite_workflow.data.prepared import prepare_table
from ignite_workflow.data.tables import read_table
from ignite_workflow.errors import ConfigError, DataError


def search(cells, *, compact=False, **said):
    found = DateSearch(ReadConfig(**said), compact=compact)
    found.add(pl.Series("when", cells))
    return found


def seconds(cells, formats):
    return as_seconds(pl.Series("when", cells), formats, CellRules(), "row {}".format).tolist()


MOMENTS = st.datetimes(datetime(1970, 1, 1), datetime(2068, 12, 31)).map(lambda each: each.replace(microsecond=0))
POINTED = [
    form for form in DATE_FORMATS if not any(part in form for part in ("%m/%d", "%d/%m", "%m-%d-", "%d-%m", "z", "%Z"))
]
SINGLE = [form for form in POINTED if "%d" in form and "%.f" not in form and not form.startswith("%Y%m")]


@given(st.lists(MOMENTS, min_size=1), st.sampled_from(SINGLE))
def test_dates_of_any_spelling_are_found_and_read(moments, form):
    cells = [moment.strftime(form) for moment in moments]
    meant = [datetime.strptime(cell, form).replace(tzinfo=UTC).timestamp() for cell in cells]

    assert seconds(cells, search(cells).formats) == meant


@pytest.mark.parametrize(
    ("cell", "form", "day"),
    [
        ("2024-Q4", "%Y-Q%q", (2024, 10, 1)),
        ("q2 2024", "Q%q %Y", (2024, 4, 1)),
        ("2024-W01", "%G-W%V", (2024, 1, 1)),
        ("2021-W01", "%G-W%V", (2021, 1, 4)),
        ("2024W057", "%GW%V%u", (2024, 2, 4)),
    ],
)
def test_a_quarter_and_a_week_are_their_first_day(cell, form, day):
    assert seconds([cell], (form,)) == [datetime(*day, tzinfo=UTC).timestamp()]


@pytest.mark.parametrize(("cell", "form"), [("2024-Q5", "%Y-Q%q"), ("2024-Q04", "%Y-Q%q"), ("2024-W54", "%G-W%V")])
def test_there_is_no_fifth_quarter_and_no_54th_week(cell, form):
    assert parse_dates(pl.Series([cell]), form).to_list() == [None]


@given(
    st.lists(MOMENTS, min_size=1), st.sampled_from(["%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y %H:%M:%S", "%m/%d/%y %I:%M %p"])
)
def test_day_and_month_are_told_apart_by_all_cells_or_asked_for(moments, form):
    cells = [moment.strftime(form) for moment in moments]
    meant = [datetime.strptime(cell, form).replace(tzinfo=UTC).timestamp() for cell in cells]

    found = search(cells)
    assert found.open == all(moment.day <= 12 for moment in moments)
    if found.open:
        found = search(cells, day_first=form.startswith("%d"))
    assert seconds(cells, found.formats) == meant


@pytest.mark.parametrize(
    ("cells", "formats"),
    [
        (["5/1/2006 0:00:00", "5/19/2006 0:00:00"], ("%m/%d/%Y %H:%M:%S",)),
        (["20240131T235958", "20240201T000000"], ("%Y%m%dT%H%M%S",)),
        (["20240131T2359Z", "20240201T0000Z"], ("%Y%m%dT%H%MZ",)),
        (["20240131 23:59:58", "20240201 0:00:00"], ("%Y%m%d %H:%M:%S",)),
        (["20240131_235958", "20240201_000000"], ("%Y%m%d_%H%M%S",)),
        (["2024-01-31-23.59.58.123456", "2024-02-01-00.00.00.000000"], ("%Y-%m-%d-%H.%M.%S%.f",)),
        (["2024:01:31 23:59:58", "2024:02:01 00:00:00"], ("%Y:%m:%d %H:%M:%S",)),
        (["2024-01-31 23", "2024-02-01 07"], ("%Y-%m-%d %H",)),
        (["2024-01-31T23:59+01:00[Europe/Berlin]", "2024-02-01T00:00+01:00[Europe/Berlin]"], ("%Y-%m-%dT%H:%M%z",)),
        (["31.01.2024.", "1. 2. 2024."], ("%d.%m.%Y.",)),
        (["31. 1. 2024", "1. 2. 2024"], ("%d.%m.%Y",)),
        (["2024. 1. 31.", "2024. 02. 01."], ("%Y.%m.%d.",)),
        (["2024年1月31日 23:59", "2024年02月01日 0:00"], ("%Y年%m月%d日 %H:%M",)),
        (["2024년 1월 31일", "2024년 2월 1일"], ("%Y년 %m월 %d일",)),
        (["2024Q1", "2024q4"], ("%YQ%q",)),
        (["Q1 2024", "Q4 2023"], ("Q%q %Y",)),
        (["2024-W05", "2024-W06"], ("%G-W%V",)),
        (["18.00.00", "7.30.00"], ("%H.%M.%S",)),
        (["7:30", "18:00"], ("%H:%M",)),
        (["1:05 PM", "12:00 AM"], ("%I:%M %p",)),
        (["2024-01", "2024-12"], ("%Y-%m",)),
        (["Jan 2024", "March 2024"], ("%B %Y",)),
        (["05-JAN-99", "17-feb-03"], ("%d-%B-%y",)),
        (["2024-01-31T10:00:00+02:00"], ("%Y-%m-%dT%H:%M:%S%z",)),
        (["2024-01-31 10:00:00 UTC"], ("%Y-%m-%d %H:%M:%S UTC",)),
        (["2024-01-31", "31.01.2024", "Jan 5, 2024"], ("%Y-%m-%d", "%d.%m.%Y", "%B %d, %Y")),
    ],
)
def test_spellings(cells, formats):
    assert search(cells).formats == formats


HALVES = st.tuples(
    st.sampled_from(["%I:%M", "%I:%M:%S"]),
    st.sampled_from(["", " ", "\u202f"]),
    st.sampled_from(["AM PM", "am pm", "a.m. p.m.", "A.M. P.M.", "a. m. p. m.", "a.m p.m"]),
)


@pytest.mark.parametrize(
    "cell",
    [
        *("01MAR2024:00:00:00", "01MAR24", "01MAR24:00:00", "1er mars 2024", "1. März 2024", "1 de março de 2024"),
        *(
            "1 de marzo de 2024 0:00",
            "1 mrt. 2024",
            "01-marzo-2024",
            "Mar. 1, 2024",
            "MAART 1, 2024",
            "1º de mar. de 2024",
        ),
    ],
)
def test_months_have_names_in_several_languages(cell):
    assert seconds([cell], search([cell]).formats) == [datetime(2024, 3, 1, tzinfo=UTC).timestamp()]


def test_names_of_months_may_be_of_several_languages_but_others_are_mistakes():
    cells = ["3 Okt. 2024", "4 oct. 2024", "5 oktober 2024"] * 40

    assert search([*cells, "6 rue 2024"]).profile.first_bad == "6 rue 2024"


@settings(max_examples=40)
@given(st.lists(MOMENTS, min_size=1), HALVES, st.sampled_from(["", "%Y-%m-%d ", "%d %B %Y, "]))
def test_half_days_are_read_in_every_spelling(moments, half, day):
    clock, gap, words = half
    middle = len(words) // 2
    cells = [
        moment.strftime(day + clock) + gap + (words[middle:] if moment.hour > 11 else words[:middle]).strip()
        for moment in moments
    ]

    found = seconds(cells, search(cells).formats)

    drop = 60 if clock == "%I:%M" else 1
    wanted = [moment.replace(tzinfo=UTC).timestamp() // drop * drop for moment in moments]
    assert found == (wanted if day else [each % 86400 for each in wanted])


@pytest.mark.parametrize(
    ("cell", "hour"),
    [
        ("Tue Nov  3 12:00:00 2020", 12),
        ("Tue Nov  3 12:00:00 PST 2020", 20),
        ("Tue Nov 03 12:00:00 +0100 2020", 11),
        ("Tue Nov 03 2020 12:00:00 GMT+0100 (Central European Standard Time)", 11),
        ("Tue, 3 Nov 2020 12:00:00 +0000 (UTC)", 12),
        ("2020/11/03 12:00:00 PM GMT+1", 11),
        ("2020/11/03 12:00:00 PM UTC-10", 22),
        ("2020-11-03 12:30 UTC+5:30", 7),
        ("11/3/2020 12:00:00 PM -05:00", 17),
        ("03/Nov/2020:12:00:00 -0700", 19),
        ("[03/Nov/2020:12:00:00 -0700]", 19),
        ("3 Nov 2020 12:00Z", 12),
        ("2020-Nov-03 1 p.m.", 13),
        ("11/3/2020, 1:00:00\u202fPM", 13),
        ("2020-11-03 1:00 PM CET", 12),
        ("2020-11-03T12:00+02:00", 10),
    ],
)
def test_what_logs_mails_and_browsers_write_is_read(cell, hour):
    found = search([cell], day_first=False)

    assert seconds([cell], found.formats) == [datetime(2020, 11, 3, hour, tzinfo=UTC).timestamp()]


@settings(max_examples=40)
@given(st.lists(st.tuples(MOMENTS, st.sampled_from(["CET", "CEST", "GMT", "BST", "JST"])), min_size=1))
def test_time_zones_may_change_from_cell_to_cell(rows):
    cells = [f"{moment:%Y-%m-%d %H:%M:%S} {zone}" for moment, zone in [*rows, (rows[0][0], "GMT")]]
    hours = {"CET": 1, "CEST": 2, "GMT": 0, "BST": 1, "JST": 9}

    wanted = [moment.replace(tzinfo=UTC).timestamp() - 3600 * hours[zone] for moment, zone in rows]
    assert seconds(cells, search(cells).formats)[:-1] == wanted


def test_a_zone_of_several_meanings_is_told_by_its_neighbours_by_a_person_or_asked_for():
    cells = ["2020-01-01 12:00 CST", "2020-07-01 12:00 CST"]

    assert search(cells).open_zone.startswith("CST may be -06:00 (North America) or +08:00 (China), and no cell tells")
    told = search([*cells, "2020-07-01 12:00 CDT"])
    assert (told.open_zone, told.formats) == ("", ("%Y-%m-%d %H:%M %Z, CDT -05:00, CST -06:00",))
    said = search(cells, zones={"CST": "+08:00"})
    assert (said.open_zone, said.formats) == ("", ("%Y-%m-%d %H:%M %Z, CST +08:00",))
    assert seconds(cells[:1], said.formats) == [datetime(2020, 1, 1, 4, tzinfo=UTC).timestamp()]


@pytest.mark.parametrize(
    ("cells", "days"),
    [
        (["01/03/71", "12/01/68", "01/31/00"], "from 1971-01-03 to 2068-12-01"),
        (["2024-01-31 10:00", "31.12.1999", "30.12.1999"], "from 1999-12-30 to 2024-01-31"),
        (["10:00", "11:30"], ""),
    ],
)
def test_the_range_of_dates_is_known(cells, days):
    assert search(cells).range == days


def test_a_zone_that_nobody_knows_is_text_until_a_person_says_it():
    cells = ["2020-01-01 12:00 XYZ"]

    assert (search(cells).fits, search(cells).profile.unknown_zone) == (False, "XYZ")
    assert seconds(cells, search(cells, zones={"XYZ": "+01:00"}).formats) == [
        datetime(2020, 1, 1, 11, tzinfo=UTC).timestamp()
    ]


@pytest.mark.parametrize(("zone", "offset"), [("cst", "+08:00"), ("CST", "+99:00"), ("CST", "-14:30"), ("CST", "8")])
def test_what_is_no_zone_or_no_offset_is_refused(zone, offset):
    with pytest.raises(ConfigError, match=rf"such as CST: '\+08:00', got {zone}: '{re.escape(offset)}'"):
        ReadConfig(zones={zone: offset})


def test_a_model_reads_zones_as_its_training_data_did():
    with pytest.raises(DataError, match=r"'2020-01-01 12:00 BST' is not a date written %Y-%m-%d %H:%M %Z, CET \+01:00"):
        seconds(["2020-01-01 12:00 BST"], ("%Y-%m-%d %H:%M %Z, CET +01:00",))


@pytest.mark.parametrize(
    "cells",
    [
        ["192.168.1.1"],
        ["12 AMG", "3 PMI"],
        ["Tue Nov 3 12:00:00"],
        ["10-20", "20-30"],
        ["3/4", "1/2"],
        ["1.2.3", "1.2.10"],
        ["555-1234"],
        ["A-1"],
        ["2024-02-30"],
        ["31/01/2024", "01/31/2024"],
        ["18.00.00", "31.12.2024"],
        ["20240131"],
    ],
)
def test_codes_ranges_and_contradictions_are_no_dates(cells):
    assert search(cells).formats == ()


def test_the_end_decides_as_much_as_the_beginning():
    found = search(["01/02/2024"] * 100)
    assert found.open
    found.add(pl.Series("when", ["01/31/2024"]))

    assert (found.open, found.formats, found.profile.proof) == (False, ("%m/%d/%Y",), "01/31/2024")


def test_a_few_cells_that_are_no_dates_are_mistakes_to_be_named():
    found = search([f"2024-01-{day:02d}" for day in range(1, 31)] + ["soon"])

    assert (found.fits, found.profile.bad, found.profile.first_bad) == (True, 1, "soon")
    with pytest.raises(DataError, match=r"row 0, column 'when': 'soon' is not a date written %Y-%m-%d"):
        seconds(["soon"], found.formats)


def test_a_year_of_two_digits_is_not_one_of_four():
    with pytest.raises(DataError, match="'31/12/99' is not a date"):
        seconds(["31/12/99"], ("%d/%m/%Y",))


def test_times_without_a_day_are_seconds_of_one_day():
    assert seconds(["18.00.00", "7.30.00"], ("%H.%M.%S",)) == [64800.0, 27000.0]


@pytest.mark.parametrize(
    ("cell", "hour"),
    [
        ("2024-02-27 22:00:00.5+00", 22),
        ("2024-02-27 22:00:00+05", 17),
        ("2024-02-27 22:00:00 GMT", 22),
        ("2/27/2024 5:00pm", 17),
        ("27feb2024", 0),
        ("27FEB2024", 0),
    ],
)
def test_what_databases_and_statistics_programs_write_is_read(cell, hour):
    found = search([cell])

    assert found.fits
    assert int(seconds([cell], found.formats)[0]) == datetime(2024, 2, 27, hour, tzinfo=UTC).timestamp()


def test_a_later_chunk_may_contradict_the_order_of_day_and_month():
    found = search(["13/03/2024", "02/03/2024"])
    found.add(pl.Series(["03/02/2024", "03/29/2024"]))

    assert not found.fits
    assert found.profile.contradiction == "'13/03/2024' and '03/29/2024'"


NOON = datetime(2024, 1, 31, 12, tzinfo=UTC).timestamp()


@pytest.mark.parametrize("formats", [(), ("%Y-%m-%d",), ("%d.%m.%Y %H:%M",), ("%Y-%m-%dT%H:%M:%SZ",)])
@pytest.mark.parametrize(
    "cell",
    ["2024-01-31T12:00:00", "2024-01-31 12:00:00", "2024-01-31T12:00", "2024-01-31 12:00:00.000", "2024-01-31T12:00Z"],
)
def test_a_date_written_year_first_is_read_whatever_the_training_data_was(cell, formats):
    assert seconds([cell, "2024-01-31", None], formats)[:2] == [NOON, NOON - 43200]


@pytest.mark.parametrize("formats", [(), ("%Y-%m-%d %H:%M:%S%z",), ("%Y-%m-%dT%H:%M:%SZ",)])
def test_an_offset_is_a_moment_where_the_training_data_knew_zones(formats):
    assert seconds(["2024-01-31T13:00:00+01:00", "2024-01-31 07:00:00.0-05:00"], formats) == [NOON, NOON]


def test_an_offset_is_a_mistake_where_the_training_data_had_none():
    with pytest.raises(
        DataError, match=r"row 1, column 'when': '2024-01-31T13:00:00\+01:00' is not .* it has a time zone, the"
    ):
        seconds(["2024-01-31", "2024-01-31T13:00:00+01:00"], ("%Y-%m-%d",))


def test_a_date_is_no_time_of_day():
    with pytest.raises(DataError, match="'2024-01-31' is not a date written %H:%M"):
        seconds(["2024-01-31"], ("%H:%M",))


def test_a_model_of_typed_dates_takes_text_and_the_other_way_round(tmp_path):
    days = [datetime(2024, 1 + number % 12, 1 + number % 28, number % 24) for number in range(40)]
    table = pl.DataFrame({"when": days, "y": [float(number) for number in range(40)]})
    table.write_parquet(tmp_path / "typed.parquet")
    table.write_csv(tmp_path / "t.csv", datetime_format="%Y-%m-%dT%H:%M:%S")
    table.write_csv(tmp_path / "blank.csv", datetime_format="%Y-%m-%d %H:%M")
    table.write_csv(tmp_path / "utc.csv", datetime_format="%Y-%m-%d %H:%M:%SZ")
    files = [str(tmp_path / name) for name in ("typed.parquet", "t.csv", "blank.csv", "utc.csv")]

    for trained in files:
        schema = prepare_table(DataConfig(path=trained, target="y"), seed=0, cache_directory=tmp_path / "cache").schema
        first, *others = ([schema.encode(chunk).tolist() for chunk in read_table(each)] for each in files)
        assert all(other == first for other in others)


def years(cells, formats):
    return [1970 + int(each // (365.2425 * 86_400)) for each in seconds(cells, formats)]


@pytest.mark.parametrize(
    ("first_year", "meant"),
    [(None, [2041, 2026, 1999]), (1927, [1941, 2026, 1999]), (1850, [1941, 1926, 1899]), (2000, [2041, 2026, 2099])],
)
def test_a_person_says_which_years_two_digits_stand_for(first_year, meant):
    cells = ["13/06/41", "13/06/26", "13/06/99"]

    found = search(cells, first_year=first_year)

    said = f", {first_year} to {first_year + 99}" if first_year else ""
    assert found.formats == (f"%d/%m/%y{said}",)
    assert years(cells, found.formats) == meant
    assert found.range == f"from {min(meant)}-06-13 to {max(meant)}-06-13"


def test_years_of_four_digits_stay_what_they_are():
    assert search(["13/06/2041"], first_year=1927).formats == ("%d/%m/%Y",)


def test_a_day_that_is_in_no_year_of_these_is_none():
    cells = [*["13/06/41"] * 30, "29/02/00"]

    found = search(cells, first_year=1850)  # 1900 had no 29 February

    assert found.profile.bad == 1
    assert search(cells, first_year=1927).profile.bad == 0


@pytest.mark.parametrize("clock", ["23:30 -05:00", "23:30 EST", "23:30-0500", "23:30 -05:00 (EST)"])
def test_the_year_that_is_written_counts_where_it_is_another_one_in_utc(clock):
    cells = [f"31/12/26 {clock}"]

    assert years(cells, search(cells, first_year=1927).formats) == [2027]


def test_the_model_keeps_which_years_two_digits_stand_for(tmp_path):
    (tmp_path / "table.csv").write_text("born,y\n" + "".join(f"13/06/{row:02},{row}\n" for row in range(100)))
    config = DataConfig(path=str(tmp_path / "table.csv"), target="y", read=ReadConfig(first_year=1927))

    schema = prepare_table(config, seed=0, cache_directory=tmp_path / "cache").schema

    schema = type(schema).from_dict(schema.to_dict())
    assert schema.columns[0].formats == ("%d/%m/%y, 1927 to 2026",)
    assert schema.encode({"born": ["13/06/41"]}).tolist() == schema.encode({"born": ["1941-06-13"]}).tolist()


WEEKDAYS = {
    "%A %d %B %Y": [
        ("lundi 1er juin 2020", "mar. 2 juin 2020", "dimanche 7 juin 2020"),
        ("lunes 1 de junio de 2020", "martes 2 de junio de 2020", "domingo 7 de junio de 2020"),
        ("maandag 1 juni 2020", "di 2 juni 2020", "zondag 7 juni 2020"),
        ("lunedì 1 giugno 2020", "mar 2 giu 2020", "domenica 7 giugno 2020"),
    ],
    "%A, %d %B %Y": [("segunda-feira, 1 de junho de 2020", "ter, 2 jun 2020", "domingo, 7 de junho de 2020")],
    "%A, %d. %B %Y": [("Montag, 1. Juni 2020", "Di., 2. Juni 2020", "Sonntag, 7. Juni 2020")],
}


@pytest.mark.parametrize(("form", "cells"), [(form, cells) for form, all_ in WEEKDAYS.items() for cells in all_])
def test_weekdays_in_a_few_languages_are_read(form, cells):
    found = search(list(cells))

    assert found.formats == (form,)
    assert seconds(list(cells), found.formats) == [datetime(2020, 6, day, tzinfo=UTC).timestamp() for day in (1, 2, 7)]


def test_a_weekday_that_the_day_was_not_is_no_date():
    cells = [*["lundi 1 juin 2020"] * 30, "mardi 1 juin 2020"]

    assert search(cells).profile.bad == 1


@pytest.mark.parametrize(
    ("cells", "seconds"),
    [
        (["2024-01-31 23:00", "2024-01-31 24:00", "2024-02-01 01:00"], [0, 3600, 7200]),
        (["31.01.2024 23:00:00", "31.01.2024 24:00:00"], [0, 3600]),
        (["23:00", "24:00", "01:00"], [0, 3600, -79200]),
    ],
)
def test_midnight_at_the_end_of_a_day_is_24_hours(cells, seconds):
    series = pl.Series("when", cells)
    found = search(cells)

    moments = as_seconds(series, found.formats, CellRules(), str)
    assert (moments - moments[0]).tolist() == seconds
    assert parse_dates(pl.Series(["2024-01-31 24:01", "2024-01-31 10:24:00"]), "%Y-%m-%d %H:%M").null_count() == 2


def test_times_without_a_zone_among_others_are_said_to_be_of_utc():
    column = ColumnScan("when", CellRules())
    column.add(pl.Series("when", ["2024-01-01 10:00", "2024-01-02 10:00+02:00"] * 20), str)

    assert column.finding().why.endswith("; those without a time zone are taken for times of UTC")


def test_a_number_beyond_the_last_year_of_a_calendar_is_no_unix_time():
    with pytest.raises(DataError, match=r"row 1, column 'when': '253402300800' is not seconds since 1970"):
        seconds(["253402300799", "253402300800"], ("seconds since 1970",))
