"""What stands in the pictures; that they are pleasant was judged by looking at them."""

import math
import subprocess
import sys
import xml.etree.ElementTree as ElementTree

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.colors import to_hex

from ignite_workflow import (
    Record,
    draw_calibration,
    draw_confusion_matrix,
    draw_curves,
    draw_importance,
    draw_per_class,
    draw_regression,
    figure_bytes,
)
from ignite_workflow.display import shorten

MODES = {"loss": "min", "accuracy": "max"}
NAMES = ["$x_1^2$", "<script>alert(1)</script>", "Größe 日本語 𓀀", "\x1b[31m\n\x00", "n" * 200]


def curve(values, *, name="loss", split="val", every=10):
    return [Record(every * (place + 1), place + 1, split, name, value) for place, value in enumerate(values)]


def drawn(*curves, modes=MODES, epoch_length=10, title=""):
    return draw_curves([row for rows in curves for row in rows], epoch_length=epoch_length, modes=modes, title=title)


def texts(figure):
    """Everything written in a figure, as a reader of its SVG finds it."""
    tree = ElementTree.fromstring(figure_bytes(figure, "svg"))  # raises where a name broke the file
    return ["".join(element.itertext()) for element in tree.iter("{http://www.w3.org/2000/svg}text")]


def lines(axes):
    """The curves of a panel: lines of more than marks."""
    return [line for line in axes.lines if line.get_linestyle() != "None"]


def note(axes):
    """The line below the title."""
    return next(text.get_text() for text in axes.texts if text.get_position()[0] == 0)


# Curves.


def test_each_metric_has_a_panel_the_loss_first_and_the_learning_rate_last():
    lr, accuracy, loss = (curve([0.1, 0.2], name=name) for name in ("lr", "accuracy", "loss"))

    figure = drawn(lr, accuracy, loss)

    assert [axes.get_title(loc="left") for axes in figure.axes] == ["loss", "accuracy", "learning rate"]


def test_both_splits_stand_in_one_panel_each_with_its_name_beside_it():
    figure = drawn(curve([0.3, 0.2]), curve([0.2, 0.1], split="train"))

    [axes] = figure.axes
    assert [line.get_ydata().tolist() for line in lines(axes)] == [[0.2, 0.1], [0.3, 0.2]]
    labels = {text.get_text(): text.get_color() for text in axes.texts}
    assert [labels["train"], labels["val"]] == [line.get_color() for line in lines(axes)]


def test_splits_differ_in_line_marker_and_colour():
    figure = drawn(*(curve([0.3, 0.2], split=split) for split in ("train", "val", "test", "other")))

    looks = [(line.get_linestyle(), line.get_marker(), line.get_color()) for line in lines(figure.axes[0])]
    assert all(len(set(column)) == 4 for column in zip(*looks, strict=True))


def test_names_beside_curves_that_meet_do_not_cover_each_other():
    figure = drawn(curve([0.3, 0.2]), curve([0.3, 0.2], split="train"))

    low, high = sorted(text.get_position()[1] for text in figure.axes[0].texts if text.get_text() in ("train", "val"))
    assert (high - low) * figure.axes[0].get_position().height * figure.get_figheight() > 9 / 72  # a line of 9 points


def test_the_x_axis_counts_epochs():
    figure = drawn(curve([0.3, 0.2]), curve([0.5, 0.4, 0.3], split="train", every=4))

    assert [line.get_xdata().tolist() for line in lines(figure.axes[0])] == [[0.4, 0.8, 1.2], [1, 2]]


@pytest.mark.parametrize(
    ("values", "mode", "scale"),
    [
        ([1.0, 0.06], "min", "linear"),
        ([1.0, 0.04], "min", "log"),
        ([1.0, 0.04, math.nan], None, "log"),
        ([1.0, 0.04, 0.0], "min", "linear"),
        ([1.0, 0.04, -0.1], "min", "linear"),
        ([0.04, 1.0], "max", "linear"),
        ([math.nan], "min", "linear"),
    ],
)
def test_the_axis_is_logarithmic_where_small_values_would_not_be_seen(values, mode, scale):
    [axes] = drawn(curve(values), modes={"loss": mode}).axes

    assert axes.get_yscale() == scale
    assert ("log scale" in note(axes)) == (scale == "log")


