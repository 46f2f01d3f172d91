"""A trained model as a directory: ``model.safetensors``, ``model.json`` and ``README.md``. Nothing in it is executed.

The directory is put in place whole. A kill at any instant leaves a model that can be used, or none; never parts of two.
"""

from __future__ import annotations

import hashlib
import itertools
import shlex
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.modules.module import register_module_parameter_registration_hook

from ignite_workflow import registry
from ignite_workflow.built_in import BUILT_IN
from ignite_workflow.device import resolve_device
from ignite_workflow.durable import sync_directory, write_over
from ignite_workflow.errors import CheckpointError, ConfigError, DivergedError, RunDirectoryError, nearest
from ignite_workflow.losses import Loss, build_loss
from ignite_workflow.model_card import model_card
from ignite_workflow.model_description import LossFacts, ModelDescription, WeightsFacts, read_description
from ignite_workflow.models import build_model
from ignite_workflow.predictor import Predictor, loss_not_imported
from ignite_workflow.run_directory import read_status
from ignite_workflow.tensor_file import read_weights, weights_parts

__all__ = ["load_model", "save_model"]

_WEIGHTS, _DESCRIPTION, _CARD = "model.safetensors", "model.json", "README.md"


def save_model(directory: Path, model: nn.Module, description: ModelDescription) -> None:
    """Write a trained model; it is on disk when this returns.

    Args:
        directory: of the model alone; what is there is replaced whole, provided that it is a model.
        model: not changed. Weights that several modules share are written under each of their names.
        description: everything else about it.

    Raises:
        DivergedError: a weight is not finite.
        CheckpointError: the model's state holds something that is not a tensor; or it cannot be written.
        RunDirectoryError: the directory holds something else.
    """
    tensors = _finite_tensors(model)
    if directory.is_dir() and any(directory.iterdir()) and not (directory / _DESCRIPTION).is_file():
        raise RunDirectoryError(f"{directory} holds something other than a model and is not replaced")
    files = _files(tensors, description)
    try:
        _replace(directory, files)
    except OSError as error:
        needed = sum(len(part) for parts in files.values() for part in parts)
        raise CheckpointError.unwritten("the model", directory, error, needed) from error


def _replace(directory: Path, files: Mapping[str, Sequence[bytes | memoryview]]) -> None:
    new, old = (directory.with_name(f".{directory.name}.{which}") for which in ("new", "old"))
    _tidy(directory, new, old)
    try:
        new.mkdir(parents=True)
        for name, parts in files.items():
            write_over(f"{new}/{name}", parts)
        sync_directory(new)
        if directory.exists():
            directory.rename(old)
        new.rename(directory)
        sync_directory(directory.parent)
    finally:
        _tidy(directory, new, old)


def _tidy(directory: Path, new: Path, old: Path) -> None:
    """Remove what is left of a save, or of one that was killed; without a new model in place, put the old one back."""
    if old.exists() and not directory.exists():
        old.rename(directory)
    for leftover in (new, old):
        shutil.rmtree(leftover, ignore_errors=True)


def _finite_tensors(model: nn.Module) -> dict[str, Tensor]:
    """Copies of all weights and buffers, on the CPU."""
    parameters = dict(model.named_parameters(remove_duplicate=False))
    tensors: dict[str, Tensor] = {}
    for name, value in model.state_dict().items():
        if not isinstance(value, Tensor):
            raise CheckpointError(
                f"the model cannot be saved: its state {name!r} is a {type(value).__name__}, no tensor"
            )
        # A buffer may hold infinities on purpose, as a mask does.
        if value.isnan().any() or (name in parameters and not value.isfinite().all()):
            raise DivergedError(f"the model's weight {name!r} is not finite: the model is not saved")
        tensors[name] = value.detach().cpu().clone(memory_format=torch.contiguous_format)
    return tensors


def _files(tensors: dict[str, Tensor], description: ModelDescription) -> dict[str, Sequence[bytes | memoryview]]:
    """What each file of the model holds, by its name."""
    try:
        parts = weights_parts(tensors)
    except TypeError as error:
        raise CheckpointError(f"the model cannot be saved: {error}") from None
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part)
    facts = WeightsFacts(size=sum(map(len, parts)), sha256=digest.hexdigest())
    texts = {_DESCRIPTION: description.to_json(facts), _CARD: model_card(description)}
    return {_WEIGHTS: parts, **{name: [text.encode()] for name, text in texts.items()}}


def load_model(path: str | Path, *, trust: bool = False, device: str = "auto") -> Predictor:
    """Read a trained model.

    Args:
        path: of a run, such as ``runs/latest``, or of a model's own directory.
        trust: import the code that the model names, where its module or loss is a person's own.
        device: where to compute: "auto", "cpu", "cuda:1", ...

    Raises:
        CheckpointError: there is no model, it is damaged or does not fit together, or it names code and is not trusted.
        ConfigError: there is no such device.
    """
    directory = _model_directory(Path(path))
    description, facts = read_description(directory / _DESCRIPTION)
    tensors = _read_weights(directory / _WEIGHTS, facts)
    model = _build(directory / _DESCRIPTION, description, tensors, trust=trust)
    where = resolve_device(device)
    return Predictor(
        model=model.to(where).eval(),
        device=where,
        schema=description.schema,
        target=description.target,
        loss=_build_loss(directory / _DESCRIPTION, description, trust=trust),
        architecture=description.architecture,
        metrics=description.metrics,
        data=description.data,
        directory=directory,
        trusted=trust,
    )


