"""Small trained-looking models, saved: for the tests of what is done with a model file."""

import csv
import hashlib
import json
from pathlib import Path

import torch

from ignite_workflow.config import config_from_mapping, dump_config
from ignite_workflow.losses import DEFAULT_LOSSES, build_loss
from ignite_workflow.model_description import Architecture, DataFacts, LossFacts, ModelDescription
from ignite_workflow.model_file import save_model
from ignite_workflow.models import build_model
from ignite_workflow.run_data import prepare_data

COLORS = ("red", "green", "blue")
TARGETS = {"regression": "mass", "binary": "sex", "multiclass": "kind", "multilabel": ["wild", "tame"]}


def rows(count=60):
    """A table with a column of every kind and a target for every task."""
    return [
        {
            "ring": f"r{7 * row}x",
            "size": f"{10 + (row * 37 % 50) / 4}",
            "color": COLORS[row * 7 % 3],
            "mass": f"{200_000 + 1000 * (row * 37 % 50)}",
            "sex": "fm"[row * 37 % 50 > 20],
            "kind": ("ant", "bee", "cat")[(row * 37 % 50) // 20],
            "wild": "yes" if row % 2 else "no",
            "tame": "yes" if row % 3 else "no",
        }
        for row in range(count)
    ]


def write_csv(path, table):
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, table[0])
        writer.writeheader()
        writer.writerows(table)
    return path


def save_small_model(directory, task="multiclass", *, model="mlp", options=None, loss=None, split=None, table=None):
    """A run's directory with data, config and an untrained model. Returns the model as it was before it was saved."""
    directory.mkdir(exist_ok=True)
    path = write_csv(directory / "table.csv", table or rows())
    target = TARGETS[task]
    ignored = {
        name: "ignore" for name in ("mass", "sex", "kind", "wild", "tame") if name not in (target, *list(target))
    }
    settings = {"data": {"path": str(path), "target": target, "columns": ignored, "split": split or {}}}
    config = config_from_mapping(settings)
    (directory / "config.yaml").write_text(dump_config(config))
    data = prepare_data(config.data, seed=0, cache_directory=directory / "cache")
    loss = build_loss(loss or DEFAULT_LOSSES[task], {}, data.target)
    if not loss.scale_target:
        data = data.without_scaling()
    options = options or ({"hidden": [8]} if model == "mlp" else {})
    facts = {**data.facts, "out_features": loss.outputs, "output": loss.output}
    torch.manual_seed(0)
    module = build_model(model, options, facts).eval()
    for name, parameter in module.named_parameters():  # the linear path counts tenfold
        torch.nn.init.normal_(parameter, std=0.1 if name.startswith("linear_path") else 1.0)
    description = ModelDescription(
        architecture=Architecture(name=model, options=options, facts=facts),
        schema=data.schema,
        target=data.target,
        loss=LossFacts.of(loss, {}),
        metrics={"val/loss": float("inf"), "test/loss": 0.5},
        data=DataFacts(files=("table.csv",), rows=dict(data.sizes)),
    )
    save_model(directory / "model", module, description)
    return module, description


def forge(directory: Path, **changes):
    """Change entries of a run's ``model.json``, named ``a__b`` for ``a["b"]``, as someone would who means harm."""
    path = directory / "model" / "model.json"
    content = json.loads(path.read_text())
    for name, value in changes.items():
        *above, last = name.split("__")
        entry = content
        for key in above:
            entry = entry[key]
        entry[last] = value
    del content["checksum"]
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    path.write_text(json.dumps({**content, "checksum": hashlib.sha256(text.encode()).hexdigest()}))
