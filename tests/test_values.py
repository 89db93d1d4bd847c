"""Parameters written as text: numbers travel exactly, traps of YAML are refused in one line."""

import papermill.parameterize
import pytest
import yaml

from inbol_lib import params, values
from inbol_lib.errors import ParameterError


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("5e-05", 5e-05),
        ("1e-7", 1e-7),
        ("0.00001", 1e-05),
        ("12", 12),
        ("-3", -3),
        ("0.5", 0.5),
        ("true", True),
        ("[1, 2]", [1, 2]),
        ("1:30", "1:30"),
        ("folder:/a b/hash #1", "folder:/a b/hash #1"),
        ("folder:/o'neil", "folder:/o'neil"),
        ("'12'", "12"),
    ],
)
def test_a_value_is_read_as_it_is_meant(text, value):
    assert values.read_value(text) == value
    assert type(values.read_value(text)) is type(value)


@pytest.mark.parametrize("text", ["[0,1", "@x", "012", "-007", "{a: 1, a: 2}", "a: b: c"])
def test_what_can_not_be_read_is_refused_in_one_line(text):
    with pytest.raises(ParameterError) as error:
        values.read_value(text)
    assert len(str(error.value).splitlines()) == 1


@pytest.mark.parametrize(
    "value",
    [1e-05, 5e-05, 0.1 + 0.2, 3, True, "012", "1:30", "a #b", "o'neil {x}", "", [[1.0, 2.0]]],
)
def test_what_is_written_is_read_again_by_us_and_by_plain_yaml(value):
    text = values.written(value)
    assert "\n" not in text
    assert values.read_value(text) == value
    assert yaml.safe_load(text) == value


@pytest.mark.parametrize(
    ("content", "hint"),
    [
        (b"", "is empty"),
        (b"- seed\n", "holds a list"),
        (b"text", "holds a str"),
        (b"seed: 1\nbeta: [0.1\n", "line 3"),
        (b"seed:\t1\n\tbeta: 2", "no YAML"),
        (b"seed: 1\n---\nseed: 2\n", "no YAML"),
        (b"seed: 1\nseed: 2\n", "given twice"),
        (b"seed: 010\n", "leading zero"),
        (b"# caf\xe9\n", "UTF-8"),
    ],
)
def test_a_broken_profile_is_refused_in_one_line(tmp_path, content, hint):
    path = tmp_path / "broken.yaml"
    path.write_bytes(content)
    with pytest.raises(ParameterError, match=hint) as error:
        params.load(path)
    assert len(str(error.value).splitlines()) == 1


def test_a_small_rate_is_the_same_number_by_every_entrance(tmp_path):
    path = tmp_path / "small.yaml"
    path.write_text("learning_rate: 5e-05\n")
    passed_on = papermill.parameterize.add_builtin_parameters({"learning_rate": "5e-05"})
    assert params.load(path).learning_rate == 5e-05
    assert params.load(learning_rate=values.read_value("5e-05")).learning_rate == 5e-05
    assert params.parameters({"learning_rate": passed_on["learning_rate"]}).learning_rate == 5e-05


def test_a_text_that_looks_like_a_number_stays_a_text():
    for text in ("0E0", "08", "1e5", "-007", "5", "0.5", "red"):
        assert values.read_value(values.written(text)) == text
        assert values.read_value(values.written([text])) == [text]
