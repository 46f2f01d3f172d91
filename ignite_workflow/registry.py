"""Components by name: built in, installed by a plugin (entry points), or a person's own by import path.

A name can be checked without importing what it names: ``check_name`` is for when the config is read, ``load`` and
``check_options`` for when the component is needed. A plugin is a package with an entry point in the group
``ignite_workflow.models`` (``.losses``, ``.handlers``, ...); a built-in name always means what is built in.
"""

from __future__ import annotations

import functools
import hashlib
import importlib
import importlib.util
import inspect
import re
import sys
import warnings
from collections.abc import Callable, Collection, Iterable, Mapping
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from ignite_workflow.built_in import BUILT_IN, REFUSED
from ignite_workflow.errors import ConfigError, Keys, Mistake, UnknownNameError, nearest

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

__all__ = [
    "check_name",
    "check_options",
    "import_files",
    "imported_files",
    "is_import_path",
    "load",
    "names",
    "split_import_path",
]

_FORMS = "package.module:Name or path/to/file.py:Name"
_VARIADIC = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
_MODULE_PATH = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*")
_loaded: dict[Path, ModuleType] = {}  # files, in the order of their import: of this process, as sys.modules is


def names(kind: str) -> list[str]:
    """The names of one kind of component, built in first, then those of installed plugins. Imports none of them.

    Args:
        kind: data_kind, handler, loss, metric, model, optimizer, schedule or step.
    """
    return [*BUILT_IN[kind], *_plugins(kind)]


def is_import_path(name: str) -> bool:
    """Whether ``name`` says where code lies: ``package.module:Name`` or ``path/to/file.py:Name``."""
    return ":" in name


def split_import_path(path: str) -> tuple[str, str]:
    """The module (dotted, or a file ending in ``.py``) and the name in it.

    Raises:
        ConfigError: it is not of that form.
    """
    module, _, attribute = path.rpartition(":")
    if not attribute.isidentifier() or not (module.endswith(".py") or _MODULE_PATH.fullmatch(module)):
        raise ConfigError(f"import path {path!r} is not of the form {_FORMS}.")
    return module, attribute


def check_name(kind: str, name: str) -> None:
    """Check that ``name`` can be loaded, as far as that is known without importing anything.

    Args:
        kind: as in ``names``.
        name: a name, or an import path, of which the form and the existence of a file are checked.

    Raises:
        UnknownNameError: there is no such component.
        ConfigError: it exists but cannot work by name alone; or the import path cannot be right.
    """
    label = kind.replace("_", " ")
    if is_import_path(name):
        module, _ = split_import_path(name)
        if module.endswith(".py") and not Path(module).is_file():
            raise ConfigError(f"{label} {name!r}: there is no file {module}.")
        return
    if name in BUILT_IN[kind]:
        return
    if name in REFUSED.get(kind, {}):
        raise ConfigError(f"{label} {name!r} cannot be used by name: {REFUSED[kind][name]}.")
    known = names(kind)
    if name not in known:
        if not known or "." in name:
            raise ConfigError(f"{label} {name!r} is not an import path: {_FORMS}.")
        raise UnknownNameError(label, name, known)


def load(kind: str, name: str) -> Any:
    """Import a component.

    Args:
        kind: as in ``names``.
        name: a name, or an import path. A file is relative to the current directory, is loaded once, and may import
            the files beside it.

    Returns:
        The class or function. Nothing is called.

    Raises:
        UnknownNameError, ConfigError: as ``check_name``; or there is no such module, or no such name in it. What the
            code itself raises when it is imported is not caught: a note says which component it was imported for.
    """
    check_name(kind, name)
    path = name if is_import_path(name) else BUILT_IN[kind].get(name) or _plugins(kind)[name].value
    source, attribute = split_import_path(path)
    label = f"{kind.replace('_', ' ')} {name!r}"
    try:
        module = _load_file(Path(source).resolve()) if source.endswith(".py") else importlib.import_module(source)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{source}.".startswith(f"{error.name}."):
            error.add_note(f"This happened while importing {label}.")
            raise
        raise ConfigError(
            f"{label}: there is no module {error.name!r} (a file is named path/to/file.py:Name)."
        ) from None
    except Exception as error:
        error.add_note(f"This happened while importing {label}.")
        raise
    if not hasattr(module, attribute):
        public = [known for known in vars(module) if not known.startswith("_")]
        raise ConfigError(f"{label}: {source} has no {attribute!r}.{nearest(attribute, public)}")
    return getattr(module, attribute)


