"""The gallery of messes in docs/tables.md shows what init says."""

import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

from ignite_workflow.cli import main as cli

PAGE = (Path(__file__).parent.parent / "docs" / "tables.md").read_text(encoding="utf-8")
MESS = re.compile(r"^`([\w.]+)`:\n```text\n(.*?)```\n```console\n\$ python (.*?)\n(.*?)```$", re.MULTILINE | re.DOTALL)
MESSES = MESS.findall(PAGE)


@pytest.mark.parametrize(("name", "content", "command", "shown"), MESSES, ids=[mess[0] for mess in MESSES])
def test_the_gallery_shows_what_one_sees(tmp_path, monkeypatch, name, content, command, shown):
    monkeypatch.chdir(tmp_path)
    Path(name).write_bytes(content.encode("cp1252"))

    result = CliRunner(env={"COLUMNS": "120"}).invoke(cli, shlex.split(command)[1:], prog_name="run.py")

    assert result.stdout + result.stderr.replace(str(tmp_path), "/home/ann") == shown


def test_the_gallery_has_messes():
    assert len(MESSES) == 7
