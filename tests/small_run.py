"""A small training with everything in it that could spoil an exact resume; run by ``test_exact_resume.py``.

Dropout, BatchNorm, augmentation from three generators, AdamW, a schedule, early stopping, best weights, evaluation with
random numbers of its own, checkpoints every few iterations. The variants differ in when things happen.
"""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import mse_loss
from torch.utils.data import DataLoader, Dataset, TensorDataset, default_collate

from ignite_workflow import Handler, TrainConfig, Workflow, WorkflowEvents, fire
from ignite_workflow.built_in import BUILT_IN
from ignite_workflow.optimizers import build_optimizer
from ignite_workflow.schedules import build_schedule
from ignite_workflow.state_tree import encode_tree

NO_PICTURES = {"progress": False, "tensorboard": False, "curve_export": False}
OFTEN = {"checkpointing": {"every": {"iterations": 3}}}
EACH_4 = {"every": {"iterations": 4}}


class Augmented(Dataset[tuple[Tensor, Tensor]]):
    """Points of y = x1 - x2, each seen through noise from torch, random and numpy."""

    def __init__(self, size: int, *, noise: float, spoilt: int | None = None) -> None:
        self.x = torch.randn(size, 4, generator=torch.Generator().manual_seed(size))
        if spoilt is not None:
            self.x[spoilt] = torch.nan
        self.noise = noise

    def __len__(self) -> int:
        return len(self.x)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        x = self.x[index]
        noise = torch.randn(4) + random.gauss() + float(np.random.standard_normal())
        return x + self.noise * noise, (x[0] - x[1])[None]


class Net(nn.Sequential):
    """An MLP that, as some do, also draws when it is evaluated."""

    def __init__(self) -> None:
        torch.manual_seed(0)
        super().__init__(nn.Linear(4, 6), nn.BatchNorm1d(6), nn.ReLU(), nn.Dropout(0.2), nn.Linear(6, 1))

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x) + 0.01 * torch.randn(1) + 0.01 * random.random()  # type: ignore[no-any-return]


@dataclass
class WeightNoise(Handler):
    """Shakes the weights at an epoch's start and its end, from the global generators."""

    def attach(self, workflow: Workflow) -> None:
        self.model = workflow.model
        workflow.trainer.add_event_handler("EPOCH_STARTED", self.shake)
        workflow.trainer.add_event_handler("EPOCH_COMPLETED", self.shake)

    @torch.no_grad()
    def shake(self) -> None:
        for parameter in self.model.parameters():
            parameter += 0.001 * torch.randn_like(parameter) + 0.001 * np.random.rand()


def own_step(engine: Any, batch: tuple[Tensor, Tensor]) -> dict[str, Tensor]:
    """Two optimizers and two losses, as a GAN would have."""
    x, y = batch
    workflow = engine.workflow
    losses = {}
    for name, optimizer in workflow.optimizer.items():
        losses[name] = mse_loss(workflow.model(x), y) * random.uniform(0.9, 1.1)
        optimizer.zero_grad()
        losses[name].backward()
        fire(engine, WorkflowEvents.GRADIENTS_READY)
        optimizer.step()
    return losses


VARIANTS: dict[str, dict[str, Any]] = {
    "each epoch": {},
    "each 4 iterations": {"handlers": {"evaluation": EACH_4, "loss_logging": EACH_4}},
    "each iteration": {
        "handlers": {"evaluation": {"every": {"iterations": 1}}, "checkpointing": {"every": {"iterations": 1}}}
    },
    "in windows": {"accumulate": 3, "handlers": {"evaluation": EACH_4, "gradient_clipping": {"max_norm": 0.5}}},
    "stopped early": {"handlers": {"early_stopping": {"patience": 1, "min_delta": 0.3}}},
    "stopped early within an epoch": {
        "handlers": {"evaluation": EACH_4, "early_stopping": {"patience": 2, "min_delta": 0.3}}
    },
    "best checkpoints": {"handlers": {"best": {"use": "checkpointing", "metric": "loss", "keep": 1}}},
    "evaluation last": {
        "handlers": {
            "evaluation": False,
            "early_stopping": False,
            "best_weights": False,
            "own": {"use": "evaluation", **EACH_4},
        }
    },
    "own evaluation": {"handlers": {"evaluation": False, "own": {"use": "evaluation"}, "noise": WeightNoise()}},
    "averaged": {"handlers": {"evaluation": EACH_4, "ema": {"decay": 0.9}}},
    "averaged in windows": {"accumulate": 3, "handlers": {"ema": {"decay": 0.9, "evaluate": False}}},
    "plateau": {"schedule": "plateau", "handlers": {"evaluation": EACH_4}},
    "steps down": {"schedule": "step"},
    "weight noise": {"handlers": {"noise": WeightNoise()}},
    "own step": {"own_step": True, "handlers": {"gradient_clipping": {}}},
    "workers": {"workers": 2},
    "batches skipped": {"spoilt": 5, "handlers": {"nan_guard": {"action": "skip"}}},
    "windows skipped": {"spoilt": 5, "accumulate": 3, "handlers": {"nan_guard": {"action": "skip"}}},
}
OPTIMIZERS = {f"with {name}": {"optimizer": name} for name in BUILT_IN["optimizer"]}


