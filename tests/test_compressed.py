import gzip

import pytest
from backports import zstd

from ignite_workflow.data import compressed, text_file
from ignite_workflow.data.tables import open_table
from ignite_workflow.errors import DataError

ROWS = b"a,b\n" + b"".join(b"%d,x\n" % number for number in range(1000))


def cells(path):
    return [cell for chunk in open_table(str(path)).chunks() for cell in chunk.frame["a"]]


@pytest.mark.parametrize("compress", [gzip.compress, zstd.compress])
@pytest.mark.parametrize("name", ["table.csv.gz", "table.csv.zst", "table.csv", "table"])
def test_what_a_file_is_compressed_with_is_found_in_its_bytes(tmp_path, compress, name):
    (tmp_path / name).write_bytes(compress(ROWS))

    assert cells(tmp_path / name) == [str(number) for number in range(1000)]


def test_zstd_of_a_tsv_and_of_json_lines_is_read(tmp_path):
    (tmp_path / "table.tsv.zstd").write_bytes(zstd.compress(b"a\tb,c\n1\t2\n"))
    (tmp_path / "table.jsonl.zst").write_bytes(zstd.compress(b'{"a": 1}\n'))

    assert open_table(str(tmp_path / "table.tsv.zstd")).columns == ("a", "b,c")
    assert cells(tmp_path / "table.jsonl.zst") == [1]


def test_text_that_only_its_name_calls_compressed_is_read(tmp_path):
    (tmp_path / "table.csv.gz").write_bytes(ROWS)

    assert len(cells(tmp_path / "table.csv.gz")) == 1000


@pytest.mark.parametrize("parts", [2, 3])
def test_archives_one_after_the_other_are_one_file(tmp_path, parts):
    (tmp_path / "table.csv.zst").write_bytes(zstd.compress(b"a\n") + zstd.compress(b"1\n") * (parts - 1))

    assert cells(tmp_path / "table.csv.zst") == ["1"] * (parts - 1)


@pytest.mark.parametrize("compress", [gzip.compress, zstd.compress])
@pytest.mark.parametrize("damage", [lambda data: data[:-9], lambda data: data[:20] + b"x" * 30 + data[50:]])
def test_a_damaged_archive_is_one_line(tmp_path, compress, damage):
    (tmp_path / "table.csv.zst").write_bytes(damage(compress(ROWS)))

    with pytest.raises(DataError, match=r"table\.csv\.zst: the compressed file is damaged or cut short \(.*\)\.$"):
        cells(tmp_path / "table.csv.zst")


@pytest.mark.parametrize("compress", [gzip.compress, zstd.compress])
def test_a_bomb_is_refused(tmp_path, monkeypatch, compress):
    monkeypatch.setattr(compressed, "_ALWAYS_ALLOWED", 100_000)
    monkeypatch.setattr(text_file, "_BLOCK_BYTES", 10_000)
    monkeypatch.setattr(compressed, "_BUFFER_BYTES", 10_000)
    (tmp_path / "bomb.csv.gz").write_bytes(compress(b"a\n" + b"0\n" * 1_000_000))

    with pytest.raises(DataError, match=r"expands to more than [\d,]+ bytes, from [\d,]+, as a decompression bomb"):
        cells(tmp_path / "bomb.csv.gz")
