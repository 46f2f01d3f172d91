"""What it costs to read a table: a first start, a second one, predictions, and the memory for it.

    python benchmarks/tables.py [--rows 1000000] [--rounds 5] [--memory]

The table has 32 columns of numbers and a target, some 310 MB of CSV for a million rows; it is written first. In turn,
in one process: ``polars.read_csv`` and the conversion to one float32 tensor; a first start, from the call of ``train``,
with nothing in the cache, to the first training step; a second start; and predictions for all rows by a linear model
and by the default one, written to a file. A ratio is one round's, over polars; of the rounds the median, the smallest
and the largest are given. Memory is measured once, in a process of its own: the peak above that after the imports, over
the size of the prepared arrays; for it the table may be larger (``--rows 5000000 --memory``).
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ignite
import numpy as np
import polars as pl
import torch
from ignite.engine import Events

from ignite_workflow import DataConfig, Handler, Workflow, load_model, train
from ignite_workflow.data import prepare_table

_COLUMNS = 32
_ROWS_AT_ONCE = 250_000
_SETTLED_SECONDS = 1.5  # after a file was written to, until its checksum is taken for one that stays

Seconds = tuple[float, float]  # of the processor, of the clock


@dataclass
class FirstStep(Handler):
    """Write down when the first step begins, and stop."""

    path: str = ""

    def attach(self, workflow: Workflow) -> None:
        self.workflow = workflow
        workflow.trainer.add_event_handler(Events.ITERATION_STARTED(once=1), self.note)

    def note(self) -> None:
        Path(self.path).write_text(f"{time.process_time()} {time.perf_counter()}")
        self.workflow.request_stop("the first step is all that is measured")


def write_table(path: Path, rows: int) -> None:
    random = np.random.default_rng(0)
    with path.open("wb") as file:
        for start in range(0, rows, _ROWS_AT_ONCE):
            x = random.normal(size=(min(_ROWS_AT_ONCE, rows - start), _COLUMNS)).round(6)
            y = (x[:, 0] * x[:, 1] + np.sin(x[:, 2])).round(6)
            frame = pl.DataFrame({**{f"x{number}": x[:, number] for number in range(_COLUMNS)}, "y": y})
            file.write(frame.write_csv(include_header=start == 0).encode())


def by_polars(table: Path) -> None:
    torch.from_numpy(pl.read_csv(table).cast(pl.Float32).to_numpy(order="c"))


def start(table: Path, directory: Path) -> Seconds:
    """A start with what the cache holds, up to the first step."""
    noted = directory / "noted"
    os.utime(table)  # or its checksum is known: a process remembers those of files that nobody has written to
    time.sleep(_SETTLED_SECONDS)
    began = time.process_time(), time.perf_counter()
    train(
        settings(table, handlers={"first_step": {"use": f"{__file__}:FirstStep", "path": str(noted)}}),
        run_directory=directory / f"run-{time.time_ns()}",
    )
    processor, clock = map(float, noted.read_text().split())
    return processor - began[0], clock - began[1]


def settings(table: Path, **more: Any) -> dict[str, Any]:
    quiet = {"progress": False, "curve_export": False, "tensorboard": False, **more.pop("handlers", {})}
    return {"data": {"path": str(table), "target": "y"}, "train": {"max_epochs": 1}, "handlers": quiet, **more}


def timed(work: Callable[..., Any], *arguments: Any) -> Seconds:
    began = time.process_time(), time.perf_counter()
    work(*arguments)
    return time.process_time() - began[0], time.perf_counter() - began[1]


def one_round(table: Path, models: dict[str, Path], directory: Path) -> dict[str, Seconds]:
    cache = tempfile.TemporaryDirectory(dir=directory)
    os.environ["IGNITE_WORKFLOW_CACHE"] = cache.name
    with cache:
        threads = torch.get_num_threads()
        found = {"polars": timed(by_polars, table)}
        found["first start"] = start(table, directory)
        found["second start"] = start(table, directory)
        torch.set_num_threads(1)  # as the command line does
        for name, run in models.items():
            predictor = load_model(run, device="cpu")
            found[f"predict, {name}"] = timed(predictor.predict_file, table, directory / "predictions.csv")
        torch.set_num_threads(threads)
    return found


def report(rounds: list[dict[str, Seconds]], rows: int) -> None:
    print(f"{'':16} processor      clock    ratio of processor time        ratio of clock time")
    for name in rounds[0]:
        cells = [f"{name:16}"]
        cells += [f"{statistics.median(each[name][which] for each in rounds):8.2f} s" for which in (0, 1)]
        for which in (0, 1):
            ratios = [each[name][which] / each["polars"][which] for each in rounds]
            cells.append(f"{statistics.median(ratios):7.2f} ({min(ratios):.2f} to {max(ratios):.2f})")
        print(" ".join(cells), flush=True)
    fastest = statistics.median(each["predict, linear"][1] for each in rounds)
    print(f"predictions of the linear model: {rows / fastest:,.0f} rows a second")


def kilobytes(name: str) -> int:
    """Of this process: VmRSS now, VmHWM at most."""
    [line] = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(name)]
    return int(line.split()[1])


def memory(table: Path) -> None:
    """Prepare the table in this process and print what that took."""
    before = kilobytes("VmRSS")
    with tempfile.TemporaryDirectory(dir=table.parent) as cache:
        prepared = prepare_table(DataConfig(path=str(table), target="y"), seed=0, cache_directory=Path(cache))
        peak = kilobytes("VmHWM") - before
        arrays = sum(array.nbytes for split in prepared.splits.values() for array in (split.x, split.y, split.rows))
    print(f"memory: {peak / 1024:,.0f} MiB at most, arrays {arrays / 2**20:,.0f} MiB, ratio {peak * 1024 / arrays:.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--memory", action="store_true", help="measure memory only")
    parser.add_argument("--prepare", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.prepare:
        memory(arguments.prepare)
        return
    print(
        f"torch {torch.__version__}, ignite {ignite.__version__}, polars {pl.__version__}, {os.cpu_count()} processors"
    )
    with tempfile.TemporaryDirectory() as name:
        table, small = Path(name) / "table.csv", Path(name) / "small.csv"
        write_table(table, arguments.rows)
        print(f"{arguments.rows:,} rows, {table.stat().st_size / 1e6:,.0f} MB", flush=True)
        subprocess.run([sys.executable, __file__, "--prepare", str(table)], check=True)
        if arguments.memory:
            return
        write_table(small, 4_000)
        os.environ["IGNITE_WORKFLOW_CACHE"] = name
        models = {"linear": Path(name) / "linear", "default": Path(name) / "default"}
        train(settings(small, model={"name": "linear"}), run_directory=models["linear"])
        train(settings(small), run_directory=models["default"])
        report([one_round(table, models, Path(name)) for _ in range(arguments.rounds)], arguments.rows)


if __name__ == "__main__":
    main()
