"""Notebooks in JupyterLab, as somebody opens them: Run All, no error, all figures, widgets."""

import shutil

import browsers
import nbformat
import pytest
from all import RUNS

from inbol_lib.paths import NOTEBOOKS

BOOKS = ("00_tour", "02_unanswerable_generation", "05_ca_dpo", "06_evaluation", "09_paper_vs_ours")
FIGURES = ".jp-OutputArea-output img"
ERRORS = "[data-mime-type='application/vnd.jupyter.error']"
#: where progress bars are written, and what went wrong without stopping a cell
ASIDE = "[data-mime-type='application/vnd.jupyter.stderr']"


@pytest.fixture(scope="module")
def reviews(tmp_path_factory):
    """The folder of the decisions made in reviews."""
    return tmp_path_factory.mktemp("reviews")


@pytest.fixture(scope="module")
def jupyter(chromium, tmp_path_factory, reviews):
    """A function from a notebook's name to its address in JupyterLab; its outputs are cleared."""
    folder = tmp_path_factory.mktemp("lab")
    for name in BOOKS:
        book = nbformat.read(NOTEBOOKS / f"{name}.ipynb", 4)
        for cell in book.cells:
            if cell.cell_type == "code":
                cell.outputs, cell.execution_count = [], None
        nbformat.write(book, folder / f"{name}.ipynb")
    runs = folder / "runs"
    if RUNS.is_dir():  # which saves minutes; without it notebooks make their own artefacts
        shutil.copytree(RUNS, runs)
    places = {"INBOL_RUNS": str(runs), "INBOL_REVIEWS": str(reviews)}
    with browsers.jupyter(folder, **places, HF_HUB_OFFLINE="1", OMP_NUM_THREADS="1") as address:
        yield lambda name: address(f"{name}.ipynb")


def stored_figures(name):
    """Return how many pictures the committed notebook shows."""
    book = nbformat.read(NOTEBOOKS / f"{name}.ipynb", 4)
    outputs = [output for cell in book.cells for output in cell.get("outputs", [])]
    return sum("image/png" in output.get("data", {}) for output in outputs)


@pytest.mark.parametrize("name", BOOKS)
def test_run_all_ends_without_an_error_and_with_every_figure(jupyter, page, name, look):
    browsers.run_all(page, jupyter(name))
    page.locator(FIGURES).first.scroll_into_view_if_needed()
    page.screenshot(path=look / f"jupyterlab-{name}.png")
    assert page.locator(ERRORS).all_text_contents() == []
    assert not any("Traceback" in text for text in page.locator(ASIDE).all_text_contents())
    figures = page.locator(FIGURES)
    assert figures.count() >= stored_figures(name) > 0
    blank = "images => images.filter((one) => one.complete && !one.naturalWidth).length"
    assert figures.evaluate_all(blank) == 0


def test_a_decision_by_mouse_and_one_by_key_are_written_at_once(jupyter, page, reviews):
    browsers.run_all(page, jupyter("02_unanswerable_generation"))
    accept = page.get_by_role("button", name="Accept").first
    accept.scroll_into_view_if_needed()
    card = page.locator(".inbol-review").first
    for act, decided in ((accept.click, 1), (lambda: page.keyboard.press("Space"), 2)):
        question = card.locator("h2").text_content()
        act()
        card.locator("h2").filter(has_not_text=question).wait_for()
        lines = [line for file in reviews.glob("*.jsonl") for line in file.open()]
        assert len(lines) == decided