@pytest.mark.parametrize(
    ("mode", "values", "best"),
    [
        ("min", [0.5, 0.2, 0.4], "best val 0.2000 in epoch 2"),
        ("max", [0.5, 0.2, 0.4], "best val 0.5000 in epoch 1"),
        ("max", [0.1, 0.5, 0.5], "best val 0.5000 in epoch 2"),
        ("min", [math.nan, 0.5, -math.inf], "best val 0.5000 in epoch 2  ·  crosses: not finite"),
        ("min", [math.nan], "crosses: not finite"),
        (None, [0.5, 0.2], ""),
    ],
)
def test_the_best_validation_value_is_marked_and_named(mode, values, best):
    [axes] = drawn(curve(values), modes={"loss": mode}).axes

    assert note(axes) == best
    rings = [line for line in axes.lines if line.get_markerfacecolor() == "none"]
    assert [line.get_ydata()[0] for line in rings] == [float(word) for word in best.split()[2:3] if "best" in best]


def test_a_gap_shows_values_that_are_not_finite_and_points_between_gaps_are_seen():
    values = [0.5] * 30
    values[10], values[12] = math.nan, math.inf

    [axes] = drawn(curve(values, split="train")).axes

    [line] = lines(axes)
    assert np.flatnonzero(np.isnan(line.get_ydata())).tolist() == [10, 12]
    assert 11 in line.get_markevery()
    [crosses] = [line for line in axes.lines if line.get_marker() == "x"]
    assert crosses.get_xdata().tolist() == [11, 13]


def test_a_run_of_nothing_finite_is_drawn():
    figure = drawn(curve([math.nan, math.inf]), curve([-math.inf, math.nan], split="train"))

    assert "no finite value" in texts(figure)


def test_one_epoch_is_seen():
    [axes] = drawn(curve([0.5])).axes

    [line] = lines(axes)
    assert (line.get_marker(), line.get_markevery()) == ("s", [0])
    assert axes.get_xlim()[0] < 0 < 1 < axes.get_xlim()[1]


def test_many_points_become_means_within_a_band_that_keeps_the_extremes():
    values = np.where(np.arange(10_000) % 2, 0.4, 0.2)
    values[5_001] = 0.9

    [axes] = drawn(curve(values, split="train", every=1)).axes

    [line], [band] = lines(axes), axes.collections
    assert len(line.get_ydata()) == 250
    assert line.get_ydata()[0] == pytest.approx(0.3)
    assert band.get_datalim(axes.transData).extents[[1, 3]].tolist() == [0.2, 0.9]


def test_gaps_in_many_points_stay_gaps():
    values = np.full(10_000, 0.5)
    values[4_000:6_000] = math.nan

    [axes] = drawn(curve(values, split="train", every=1)).axes

    assert np.isnan(lines(axes)[0].get_ydata()).sum() == 50


@pytest.mark.parametrize("values", [[0.0, 0.0], [1e-45, 3e38], [1e12, 0.1], [-1e9, 1e9], [47000.01, 47000.02]])
def test_extreme_values_are_drawn(values):
    figure = drawn(curve(values))

    assert figure_bytes(figure, "png").startswith(b"\x89PNG")


def test_ticks_of_close_values_differ():
    figure = drawn(curve([47000.01, 47000.02], split="train"))

    shown = texts(figure)
    ticks = [text for text in shown if text.startswith("47000")]
    assert len(ticks) == len(set(ticks)) > 1


@pytest.mark.parametrize("name", NAMES)
def test_names_are_only_names(name):
    shown = texts(drawn(curve([0.5, 0.4], name=name), title=f"run {name}"))

    assert shorten(name, 40) in shown
    assert shorten(f"run {name}", 60) in shown


@pytest.mark.parametrize("count", [1, 2, 3, 4, 6, 7])
@pytest.mark.parametrize("lr", [False, True])
def test_panels_do_not_touch(count, lr):
    names = [f"metric {number}" for number in range(count)] + ["lr"] * lr

    figure = drawn(*(curve([0.5, 0.4], name=name) for name in names))

    boxes = [axes.get_position() for axes in figure.axes]
    assert all(0 < box.x0 < box.x1 < 1 and 0 < box.y0 < box.y1 < 1 for box in boxes)
    assert not any(one.overlaps(other) for place, one in enumerate(boxes) for other in boxes[:place])


# All pictures.


def evaluation_pictures(name):
    yield draw_confusion_matrix([[2, 1], [0, 3]], [name, "other"], title=name)
    yield draw_per_class({name: [0.5, 1.0]}, [name, "other"], title=name)
    yield draw_regression([1.0, 2.0], [1.5, 2.5], name, title=name)
    yield draw_calibration([0.5], [1.0], [3], of=name, error=0.5, title=name)
    yield draw_importance([name, "other"], [1.0, 0.5], [0.1, 0.1], metric=name, title=name)


