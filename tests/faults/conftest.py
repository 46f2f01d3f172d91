"""Counts trials and passes of each fault, and shows them at the end."""

import sys

import pytest

if sys.platform != "linux":  # faults are put in by way of /proc
    collect_ignore_glob = ["test_*"]


@pytest.fixture
def tally(record_property):
    """``tally("F01 kill at random instants", trials, failed)``: says how many passed, and that all must."""

    def count(fault, trials, failed):
        record_property("fault", [fault, trials, trials - min(trials, len(failed))])
        assert trials > 0
        assert not failed

    return count


def pytest_terminal_summary(terminalreporter):
    rows = {}
    for report in (report for reports in terminalreporter.stats.values() for report in reports):
        for name, value in getattr(report, "user_properties", ()):
            if name == "fault" and report.when == "call":
                fault, trials, passed = value
                before = rows.get(fault, (0, 0))
                rows[fault] = (before[0] + trials, before[1] + passed)
    if rows:
        terminalreporter.section("faults: trials, passed")
        for fault, (trials, passed) in sorted(rows.items()):
            terminalreporter.line(f"{fault:<64} {trials:>5} {passed:>5}")
