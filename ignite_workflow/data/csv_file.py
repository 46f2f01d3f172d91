"""Delimited text (CSV, TSV and their kin): its cells as text, rows that are not even repaired or refused."""

from __future__ import annotations

from collections.abc import Iterator, Set
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import numpy as np
import polars as pl

from ignite_workflow.config import ReadConfig
from ignite_workflow.data.first_total import below_first_total
from ignite_workflow.data.fixed_width import delimited_lines
from ignite_workflow.data.known_widths import KnownWidths
from ignite_workflow.data.layout import Layout, find_layout
from ignite_workflow.data.position import BEGINNING, Position
from ignite_workflow.data.prefetch import parallel_map
from ignite_workflow.data.quotes import (
    doubtful_quote,
    has_blanks,
    has_escapes,
    has_single_quotes,
    odd_quote,
    with_single_blanks,
    with_swapped,
    without_blanks,
    without_formulas,
)
from ignite_workflow.data.repairs import Repairs
from ignite_workflow.data.repeated_header import rows_of_names
from ignite_workflow.data.row_errors import ragged_row, stray_quote, unexpected_quote
from ignite_workflow.data.text_file import TextFile, open_text
from ignite_workflow.data.text_footer import find_text_footer, without_last_bytes
from ignite_workflow.data.text_records import Block, split_cells, whole_records
from ignite_workflow.errors import DataError

__all__ = ["CsvFile", "open_csv"]

_SWAPPED = {"'": '"', '"': "'"}
_TABLE = str.maketrans(_SWAPPED)


