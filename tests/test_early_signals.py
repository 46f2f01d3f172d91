"""Before there is a training, a signal is answered with its exit code, on one line."""

import signal
import subprocess
import sys

import pytest

from ignite_workflow.early_signals import EXIT_CODES

START = "import os, signal, sys; from ignite_workflow.early_signals import answer_signals, received\n"
KILL = "os.kill(os.getpid(), signal.SIGTERM)\n"


def run(code, folder="."):
    done = subprocess.run([sys.executable, "-c", START + code], capture_output=True, text=True, check=False, cwd=folder)
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize("number", EXIT_CODES)
def test_a_signal_is_one_line_and_an_exit_code(number):
    code = f"answer_signals()\nos.kill(os.getpid(), {int(number)})\nprint('too late')"

    assert run(code) == (EXIT_CODES[number], f"Stopped by {number.name}.\n")


def test_what_is_half_made_is_tidied_away():
    said = f"answer_signals()\ntry:\n    {KILL}finally:\n    print('tidied', flush=True)"

    assert run(said) == (143, "tidied\nStopped by SIGTERM.\n")


def test_while_a_module_is_imported_no_exception_is_raised(tmp_path, monkeypatch):
    """An extension module would make an ImportError of it, or end the process by SIGABRT."""
    (tmp_path / "extension.py").write_text(f"import os, signal\n{KILL}")
    code = "answer_signals()\nsys.path.append('')\ntry:\n    import extension\nexcept BaseException:\n    pass"
    monkeypatch.setenv("PYTHONPATH", ":".join(sys.path))

    assert run(code, tmp_path) == (143, "Stopped by SIGTERM.\n")


def test_the_second_signal_leaves_at_once():
    code = f"answer_signals()\ntry:\n    {KILL}except SystemExit:\n    {KILL}    print('too late')"

    assert run(code) == (143, "Stopped by SIGTERM.\nStopped by SIGTERM.\n")


def test_a_signal_whose_exception_was_swallowed_is_remembered():
    code = f"answer_signals()\ntry:\n    {KILL}except SystemExit:\n    print(received() == 15, file=sys.stderr)"

    assert run(code) == (0, "Stopped by SIGTERM.\nTrue\n")


def test_a_signal_that_was_ignored_stays_so():
    code = "signal.signal(signal.SIGHUP, signal.SIG_IGN)\nanswer_signals()\nos.kill(os.getpid(), signal.SIGHUP)\n"

    assert run(code) == (0, "")
    assert signal.SIGHUP in EXIT_CODES


@pytest.mark.parametrize("number", [0, 1, 2])
def test_a_stream_that_is_closed_is_the_null_device_so_that_no_file_of_the_run_gets_its_number(number, tmp_path):
    said = tmp_path / "said"
    code = (
        "import os, sys; from pathlib import Path; from ignite_workflow.__main__ import open_closed_streams\n"
        "open_closed_streams()\nprint(1); print(2, file=sys.stderr)\n"
        f"Path({str(said)!r}).write_text(f'{{sys.stderr.isatty()}} {{os.readlink(\"/proc/self/fd/{number}\")}}')"
    )
    close = f'exec {number}{"<" if number == 0 else ">"}&-; exec "$@"'

    subprocess.run(["sh", "-c", close, "sh", sys.executable, "-c", code], check=True, capture_output=True)

    assert said.read_text() == "False /dev/null"
