import errno
import gc
import os
import shutil
import threading
import time
from collections import namedtuple

import numpy as np
import pytest

from ignite_workflow.data import cache as cache_module
from ignite_workflow.data.cache import Cache, DiskFullError

ROWS = np.arange(1000, dtype=np.float32).reshape(100, 10)  # 4 kB


def make(sink, scratch):
    sink.append("x", ROWS)
    return {"notes": []}


def build(cache, key):
    return cache.build(lambda: key, make, work="work")


@pytest.fixture
def cache(tmp_path):
    return Cache(tmp_path / "cache")


def entries(cache):
    return sorted(path.name for path in cache.directory.iterdir())


def used(cache, key, seconds_ago):
    os.utime(cache.directory / key / "entry.json", (time.time() - seconds_ago,) * 2)


def test_what_was_built_is_found_again(cache):
    built = build(cache, "key")
    loaded = cache.load("key")

    assert built[0] == loaded[0] == {"notes": []}
    assert (built[1]["x"] == ROWS).all()
    assert (loaded[1]["x"] == ROWS).all()


def test_what_was_built_is_found_on_a_disk_that_is_read_only(cache, monkeypatch):
    def refuse(*_):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    build(cache, "key")
    monkeypatch.setattr(os, "utime", refuse)

    assert cache.load("key") is not None


def test_there_is_nothing_before_it_is_built(cache):
    assert not cache.has("a")
    assert cache.load("a") is None
    build(cache, "abc")
    assert cache.has("a")
    assert not cache.has("b")


def test_two_that_build_the_same_entry_do_not_meet(cache):
    def make_both(sink, scratch):
        build(cache, "key")
        return make(sink, scratch)

    cache.build(lambda: "key", make_both, work="work")

    assert entries(cache) == ["key"]
    assert (cache.load("key")[1]["x"] == ROWS).all()


def test_many_threads_that_build_the_same_entry_all_get_it(cache):
    found = []
    threads = [threading.Thread(target=lambda: found.append(build(cache, "key")[1]["x"].sum())) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert found == [ROWS.sum()] * 8
    assert entries(cache) == ["key"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_an_error_leaves_nothing_behind(cache, error):
    def fail(sink, scratch):
        make(sink, scratch)
        raise error

    with pytest.raises(error):
        cache.build(lambda: "key", fail, work="work")

    assert entries(cache) == []


@pytest.mark.parametrize(("age", "left"), [(0, True), (7200, False)])
def test_what_a_killed_process_left_is_removed_when_old(cache, age, left):
    abandoned = cache.directory / "building-abc"
    abandoned.mkdir(parents=True)
    (abandoned / "lock").touch()
    os.utime(abandoned, (time.time() - age,) * 2)
    build(cache, "key")

    assert abandoned.exists() == left


def leave(cache, name, *, age, size=0):
    """What a process left that was killed with a journal."""
    building = cache.directory / f"building-{name}-abc"
    (building / "scratch").mkdir(parents=True)
    (building / "x.npy").write_bytes(b"half")
    (building / "lock").touch()
    (building / "scratch" / "0.arrow").write_bytes(bytes(size))
    (building / "scratch" / "journal.json").touch()
    for path in (building, building / "scratch" / "journal.json"):
        os.utime(path, (time.time() - age,) * 2)
    return building


DAY = 24 * 3600


@pytest.mark.parametrize(("age", "stays"), [(DAY, True), (6 * DAY, True), (8 * DAY, False)])
def test_what_was_left_with_a_journal_stays_for_a_week(cache, age, stays):
    building = leave(cache, "other", age=age)
    build(cache, "key")

    assert building.exists() == stays


def test_of_much_that_was_left_with_journals_the_newest_stays(cache, monkeypatch):
    monkeypatch.setattr(cache_module, "_MOST_BYTES", 10_000)
    left = [leave(cache, str(age), age=age * DAY, size=11_000) for age in (3, 1, 2)]
    build(cache, "key")

    assert [building.exists() for building in left] == [False, True, False]


def test_work_that_was_left_with_a_journal_is_gone_on_with(cache):
    building = leave(cache, "work", age=DAY, size=3)

    def go_on(sink, scratch):
        assert scratch == building / "scratch"
        assert (scratch / "0.arrow").stat().st_size == 3
        assert not (building / "x.npy").exists()
        return make(sink, scratch)

    cache.build(lambda: "key", go_on, work="work")

    assert entries(cache) == ["key"]


def test_work_that_another_does_just_now_is_not_gone_on_with(cache):
    def make_both(sink, scratch):
        (scratch / "journal.json").touch()
        cache.build(lambda: "other", lambda sink, other: make(sink, other) | {"same": other == scratch}, work="work")
        return make(sink, scratch)

    cache.build(lambda: "key", make_both, work="work")

    assert cache.load("other")[0]["same"] is False


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit])
def test_a_person_who_stops_leaves_what_has_a_journal(cache, error):
    def stop(sink, scratch):
        (scratch / "journal.json").touch()
        raise error

    with pytest.raises(error):
        cache.build(lambda: "key", stop, work="work")

    assert [name.rpartition("-")[0] for name in entries(cache)] == ["building-work"]


