import random

import pytest

from ignite_workflow.data import aligned_lines, fixed_width
from ignite_workflow.data.aligned_lines import delimit_aligned
from ignite_workflow.data.fixed_width import FixedWidths, delimited_lines


def some_lines(pick, begins, ends):
    """Lines with blanks in most gaps, and a few characters that are not plain."""
    for _ in range(pick.randint(0, 6)):
        line = [
            pick.choice("ab 1  ") if pick.random() < 0.98 else pick.choice("ü\t\r\x0b\x1f\u3000")
            for _ in range(pick.randint(0, begins[-1] + 4))
        ]
        for begin, end in zip(begins[1:], ends, strict=True):
            if pick.random() < 0.8:
                line[end:begin] = " " * len(line[end:begin])
        yield "".join(line)


def left_alone(data, gaps, separator):
    """Each line is left for who looks closer."""
    return data, list(range(data.count(b"\n") + 1))


@pytest.mark.parametrize("slice_bytes", [7, 128 * 1024])
def test_lines_are_parted_as_one_by_one(monkeypatch, slice_bytes):
    monkeypatch.setattr(aligned_lines, "_SLICE_BYTES", slice_bytes)
    pick = random.Random(0)
    for _ in range(500):
        begins, ends = [0], []
        for _ in range(pick.randint(1, 4)):
            ends.append(begins[-1] + pick.randint(1, 4))
            begins.append(ends[-1] + pick.randint(1, 3))
        widths = FixedWidths(tuple(zip(begins, [*ends, None], strict=True)))
        newline = pick.choice(["\n", "\r\n"])
        data = (newline.join(some_lines(pick, begins, ends)) + pick.choice(["", newline])).encode()

        at_once = delimited_lines(data, widths)
        with monkeypatch.context() as slowly:
            slowly.setattr(fixed_width, "delimit_aligned", left_alone)
            assert at_once == delimited_lines(data, widths), (data, widths)


def test_plain_lines_need_no_closer_look():
    lines = b"Ann Lee   1.5\r\n               \n     Bo     2\n          3"

    assert delimit_aligned(lines, [(7, 9)], b"|") == (b"Ann Lee|1.5\n\nBo|2\n|3", [])


@pytest.mark.parametrize("line", [b"Ann", b"Maximilian1.5", b"M\xc3\xbcller   1", b"Ann\t     1.5"])
def test_other_lines_are_left(line):
    assert delimit_aligned(b"Ann Lee   1.5\n" + line, [(7, 9)], b"|")[1] == [1]
