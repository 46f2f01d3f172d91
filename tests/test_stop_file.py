import time

import pytest
from ignite.engine import Events

from ignite_workflow import ConfigError
from ignite_workflow.handlers.stop_file import StopFile
from ignite_workflow.testing import scripted_workflow

PATIENCE = 300


def scripted(directory, **options):
    handler = StopFile(**options)
    handler.ticker.seconds = 0.001
    return scripted_workflow(directory, handlers={"stop_file": handler}, train_losses=[0.0] * 3, loss=[0.0] * 2)


def stop_by(workflow, file):
    """Put the file there and wait until it is seen."""
    file.touch()
    end = time.monotonic() + PATIENCE
    while workflow.trainer.stop_request is None and time.monotonic() < end:
        time.sleep(0.001)


@pytest.mark.parametrize("options", [{}, {"name": "please-end"}])
def test_a_file_in_its_directory_stops_the_run_to_be_resumed(tmp_path, options):
    workflow, file = scripted(tmp_path, **options), tmp_path / options.get("name", "stop")
    workflow.trainer.add_event_handler(Events.ITERATION_STARTED(once=2), stop_by, workflow, file)

    workflow.run()

    assert (workflow.exit_code, workflow.trainer.state.iteration) == (75, 2)
    assert workflow.trainer.stop_request.reason == f"{file} is there"


def test_an_evaluation_is_abandoned_for_it(tmp_path):
    workflow = scripted(tmp_path)
    workflow.evaluator.add_event_handler(Events.ITERATION_STARTED, stop_by, workflow, tmp_path / "stop")

    workflow.run()

    assert (workflow.exit_code, workflow.trainer.pending_epoch_end) == (75, True)


def test_the_next_start_removes_it(tmp_path):
    (tmp_path / "stop").touch()

    workflow = scripted(tmp_path)
    workflow.run()

    assert workflow.exit_code == 0
    assert not (tmp_path / "stop").exists()


@pytest.mark.parametrize("name", ["config.yaml", "../stop", "", "a b"])
def test_a_name_that_a_file_of_the_run_might_have_is_refused(name):
    with pytest.raises(ConfigError, match=r"stop_file: name must be of letters, digits, - and _, got '"):
        StopFile(name=name)
