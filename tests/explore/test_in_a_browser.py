"""The views in JupyterLab, in a real headless Chromium."""

import browsers
import nbformat
import pytest

from inbol_lib.data.records import save_table
from inbol_lib.study import graph

HOSTILE = '<img src=x onerror="window.hacked = 1">$x$</style><script>window.hacked = 1</script>'
CELLS = (
    "from inbol_lib import explore, params\np = params.load('smoke')",
    "explore.records(p, published=True)",
    "explore.costs(p, published=True)",
    "explore.thresholds(p, published=True)",
    f"explore.ask(p, question={HOSTILE!r}, answer={HOSTILE!r})",
)
#: the same on artefacts of one's own
OWN = (CELLS[0], "explore.records(p)", "explore.costs(p)", "explore.thresholds(p)")


@pytest.fixture
def opened(tmp_path):
    """A function that runs cells in JupyterLab and returns its page; the views are there."""
    with browsers.chromium() as chromium, browsers.jupyter(tmp_path) as address:

        def run(cells):
            made = [nbformat.v4.new_code_cell(cell) for cell in cells]
            kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
            book = nbformat.v4.new_notebook(cells=made, metadata={"kernelspec": kernel})
            nbformat.write(book, tmp_path / "views.ipynb")
            page = browsers.opened(chromium, {"width": 1200, "height": 1000})
            browsers.run_all(page, address("views.ipynb"))
            count = f"document.querySelectorAll('.inbol-explore').length == {len(cells) - 1}"
            page.wait_for_function(count)
            return page

        yield run


def test_keys_move_the_records_and_the_slider_the_methods(opened):
    page = opened(CELLS)
    records, costs, thresholds, asked = page.locator(".inbol-explore").all()
    heading = records.locator(".card .faint").first
    records.focus()
    for key, place in (("n", "2 of"), ("ArrowRight", "3 of"), ("p", "2 of"), ("ArrowLeft", "1 of")):
        page.keyboard.press(key)
        heading.filter(has_text=place).wait_for()
    outline = records.evaluate("box => getComputedStyle(box).outlineStyle")
    assert outline == "solid", "one sees where the focus is"
    records.locator("input[type=text]").first.click()
    page.keyboard.type("nnpp")
    assert records.locator("input[type=text]").first.input_value() == "nnpp", "fields take letters"
    assert "1 of" in heading.text_content()
    assert records.locator(".card img").count() == 1
    page.keyboard.press("Control+a")
    page.keyboard.press("Delete")
    costs.locator(".noUi-handle").focus()
    page.keyboard.press("ArrowRight")
    costs.get_by_text("−1.1", exact=True).wait_for()
    first = costs.locator("tbody tr").first.locator("td").nth(1)
    best = first.text_content()
    for _ in range(8):
        page.keyboard.press("ArrowLeft")
    costs.get_by_text("−0.3", exact=True).wait_for()
    assert first.text_content() != best
    assert thresholds.locator("svg rect").count() > 5
    assert HOSTILE in asked.locator("h2").text_content()
    asked.get_by_role("button", name="Ask").click()
    asked.get_by_text("Every method's answer").wait_for()
    assert page.evaluate("window.hacked") is None, "texts are shown and never run"
    width = "box => box.scrollWidth <= box.clientWidth + 1"
    assert all(box.evaluate(width) for box in (records, costs, thresholds, asked))
    right_of = "box => box.getBoundingClientRect().right"
    edge = records.locator(".card").evaluate(right_of)
    answers = records.locator(".card tr").all()
    assert all(row.evaluate(right_of) <= edge for row in answers), "every verdict is seen"


def test_hostile_records_are_shown_and_never_run(smoke, artefacts_of, opened):
    def hostile(row):
        said = [HOSTILE] * len(row["responses"])
        changes = {"question": HOSTILE, "responses": said, "correct": HOSTILE, "incorrect": HOSTILE}
        return row | changes | {"answers": [HOSTILE], "choices": [HOSTILE, "red"]}

    p, _, outcomes = artefacts_of(smoke, hostile)
    file = graph.path("evaluation", p) / "outcomes.parquet"
    save_table(outcomes.assign(response=HOSTILE), file)
    page = opened(OWN)
    records = page.locator(".inbol-explore").first
    card = records.locator(".card")
    assert HOSTILE in card.locator("h2").text_content()
    assert card.inner_text().count("onerror=") > len(("question", "answer", "a sample"))
    heading = card.locator(".faint").first
    records.get_by_role("button", name="Next").click()
    heading.filter(has_text="2 of").wait_for()
    records.focus()
    page.keyboard.press("n")
    heading.filter(has_text="3 of").wait_for()
    assert HOSTILE in card.locator("h2").text_content()
    assert page.locator("img[src='x'], .inbol-explore script").count() == 0
    assert page.evaluate("window.hacked") is None