@pytest.mark.parametrize("name", NAMES)
def test_names_in_evaluations_are_only_names(name):
    for figure in evaluation_pictures(name):
        assert " ".join(texts(figure)).count(shorten(name, 24)[:10]) >= 2


def test_the_same_picture_is_the_same_file():
    first, second = (drawn(curve([0.5, 0.4]), curve([0.6, 0.1], split="train"), title="run") for _ in range(2))

    assert figure_bytes(first, "svg") == figure_bytes(second, "svg")
    assert figure_bytes(first, "png") == figure_bytes(second, "png")
    assert b"Matplotlib" not in figure_bytes(first, "svg") + figure_bytes(first, "png")


def test_text_in_an_svg_is_text_without_markup():
    assert b"<text" in figure_bytes(drawn(curve([0.5])), "svg")


def test_a_persons_own_settings_neither_matter_nor_change():
    expected = figure_bytes(drawn(curve([0.5, 0.4])), "svg")
    with mpl.rc_context({"axes.facecolor": "red", "svg.fonttype": "path", "text.usetex": True, "font.size": 30}):
        before = dict(mpl.rcParams)

        assert figure_bytes(drawn(curve([0.5, 0.4])), "svg") == expected
        assert dict(mpl.rcParams) == before


def test_pyplot_stays_out():
    script = (
        "import sys; from ignite_workflow import draw_curves, figure_bytes, Record;"
        "assert 'matplotlib' not in sys.modules;"
        "figure_bytes(draw_curves([Record(1, 1, 'val', 'loss', 0.5)], epoch_length=1, modes={}), 'svg');"
        "assert 'matplotlib.pyplot' not in sys.modules"
    )

    subprocess.run([sys.executable, "-c", script], check=True)


# Evaluations.


def test_shades_are_shares_of_the_true_class():
    figure = draw_confusion_matrix([[90, 10], [1, 1]], ["common", "rare"])

    assert figure.axes[0].images[0].get_array().tolist() == [[0.9, 0.1], [0.5, 0.5]]


def test_a_class_that_never_occurs_has_no_shade():
    figure = draw_confusion_matrix([[3, 0], [0, 0]], ["a", "b"])

    assert figure.axes[0].images[0].get_array().tolist() == [[1, 0], [0, 0]]


@pytest.mark.parametrize(("size", "written"), [(2, 4), (30, 900), (31, 0)])
def test_counts_are_written_where_they_can_be_read(size, written):
    figure = draw_confusion_matrix(np.ones((size, size), int), [str(number) for number in range(size)])

    assert [text.get_text() for text in figure.axes[0].texts] == ["1"] * written


def test_counts_stand_out_from_their_shade():
    figure = draw_confusion_matrix([[99, 1], [50, 50]], ["a", "b"])

    assert [to_hex(text.get_color()) for text in figure.axes[0].texts] == ["#ffffff", "#262626", "#ffffff", "#ffffff"]


def test_of_very_many_classes_some_are_named():
    names = [str(number) for number in range(200)]

    assert len(draw_confusion_matrix(np.eye(200), names).axes[0].get_yticklabels()) == 50
    assert len(draw_per_class({"recall": np.ones(200)}, names).axes[0].get_yticklabels()) == 50


def test_scores_stand_in_the_row_of_their_class():
    [axes] = draw_per_class({"precision": [0.5, 1.0], "recall": [0.25, 0.75]}, ["a", "b"]).axes

    assert [line.get_xydata().tolist() for line in axes.lines] == [[[0.5, 0], [1.0, 1]], [[0.25, 0], [0.75, 1]]]


def test_regression_shows_predictions_and_errors():
    left, right, errors = draw_regression([1.0, 2.0], [2.0, 1.5], "price").axes

    assert left.collections[0].get_offsets().tolist() == [[1.0, 2.0], [2.0, 1.5]]
    assert right.collections[0].get_offsets().tolist() == [[2.0, 1.0], [1.5, -0.5]]
    assert sum(bar.get_height() for bar in errors.patches) == 2
    assert left.figure.get_suptitle() == "n = 2   RMSE 0.7906   mean error 0.2500"  # sqrt((1 + 0.25) / 2)


@pytest.mark.parametrize(
    ("y", "y_pred", "count"), [([], [], 0), ([1.0, math.nan], [1.0, 2.0], 1), ([1.0], [math.inf], 0)]
)
def test_pairs_that_are_not_finite_are_left_out_and_not_counted(y, y_pred, count):
    figure = draw_regression(y, y_pred, "price")

    assert figure.get_suptitle().startswith(f"n = {count}" if count else "no finite prediction")


