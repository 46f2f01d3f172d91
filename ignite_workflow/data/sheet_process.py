"""The program that parses a workbook: ``excel`` runs it within limits. It writes the table of a sheet as an Arrow file.

Formulas are not computed and links not followed: the values are those that were saved with them.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from ignite_workflow.data.cells import as_text
from ignite_workflow.data.formulas import unsaved_formulas
from ignite_workflow.data.limited_process import limit_this_process
from ignite_workflow.data.merged_cells import (
    MOST_MERGED,
    Merge,
    fill_merged,
    merged_cells,
    merged_note,
    merged_over_rows,
)
from ignite_workflow.data.sheet_area import SheetArea, SheetOptions, find_area

__all__ = ["ROW", "main"]

ROW = "row"  # the column of the rows' numbers in their sheet, from 1
_TOO_MANY = f"has more than {MOST_MERGED:,} merged cells: take the merging back, or save the sheet as CSV."
_DAY_ZERO = (date(1899, 12, 30), date(1899, 12, 31), date(1904, 1, 1))  # of a time of day without a date


def main(arguments: Sequence[str]) -> None:
    """Read a sheet.

    Args:
        arguments: the most memory in bytes; the workbook; the sheet (empty: the first visible one that is not empty);
            as JSON what a person said, see ``SheetOptions``; the file to write.

    Prints:
        ``sheets``: their names; ``sheet``: the one read, None where there is no such or it is empty; ``header``: its
        row, from 1, or None; ``header_rows``: how many it has; ``names``: what it says; ``first_column``: the number of
        the first used column, from 0; ``notes`` and ``question``: of ``find_area``; ``unsaved``: the column (from 0)
        and row (from 1) of formulas without a value. Or ``error``; or ``mixed``, the number of a column, from 1, that
        holds durations and something else.
    """
    memory, path, sheet, options, output = arguments
    limit_this_process(int(memory))
    import fastexcel

    try:
        answer = _read(Path(path), fastexcel.read_excel(path), sheet, SheetOptions(**json.loads(options)), Path(output))
    except fastexcel.UnsupportedColumnTypeCombinationError as error:
        answer = {"mixed": _column_in(error) + 1}
    except fastexcel.FastExcelError as error:
        answer = {"error": " ".join(str(error).partition("Context:")[0].split()).removeprefix("calamine error: ")}
    print(json.dumps(answer))


def _read(path: Path, reader: Any, wanted: str, options: SheetOptions, output: Path) -> dict[str, Any]:
    names = [name for name in reader.sheet_names if name == wanted] if wanted else reader.sheet_names
    for name in names:
        sheet = reader.load_sheet(name, header_row=None, skip_rows=0, dtypes="string", whitespace_as_null=True)
        texts = sheet.to_polars()
        if any(series.null_count() < len(series) for series in texts) and (wanted or sheet.visible == "visible"):
            break
    else:
        return {"sheets": reader.sheet_names, "sheet": None}
    left = sheet.selected_columns[0].absolute_index
    merges = merged_cells(path, name, left)
    area = find_area(texts, options, merges)
    merged = merged_over_rows(merges, texts.width, area.first, area.last)
    _table(reader, name, texts, area, merged).write_ipc(output)
    return {
        "sheets": reader.sheet_names,
        "sheet": name,
        "header": None if area.header is None else area.header + 1,
        "header_rows": area.header_rows,
        "names": area.names,
        "first_column": left,
        "notes": (*area.notes, *merged_note(merged, area.names)),
        "question": _TOO_MANY if len(merges) > MOST_MERGED else area.question,
        "unsaved": [
            (column - left, row + 1)
            for column, row in unsaved_formulas(path, name)
            if area.first <= row < area.last and left <= column < left + texts.width
        ],
    }


def _table(
    reader: Any, name: str, texts: pl.DataFrame, area: SheetArea, merged: Mapping[int, Sequence[Merge]]
) -> pl.DataFrame:
    """The rows below the header that are not empty, with their numbers."""
    texts = texts[area.first : area.last]
    typed = _typed(reader, name, area.first, texts.height)
    numbers = pl.int_range(area.first + 1, area.first + 1 + texts.height, eager=True).alias(ROW)
    cells = [_column(typed[:, index], texts[:, index]) for index in range(texts.width)]
    cells = [fill_merged(column, merged.get(index, ()), area.first) for index, column in enumerate(cells)]
    table = pl.DataFrame([series.alias(str(index)) for index, series in enumerate(cells)])
    return table.with_columns(numbers).filter(pl.any_horizontal(pl.exclude(ROW).is_not_null()))


def _typed(reader: Any, name: str, first: int, rows: int) -> pl.DataFrame:
    """Some rows of a sheet, each column of the type that its cells have."""
    import fastexcel

    as_text: dict[int, str] = {}
    while True:
        try:
            sheet = reader.load_sheet(
                name, header_row=None, skip_rows=first, n_rows=rows, schema_sample_rows=None, dtypes=as_text
            )
        except fastexcel.CalamineCellError as error:  # it finds no type for cells with #NAME?, the only error of them
            column = _column_in(error)
            if column in as_text:
                raise
            as_text[column] = "string"
        else:
            frame: pl.DataFrame = sheet.to_polars()
            return frame


def _column_in(error: Exception) -> int:
    """The column that fastexcel finds no type for, from 0."""
    [column] = re.findall(r"__UNNAMED__(\d+)", str(error))
    return int(column)


def _column(typed: pl.Series, text: pl.Series) -> pl.Series:
    """The cells of a column: numbers, booleans or dates where all of them are, else text."""
    if typed.dtype == pl.Duration:
        return typed.dt.total_milliseconds() / 1000
    if typed.dtype.is_temporal():
        moments = typed.cast(pl.Datetime("us"))
        if moments.dt.date().drop_nulls().is_in(_DAY_ZERO).all():
            return (moments - moments.dt.truncate("1d")).dt.total_milliseconds() / 1000  # of the day
        return moments
    if not typed.dtype.is_numeric():
        return typed if typed.dtype == pl.Boolean else text
    words = typed.is_null() & text.is_not_null()
    if not words.any():
        return typed
    # fastexcel drops the words among numbers, and as text it rounds the numbers
    return pl.select(pl.when(words).then(text).otherwise(as_text(typed, ()))).to_series()


if __name__ == "__main__":
    main(sys.argv[1:])
