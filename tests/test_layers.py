"""Imports go one way: a module uses those of its own line below and of the lines above it, without a cycle."""

import ast
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import ignite_workflow

ROOT = Path(__file__).parent.parent
LIBRARY = ROOT / "ignite_workflow"
LAYERS = [
    "errors quick_imports built_in display docstrings durable strict_json early_signals",
    "validation registry memory",
    "config_tree config_fields component_names config config_schema settings device randomness events pictures",
    "batch optimizer_calls targets class_weights losses metric_sums metrics optimizers muon schedules data models",
    "state dispatch resumable engine evaluator steps signals interval ticker time_limit",
    "records run_directory state_tree tensor_file finite checkpoint bad_batches curve_picture",
    "handler_specs parts snapshot upkeep supervision workflow divergence",
    "handler",
    "model_description model_card prediction_file predictor model_file",
    "coefficients recipe data_files run_data assembly threads outcome"
    " evaluation_data evaluation_figures calibration column_features importance class_pictures value_pictures"
    " evaluation_report evaluation_output remarks lone_features column_checks missing_checks date_checks data_checks"
    " model_checks resources pace component_options log_file same_run",
    "job trial starter replay testing handlers",
    "handler_catalogue",
    "cli",
    "__main__",
]
RANK = {name: rank for rank, names in enumerate(LAYERS) for name in names.split()}
MODULES = {
    ".".join(path.relative_to(LIBRARY).with_suffix("").parts).removesuffix(".__init__"): path
    for path in sorted(LIBRARY.rglob("*.py"))
    if path != LIBRARY / "__init__.py" and "handlers" not in path.relative_to(LIBRARY).parts
}
HANDLERS = sorted((ROOT / "handlers").glob("*.py"))


def statements(tree):
    """Every node but those that only a type checker reads."""
    for node in ast.iter_child_nodes(tree):
        if not (isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)):
            yield node
            yield from statements(node)


def imported(path):
    """The full names of what ``path`` imports when it runs, at its top or inside a function."""
    for node in statements(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def module_of(name):
    """The module of the library that a name like ``ignite_workflow.data.cells.parse`` lies in."""
    parts = name.split(".")[1:]
    while parts and ".".join(parts) not in MODULES and parts != ["handlers"]:
        if len(parts) == 1:
            return ignite_workflow._HOME[parts[0]]  # a public name
        parts.pop()
    return ".".join(parts)


def uses(module):
    names = [name for name in imported(MODULES[module]) if name.startswith("ignite_workflow.")]
    return {module_of(name) for name in names} - {module}


@pytest.mark.parametrize("module", MODULES)
def test_every_module_has_a_line_and_imports_none_below_it(module):
    rank = RANK[module.split(".")[0]]

    assert {other for other in uses(module) if RANK[other.split(".")[0]] > rank} == set()


def test_no_imports_go_round():
    order = list(TopologicalSorter({module: uses(module) for module in MODULES}).static_order())

    assert set(MODULES) <= set(order)


@pytest.mark.parametrize(("package", "other"), [("data", "models"), ("models", "data")])
def test_data_and_models_do_not_know_each_other(package, other):
    parts = [module for module in MODULES if module.split(".")[0] == package]

    assert {used.split(".")[0] for module in parts for used in uses(module)}.isdisjoint({other})


@pytest.mark.parametrize("path", HANDLERS, ids=lambda path: path.stem)
def test_handlers_import_only_the_public_library(path):
    ours = [name for name in imported(path) if name.startswith(("ignite_workflow", "handlers"))]

    assert {name.rpartition(".")[0] for name in ours} <= {"ignite_workflow"}
    assert {name.rpartition(".")[2] for name in ours} <= set(ignite_workflow.__all__)


@pytest.mark.parametrize("module", sorted(set(MODULES) - {"testing"}))
def test_the_library_knows_handlers_only_by_name(module):
    assert "handlers" not in uses(module)
