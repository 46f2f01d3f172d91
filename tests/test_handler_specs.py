from dataclasses import dataclass

import pytest

from ignite_workflow import ConfigError, Handler, UnknownNameError, registry
from ignite_workflow.handler_specs import DEFAULT_HANDLERS, build_handlers, handler_class, in_order, merge_handlers
from ignite_workflow.handlers.checkpointing import Checkpointing
from ignite_workflow.handlers.early_stopping import EarlyStopping
from ignite_workflow.testing import scripted_workflow

EVERYTHING = {"has_validation": True, "has_directory": True, "has_schedule": True}


@dataclass
class Noise(Handler):
    scale: float = 0.01
    after = ()

    def attach(self, workflow):
        pass


def after(*names):
    class Later(Noise):
        pass

    Later.after = names
    return Later()


def merged(given=None, **lacking):
    return merge_handlers(given or {}, **{**EVERYTHING, **lacking})


def test_without_a_word_a_run_has_the_default_ones():
    assert merged() == DEFAULT_HANDLERS


def test_options_go_to_a_default_one_in_its_place():
    handlers = merged({"early_stopping": {"patience": 3}})

    assert list(handlers) == list(DEFAULT_HANDLERS)
    assert handlers["early_stopping"] == {"patience": 3}


def test_false_takes_one_away_and_true_gives_it_its_defaults():
    assert list(merged({"progress": False})) == [name for name in DEFAULT_HANDLERS if name != "progress"]
    assert merged({"gradient_clipping": True})["gradient_clipping"] == {}


def test_further_ones_stand_before_those_that_report():
    names = list(merged({"gradient_clipping": {}, "mine": Noise()}))

    assert names.index("best_weights") < names.index("gradient_clipping") < names.index("mine")
    assert names.index("mine") < names.index("progress")
    assert names[-1] == "checkpointing"


@pytest.mark.parametrize(
    ("lacking", "gone"),
    [
        ({"has_validation": False}, {"evaluation", "early_stopping", "best_weights"}),
        ({"has_directory": False}, {"watchdog", "status_file", "tensorboard", "curve_export", "checkpointing"}),
        ({"has_schedule": False}, {"lr_schedule"}),
    ],
)
def test_default_ones_with_nothing_to_work_on_are_left_out(lacking, gone):
    assert set(DEFAULT_HANDLERS) - set(merged(**lacking)) == gone


@pytest.mark.parametrize(
    ("given", "lacking", "message"),
    [
        ({"early_stopping": {}}, "has_validation", "handler early_stopping needs validation data"),
        ({"early_stopping": EarlyStopping()}, "has_validation", "handler early_stopping needs validation data"),
        ({"best": {"use": "checkpointing"}}, "has_directory", "handler best needs a run directory"),
        ({"best": Checkpointing()}, "has_directory", "handler best needs a run directory"),
        ({"lr_schedule": True}, "has_schedule", "handler lr_schedule needs a schedule"),
    ],
)
def test_one_that_was_asked_for_with_nothing_to_work_on_is_an_error(given, lacking, message):
    with pytest.raises(ConfigError, match=message):
        merged(given, **{lacking: False})


def test_taken_away_it_needs_nothing():
    assert "early_stopping" not in merged({"early_stopping": False}, has_validation=False)


def test_an_unknown_name_is_told_with_the_nearest():
    with pytest.raises(UnknownNameError, match=r"unknown handler 'erly_stopping'. Did you mean 'early_stopping'\?"):
        merged({"erly_stopping": {}})


def test_a_class_is_found_by_id_by_name_and_by_import_path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.py").write_text(
        "from ignite_workflow import Handler\nclass Mine(Handler):\n    def attach(self, workflow): pass\n"
    )

    assert handler_class("checkpointing", {}) is Checkpointing
    assert handler_class("best", {"use": "checkpointing"}) is Checkpointing
    assert handler_class("any", {"use": "mine.py:Mine"}).__name__ == "Mine"


@pytest.mark.parametrize("use", ["pathlib:Path", "math:pi", "ignite_workflow.handler:is_better"])
def test_what_is_not_a_handler_class_is_refused(use):
    with pytest.raises(ConfigError, match=f"handler mine: {use} is not a Handler class"):
        handler_class("mine", {"use": use})


