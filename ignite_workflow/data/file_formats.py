"""What a data file is: by its first bytes where these tell, else by its name."""

from __future__ import annotations

import re
import zipfile
from enum import StrEnum
from pathlib import Path

from ignite_workflow.data.compressed import COMPRESSED, is_compressed, without_compression
from ignite_workflow.errors import ConfigError, DataError

__all__ = ["READ_KEYS", "FileFormat", "find_file_format", "is_table_file"]


class FileFormat(StrEnum):
    """The formats of tables."""

    DELIMITED = "text with delimiters"
    JSON_LINES = "JSON lines"
    PARQUET = "Parquet"
    EXCEL = "Excel"


READ_KEYS: dict[FileFormat, tuple[str, ...]] = {
    FileFormat.DELIMITED: (
        *("delimiter", "starts", "encoding", "header", "units", "footer", "repeated_header", "row_names", "quotes"),
        *("escapes", "pad_rows"),
    ),
    FileFormat.JSON_LINES: ("encoding", "sheet", "repeated_header"),
    FileFormat.PARQUET: ("repeated_header",),
    FileFormat.EXCEL: ("sheet", "header", "units", "footer", "repeated_header"),
}
"""What of ``data.read`` says how files of a format are taken apart, beside what says how cells are read."""

_OF_TEXT = (".csv", ".tsv", ".tab", ".txt", ".data", ".dat", ".psv", ".asc", ".prn", ".vcf", ".bed", ".gtf", ".gff")
_FORMATS = {
    **dict.fromkeys(_OF_TEXT, FileFormat.DELIMITED),
    **dict.fromkeys((".jsonl", ".ndjson", ".json"), FileFormat.JSON_LINES),
    **dict.fromkeys((".parquet", ".pq"), FileFormat.PARQUET),
    **dict.fromkeys((".xlsx", ".xlsm", ".xlsb", ".xls", ".ods"), FileFormat.EXCEL),
}
_PARQUET, _ARCHIVE, _OLD_EXCEL = b"PAR1", b"PK\x03\x04", b"\xd0\xcf\x11\xe0"
_OTHERS = {  # what is sent, or saved, under the name of text
    b"%PDF": "a PDF: export the table from the program that made it",
    b"version https://git-lfs": "not the file, but what Git LFS keeps in its place: git lfs pull",
    b"SQLite format 3": "a SQLite database: export the table as CSV",
    b"\x93NUMPY": "a NumPy array: numpy.savetxt writes it as text, or give it to train() from Python",
    b"ARROW1": "an Arrow (Feather) file: write it as Parquet",
    b"ORC": "an ORC file: write it as Parquet",
    b"Obj\x01": "an Avro file: write it as Parquet",
    b"\x89HDF": "an HDF5 file: export the table as CSV or Parquet",
    b"MATLAB 5.0 MAT-file": "a MATLAB file: writetable exports it as CSV",
    b"<stata_dta>": "a Stata file: export delimited writes it as CSV",
    b"$FL2": "an SPSS file: export it as CSV",
    b"PGDMP": "a dump of PostgreSQL: export the table as CSV",
    b"{\\rtf": "a text document (RTF): export the table as CSV",
    b"\x00\x01\x00\x00Standard": "an Access database: export the table as CSV",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
    b"BZh": "compressed by bzip2: decompress it first",
    b"\xfd7zXZ": "compressed by xz: decompress it first",
    b"7z\xbc\xaf": "an archive of files: unpack it first",
    b"Rar!": "an archive of files: unpack it first",
}
_WEB_PAGE = re.compile(rb"(?:\xef\xbb\xbf)?\s*<(?:!doctype html|html|head|body)\b", re.IGNORECASE)
_SQL = re.compile(
    rb"(?:\s*--[^\n]*\n)*\s*(?:INSERT INTO|CREATE TABLE|DROP TABLE)\b|\s*-- (?:MySQL|PostgreSQL)", re.IGNORECASE
)
_ARFF = re.compile(rb"(?:\s*%[^\n]*\n)*\s*@relation\b", re.IGNORECASE)
_XML = re.compile(rb"(?:\xef\xbb\xbf)?\s*<\?xml\b")
_JSON = re.compile(rb'(?:\xef\xbb\xbf)?\s*(?:\[\s*)?\{\s*"(?:[^"\\\n]|\\.)*"\s*:')
_JSON_LINE_ENDS = tuple("}]{[,")
_OF_WORKBOOKS = ("xl/", "META-INF/manifest.xml")


