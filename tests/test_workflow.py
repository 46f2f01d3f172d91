import logging
import os
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from ignite.engine import Events
from torch import nn
from torch.nn.functional import mse_loss
from torch.utils.data import DataLoader, TensorDataset

from ignite_workflow import (
    CheckpointError,
    CheckpointStore,
    ConfigError,
    Handler,
    RunDirectory,
    TrainConfig,
    UnknownNameError,
    Workflow,
    WorkflowEvents,
)
from ignite_workflow.testing import scripted_workflow

NO_OTHERS = dict.fromkeys(("progress", "tensorboard", "curve_export", "status_file"), False)
DATA = TensorDataset(torch.linspace(0, 1, 12)[:, None], torch.linspace(1, 2, 12)[:, None])


@dataclass
class Watcher(Handler):
    """Only watches; says when it is closed."""

    observer = True

    def __post_init__(self):
        self.closed = 0

    def attach(self, workflow):
        pass

    def close(self):
        self.closed += 1


@dataclass
class Steering(Watcher):
    observer = False


def build(
    directory=None, *, max_epochs=2, seed=0, handlers=None, workers=0, model=None, loader=None, loss_fn=mse_loss, **more
):
    torch.manual_seed(0)
    model = model or nn.Sequential(nn.Linear(1, 8), nn.Dropout(), nn.Linear(8, 1))
    loader = loader or DataLoader(DATA, batch_size=4, shuffle=True, num_workers=workers)
    return Workflow.from_parts(
        model,
        torch.optim.SGD(model.parameters(), lr=0.1),
        loss_fn,
        loader,
        DataLoader(DATA, batch_size=4),
        train=TrainConfig(max_epochs=max_epochs, seed=seed, device="cpu"),
        handlers={**NO_OTHERS, **(handlers or {})},
        run_directory=directory,
        **more,
    )


def weights(workflow):
    return [parameter.detach().clone() for parameter in workflow.model.parameters()]


def same(left, right):
    return all(map(torch.equal, left, right))


# Assembling


def test_a_weight_that_cannot_be_saved_is_refused_before_anything_is_trained(tmp_path):
    model = nn.Linear(1, 1)
    model.register_buffer("scale", torch.ones(1).to(torch.float8_e4m3fn))

    with pytest.raises(ConfigError, match=r"weight 'scale' is of torch.float8_e4m3fn, which cannot be saved: convert"):
        build(tmp_path, model=model)


def test_trains_the_parts_it_is_given():
    workflow = build(max_epochs=30, model=nn.Linear(1, 1), handlers={"early_stopping": False})

    workflow.run()

    losses = [value for _, value in workflow.records.curve("val", "loss")]
    assert len(losses) == 30
    assert losses[-1] < 0.01 < losses[0]


def test_the_same_seed_gives_the_same_weights_and_another_one_others():
    runs = [build(seed=seed) for seed in (0, 0, 1)]
    for workflow in runs:
        workflow.run()

    assert same(weights(runs[0]), weights(runs[1]))
    assert not same(weights(runs[0]), weights(runs[2]))


def test_another_seed_gives_another_order():
    first, same, other = (build(seed=seed).train_loader.dataset.rows(1, 0) for seed in (0, 0, 1))

    assert first == same != other


def test_a_loaded_model_is_put_in_train_mode_and_layers_frozen_by_hand_are_left():
    loaded, partly = nn.Sequential(nn.Linear(1, 1), nn.Dropout()).eval(), nn.Sequential(nn.Linear(1, 1), nn.Dropout())
    partly[1].eval()

    build(model=loaded)
    build(model=partly)

    assert [module.training for module in loaded.modules()] == [True, True, True]
    assert [module.training for module in partly.modules()] == [True, True, False]


def test_the_number_of_epochs_must_be_known():
    with pytest.raises(ConfigError, match=r"train.max_epochs must be set"):
        build(max_epochs=None)


def test_a_handler_that_cannot_be_attached_lets_the_directory_go(tmp_path):
    with pytest.raises(UnknownNameError, match="'los'"):
        build(tmp_path, handlers={"early_stopping": {"metric": "los"}})

    build(tmp_path).run_directory.close()


