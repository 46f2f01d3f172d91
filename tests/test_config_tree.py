import pytest

from ignite_workflow.config_tree import MAX_BYTES, Place, parse_yaml, read_yaml, to_yaml
from ignite_workflow.errors import ConfigError

ALIASES_OF_ALIASES = "a: &a [x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{above}'] * 9)}]\n" for above, name in zip("abcdefgh", "bcdefghi")
)
FILE = Place("a.yaml", 1, 1)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-3", 1e-3),
        ("1", 1),
        ("0777", 777),
        ("yes", "yes"),
        ("on", "on"),
        ("12:30:45", "12:30:45"),
        ("2026-01-01", "2026-01-01"),
        ("=", "="),
        ("true", True),
        ("~", None),
        ("", None),
        (".inf", float("inf")),
        ("{1: a}", {"1": "a"}),
        ("[&a [1], *a]", [[1], [1]]),
    ],
)
def test_values_are_those_of_yaml_1_2(text, value):
    assert parse_yaml(text, FILE).to_plain() == value


def test_scalars_may_be_taken_as_text():
    assert parse_yaml("[1e3, yes, null, '7']", FILE, is_text=True).to_plain() == ["1e3", "yes", "null", "7"]


def test_every_value_knows_its_place():
    node = parse_yaml("a:\n  b: [1, 2]\n", FILE).value["a"].value["b"]

    assert str(node.key_place) == "a.yaml:2:3"
    assert str(node.place) == "a.yaml:2:6"
    assert str(node.value[1].place) == "a.yaml:2:10"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\nb: 2\na: 3", "a.yaml:3:1: duplicate key 'a'; it stands at a.yaml:1:1 too."),
        ("a: [1, 2", "a.yaml:1:9: not valid YAML: expected ',' or ']'"),
        ("a:\n\tb: 1", "a.yaml:2:1: not valid YAML: found character '\\t'"),
        ("a: !!python/object:os.system x", "a.yaml:1:4: tags (python/object:os.system) are not allowed."),
        ("a: !colour red", "a.yaml:1:4: tags (!colour) are not allowed."),
        ("a: !!int x", "a.yaml:1:4: 'x' is not a number."),
        ("a: !!bool x", "a.yaml:1:4: 'x' is not a number."),
        (f"a: {'9' * 5000}", "is not a number."),
        ("? [a]\n: 1", "a.yaml:1:3: a key must be text."),
        ("a: 1\n---\nb: 2", "a.yaml:2:1: not valid YAML: but found another document"),
        ("a: \0", "a.yaml:1:1: not valid YAML: it holds a character that text cannot have."),
        ("a: {iterations:7}", "a.yaml:1:5: 'iterations:7' has no value: write {iterations: 7}, with a blank."),
        ("&a [*a]", "too many values, or too deep in each other"),
        ("[" * 1000, "lie too deep in each other"),
        (ALIASES_OF_ALIASES, "too many values"),
    ],
)  # fmt: skip
def test_what_is_not_plain_yaml_is_refused(text, message):
    with pytest.raises(ConfigError) as error:
        parse_yaml(text, FILE)

    assert message in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"a: \xff", "a config is UTF-8 text; byte 3 is not."),
        (b"#" * (MAX_BYTES + 1), "too large for a config (1,000,001 bytes; at most 1,000,000)."),
    ],
)
def test_a_file_that_is_no_config_is_refused(tmp_path, content, message):
    file = tmp_path / "a.yaml"
    file.write_bytes(content)

    with pytest.raises(ConfigError) as error:
        read_yaml(file)

    assert str(error.value) == f"{file}: {message}"


def test_a_file_that_is_missing_or_a_directory_is_refused(tmp_path):
    with pytest.raises(ConfigError, match=r"gone.yaml: there is no such file\."):
        read_yaml(tmp_path / "gone.yaml")
    with pytest.raises(ConfigError, match=r"is a directory\."):
        read_yaml(tmp_path)


def test_a_byte_order_mark_is_no_part_of_the_first_key(tmp_path):
    file = tmp_path / "a.yaml"
    file.write_text("a: 1", encoding="utf-8-sig")

    assert read_yaml(file).to_plain() == {"a": 1}


@pytest.mark.parametrize(
    "text", ["a\nb", " a", "\x85", "\u2028", "\ufeff", "\x07", "\ud800", "# a", "x " * 90, "é", "'\""]
)
def test_odd_text_that_was_written_reads_back_equal(text):
    assert parse_yaml(to_yaml({text: [text]}), FILE).to_plain() == {text: [text]}


def test_the_innermost_values_are_written_on_one_line():
    text = to_yaml({"model": {"name": "mlp", "hidden": [1, 2]}, "loss": {"name": "mse"}})

    assert text == "model:\n  name: mlp\n  hidden: [1, 2]\nloss: {name: mse}\n"
