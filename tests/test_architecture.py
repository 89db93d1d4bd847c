"""The map (ARCHITECTURE.md) is current.

Its picture follows the imports, its links lead somewhere.
"""

import re

import architecture
import pytest

from inbol_lib.paths import ROOT

PAGES = ("ARCHITECTURE.md", "CONTRIBUTING.md", "README.md")


def test_the_picture_shows_the_imports_of_today():
    assert architecture.PICTURE.read_text() == architecture.picture(), (
        "imports or rooms changed: draw the map again with `python tests/architecture.py`"
    )


def test_arrows_that_follow_from_others_are_left_out():
    chain = {("a", "b"), ("b", "c"), ("a", "c")}
    assert architecture.reduced(chain) == {("a", "b"), ("b", "c")}
    assert architecture.reduced({("a", "b"), ("a", "c")}) == {("a", "b"), ("a", "c")}


@pytest.mark.parametrize("name", PAGES)
def test_links_lead_to_files(name):
    targets = [target for _, target in architecture.linked(ROOT / name)]
    local = [target.partition("#")[0] for target in targets if "://" not in target]
    assert local
    assert [target for target in local if not (ROOT / target).exists()] == []


def test_every_function_on_the_map_is_where_its_link_says():
    links = architecture.linked(ROOT / "ARCHITECTURE.md")
    named = [(label, target) for label, target in links if label.startswith("`")]
    assert len(named) >= 20
    for label, target in named:
        source = (ROOT / target).read_text()
        for name in re.findall(r"(\w+)`", label):
            assert re.search(rf"^\s*(def|class) {name}\b", source, re.M), (name, target)
