"""Decisions by hand: what is written, whom it concerns, what it changes; and the widget in a real kernel."""

import json
import os
import subprocess
import sys

import nbformat
import pytest
from PIL import Image

from inbol_lib.boundary import review, unanswerable
from inbol_lib.errors import ParameterError
from inbol_lib.micro import world
from inbol_lib.report import reviewing
from inbol_lib.study import graph, run

PICTURE = Image.new("RGB", (8, 8), "red")


@pytest.fixture
def reviews(tmp_path, monkeypatch):
    """An empty folder of decisions."""
    monkeypatch.setenv("INBOL_REVIEWS", str(tmp_path / "reviews"))
    return tmp_path / "reviews"


def line(p, name="q", accepted=False, split="test", origin="swap", **other):
    """One line of the file about the question `name` of the red picture."""
    return {"id": name, "digest": review.digest(PICTURE, name), "accepted": accepted, "split": split, "origin": origin,
            "pool": review.pool(p, split), "question": name} | other  # fmt: skip


def write(p, *lines):
    path = review.file(p)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        file.writelines((x if isinstance(x, str) else json.dumps(x)) + "\n" for x in lines)


def made(*rows):
    """A table of questions: (name, origin, end)."""
    return review.table([{"id": name, "image_id": "red", "question": name, "origin": origin, "explanation": "<b>why</b>",
                          "checks": [True, False, None], "incorrect": "blue", "digest": review.digest(PICTURE, name), "end": end}
                         for name, origin, end in rows])  # fmt: skip


def at_work(p, *names):
    return review.Review(
        p, "test", made(*((name, "swap", "") for name in names)), lambda _: PICTURE
    )


def test_the_digest_is_of_pixels_and_question(tmp_path):
    PICTURE.save(tmp_path / "a.png", compress_level=0)
    assert review.digest(Image.open(tmp_path / "a.png"), "Who?") == review.digest(PICTURE, "Who?")
    others = {review.digest(PICTURE, "Why?"), review.digest(Image.new("RGB", (8, 8), "blue"), "Who?"),
              review.digest(Image.new("RGB", (4, 16), "red"), "Who?"), review.digest(PICTURE, "Who?")}  # fmt: skip
    assert len(others) == 4


def test_a_decision_is_on_disk_at_once_and_the_last_one_wins(reviews, smoke):
    work = at_work(smoke, "a", "b", "c")
    work.decide(True)
    work.decide(False)
    assert [(json.loads(x)["id"], json.loads(x)["accepted"]) for x in review.file(smoke).read_text().splitlines()] == [
        ("a", True), ("b", False)]  # fmt: skip
    assert (work.at, work.counts()) == (2, "3 questions: 1 accepted, 1 rejected, 1 open")
    work.move(-1)
    work.decide(True)
    assert work.at == 2, "after a change of mind comes the next question, and nothing is skipped"
    assert review.rejected(smoke) == []
    assert len(review.file(smoke).read_text().splitlines()) == 3, "nothing is removed"
    again = at_work(smoke, "a", "b", "c")
    assert (again.at, again.counts()) == (2, "3 questions: 2 accepted, 0 rejected, 1 open")
    again.decide(False)
    assert again.at == 3
    assert "Every question is decided" in reviewing.page(again)
    assert "1 of the decisions change" in reviewing.page(again)


STAGES = ("confidence", "unanswerable", "composition", "ca_dpo", "evaluation")


def test_only_rejections_that_concern_an_artefact_change_its_name(reviews, smoke):
    path = graph.path("composition", smoke)
    write(smoke, line(smoke, "a", accepted=True))
    assert graph.path("composition", smoke) == path, "whoever looks and agrees changes nothing"
    write(smoke, line(smoke, "a"))
    other = smoke.replace(num_unanswerable=9, verifier="program", unanswerable_generator="micro-s")
    concerned = [smoke, other, smoke.replace(model="micro-m")]
    untouched = [
        smoke.replace(test_questions=99),
        smoke.replace(data_seed=1),
        smoke.replace(dataset="folder:x", verifier="micro-s"),
    ]
    found = [[graph.path(s, p) for s in STAGES] for p in concerned + untouched]
    review.file(smoke).unlink()
    plain = [[graph.path(s, p) for s in STAGES] for p in concerned + untouched]
    changed = [
        [a != b for a, b in zip(*both, strict=True)] for both in zip(found, plain, strict=True)
    ]
    assert changed == [[False, True, True, True, True]] * 3 + [[False] * 5] * 3
    write(smoke, line(smoke, "a", origin="program"))
    assert review.rejected(smoke)
    assert not review.rejected(other), "another generator's question"


