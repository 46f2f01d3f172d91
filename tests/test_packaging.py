"""What a stranger installs holds every module, the handlers too: they lie outside the package's own folder."""

import re
import shutil
import subprocess
import sys
import tarfile
import venv
import zipfile
from configparser import ConfigParser
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SETTINGS = ConfigParser()
SETTINGS.read(ROOT / "setup.cfg")


def modules():
    """The path that every module of the checkout has in an installed package."""
    library = [
        path for path in (ROOT / "ignite_workflow").rglob("*.py") if "handlers" not in path.relative_to(ROOT).parts
    ]
    handlers = [Path("ignite_workflow") / path.relative_to(ROOT) for path in (ROOT / "handlers").glob("*.py")]
    return {path.relative_to(ROOT).as_posix() for path in library} | {path.as_posix() for path in handlers}


def build(hook, source, out):
    """Call setuptools as pip does; the file it made."""
    code = f"from setuptools import build_meta; print('made', build_meta.{hook}({str(out)!r}))"
    done = subprocess.run([sys.executable, "-c", code], cwd=source, stdout=subprocess.PIPE, text=True, check=True)
    return out / re.search(r"^made (.*)$", done.stdout, re.MULTILINE).group(1)


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    """A copy, because building leaves files behind."""
    copy = tmp_path_factory.mktemp("checkout") / "ignite-workflow"
    names = ["setup.cfg", "pyproject.toml", "README.md", "ignite_workflow", "handlers"]
    copy.mkdir()
    for path in [ROOT / name for name in names if (ROOT / name).exists()]:
        if path.is_dir():
            shutil.copytree(path, copy / path.name, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(path, copy)
    return copy


@pytest.fixture(scope="module")
def wheel(checkout, tmp_path_factory):
    """The wheel that pip makes of the sdist."""
    out = tmp_path_factory.mktemp("dist")
    with tarfile.open(build("build_sdist", checkout, out)) as sdist:
        sdist.extractall(out, filter="data")
    [unpacked] = [path for path in out.iterdir() if path.is_dir()]
    return build("build_wheel", unpacked, out)


def install(wheel, where):
    """A Python with nothing but that wheel."""
    venv.create(where, symlinks=True)
    [site_packages] = where.glob("lib/python*/site-packages")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site_packages)
    return where / "bin" / "python"


def found_by(python, cwd):
    """Where that Python finds the handlers, from a directory that is not the checkout."""
    code = "from importlib.util import find_spec; print(find_spec('ignite_workflow.handlers.early_stopping').origin)"
    done = subprocess.run([python, "-c", code], cwd=cwd, stdout=subprocess.PIPE, text=True, check=True)
    return Path(done.stdout.strip())


def test_the_wheel_made_of_the_sdist_holds_every_module(wheel):
    held = {name for name in zipfile.ZipFile(wheel).namelist() if name.endswith(".py")}

    assert held == modules()


def test_the_wheel_says_that_it_is_typed_and_brings_the_command(wheel):
    archive = zipfile.ZipFile(wheel)
    [entry_points] = [name for name in archive.namelist() if name.endswith("entry_points.txt")]

    assert "ignite_workflow/py.typed" in archive.namelist()
    assert "ignite-workflow = ignite_workflow.__main__:main" in archive.read(entry_points).decode()


def test_an_installed_wheel_has_handlers(wheel, tmp_path):
    python = install(wheel, tmp_path / "venv")

    assert found_by(python, tmp_path).is_relative_to(tmp_path / "venv")


def test_an_editable_install_has_the_handlers_of_the_checkout(checkout, tmp_path):
    python = install(build("build_editable", checkout, tmp_path), tmp_path / "venv")

    assert found_by(python, tmp_path).resolve() == checkout / "handlers" / "early_stopping.py"


def test_the_packages_named_are_those_there_are():
    packages = {path.parent.relative_to(ROOT).as_posix() for path in (ROOT / "ignite_workflow").rglob("*.py")}

    assert set(SETTINGS["options"]["packages"].split()) == {
        name.replace("/", ".") for name in packages | {"ignite_workflow/handlers"}
    }


def test_the_extra_all_is_every_kind_of_data_and_use():
    extras = SETTINGS["options.extras_require"]
    named = re.search(r"\[(.*)\]", extras["all"]).group(1).split(",")

    assert set(named) == set(extras) - {"all", "dev"}


def test_every_requirement_has_its_tested_version():
    needed = SETTINGS["options"]["install_requires"] + SETTINGS["options.extras_require"]["dev"]
    tested = {line.partition("==")[0].lower() for line in (ROOT / "constraints.txt").read_text().splitlines()}

    assert {re.split(r"[<>=;]", line)[0].lower() for line in needed.split("\n") if line} <= tested | {"setuptools"}