def build(directory: Path, variant: str, *, size: int = 14, batch_size: int = 3, max_epochs: int = 4) -> Workflow:
    """A run of that variant; by default 4 epochs of 5 iterations, the last batch of an epoch short."""
    options = {**VARIANTS, **OPTIMIZERS}[variant]
    model = Net()
    accumulate = options.get("accumulate", 1)
    train = TrainConfig(max_epochs=max_epochs, seed=3, device="cpu", accumulate=accumulate)
    loader = DataLoader(
        Augmented(size, noise=0.1, spoilt=options.get("spoilt")),
        batch_size=batch_size,
        shuffle=True,
        num_workers=options.get("workers", 0),
    )
    more: dict[str, Any] = {}
    if options.get("own_step"):
        optimizer: Any = {"a": torch.optim.SGD(model.parameters(), lr=0.01), "b": torch.optim.AdamW(model.parameters())}
        more = {"train_step": own_step}
    else:
        optimizer = build_optimizer(options.get("optimizer", "adamw"), {"lr": 0.01}, model)
        steps = -(-len(loader) // accumulate)
        name = options.get("schedule", "cosine")
        settings = {"plateau": {"patience": 1}, "step": {"step_size": 1}, "cosine": {"warmup": 2}}[name]
        more["schedule"] = build_schedule(
            name, settings, optimizer, total_steps=steps * max_epochs, steps_per_epoch=steps
        )
    return Workflow.from_parts(
        model,
        optimizer,
        mse_loss,
        loader,
        DataLoader(TensorDataset(*default_collate(list(Augmented(7, noise=0.0)))), batch_size=3),
        train=train,
        handlers={**NO_PICTURES, **OFTEN, **options.get("handlers", {})},
        run_directory=directory,
        **more,
    )


class Moments:
    """Counts every moment of a run - before and after each event, before each handler - and does something at one.

    Args:
        number: of the moment; None: only count.
        act: what is done then.
        of: the moments that count, by the beginning of their names; all where not given.
    """

    def __init__(
        self, number: int | None = None, act: Callable[[Workflow], None] = lambda workflow: None, *, of: str = ""
    ) -> None:
        self.number, self.act, self.of = number, act, of
        self.count = 0

    def watch(self, workflow: Workflow) -> None:
        """Watch both engines of a workflow, all handlers of which are attached."""
        for name, engine in (("trainer", workflow.trainer), ("evaluator", workflow.evaluator)):
            self._watch_handlers(workflow, engine, name)
            engine._fire_event = self._watched(workflow, name, engine._fire_event)

    def _watch_handlers(self, workflow: Workflow, engine: Any, name: str) -> None:
        for event, calls in list(engine.calls.items()):
            engine.calls[event] = tuple(
                call._replace(handler=self._noted(workflow, f"{name} {event} handler", call.handler)) for call in calls
            )

    def _noted(self, workflow: Workflow, moment: str, handler: Any) -> Any:
        def noted(*args: Any, **kwargs: Any) -> Any:
            self._note(workflow, moment)
            return handler(*args, **kwargs)

        return noted

    def _watched(self, workflow: Workflow, name: str, fire_event: Any) -> Any:
        def watched(event: Any, *args: Any, **kwargs: Any) -> None:
            self._note(workflow, f"{name} {event.name} before")
            fire_event(event, *args, **kwargs)
            self._note(workflow, f"{name} {event.name} after")

        return watched

    def _note(self, workflow: Workflow, moment: str) -> None:
        if moment.startswith(self.of):
            if self.count == self.number:
                self.act(workflow)
            self.count += 1


def train(directory: Path, variant: str, prepare: Callable[[Workflow], None] | None = None, **size: int) -> bool:
    """Start the run or go on with it, up to its end or a stop. Whether it is finished."""
    workflow = build(directory, variant, **size)
    assert workflow.run_directory is not None
    with workflow.run_directory:
        workflow.resume()
        if prepare is not None:
            prepare(workflow)
        workflow.run()
        finished = workflow.trainer.finished
        if finished:
            (directory / "result.json").write_text(json.dumps(result(workflow), indent=1))
    return finished


def result(workflow: Workflow) -> dict[str, str]:
    """What must be the same bytes however often the run was broken: digests by name."""
    state = workflow.state_dict()
    handlers = {name: own for name, own in state.pop("handlers").items() if "kept" not in own}
    parts = {**state, "handlers": handlers, "saved": saved(workflow)}
    assert workflow.run_directory is not None
    rows = (workflow.run_directory.path / "metrics.jsonl").read_bytes()
    return {"rows": rows.decode(), **{name: digest(part) for name, part in parts.items()}}


def saved(workflow: Workflow) -> Any:
    """The last checkpoint, whose model and optimizer are those of the last step: the model ends with the best."""
    state = workflow.checkpoint_store().load_newest()
    assert state is not None
    return [state["model"], state["optimizer"], state["trainer"], state["records"]]


def digest(tree: Any) -> str:
    tensors: dict[str, Tensor] = {}
    text = json.dumps(encode_tree(tree, tensors), indent=0)
    content = b"".join(tensor.detach().contiguous().numpy().tobytes() for tensor in tensors.values())
    return hashlib.sha256(text.encode() + content).hexdigest()
