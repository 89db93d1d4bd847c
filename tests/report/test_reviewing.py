"""The review page, the contact sheet, and the widget in a real kernel."""

import os

import nbformat
from builders import RED, decision_line, question_table, review_of, write_decisions
from nbclient import NotebookClient

from inbol_lib import paths
from inbol_lib.boundary import review
from inbol_lib.report import reviewing

CELL = """
from builders import RED, question_table
from inbol_lib import params
from inbol_lib.boundary import review
from inbol_lib.report import reviewing

p = params.load("smoke")
tables = {split: question_table() for split in review.SPLITS}
tables["test"] = question_table(*((name, "swap", "") for name in "abc"))
"""
SHOW = 'reviewing.show(p, tables, {"test": {"image_id": ["red"], 0: {"image": RED}}})'
WRITTEN = "print(review.file(p).parent.exists())"
CLICK = """
box = reviewing.widget(review.Review(p, "test", tables["test"], lambda _: RED, "me"))
accept, reject, back, skip = box.children[1].children
for button in (accept, skip, reject, accept, back, accept):
    button.click()
print([button.disabled for button in (accept, reject, back, skip)], end=" ")
print(review.file(p).read_text().count("me"), end=" ")
print("3 accepted, 0 rejected" in box.children[0].value)
"""


def test_a_decision_about_a_lost_question_is_kept_and_named(reviews, smoke, capsys):
    write_decisions(smoke, decision_line(smoke, "gone"), decision_line(smoke, "here"))
    tables = {split: question_table() for split in review.SPLITS}
    tables["test"] = question_table(("here", "swap", review.REJECTED), ("new", "swap", ""))
    pools = {"test": {"image_id": ["red"], 0: {"image": RED}}}
    text = review.file(smoke).read_text()
    reviewing.show(smoke, tables, pools)
    said = capsys.readouterr().out
    assert "1 decisions are about questions that are no longer made" in said
    assert "gone: gone" in said
    assert "test, 2 questions: 0 accepted, 1 rejected, 1 open" in said
    assert review.file(smoke).read_text() == text, "a contact sheet writes nothing"


def test_what_a_generator_wrote_is_shown_and_not_run(reviews, smoke):
    page = reviewing.page(review_of(smoke, "<script>alert(1)</script>"))
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert "&lt;b&gt;why" in page
    for check, said in zip(review.CHECKS, ("yes", "no", "unclear"), strict=True):
        assert f"{check}: <b>{said}</b>" in page


def executed(tmp_path, cells, **env):
    """The outputs of cells run in a real kernel, without what this process says of itself."""
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    client = NotebookClient(book, kernel_name="python3")
    client.create_kernel_manager()
    client.km.transport, client.km.ip = "ipc", str(tmp_path / "kernel")
    inherited = {key: os.environ[key] for key in os.environ.keys() - {"CI", "JPY_SESSION_NAME"}}
    modules = os.pathsep.join(map(str, (paths.ROOT, paths.ROOT / "tests")))
    client.execute(env=inherited | {"PYTHONPATH": modules} | env)
    return [cell.outputs for cell in book.cells]


def kinds_of_output(outputs):
    """The MIME types of displayed outputs, and "text" for printed ones."""
    return {kind for output in outputs for kind in output.get("data") or {"text": ""}}


def test_a_kernel_shows_the_widget_to_a_person_and_a_contact_sheet_to_a_machine(reviews, tmp_path):
    starts = {"papermill": {}, "CI": {"CI": "1", "JPY_SESSION_NAME": "x"}}
    for env in starts.values():
        shown = executed(tmp_path, [CELL, SHOW], **env)[1]
        assert kinds_of_output(shown) == {"text", "image/png", "text/plain"}
    lab = executed(tmp_path, [CELL, SHOW, WRITTEN, CLICK], JPY_SESSION_NAME="x")
    _, shown, written, clicked = lab
    assert "application/vnd.jupyter.widget-view+json" in kinds_of_output(shown)
    assert written[0]["text"] == "False\n", "showing decides nothing"
    assert clicked[0]["text"].strip() == "[True, True, False, True] 4 True"
