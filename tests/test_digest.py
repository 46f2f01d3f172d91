"""What files hold, as one number, each file read once."""

import hashlib
import time
from concurrent.futures import CancelledError
from threading import Event

import pytest

from ignite_workflow.data import digest
from ignite_workflow.data.digest import Checksums, Digest
from ignite_workflow.errors import DataError


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "table.csv"
    path.write_bytes(b"a,b\n1,2\n")
    return path


def test_a_checksum_is_the_sha256_of_what_the_file_holds(file, monkeypatch):
    monkeypatch.setattr(digest, "_READ_BYTES", 3)

    assert Checksums().of(file) == hashlib.sha256(b"a,b\n1,2\n").hexdigest()


def test_a_file_that_nobody_wrote_to_is_read_once(file, monkeypatch):
    monkeypatch.setattr(digest, "_SETTLED_NANOSECONDS", -1)  # nor shortly before
    checksums = Checksums()
    first = checksums.of(file)
    monkeypatch.setattr(digest, "_READ_BYTES", None)  # nothing can be read any more

    assert checksums.of(file) == first


def test_a_file_is_read_again_where_the_clock_of_its_disk_may_not_tell_two_writes_apart(file, monkeypatch):
    now = time.time_ns()
    monkeypatch.setattr(digest, "_full_state", lambda path: (1, 2, 8, now, now))
    checksums = Checksums()
    first = checksums.of(file)
    file.write_bytes(b"a,b\n1,3\n")

    assert checksums.of(file) != first


def test_one_that_was_not_read_to_its_end_has_no_checksum(file):
    checksums, stop = Checksums(), Event()
    stop.set()

    with pytest.raises(CancelledError):
        checksums.of(file, stop)
    assert checksums.of(file) == hashlib.sha256(file.read_bytes()).hexdigest()


def test_a_digest_tells_other_contents_and_other_names(file, tmp_path):
    (tmp_path / "copy").mkdir()
    results = []
    for name, content in (("a.csv", b"1"), ("a.csv", b"2"), ("b.csv", b"1"), ("a.csv", b"1")):
        other = tmp_path / "copy" / name
        other.write_bytes(content)
        with Digest([file, other]) as both:
            results.append(both.result())

    assert results[0] == results[3]
    assert len(set(results)) == 3


def test_a_file_that_changes_while_it_is_read_is_an_error(file):
    with Digest([file]) as both:
        file.write_bytes(b"more\n" * 10)
        with pytest.raises(DataError, match=r"table\.csv: has changed while it was read"):
            both.result()
