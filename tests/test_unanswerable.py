import pytest

from inbol_lib import unanswerable
from inbol_lib.micro import world
from inbol_lib.params import ParameterError


@pytest.mark.parametrize("text", [
    "Question: What is it?\nExplanation: Sorry, no.\nQuestion: Who?\nExplanation: Sorry.",
    "**Question 1:** What is it?\n**Explanation 1:** Sorry, no.\n\n**Question 2:** Who?\n**Explanation 2:** Sorry.",
    "Question: {What is it?}\nExplanation: {Sorry, no.}\n\nQuestion: {Who?}\n\nExplanation: Sorry.",
])  # fmt: skip
def test_pairs_are_parsed_as_models_write_them(text):
    assert [q for q, _ in unanswerable.parse_pairs(text)] == ["What is it?", "Who?"]


def test_text_without_pairs_gives_none():
    assert unanswerable.parse_pairs("I can not do that.") == []


def test_a_swap_never_keeps_its_own_image():
    rows = world.questions("vqav2", "train", 40)
    own = {r["question"]: set() for r in rows}
    for r in rows.remove_columns("image"):
        own[r["question"]].add(r["id"])
    swaps = unanswerable.swapped(rows, 30, seed=1)
    images = dict(zip(rows["id"], rows["image_id"], strict=True))
    assert len(swaps) == 30
    for r in swaps:
        assert images[r["id"].removeprefix("swap-")] != r["image_id"]
        assert r["answers"] == []


def test_the_program_knows_the_micro_world_alone(smoke):
    rows = world.questions("vqav2", "train", 6)
    made, unparsable = unanswerable.generated(smoke, "program", rows, 6, 0)
    assert len(made) == 6
    assert unparsable == 0
    with pytest.raises(ParameterError, match="micro world"):
        unanswerable.generated(smoke.replace(dataset="folder:/x"), "program", rows, 6, 0)


def test_what_is_built_is_counted_and_unanswerable(tiny, smoke):
    model, processor, _ = tiny
    p = smoke.replace(verifier="program", max_new_tokens=4)
    records, counts = unanswerable.build(p, "program", world.questions("vqav2", "train", 40), 12, model, processor, by_hand=True)
    assert len(records) == 12 == counts["swap", "kept"] + counts["program", "kept"]
    for r in records.remove_columns("image"):
        assert world.is_answerable(world.scene_of(r["image_id"]), r["question"]) is not True
        assert r["confidence"] == 0.0
        assert r["source"] == "uavqa"
