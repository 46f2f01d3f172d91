"""The command line: what it prints, what it exits with, what it leaves behind."""

import errno
import fcntl
import json
import os
import pty
import struct
import subprocess
import sys
import termios
from contextlib import suppress
from pathlib import Path

import pytest
from click.testing import CliRunner

from ignite_workflow.cli import main
from ignite_workflow.cli.options import handler_settings

ROOT = Path(__file__).parent.parent
PENGUINS = ROOT / "examples/data/penguins.csv"
QUICK = ["train.max_epochs=2", "handlers.curve_export=false", "model.hidden=[8]", "--quiet", "--device", "cpu"]


@pytest.fixture(autouse=True)
def scratch(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*args):
    return CliRunner().invoke(main, [str(arg) for arg in args])


def train(*args):
    return run("train", PENGUINS, "--target", "species", *QUICK, *args)


def write(name, *lines):
    Path(name).write_text("\n".join(lines) + "\n")
    return name


def test_train_prints_the_result_and_leaves_a_model():
    result = train("--run-dir", "runs/a")

    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("finished: all epochs are done, 2 epochs")
    assert "test/accuracy" in result.stdout
    assert {path.name for path in Path("runs/a/model").iterdir()} == {"model.json", "model.safetensors", "README.md"}


def test_json_is_one_document_and_nothing_else_on_stdout():
    result = train("--run-dir", "a b/é", "--json")

    document = json.loads(result.stdout)
    assert {"run", "status", "epochs", "seconds", "metrics", "model"} <= document.keys()
    assert document["metrics"].keys() >= {"val/loss", "test/accuracy"}


def test_the_default_run_directory_is_named_after_the_data_and_latest_points_to_it():
    train()

    [run_directory] = [path for path in Path("runs").iterdir() if not path.is_symlink()]
    assert run_directory.name.startswith("penguins-")
    assert Path("runs/latest").resolve() == run_directory.resolve()


def test_a_directory_that_holds_a_run_is_refused_with_the_hint():
    train("--run-dir", "a")

    result = train("--run-dir", "a")

    assert result.exit_code == 2
    assert result.stderr.startswith("Error: a holds a run already: go on with --resume")


def test_resuming_a_finished_run_changes_nothing():
    train("--run-dir", "a")
    before = {path: path.read_bytes() for path in Path("a").rglob("*") if path.is_file() and path.name != "run.lock"}

    result = run("resume", "a")

    assert result.exit_code == 0
    assert result.stdout.startswith("nothing left to do: finished before: all epochs are done, 2 epochs\n")
    assert {path: path.read_bytes() for path in before} == before


def test_a_finished_run_goes_on_when_it_is_given_more_epochs():
    train("--run-dir", "a", "schedule=constant", "handlers.early_stopping=false")

    result = run("resume", "a", "train.max_epochs=3")

    assert result.exit_code == 0, result.output
    assert "3 epochs" in result.stdout


def test_other_settings_on_resume_are_refused_with_the_difference():
    train("--run-dir", "a", "schedule=constant")

    result = run("resume", "a", "train.max_epochs=3", "optimizer.lr=0.5")

    assert result.exit_code == 2
    assert "optimizer.lr: 0.002 -> 0.5" in result.stderr


def test_more_epochs_with_a_schedule_that_depends_on_them_are_refused():
    train("--run-dir", "a")

    result = run("resume", "a", "train.max_epochs=9")

    assert result.exit_code == 2
    assert "the cosine schedule depends on the number of epochs" in result.stderr


def test_a_learnt_line_is_read_off_in_the_datas_own_units():
    rows = [f"{x},{0.7 * x + 0.3}" for x in range(100, 300)]
    write("line.csv", "x,y", *rows)

    result = run("train", "line.csv", "--target", "y", "model=linear", "--quiet", "handlers.curve_export=false")

    assert "  y = 0.7 x + 0.3\n" in result.stdout


def test_init_check_train_evaluate_predict_go_together():
    config = run("init", PENGUINS, "--target", "species", "-o", "c.yaml")
    checked = run("check", "c.yaml")
    trained = run("train", "c.yaml", *QUICK, "--run-dir", "a")
    evaluated = run("evaluate", "a", "--json")
    predicted = run("predict", "a", PENGUINS, "-o", "out.csv", "--probabilities")

    assert [result.exit_code for result in (config, checked, trained, evaluated, predicted)] == [0] * 5
    assert "bill_length_mm" in config.stdout
    assert checked.stdout.endswith("ok: nothing was written\n")
    assert json.loads(evaluated.stdout)["metrics"]["accuracy"] > 0
    assert predicted.stdout == "344 rows predicted: out.csv\n"
    assert Path("out.csv").read_text().splitlines()[0] == (
        "row,prediction,probability_Adelie,probability_Chinstrap,probability_Gentoo"
    )


