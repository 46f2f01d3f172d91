"""Months and weekdays by their names and abbreviations in a few languages: each means the same in all of these."""

from __future__ import annotations

import polars as pl

__all__ = ["with_english_months", "with_english_weekday"]

_NAMES = {
    "January": "jan january janv janvier januar jän jänner ene enero januari gen gennaio janeiro",
    "February": "feb february févr fév fevr février fevrier februar febrero februari febbraio fev fevereiro",
    "March": "mar march mars mär mrz märz maerz marzo mrt maart março marco",
    "April": "apr april avr avril abr abril aprile",
    "May": "may mai mayo mei mag maggio maio",
    "June": "jun june juin juni junio giu giugno junho",
    "July": "jul july juil juillet juli julio lug luglio julho",
    "August": "aug august août aout ago agosto augustus",
    "September": "sep sept september septembre septiembre setiembre set settembre setembro",
    "October": "oct october octobre okt oktober octubre ott ottobre out outubro",
    "November": "nov november novembre noviembre novembro",
    "December": "dec december déc décembre decembre dez dezember dic diciembre dicembre dezembro",
}
_WEEKDAYS = {
    "Monday": "lun lundi lunes lunedì lunedi mo montag ma maandag seg segunda segunda-feira",
    "Tuesday": "mar mardi martes martedì martedi di dienstag dinsdag ter terça terça-feira terca-feira",
    "Wednesday": "mer mercredi mié miércoles mercoledì mercoledi mi mittwoch wo woensdag qua quarta quarta-feira",
    "Thursday": "jeu jeudi jue jueves gio giovedì giovedi do donnerstag donderdag qui quinta quinta-feira",
    "Friday": "ven vendredi vie viernes venerdì venerdi fr freitag vr vrijdag sex sexta sexta-feira",
    "Saturday": "sam samedi sáb sab sábado sabado sabato sa samstag sonnabend za zaterdag",
    "Sunday": "dim dimanche dom domingo domenica so sonntag zo zondag",
}
_ENGLISH = {name: month for month, names in _NAMES.items() for name in names.split()}
_ENGLISH_DAYS = {name: day for day, names in _WEEKDAYS.items() for name in names.split()}
_WORD = r"\pL{3,}"
_WEEKDAY_FIRST = r"^(\pL{2,}(?:-feira)?)\.?(\P{L}.*)$"


def with_english_months(text: pl.Series) -> pl.Series:
    """The cells with the month in English, those whose first word is none as they are.

    Example:
        >>> with_english_months(pl.Series(["3 janv. 2024", "15 de marzo de 2024", "1er août 2024", "3 rue"])).to_list()
        ['3 January 2024', '15 March 2024', '1 August 2024', '3 rue']
    """
    plain = pl.Series("text", text).str.replace_all(r"\bde ", "").str.replace(r"^(\W*)1(?:er|º)\b", "${1}1").to_frame()
    month = pl.col("text").str.extract(f"({_WORD})").str.to_lowercase()
    english = month.replace_strict(_ENGLISH, default=None, return_dtype=pl.String)
    return plain.select(pl.col("text").str.replace(rf"{_WORD}\.?", english)).to_series().alias(text.name)


def with_english_weekday(text: pl.Series) -> pl.Series:
    """The cells with the weekday that they begin with, and the month, in English; null where they begin with none.

    Example:
        >>> cells = pl.Series(["lundi 1er juin 2020", "Mo., 1. Juni 2020", "rue 3 juin 2020"])
        >>> with_english_weekday(cells).to_list()
        ['Monday 1 June 2020', 'Monday, 1. June 2020', None]
    """
    parts = text.str.extract_groups(_WEEKDAY_FIRST).struct.unnest()
    day = parts["1"].str.to_lowercase().replace_strict(_ENGLISH_DAYS, default=None, return_dtype=pl.String)
    return (day + with_english_months(parts["2"])).alias(text.name)
