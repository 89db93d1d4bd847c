import pytest
from datasets import concatenate_datasets
from PIL import Image

from inbol_lib.boundary import making, unanswerable
from inbol_lib.errors import ParameterError
from inbol_lib.micro import world

pytest_plugins = ["serving"]

ABSENT = "not depicted in the image?"
PREMISE = "incorrect or misleading premise?"
BEYOND = "not available in the image?"


def assert_all_are_counted(counts):
    """Every question that was made is counted where it ends."""
    assert sum(counts.values()) > 0
    for origin in {origin for origin, _ in counts}:
        ended = sum(counts[origin, end] for end in unanswerable.ENDS)
        assert counts[origin, "generated"] == ended


@pytest.fixture
def credulous(monkeypatch):
    """A verifier that calls every question unanswerable."""
    monkeypatch.setattr(unanswerable, "checked", lambda p, rows: [[True]] * len(rows))


def test_a_swap_never_keeps_its_own_image():
    rows = world.questions("vqav2", "train", 40)
    swaps = making.swapped(rows, 30, seed=1)
    images = dict(zip(rows["id"], rows["image_id"], strict=True))
    assert len(swaps) == 30
    for row in swaps:
        assert images[row["id"].removeprefix("swap-")] != row["image_id"]
        assert row["answers"] == []


def test_the_program_knows_the_micro_world_alone(smoke):
    rows = world.questions("vqav2", "train", 12)  # about four pictures or more
    made, unparsable = making.generated(smoke, rows, 6, 0)
    assert len(made) == 6
    assert unparsable == 0
    for part in ("unanswerable_generator", "verifier"):
        models = {"unanswerable_generator": "micro-s", "verifier": "micro-s", part: "program"}
        p = smoke.replace(dataset="folder:/x", **models)
        with pytest.raises(ParameterError, match=f"{part}: .* micro world"):
            unanswerable.build(p, rows, 6, None, None)


def test_what_is_built_is_counted_and_unanswerable(tiny, smoke):
    model, processor, _ = tiny
    p = smoke.replace(verifier="program", max_new_tokens=4, swap_share=0.5)
    pool = world.questions("vqav2", "train", 40)
    records, counts, _ = unanswerable.build(p, pool, 12, model, processor, by_hand=True)
    kept = counts["swap", "kept"], counts["program", "kept"]
    assert len(records) == 12 == sum(kept)
    assert min(kept) >= 4, "cutting keeps the share of swaps"
    assert_all_are_counted(counts)
    for row in records.remove_columns("image"):
        scene = world.scene_of(row["image_id"])
        assert world.is_answerable(scene, row["question"]) is not True
        assert row["confidence"] == 0.0
        assert row["source"] == "uavqa"


def test_duplicates_and_surplus_are_counted(tiny, smoke, credulous):
    """Eight swaps among four questions about two pictures repeat, and more than one passes."""
    model, processor, _ = tiny
    table = world.questions("vqav2", "train", 40)
    two = [table["image_id"].index(name) for name in sorted(set(table["image_id"]))[:2]]
    pool = concatenate_datasets([table.select(two)] * 20)
    p = smoke.replace(max_new_tokens=4, swap_share=1.0)
    records, counts, _ = unanswerable.build(p, pool, 1, model, processor)
    assert (len(records), counts["swap", "surplus"], counts["swap", "duplicate"]) == (1, 1, 4)
    assert_all_are_counted(counts)


def test_the_hand_filter_drops_what_the_world_can_answer(tiny, smoke, credulous):
    """Where every question is verified, only the filter by hand notices the answerable ones."""
    model, processor, _ = tiny
    p = smoke.replace(max_new_tokens=4, swap_share=1.0)
    pool = world.questions("vqav2", "train", 60)
    for by_hand in (True, False):
        records, counts, _ = unanswerable.build(p, pool, 30, model, processor, by_hand)
        rows = records.remove_columns("image")
        wrong = [row for row in rows if unanswerable.world_says_unanswerable(row) is False]
        assert bool(wrong) != by_hand
        assert bool(counts["swap", "verified out"]) == by_hand


