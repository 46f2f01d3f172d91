import ast
import subprocess
import sys
from pathlib import Path

import pytest

import ignite_workflow


def typed_names():
    """The names that type checkers see, with the modules they come from."""
    tree = ast.parse(Path(ignite_workflow.__file__).read_text())
    [block] = [node for node in tree.body if isinstance(node, ast.If)]
    return {
        alias.name: statement.module.removeprefix("ignite_workflow.")
        for statement in block.body
        for alias in statement.names
    }


@pytest.mark.parametrize("name", ignite_workflow.__all__)
def test_every_public_name_imports(name):
    value = getattr(ignite_workflow, name)

    assert getattr(value, "__name__", name) == name


def test_the_public_names_are_sorted_and_the_same_for_people_and_type_checkers():
    assert ignite_workflow.__all__ == sorted(ignite_workflow.__all__)
    assert dir(ignite_workflow) == ignite_workflow.__all__
    assert typed_names() == ignite_workflow._HOME
    assert set(typed_names()) == set(ignite_workflow.__all__)


@pytest.mark.parametrize("name", ignite_workflow.__all__)
def test_a_public_name_is_public_where_it_lives(name):
    module = __import__(f"ignite_workflow.{ignite_workflow._HOME[name]}", fromlist=["__all__"])

    assert name in module.__all__


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'ignite_workflow' has no attribute 'trian'"):
        _ = ignite_workflow.trian


@pytest.mark.parametrize("module", ["", ".errors", ".registry", ".config", ".config_schema"])
def test_the_light_modules_import_nothing_heavy(module):
    heavy = "{'torch', 'ignite', 'numpy', 'polars', 'matplotlib'}"
    code = f"import sys, ignite_workflow{module}; sys.exit(bool({heavy} & sys.modules.keys()))"

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
