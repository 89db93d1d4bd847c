"""Decisions by hand: what is written, which artefacts they concern, and what they change."""

import json

import pytest
from builders import RED, decision_line, question_table, review_of, write_decisions
from PIL import Image

from inbol_lib.boundary import review, unanswerable
from inbol_lib.errors import ParameterError
from inbol_lib.micro import world
from inbol_lib.report import reviewing
from inbol_lib.study import graph, running

STAGES = ("confidence", "unanswerable", "composition", "ca_dpo", "evaluation")


def test_the_digest_is_of_pixels_and_question(tmp_path):
    RED.save(tmp_path / "a.png", compress_level=0)
    same = review.digest(RED, "Who?")
    assert review.digest(Image.open(tmp_path / "a.png"), "Who?") == same
    other_question = review.digest(RED, "Why?")
    other_colour = review.digest(Image.new("RGB", (8, 8), "blue"), "Who?")
    other_shape = review.digest(Image.new("RGB", (4, 16), "red"), "Who?")
    assert len({same, other_question, other_colour, other_shape}) == 4


def test_a_decision_is_on_disk_at_once_and_the_last_one_wins(reviews, smoke):
    work = review_of(smoke, "a", "b", "c")
    work.decide(True)
    work.decide(False)
    written = [json.loads(line) for line in review.file(smoke).read_text().splitlines()]
    assert [(line["id"], line["accepted"]) for line in written] == [("a", True), ("b", False)]
    assert (work.at, work.counts()) == (2, "3 questions: 1 accepted, 1 rejected, 1 open")
    work.move(-1)
    work.decide(True)
    assert work.at == 2, "after a change of mind comes the next question, and nothing is skipped"
    assert review.rejected(smoke) == []
    assert len(review.file(smoke).read_text().splitlines()) == 3, "nothing is removed"
    again = review_of(smoke, "a", "b", "c")
    assert (again.at, again.counts()) == (2, "3 questions: 2 accepted, 0 rejected, 1 open")
    again.decide(False)
    assert again.at == 3
    assert "Every question is decided" in reviewing.page(again)
    assert "1 of the decisions change" in reviewing.page(again)


def test_only_rejections_that_concern_an_artefact_change_its_name(reviews, smoke):
    path = graph.path("composition", smoke)
    write_decisions(smoke, decision_line(smoke, "a", accepted=True))
    assert graph.path("composition", smoke) == path, "whoever looks and agrees changes nothing"
    write_decisions(smoke, decision_line(smoke, "a"))
    other = smoke.replace(num_unanswerable=9, verifier="program", unanswerable_generator="micro-s")
    concerned = [smoke, other, smoke.replace(model="micro-m")]
    untouched = [
        smoke.replace(test_questions=99),
        smoke.replace(data_seed=1),
        smoke.replace(dataset="folder:x", verifier="micro-s"),
    ]
    with_rejection = [stage_paths(p) for p in concerned + untouched]
    review.file(smoke).unlink()
    without = [stage_paths(p) for p in concerned + untouched]
    changed = [
        [stage for stage in STAGES if now[stage] != before[stage]]
        for now, before in zip(with_rejection, without, strict=True)
    ]
    assert changed == [list(STAGES[1:])] * 3 + [[]] * 3
    write_decisions(smoke, decision_line(smoke, "a", origin="program"))
    assert review.rejected(smoke)
    assert not review.rejected(other), "another generator's question"


def stage_paths(p):
    return {stage: graph.path(stage, p) for stage in STAGES}


def test_a_decision_taken_back_gives_the_old_artefact_back(reviews, smoke):
    plain = graph.path("unanswerable", smoke)
    write_decisions(smoke, decision_line(smoke))
    assert graph.path("unanswerable", smoke) != plain
    write_decisions(smoke, decision_line(smoke, accepted=True))
    assert graph.path("unanswerable", smoke) == plain


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        ("{", "JSON"),
        ("[]", "object"),
        ('{"id": "q"}', "digest"),
        ({"accepted": "yes"}, "boolean"),
        ({"split": "tset"}, "'train', 'validation'"),
        ({"digest": "xyz"}, "pattern"),
        ({"accept": True}, "not permitted"),
        ({"id": ""}, "at least 1"),
    ],
)
def test_bad_lines_are_refused_line_by_line_before_a_kernel_starts(
    reviews, runs, smoke, capsys, bad, said
):
    third = bad if isinstance(bad, str) else decision_line(smoke) | bad
    first, fourth = decision_line(smoke), decision_line(smoke, "b")
    write_decisions(smoke, first, "", third, fourth, "nonsense")
    with pytest.raises(ParameterError, match=said) as error:
        review.rejected(smoke)
    named = [number for number in range(1, 6) if f"line {number}:" in str(error.value)]
    assert named == [3, 5]
    assert running.main(["unanswerable"]) == 2
    assert "line 3:" in capsys.readouterr().err


@pytest.fixture
def sixteen():
    """Eight swaps and eight questions of the program, with digests "0" to "15"."""
    return [
        {"digest": str(index), "origin": "swap" if index < 8 else "program"} for index in range(16)
    ]


def places(ends, wanted):
    return {index for index, end in enumerate(ends) if end == wanted}


def test_without_rejections_the_even_choice_stays(sixteen):
    assert places(review.ends(sixteen, 4, ()), "") == {0, 4, 8, 12}
    assert review.ends(sixteen[:3], 5, ()) == [""] * 3


@pytest.mark.parametrize(
    ("barred", "kept"),
    [
        ({4}, {0, 3, 8, 12}),
        ({12}, {0, 4, 8, 11}),
        ({4, 3}, {0, 5, 8, 12}),
        ({8, 9}, {0, 4, 10, 12}),
    ],
)
def test_surplus_of_the_same_origin_takes_the_place_and_the_rest_stays(sixteen, barred, kept):
    ends = review.ends(sixteen, 4, {str(index) for index in barred})
    assert places(ends, "") == kept
    assert places(ends, review.REJECTED) == barred


def test_surplus_of_another_origin_takes_the_place_where_there_is_no_other(sixteen):
    swaps = {str(index) for index in range(8)}
    assert len(places(review.ends(sixteen, 4, swaps), "")) == 4


def test_fewer_are_kept_where_there_is_no_surplus(sixteen):
    assert places(review.ends(sixteen, 16, {"1"}), "") == set(range(16)) - {1}


def test_a_rejected_question_never_enters_and_is_counted(tiny, smoke):
    model, processor, _ = tiny
    p = smoke.replace(verifier="program", max_new_tokens=4)
    pool = world.questions("vqav2", "train", 40)
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
    digests = [review.digest(pictures[row.image_id], row.question) for row in kept.itertuples()]
    assert digests == list(kept.digest)
    assert set(kept[kept.origin == "swap"].explanation) == {""}
    assert kept[kept.origin == "program"].explanation.str.startswith("Sorry").all()


def test_a_lost_question_s_decision_is_found(reviews, smoke):
    write_decisions(smoke, decision_line(smoke, "gone"), decision_line(smoke, "here"))
    tables = {"train": question_table(), "test": question_table(("here", "swap", ""))}
    assert [decision.id for decision in review.lost(smoke, tables)] == ["gone"]