@dataclass
class Unfinished(Handler):
    scale: float = 1.0


class Lookalike:
    def attach(self, workflow):
        pass

    def state_dict(self):
        return {}


@pytest.mark.parametrize("cls", [Unfinished, Lookalike])
def test_a_class_that_lacks_a_part_of_a_handler_is_refused(cls, monkeypatch):
    monkeypatch.setattr(registry, "load", lambda kind, name: cls)

    with pytest.raises(ConfigError, match=r"handler mine: my\.py:Mine is not a Handler class"):
        handler_class("mine", {"use": "my.py:Mine"})


@pytest.mark.parametrize("given", [Lookalike(), 5, "accuracy"])
def test_what_is_neither_handler_nor_options_is_refused(given):
    with pytest.raises(ConfigError, match=r"handler mine: .* is not a Handler class, or none of its objects"):
        merged({"mine": given})


def test_builds_each_from_its_options_and_takes_one_that_is_built():
    mine = Noise()

    built = build_handlers(
        {"early_stopping": {"patience": 3}, "best": {"use": "checkpointing", "keep": 1}, "mine": mine}
    )

    assert built["early_stopping"] == EarlyStopping(patience=3)
    assert built["best"] == Checkpointing(keep=1)
    assert built["mine"] is mine


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"patiense": 3}, r"handler early_stopping: unknown option 'patiense'. Did you mean 'patience'\?"),
        ({"patience": "three"}, r"handler early_stopping: patience must be"),
        ({"mode": "mim"}, r"handler early_stopping: mode must be"),
        ({"patience": 0}, r"early_stopping: patience must be at least 1, got 0"),
    ],
)
def test_a_wrong_option_is_named(options, message):
    with pytest.raises(ConfigError, match=message):
        build_handlers({"early_stopping": options})


def test_the_order_is_that_given_where_nothing_comes_after_anything():
    assert list(in_order({"b": after(), "a": after(), "c": after()})) == ["b", "a", "c"]


def test_each_stands_after_those_it_names():
    assert list(in_order({"a": after("c"), "b": after("a"), "c": after()})) == ["c", "a", "b"]


def test_a_built_in_one_is_named_under_any_id():
    handlers = {"a": after("early_stopping"), "patient": EarlyStopping(), "b": after("nobody")}

    assert list(in_order(handlers)) == ["patient", "a", "b"]


def test_what_is_derived_from_a_built_in_one_is_one_too_wherever_it_lies():
    class Patient(EarlyStopping):
        pass

    assert list(in_order({"a": after("early_stopping"), "own": Patient()})) == ["own", "a"]


def test_one_that_lies_in_a_module_of_a_built_in_name_is_itself(monkeypatch):
    mine = after("evaluation")
    monkeypatch.setattr(type(mine), "__module__", "my_package.evaluation")

    assert list(in_order({"mine": mine, "twin": mine, "b": after("evaluation")})) == ["mine", "twin", "b"]


def test_a_ring_is_an_error():
    with pytest.raises(ConfigError, match="handlers a, b each come after one another"):
        in_order({"a": after("b"), "b": after("a"), "c": after()})


@dataclass
class Raising(Handler):
    """Raises in the method that it is told."""

    within: str = ""

    def __post_init__(self):
        self.come_to("the constructor")

    def come_to(self, method):
        if method == self.within:
            raise RuntimeError("boom")

    def attach(self, workflow):
        self.come_to("attach")

    def state_dict(self):
        self.come_to("state_dict")
        return {}

    def load_state_dict(self, state_dict):
        self.come_to("load_state_dict")


@pytest.mark.parametrize("method", ["the constructor", "attach", "state_dict", "load_state_dict"])
def test_what_a_plugin_raises_outside_of_events_names_it_too(method):
    def run():
        workflow = scripted_workflow(loss=[1.0])
        workflow.attach(build_handlers({"mine": {"use": f"{__name__}:Raising", "within": method}}))
        workflow.load_state_dict(workflow.state_dict())
        workflow.run()

    with pytest.raises(RuntimeError, match="boom") as caught:
        run()

    assert f"in {method} of handler mine" in caught.value.__notes__