def test_a_decision_taken_back_gives_the_old_artefact_back(reviews, smoke):
    plain = graph.path("unanswerable", smoke)
    write(smoke, line(smoke))
    assert graph.path("unanswerable", smoke) != plain
    write(smoke, line(smoke, accepted=True))
    assert graph.path("unanswerable", smoke) == plain


@pytest.mark.parametrize(("bad", "said"), [
    ("{", "JSON"), ("[]", "object"), ('{"id": "q"}', "digest"), ({"accepted": "yes"}, "boolean"),
    ({"split": "tset"}, "'train', 'validation'"), ({"digest": "xyz"}, "pattern"), ({"accept": True}, "not permitted"),
    ({"id": ""}, "at least 1"),
])  # fmt: skip
def test_bad_lines_are_refused_line_by_line_before_a_kernel_starts(
    reviews, runs, smoke, capsys, bad, said
):
    write(
        smoke,
        line(smoke),
        "",
        bad if isinstance(bad, str) else line(smoke) | bad,
        line(smoke, "b"),
        "nonsense",
    )
    with pytest.raises(ParameterError, match=said) as error:
        review.rejected(smoke)
    assert "line 3:" in str(error.value)
    assert "line 5:" in str(error.value)
    assert not [n for n in (1, 2, 4) if f"line {n}:" in str(error.value)]
    assert run.main(["unanswerable"]) == 2
    assert "line 3:" in capsys.readouterr().err


def row(name, origin):
    return {"digest": name, "origin": origin}


def test_without_rejections_the_even_choice_stays():
    rows = [row(str(i), "swap" if i < 8 else "program") for i in range(16)]
    assert [i for i, end in enumerate(review.ends(rows, 4, ())) if not end] == [0, 4, 8, 12]
    assert review.ends(rows[:3], 5, ()) == [""] * 3


def test_surplus_of_the_same_origin_takes_the_place_and_the_rest_stays():
    rows = [row(str(i), "swap" if i < 8 else "program") for i in range(16)]
    for barred, kept in (
        ({"4"}, {0, 3, 8, 12}),
        ({"12"}, {0, 4, 8, 11}),
        ({"4", "3"}, {0, 5, 8, 12}),
        ({"8", "9"}, {0, 4, 10, 12}),
    ):
        ends = review.ends(rows, 4, barred)
        assert {i for i, end in enumerate(ends) if not end} == kept
        assert {i for i, end in enumerate(ends) if end == review.REJECTED} == {
            int(b) for b in barred
        }
    swaps = {str(i) for i in range(8)}
    ends = review.ends(rows, 4, swaps)
    assert sum(not end for end in ends) == 4, (
        "another origin's where there is no surplus of its own"
    )
    assert [bool(end) for end in review.ends(rows, 16, {"1"})] == [i == 1 for i in range(16)], (
        "fewer where there is no surplus"
    )


def test_a_rejected_question_never_enters_and_is_counted(tiny, smoke):
    model, processor, _ = tiny
    p, pool = (
        smoke.replace(verifier="program", max_new_tokens=4),
        world.questions("vqav2", "train", 40),
    )
    before, _, table = unanswerable.build(p, pool, 12, model, processor)
    barred = set(table.digest[table.id.isin(before["id"][:3])])
    after, counts, again = unanswerable.build(p, pool, 12, model, processor, rejected=barred)
    assert len(after) == 12, "surplus fills the places"
    assert set(before["id"][3:]) <= set(after["id"])
    assert not set(before["id"][:3]) & set(after["id"])
    assert sum(n for (_, step), n in counts.items() if step == review.REJECTED) == 3
    assert list(again.id) == list(table.id), "every question that was made is there"
    assert (again.end == "kept").sum() == 12
    pictures = dict(zip(pool["image_id"], pool["image"], strict=True))
    kept = again[again.end == "kept"]
    assert [review.digest(pictures[r.image_id], r.question) for r in kept.itertuples()] == list(
        kept.digest
    )
    assert set(kept[kept.origin == "swap"].explanation) == {""}
    assert kept[kept.origin == "program"].explanation.str.startswith("Sorry").all()


