"""What every notebook promises its readers, and the two pages beside them."""

import json
import re

import architecture
import pytest

from inbol_lib import paths
from inbol_lib.paths import ROOT

BOOKS = sorted(paths.NOTEBOOKS.glob("*.ipynb"))
PAGES = ("docs/glossary.md", "docs/teachers.md")


def cells(book, kind="code", tag=None):
    """The cells of a kind, with a tag if one is given: (source, cell)."""
    found = [one for one in json.loads(book.read_text())["cells"] if one["cell_type"] == kind]
    if tag:
        found = [one for one in found if tag in one["metadata"].get("tags", [])]
    return [("".join(one["source"]), one) for one in found]


def said(cell):
    """What a cell's stored outputs say as text."""
    parts = [out.get("text") or out["data"].get("text/plain", "") for out in cell["outputs"]]
    return "".join("".join(part) for part in parts)


@pytest.fixture(params=BOOKS, ids=lambda book: book.stem)
def book(request):
    return request.param


def test_prose_is_long_enough_to_explain_and_short_enough_to_read(book):
    words = sum(len(text.split()) for text, _ in cells(book, "markdown"))
    assert 900 <= words <= 1800


def test_it_says_what_it_needs_and_how_long_it_takes(book):
    first = cells(book, "markdown")[0][0]
    assert first.startswith("# ")
    assert "**You need**" in first
    assert re.search(r"\*\*Time:\*\* about \d+ minutes", first)


def test_cells_are_short(book):
    for text, cell in cells(book):
        lines = text.splitlines()
        assert max(map(len, lines)) <= 100, text
        whole = "parameters" in cell["metadata"].get("tags", []) or "\nfrom inbol_lib" in text
        assert whole or len(lines) <= 10, text


def test_it_demonstrates_in_few_cells(book):
    asked = cells(book, tag="exercise") + cells(book, tag="solution")
    assert len(cells(book)) - len(asked) <= 20


def test_prose_stands_before_code(book):
    every = json.loads(book.read_text())["cells"]
    kinds = "".join(cell["cell_type"][0] for cell in every)
    assert "cccccc" not in kinds  # but for the parameters with the setup, and a check in parts


def test_its_figures_are_stored(book):
    lines = [line for text, _ in cells(book) for line in text.splitlines()]
    drawn = sum("plt.subplots(" in line for line in lines if line == line.lstrip())
    stored = [out.get("data", {}) for _, cell in cells(book) for out in cell["outputs"]]
    assert sum("image/png" in data for data in stored) >= drawn > 0


def test_three_exercises_wait_for_the_reader(book):
    asked = cells(book, tag="exercise")
    assert len(asked) == 3
    assert sum("= None" in text for text, _ in asked) == 2
    assert sum("return ..." in text for text, _ in asked) == 1
    for text, cell in asked:
        assert said(cell).startswith("Not yet: replace"), text


def test_three_solutions_are_hidden_and_pass(book):
    solved = cells(book, tag="solution")
    assert len(solved) == 3
    for text, cell in solved:
        assert cell["metadata"]["jupyter"] == {"source_hidden": True}
        assert said(cell).startswith("Right"), text


def test_solutions_go_through_the_checkers_of_the_exercises(book):
    def called(tag):
        return {re.findall(r"^quiz\.(\w+)\(", text, re.M)[-1] for text, _ in cells(book, tag=tag)}

    assert called("exercise") == called("solution")


def test_every_exercise_has_a_hint(book):
    text = "\n".join(text for text, _ in cells(book, "markdown"))
    assert text.count("<details><summary>Hint</summary>\n\n") == text.count("</details>") == 3
    assert len(re.findall(r"^## Exercise \d", text, re.M)) == 3


@pytest.mark.parametrize("page", PAGES)
def test_links_of_a_page_lead_to_files(page):
    targets = [target for _, target in architecture.linked(ROOT / page)]
    assert targets
    assert [one for one in targets if not (ROOT / "docs" / one).exists()] == []


def test_the_pages_are_linked_from_the_readme():
    targets = [target for _, target in architecture.linked(ROOT / "README.md")]
    assert set(PAGES) <= set(targets)