def test_a_directory_that_was_held_before_stays_held(tmp_path):
    with RunDirectory(tmp_path) as directory:
        with pytest.raises(UnknownNameError):
            build(directory, handlers={"early_stopping": {"metric": "los"}})

        build(directory).run()

        assert (tmp_path / "checkpoints").is_dir()


def test_without_a_directory_nothing_is_written(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    build().run()

    assert list(tmp_path.iterdir()) == []


class Draws(nn.Linear):
    def forward(self, x):
        return super().forward(x)


@pytest.mark.parametrize(
    ("more", "foreign"),
    [
        ({}, False),
        ({"model": Draws(1, 1)}, True),
        ({"handlers": {"mine": Watcher()}}, True),
        ({"loss_fn": lambda y_pred, y: mse_loss(y_pred, y)}, True),
        ({"loss_fn": nn.MSELoss()}, False),
        ({"loader": [(torch.ones(1, 1), torch.ones(1, 1))]}, True),
        ({"train_step": lambda engine, batch: {}}, True),
        ({"loader": DataLoader(type("Own", (TensorDataset,), {})(*DATA.tensors), batch_size=4)}, True),
    ],
)
def test_random_and_numpy_are_seeded_where_somebody_foreign_may_draw(more, foreign):
    assert build(**more).foreign is foreign


# Running


def test_handlers_that_draw_random_numbers_do_not_disturb_training():
    plain, disturbed = build(), build()
    for engine in (disturbed.trainer, disturbed.evaluator):
        for event in (Events.EPOCH_STARTED, Events.ITERATION_COMPLETED, Events.EPOCH_COMPLETED):
            engine.add_event_handler(event, lambda: torch.rand(3))
    plain.run()
    disturbed.run()

    assert same(weights(plain), weights(disturbed))


def test_a_model_that_draws_when_it_is_evaluated_draws_the_same_each_time():
    class Noisy(nn.Linear):
        def forward(self, x):
            return super().forward(x) + torch.randn(1)

    workflow = build(model=Noisy(1, 1))
    losses = []
    for _ in range(2):
        torch.rand(1)
        workflow.evaluate()
        losses.append(workflow.val_metric("loss"))

    assert losses[0] == losses[1]


def test_a_record_has_the_present_iteration_and_epoch():
    workflow = scripted_workflow(train_losses=[0.0, 0.0], max_epochs=2)
    workflow.trainer.add_event_handler(Events.ITERATION_COMPLETED(once=3), lambda: workflow.record("train", "x", 1))

    workflow.run()

    [row] = workflow.records
    assert tuple(row) == (3, 2, "train", "x", 1.0)


def test_a_metric_is_checked_by_name_and_direction():
    workflow = scripted_workflow(loss=[1.0], accuracy=[0.5], mine=[3.0])

    workflow.check_metric("accuracy", "max")
    workflow.check_metric("mine", "min")
    workflow.check_metric("mine", "max")
    with pytest.raises(ConfigError, match="metric accuracy: mode must be 'max', got 'min'"):
        workflow.check_metric("accuracy", "min")
    with pytest.raises(UnknownNameError, match=r"unknown validation metric 'acuracy'. Did you mean 'accuracy'\?"):
        workflow.check_metric("acuracy", "max")


@pytest.mark.parametrize("error", [None, ZeroDivisionError])
def test_every_handler_is_closed_however_the_run_ends(error, caplog):
    watcher, broken = Watcher(), Watcher()
    broken.close = lambda: 1 / 0
    workflow = scripted_workflow(handlers={"broken": broken, "watcher": watcher})
    if error:
        workflow.trainer.add_event_handler(Events.ITERATION_STARTED, lambda: 1 / 0)
        with pytest.raises(error):
            workflow.run()
    else:
        workflow.run()

    assert watcher.closed == 1
    assert "handler broken could not be closed" in caplog.text


def test_workers_end_with_the_run():
    workflow = build(workers=1)
    workers = []

    @workflow.trainer.on(Events.ITERATION_COMPLETED(once=1))
    def note():
        workers.extend(workflow.train_loader._iterator._workers)

    workflow.run()

    assert [worker.is_alive() for worker in workers] == [False]


def test_records_are_in_the_file_after_the_run(tmp_path):
    build(tmp_path).run()

    assert len((tmp_path / "metrics.jsonl").read_text().splitlines()) == 4


# Saving


def saving(path, event, **filters):
    """A run of three iterations that asks for a checkpoint at ``event``; what it was told, and what there is then."""
    workflow = scripted_workflow(path, train_losses=[0.0] * 3, max_epochs=1)
    answers = []
    workflow.trainer.add_event_handler(
        event(**filters) if filters else event,
        lambda: answers.append((workflow.save_checkpoint(), workflow.checkpoint_store().steps())),
    )
    workflow.run()
    return answers, workflow.checkpoint_store().steps()


def test_a_checkpoint_asked_for_at_a_safe_point_is_there_at_once(tmp_path):
    answers, _ = saving(tmp_path, WorkflowEvents.SAFE_POINT, once=2)

    assert answers == [(tmp_path / "checkpoints" / "step-00000002.ckpt", [2])]


def test_asked_for_anywhere_else_it_is_there_at_the_next_safe_point(tmp_path):
    answers, steps = saving(tmp_path, Events.ITERATION_STARTED, once=2)

    assert answers == [(None, [])]
    assert steps == [2]


def test_asked_for_again_and_again_it_is_saved_once_a_moment(tmp_path, monkeypatch):
    saved = []
    monkeypatch.setattr(CheckpointStore, "_write", lambda store, step, *_: saved.append(step))

    saving(tmp_path, WorkflowEvents.GRADIENTS_READY)

    assert saved == [1, 2, 3]


def test_records_are_on_disk_before_the_checkpoint_that_counts_on_them(tmp_path, monkeypatch):
    monkeypatch.setattr("ignite_workflow.records._TAIL_BYTES", 1)  # the checkpoint holds no line itself
    workflow = scripted_workflow(tmp_path, loss=[1.0])
    on_disk = []

    def sync(descriptor):
        name = Path(os.readlink(f"/proc/self/fd/{descriptor}")).name
        on_disk.append((name, os.fstat(descriptor).st_size))

    monkeypatch.setattr(os, "fdatasync", sync)
    workflow.trainer.add_event_handler(Events.EPOCH_COMPLETED, workflow.save_checkpoint)

    workflow.run()

    [records, checkpoint] = [entry for entry in on_disk if entry[0] in ("metrics.jsonl", "unfinished.tmp")]
    assert records == ("metrics.jsonl", workflow.checkpoint_store().load_newest()["records"]["bytes"])
    assert checkpoint == ("unfinished.tmp", workflow.checkpoint_store().path(1).stat().st_size)


def test_a_checkpoint_asked_for_that_cannot_be_written_does_not_end_the_training(tmp_path, monkeypatch, caplog):
    def fail(store, step, *_):
        raise OSError("No space left on device")

    monkeypatch.setattr(CheckpointStore, "_write", fail)

    saving(tmp_path, Events.ITERATION_STARTED, once=2)

    [warning] = [record for record in caplog.records if record.levelno == logging.WARNING]
    assert "checkpoint not saved: No space left on device" in warning.getMessage()


def test_without_a_directory_there_is_nowhere_to_save():
    with pytest.raises(ConfigError, match="checkpoints need a run directory"):
        scripted_workflow().save_checkpoint()


# Resuming


def stopped(path, at=4, **options):
    """A run that was stopped at that iteration, its directory free again."""
    workflow = build(path, **options)
    workflow.trainer.add_event_handler(
        Events.ITERATION_STARTED(once=at), lambda: workflow.request_stop("signal", exit_code=143)
    )
    workflow.run()
    workflow.run_directory.close()


def test_there_is_nothing_to_resume_at_first(tmp_path):
    assert build(tmp_path).resume() is False


def test_goes_on_to_the_weights_of_an_unbroken_run(tmp_path):
    unbroken = build()
    unbroken.run()
    stopped(tmp_path)
    workflow = build(tmp_path)

    assert workflow.resume() is True
    workflow.run()

    assert same(weights(workflow), weights(unbroken))
    assert workflow.records.rows == unbroken.records.rows


def test_what_was_recorded_after_the_checkpoint_is_cut_off(tmp_path):
    stopped(tmp_path)
    content = (tmp_path / "metrics.jsonl").read_bytes()
    (tmp_path / "metrics.jsonl").write_bytes(content + content)
    workflow = build(tmp_path)

    workflow.resume()
    workflow.records.sync()

    assert (tmp_path / "metrics.jsonl").read_bytes() == content


def test_frozen_weights_and_modes_are_part_of_the_state(tmp_path):
    workflow = build(tmp_path)
    workflow.trainer.add_event_handler(Events.ITERATION_STARTED(once=2), freeze, workflow.model)
    workflow.trainer.add_event_handler(Events.ITERATION_COMPLETED(once=4), lambda: workflow.request_stop("", 143))
    workflow.run()
    workflow.run_directory.close()
    again = build(tmp_path)

    again.resume()
    again.run()

    assert [parameter.requires_grad for parameter in again.model.parameters()] == [False, True, True, True]
    assert [module.training for module in again.model.modules()] == [True, True, False, True]


def freeze(model):
    model[0].weight.requires_grad_(False)
    model[1].eval()


def test_a_run_with_another_handler_that_steers_is_refused(tmp_path):
    stopped(tmp_path)

    with pytest.raises(CheckpointError, match="do not have the same handlers: steering"):
        build(tmp_path, handlers={"steering": Steering()}).resume()


def test_a_run_that_lacks_a_handler_that_steered_is_refused(tmp_path):
    stopped(tmp_path, handlers={"steering": Steering()})

    with pytest.raises(CheckpointError, match="do not have the same handlers: steering"):
        build(tmp_path).resume()


def test_handlers_that_only_watch_may_come_and_go(tmp_path):
    stopped(tmp_path, handlers={"gone": Watcher()})
    workflow = build(tmp_path, handlers={"new": Watcher()})

    assert workflow.resume()
    workflow.run()


def test_a_checkpoint_of_another_model_is_refused(tmp_path):
    stopped(tmp_path)
    workflow = build(tmp_path, model=nn.Linear(1, 1))
    workflow.resume()

    with pytest.raises(CheckpointError, match="the checkpoint does not fit the model"):
        workflow.run()


@pytest.mark.parametrize(
    "optimizer",
    [
        lambda model: torch.optim.AdamW(model.parameters()),
        lambda model: torch.optim.SGD([model[0].weight]),
        lambda model: {"mine": torch.optim.SGD(model.parameters())},
    ],
)
def test_a_checkpoint_of_another_optimizer_is_refused(tmp_path, optimizer):
    stopped(tmp_path)
    workflow = build(tmp_path)
    workflow.optimizer = optimizer(workflow.model)
    workflow.resume()

    with pytest.raises(CheckpointError, match="with another optimizer, or other parameter groups"):
        workflow.run()


def test_data_of_another_size_are_refused(tmp_path):
    stopped(tmp_path)
    workflow = build(tmp_path, loader=DataLoader(DATA, batch_size=3))
    workflow.resume()

    with pytest.raises(ConfigError, match="an epoch has 4 batches now and had 3: data or batch size changed"):
        workflow.run()


def test_records_that_were_edited_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("ignite_workflow.records._TAIL_BYTES", 1)
    stopped(tmp_path)
    path = tmp_path / "metrics.jsonl"
    path.write_text(path.read_text().replace("val", "wal"))

    with pytest.raises(CheckpointError, match=r"metrics.jsonl is not what it was"):
        build(tmp_path).resume()


def test_more_epochs_go_on_from_the_last_weights_not_the_best(tmp_path):
    long = build(max_epochs=4)
    long.run()
    short = build(tmp_path, max_epochs=2)
    short.run()
    short.run_directory.close()
    workflow = build(tmp_path, max_epochs=4)

    workflow.resume()
    workflow.run()

    assert same(weights(workflow), weights(long))
    assert workflow.records.rows == long.records.rows
