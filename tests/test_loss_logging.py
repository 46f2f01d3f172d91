import pytest
import torch
from torch import nn

from ignite_workflow import ConfigError, StepOutput, TrainConfig, Workflow
from ignite_workflow.handlers.loss_logging import LossLogging
from ignite_workflow.testing import scripted_workflow

NOTHING = dict.fromkeys(("nan_guard", "progress", "tensorboard", "curve_export"), False)


def logged(outputs, *, max_epochs=1, prepare=None, **options):
    """A run whose steps return ``outputs``, one after the other."""
    handler = LossLogging(**options)
    left = iter(outputs * max_epochs)
    model = nn.Linear(1, 1)
    workflow = Workflow.from_parts(
        model,
        torch.optim.SGD(model.parameters()),
        None,
        outputs,
        train=TrainConfig(max_epochs=max_epochs, device="cpu"),
        handlers={**NOTHING, "loss_logging": handler},
        train_step=lambda engine, batch: next(left),
    )
    if prepare:
        prepare(workflow, handler)
    workflow.run()
    return workflow.records


def output(loss, size=1):
    return StepOutput(torch.tensor(loss), size)


def test_the_mean_is_over_samples_not_batches():
    records = logged([output(1.0, 3), output(5.0, 1)])

    assert [tuple(row) for row in records] == [(2, 1, "train", "loss", 2.0)]


def test_each_epoch_has_a_mean_of_its_own():
    workflow = scripted_workflow(handlers={"loss": LossLogging()}, train_losses=[1.0, 2.0], max_epochs=2)

    workflow.run()

    assert workflow.records.curve("train", "loss") == [(2, 1.5), (4, 1.5)]


def test_every_so_many_epochs_the_mean_is_over_all_of_them():
    records = logged([output(1.0), output(3.0)], max_epochs=2, every={"epochs": 2})

    assert records.curve("train", "loss") == [(4, 2.0)]


def test_every_so_many_iterations_across_epochs():
    records = logged([output(float(n)) for n in range(1, 6)], max_epochs=2, every={"iterations": 3})

    assert records.curve("train", "loss") == [(3, 2.0), (6, (4 + 5 + 1) / 3), (9, 3.0)]


@pytest.mark.parametrize("steps", [1023, 1024, 1025, 2048])
def test_long_epochs_are_summed_in_parts(steps):
    records = logged([output(float(n % 7), 1 + n % 3) for n in range(steps)])

    sizes = [1 + n % 3 for n in range(steps)]
    expected = sum(n % 7 * size for n, size in enumerate(sizes)) / sum(sizes)
    assert records.last("train")["loss"] == pytest.approx(expected, rel=1e-12)


def test_what_waits_on_the_device_is_bounded():
    handler = LossLogging()

    fed(handler, [output(1.0)] * 5000)

    assert len(handler.means["loss"].losses) < 1024


def test_sums_are_float64():
    """Added up in float32, the small losses behind the large one would be lost."""
    records = logged([output(2.0**24)] + [output(1.0)] * 9)

    assert records.last("train")["loss"] == (2.0**24 + 9) / 10


def test_named_losses_are_means_over_the_steps_that_returned_them():
    steps = [{"d": torch.tensor(1.0)}, {"d": 2.0, "g": torch.tensor(8.0)}, {"d": 3.0}, {"g": 4.0, "d": 6.0}]

    assert logged(steps).last("train") == {"d": 3.0, "g": 6.0}


def test_losses_are_not_kept_with_their_graphs():
    weight = torch.ones((), requires_grad=True)
    handlers = []

    def prepare(workflow, handler):
        handlers.append(handler)
        workflow.trainer.add_event_handler("ITERATION_COMPLETED", lambda: handlers.append([*handler.means["a"].losses]))

    logged([{"a": 2 * weight}], prepare=prepare)

    assert [loss.requires_grad for loss in handlers[1]] == [False]


def test_the_device_is_not_waited_for_each_step(monkeypatch):
    waits = []
    monkeypatch.setattr(torch.Tensor, "item", lambda self: waits.append("item"))
    monkeypatch.setattr(torch.Tensor, "cpu", lambda self: waits.append("cpu"))
    monkeypatch.setattr(torch.Tensor, "tolist", lambda self: waits.append("tolist") or [1.0] * len(self))

    logged([output(1.0)] * 50)

    assert waits == ["tolist"]


def test_any_other_output_is_named():
    with pytest.raises(ConfigError, match=r"must return StepOutput.* or a mapping from names to losses, got NoneType"):
        logged([None])


def test_minutes_are_refused():
    with pytest.raises(ConfigError, match=r"loss_logging: every must be \{epochs: n\} or \{iterations: n\}"):
        LossLogging(every={"minutes": 1})


@pytest.mark.parametrize("split", [1, 1024, 1030])
def test_goes_on_adding_where_it_was_saved(split):
    """The same bits, not only about the same: the parts that are summed must be the same too."""
    outputs = [output(1.0 / (n + 1), 1 + n % 5) for n in range(1040)]
    before, after = LossLogging(), LossLogging()
    fed(before, outputs[:split])
    fed(after, [])
    after.load_state_dict(before.state_dict())
    fed(after, outputs[split:])

    after.record()

    assert after.workflow.records.last("train") == logged(outputs).last("train")


def fed(handler, outputs):
    if not hasattr(handler, "workflow"):
        scripted_workflow(handlers={"loss_logging": handler})
    for each in outputs:
        handler.workflow.trainer.state.output = each
        handler.add()
