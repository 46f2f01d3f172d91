"""The recipe on models that are right, and on models with the mistakes it is for."""

import json
import math

import pytest
from click.testing import CliRunner
from small_model import TARGETS, rows, write_csv

from ignite_workflow import trial
from ignite_workflow.cli import main
from ignite_workflow.config import config_from_mapping
from ignite_workflow.model_checks import check_model
from ignite_workflow.recipe import complete
from ignite_workflow.remarks import Remark
from ignite_workflow.resources import Resources
from ignite_workflow.run_data import prepare_data
from ignite_workflow.trial import try_out

OWN_MODELS = """
import torch
from torch import nn


class Base(nn.Module):
    def __init__(self, in_features: int, out_features: int):
        super().__init__()
        self.hidden = nn.Linear(in_features, 16)
        self.last = nn.Linear(16, out_features)

    def forward(self, x):
        return self.last(torch.relu(self.hidden(x)))


class Unused(Base):
    def __init__(self, in_features: int, out_features: int):
        super().__init__(in_features, out_features)
        self.forgotten = nn.Linear(3, 3)


class Cut(Base):
    def forward(self, x):
        return self.last(torch.relu(self.hidden(x)).detach())


class Deaf(Base):
    def forward(self, x):
        return super().forward(x) * 0


class Loud(Base):
    def forward(self, x):
        return super().forward(x) * 1000


class Broken(Base):
    def forward(self, x):
        return super().forward(x) / 0


class Blind(Base):
    def forward(self, x):
        return super().forward(x * 0)


class Dropping(Base):
    def __init__(self, in_features: int, out_features: int):
        super().__init__(in_features, out_features)
        self.dropout = nn.Dropout(0.99)

    def forward(self, x):
        return self.last(self.dropout(torch.relu(self.hidden(x))))


class FromZero(Base):
    def __init__(self, in_features: int, out_features: int):
        super().__init__(in_features, out_features)
        nn.init.zeros_(self.last.weight)


class Many(Base):
    def __init__(self, in_features: int, out_features: int):
        super().__init__(in_features, out_features)
        nn.init.constant_(self.last.bias, 10.0)
"""


def settings_for(directory, task="multiclass", **more):
    target = TARGETS[task]
    columns = {name: "ignore" for name in ("mass", "sex", "kind", "wild", "tame") if name not in (target, *target)}
    data = {"path": str(write_csv(directory / "table.csv", rows())), "target": target, "columns": columns}
    return {"data": data, "train": {"device": "cpu"}, **more}


def tried(directory, task="multiclass", own=None, **more):
    if own is not None:
        (directory / "own.py").write_text(OWN_MODELS)
        more["model"] = {"name": f"{directory}/own.py:{own}"}
    config = config_from_mapping(settings_for(directory, task, **more))
    data = prepare_data(config.data, seed=0, cache_directory=directory / "cache")
    return check_model(complete(config, sizes=data.sizes, target=data.target), data, None)


@pytest.mark.parametrize(
    ("task", "loss", "expected"),
    [
        ("multiclass", "cross_entropy", math.log(3)),
        ("multiclass", "nll", math.log(3)),
        ("binary", "bce_with_logits", math.log(2)),
        ("binary", "bce", math.log(2)),
        ("multilabel", "bce_with_logits", math.log(2)),
    ],
)
def test_a_model_that_knows_nothing_has_the_loss_of_the_textbook(tmp_path, task, loss, expected):
    assert tried(tmp_path, task, loss=loss).expected == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("task", ["regression", "binary", "multiclass", "multilabel"])
def test_of_a_sound_model_nothing_is_said(tmp_path, task):
    found = tried(tmp_path, task, own="Base")

    assert found.remarks == ()
    assert found.after < 0.5 * found.before
    assert found.state_bytes > 0


def test_counts_are_compared_with_their_mean(tmp_path):
    found = tried(tmp_path, "regression", own="Many", loss="poisson_nll")  # its likelihood starts below zero

    assert found.expected < 0  # the likelihood of 200,000
    assert found.steps == 5  # from which nothing follows
    assert found.remarks == ()


@pytest.mark.parametrize(
    ("own", "level", "text"),
    [
        ("Unused", "warning", "2 of 6 parameters get no gradient: 'forgotten.weight' and 'forgotten.bias'"),
        ("Cut", "warning", "2 of 4 parameters get no gradient: 'hidden.weight' and 'hidden.bias'"),
        ("Deaf", "error", "4 of 4 parameters get a gradient of zero"),
        ("Deaf", "error", "nothing is learnt"),
        ("Loud", "warning", "let the last layer start with smaller weights"),
        ("Broken", "error", "the first loss is nan"),
        ("Blind", "warning", "1 of 4 parameters get a gradient of zero: 'hidden.weight'"),
        ("Blind", "warning", "could be learnt by heart"),
    ],
)
def test_a_mistake_is_found_and_named(tmp_path, own, level, text):
    found = tried(tmp_path, own=own)

    assert any(remark.level == level and text in remark.text for remark in found.remarks), found.remarks


