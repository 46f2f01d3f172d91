"""``log.txt``."""

import logging

from ignite_workflow.log_file import log_file


def test_what_the_library_logs_is_added_to_the_file_while_it_is_open(tmp_path):
    log = logging.getLogger("ignite_workflow.anything")
    for said in ("first", "second"):
        with log_file(tmp_path / "log.txt"):
            log.info(said)
        log.warning("between")

    lines = (tmp_path / "log.txt").read_text().splitlines()
    assert [line.split(" ", 2)[2] for line in lines] == ["INFO first", "INFO second"]


def test_the_level_of_the_library_is_put_back(tmp_path):
    package = logging.getLogger("ignite_workflow")
    level = package.level

    with log_file(tmp_path / "log.txt"):
        assert package.level == logging.INFO
    assert package.level == level


def test_a_full_disk_cuts_it_short_without_a_word(capsys):
    with log_file("/dev/full"):
        logging.getLogger("ignite_workflow").info("lost")

    assert capsys.readouterr().err == ""


def test_a_mistake_in_a_call_is_shown_and_a_name_that_is_no_text_is_written(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(
        logging.getLogger("ignite_workflow"), "propagate", False
    )  # the tests' own log takes no mistakes
    with log_file(tmp_path / "log.txt"):
        logging.getLogger("ignite_workflow").info("%d rows", "many")
        logging.getLogger("ignite_workflow").info("read %s", "t\udcfcr.csv")

    assert "TypeError: %d format" in capsys.readouterr().err
    assert (tmp_path / "log.txt").read_text().endswith("read t\\udcfcr.csv\n")
