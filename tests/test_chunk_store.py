import polars as pl
import pytest

from ignite_workflow.data import chunk_store
from ignite_workflow.data.chunk import Chunk
from ignite_workflow.data.chunk_store import ChunkStore

CHUNKS = [Chunk(pl.DataFrame({"a": ["x", "y"]}), "t.csv"), Chunk(pl.DataFrame({"a": ["z"]}), "t.csv", first_row=2)]


@pytest.fixture
def filled(monkeypatch):
    """Stores with two chunks, neither of which fits into memory."""

    def filled(directory):
        monkeypatch.setattr(chunk_store, "_MOST_BYTES", 0)
        counts = []
        store = ChunkStore(directory, counts.append)
        for chunk in CHUNKS:
            store.add(chunk)
        assert counts == [2, 1]
        return store

    return filled


def test_chunks_that_do_not_fit_into_memory_come_back_from_disk(filled, tmp_path):
    store = filled(tmp_path)

    assert store.complete
    assert [(chunk.first_row, chunk.frame.rows()) for chunk in store] == [(0, [("x",), ("y",)]), (2, [("z",)])]
    assert {path.name for path in tmp_path.iterdir()} == {"0.arrow", "1.arrow"}


def test_without_a_directory_none_is_kept_of_more_than_memory_holds(filled):
    store = filled(None)

    assert (store.complete, list(store)) == (False, [])


def test_what_is_discarded_takes_no_memory(tmp_path):
    store = ChunkStore(tmp_path, [].append)
    store.add(CHUNKS[0])
    store.discard()
    store.add(CHUNKS[1])

    assert (store.complete, list(store)) == (False, [])
