"""Starts the job with the one command that starts it or goes on with it, in a process of its own, a fault injected.

Processes are forked from one that has imported already what takes long.
"""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

EXHAUSTIVE = bool(os.environ.get("EXHAUSTIVE"))
HERE = Path(__file__).parent
PATIENCE = 300  # s: a start that takes longer hangs

CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(
    ["torch._dynamo", "ignite_workflow.job", "ignite_workflow.cli.train", "ignite_workflow.schedules",
     "ignite_workflow.optimizers", "ignite_workflow.metrics", "ignite_workflow.handlers.ema",
     "ignite_workflow.handlers.nan_guard", "ignite_workflow.handlers.checkpointing"]
)  # fmt: skip

SETTINGS = {
    "data": {"kind": "fault_job:Points"},
    "model": {"name": "fault_job:Net"},
    "loss": {"name": "mse"},
    "optimizer": {"name": "adamw", "lr": 0.02},
    "schedule": {"name": "cosine", "warmup": 2},
    "train": {"max_epochs": 16, "batch_size": 8, "seed": 3, "device": "cpu", "threads": 1},
    "handlers": {
        "early_stopping": {"patience": 3, "min_delta": 0.1},
        "ema": {"decay": 0.9},
        "checkpointing": {"every": {"iterations": 3}},
        "moments": {"use": "fault_job:Moments"},
        "progress": False, "tensorboard": False, "curve_export": False,
    },
}  # fmt: skip

Injection = Callable[[Path], None]


@dataclass(frozen=True)
class Start:
    """What one start of a job came to.

    Attributes:
        code: the exit code; negative where a signal killed it.
        said: what it wrote to stderr.
    """

    code: int
    said: str


def started(directory: Path, *arguments: str, inject: Injection | None = None) -> Process:
    """Start the job in ``directory``, or go on with it: always the same command, with harmless further settings.

    Args:
        directory: of the run.
        arguments: ``KEY=VALUE`` settings and options that are added to the command.
        inject: called in the new process, first of all, with the run's directory.
    """
    return Process(directory, arguments, inject)


def start(directory: Path, *arguments: str, inject: Injection | None = None) -> Start:
    """The same, waited for."""
    return Process(directory, arguments, inject).wait()


class Process:
    """A process that runs the job."""

    def __init__(self, directory: Path, arguments: tuple[str, ...], inject: Injection | None) -> None:
        directory.parent.mkdir(exist_ok=True, parents=True)
        number = len(list(directory.parent.glob(f"{directory.name}.stderr*")))
        self.said = directory.parent / f"{directory.name}.stderr-{number}"
        self.process = CONTEXT.Process(target=_run, args=(directory, arguments, inject, self.said))
        self.process.start()

    def send(self, number: int, *, group: bool = False) -> None:
        """Send it, or its whole process group, a signal, if it still runs."""
        if self.process.is_alive():
            assert self.process.pid is not None
            with suppress(ProcessLookupError):  # it has just ended: it is the fork server's child, not ours
                (os.killpg if group else os.kill)(self.process.pid, number)

    def wait_for(self, path: Path) -> None:
        """Until it has made that file."""
        end = time.monotonic() + PATIENCE
        while not path.exists():
            assert self.process.is_alive(), f"it has ended: {self.wait()}"
            assert time.monotonic() < end, f"no {path} after {PATIENCE} s"
            time.sleep(0.01)

    def wait_for_group(self) -> None:
        """Until none of the processes of its group is left, once it has ended itself."""
        end = time.monotonic() + PATIENCE
        while group_lives(self.process.pid):
            assert time.monotonic() < end, f"processes of its group are still there after {PATIENCE} s"
            time.sleep(0.05)

    def kill(self) -> None:
        """Kill it."""
        self.send(signal.SIGKILL)

    def wait(self) -> Start:
        """Until it has ended."""
        self.process.join(PATIENCE)
        if self.process.exitcode is None:
            self.process.kill()
            raise AssertionError(f"still running after {PATIENCE} s; it said: {self.said.read_text()}")
        return Start(self.process.exitcode, self.said.read_text() if self.said.exists() else "")

    def join(self, seconds: float) -> None:
        """Wait until it has ended, but not longer."""
        self.process.join(seconds)


def group_lives(group: int | None) -> bool:
    """Whether a process of that group still runs; one that has ended may lie there, if nobody asks what came of it."""
    for status in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # it has just gone
            state, _, its_group = status.read_text().rpartition(")")[2].split()[:3]
            if int(its_group) == group and state not in "ZX":
                return True
    return False


def _run(directory: Path, arguments: tuple[str, ...], inject: Injection | None, said: Path) -> None:
    """The job, in its own process, as the command line has it."""
    descriptor = os.open(said, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    for standard in (1, 2):
        os.dup2(descriptor, standard)
    os.close(descriptor)
    sys.path.insert(0, str(HERE))
    multiprocessing.set_start_method("fork", force=True)  # of loader workers: as where nothing was said
    if inject is not None:
        inject(directory)
    from ignite_workflow.__main__ import main

    sys.argv = ["run.py", "train", str(directory.parent / "job.yaml"), "--run-dir", str(directory), "--resume"]
    sys.argv += arguments
    main()


def write_settings(folder: Path, **changes: Mapping[str, Any]) -> None:
    """Write the job's settings where ``start`` finds them: beside the runs in ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    settings = {**SETTINGS, **{name: {**SETTINGS.get(name, {}), **change} for name, change in changes.items()}}
    temporary = folder / f"job.{os.getpid()}"
    temporary.write_text(json.dumps(settings))
    temporary.replace(folder / "job.yaml")


def unbroken(folder: Path, **changes: Mapping[str, Any]) -> dict[str, Any]:
    """The result of the job where nothing disturbs it."""
    write_settings(folder, **changes)
    done = start(folder / "unbroken")
    assert done.code == 0, done.said
    return result(folder / "unbroken")


def result(directory: Path) -> dict[str, Any]:
    """What must be the same bytes however often the run was broken."""
    from ignite_workflow import CheckpointStore

    state = CheckpointStore(directory / "checkpoints").load_newest()
    assert state is not None
    state["handlers"] = {name: own for name, own in state["handlers"].items() if "kept" not in own}
    del state["observers"]
    return {
        "metrics.jsonl": (directory / "metrics.jsonl").read_text(),
        "model.safetensors": hashlib.sha256((directory / "model/model.safetensors").read_bytes()).hexdigest(),
        **{f"last checkpoint: {name}": digest(part) for name, part in state.items()},
    }


def digest(tree: Any) -> str:
    """Of a state: plain values and tensors."""
    from ignite_workflow.state_tree import encode_tree

    tensors: dict[str, Any] = {}
    text = json.dumps(encode_tree(tree, tensors))
    content = b"".join(tensor.contiguous().numpy().tobytes() for tensor in tensors.values())
    return hashlib.sha256(text.encode() + content).hexdigest()


def steps(directory: Path) -> list[int]:
    """The iterations there is a checkpoint of."""
    return sorted(int(path.stem.removeprefix("step-")) for path in (directory / "checkpoints").glob("step-*.ckpt"))


def wrong(directory: Path, expected: Mapping[str, Any], *arguments: str, inject: Injection | None = None) -> list[str]:
    """What is not as in the unbroken run, once the job is gone on with to its end; empty where all is."""
    done = start(directory, *arguments, inject=inject)
    if done.code != 0:
        return [f"exit code {done.code}: {done.said[-2000:]}"]
    found = result(directory)
    leftovers = [path.name for path in directory.rglob("*.tmp")]
    return [name for name in expected if found[name] != expected[name]] + leftovers
