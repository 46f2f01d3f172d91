"""What a run gets where nothing was said: what fits, and nothing it has no use for."""

import pytest

from ignite_workflow import config_from_mapping
from ignite_workflow.recipe import complete, default_batch_size, default_max_epochs
from ignite_workflow.targets import Target

TABLE = {"data": {"path": "/a.csv"}}
OWN_STEP = {"data": {"kind": "gan:ring"}, "train": {"step": "gan:train_step"}}


def completed(settings, task, *, classes="ab", **sizes):
    target = task and Target(task=task, columns=("y",), classes=tuple(classes))
    return complete(config_from_mapping(settings), sizes=sizes, target=target)


@pytest.mark.parametrize(("rows", "batch_size"), [(1, 32), (2_048, 32), (20_000, 256), (10_000_000, 1024)])
def test_a_batch_is_a_64th_of_the_rows_within_limits(rows, batch_size):
    assert default_batch_size(rows) == batch_size


@pytest.mark.parametrize(("rows", "epochs"), [(1, 400), (14_000, 40), (10_000_000, 20)])
def test_few_rows_are_passed_over_more_often(rows, epochs):
    assert default_max_epochs(rows) == epochs


def test_a_batch_is_no_larger_than_the_data():
    assert completed(TABLE, "binary", train=20).train.batch_size == 20


def test_a_table_gets_a_model_a_loss_an_optimizer_and_a_schedule():
    config = completed(TABLE, "multiclass", train=100, val=20)

    names = [config.model.name, config.loss.name, config.optimizer.name, config.schedule.name]
    assert names == ["mlp", "cross_entropy", "adam", "cosine"]


@pytest.mark.parametrize("task", ["binary", "multiclass"])
def test_the_penalty_on_the_scores_of_classes_fades_as_rows_grow(task):
    few, many = completed(TABLE, task, train=128).optimizer, completed(TABLE, task, train=12_800).optimizer

    assert few.options["groups"] == [
        {"match": "head.weight", "weight_decay": 2.0},
        {"match": "linear_path.*", "weight_decay": 100 / 128},
    ]
    assert many.options["groups"][0]["weight_decay"] == 0.02


def test_many_classes_share_what_pulls_at_their_scores():
    groups = completed(TABLE, "multiclass", classes="abcdef", train=128).optimizer.options["groups"]

    assert [group["weight_decay"] for group in groups] == [1.0, 50 / 128]


@pytest.mark.parametrize("optimizer", [{"weight_decay": 0.1}, {"groups": []}])
def test_who_says_what_pulls_at_the_weights_gets_the_default_optimizer(optimizer):
    found = completed({**TABLE, "optimizer": optimizer}, "binary", train=100).optimizer

    assert (found.name, found.options) == ("adamw", {"lr": 2e-3, "weight_decay": 1e-2, **optimizer})


@pytest.mark.parametrize(("model", "task"), [("mlp", "regression"), ("linear", "binary"), ("own:Model", "binary")])
def test_values_and_other_models_get_the_default_optimizer(model, task):
    assert completed({**TABLE, "model": model}, task, train=100).optimizer.name == "adamw"


def test_a_learning_rate_alone_leaves_the_pull_in_place():
    found = completed({**TABLE, "optimizer": {"lr": 0.5}}, "binary", train=256).optimizer

    assert (found.name, found.options["lr"], len(found.options["groups"])) == ("adam", 0.5, 2)


def test_options_without_a_name_go_to_the_default_component_and_not_to_another():
    given = {**TABLE, "optimizer": {"lr": 0.5}, "schedule": {"name": "constant"}}
    config = completed(given, "regression", train=100)

    assert config.optimizer.options == {"lr": 0.5, "weight_decay": 1e-2}
    assert config.schedule.options == {}


def test_early_stopping_waits_for_a_third_of_the_run_unless_told():
    asked = {**TABLE, "handlers": {"early_stopping": {"patience": 7}}}

    assert completed(TABLE, "binary", train=14_000, val=1).handlers == {"early_stopping": {"patience": 13}}
    assert completed(asked, "binary", train=14_000, val=1).handlers == asked["handlers"]


def test_a_linear_model_learns_faster_and_its_weights_are_left_alone():
    config = completed({**TABLE, "model": "linear"}, "binary", train=100)

    assert config.optimizer.name == "adamw"
    assert config.optimizer.options == {"lr": 2e-2, "weight_decay": 0.0}


@pytest.mark.parametrize(("given", "threads"), [({}, 1), ({"threads": 3}, 3), ({"threads": "auto"}, "auto")])
def test_one_thread_computes_unless_told_otherwise(given, threads):
    assert completed({**TABLE, "train": given}, "binary", train=100).train.threads == threads


def test_early_stopping_waits_for_five_evaluations_at_least():
    short = {**TABLE, "train": {"max_epochs": 6}}

    assert completed(short, "binary", train=1_000, val=1).handlers == {"early_stopping": {"patience": 5}}


def test_with_few_rows_weights_are_averaged():
    few, enough = (completed(TABLE, "regression", train=rows).handlers for rows in (199, 200))

    assert (few, enough) == ({"ema": {"decay": 0.97}}, {})


@pytest.mark.parametrize("given", [{"ema": False}, {"ema": {"decay": 0.9}}, {"mine": {"use": "ema"}}])
def test_who_says_how_weights_are_averaged_is_heard(given):
    assert completed({**TABLE, "handlers": given}, "regression", train=100).handlers == given


@pytest.mark.parametrize(
    "settings",
    [{"model": {"name": "linear"}}, {"train": {"overfit_batches": 1}}, {"train": {"step": "gan:train_step"}}],
)
def test_weights_are_averaged_where_that_was_measured_alone(settings):
    assert "ema" not in completed({**TABLE, **settings}, "regression", train=100).handlers


def test_without_a_validation_split_there_is_no_early_stopping_to_wait():
    overfit = {**TABLE, "train": {"overfit_batches": 1}}

    assert completed(TABLE, "binary", train=200).handlers == {}
    assert completed(overfit, "binary", train=100).handlers.keys() == {
        "early_stopping"
    }  # it validates on those batches


def test_a_step_of_ones_own_gets_no_loss_schedule_or_early_stopping_it_did_not_ask_for():
    config = completed(OWN_STEP, None, train=100, val=20)

    assert (config.loss, config.schedule, config.handlers) == (None, None, {})
