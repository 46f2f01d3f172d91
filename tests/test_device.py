from contextlib import nullcontext

import pytest
import torch

from ignite_workflow import ConfigError
from ignite_workflow.device import agree, autocast, check_compiler, process_rank, resolve_device, set_threads


@pytest.fixture
def two_gpus(monkeypatch):
    monkeypatch.setattr(torch.accelerator, "current_accelerator", lambda check_available: torch.device("cuda"))
    monkeypatch.setattr(torch.accelerator, "device_count", lambda: 2)
    monkeypatch.setattr(torch.accelerator, "current_device_index", lambda: 0)


@pytest.fixture
def no_gpu(monkeypatch):
    monkeypatch.setattr(torch.accelerator, "current_accelerator", lambda check_available: None)
    monkeypatch.setattr(torch.accelerator, "device_count", lambda: 0)


@pytest.mark.usefixtures("no_gpu")
@pytest.mark.parametrize("name", ["auto", "cpu", "cpu:0"])
def test_without_an_accelerator_it_is_the_cpu(name):
    assert resolve_device(name) == torch.zeros(1).device


@pytest.mark.usefixtures("two_gpus")
@pytest.mark.parametrize(("name", "number"), [("auto", 0), ("cuda", 0), ("cuda:0", 0), ("cuda:1", 1)])
def test_an_accelerator_has_its_number(name, number):
    assert resolve_device(name) == torch.device("cuda", number)


@pytest.mark.usefixtures("two_gpus")
@pytest.mark.parametrize("name", ["cuda:2", "mps", "meta", "cpu:1"])
def test_a_device_that_is_not_there_is_an_error_that_lists_those_that_are(name):
    with pytest.raises(ConfigError, match=f"device '{name}' is not on this machine. Here: auto, cpu, cuda:0, cuda:1."):
        resolve_device(name)


@pytest.mark.usefixtures("no_gpu")
@pytest.mark.parametrize("name", ["gpu", "cuda:x", ""])
def test_a_word_that_is_no_device_is_an_error(name):
    with pytest.raises(ConfigError, match=f"device '{name}' is not one that torch knows. Here: auto, cpu."):
        resolve_device(name)


def test_bfloat16_computes_in_bfloat16():
    with autocast(torch.device("cpu"), "bfloat16")():
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == torch.bfloat16


def test_compiling_for_the_cpu_needs_a_compiler(monkeypatch):
    monkeypatch.setenv("CXX", "no-such-compiler")

    check_compiler(torch.device("cuda"))
    with pytest.raises(ConfigError, match=r"train.compile needs a C\+\+ compiler, and there is no no-such-compiler"):
        check_compiler(torch.device("cpu"))


def test_float32_has_one_context_that_does_nothing():
    context = autocast(torch.device("cpu"), "float32")

    assert isinstance(context(), nullcontext)
    assert context() is context()


def test_bfloat16_without_autocast_is_an_error():
    with pytest.raises(ConfigError, match="precision bfloat16 is not available on device meta"):
        autocast(torch.device("meta"), "bfloat16")


def test_threads_are_set():
    before = torch.get_num_threads()
    set_threads(before + 1)

    assert torch.get_num_threads() == before + 1
    set_threads(before)


def test_one_process_agrees_with_itself():
    assert process_rank() == 0
    assert [agree(True), agree(False)] == [True, False]
