import pytest

from ignite_workflow import format_number, printable
from ignite_workflow.display import shorten_apart, text_width


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (1.0, "1.000"),
        (-0.5, "-0.5000"),
        (9999.4, "9999"),
        (9999.7, "10000"),
        (0.0001, "0.0001000"),
        (0.00009999, "9.999e-05"),
        (9_998_000.4, "9998000"),
        (1e7, "1.000e+07"),
        (float("-inf"), "-inf"),
    ],
)
def test_numbers_have_four_digits_or_all_of_a_whole_number(value, shown):
    assert format_number(value) == shown


def test_what_a_terminal_would_act_on_is_written_as_its_escape():
    assert printable("a\rb\x1b[2J\u202e\udc80\x00") == "a\\rb\\x1b[2J\\u202e\\udc80\\x00"


def test_other_scripts_stay_as_they_are():
    assert printable("Größe 日本語 $x_1^2$") == "Größe 日本語 $x_1^2$"


def test_names_are_cut_where_they_differ():
    names = [f"wie zufrieden sind Sie mit {part} insgesamt und überhaupt?" for part in ("日本語", "Größe", "Größen")]

    shown = shorten_apart([*names, "y", names[0]], 16)

    assert shown == ["…t 日本語 insge…", "…t Größe insges…", "…t Größen insge…", "y", shown[0]]
    assert max(map(text_width, shown)) <= 16


def test_names_that_nothing_tells_apart_stay_as_they_are():
    assert shorten_apart(["a long name indeed"] * 2, 9) == ["a lo…deed"] * 2
