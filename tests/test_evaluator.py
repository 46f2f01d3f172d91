import pytest
import torch
from ignite.engine import Events
from ignite.metrics import Average
from torch import nn

from ignite_workflow import ConfigError, EvaluationEngine, WorkflowEngine, WorkflowEvents
from ignite_workflow.state import EvaluationAbandoned


def build(step=lambda engine, batch: float(batch), trainer=None):
    return EvaluationEngine(step, nn.Sequential(nn.Dropout(), nn.BatchNorm1d(2)), trainer)


def modes(evaluator):
    return [module.training for module in evaluator.model.modules()]


def test_runs_as_often_as_asked_each_time_from_the_beginning():
    evaluator = build()
    Average().attach(evaluator, "mean")

    assert [evaluator.run(data).metrics["mean"] for data in ([1, 2], [3, 4, 5], [1, 2])] == [1.5, 4.0, 1.5]
    assert evaluator.state.iteration == 2


def test_evaluates_in_eval_mode_and_gives_each_module_its_own_mode_back():
    seen = []
    evaluator = build(lambda engine, batch: seen.append(modes(engine)))
    evaluator.model[1].eval()

    evaluator.run([0])

    assert seen == [[False, False, False]]
    assert modes(evaluator) == [True, True, False]


def test_the_modes_come_back_though_the_step_fails():
    evaluator = build(lambda engine, batch: 1 / 0)

    with pytest.raises(ZeroDivisionError):
        evaluator.run([0])

    assert modes(evaluator) == [True, True, True]


def test_runs_again_after_a_failure():
    evaluator = build(lambda engine, batch: 1 / batch)
    with pytest.raises(ZeroDivisionError):
        evaluator.run([1, 0])

    assert evaluator.run([1, 1]).iteration == 2


def test_a_stop_to_be_resumed_breaks_it_off_at_the_next_batch():
    trainer = WorkflowEngine(lambda engine, batch: None)
    seen = []
    evaluator = build(lambda engine, batch: seen.append(batch), trainer)
    evaluator.add_event_handler(Events.ITERATION_STARTED(once=2), lambda: trainer.request_stop("signal", 143))
    completed = []
    evaluator.add_event_handler(Events.COMPLETED, lambda: completed.append(True))

    with pytest.raises(EvaluationAbandoned):
        evaluator.run(range(5))

    assert seen == [0, 1]
    assert completed == []
    assert modes(evaluator) == [True, True, True]


def test_a_stop_for_good_lets_it_finish():
    trainer = WorkflowEngine(lambda engine, batch: None)
    evaluator = build(trainer=trainer)
    trainer.request_stop("early stopping")

    assert evaluator.run(range(5)).iteration == 5


def test_what_is_abandoned_is_no_exception_for_those_who_listen_to_them():
    trainer = WorkflowEngine(lambda engine, batch: None)
    evaluator = build(trainer=trainer)
    heard = []
    evaluator.add_event_handler(Events.EXCEPTION_RAISED, heard.append)
    trainer.request_stop("signal", 143)

    with pytest.raises(EvaluationAbandoned):
        evaluator.run([1])

    assert heard == []


def test_runs_again_after_it_was_broken_off():
    trainer = WorkflowEngine(lambda engine, batch: None)
    evaluator = build(trainer=trainer)
    trainer.request_stop("signal", 143)
    with pytest.raises(EvaluationAbandoned):
        evaluator.run([1, 2, 3])
    trainer.stop_request = None

    assert evaluator.run([1, 2]).iteration == 2


def test_runs_again_after_it_was_broken_off_at_its_last_batch():
    trainer = WorkflowEngine(lambda engine, batch: None)
    evaluator = build(trainer=trainer)
    stop = Events.ITERATION_STARTED(once=2), lambda: trainer.request_stop("signal", 143)
    with evaluator.add_event_handler(*stop), pytest.raises(EvaluationAbandoned):
        evaluator.run([1, 2])
    trainer.stop_request = None
    Average().attach(evaluator, "mean")

    again = evaluator.run([1, 2, 3, 4])

    assert (again.iteration, again.metrics) == (4, {"mean": 2.5})


def test_may_be_stopped_by_itself_and_runs_again():
    evaluator = build()
    handle = evaluator.add_event_handler(Events.ITERATION_COMPLETED(once=2), evaluator.terminate)

    assert evaluator.run(range(5)).iteration == 2
    handle.remove()
    assert evaluator.run(range(5)).iteration == 5


def test_its_loader_starts_from_its_first_batch_each_time():
    class Loader(list):
        def seek(self, epoch, batch):
            asked.append((epoch, batch))

    asked = []
    evaluator = build()
    evaluator.run(Loader([1, 2]))
    evaluator.run(Loader([1, 2]))

    assert asked == [(1, 0), (1, 0)]


def test_nothing_to_evaluate_is_an_error():
    with pytest.raises(ConfigError, match="no batches"):
        build().run([])


def test_an_in_step_event_listened_to_on_it_is_an_error():
    evaluator = build()
    evaluator.add_event_handler(WorkflowEvents.FORWARD_COMPLETED, lambda: None)

    with pytest.raises(ConfigError, match="listens to FORWARD_COMPLETED, which the train step"):
        evaluator.run([1])


def test_costs_no_gradient():
    model = nn.Linear(2, 1)
    evaluator = EvaluationEngine(lambda engine, batch: model(batch), model)

    evaluator.run([torch.ones(1, 2)])

    assert all(parameter.grad is None for parameter in model.parameters())
