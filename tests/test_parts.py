import pytest
import torch
from ignite.metrics import Accuracy, MeanSquaredError
from torch import nn
from torch.nn.functional import mse_loss

from ignite_workflow import ConfigError, TrainConfig, UnknownNameError, Workflow
from ignite_workflow.parts import build_engines, choose_metrics

NO_OTHERS = dict.fromkeys(("progress", "tensorboard", "curve_export"), False)
CPU = torch.device("cpu")
TRAIN = TrainConfig(max_epochs=1, device="cpu")


def test_the_loss_and_all_metrics_are_measured_without_a_word():
    chosen = choose_metrics(mse_loss, {"accuracy": Accuracy(), "mine": MeanSquaredError()}, None)

    assert list(chosen.metrics) == ["loss", "accuracy", "mine"]
    assert chosen.modes == {"loss": "min", "accuracy": "max", "mine": None}


def test_metrics_are_chosen_by_name():
    chosen = choose_metrics(mse_loss, {"accuracy": Accuracy(), "mine": MeanSquaredError()}, ["mine"])

    assert list(chosen.metrics) == ["loss", "mine"]


def test_without_a_loss_there_is_none_to_measure():
    assert list(choose_metrics(None, {"mine": MeanSquaredError()}, None).metrics) == ["mine"]


def test_an_unknown_metric_is_named():
    with pytest.raises(UnknownNameError, match=r"unknown metric 'acuracy'. Did you mean 'accuracy'\?"):
        choose_metrics(mse_loss, {"accuracy": Accuracy()}, ["acuracy"])


def test_several_optimizers_need_a_step_of_your_own():
    model = nn.Linear(1, 1)
    optimizers = {"a": torch.optim.SGD([model.weight]), "b": torch.optim.SGD([model.bias])}

    with pytest.raises(ConfigError, match="several optimizers need a train_step of your own"):
        build_engines(model, optimizers, mse_loss, CPU, TRAIN, {})


def test_a_run_without_a_loss_needs_a_step_of_your_own():
    model = nn.Linear(1, 1)

    with pytest.raises(ConfigError, match="a run without loss_fn needs a train_step of your own"):
        build_engines(model, torch.optim.SGD(model.parameters()), None, CPU, TRAIN, {})


@pytest.mark.parametrize(("accumulate", "steps"), [(1, 4), (2, 2), (3, 2)])
def test_the_optimizer_steps_once_a_window(accumulate, steps):
    model = nn.Linear(1, 1)
    optimizer = torch.optim.SGD(model.parameters())
    counted = []
    optimizer.register_step_post_hook(lambda *_: counted.append(1))
    batches = [(torch.ones(2, 1), torch.ones(2, 1))] * 4
    train = TrainConfig(max_epochs=1, device="cpu", accumulate=accumulate)

    Workflow.from_parts(model, optimizer, mse_loss, batches, train=train, handlers={"progress": False}).run()

    assert len(counted) == steps


def test_a_person_measures_with_the_metrics_of_ignite_on_an_own_evaluation_step():
    model = nn.Linear(1, 1)
    workflow = Workflow.from_parts(
        model,
        torch.optim.SGD(model.parameters(), lr=0.0),
        mse_loss,
        [(torch.ones(2, 1), torch.ones(2, 1))],
        [(torch.ones(2, 1), torch.ones(2, 1))],
        train=TRAIN,
        handlers=NO_OTHERS,
        metrics={"mse": MeanSquaredError()},
        eval_step=lambda engine, batch: (batch[0] + 2, batch[1]),
    )

    workflow.run()

    assert workflow.records.last("val") == {"loss": 4.0, "mse": 4.0}


def test_precision_is_that_of_training_in_the_evaluation_too():
    seen = set()

    class Model(nn.Linear):
        def forward(self, x):
            y = super().forward(x)
            seen.add((self.training, y.dtype))
            return y

    model = Model(1, 1)
    batches = [(torch.ones(2, 1), torch.ones(2, 1))]
    train = TrainConfig(max_epochs=1, device="cpu", precision="bfloat16")

    Workflow.from_parts(
        model, torch.optim.SGD(model.parameters()), mse_loss, batches, batches, train=train, handlers=NO_OTHERS
    ).run()

    assert seen == {(True, torch.bfloat16), (False, torch.bfloat16)}


def own_step_workflow(**more):
    model = nn.Linear(1, 1)
    batches = [(torch.ones(2, 1), torch.ones(2, 1))]
    return Workflow.from_parts(
        model,
        torch.optim.SGD(model.parameters()),
        None,
        batches,
        batches,
        train=TRAIN,
        train_step=lambda engine, batch: {},
        **{"handlers": NO_OTHERS, **more},
    )


def test_without_a_loss_the_default_handlers_that_watch_it_are_left_out_with_a_word(caplog):
    workflow = own_step_workflow(metrics={"mse": MeanSquaredError()})

    workflow.run()

    assert "mse" in workflow.records.last("val")
    assert {"early_stopping", "best_weights"}.isdisjoint(workflow.handlers)
    [line] = [message for message in caplog.messages if message.startswith("left out")]
    assert line.startswith(
        "left out: early_stopping, best_weights. They watch the validation loss, which is not measured"
    )


def test_without_a_loss_they_watch_the_metric_they_are_told(caplog):
    accurate = {"metric": "accuracy", "mode": "max"}
    handlers = {**NO_OTHERS, "early_stopping": accurate, "best_weights": accurate}

    workflow = own_step_workflow(metrics={"accuracy": Accuracy()}, handlers=handlers)

    assert {"early_stopping", "best_weights"} <= set(workflow.handlers)
    assert caplog.messages == []


def test_a_metric_called_loss_is_the_loss(caplog):
    workflow = own_step_workflow(metrics={"loss": MeanSquaredError()})

    assert {"early_stopping", "best_weights"} <= set(workflow.handlers)
    assert caplog.messages == []
