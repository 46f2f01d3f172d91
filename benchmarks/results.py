"""Train on real data sets with the defaults and compare with the figure to reach.

    python benchmarks/results.py DIR [NAME ...] [--without STEP] [--set KEY=VALUE] [--seeds SEED ...]

Each is trained by the command line with nothing but what names the task (path, target, split; that a column is another
target; how missing is spelled), for seeds 0 to 2; the figure is the mean of the test metric over the seeds. The test
rows are fixed lists in DIR; they are not looked at before training has ended.

``--without`` takes one step of the recipe away, and ``--set`` changes a setting: what each step gives.
"""

from __future__ import annotations

import argparse
import json
import os
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

SETTINGS = {  # without a step of the recipe: what is set instead; sizes are those that California housing has
    "number_embedding": ("model.number_embedding=none",),
    "batch_size_by_rows": ("train.batch_size=256",),
    "epochs_by_rows": ("train.max_epochs=40",),
    "patience_by_epochs": ("handlers.early_stopping.patience=10",),
    "early_stopping": ("handlers.early_stopping=false",),
    "best_weights": ("handlers.best_weights=false",),
    "dropout": ("model.dropout=0",),
    "weight_decay": ("optimizer.weight_decay=0",),
    "score_penalty": ("optimizer={name: adamw, lr: 2e-3}",),
    "cosine": ("schedule=constant",),
}
PATCHES = {  # or, where there is no setting, what is changed in the code before the command runs
    "linear_path": """
from ignite_workflow.models import embeddings
embeddings.LinearPath.forward = lambda self, x: x.new_zeros(())
""",
    "target_scaling": """
from dataclasses import replace
from ignite_workflow.data import fit
fitted = fit._fitted_targets
fit._fitted_targets = lambda *given: tuple(replace(target, mean=0.0, std=1.0) for target in fitted(*given))
""",
    "bend_and_clamp": """
from ignite_workflow.models import embeddings
embeddings._FAR = 1e9
made = embeddings.PiecewiseLinearEmbedding.__init__
def unbounded(self, *given):
    made(self, *given)
    self.least.fill_(-1e9)
    self.most.fill_(1e9)
embeddings.PiecewiseLinearEmbedding.__init__ = unbounded
""",
    "unknown_classes": """
from ignite_workflow.models import embeddings
embeddings._TAKEN_AS_UNKNOWN = 0.0
""",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help="the directory of the data sets")
    parser.add_argument("tasks", nargs="*", default=list(TASKS))
    parser.add_argument("--without", choices=[*SETTINGS, *PATCHES], help="a step of the recipe to leave out")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="a setting to change")
    parser.add_argument("--seeds", type=int, nargs="+", default=SEEDS)
    arguments = parser.parse_args()
    settings, patch = [*SETTINGS.get(arguments.without, ()), *arguments.set], PATCHES.get(arguments.without, "")
    all_reached = True
    for name in arguments.tasks:
        task = TASKS[name]
        command = train_command(arguments.data / task.path, task, settings)
        print(patch + "$", shlex.join(["python", "run.py", *command, f"train.seed={arguments.seeds[0]}"]), flush=True)
        found = [train([*command, f"train.seed={seed}"], patch) for seed in arguments.seeds]
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


def train_command(path: Path, task: Task, settings: list[str]) -> list[str]:
    split = f"data.split.test={path.parent / 'test_rows.txt'}"
    return ["train", str(path), *task.settings, *settings, split]


def train(command: list[str], patch: str) -> dict[str, Any]:
    start = f"{patch}\nfrom ignite_workflow.__main__ import main\nmain()"
    with tempfile.TemporaryDirectory() as directory:
        command = [sys.executable, "-c", start, *command, "--run-dir", f"{directory}/run", "--quiet", "--json"]
        # What was prepared by changed code is not for others.
        cache = {"IGNITE_WORKFLOW_CACHE": f"{directory}/cache"} if patch else {}
        environment = os.environ | {"PYTHONPATH": str(ROOT)} | cache
        done = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
    result: dict[str, Any] = json.loads(done.stdout)
    return result


if __name__ == "__main__":
    main()
