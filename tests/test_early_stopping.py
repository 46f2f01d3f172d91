import math
from random import Random

import pytest
from ignite.engine import Events
from ignite.handlers import EarlyStopping as IgniteEarlyStopping

from ignite_workflow import ConfigError, UnknownNameError
from ignite_workflow.handlers.early_stopping import EarlyStopping
from ignite_workflow.testing import scripted_workflow


def epochs_run(losses, **options):
    workflow = scripted_workflow(handlers={"early_stopping": EarlyStopping(**options)}, loss=losses)
    workflow.run()
    return workflow.trainer.epochs_done


def test_stops_after_patience_evaluations_in_a_row_without_improvement():
    assert epochs_run([3.0, 2.0, 2.5, 2.4, 1.0], patience=2) == 4


def test_waits_again_after_an_improvement():
    assert epochs_run([3.0, 3.0, 2.0, 2.0, 1.0], patience=2) == 5


def test_an_equal_value_is_no_improvement():
    assert epochs_run([1.0] * 5, patience=3) == 4


def test_less_than_min_delta_is_no_improvement():
    assert epochs_run([1.0, 0.9, 0.8, 0.7], patience=1, min_delta=0.5) == 2
    assert epochs_run([1.0, 0.4, 0.3], patience=1, min_delta=0.5) == 3


def test_may_wait_for_a_metric_to_rise():
    workflow = scripted_workflow(
        handlers={"early_stopping": EarlyStopping(metric="accuracy", mode="max", patience=1)},
        accuracy=[0.5, 0.6, 0.55, 0.7],
    )

    workflow.run()

    assert workflow.trainer.epochs_done == 3


def test_nan_is_never_an_improvement():
    """Ignite 0.5.5's own handler takes NaN for an improvement and never stops such a run."""
    assert epochs_run([1.0] + [math.nan] * 9, patience=3) == 4
    assert epochs_run([math.nan] * 9, patience=3) == 3
    assert epochs_run([math.nan, math.nan, 1.0, 0.5, 0.4], patience=3) == 5


def test_says_why_it_stopped_and_that_it_is_for_good():
    workflow = scripted_workflow(handlers={"early_stopping": EarlyStopping(patience=2)}, loss=[1.0, 2.0, 3.0, 4.0])

    workflow.run()

    stop = workflow.trainer.stop_request
    assert stop.reason == "early stopping: val loss has not been better than 1 for 2 evaluations"
    assert stop.exit_code == 0


def test_goes_on_waiting_where_it_was_saved():
    before, after = EarlyStopping(patience=3), EarlyStopping(patience=3)
    scripted_workflow(handlers={"early_stopping": before}, loss=[1.0, 2.0, 3.0]).run()
    after.load_state_dict(before.state_dict())
    workflow = scripted_workflow(handlers={"early_stopping": after}, loss=[1.5, 0.5])

    workflow.run()

    assert workflow.trainer.epochs_done == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"patience": 0}, "patience must be at least 1, got 0"),
        ({"min_delta": -1.0}, "min_delta"),
        ({"min_delta": math.nan}, "min_delta"),
        ({"min_delta": math.inf}, "min_delta"),
    ],
)
def test_an_option_out_of_range_is_named(options, message):
    with pytest.raises(ConfigError, match=f"early_stopping: {message}"):
        EarlyStopping(**options)


def test_an_unknown_metric_is_named_before_training():
    with pytest.raises(UnknownNameError, match=r"unknown validation metric 'los'. Did you mean 'loss'\?"):
        scripted_workflow(handlers={"early_stopping": EarlyStopping(metric="los")}, loss=[1.0])


def test_the_wrong_direction_is_named_before_training():
    with pytest.raises(ConfigError, match="metric loss: mode must be 'min', got 'max'"):
        scripted_workflow(handlers={"early_stopping": EarlyStopping(mode="max")}, loss=[1.0])


@pytest.mark.parametrize("seed", range(20))
def test_agrees_with_ignite_on_finite_values(seed):
    random = Random(seed)
    losses = [round(random.uniform(0, 1), 2) for _ in range(30)]
    patience, min_delta = random.randint(1, 5), random.choice([0.0, 0.1])
    theirs = scripted_workflow(loss=losses)
    stopper = IgniteEarlyStopping(
        patience, lambda _: -theirs.val_metric("loss"), theirs.trainer, min_delta, cumulative=True
    )
    theirs.evaluator.add_event_handler(Events.COMPLETED, stopper)

    theirs.run()

    assert epochs_run(losses, patience=patience, min_delta=min_delta) == theirs.trainer.epochs_done
