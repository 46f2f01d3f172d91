"""Write the parts of README.md and docs/ that say what the code says: ``python docs/generate.py``.

They stand between ``<!-- begin NAME -->`` and ``<!-- end NAME -->``. A test compares them with what is made here.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))  # run from a checkout that is not installed

import click  # noqa: E402

from ignite_workflow.built_in import REFUSED  # noqa: E402
from ignite_workflow.cli import main as cli  # noqa: E402
from ignite_workflow.config_schema import config_schema  # noqa: E402
from ignite_workflow.events import TIMETABLE  # noqa: E402
from ignite_workflow.handler_catalogue import HandlerEntry, describe_handlers  # noqa: E402
from ignite_workflow.handler_specs import DEFAULT_HANDLERS  # noqa: E402
from ignite_workflow.metrics import _FACTS as METRICS  # noqa: E402
from ignite_workflow.registry import names  # noqa: E402

__all__ = ["fill", "pages"]

_BLOCK = re.compile(r"(<!-- begin ([\w-]+) -->\n).*?(<!-- end \2 -->)", re.DOTALL)


def pages() -> list[Path]:
    """Every page that a person reads."""
    return [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]


def fill(text: str) -> str:
    """The text of a page with its generated parts made anew.

    Raises:
        KeyError: a part that nothing here makes.
    """
    return _BLOCK.sub(_filled, text)


def _filled(match: re.Match[str]) -> str:
    return f"{match[1]}{_MAKERS[match[2]]()}\n{match[3]}"


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    head = list(head)
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in lines)


def _code(text: str) -> str:
    """Text of a docstring as Markdown: double backquotes become single ones."""
    return re.sub(r"``(.+?)``", r"`\1`", text)


def _timetable() -> str:
    return f"```text\n{TIMETABLE}```"


def _own_handler() -> str:
    return f"```python\n{(ROOT / 'examples' / 'own_handler.py').read_text()}```"


def _handlers_in_short() -> str:
    entries = sorted(describe_handlers(), key=_place)
    return _table(("handler", "what it does", "options"), map(_short, entries))


def _place(entry: HandlerEntry) -> int:
    order = list(DEFAULT_HANDLERS)
    return order.index(entry.name) if entry.name in order else len(order)


def _short(entry: HandlerEntry) -> tuple[str, ...]:
    options = ", ".join(f"`{option['name']}`" for option in entry.options)
    by_default = "" if entry.name in DEFAULT_HANDLERS else " (not a default one)"
    return f"`{entry.name}`", _code(entry.summary) + by_default, options or "none"


def _handlers_in_full() -> str:
    return "\n\n".join(_full(entry) for entry in sorted(describe_handlers(), key=_place))


def _full(entry: HandlerEntry) -> str:
    events = ", ".join(f"`{event}`" for event in entry.events)
    parts = [f"### {entry.name}", _code(entry.summary), f"Listens to {events}."]
    options = [(f"`{each['name']}`", f"`{each['default']}`", _code(each["text"])) for each in entry.options]
    parts.append(_table(("option", "default", "meaning"), options) if options else "No options.")
    return "\n\n".join(parts)


def _config_keys() -> str:
    schema = config_schema()
    sections = {
        "": schema,
        "data.": schema["$defs"]["DataConfig"],
        "data.read.": schema["$defs"]["ReadConfig"],
        "data.split.": schema["$defs"]["SplitConfig"],
        "train.": schema["$defs"]["TrainConfig"],
    }
    return "\n\n".join(_section(prefix, section) for prefix, section in sections.items())


def _section(prefix: str, section: Mapping[str, Any]) -> str:
    rows = [
        (f"`{prefix}{key}`", _allowed(facts), _default(facts), facts.get("description", ""))
        for key, facts in section["properties"].items()
    ]
    title = f"### {prefix.rstrip('.') or 'The whole'}\n\n{section['description']}\n\n"
    return title + _table(("key", "value", "default", "meaning"), rows)


def _default(facts: Mapping[str, Any]) -> str:
    default = facts.get("default")
    return "" if default in (None, {}, []) else f"`{str(default).lower() if isinstance(default, bool) else default}`"


def _allowed(facts: Mapping[str, Any]) -> str:
    if "$ref" in facts:
        return "a section"
    members = [_allowed(member) for member in facts.get("anyOf", []) if member.get("type") != "null"]
    if members:
        return " or ".join(dict.fromkeys(members))
    if "const" in facts:
        return f"`{facts['const']}`"
    if "enum" in facts:
        return "a name" if len(facts["enum"]) > 9 else ", ".join(f"`{value}`" for value in facts["enum"])
    if "pattern" in facts:
        return "an import path"
    return _PLAIN.get(facts.get("type", ""), "anything") if not isinstance(facts.get("type"), list) else "options"


_PLAIN = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "a mapping",
}


def _commands() -> str:
    return "\n\n".join(_help(name, command) for name, command in _walk(cli, ()))


def _walk(group: click.Group, above: tuple[str, ...]) -> Iterator[tuple[str, click.Command]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            yield from _walk(command, (*above, name))
        else:
            yield " ".join((*above, name)), command


def _help(name: str, command: click.Command) -> str:
    program = f"python run.py {name}"
    names = cli.context_settings["help_option_names"]  # a command keeps those of the first time it is asked
    context = click.Context(command, info_name=program, terminal_width=100, help_option_names=names)
    return f"## {name}\n\n```text\n{command.get_help(context)}\n```"


def _names(kind: str) -> str:
    return ", ".join(f"`{name}`" for name in names(kind)) + "."


def _losses() -> str:
    return _names("loss") + "\n\nNot by name:\n\n" + _refused("loss")


def _optimizers() -> str:
    return _names("optimizer") + "\n\nNot by name:\n\n" + _refused("optimizer")


def _refused(kind: str) -> str:
    return _table(("name", "why, and what to do"), [(f"`{name}`", why) for name, why in REFUSED[kind].items()])


def _metrics() -> str:
    rows = [
        (f"`{name}`", "smaller" if facts.mode == "min" else "larger", ", ".join(facts.tasks))
        for name, facts in METRICS.items()
    ]
    return _table(("metric", "better", "tasks"), rows)


_MAKERS = {
    "commands": _commands,
    "config-keys": _config_keys,
    "handlers-in-full": _handlers_in_full,
    "handlers-in-short": _handlers_in_short,
    "losses": _losses,
    "metrics": _metrics,
    "optimizers": _optimizers,
    "own-handler": _own_handler,
    "timetable": _timetable,
}


def main() -> None:
    """Write every page anew."""
    for page in pages():
        page.write_text(fill(page.read_text()))


if __name__ == "__main__":
    main()
