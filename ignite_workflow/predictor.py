"""A trained model at work: rows in, predictions out.

Shapes: ``N`` rows, ``F`` features, ``T`` target numbers, ``C`` classes (multilabel: labels).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import numpy as np
import polars as pl
import torch
from torch import Tensor, nn

from ignite_workflow.config import ReadConfig
from ignite_workflow.data.chunk import Chunk, as_chunk, find_column
from ignite_workflow.data.features import Unseen
from ignite_workflow.data.number_columns import leave_to_text, number_columns
from ignite_workflow.data.prefetch import parallel_map, prefetch
from ignite_workflow.data.schema import Schema
from ignite_workflow.data.tables import Table, open_table
from ignite_workflow.errors import CheckpointError, ConfigError, UnknownNameError
from ignite_workflow.losses import Loss
from ignite_workflow.model_description import Architecture, DataFacts
from ignite_workflow.prediction_file import check_output, prediction_writer
from ignite_workflow.registry import is_import_path
from ignite_workflow.targets import Target

__all__ = ["Predictor", "loss_not_imported"]

log = logging.getLogger(__name__)

# Of input: embeddings make fifty times as much of it, which is to stay in a processor's cache. Measured on one thread
# with 32 columns and an MLP of 128-128: 8 us a row with 256 to 2,048 rows at a time, 20 with 8,192.
_SLICE_BYTES = 64 * 1024
_ACCELERATOR_SLICE_BYTES = 4 * 1024 * 1024
_FEWEST_ROWS = 32
_ROW = "row"

Matrix = np.ndarray[tuple[int, int], np.dtype[Any]]
Result = TypeVar("Result")


@dataclass(frozen=True, kw_only=True, eq=False)
class Predictor:
    """A trained model and what surrounds it; ``load_model`` makes one.

    Attributes:
        model: in ``eval()`` mode, on ``device``.
        device: where it computes.
        schema: makes the model's input of a table. None where the input came from a person's own Dataset.
        target: what is predicted. None where only a person's own train step knows.
        loss: what the model's output means. None as for ``target``.
        architecture: how the model was built; None where it was not read from a file.
        metrics: measured after training, by ``split/name``.
        data: where the model comes from; new files are read as its were.
        directory: of the model.
        trusted: code that the model names may be imported.
    """

    model: nn.Module
    device: torch.device
    schema: Schema | None
    target: Target | None
    loss: Loss | None
    architecture: Architecture | None = None
    metrics: Mapping[str, float] = field(default_factory=dict)
    data: DataFacts = field(default_factory=DataFacts)
    directory: Path | None = None
    trusted: bool = False

    def predict(
        self, rows: Any, *, probabilities: bool = False, batch_size: int | None = None, read: ReadConfig | None = None
    ) -> pl.DataFrame:
        """Predict for rows in memory, or for all rows of a file.

        Args:
            rows: a polars or pandas frame, a mapping of columns, a list with a mapping for each row, or the path of a
                file. Columns that the model does not use are ignored. Not changed.
            probabilities: of each class too.
            batch_size: rows computed at a time; None: as many as are fast.
            read: how a file is read; None: as the training data was.

        Returns:
            A row for each row, in their order. Columns: ``prediction``, the class or the value in the target's own unit
            (of several targets ``prediction_<target>``, of labels a ``prediction_<label>`` that is true or false); and
            ``probability_<class>`` for each class or label.

        Raises:
            DataError: a column is missing, or a cell does not fit its column; names row, column and value.
            ConfigError: there is no such file; or the model's input is not a table.
        """
        work = partial(self._frame, probabilities=probabilities, batch_size=batch_size)
        if isinstance(rows, str | Path):
            table = self._open(str(rows), read)
            return pl.concat(frame for _, frame in self._each(table, work))
        unseen = Unseen()
        chunk = as_chunk(_columns(rows) if isinstance(rows, list | tuple) else rows)
        frame = work(self.table_schema().encode(chunk, unseen=unseen))
        _warn(unseen)
        return frame

    def predict_file(
        self,
        path: str | Path | Sequence[str],
        output: str | Path,
        *,
        probabilities: bool = False,
        id_columns: Sequence[str] | None = None,
        batch_size: int | None = None,
        read: ReadConfig | None = None,
    ) -> int:
        """Predict for every row of a table of any size, in bounded memory.

        Args:
            path: a file, a glob, or a list of either.
            output: a ``.csv`` or ``.parquet`` file, put in place whole when all is done; ``-``: CSV on standard output.
                Beside the predictions it has each row's number in the table (``row``, from 0) and its identifiers.
            probabilities: of each class too.
            id_columns: columns of the table to carry over; None: those that the training data had as identifiers.
            batch_size: rows computed at a time; None: as many as are fast.
            read: how the table is read; None: as the training data was.

        Returns:
            The number of rows.

        Raises:
            DataError: as ``predict``; nothing is written.
            ConfigError: the output cannot be written or is the table itself, or there is no such file or column.
        """
        schema = self.table_schema()
        table = self._open([str(path)] if isinstance(path, str | Path) else path, read)
        check_output(output, table.paths)
        identifiers = self._identifiers(schema, table, id_columns, probabilities)
        rows, work = 0, partial(self._frame, probabilities=probabilities, batch_size=batch_size)
        with prediction_writer(output) as write:
            for chunk, predictions in self._each(table, work, as_text=identifiers):
                numbers = pl.Series(_ROW, np.arange(rows, rows + chunk.frame.height))
                write(pl.DataFrame([numbers, *_carried(chunk, identifiers), *predictions.get_columns()]))
                rows += chunk.frame.height
        return rows

    def outputs(self, x: Tensor | Matrix, *, batch_size: int | None = None) -> Matrix:
        """What the model says of its own kind of input.

        Args:
            x: (N, ...), for a table as ``schema.encode`` gives it. Not changed.
            batch_size: rows computed at a time; None: as many as are fast.

        Returns:
            Values in the target's own unit, float64 (N, T); or probabilities, float32 (N, C).

        Raises:
            CheckpointError: the model gives another number of values than its target has.
        """
        loss, target = self._meaning()
        x = torch.as_tensor(x)
        limit = _SLICE_BYTES if self.device.type == "cpu" else _ACCELERATOR_SLICE_BYTES
        rows = batch_size or max(_FEWEST_ROWS, limit // max(1, x[:1].nbytes))
        parts = [loss.to_prediction(self.model_output(part.to(self.device)).float()).cpu() for part in x.split(rows)]
        predictions = torch.cat(parts).numpy()
        if target.task != "regression":
            return predictions
        scaled: Matrix = predictions * np.array(target.std) + np.array(target.mean)  # float64
        return scaled

    def model_output(self, x: Any) -> Tensor:
        """The model's own output (N, K) for one batch, which lies on the device.

        Raises:
            CheckpointError: it is of another shape than the loss takes.
        """
        loss, _ = self._meaning()
        with torch.inference_mode():
            y_pred: Tensor = self.model(x)
        if y_pred.dim() != 2 or y_pred.shape[1] != loss.outputs:
            raise CheckpointError(
                f"the model must give {loss.outputs} numbers a row, its output is {tuple(y_pred.shape)}"
            )
        return y_pred

    def output_columns(self, *, probabilities: bool = False) -> list[str]:
        """The names of the columns of predictions."""
        _, target = self._meaning()
        names = ["prediction"]
        if target.task == "multilabel" or len(target.columns) > 1:
            names = [f"prediction_{name}" for name in target.classes or target.columns]
        return names + [f"probability_{name}" for name in target.classes if probabilities]

    def encode_chunks(self, rows: str | Path, read: ReadConfig | None = None) -> Iterator[tuple[Chunk, Matrix]]:
        """The chunks of a table, each with the model's input for it; warns of unseen categories at the end."""
        return self._each(self._open(str(rows), read), _as_it_is)

    def _open(self, path: str | Sequence[str], read: ReadConfig | None) -> Table:
        """A table read as the training data was, unless ``read`` is given; warns where its columns are elsewhere."""
        table = open_table(path, read or self.data.read, known_widths=self.table_schema().known_widths)
        for line in table.misfits:
            log.warning("%s", line)
        return table

    def _each(
        self, table: Table, work: Callable[[Matrix], Result], *, as_text: Sequence[str] = ()
    ) -> Iterator[tuple[Chunk, Result]]:
        """Each chunk with what ``work`` makes of the model's input for it; warns of unseen categories at the end."""
        schema, unseen = self.table_schema(), Unseen()
        table.require(column.name for column in schema.used)
        numbers = number_columns(schema, table.columns, as_text=as_text)
        do, chunks = partial(_encode, schema, work), table.chunks(numbers)
        results = parallel_map(do, chunks) if self._may_use_threads() else map(do, prefetch(chunks))
        for chunk, result, found in results:
            leave_to_text(numbers, chunk)
            unseen.add_all(found)
            yield chunk, result
        _warn(unseen)

    def _may_use_threads(self) -> bool:
        """Whether chunks may be computed side by side: not by a model of a person's own, which may keep a state."""
        known = self.architecture is not None and not is_import_path(self.architecture.name)
        return known and self.device.type == "cpu" and torch.get_num_threads() == 1

    def _frame(self, x: Matrix, *, probabilities: bool, batch_size: int | None) -> pl.DataFrame:
        _, target = self._meaning()
        predictions = self.outputs(x, batch_size=batch_size)
        columns: list[Any] = list(predictions.T)
        if target.task == "multilabel":
            columns = [column >= 0.5 for column in columns] + (columns if probabilities else [])
        elif target.classes:
            names = pl.Series(target.classes, dtype=pl.String)
            columns = [names.gather(predictions.argmax(1)), *(columns if probabilities else [])]
        return pl.DataFrame(dict(zip(self.output_columns(probabilities=probabilities), columns, strict=True)))

    def _identifiers(
        self, schema: Schema, table: Table, asked: Sequence[str] | None, probabilities: bool
    ) -> tuple[str, ...]:
        """The columns to carry over, by their names in the table."""
        taken = {_ROW, *self.output_columns(probabilities=probabilities)}
        if asked is None:
            known = [column.name for column in schema.columns if column.kind == "identifier"]
            found = [name for name in (find_column(name, table.columns) for name in known) if name is not None]
            return tuple(name for name in found if name not in taken)
        for name in asked:
            if find_column(name, table.columns) is None:
                raise UnknownNameError(f"column to carry over, in {table.source},", name, table.columns)
            if name in taken:
                raise ConfigError(f"column {name!r} cannot be carried over: predictions have a column of that name.")
        return tuple(name for name in (find_column(name, table.columns) for name in asked) if name is not None)

    def _meaning(self) -> tuple[Loss, Target]:
        if self.loss is None or self.target is None:
            raise ConfigError("what the model's output means is known to its own train step only: use predictor.model.")
        return self.loss, self.target

    def table_schema(self) -> Schema:
        """The schema.

        Raises:
            ConfigError: there is none.
        """
        if self.schema is None:
            raise ConfigError("the model was not trained on a table but on a Dataset: use predictor.outputs(x).")
        return self.schema


def _encode(schema: Schema, work: Callable[[Matrix], Result], chunk: Chunk) -> tuple[Chunk, Result, Unseen]:
    unseen = Unseen()
    return chunk, work(schema.encode(chunk, unseen=unseen)), unseen


def _as_it_is(x: Matrix) -> Matrix:
    return x


def _columns(rows: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    """Rows as columns; a key that a row lacks is missing there."""
    names = dict.fromkeys(name for row in rows for name in row)
    return {name: [row.get(name) for row in rows] for name in names}


def _carried(chunk: Chunk, names: Sequence[str]) -> list[pl.Series]:
    """Cells as they stand. The types of a text file's differ from chunk to chunk: there all are text."""
    columns = [chunk.frame[name] for name in names]
    return columns if chunk.block is None else [column.cast(pl.String) for column in columns]


def _warn(unseen: Unseen) -> None:
    for line in unseen.lines():
        log.warning("%s", line)


def loss_not_imported(_: Tensor, __: Tensor) -> NoReturn:
    """Stands for a loss of its author's own that was not imported."""
    raise ConfigError("the model's loss is code of its author's own and was not imported: load the model with trust.")