def test_how_a_new_file_is_read_can_be_said():
    write("t.csv", "x,y", *(f"{x}.5,{2 * x}.25" for x in range(60)))
    run("train", "t.csv", "--target", "y", *QUICK, "--run-dir", "a", "model=linear")
    write("new.csv", "mine", "x;y", "1.5;2.25", "2.5;4.25", "4.0;6.5")
    said = ["data.read.delimiter=;", "data.read.header=2", "data.read.footer=1"]

    predicted = run("predict", "a", "new.csv", *said, "-o", "-")
    evaluated = run("evaluate", "a", "new.csv", *said, "--json")

    assert len(predicted.stdout.splitlines()) == 3, predicted.output
    assert json.loads(evaluated.stdout)["rows"] == 2


@pytest.mark.parametrize(
    ("setting", "told"),
    [
        ("train.seed=1", "only how DATA is read can be said here"),
        ("data.read.decimal=,", "cells mean what they meant in training"),
        ("data.read.flags=false", "cells mean what they meant in training"),
        ("data.read.sheet=Data", "has no effect: "),
        ("data.read.sheet=Data", "is text with delimiters, where data.read.delimiter, data.read.starts, "),
        ("data.read.delimeter=;", "Did you mean 'delimiter'?"),
        ("semicolon", "only how DATA is read"),
    ],
)
def test_what_else_is_said_of_a_new_file_is_an_error(setting, told):
    train("--run-dir", "a", "model=linear")

    result = run("predict", "a", PENGUINS, setting, "-o", "-")

    assert result.exit_code == 2
    assert result.stderr.count("\n") == 1
    assert told in result.stderr


@pytest.mark.parametrize(
    ("number", "told"), [(errno.EACCES, "Permission denied"), (errno.EROFS, "Read-only file system")]
)
def test_a_place_that_may_not_be_used_is_one_line(monkeypatch, number, told):
    def refuse(path):
        raise OSError(number, os.strerror(number), str(path))

    Path("here").mkdir()
    monkeypatch.setattr("pathlib.Path.iterdir", refuse)

    result = run("train", "here", "--target", "b")

    assert (result.exit_code, result.stderr) == (2, f"Error: {told}: {Path('here').absolute()}\n")


def test_predictions_and_a_json_document_do_not_go_to_one_stream():
    result = run("predict", "a", "new.csv", "-o", "-", "--json")

    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == "Error: -o - and --json both write to stdout: name a file, or leave --json out.\n"


def test_init_and_train_from_data_understand_the_same():
    run("init", PENGUINS, "--target", "species", "-o", "c.yaml")
    from_config = json.loads(run("train", "c.yaml", *QUICK, "--run-dir", "a", "--json").stdout)
    from_data = json.loads(train("--run-dir", "b", "--json").stdout)

    assert from_config["metrics"] == from_data["metrics"]


def test_another_model_can_be_put_into_the_config_that_init_writes():
    run("init", PENGUINS, "--target", "species", "-o", "c.yaml")

    assert run("train", "c.yaml", *QUICK, "model=linear").exit_code == 0


def test_names_that_are_no_plain_text_come_back_from_the_config_that_init_writes():
    names = ["x\n(cm)", "a\tb", "\x1b[31mred", "- #: {", "z" * 300, "1e3"]
    write("t.csv", ",".join(f'"{name}"' for name in [*names, "y"]), *(f"{x}{f',{x % 7 + 0.5}' * 6}" for x in range(40)))

    written = run("init", "t.csv", "--target", "y")
    checked = run("check", "config.yaml")

    assert (written.exit_code, checked.exit_code) == (0, 0)


def test_init_writes_the_config_though_nobody_reads_what_it_says(monkeypatch):
    def closed(*_, **__):
        raise BrokenPipeError(errno.EPIPE, "closed")

    monkeypatch.setattr("ignite_workflow.cli.init.click.echo", closed)

    run("init", PENGUINS, "--target", "species")

    assert "target: species" in Path("config.yaml").read_text()


def test_init_does_not_replace_a_config():
    write("config.yaml", "mine")

    result = run("init", PENGUINS, "--target", "species")

    assert result.exit_code == 2
    assert Path("config.yaml").read_text() == "mine\n"


def test_check_leaves_no_trace(scratch):
    run("check", PENGUINS, "--target", "species")

    assert list(scratch.iterdir()) == []


