"""A training run, assembled: the two engines and everything a handler may touch."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

import torch
from torch import nn
from torch.optim import Optimizer

from ignite_workflow import parts
from ignite_workflow.checkpoint import CheckpointStore
from ignite_workflow.config import RunConfig, TrainConfig
from ignite_workflow.data.loader import as_seekable
from ignite_workflow.device import resolve_device
from ignite_workflow.engine import WorkflowEngine
from ignite_workflow.errors import ConfigError, UnknownNameError, mistaken_at, noted
from ignite_workflow.evaluator import EvaluationEngine
from ignite_workflow.handler_specs import in_order
from ignite_workflow.losses import LossFn
from ignite_workflow.metrics import MetricSet, Mode
from ignite_workflow.records import Record, Records
from ignite_workflow.run_directory import RunDirectory
from ignite_workflow.snapshot import Saver, check_handlers, put_back, take_snapshot
from ignite_workflow.state import RunState
from ignite_workflow.supervision import close_parts, finish_unless_stopped, how_it_ended, progress, supervised
from ignite_workflow.upkeep import Upkeep

if TYPE_CHECKING:
    from ignite_workflow.handler import Handler
    from ignite_workflow.schedules import Schedule

__all__ = ["Workflow"]


@dataclass(eq=False, kw_only=True)
class Workflow:
    """What ``build_workflow`` and ``Workflow.from_parts`` return, and every handler's ``attach`` receives.

    Attributes:
        trainer: runs the training step; its ``state.output`` is a ``StepOutput``.
        evaluator: runs the evaluation step on the validation data only; its ``state.metrics`` holds the metrics.
        model: what is trained.
        optimizer: hold it, never its groups: restoring a state replaces them. Several by name where the train step is
            a person's own.
        train_loader: batches of training data; ``len`` is an epoch.
        val_loader: batches of validation data; None where there are none.
        device: where model and batches are.
        max_epochs: epochs in all.
        seed: of every random stream.
        build_metrics: makes the metrics of those names for an evaluator; None: the usual ones of the task.
        schedule: of the learning rate, stepped by the ``lr_schedule`` handler.
        run_directory: where handlers write; None: nothing is written.
        config: of a run that was made from one.
        foreign: layers, loss, step, data or handlers are a person's own, and may draw from ``random`` and numpy's.
        handlers: by id, in the order in which they were attached.
        records: every number measured so far.
        selection: the validation metric, and its better direction, that says which evaluation is the best.
        exit_code: what a process exits with after ``run``: not 0 where a signal stopped it.
        skips_bad_batches: those whose loss is not finite are not trained on, and so do not count for the mean loss.
    """

    trainer: WorkflowEngine
    evaluator: EvaluationEngine
    model: nn.Module
    optimizer: Optimizer | Mapping[str, Optimizer]
    train_loader: Iterable[Any]
    val_loader: Iterable[Any] | None
    device: torch.device
    max_epochs: int
    seed: int
    build_metrics: Callable[[Sequence[str] | None], MetricSet]
    schedule: Schedule | None = None
    run_directory: RunDirectory | None = None
    config: RunConfig | None = None
    foreign: bool = False
    handlers: dict[str, Handler] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.records = self.run_directory.records if self.run_directory else Records(None)
        self.metric_modes: Mapping[str, Mode | None] = {}
        self.selection: tuple[str, Mode] = ("loss", "min")
        self.exit_code, self.skips_bad_batches = 0, False
        self._over: str | None = None
        self.trainer.workflow = self
        self.saver = Saver(self)
        Upkeep(self)  # its events come first, before those of any handler

    @classmethod
    def from_parts(
        cls,
        model: nn.Module,
        optimizer: Optimizer | Mapping[str, Optimizer],
        loss_fn: LossFn | None,
        train_loader: Iterable[Any],
        val_loader: Iterable[Any] | None = None,
        *,
        train: TrainConfig,
        handlers: Mapping[str, Handler | Mapping[str, Any] | bool] | None = None,
        **more: Unpack[parts.MoreParts],
    ) -> Workflow:
        """Assemble a run from your own parts.

        Args:
            model: moved to the device; trained in place.
            optimizer: of the model's parameters. Several by name where ``train_step`` is given.
            loss_fn: ``(y_pred, y) -> loss ()``, the mean over samples. None where ``train_step`` is given.
            train_loader: of batches ``(x, y)``. A ``DataLoader`` over a map-style dataset is read in an order that is a
                function of (seed, epoch), so that the run can be resumed in mid-epoch; others are read as they come.
            val_loader: the same; None: no validation.
            train: ``max_epochs`` must be set.
            handlers: by id, over the default ones: a ``Handler``, options, or False to leave a default one out.
            **more: see ``parts.MoreParts``.

        Raises:
            ConfigError: parts that do not go together; a handler or option that does not exist.

        Example:
            >>> import torch
            >>> x = torch.linspace(0, 1, 64)[:, None]
            >>> data = torch.utils.data.TensorDataset(x, 0.7 * x + 0.3)
            >>> model = torch.nn.Linear(1, 1)
            >>> workflow = Workflow.from_parts(
            ...     model, torch.optim.SGD(model.parameters(), lr=0.5), torch.nn.functional.mse_loss,
            ...     torch.utils.data.DataLoader(data, batch_size=16, shuffle=True),
            ...     train=TrainConfig(max_epochs=100, device="cpu"), handlers={"progress": False},
            ... )
            >>> _ = workflow.run()
            >>> round(model.weight.item(), 3), round(model.bias.item(), 3)
            (0.7, 0.3)
        """
        if train.max_epochs is None:
            raise ConfigError("train.max_epochs must be set: how many epochs to train")
        device = resolve_device(train.device)
        parts.make_ready(model, device, train)
        built = parts.choose_handlers(handlers or {}, more, val_loader, loss_fn)
        trainer, evaluator = parts.build_engines(model, optimizer, loss_fn, device, train, more)
        with parts.held(more.get("run_directory")) as directory:
            workflow = cls(
                trainer=trainer,
                evaluator=evaluator,
                model=model,
                optimizer=optimizer,
                train_loader=as_seekable(train_loader, seed=train.seed),
                val_loader=None if val_loader is None else as_seekable(val_loader, seed=train.seed),
                device=device,
                max_epochs=train.max_epochs,
                seed=train.seed,
                build_metrics=more.get("build_metrics") or partial(parts.choose_metrics, loss_fn, more.get("metrics")),
                schedule=more.get("schedule"),
                run_directory=directory,
                config=more.get("config"),
                foreign=parts.is_foreign(more, model, loss_fn, train_loader, built.values()),
            )
            workflow.attach(built)
        return workflow

    def attach(self, handlers: Mapping[str, Handler]) -> None:
        """Attach handlers, each after those it names in ``after``, otherwise in the order given."""
        for name, handler in in_order(handlers).items():
            self.handlers[name] = handler
            with mistaken_at("handlers", name), noted(f"attach of handler {name}"):
                handler.attach(self)

    def record(self, split: str, name: str, value: float) -> None:
        """Add a number to the run's records, at the present iteration: of a split (train, val or test), in its unit."""
        state = self.trainer.state
        self.records.append(Record(state.iteration, state.epoch, split, name, float(value)))

    def request_stop(self, reason: str, exit_code: int = 0) -> None:
        """Stop at the next safe point: for good where ``exit_code`` is 0, else to be resumed."""
        self.trainer.request_stop(reason, exit_code)

    def save_checkpoint(self) -> Path | None:
        """Save the state: now, where called at ``SAFE_POINT``, else at the next one.

        Returns:
            The file, where it was saved now.

        Raises:
            OSError: it could not be written now; at the next safe point that is a warning.
            ConfigError: the run has no directory.
        """
        return self.saver.save()

    def begin_checkpoint(self) -> Future[Path]:
        """The same beside the training, which waits for a copy of the state only. To be called at ``SAFE_POINT``.

        Returns:
            Gives the file, or raises the ``OSError`` that kept it from being written.
        """
        return self.saver.begin()

    def checkpoint_store(self) -> CheckpointStore:
        """Where the run's checkpoints are. Raises a ``ConfigError`` where the run has no directory."""
        return self.saver.store()

    def attach_metrics(self, names: Sequence[str] | None) -> None:
        """Have the evaluator measure those metrics besides the loss; None: the usual ones of the task."""
        metrics = self.build_metrics(names)
        metrics.attach(self.evaluator)
        self.metric_modes = metrics.modes

    def check_metric(self, name: str, mode: Mode) -> None:
        """Check, before anything is trained, that a handler can watch this validation metric in this direction.

        Raises:
            UnknownNameError: the evaluation does not measure it.
            ConfigError: the other direction is the better one.
        """
        if name not in self.metric_modes:
            raise UnknownNameError("validation metric", name, self.metric_modes)
        if self.metric_modes[name] not in (mode, None):
            raise ConfigError(f"metric {name}: mode must be {self.metric_modes[name]!r}, got {mode!r}")

    def val_metric(self, name: str) -> float:
        """The value of a validation metric at the last evaluation."""
        return float(self.evaluator.state.metrics[name])

    def evaluate(self) -> None:
        """Run the evaluator on the validation data.

        Raises:
            EvaluationAbandoned: a stop was requested meanwhile; the engine that is stopped handles it.
        """
        self.evaluator.run(self.val_loader)

    def resume(self) -> bool:
        """Go on from the newest checkpoint in the run directory that is whole; call it before ``run``.

        Returns:
            False where there is none yet: the run starts from the beginning.

        Raises:
            CheckpointError: there are checkpoints and none can be used, or it does not fit this run.
        """
        state = self.checkpoint_store().load_newest()
        if state is not None:
            self.load_state_dict(state)
        return state is not None

    def run(self, finish: Callable[[], Mapping[str, Any]] | None = None) -> RunState:
        """Train until ``max_epochs`` or a stop, then let the handlers go.

        Where the run has a directory and this is the main thread, SIGINT, SIGTERM, SIGHUP and SIGUSR1 stop it at the
        next safe point, with ``exit_code`` set; ``status.json`` says how it ended.

        Args:
            finish: what is left to do once nothing is left to train; what it returns goes into ``status.json``. Signals
                break its evaluations off.

        Raises:
            ConfigError: it has run to its end before, or broke off with an error.
        """
        if self._over is not None:
            raise ConfigError(self._over)
        self._over = "this run broke off with an error, in mid-step: make a new workflow, resume() that one and run it"
        with supervised(self) as ending:
            try:
                state = self.trainer.run(self.train_loader, max_epochs=self.max_epochs)
            finally:
                self.close()
            ending |= how_it_ended(self)
            if finish is not None and ending["exit_code"] == 0:
                ending |= finish_unless_stopped(self, finish)
            self.exit_code = ending["exit_code"]
        self._over = f"this run is finished: {ending['reason']}" if self.exit_code == 0 else None
        return state

    def close(self) -> None:
        """Close every handler, end the loaders' workers and write the records out: ``run`` does, however it ends."""
        close_parts(self)
        self.saver.close()

    def progress(self) -> dict[str, Any]:
        """What ``status.json`` says of the training so far: epoch, iteration, the best evaluation, newest metrics."""
        return progress(self)

    def state_dict(self) -> dict[str, Any]:
        """Everything a resumed run needs, at a safe point: tensors and plain values; not copied."""
        return take_snapshot(self)

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Stand where ``state_dict`` was taken: counters and records at once, the rest when ``run`` has started.

        Raises:
            CheckpointError: it is of a run with other handlers, or the records are not what they were.
        """
        check_handlers(self, state_dict)
        self.records.load_state_dict(state_dict["records"])
        self.trainer.load_state_dict(state_dict["trainer"], restore=partial(put_back, self, state_dict))
