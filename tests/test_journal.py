import gzip
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path

import polars as pl
import pytest

from ignite_workflow.config import DataConfig, SplitConfig
from ignite_workflow.data import chunk_store, prepare_table, text_file
from ignite_workflow.data.checked_files import write_document
from ignite_workflow.data.chunk_store import ChunkStore
from ignite_workflow.data.csv_file import CsvFile
from ignite_workflow.data.journal import Journal
from ignite_workflow.data.tables import open_table

FILES = 2
ROWS = 90  # a file
SETTLED = {"turns": "ignore"}  # where this column is used, its late cells make the table be read once more


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """Tables of many chunks, some in memory and some on disk, with a journal after each."""
    monkeypatch.setattr(text_file, "_BLOCK_BYTES", 3000)
    monkeypatch.setattr(text_file, "_FIRST_BYTES", 2000)
    monkeypatch.setattr(chunk_store, "_MOST_BYTES", 20_000)
    monkeypatch.setattr(Journal, "due", True)


def messy_rows(number):
    """What a person exports: an id, numbers, prices, dates that only late cells decide, words for missing, text."""
    draw = random.Random(number)
    for row in range(ROWS):
        day = draw.randint(1, 12) if number < 1 else draw.randint(1, 28)
        yield {
            "id": number * ROWS + row,
            "x": f"{draw.gauss(0, 1):.6f}" if row % 7 or number < 1 else "",
            "price": f"{draw.randint(1000, 9999) / 7:,.2f} €",
            "day": f"{day:02}/{draw.randint(1, 12):02}/2023",
            "size": draw.choice(["S", "M", "L", "n/a"]),
            "late": "NA" if number == 1 and row % 30 == 20 else draw.randint(0, 99) / 10,
            "note": draw.choice(["plain", 'a "word"', "two\nlines", "a, comma"]) + str(row % 4),
            "turns": "odd" if number == 1 and row % 2 else f"{row}.5",
            "y": f"{draw.gauss(5, 2):.3f}",
        }


def messy_text(number):
    rows = list(messy_rows(number))
    lines = [",".join(rows[0])]
    for at, row in enumerate(rows):
        cells = ['"' + str(cell).replace('"', '""') + '"' if name in ("note", "price") else str(cell)
                 for name, cell in row.items()]  # fmt: skip
        lines.append(",".join(cells) + (",," if at % 30 == 7 else ""))
        if at % 35 == 11:
            lines.append("," * 8 if at % 2 else "")
    return "\r\n".join(lines) + "\r\n"


def write_csv(directory):
    for number in range(FILES):
        (directory / f"part{number}.csv").write_bytes(messy_text(number).encode("utf-8-sig" if number else "utf-8"))


def write_more_below(directory):
    for number in range(FILES):
        (directory / f"part{number}.csv").write_text(messy_text(number) + "\nSource: our own measurements\n")


def write_gzip(directory):
    for number in range(FILES):
        with gzip.open(directory / f"part{number}.csv.gz", "wb") as file:
            file.write(messy_text(number).encode())


def write_utf16(directory):
    for number in range(FILES):
        (directory / f"part{number}.csv").write_bytes(messy_text(number).encode("utf-16"))


def write_json(directory):
    for number in range(FILES):
        lines = [json.dumps({**row, "y": float(row["y"]), "late": str(row["late"])}) for row in messy_rows(number)]
        (directory / f"part{number}.jsonl").write_text("\n".join(lines) + "\n")


def write_parquet(directory):
    rows = [row for number in range(FILES) for row in messy_rows(number)]
    pl.DataFrame([{**row, "y": float(row["y"]), "late": str(row["late"])} for row in rows]).write_parquet(
        directory / "table.parquet"
    )


@pytest.fixture
def data(tmp_path):
    (tmp_path / "data").mkdir()
    write_csv(tmp_path / "data")
    return tmp_path / "data"


def prepare(data, cache, **settings):
    split = SplitConfig(val=0.2, test=0.2, group="note")
    config = DataConfig(path=str(data), target="y", split=split, **settings)
    return prepare_table(config, seed=0, cache_directory=cache)


def stopped(monkeypatch, data, cache, journal, **settings):
    """Prepare until that journal is written; whether there was one."""
    saved, save = [], Journal.save

    def save_and_stop(self, table, progress):
        save(self, table, progress)
        saved.append(progress.end.row)
        if len(saved) == journal:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Journal, "save", save_and_stop)
        try:
            prepare(data, cache, **settings)
        except KeyboardInterrupt:
            return True
    return False


def entry(cache):
    """All that was prepared, by file name."""
    (entry,) = (cache / "tables").iterdir()
    assert not entry.name.startswith("building-")
    return {path.name: path.read_bytes() for path in entry.iterdir()}


def left(cache):
    (building,) = (cache / "tables").glob("building-*")
    return building / "scratch"