def test_what_is_not_used_for_longest_is_removed(cache, monkeypatch):
    for number, key in enumerate(("old", "older", "oldest")):
        build(cache, key)
        used(cache, key, 100 * (number + 1))
    gc.collect()
    monkeypatch.setattr(cache_module, "_MOST_BYTES", 10_000)
    build(cache, "new")

    assert entries(cache) == ["new", "old"]


def test_to_load_is_to_use(cache, monkeypatch):
    for key in ("loaded", "other"):
        build(cache, key)
        used(cache, key, 100)
    cache.load("loaded")
    gc.collect()
    monkeypatch.setattr(cache_module, "_MOST_BYTES", 10_000)
    build(cache, "new")

    assert entries(cache) == ["loaded", "new"]


def test_what_is_mapped_stays_however_little_room_there_is(cache, monkeypatch):
    _, arrays = build(cache, "mapped")
    part = arrays.pop("x")[5:7]
    monkeypatch.setattr(cache_module, "_MOST_BYTES", 0)
    build(cache, "new")

    assert entries(cache) == ["mapped", "new"]
    assert part.sum() == ROWS[5:7].sum()


def test_what_is_no_longer_mapped_may_go(cache, monkeypatch):
    _, arrays = build(cache, "mapped")
    del arrays
    gc.collect()
    monkeypatch.setattr(cache_module, "_MOST_BYTES", 0)
    build(cache, "new")

    assert entries(cache) == ["new"]


def test_what_a_child_process_has_mapped_stays(cache, monkeypatch):
    build(cache, "mapped")
    ready, done = os.pipe(), os.pipe()
    child = os.fork()
    if not child:
        arrays = cache.load("mapped")
        os.write(ready[1], b".")
        os.read(done[0], 1)
        os._exit(len(arrays) - 2)
    os.read(ready[0], 1)
    gc.collect()
    monkeypatch.setattr(cache_module, "_MOST_BYTES", 0)
    build(cache, "new")
    kept = entries(cache)
    os.write(done[1], b".")
    os.waitpid(child, 0)
    build(cache, "newer")

    assert kept == ["mapped", "new"]
    assert "mapped" not in entries(cache)


def test_a_table_too_large_for_the_disk_is_refused_before_it_is_written(cache, monkeypatch):
    space = namedtuple("space", "free")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: space(5000))

    def expect(sink, scratch):
        sink.expect(7000)
        pytest.fail("went on")

    with pytest.raises(DiskFullError) as caught:
        cache.build(lambda: "key", expect, work="work")

    assert (caught.value.needed, caught.value.free) == (7000, 5000)
    assert entries(cache) == []


def test_a_disk_that_is_full_half_way_is_told_with_what_was_there(cache, monkeypatch):
    space = namedtuple("space", "free")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: space(100))

    def fill(sink, scratch):
        (scratch / "chunk").write_bytes(bytes(3000))
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(DiskFullError) as caught:
        cache.build(lambda: "key", fill, work="work")

    assert (caught.value.needed, caught.value.free) == (3101, 3100)
    assert entries(cache) == []