def check_options(
    kind: str,
    name: str,
    options: Mapping[str, Any],
    factory: Callable[..., Any],
    *,
    given: Collection[str] = (),
    at: Keys | None = None,
) -> None:
    """Check a component's options against the signature of what makes it.

    Args:
        kind: as in ``names``; for the message.
        name: of the component; for the message.
        options: plain values from the config. A value is checked where its parameter is annotated with plain types.
        factory: a class or function that will be called with ``options`` and ``given`` as keywords.
        given: parameters that the caller fills in (the model's weights, facts about the data). They are not options,
            and may be absent from the signature.
        at: the way to the options in a config; None: they lie in the section of that kind.

    Raises:
        ConfigError: names every unknown, misplaced, missing or wrong option, one a line.
    """
    at = (kind,) if at is None else at
    label = f"{kind.replace('_', ' ')} {name}"
    parameters = _parameters(factory)
    known = [key for key, parameter in parameters.items() if parameter.kind not in _VARIADIC and key not in given]
    is_open = any(parameter.kind is inspect.Parameter.VAR_KEYWORD for parameter in parameters.values())
    wrong = []
    for option, value in options.items():
        if option in given:
            text = f"{label}: {option!r} is not an option: it is filled in."
            wrong.append(Mistake((*at, option), text, at_key=True))
        elif option in known:
            wrong += _wrong_value(f"{label}: {option}", (*at, option), parameters[option].annotation, value)
        elif not is_open:
            text = f"unknown option {option!r}.{nearest(option, known)} Options: {', '.join(known) or 'none'}."
            wrong.append(Mistake((*at, option), f"{label}: {text}", at_key=True))
    required = [key for key in known if parameters[key].default is inspect.Parameter.empty]
    wrong += [Mistake((*at, key), f"{label}: option {key!r} is missing.") for key in required if key not in options]
    if wrong:
        raise ConfigError.of(wrong)


def _wrong_value(label: str, at: Keys, annotation: Any, value: Any) -> list[Mistake]:
    from ignite_workflow.validation import strict_type, validate  # pydantic: not needed to check a name

    _, found = validate(strict_type(annotation), value)
    within = ["".join(f"[{key}]" for key in mistake.keys) for mistake in found]
    return [
        Mistake((*at, *mistake.keys), f"{label}{place} {mistake.text}")
        for place, mistake in zip(within, found, strict=True)
    ]


def _parameters(factory: Callable[..., Any]) -> Mapping[str, inspect.Parameter]:
    try:
        return inspect.signature(factory, eval_str=True).parameters
    except (NameError, TypeError, AttributeError):  # an annotation that only a type checker can resolve
        return inspect.signature(factory).parameters


@functools.cache
def _plugins(kind: str) -> Mapping[str, EntryPoint]:
    """The entry points of one kind by name, without those that bear a built-in name."""
    from importlib.metadata import entry_points  # 40 ms: only where a name is not built in

    plural = f"{kind}es" if kind.endswith("s") else f"{kind}s"
    found = {point.name: point for point in entry_points(group=f"ignite_workflow.{plural}")}
    for name in found.keys() & BUILT_IN[kind].keys():
        point = found.pop(name)
        warnings.warn(f"the installed {kind} {name!r} ({point.value}) is ignored: the name is built in.", stacklevel=2)
    return found


def _load_file(file: Path) -> ModuleType:
    """Import a file, once, under a name of its own, so that two files called ``model.py`` do not meet."""
    if file in _loaded:
        return _loaded[file]
    name = f"{file.stem}_{hashlib.sha256(bytes(file)).hexdigest()[:8]}"
    spec = importlib.util.spec_from_file_location(name, file)
    assert spec is not None
    assert spec.loader is not None
    if str(file.parent) not in sys.path:
        sys.path.append(str(file.parent))  # last: a file beside it must not hide an installed module
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    _loaded[file] = module
    return module


def imported_files() -> tuple[Path, ...]:
    """The files that components were imported from, in that order."""
    return tuple(_loaded)


def import_files(files: Iterable[Path]) -> None:
    """Import those files as another process did: what is pickled names their modules, which no path leads to."""
    for file in files:
        _load_file(file)