def journal(cache):
    """Where the next row of a table stands that was stopped."""
    return json.loads((left(cache) / "journal.json").read_text().split("\n")[1])["progress"]["end"]


def read_again(monkeypatch, data, cache, **settings):
    """Prepare; the first lines of the blocks of rows that are parsed for it."""
    lines, frame = [], CsvFile._frame

    def spy(self, numbers, block):
        lines.append((self.text.path.name, block.first_line))
        return frame(self, numbers, block)

    with monkeypatch.context() as patch:
        patch.setattr(CsvFile, "_frame", spy)
        prepare(data, cache, **settings)
    return lines


def test_a_start_after_one_that_was_stopped_gives_what_an_unbroken_one_gives(data, tmp_path, monkeypatch):
    prepare(data, tmp_path / "unbroken")
    journals = 0
    while stopped(monkeypatch, data, tmp_path / f"{journals + 1}", journals + 1):
        journals += 1
        prepare(data, tmp_path / f"{journals}")
        assert entry(tmp_path / f"{journals}") == entry(tmp_path / "unbroken")

    assert journals > 2 * FILES


@pytest.mark.parametrize("write", [write_more_below, write_gzip, write_utf16, write_json, write_parquet])
def test_so_it_is_with_every_format(write, tmp_path, monkeypatch):
    monkeypatch.setattr("ignite_workflow.data.parquet._CHUNK_ROWS", 32)
    monkeypatch.setattr("ignite_workflow.data.parquet._SLICE_BYTES", 20_000)
    (tmp_path / "data").mkdir()
    write(tmp_path / "data")
    prepare(tmp_path / "data", tmp_path / "unbroken")
    assert stopped(monkeypatch, tmp_path / "data", tmp_path / "broken", 3)
    prepare(tmp_path / "data", tmp_path / "broken")

    assert entry(tmp_path / "broken") == entry(tmp_path / "unbroken")


def test_a_start_that_is_stopped_at_each_of_its_journals_gets_on(data, tmp_path, monkeypatch):
    prepare(data, tmp_path / "unbroken", columns=SETTLED)
    rows = [0]
    while (
        stopped(monkeypatch, data, tmp_path / "broken", 1, columns=SETTLED)
        and (row := journal(tmp_path / "broken")["row"]) > rows[-1]
    ):
        rows.append(row)
    prepare(data, tmp_path / "broken", columns=SETTLED)

    assert len(rows) > 2 * FILES
    assert entry(tmp_path / "broken") == entry(tmp_path / "unbroken")


def test_what_was_read_is_not_read_again_but_for_the_first_chunk(data, tmp_path, monkeypatch, capsys):
    all_lines = read_again(monkeypatch, data, tmp_path / "unbroken", columns=SETTLED)
    stopped(monkeypatch, data, tmp_path / "broken", 5, columns=SETTLED)
    again = read_again(monkeypatch, data, tmp_path / "broken", columns=SETTLED)

    assert sorted(again) == sorted(all_lines[:1] + all_lines[5:])
    assert "part0.csv: goes on where an earlier start was stopped: " in capsys.readouterr().err


@pytest.mark.parametrize("after", ["fit_schema", "EncodedSplits"])
def test_a_start_that_was_stopped_behind_the_first_pass_reads_no_rows_again(data, tmp_path, monkeypatch, after):
    def stop(*arguments, **settings):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(f"ignite_workflow.data.prepared.{after}", stop)
        with pytest.raises(KeyboardInterrupt):
            prepare(data, tmp_path / "broken", columns=SETTLED)

    assert len(read_again(monkeypatch, data, tmp_path / "broken", columns=SETTLED)) == 1


def test_a_small_table_has_no_journal(data, tmp_path, monkeypatch):
    monkeypatch.undo()

    def refuse(self, table, progress):
        pytest.fail("a journal")

    monkeypatch.setattr(Journal, "save", refuse)
    prepare(data, tmp_path / "cache")