def test_very_many_points_are_shaded_by_their_number():
    y = np.linspace(0, 1, 100_000)

    figure = draw_regression(y, y**2, "price")

    assert len(figure_bytes(figure, "svg")) < 200_000


def test_bands_of_the_errors_hold_what_they_say():
    y_pred = np.linspace(0, 1, 1000)

    [_, middle, _] = draw_regression(y_pred - np.tile([-3.0, -1.0, 0.0, 1.0, 3.0], 200), y_pred, "price").axes

    lines = {line.get_label(): line.get_ydata() for line in middle.lines}
    assert lines["median"].tolist() == pytest.approx([0.0] * 20)
    assert lines["middle 80 %"].tolist() == pytest.approx([-3.0] * 20)


def test_few_rows_have_no_bands():
    [_, middle, _] = draw_regression(np.arange(99.0), np.zeros(99), "price").axes

    assert len(middle.lines) == 1


def test_errors_far_out_are_counted_not_drawn():
    error = np.append(np.linspace(-1, 1, 999), 1e6)

    [*_, errors] = draw_regression(np.zeros(1000), error, "price").axes

    assert errors.get_xlim()[1] < 2
    assert errors.get_xlabel().endswith("10 rows lie outside")


@pytest.mark.parametrize("rows", [2_000, 20_000])
def test_a_few_rows_far_away_do_not_press_the_others_into_one_spot(rows):
    y = np.linspace(-1, 1, rows)
    y[:3] = 1e6
    left, middle, _ = draw_regression(y, np.where(y > 1, 0, y + 0.1), "y").axes
    assert max(*left.get_xlim(), *left.get_ylim(), *middle.get_ylim()) < 2
    assert left.get_xlabel() == "true y\n3 rows lie outside"


@pytest.mark.parametrize("y", [np.linspace(-1, 1, 2_000), np.full(20_000, 1e9), np.zeros(3)])
def test_errors_that_differ_by_rounding_alone_are_drawn(y):
    errors = draw_regression(y, y + 0.1, "y").axes[2]
    assert sum(bar.get_height() for bar in errors.patches) == len(y)


def test_an_axis_shows_all_rows_where_none_is_far_away():
    y = np.array([0.0, 1.0, 2.0, 9.0])
    left, middle, errors = draw_regression(y, y + 0.5, "y").axes
    assert left.get_xlim()[0] < 0
    assert left.get_xlim()[1] > 9.5
    assert middle.get_ylim()[0] < 0
    assert not any("outside" in axes.get_xlabel() for axes in (left, middle, errors))


def test_no_legend_hides_a_point_of_the_calibration():
    figure = draw_calibration([0.05], [1.0], [2], of="yes", error=0.95)
    figure.draw_without_rendering()
    axes = figure.axes[0]
    assert axes.get_legend().get_window_extent().y0 >= axes.transAxes.transform((0, 1))[1]


def test_names_that_only_their_middle_tells_apart_are_told_apart():
    classes = [f"how satisfied are you with {part} of the house as a whole" for part in ("the roof", "the floor")]
    axes = draw_confusion_matrix(np.eye(2), classes).axes[0]
    assert [text.get_text() for text in axes.get_yticklabels()] == [
        "…e roof of the house as…",
        "…e floor of the house a…",
    ]


def test_large_counts_are_as_large_as_others_where_there_is_room():
    axes = draw_confusion_matrix([[1_234_567, 0], [0, 9]], ["no", "yes"]).axes[0]
    assert {text.get_text(): text.get_fontsize() for text in axes.texts} == {"1,234,567": 8, "9": 8}


def test_calibration_shows_bins_that_hold_something():
    figure = draw_calibration([math.nan, 0.7], [math.nan, 0.5], [0, 20], of="yes", error=0.2)

    upper, lower = figure.axes
    assert upper.lines[1].get_xydata().tolist() == [[0.7, 0.5]]
    assert [bar.get_height() for bar in lower.patches] == [0, 20]
    assert [text.get_text() for text in lower.texts] == ["", "20"]
    assert figure.get_suptitle() == "n = 20   calibration error 0.2000"
    [[low, high]] = upper.collections[0].get_segments()
    assert [low[1], high[1]] == pytest.approx([0.2993, 0.7007], abs=1e-4)  # Wilson, 10 of 20


def test_of_very_many_columns_the_first_are_drawn():
    figure = draw_importance([str(number) for number in range(50)], np.ones(50), np.ones(50), metric="rmse")

    assert len(figure.axes[0].patches) == 40
    assert figure.get_suptitle().endswith("and 10 more columns")