def is_table_file(path: str) -> bool:
    """Whether the name is that of data: ``rows.parquet`` or a folder is, a list ``rows.txt`` or ``about.json`` not."""
    suffix = without_compression(Path(path)).suffix.lower()
    return Path(path).is_dir() or (suffix in _FORMATS and suffix not in (".txt", ".json"))


def find_file_format(path: Path) -> FileFormat:
    """What a file is read as.

    Raises:
        ConfigError: nothing here reads files of its kind.
        DataError: it is not what its name says.
    """
    suffix = without_compression(path).suffix.lower()
    named = _FORMATS.get(suffix)
    with path.open("rb") as file:
        start = file.read(1024)
    if named in (FileFormat.PARQUET, FileFormat.EXCEL) and (path.suffix.lower() in COMPRESSED or is_compressed(start)):
        raise ConfigError(f"{path}: {named} files are compressed in themselves: decompress it first.")
    if start.startswith(_PARQUET):
        return FileFormat.PARQUET
    if start.startswith(_OLD_EXCEL) or _is_workbook(path, start):
        return FileFormat.EXCEL
    if start.startswith(_ARCHIVE) and named is not FileFormat.EXCEL:
        raise ConfigError(f"{path}: an archive of files: unpack it first.")
    if (
        named is FileFormat.EXCEL and start and b"\0" not in start and not start.startswith(_ARCHIVE)
    ):  # what programs export as .xls is often text
        if start.lstrip().startswith(b"<"):
            raise DataError(
                f"{path}: a web page that is called a workbook: open it in a spreadsheet, save it as .xlsx."
            )
        return FileFormat.DELIMITED
    if named is None and suffix:
        known = ", ".join(_FORMATS)
        call = "" if b"\0" in start else " If it is text with delimiters, call it .csv."
        raise ConfigError(
            f"{path}: no reader for {suffix} files. Known: {known}; the text ones also with .gz, .zst.{call}"
        )
    if named in (FileFormat.PARQUET, FileFormat.EXCEL):
        return named
    _refuse_others(path, start)
    return FileFormat.JSON_LINES if named is FileFormat.JSON_LINES or _is_json(start) else FileFormat.DELIMITED


def _refuse_others(path: Path, start: bytes) -> None:
    """Refuse what is called text, and is none.

    Raises:
        DataError: it is something else.
    """
    found = next((what for magic, what in _OTHERS.items() if start.startswith(magic)), "")
    if _WEB_PAGE.match(start):
        found = "a web page, as servers send it in the place of a file: download it again, signed in"
    if _XML.match(start):
        found = "XML: export the table as CSV"
    if _SQL.match(start):
        found = "statements of SQL: export the table as CSV"
    if _ARFF.match(start):
        found = "an ARFF file: write the names of its attributes, with commas, in the place of all lines down to @data"
    if found:
        raise DataError(f"{path}: no table, but {found}.")


def _is_json(start: bytes) -> bool:
    """Whether a file of text begins as an object of JSON does, or an array of them."""
    line = start.strip().partition(b"\n")[0].decode(errors="replace").rstrip()
    return bool(_JSON.match(start)) and (line.endswith(_JSON_LINE_ENDS) or b"\n" not in start)


def _is_workbook(path: Path, start: bytes) -> bool:
    if not start.startswith(_ARCHIVE) or not zipfile.is_zipfile(path):
        return False
    try:
        with zipfile.ZipFile(path) as archive:
            return any(name.startswith(_OF_WORKBOOKS) for name in archive.namelist())
    except zipfile.BadZipFile:
        return False