def damaged(content):
    """Versions of a file that are not trusted: cut short, or with a bit wrong."""
    for part in range(16):
        yield content[: len(content) * part // 16]
        at = len(content) * part // 16
        yield content[:at] + bytes([content[at] ^ 1 << part % 8]) + content[at + 1 :]


@pytest.mark.parametrize("name", ["journal.json", "1.arrow", "kept-0.arrow"])
def test_what_is_damaged_is_not_trusted(data, tmp_path, monkeypatch, name):
    stopped(monkeypatch, data, tmp_path / "broken", 5)
    scratch, table = left(tmp_path / "broken"), open_table(str(data))
    work = scratch.parent.name.split("-")[1]
    whole = (scratch / "journal.json").read_bytes()
    for version in damaged((scratch / name).read_bytes()):
        (scratch / "journal.json").write_bytes(whole)
        (scratch / name).write_bytes(version)

        assert Journal(scratch, work, ChunkStore(scratch, [].append), [].append).read(table) is None
        assert not (scratch / "journal.json").exists()


@pytest.mark.parametrize("name", ["journal.json", "1.arrow", "kept-0.arrow"])
def test_what_is_damaged_is_not_gone_on_from(data, tmp_path, monkeypatch, name):
    prepare(data, tmp_path / "unbroken")
    stopped(monkeypatch, data, tmp_path / "broken", 5)
    content = (left(tmp_path / "broken") / name).read_bytes()
    (left(tmp_path / "broken") / name).write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    prepare(data, tmp_path / "broken")

    assert entry(tmp_path / "broken") == entry(tmp_path / "unbroken")


def test_a_file_that_is_gone_is_not_gone_on_from(data, tmp_path, monkeypatch):
    prepare(data, tmp_path / "unbroken")
    stopped(monkeypatch, data, tmp_path / "broken", 5)
    (left(tmp_path / "broken") / "1.arrow").unlink()
    prepare(data, tmp_path / "broken")

    assert entry(tmp_path / "broken") == entry(tmp_path / "unbroken")


def rewrite(path, change):
    """Put another content of the same size into a file, and its old time of change on it."""
    before = path.stat()
    path.write_bytes(change(path.read_bytes()))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert path.stat().st_size == before.st_size


def test_files_that_changed_are_read_anew(data, tmp_path, monkeypatch):
    stopped(monkeypatch, data, tmp_path / "broken", 5)
    rewrite(data / "part0.csv", lambda content: content.replace(b",S,", b",L,"))
    prepare(data, tmp_path / "unbroken")
    prepare(data, tmp_path / "broken")
    shutil.rmtree(left(tmp_path / "broken").parent)

    assert entry(tmp_path / "broken") == entry(tmp_path / "unbroken")


@pytest.mark.parametrize("change", [{"format": 0}, {"work": "other"}])
def test_a_journal_of_another_format_or_of_something_else_is_not_gone_on_from(data, tmp_path, monkeypatch, change):
    prepare(data, tmp_path / "unbroken")
    stopped(monkeypatch, data, tmp_path / "broken", 5)
    path = left(tmp_path / "broken") / "journal.json"
    document = json.loads(path.read_text().split("\n")[1])
    write_document(path, {**document, **change, "progress": None})
    prepare(data, tmp_path / "broken")

    assert entry(tmp_path / "broken") == entry(tmp_path / "unbroken")


def test_of_two_that_would_go_on_one_does_and_the_other_begins_anew(data, tmp_path, monkeypatch, capsys):
    prepare(data, tmp_path / "unbroken")
    capsys.readouterr()
    stopped(monkeypatch, data, tmp_path / "broken", 5)
    both, restore = threading.Barrier(2), Journal.read

    def wait_for_other(self, table):
        both.wait(300)
        return restore(self, table)

    monkeypatch.setattr(Journal, "read", wait_for_other)
    threads = [threading.Thread(target=prepare, args=(data, tmp_path / "broken")) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert capsys.readouterr().err.count("goes on") == 1
    assert entry(tmp_path / "broken") == entry(tmp_path / "unbroken")


KILLED = """
import os, signal, sys
from pathlib import Path
sys.path.insert(0, sys.argv[4])
import test_journal
from ignite_workflow.data import chunk_store, text_file
from ignite_workflow.data.journal import Journal

text_file._BLOCK_BYTES, text_file._FIRST_BYTES, chunk_store._MOST_BYTES = 3000, 2000, 20_000
Journal.due = True
save, saved = Journal.save, []

def save_and_die(self, table, progress):
    save(self, table, progress)
    saved.append(table)
    if len(saved) == int(sys.argv[3]):
        os.kill(os.getpid(), signal.SIGKILL)

Journal.save = save_and_die
test_journal.prepare(Path(sys.argv[1]), Path(sys.argv[2]))
"""


def test_a_process_that_is_killed_again_and_again_gets_on(data, tmp_path):
    for number in (2, 3):
        arguments = [str(data), str(tmp_path / "broken"), str(number), str(Path(__file__).parent)]
        ended = subprocess.run([sys.executable, "-c", KILLED, *arguments], check=False)
        assert ended.returncode == -signal.SIGKILL
    assert journal(tmp_path / "broken")["file"] == 1
    prepare(data, tmp_path / "unbroken")
    prepare(data, tmp_path / "broken")

    assert entry(tmp_path / "broken") == entry(tmp_path / "unbroken")


def test_an_error_of_the_data_leaves_no_journal(data, tmp_path):
    with (data / "part1.csv").open("a") as file:
        file.write("too,short")
    with pytest.raises(Exception, match="the row ends here"):
        prepare(data, tmp_path / "cache")

    assert not list((tmp_path / "cache" / "tables").iterdir())
