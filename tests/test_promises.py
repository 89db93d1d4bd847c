"""What the README says one can rely on names tests that are there, and numbers that are true."""

import re

import planted

from inbol_lib.paths import ROOT

README = (ROOT / "README.md").read_text()
SECTION = README.partition("## What you can rely on")[2].partition("\n## ")[0]
ROWS = re.findall(r"(?m)^\| (.+) \| (.+) \|$", SECTION)[1:]


def test_every_promise_names_tests_that_are_there():
    assert len(ROWS) >= 12
    for promise, shown in ROWS:
        links = re.findall(r"\[([^\]]+)\]\(([^)]+)\)", shown)
        assert links, promise
        for name, place in links:
            file = ROOT / place
            assert file.is_file(), place
            if file.suffix == ".py":
                assert file.stem == name
                assert re.search(r"(?m)^(async )?def test_", file.read_text()), place


def test_the_number_of_planted_faults_is_true():
    (number,) = re.findall(r"(\d+) planted faults", SECTION)
    assert int(number) == len(planted.FAULTS)


def test_the_nightly_size_is_what_is_said():
    (number,) = re.findall(r"(\d+) kills: `python tests/kills.py`", SECTION)
    assert f'def main(kills: str = "{number}"' in (ROOT / "tests" / "kills.py").read_text()
