"""Imports without the garbage collector: it is as before afterwards, and a person's own program keeps its garbage."""

import gc
import subprocess
import sys

import pytest

from ignite_workflow.quick_imports import quick_imports


@pytest.fixture
def no_torch(monkeypatch):
    monkeypatch.delitem(sys.modules, "torch", raising=False)
    yield
    gc.unfreeze()
    gc.enable()


@pytest.mark.parametrize("keep", [True, False])
def test_nothing_is_collected_while_torch_is_imported(no_torch, keep):
    with quick_imports(keep=keep):
        assert not gc.isenabled()

    assert gc.isenabled()
    assert bool(gc.get_freeze_count()) is keep


def test_an_import_that_fails_leaves_it_on(no_torch):
    with pytest.raises(ImportError), quick_imports():
        raise ImportError

    assert gc.isenabled()


@pytest.mark.parametrize("keep", [True, False])
def test_where_torch_was_imported_before_all_is_as_it_was(monkeypatch, keep):
    monkeypatch.setitem(sys.modules, "torch", gc)

    with quick_imports(keep=keep):
        assert gc.isenabled()

    assert gc.get_freeze_count() == 0


def test_who_turned_it_off_keeps_it_off(no_torch):
    gc.disable()

    with quick_imports(keep=True):
        pass

    assert not gc.isenabled()
    assert gc.get_freeze_count() == 0


PROGRAM = "import gc, ignite_workflow; ignite_workflow.train; print(gc.isenabled(), gc.get_freeze_count())"


def test_a_program_that_uses_the_library_keeps_its_collector():
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)

    assert done.stdout == "True 0\n"