def test_a_decision_about_a_lost_question_is_kept_and_named(reviews, smoke, capsys):
    write(smoke, line(smoke, "gone"), line(smoke, "here"))
    tables = {
        s: made(("here", "swap", review.REJECTED), ("new", "swap", "")) if s == "test" else made()
        for s in review.SPLITS
    }
    pools = {"test": {"image_id": ["red"], 0: {"image": PICTURE}}}
    text = review.file(smoke).read_text()
    reviewing.show(smoke, tables, pools)
    said = capsys.readouterr().out
    assert "1 decisions are about questions that are no longer made" in said
    assert "gone: gone" in said
    assert "test, 2 questions: 0 accepted, 1 rejected, 1 open" in said
    assert review.file(smoke).read_text() == text, "a contact sheet writes nothing"


def test_what_a_generator_wrote_is_shown_and_not_run(reviews, smoke):
    page = reviewing.page(at_work(smoke, "<script>alert(1)</script>"))
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert "&lt;b&gt;why" in page
    assert [
        f"{check}: <b>{said}</b>" in page
        for check, said in zip(review.CHECKS, ("yes", "no", "unclear"), strict=True)
    ] == [True] * 3


CELL = """
import json, os
import pandas as pd
from PIL import Image
from inbol_lib import params
from inbol_lib.boundary import review
from inbol_lib.report import reviewing
p, red = params.load("smoke"), Image.new("RGB", (8, 8), "red")
rows = [{"id": n, "image_id": "red", "question": n, "origin": "swap", "checks": [True], "incorrect": "x", "end": "",
         "digest": review.digest(red, n)} for n in "abc"]
tables = {s: review.table(rows if s == "test" else []) for s in review.SPLITS}
"""
SHOW = 'reviewing.show(p, tables, {"test": {"image_id": ["red"], 0: {"image": red}}})'
CLICK = """
box = reviewing.widget(review.Review(p, "test", tables["test"], lambda _: red, "me"))
accept, reject, back, skip = box.children[1].children
for button in (accept, skip, reject, accept, back, accept):
    button.click()
print([button.disabled for button in (accept, reject, back, skip)], review.file(p).read_text().count("me"),
      "3 accepted, 0 rejected" in box.children[0].value)
"""


def executed(tmp_path, cells, **env):
    """The outputs of cells run by nbconvert in a real kernel."""
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in cells])
    nbformat.write(book, tmp_path / "book.ipynb")
    env = (
        {k: v for k, v in os.environ.items() if k not in ("CI", "JPY_SESSION_NAME")}
        | {"PYTHONPATH": str(run.paths.ROOT)}
        | env
    )
    subprocess.run([sys.executable, "-m", "nbconvert", "--to", "notebook", "--execute", "--inplace", tmp_path / "book.ipynb"], env=env,
                   check=True, capture_output=True)  # fmt: skip
    return [c.outputs for c in nbformat.read(tmp_path / "book.ipynb", 4).cells]


def test_a_kernel_shows_the_widget_to_a_person_and_a_contact_sheet_to_a_machine(reviews, tmp_path):
    kinds = {}
    for name, env in {
        "papermill": {},
        "CI": {"CI": "1", "JPY_SESSION_NAME": "x"},
        "lab": {"JPY_SESSION_NAME": "x"},
    }.items():
        shown = executed(tmp_path, [CELL, SHOW], **env)[1]
        kinds[name] = {kind for o in shown for kind in (o.get("data") or {"text": ""})}
    assert kinds["papermill"] == kinds["CI"] == {"text", "image/png", "text/plain"}
    assert "application/vnd.jupyter.widget-view+json" in kinds["lab"]
    assert not reviews.exists(), "showing decides nothing"
    (said,) = executed(tmp_path, [CELL, CLICK])[1]
    assert said["text"].strip() == "[True, True, False, True] 4 True"