def test_a_last_layer_that_starts_at_zero_is_no_mistake(tmp_path):
    assert tried(tmp_path, own="FromZero").remarks == ()


def test_dropout_does_not_keep_rows_from_being_learnt_by_heart(tmp_path):
    assert tried(tmp_path, own="Dropping").remarks == ()


PULLED_TO_ZERO = [{"match": "*", "weight_decay": 100.0}]


def test_weight_decay_does_not_keep_rows_from_being_learnt_by_heart(tmp_path):
    assert tried(tmp_path, optimizer={"name": "adam", "groups": PULLED_TO_ZERO}).remarks == ()


def test_a_linear_model_need_not_learn_by_heart(tmp_path):
    found = tried(tmp_path, "multilabel", model="linear", optimizer={"name": "adamw", "lr": 1e-4})

    assert found.after > 0.5 * found.before
    assert found.remarks == ()


OWN_ROWS = """
import torch
from torch import nn


class Rows(torch.utils.data.Dataset):
    classes = ("a", "b")

    def __init__(self, different: int):
        self.different = different

    def __len__(self):
        return 40

    def __getitem__(self, index):
        return torch.full((2,), float(index % self.different)), index // 20


class Normed(nn.Sequential):
    def __init__(self, out_features: int):
        super().__init__(nn.BatchNorm1d(2), nn.Linear(2, 16), nn.ReLU(), nn.Linear(16, out_features))
"""


@pytest.mark.parametrize(("different", "learnt"), [(3, 3), (1, 2)])
def test_of_equal_rows_with_different_targets_one_is_learnt_and_a_lone_one_is_there_twice(tmp_path, different, learnt):
    (tmp_path / "own.py").write_text(OWN_ROWS)
    data = {"kind": f"{tmp_path}/own.py:Rows", "options": {"different": different}}
    config = config_from_mapping({"data": data, "model": f"{tmp_path}/own.py:Normed", "train": {"device": "cpu"}})
    prepared = prepare_data(config.data, seed=0)

    found = check_model(complete(config, sizes=prepared.sizes, target=prepared.target), prepared, None)

    assert found.rows == learnt
    assert found.after < 0.1


def test_a_trial_tells_times_sizes_and_what_was_found(tmp_path):
    found = try_out(config_from_mapping(settings_for(tmp_path)))

    assert found.passed
    assert found.seconds_per_epoch > 0
    assert found.resources.memory > 50e6
    assert found.resources.run > 4 * found.parameters
    assert found.resources.prepared == 60 * (2 * 4 + 8 + 8)  # features, class, row number
    text = "\n".join(found.lines())
    assert "an epoch" in text
    assert "of a model that knows nothing 1.099" in text


def test_a_disk_without_room_is_an_error(tmp_path):
    needs = Resources(memory=1, device_memory=0, prepared=0, run=10**18)

    [remark] = needs.remarks(tmp_path / "runs")

    assert remark.level == "error"
    assert "the run needs 1000000 TB there: make room" in remark.text


def test_errors_come_first_and_are_counted(tmp_path, monkeypatch):
    found = [Remark("note", "n"), Remark("warning", "w"), Remark("error", "e")]
    monkeypatch.setattr(trial, "check_data", lambda *_: found)

    tried_out = try_out(config_from_mapping(settings_for(tmp_path)))

    assert [remark.level for remark in tried_out.remarks] == ["error", "warning", "note"]
    assert tried_out.lines()[-1] == "1 error, 1 warning: nothing was written"


@pytest.mark.parametrize(("own", "code"), [("Base", 0), ("Deaf", 1)])
def test_check_leaves_with_1_where_the_run_would_be_for_nothing(tmp_path, own, code):
    (tmp_path / "own.py").write_text(OWN_MODELS)
    (tmp_path / "c.yaml").write_text(json.dumps(settings_for(tmp_path, model={"name": f"{tmp_path}/own.py:{own}"})))

    result = CliRunner().invoke(main, ["check", str(tmp_path / "c.yaml"), "--json"])

    assert result.exit_code == code, result.output
    assert json.loads(result.stdout)["passed"] == (code == 0)
