import json
import time
from datetime import datetime

from ignite.engine import Events

from ignite_workflow.handlers.status_file import StatusFile
from ignite_workflow.testing import scripted_workflow

PATIENCE = 300


def status(directory):
    path = directory / "status.json"
    return json.loads(path.read_text()) if path.exists() else {}


def scripted(directory):
    handler = StatusFile()
    handler.ticker.seconds = 0.001
    return scripted_workflow(directory, handlers={"status_file": handler}, train_losses=[0.0] * 3, loss=[0.0] * 2)


def wait_for_heartbeat(directory, seen):
    """Until one comes that is later than the second in which the run last got on."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        found = status(directory)
        if found.get("heartbeat", {}).get("iteration") == 2 and later(found):
            break
        time.sleep(0.01)
    seen.append(found)


def later(found):
    got_on, updated = (datetime.fromisoformat(text) for text in (found["heartbeat"]["got_on"], found["updated"]))
    return updated > got_on


def test_the_heart_beats_while_a_step_hangs_and_says_when_the_run_last_got_on(tmp_path):
    workflow, seen = scripted(tmp_path), []
    workflow.trainer.add_event_handler(Events.ITERATION_STARTED(once=2), wait_for_heartbeat, tmp_path, seen)

    workflow.run()

    [found] = seen
    assert (found["state"], found["heartbeat"]["iteration"]) == ("running", 2)
    assert later(found)


def test_the_end_of_the_run_has_the_last_word(tmp_path):
    scripted(tmp_path).run()

    assert (status(tmp_path)["state"], status(tmp_path)["best"]["value"]) == ("finished", 0.0)


def test_a_heart_that_cannot_write_is_a_warning(tmp_path, caplog):
    workflow = scripted(tmp_path)
    handler = workflow.handlers["status_file"]
    (tmp_path / ".status.json.tmp").mkdir()
    handler.seen = (0, 0, "")

    handler.beat()

    assert caplog.messages[-1].endswith("Is a directory; training goes on")
