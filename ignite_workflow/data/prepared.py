"""A table as arrays on disk: read, understood, divided, fitted and encoded once, found again at once."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from ignite_workflow.config import DataConfig
from ignite_workflow.data.array_files import Array, ArraySink, MemorySink
from ignite_workflow.data.cache import Cache, DiskFullError, default_cache_directory
from ignite_workflow.data.chunk_store import ChunkStore
from ignite_workflow.data.digest import Digest
from ignite_workflow.data.encoded_splits import EncodedSplits
from ignite_workflow.data.features import class_codes, class_order, target_text
from ignite_workflow.data.file_formats import is_table_file
from ignite_workflow.data.fit import fit_schema
from ignite_workflow.data.journal import Journal
from ignite_workflow.data.meter import Meter
from ignite_workflow.data.paths import partition_of, table_paths
from ignite_workflow.data.schema import Schema
from ignite_workflow.data.splits import Assignment, RowNumbers, Split, assign_rows
from ignite_workflow.data.survey import Survey, split_rows, survey_table
from ignite_workflow.data.tables import Table, open_table
from ignite_workflow.data.task import CLASS_TASKS
from ignite_workflow.errors import DataError

__all__ = ["ArraySplit", "PreparedData", "prepare_table"]

_FORMAT = 15  # goes into the key: raise it whenever the same data would come out as other arrays
_MOST_IN_MEMORY = 1024**3
_SPLITS = ("train", "val", "test")
OnSurvey = Callable[[Survey], None] | None


@dataclass(frozen=True)
class ArraySplit:
    """The rows of a split, in the order of the table.

    Attributes:
        x: features, float32 (N, F).
        y: targets, as ``Schema.encode_target`` gives them.
        rows: row numbers in their table, int64 (N,): counted from 0, the header not counted.
    """

    x: Array
    y: Array
    rows: Array


@dataclass(frozen=True)
class PreparedData:
    """A table ready for training.

    Attributes:
        schema: fitted on the training split.
        splits: ``train``, ``val``, ``test``: those that have rows.
        notes: what was guessed about the files, one line each.
        lost_rows: of each file that has any, by its name: rows without a target, which are left out, and all rows.
        repeated_rows: of ``val`` and ``test``, where there are any: rows that stand in ``train`` too.
        missing_words: of columns of classes, by their names: how often each spelling of a missing value occurs; ``""``:
            how many cells are missing in all.
    """

    schema: Schema
    splits: Mapping[str, ArraySplit]
    notes: tuple[str, ...] = ()
    lost_rows: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    repeated_rows: Mapping[str, int] = field(default_factory=dict)
    missing_words: Mapping[str, Mapping[str, int]] = field(default_factory=dict)


def prepare_table(
    config: DataConfig,
    *,
    seed: int,
    cache_directory: Path | None = None,
    schema: Schema | None = None,
    on_survey: OnSurvey = None,
) -> PreparedData:
    """Turn a table into arrays, or find those made before from the same content and settings.

    Args:
        config: where the table lies and what is said about it.
        seed: of the run: decides a random split.
        cache_directory: where arrays are kept; None: ``$IGNITE_WORKFLOW_CACHE`` or the user's cache directory.
        schema: of a trained model that is to go on with this table; None: fitted to the training rows.
        on_survey: is called with what the first pass over the table found, where there are no arrays yet.

    Raises:
        ConfigError: a setting that cannot work: a column that is not there, a split that contradicts itself.
        DataError: a file, row or cell that cannot be used, named.
    """
    files = _files(config)
    paths = [path for group in files.values() for path in group]
    cache = Cache((cache_directory or default_cache_directory()) / "tables")
    about = _about(config, files, seed, schema)
    work = _work(about, paths)
    make = partial(_make, config, seed, schema, on_survey, work)
    with Digest(paths) as digest:  # not waited for where there cannot be such arrays
        found = cache.load(_key(about, digest)) if cache.has(about) else None
        if found is None:
            try:
                found = cache.build(partial(_key, about, digest), make, work=work)
            except OSError as error:
                return _in_memory(make, cache, error)
    return _prepared(*found)


def _key(about: str, digest: Digest) -> str:
    return f"{about}-{digest.result()}"


def _prepared(kept: dict[str, Any], arrays: Mapping[str, Array]) -> PreparedData:
    splits = {
        name: ArraySplit(arrays[f"{name}-x"], arrays[f"{name}-y"], arrays[f"{name}-rows"])
        for name in _SPLITS
        if f"{name}-x" in arrays
    }
    return PreparedData(
        Schema.from_dict(kept["schema"]),
        splits,
        tuple(kept["notes"]),
        lost_rows={name: (lost, rows) for name, (lost, rows) in kept["lost_rows"].items()},
        repeated_rows=kept["repeated_rows"],
        missing_words=kept["missing_words"],
    )


def _in_memory(make: Callable[[ArraySink, None], dict[str, Any]], cache: Cache, error: OSError) -> PreparedData:
    reason = f"{cache.directory} cannot be written ({error.strerror})"
    if isinstance(error, DiskFullError):
        space = f"preparing the table takes at least {error.needed:,} bytes there, {error.free:,} are free"
        reason = f"{cache.directory}: the disk is full: {space}"
        if error.needed > _MOST_IN_MEMORY:
            raise DataError(f"{reason}. Make room, or name another place: IGNITE_WORKFLOW_CACHE=directory.") from error
    sink = MemorySink()
    kept = make(sink, None)
    kept["notes"].append(f"arrays are kept in memory: {reason}.")
    return _prepared(kept, sink.arrays())


def _files(config: DataConfig) -> dict[str, tuple[Path, ...]]:
    """The files that the arrays are made of, by the setting that names them."""
    files = {"path": table_paths(config.path, option="data.path")}
    for option, value in (("val", config.split.val), ("test", config.split.test)):
        if isinstance(value, str):
            files[option] = table_paths(value, option=f"data.split.{option}")
    return files


def _about(config: DataConfig, files: Mapping[str, tuple[Path, ...]], seed: int, schema: Schema | None) -> str:
    """What the arrays depend on beside the content of the files: not on their places and times."""
    split = asdict(config.split)
    settings = {**asdict(config), "path": None, "split": {key: split[key] for key in split.keys() - files.keys()}}
    named = {
        option: [[path.name, path.stat().st_size, partition_of(path)] for path in paths]
        for option, paths in files.items()
    }
    model = None if schema is None else schema.to_dict()
    facts = json.dumps([_FORMAT, settings, seed, named, model], sort_keys=True)
    return hashlib.sha256(facts.encode()).hexdigest()[:32]


def _work(about: str, paths: list[Path]) -> str:
    """Names the making of arrays from files as they are now, their contents unseen: those of changed files differ."""
    states = [(str(path.resolve()), path.stat()) for path in paths]
    files = [[path, state.st_size, state.st_mtime_ns, state.st_ctime_ns] for path, state in states]
    return hashlib.sha256(json.dumps([about, files]).encode()).hexdigest()[:32]


def _make(
    config: DataConfig,
    seed: int,
    schema: Schema | None,
    on_survey: OnSurvey,
    work: str,
    sink: ArraySink,
    scratch: Path | None,
) -> dict[str, Any]:
    """Look, divide, fit and encode; the arrays go into ``sink``, the schema and the notes are returned."""
    with Meter(table_paths(config.path)[0].name) as meter:
        store = ChunkStore(scratch, meter.count)
        journal = None if scratch is None else Journal(scratch, work, store, meter.go_on)
        survey = survey_table(config, store=store, journal=journal, schema=schema)
        if on_survey is not None:
            on_survey(survey)
        names, codes = _classes(survey)
        assignment = assign_rows(config.split, split_rows(survey, config, codes), seed=seed)
        if schema is None:
            if codes is not None:
                _refuse_lost_classes(survey, names, codes, assignment)
            meter.start("measuring", len(assignment))
            schema = fit_schema(survey.schema, meter.over(survey.chunks()), assignment == Split.TRAIN, seed=seed)
        if not schema.used:
            unused = "; ".join(f"{column.name}: {column.why}" for column in schema.columns)
            raise DataError(f"{survey.table.source}: no column to learn from ({unused or 'there is only the target'}).")
        sink.expect(_size(schema, int((assignment != Split.UNUSED).sum())))
        meter.start("encoding", len(assignment))
        encoded = EncodedSplits(sink)
        encoded.add_all(schema, assignment, meter.over(survey.chunks()))
        others = _add_split_files(encoded, config, schema)
    return {
        "schema": schema.to_dict(),
        "notes": [*(note for table in (survey.table, *others) for note in table.notes), *survey.notes],
        "lost_rows": encoded.lost_rows(),
        "repeated_rows": encoded.repeated_rows(),
        "missing_words": survey.missing_words(),
    }


def _add_split_files(encoded: EncodedSplits, config: DataConfig, schema: Schema) -> list[Table]:
    """Encode the files that hold the rows of ``val`` and ``test``, where the settings name such."""
    tables: list[Table] = []
    for split, value in ((Split.VAL, config.split.val), (Split.TEST, config.split.test)):
        if isinstance(value, str) and is_table_file(value):
            option = f"data.split.{split.name.lower()}"
            tables.append(open_table(value, config.read, option=option, known_widths=schema.known_widths))
            encoded.add_all(schema, split, tables[-1].chunks())
    return tables


def _size(schema: Schema, rows: int) -> int:
    """The bytes that so many rows take."""
    y = 8 if schema.task in CLASS_TASKS else 4 * len(schema.targets)
    return rows * (4 * (len(schema.parts) + len(schema.categories)) + y + 8)


def _classes(survey: Survey) -> tuple[tuple[str, ...], RowNumbers | None]:
    """The names of all classes, and the class of each row; for other tasks none."""
    if survey.schema.task not in CLASS_TASKS:
        return (), None
    target = survey.schema.targets[0]
    text = target_text(survey.kept[target.name], survey.schema.rules, target)
    names = survey.schema.classes or class_order(text.drop_nulls().unique())
    return names, class_codes(text, names)


def _refuse_lost_classes(survey: Survey, names: tuple[str, ...], codes: RowNumbers, assignment: Assignment) -> None:
    column = survey.schema.targets[0].name
    for code, name in enumerate(names):
        rows = np.flatnonzero(codes == code)
        if not (assignment[rows] == Split.TRAIN).any():
            where = " and ".join(sorted({Split(each).name.lower() for each in assignment[rows].tolist()}))
            what = f"its {len(rows)} are" if len(rows) > 1 else f"its only one, {survey.table.place(int(rows[0]))}, is"
            raise DataError(f"data.split: class {name!r} of column {column!r} has no training row: {what} in {where}.")
