"""Which settings make another run of it."""

from types import SimpleNamespace

import pytest

from ignite_workflow import ConfigError, config_from_mapping
from ignite_workflow.same_run import asks_for_another, check_same_run

GIVEN = {"data": {"path": "a.csv", "target": "y"}, "train": {"max_epochs": 5, "batch_size": 8}}


def settings(**train):
    return config_from_mapping({**GIVEN, "train": {**GIVEN["train"], **train}})


def test_a_run_goes_on_with_its_own_settings_and_with_others_that_no_number_depends_on():
    check_same_run(settings(), settings(), None)
    check_same_run(settings(), settings(workers=2, max_minutes=5), None)


def test_every_setting_that_makes_another_run_is_named():
    with pytest.raises(ConfigError, match=r"changed: train\.batch_size: 8 -> 4; train\.seed: 0 -> 1"):
        check_same_run(settings(), settings(batch_size=4, seed=1), None)


def test_a_handler_of_ones_own_is_not_taken_for_one_that_only_watches_by_the_beginning_of_its_id():
    def run(scale):
        return config_from_mapping({**GIVEN, "handlers": {"progress_noise": {"use": "ema", "decay": scale}}})

    with pytest.raises(ConfigError, match=r"handlers\.progress_noise\.decay: 0\.5 -> 0\.9"):
        check_same_run(run(0.5), run(0.9), None)


def test_more_epochs_are_the_same_run_where_the_schedule_does_not_depend_on_their_number():
    check_same_run(settings(), settings(max_epochs=6), None)
    check_same_run(settings(), settings(max_epochs=6), SimpleNamespace(depends_on_total=False))
    with pytest.raises(ConfigError, match="depends on the number of epochs"):
        check_same_run(settings(), settings(max_epochs=6), SimpleNamespace(depends_on_total=True))


@pytest.mark.parametrize("handler", [{"evaluation": {}}, {"mine": {"use": "evaluation"}}])
def test_more_epochs_are_another_run_where_its_end_was_evaluated_off_the_interval(handler):
    def run(epochs):
        handlers = {name: {**options, "every": {"epochs": 2}} for name, options in handler.items()}
        return config_from_mapping({**GIVEN, "train": {"max_epochs": epochs}, "handlers": handlers})

    check_same_run(run(4), run(5), None)
    with pytest.raises(ConfigError, match="off the interval of 2 epochs"):
        check_same_run(run(5), run(6), None)


def test_fewer_epochs_make_another_run():
    with pytest.raises(ConfigError, match=r"train\.max_epochs: 5 -> 4"):
        check_same_run(settings(), settings(max_epochs=4), None)


@pytest.mark.parametrize(
    ("given", "other"), [({}, False), ({"batch_size": None}, False), ({"workers": 2}, False), ({"seed": 1}, True)]
)
def test_settings_that_were_left_open_are_those_of_the_run(given, other):
    assert asks_for_another(settings(), settings(**given)) is other
