"""The script in docs/reliability.md does what is said of it; what Slurm puts into the environment changes nothing."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
TASK_2_OF_4 = {
    "SLURM_JOB_ID": "17",
    "SLURM_PROCID": "2",
    "SLURM_LOCALID": "2",
    "SLURM_NTASKS": "4",
    "SLURM_JOB_NUM_NODES": "1",
    "SLURM_JOB_NODELIST": "node[1-4]",
}
PATIENCE = 300

TRAINS = """
import sys, torch, ignite.distributed as idist
from ignite_workflow import TrainConfig, Workflow
from ignite_workflow.device import process_rank
data = torch.utils.data.TensorDataset(torch.randn(8, 1), torch.randn(8, 1))
model = torch.nn.Linear(1, 1)
workflow = Workflow.from_parts(model, torch.optim.SGD(model.parameters()), torch.nn.functional.mse_loss,
    torch.utils.data.DataLoader(data, batch_size=4), torch.utils.data.DataLoader(data, batch_size=4),
    train=TrainConfig(max_epochs=1, device="cpu"), run_directory=sys.argv[1])
workflow.run()
print(workflow.trainer.state.iteration, process_rank(), idist.get_world_size(), torch.distributed.is_initialized())
"""


def test_a_job_of_slurm_is_one_process(tmp_path):
    environment = {**os.environ, **TASK_2_OF_4, "PYTHONPATH": str(ROOT)}

    done = subprocess.run(
        [sys.executable, "-c", TRAINS, tmp_path], env=environment, capture_output=True, text=True, check=True
    )

    assert done.stdout.split() == ["2", "0", "1", "False"]


def submit(directory, run):
    """Start the script, with ``run`` as what ``python`` is; what is asked of scontrol goes into a file."""
    [script] = re.findall(r"```sh\n(#!/bin/bash\n.*?)```", (ROOT / "docs/reliability.md").read_text(), re.DOTALL)
    for name, content in (("script", script), ("python", run), ("scontrol", f'echo "$@" > {directory}/asked')):
        (directory / name).write_text(content if name == "script" else f"#!/bin/bash\n{content}\n")
        (directory / name).chmod(0o755)
    environment = {**os.environ, **TASK_2_OF_4, "PATH": f"{directory}:{os.environ['PATH']}"}
    return subprocess.Popen([directory / "script"], env=environment, cwd=directory)


def asked(directory):
    return (directory / "asked").read_text().split() if (directory / "asked").exists() else []


RUN = "trap '{answer}' USR1 TERM; touch started; while true; do sleep 0.01; done"


@pytest.mark.parametrize(
    ("number", "answer", "code", "requeued"),
    [
        (signal.SIGUSR1, "sleep 0.2; exit 75", 75, True),
        (signal.SIGTERM, "sleep 0.2; exit 143", 143, False),
    ],
)
def test_the_script_passes_the_signal_on_and_waits_for_the_run_to_save(tmp_path, number, answer, code, requeued):
    process = submit(tmp_path, RUN.format(answer=answer))
    end = time.monotonic() + PATIENCE
    while not (tmp_path / "started").exists() and time.monotonic() < end:
        time.sleep(0.01)

    process.send_signal(number)

    assert process.wait(PATIENCE) == code
    assert asked(tmp_path) == (["requeue", "17"] if requeued else [])


@pytest.mark.parametrize(("code", "requeued"), [(0, False), (1, False), (2, False), (75, True)])
def test_the_script_queues_again_what_asks_for_it(tmp_path, code, requeued):
    process = submit(tmp_path, f"exit {code}")

    assert process.wait(PATIENCE) == code
    assert asked(tmp_path) == (["requeue", "17"] if requeued else [])


def test_a_signal_before_python_could_answer_it_is_no_reason_to_give_up(tmp_path):
    process = submit(tmp_path, "touch started; kill -USR1 $$; sleep 60")

    assert process.wait(PATIENCE) == 138
    assert asked(tmp_path) == ["requeue", "17"]