def test_what_the_model_refuses_anyway_is_dropped(tiny, smoke, monkeypatch):
    model, processor, _ = tiny

    def every_other_refused(model, processor, images, texts, *_):
        answers = ["Sorry, I don't know.", "red"] * len(texts)
        return answers[: len(texts)]

    monkeypatch.setattr(unanswerable, "greedy", every_other_refused)
    p = smoke.replace(verifier="program")
    pool = world.questions("vqav2", "train", 40)
    records, counts, _ = unanswerable.build(p, pool, 30, model, processor)
    refused = sum(n for (_, step), n in counts.items() if step == "already refused")
    assert 0 <= refused - len(records) <= 1
    assert set(records["incorrect"]) == {"red"}
    assert_all_are_counted(counts)
    tested, counts, _ = unanswerable.build(p, pool, 30, model, processor, by_hand=True)
    assert not any(step == "already refused" for _, step in counts)
    assert set(tested["incorrect"]) == {"red", "Sorry, I don't know."}


@pytest.mark.parametrize(
    ("yes", "fails", "verdict"),
    [
        ((ABSENT,), (), True),
        ((PREMISE,), (), True),
        ((BEYOND,), (), True),
        ((BEYOND,), (ABSENT,), True),
        ((), (), False),
        ((), (PREMISE,), None),
    ],
)
def test_one_yes_of_three_checks_keeps_a_question(serve, smoke, yes, fails, verdict):
    """Three times no drops it, and a failed request leaves it unverified."""

    def reply(text, image):
        assert text.endswith("Question: Who?")
        if any(check in text for check in fails):
            return None
        return "Yes." if any(check in text for check in yes) else "No, it does not."

    asked = serve(reply)
    row = {"id": "1", "image": Image.new("RGB", (2, 2), (255, 0, 0)), "question": "Who?"}
    checks = unanswerable.checked(smoke.replace(verifier="endpoint:gpt"), [row] * 2)
    expected = [None if check in fails else check in yes for check in (ABSENT, PREMISE, BEYOND)]
    assert checks == [expected] * 2
    assert [unanswerable.passes(three) for three in checks] == [verdict] * 2
    assert {type(image) for _, image in asked} == {Image.Image}
    colours = {image.getpixel((1, 1)) for _, image in asked}
    assert colours == {(255, 0, 0)}, "the picture goes along, without loss"


def test_an_endpoint_generates_and_what_fails_is_counted(serve, tiny, smoke):
    """Some requests fail and some answers hold no question.

    A verifier that answers nonsense leaves all questions unverified.
    """
    model, processor, _ = tiny
    pairs = "Question: Who won?\nExplanation: Sorry, no.\n\nQuestion: Why?\nExplanation: Sorry."

    def reply(text, image):
        if "two unanswerable" not in text:
            return "Hm."
        return (pairs, "I can not.", None)[sum(image.tobytes()) % 3]

    asked = serve(reply)
    models = {"unanswerable_generator": "endpoint:gpt", "verifier": "endpoint:gpt"}
    p = smoke.replace(max_new_tokens=4, swap_share=0.0, **models)
    pool = world.questions("vqav2", "train", 80)
    made, unparsable = making.generated(p, pool, 18, 1)
    good = [image.tobytes() for text, image in asked if reply(text, image) == pairs]
    assert 0 < len(good) == len(made) / 2 == 9 - unparsable < 9
    assert [row["question"] for row in made] == ["Who won?", "Why?"] * len(good)
    pictures = {row["image"].tobytes() for row in made}
    assert pictures == set(good), "each question stays with its picture"
    with pytest.raises(ParameterError, match="unverified"):
        unanswerable.build(p, pool, 12, model, processor)