def _model_directory(path: Path) -> Path:
    for directory in (path, path / "model"):
        if (directory / _DESCRIPTION).is_file():
            return directory
    if (path / "status.json").is_file():
        raise CheckpointError(f"{path} holds no trained model yet: {_progress(path)}")
    if path.is_dir():
        raise CheckpointError(f"{path} is neither a run nor a model: it has no {_DESCRIPTION}")
    if path.exists():
        raise CheckpointError(f"{path} is a file; the directory of a run or of a model is needed")
    others = [each.name for each in path.parent.iterdir()] if path.parent.is_dir() else []
    raise CheckpointError(f"there is no run or model {path}.{nearest(path.name, others)}")


def _progress(run: Path) -> str:
    """How far a run is, and how to go on."""
    status = read_status(run)
    place = ", ".join(f"{key} {status[key]}" for key in ("epoch", "iteration") if key in status)
    how_far = f"the run is {status.get('state', 'unknown')}{f' at {place}' if place else ''}"
    return f"{how_far}. Go on with: ignite-workflow resume {shlex.quote(str(run))}"


def _read_weights(path: Path, facts: WeightsFacts) -> dict[str, Tensor]:
    try:
        if path.stat().st_size != facts.size:
            raise CheckpointError(f"{path} is damaged: it has {path.stat().st_size:,} bytes instead of {facts.size:,}")
    except OSError as error:
        raise CheckpointError(f"{path} cannot be read: {error.strerror}") from error
    tensors, found = read_weights(path)
    if found != facts.sha256:
        raise CheckpointError(f"{path} is damaged: its checksum does not match")
    return tensors


def _build(file: Path, description: ModelDescription, tensors: dict[str, Tensor], *, trust: bool) -> nn.Module:
    """The module with its weights."""
    name, options = description.architecture.name, description.architecture.options
    if registry.is_import_path(name) and not trust:
        raise CheckpointError(
            f"{file}: the model is code of its author's own, {name!r}: imported and run only if you say --trust"
        )
    try:
        registry.check_name("model", name)
    except ConfigError as error:
        raise CheckpointError(f"{file}: {_one_line(error)}") from error
    if name not in BUILT_IN["model"]:  # the code is a person's own, or an installed plugin's
        model = build_model(name, options, description.facts)
        _load_weights(file, model, tensors, assign=False)
        return model
    try:
        # Weights made on "meta" take no memory, whatever sizes the file claims.
        with torch.device("meta"), _at_most(len(tensors)):
            model = build_model(name, options, description.facts)
    except Exception as error:  # from numbers of a file that may hold anything
        raise CheckpointError(f"{file}: the model {name!r} cannot be built: {_one_line(error)}") from error
    _check_shapes(file, model, tensors)
    _load_weights(file, model, tensors, assign=True)
    return model


class _TooManyError(Exception):
    """A module registers more parameters than there are weights for."""


@contextmanager
def _at_most(count: int) -> Iterator[None]:
    """Have no more than ``count`` parameters made: a billion layers are refused before they fill the memory."""
    made = itertools.count(1)

    def register(*_: object) -> None:
        if next(made) > count:
            raise _TooManyError(f"it has more weights than the {count} of {_WEIGHTS}")

    handle = register_module_parameter_registration_hook(register)
    try:
        yield
    finally:
        handle.remove()


def _check_shapes(file: Path, model: nn.Module, tensors: Mapping[str, Tensor]) -> None:
    expected = {name: (tuple(tensor.shape), tensor.dtype) for name, tensor in model.state_dict().items()}
    found = {name: (tuple(tensor.shape), tensor.dtype) for name, tensor in tensors.items()}
    for name in {**expected, **found}:
        if expected.get(name) != found.get(name):
            needed, given = _shown(expected.get(name)), _shown(found.get(name))
            raise CheckpointError(f"{file}: the model's weight {name!r} is {needed}, that of {_WEIGHTS} is {given}")


def _shown(facts: tuple[tuple[int, ...], torch.dtype] | None) -> str:
    return "none" if facts is None else f"{str(facts[1]).removeprefix('torch.')} {facts[0]}"


def _load_weights(file: Path, model: nn.Module, tensors: Mapping[str, Tensor], *, assign: bool) -> None:
    try:
        model.load_state_dict(tensors, assign=assign)
    except RuntimeError as error:
        raise CheckpointError(f"{file}: the weights do not fit the model: {_one_line(error)}") from error


def _build_loss(file: Path, description: ModelDescription, *, trust: bool) -> Loss | None:
    """The loss as the file describes it; without its function where that is code which is not trusted."""
    facts, target = description.loss, description.target
    if facts is None or target is None:
        return None
    fields = {name: getattr(facts, name) for name in ("target_form", "output", "outputs", "link", "scale_target")}
    if registry.is_import_path(facts.name) and not trust:
        return Loss(facts.name, loss_not_imported, **fields)
    try:
        loss = build_loss(facts.name, facts.options, target)
    except ConfigError as error:
        raise CheckpointError(f"{file}: {_one_line(error)}") from error
    if LossFacts.of(loss, facts.options) != facts:
        raise CheckpointError(f"{file}: loss {facts.name} has another meaning in this version")
    return loss


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())
