"""README and docs say what is so: generated parts are current, code runs, commands parse, output is what one sees."""

import importlib.util
import os
import re
import shlex
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

import ignite_workflow
from ignite_workflow import config_from_mapping
from ignite_workflow.cli import main as cli
from ignite_workflow.config_schema import config_schema
from ignite_workflow.config_tree import Place, parse_yaml
from ignite_workflow.events import WorkflowEvents
from ignite_workflow.handler_catalogue import describe_handlers

ROOT = Path(__file__).parent.parent
_spec = importlib.util.spec_from_file_location("generate", ROOT / "docs" / "generate.py")
generate = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(generate)

PAGES = {page.relative_to(ROOT).as_posix(): page.read_text() for page in generate.pages()}
EVERYTHING = "\n".join(PAGES.values())
BLOCK = re.compile(r"^( *)```(\w+)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)


def blocks(language):
    """The code of that language in all pages, each with its page."""
    return [
        pytest.param(body if not indent else re.sub(f"^{indent}", "", body, flags=re.MULTILINE), id=f"{page}-{number}")
        for page, text in PAGES.items()
        for number, (indent, name, body) in enumerate(BLOCK.findall(text))
        if name == language
    ]


def commands():
    """The ``python run.py`` commands that are shown, each once."""
    shown = re.findall(r"^\$ python run\.py (.*)$", EVERYTHING, re.MULTILINE)
    return [shlex.split(line) for line in dict.fromkeys(shown)]


@pytest.fixture
def scratch(tmp_path, monkeypatch):
    """A directory with the examples in it, as a checkout has."""
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    monkeypatch.setenv("IGNITE_WORKFLOW_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("page", PAGES)
def test_the_generated_parts_are_what_the_code_says_now(page):
    assert PAGES[page] == generate.fill(PAGES[page]), "run: python docs/generate.py"


@pytest.mark.parametrize("code", blocks("python"))
def test_python_code_runs(code, scratch):
    seen = {"__name__": "page"}

    exec(compile(code, "page", "exec"), seen)

    assert seen.keys() > {"__name__", "__builtins__"}  # what it defines is there: it ran to its end


@pytest.mark.parametrize("text", blocks("yaml"))
def test_settings_that_are_shown_are_settings(text, scratch):
    for name in ("own_handler.py", "own_model.py", "own_dataset.py", "gan/gan.py"):
        (scratch / Path(name).name).symlink_to(ROOT / "examples" / name)

    settings = parse_yaml(text, Place()).to_plain()

    assert config_from_mapping({"data": {"path": "a.csv"}, **settings})


@pytest.mark.parametrize("arguments", commands(), ids=" ".join)
def test_commands_that_are_shown_are_commands(arguments):
    command, context = cli, click.Context(cli)
    while isinstance(command, click.Group):
        command = command.get_command(context, arguments.pop(0))

    assert command.make_context("shown", list(arguments)).args == []


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page):
    links = re.findall(r"\]\(([^)#:]+)\)", PAGES[page])

    assert [link for link in links if not (ROOT / page).parent.joinpath(link).exists()] == []


@pytest.mark.parametrize("name", ignite_workflow.__all__)
def test_every_public_name_is_in_the_docs(name):
    assert re.search(rf"\b{name}\b", EVERYTHING)


@pytest.mark.parametrize("name", [event.name for event in WorkflowEvents])
def test_every_event_is_in_the_docs(name):
    assert name in PAGES["docs/handlers.md"]


def test_every_option_of_every_handler_is_in_the_docs():
    page = PAGES["docs/handlers.md"]

    for entry in describe_handlers():
        section = page.partition(f"### {entry.name}\n")[2].partition("\n### ")[0]
        assert [option["name"] for option in entry.options if f"`{option['name']}`" not in section] == []
        assert f"`{entry.name}`" in PAGES["README.md"]


def test_every_setting_is_in_the_docs():
    sections = {"": "", "data.": "DataConfig", "data.read.": "ReadConfig", "data.split.": "SplitConfig"}
    schema = config_schema()
    keys = [
        prefix + key
        for prefix, name in {**sections, "train.": "TrainConfig"}.items()
        for key in (schema["$defs"][name] if name else schema)["properties"]
    ]

    assert [key for key in keys if f"| `{key}` |" not in PAGES["docs/config.md"]] == []


def test_every_command_and_every_option_of_it_is_in_the_docs():
    for name, command in generate._walk(cli, ()):
        section = PAGES["docs/commands.md"].partition(f"## {name}\n")[2].partition("\n## ")[0]
        options = [option for parameter in command.params for option in parameter.opts if option.startswith("-")]
        assert section, name
        assert [option for option in options if option not in section] == []


def test_every_module_has_its_place_in_the_design():
    paths = [path for path in (ROOT / "ignite_workflow").iterdir() if not path.name.startswith("_")]
    modules = [f"{path.name}/" if path.is_dir() else path.stem for path in paths if path.name != "py.typed"]
    words = PAGES["docs/design.md"].split()

    assert [module for module in modules if module not in words] == []


def test_the_readme_shows_what_one_sees(scratch):
    """Every command of its first console blocks is run, in order; numbers may differ, words may not."""
    shown = re.findall(r"^```console\n(.*?)^```$", PAGES["README.md"], re.MULTILINE | re.DOTALL)
    runner = CliRunner(env={"COLUMNS": "80"})

    for line, expected in (each for block in shown for each in _commands_and_output(block)):
        if line.startswith("python run.py"):
            result = runner.invoke(cli, shlex.split(line)[2:], prog_name="run.py")
            assert result.exit_code == 0, result.output
            seen = result.stderr + result.stdout
            assert re.fullmatch(_pattern(expected), _shape(seen)), f"$ {line}\n{seen}"
        elif line.startswith("head"):
            seen = "\n".join((scratch / "predictions.csv").read_text().splitlines()[:3])
            assert re.fullmatch(_pattern(expected), _shape(seen)), seen


def _commands_and_output(block):
    for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        line, _, output = part.partition("\n")
        yield line, output


def _shape(text):
    """Text without its numbers, however long what it tells of took, and without the width of its columns."""
    text = re.sub(r"\d+ h \d+ min|\d+ min \d+ s", "0 s", text)
    return re.sub(r" +", " ", re.sub(r"\d[\d.,:e+-]*", "0", text)).strip()


def _pattern(shown):
    return re.escape(_shape(shown)).replace(re.escape("..."), r"[\s\S]*?")


def test_the_readme_names_every_file_that_a_run_leaves(scratch):
    ignite_workflow.train(
        "examples/data/penguins.csv", ["train.max_epochs=1", "handlers.progress=false"], target="species", name="run"
    )

    left = [path.relative_to("runs/run").parts[0] for path in Path("runs/run").rglob("*") if path.is_file()]

    for name in set(left):
        assert name in PAGES["README.md"], name
    assert os.readlink("runs/latest") == "run"