def test_fine_tuning_takes_target_architecture_and_weights_from_the_model():
    train("--run-dir", "a")

    result = run("train", PENGUINS, "--from", "a/model", "--run-dir", "b", "train.max_epochs=1", "--quiet", "--json")

    assert result.exit_code == 0, result.output
    assert json.loads(Path("b/model/model.json").read_text())["architecture"]["options"]["hidden"] == [8]


def test_handlers_are_listed_with_options_and_events():
    result = run("handlers", "early_stopping")

    lines = result.stdout.splitlines()
    assert lines[0] == "early_stopping: Stop after `patience` evaluations in a row without a better `metric`."
    assert lines[1] == "  listens to: evaluator.COMPLETED"
    assert "  patience=10  evaluations to wait, at least 1." in lines
    assert '  mode=min  `"min"` if less is better, `"max"` if more is.' in lines


def on_a_terminal(columns, *args):
    """What a command writes on a terminal that wide."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    environment = {name: value for name, value in os.environ.items() if name != "COLUMNS"}
    process = subprocess.Popen([sys.executable, str(ROOT / "run.py"), *args], stdout=theirs, env=environment)
    os.close(theirs)
    written = b""
    with suppress(OSError):  # the terminal is gone when the last that writes on it has ended
        while part := os.read(ours, 65536):
            written += part
    os.close(ours)
    assert process.wait() == 0
    return written.decode().splitlines()


@pytest.mark.parametrize(
    "args", [["handlers", "early_stopping"], ["init", str(PENGUINS), "--target", "species", "--force"]]
)
def test_lines_are_wrapped_at_words_on_a_terminal_and_whole_elsewhere(args):
    whole = CliRunner().invoke(main, args, prog_name="run.py").stdout.splitlines()
    wrapped = on_a_terminal(60, *args)

    assert max(map(len, whole)) > 80
    assert not any("…" in line for line in wrapped)
    wrapped = [line for line in wrapped if str(PENGUINS) not in line]
    whole = [line for line in whole if str(PENGUINS) not in line]
    assert max(map(len, wrapped)) <= 60
    assert " ".join(wrapped).split() == " ".join(whole).split()


def test_commas_within_brackets_do_not_part_the_options_of_a_handler():
    spec = "evaluation:metrics=[accuracy,f1],every={epochs: 2}"

    assert handler_settings([spec]) == [
        f"handlers.evaluation.{option}" for option in ("metrics=[accuracy,f1]", "every={epochs: 2}")
    ]


def test_a_handler_is_set_from_the_command_line():
    result = train("--run-dir", "a", "--handler", "early_stopping:patience=7", "--handler", "gradient_clipping")

    assert result.exit_code == 0, result.output
    config = Path("a/config.yaml").read_text()
    assert "patience: 7" in config
    assert "gradient_clipping: {}" in config


MANY = [f"{i},{i * 2}.5" for i in range(30)]


@pytest.mark.parametrize(
    ("lines", "args", "exit_code", "message"),
    [
        (None, [], 2, "no file"),
        ([], [], 1, "data.csv: the file is empty"),
        (["a,b"], [], 1, "no rows below the header"),
        (["a,b", *MANY], ["--target", "c"], 2, "data.target: no column 'c'"),
        (["alpha,b", *MANY], ["--target", "alpah"], 2, "Did you mean 'alpha'?"),
        (["a,b", "1,x", "2,x", "3,x"], [], 1, "nothing to learn"),
        (["a,b", "1,", "2,"], [], 1, "every cell of column 'b' is missing"),
        (["a,b", *MANY, "oops,1"], ["data.columns.a=number"], 1, "line 32 (row 30), column 'a': 'oops' is not a num"),
        (["a,b", *MANY, "inf,1"], [], 1, "column 'a': inf is not finite; if it means a missing value: data.missing"),
        (["a,b", *MANY, "1,2,3"], [], 1, "line 32"),
        (["a,b", *MANY], ["train.batch_size=500"], 2, "train.batch_size: 500 is more than the"),
        (["a,b", *MANY], ["trian.seed=1"], 2, "trian: unknown key. Did you mean 'train'?"),
        (["a,b", *MANY], ["train.seed=x"], 2, "train.seed: must be a whole number"),
        (["a,b", *MANY], ["seed"], 2, "argument 'seed' must have the form KEY=VALUE"),
        (["a,b", *MANY], ["--handler", "my.py:Noise"], 2, "needs an id: my_handler:use=my.py:Noise"),
        (["a,b", *MANY], ["handlers.noise=true"], 2, "unknown handler 'noise'"),
        (["a,b", *MANY], ["handlers.early_stopping.patiense=1"], 2, "Did you mean 'patience'?"),
        (["a,b", *MANY], ["handlers.early_stopping.metric=acc"], 2, "unknown validation metric 'acc'"),
        (["a,b", *MANY], ["handlers.evaluation.metrics=[rsme]"], 2, "Did you mean 'rmse'?"),
        (["a,b", *MANY], ["optimizer=lbfgs"], 2, "it calls the model several times a step"),
        (["a,b", *MANY], ["optimizer.lrr=1"], 2, "Did you mean 'lr'?"),
        (["a,b", *MANY], ["loss=ctc"], 2, "cannot be used by name"),
        (["a,b", *MANY], ["loss=cross_entropy"], 2, "does not fit a regression target"),
        (["a,b", *MANY], ["model.hiden=[3]"], 2, "Did you mean 'hidden'?"),
        (["a,b", *MANY], ["--device", "tpu9"], 2, "device 'tpu9'"),
        (["a,b", *MANY], ["--name", "../up"], 2, "plain name of a folder"),
        (["a,b", *MANY], ["--name", "a/b"], 2, "plain name of a folder"),
        (["a,b", *MANY], ["--run-dir", "/proc/none/a"], 2, "cannot write to the run directory"),
        (["a,b", *MANY], ["--run-dir", "n" * 300], 2, "Error: File name too long: nnn"),
        (["a,b", *MANY], ["--from", "n" * 300], 2, "Error: File name too long: nnn"),
        (["a,b", *MANY], ["data.split.test=0.95"], 2, "leave nothing to train on"),
    ],
)
def test_a_mistake_is_one_line_and_leaves_no_run(lines, args, exit_code, message, scratch):
    if lines is not None:
        Path("data.csv").write_text("".join(f"{line}\n" for line in lines))
    target = [] if "--target" in args else ["--target", "b"]

    result = run("train", "data.csv", *target, *args)

    assert message in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert result.stdout == ""
    assert result.exit_code == exit_code
    assert [path.name for path in scratch.iterdir() if path.name != "data.csv"] == []


def test_a_directory_is_not_a_table():
    Path("data.csv").mkdir()

    result = run("train", "data.csv", "--target", "b")

    assert result.exit_code == 2
    assert "is a directory" in result.stderr


def test_a_missing_extra_is_named(monkeypatch):
    monkeypatch.setattr("ignite_workflow.data.excel.find_spec", lambda name: None)
    Path("data.xlsx").write_bytes(b"PK\x03\x04")

    result = run("train", "data.xlsx", "--target", "b")

    assert result.exit_code == 2
    assert "pip install 'ignite-workflow[excel]'" in result.stderr


def test_all_mistakes_in_a_config_are_told_at_once_with_their_places():
    write("c.yaml", "data: {path: x.csv}", "trian: {}", "optimizer: {name: adma}", "train: {max_epochs: '3'}")

    result = run("train", "c.yaml")

    assert result.exit_code == 2
    assert [line.split(": ")[1] for line in result.stderr.splitlines()] == ["c.yaml:2:1", "c.yaml:3:19", "c.yaml:4:21"]


def test_rows_in_train_and_test_alike_are_counted():
    write("data.csv", "a,b", *["1,2.5", "2,3.5", "3,1.5", "4,9.5"] * 20)

    result = run("train", "data.csv", "--target", "b", "train.max_epochs=1", "--quiet", "handlers.curve_export=false")

    assert result.exit_code == 0, result.output
    assert "stand in" in result.stderr or "alike" in result.stderr or "also" in result.stderr


@pytest.mark.parametrize("args", [["--help"], ["trian"], ["train", "--help"], ["train", "x.csv", "trian.x=1"]])
def test_nothing_heavy_is_imported_before_it_is_needed(args):
    script = (
        "import sys\n"
        "from ignite_workflow.cli import main\n"
        "try:\n"
        "    main(sys.argv[1:])\n"
        "finally:\n"
        "    heavy = {'torch', 'ignite', 'numpy', 'polars', 'matplotlib'} & set(sys.modules)\n"
        "    assert not heavy, heavy\n"
    )

    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", script, *args], env=environment, capture_output=True, text=True)

    assert "AssertionError" not in done.stderr
    assert done.returncode in (0, 2)


def test_the_version_is_told_in_a_checkout_that_is_not_installed():
    assert run("--version").stdout == "ignite-workflow, version 0.1.0\n"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux has it")
@pytest.mark.parametrize("arguments", [["--help"], ["config", "schema"]])
def test_a_full_disk_behind_standard_output_is_one_line(arguments):
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, ROOT / "run.py", *arguments], stdout=full, stderr=subprocess.PIPE, text=True
        )

    assert done.stderr == "Error: the output cannot be written: No space left on device.\n"
    assert done.returncode == 1