@dataclass(frozen=True)
class CsvFile:
    """A delimited text file whose look is known.

    Attributes:
        text: the file.
        layout: its delimiter, header and so on.
        repair: rows that are not even: None repairs those that lose nothing by it, true fills short ones too, false
            refuses all.
        footer_bytes: those at the end of the file that are none of the table.
        footer_note: what they are.
        plain_quotes: a person said that double quotes are characters like others: they may begin cells.
        without_headers: rows that hold the names of all columns are left out.
        repairs: what was changed in its records, as far as it was read.
    """

    text: TextFile
    layout: Layout
    repair: bool | None = None
    footer_bytes: int = 0
    footer_note: str = ""
    plain_quotes: bool = False
    without_headers: bool = False
    repairs: Repairs = field(default_factory=Repairs, compare=False)

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of its columns."""
        return self.layout.columns

    @property
    def delimiter(self) -> str:
        """What parts its cells."""
        return self.layout.delimiter

    @property
    def naming(self) -> str:
        """Where its columns have their names from, for who looks for another name; empty: from its header."""
        return self.layout.naming

    @property
    def notes(self) -> tuple[str, ...]:
        """What was guessed, and what was repaired as far as the file was read."""
        notes = [*self.text.notes, *self.layout.notes, *filter(None, (self.layout.misfit, self.footer_note))]
        return (*notes, *self.repairs.notes(self.text.path.name, len(self.columns)))

    def frames(
        self, numbers: Set[str] = frozenset(), start: Position = BEGINNING
    ) -> Iterator[tuple[pl.DataFrame, Block]]:
        """The cells as text, an empty one as ``""``, some thousand records at a time, with the block they come from.

        Args:
            numbers: columns that may be read as numbers right away, where all of their cells in a block are numbers or
                empty; looked at again for each block. The numbers are those that a cast of the text would give.
            start: where to begin.

        Raises:
            DataError: a row has more or fewer cells than the header, or quotes do not pair up; names the line.
        """
        quote = b'"' if self.layout.quotes else None
        endless = partial(stray_quote, self.text.path, self.layout)
        content = without_last_bytes(self.text.blocks(start.byte), self.footer_bytes)
        skip = self.layout.header_lines
        blocks = whole_records(content, skip_lines=skip, quote=quote, endless=endless, start=start)
        for frame, block in parallel_map(partial(self._frame, numbers), blocks):
            if frame.height:
                yield frame, block

    def frames_above(self, size: int) -> Iterator[pl.DataFrame]:
        """The cells as text, without so many bytes at the end of the file."""
        return (frame for frame, _ in replace(self, footer_bytes=size, repairs=Repairs()).frames())

    def frames_of(self, layout: Layout) -> Iterator[pl.DataFrame]:
        """The cells as text, had the file that look."""
        return replace(self, layout=layout).frames_above(self.footer_bytes)

    def _frame(self, numbers: Set[str], block: Block) -> tuple[pl.DataFrame, Block]:
        if block.quote is None and self.layout.widths is None and not self.plain_quotes:
            self._refuse_quotes(block)
        delimited = self._delimited(block)
        if self.layout.quotes and b'"' in delimited.data:
            delimited = self._with_sure_quotes(delimited, block)
        frame = self._cells_of(delimited, numbers)
        again = rows_of_names(frame) if self.without_headers else []
        if again:
            self.repairs.left_out[block.first_line] = [delimited.line(record) for record in again]
            delimited = delimited.without(again)
            frame = self._cells_of(delimited, numbers)
        return frame, delimited  # not the block: a line of blanks is a record there

    def _with_sure_quotes(self, delimited: Block, block: Block) -> Block:
        """Text that spreadsheets keep as it is, and what stands in quotes, without what is written around it.

        Raises:
            DataError: a quote makes it doubtful where cells end.
        """
        data, delimiter = delimited.data, self.delimiter.encode()
        if b"=" in data and b'="' in data:
            data, count = without_formulas(data, delimiter)
            if count:
                self.repairs.formulas[block.first_line] = [count]
        if not odd_quote(data, delimiter):
            return replace(delimited, data=data)
        if not self.layout.blanks and has_blanks(data, delimiter):
            self.repairs.blanks[block.first_line] = [block.first_line]
            data = without_blanks(data, delimiter)
        if doubtful_quote(data, delimiter):
            raise stray_quote(self.text.path, self.layout, block)
        return replace(delimited, data=data)

    def _cells_of(self, block: Block, numbers: Set[str]) -> pl.DataFrame:
        now = frozenset(numbers).intersection(self.columns)  # others may change them meanwhile
        frame = self._typed(block, now) if now else None
        return self._text(block) if frame is None else frame

    def _delimited(self, block: Block) -> Block:
        """One character between cells, where any run of blanks parts them, or their place in the line.

        And no blanks around those that are quoted, where the first records have such.
        """
        if self.layout.widths is not None:
            return replace(block, data=delimited_lines(block.data, self.layout.widths))
        if self.layout.blanks and b'"' in block.data:
            return replace(block, data=without_blanks(block.data, self.delimiter.encode()))
        if self.delimiter != " ":
            return block
        return replace(block, data=with_single_blanks(block.data, quotes=self.layout.quotes))

    def _refuse_quotes(self, block: Block) -> None:
        """Quotes were found inside of cells only: one that begins a cell would make another table of the file."""
        starts = (b'\n"', self.delimiter.encode() + b'"')
        found = [block.data.find(start) + 1 for start in starts if start in block.data]
        if block.data.startswith(b'"') or found:
            at = 0 if block.data.startswith(b'"') else min(found)
            raise unexpected_quote(self.text.path, self.layout, block, at)

    def _typed(self, block: Block, numbers: Set[str]) -> pl.DataFrame | None:
        """Numbers as such, null for an empty cell; None where a cell is no number, or the rows are uneven."""
        frame = self._cells(block.data, numbers)
        if frame is None:
            return None
        missing = sum(series.null_count() for series in frame)
        if missing:
            # polars makes nulls of what is no number and of what a short row lacks, too
            written = [series for series in frame if series.dtype == pl.String]
            even = missing + sum(int((cells == "").sum()) for cells in written) == self._empty_cells(block)
        else:
            last = frame.to_series(-1)  # where a short row would show
            even = (last.dtype == pl.Float64 or not (last == "").any()) or self._is_even(block, frame)
        return frame.rechunk() if even else None  # once, and not at every look at it

    def _empty_cells(self, block: Block) -> int | None:
        """How many there are; None where quotes make that hard to say."""
        return None if b'"' in block.data else block.empty_cells(self.delimiter.encode())

    def _text(self, block: Block) -> pl.DataFrame:
        # polars fills short rows in silence and takes a blank line for one; it refuses long rows, so a sum tells
        # whether all are right
        frame = self._cells(block.data)
        if frame is not None and self._is_even(block, frame):
            return frame
        records = replace(block, data=b"".join(self._even(block)))
        frame = self._cells(records.data) if records.data else pl.DataFrame(schema=self._text_schema())
        if frame is None or not self._is_even(records, frame):
            raise stray_quote(self.text.path, self.layout, block)
        return frame

    def _even(self, block: Block) -> list[bytes]:
        """The records, each of as many cells as there are columns where that loses and invents nothing."""
        delimiter, width = self.delimiter.encode(), len(self.columns)
        records, widths = block.records(), block.widths(delimiter)
        cut, filled = [], []
        for number in np.flatnonzero(widths != width).tolist():
            cells = records[number].rstrip(b"\r\n")
            end = records[number][len(cells) :]
            extra = int(widths[number]) - width
            if extra > 0 and cells.endswith(delimiter * extra) and self.repair is not False:
                cut.append(block.line(number))
                records[number] = cells[:-extra] + end
            elif extra < 0 and self._may_fill(cells, width + extra):
                filled.append(block.line(number))
                records[number] = cells + delimiter * -extra + end
            else:
                cells_of_row = split_cells(records[number], delimiter, block.quote)
                raise ragged_row(self.text.path, self.layout, block.line(number), cells_of_row)
        if cut:
            self.repairs.cut[block.first_line] = cut
        if filled:
            self.repairs.filled[block.first_line] = filled
        return records

    def _may_fill(self, cells: bytes, width: int) -> bool:
        """Whether nothing but empty cells can be what a short row lacks: the whole row is, or columns without names."""
        if self.repair is not None:
            return self.repair
        return width >= self.layout.nameless or not cells.strip(self.delimiter.encode() + b" ")

    def _is_even(self, block: Block, frame: pl.DataFrame) -> bool:
        if len(self.columns) == 1 and frame.dtypes == [pl.String] and (frame.to_series() == "").any():
            return not block.has_blank_lines()
        return block.delimiters(self.delimiter.encode()) == (len(self.columns) - 1) * frame.height

    def _text_schema(self) -> dict[str, type[pl.DataType]]:
        return dict.fromkeys(self.columns, pl.String)

    def _cells(self, data: bytes, numbers: Set[str] = frozenset()) -> pl.DataFrame | None:
        """None where polars finds a row too long, or quotes it cannot make sense of."""
        try:
            frame = pl.read_csv(
                data,
                has_header=False,
                separator=self.delimiter,
                quote_char='"' if self.layout.quotes else None,
                schema={**self._text_schema(), **dict.fromkeys(numbers, pl.Float64)},
                empty_string_is_null=False,
                ignore_errors=bool(numbers),  # what is no number becomes null
            )
        except pl.exceptions.PolarsError:
            return None
        return frame.with_columns(pl.col(pl.String).str.replace_many(_SWAPPED)) if self.text.single else frame


def open_csv(path: Path, read: ReadConfig, known_widths: KnownWidths | None = None) -> CsvFile:
    """Find out a file's encoding, delimiter and header.

    Args:
        path: of the file.
        read: what a person said about it.
        known_widths: where columns of fixed width stand in other files of the table; None: nothing is known.

    Raises:
        ConfigError: the delimiter is not one character.
        DataError: the file is empty, or it is not certain whether its last rows are data.
    """
    text = open_text(path, read.encoding)
    sample = text.sample()
    if read.quotes is not False and has_single_quotes(sample):
        text, sample = text.with_single_quotes(), with_swapped(sample)
    if read.quotes is not False and (has_escapes(sample) if read.escapes is None else read.escapes):
        text = text.with_escapes()
        sample = text.sample()
    if read.quotes is not False and b'="' in sample:
        sample, _ = without_formulas(sample, b",;\t|")
    if not sample.strip():
        raise DataError(f"{path}: the file is empty.")
    layout = find_layout(path, read, sample.decode(errors="ignore"), known_widths)
    if text.single:
        layout = replace(layout, columns=tuple(name.translate(_TABLE) for name in layout.columns))
    file = CsvFile(
        text, layout, read.pad_rows, plain_quotes=read.quotes is False, without_headers=read.repeated_header is True
    )
    size, note = find_text_footer(text, file.layout, read, file.frames_above)
    file = replace(file, footer_bytes=size, footer_note=note)
    return replace(file, layout=below_first_total(path, file.layout, read.footer, file.frames_of))
