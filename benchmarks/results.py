"""Train on real data sets with the defaults and compare with the figure to reach.

    python benchmarks/results.py DIR [NAME ...]

Each is trained by the command line with nothing but what names the task (path, target, split; that a column is another
target; how missing is spelled), for seeds 0 to 2; the figure is the mean of the test metric over the seeds. The test
rows are fixed lists in DIR; they are not looked at before training has ended.
"""

from __future__ import annotations

import argparse
import json
import shlex
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent


@dataclass(frozen=True)
class Task:
    """A data set and what is to be reached on it."""

    path: str
    settings: tuple[str, ...]
    metric: str
    goal: float
    larger_is_better: bool = False

    def reached(self, value: float) -> bool:
        return value >= self.goal if self.larger_is_better else value <= self.goal


ENERGY = "02_excel/energy_efficiency/ENB2012_data.xlsx"
TASKS = {
    "penguins": Task("01_csv/penguins/penguins.csv", ("data.target=species",), "accuracy", 0.97, larger_is_better=True),
    "penguins_raw": Task(
        "01_csv/penguins/penguins_raw.csv", ("data.target=Species",), "accuracy", 0.97, larger_is_better=True
    ),
    "california_housing": Task(
        "01_csv/california_housing/housing.csv", ("data.target=median_house_value",), "rmse", 47_400
    ),
    "diamonds": Task("03_parquet/diamonds/diamonds.parquet", ("data.target=price",), "rmse", 546),
    "energy_Y1": Task(ENERGY, ("data.target=Y1", "data.columns={Y2: ignore}"), "rmse", 0.61),
    "energy_Y1_of_both": Task(ENERGY, ("data.target=[Y1, Y2]",), "rmse_Y1", 0.61),
    "air_quality": Task(
        "10_messy_csv/air_quality/AirQualityUCI.csv", ("data.target=CO(GT)", 'data.missing=["-200"]'), "rmse", 0.65
    ),
}
SEEDS = (0, 1, 2)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help="the directory of the data sets")
    parser.add_argument("tasks", nargs="*", default=list(TASKS))
    arguments = parser.parse_args()
    all_reached = True
    for name in arguments.tasks:
        task = TASKS[name]
        found = [train(arguments.data / task.path, task, seed) for seed in SEEDS]
        values = [result["metrics"][f"test/{task.metric}"] for result in found]
        mean = sum(values) / len(values)
        all_reached &= task.reached(mean)
        seconds = max(result["seconds"] for result in found)
        shown = ", ".join(f"{value:.5g}" for value in values)
        verdict = "reached" if task.reached(mean) else "NOT reached"
        print(
            f"{name}: {task.metric} {mean:.5g} ({shown}), goal {task.goal:g}: {verdict}; at most {seconds:.0f} s a run"
        )
    sys.exit(not all_reached)


def train(path: Path, task: Task, seed: int) -> dict[str, Any]:
    split = f"data.split.test={path.parent / 'test_rows.txt'}"
    with tempfile.TemporaryDirectory() as directory:
        command = [sys.executable, str(ROOT / "run.py"), "train", str(path), *task.settings, split]
        command += [f"train.seed={seed}", "--run-dir", f"{directory}/run", "--quiet", "--json"]
        if seed == SEEDS[0]:
            print("$", shlex.join(["python", "run.py", *command[2:]]), flush=True)
        done = subprocess.run(command, check=True, capture_output=True, text=True)
    result: dict[str, Any] = json.loads(done.stdout)
    return result


if __name__ == "__main__":
    main()
