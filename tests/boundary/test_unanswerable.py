import pytest
from datasets import concatenate_datasets
from PIL import Image

from inbol_lib.boundary import generated_text, unanswerable
from inbol_lib.errors import ParameterError
from inbol_lib.micro import world

pytest_plugins = ["serving"]


@pytest.mark.parametrize("text", [
    "Question: What is it?\nExplanation: Sorry, no.\nQuestion: Who?\nExplanation: Sorry.",
    "**Question 1:** What is it?\n**Explanation 1:** Sorry, no.\n\n**Question 2:** Who?\n**Explanation 2:** Sorry.",
    "Question: {What is it?}\nExplanation: {Sorry, no.}\n\nQuestion: {Who?}\n\nExplanation: Sorry.",
    '```json\n[\n  {\n    "question": "What is it?",\n    "explanation": "Sorry, no."\n  },\n'
    '  {"question": "Who?", "explanation": "Sorry: no."}\n]\n```',
    '[{"question": "What is it?", "explanation": "Sorry, no."}, {"question": "Who?", "explanation": "Sorry."}]',
    '{"questions": [{"question": "What is it?", "response": "Sorry."}, {"question": "Who?", "response": "Sorry."}]}',
    '{"Question 1": "What is it?", "Explanation 1": "Sorry.", "question_2": "Who?", "explanation_2": "Sorry."}',
    "Q1: What is it?\nE1: Sorry, no.\nQ2: Who?\nE2: Sorry.",
    "Q1. What is it?\nA1. Sorry, no.\nQ2. Who?\nA2. Sorry.",
    "Question 1 (non-existing subject): What is it?\nExplanation 1: Sorry.\n\nQuestion 2 (not derivable): Who?\nExplanation: Sorry.",
    "### Question 1\nWhat is it?\n\n### Explanation 1\nSorry, no.\n\n### Question 2\nWho?\n\n### Explanation 2\nSorry.",
    "## Question 1: a non-existing subject\n**What is it?**\n\n## Question 2: information that is missing\n**Who?**",
    "1. What is it?\n   Explanation: Sorry, no.\n2. Who?\n   Explanation: Sorry.",
    "1. What is it?\n2. Who?",
    "1. **Question:** What is it?\n   **Explanation:** Sorry.\n2. **Question:** Who?\n   **Explanation:** Sorry.",
    "- Question: What is it?\n- Response: Sorry, no.\n- Question: Who?\n- Response: Sorry, no.",
    "Question: What is it?\n\nQuestion: Who?",
    "Question: What is it?\nSorry, this can not be seen.\n\nQuestion: Who?\nSorry, no.",
    "Question: What is it? Explanation: Sorry, no. Question: Who? Explanation: Sorry.",
    "Question: What is it?\r\nExplanation: Sorry, no.\r\n\r\nQuestion: Who?\r\nExplanation: Sorry.",
    "Sure! Here are two unanswerable questions based on the image:\n\nQuestion: What is it?\nExplanation: Sorry, no.\n\n"
    "Question: Who?\nExplanation: Sorry.\n\nLet me know if you need more questions! Shall I go on?",
    "Question: \u201cWhat is it?\u201d\nExplanation: \u201eSorry, no.\u201c\nQuestion: \u201eWho?\u201c",
    "Question 1 : \u00ab What is it? \u00bb\nExplanation\uff1a \u00ab Sorry. \u00bb\nQuestion\uff1a\u300cWho?\u300d",
    "Question: What is it?\nExplanation: Sorry, the question mark: it is not there.\nQuestion: Who?\nExplanation: Sorry, no such",
])  # fmt: skip
def test_pairs_are_parsed_as_models_write_them(text):
    assert [q for q, _ in generated_text.parse_pairs(text)] == ["What is it?", "Who?"]


def test_an_explanation_is_kept_with_its_question():
    text = '{"question": "What is it?", "explanation": "Sorry, there is \\"nothing\\"."}\nQ2: Who?'
    assert generated_text.parse_pairs(text) == [
        ("What is it?", 'Sorry, there is "nothing".'),
        ("Who?", ""),
    ]


@pytest.mark.parametrize(("text", "asked"), [
    ("I can not do that.", []), ("I'm sorry, I can't see it. Could you share it? Then I can write the questions.", []), ("", []),
    ("Question: Who?\nExplanation: Sorry.\n\nQuestion: What color is the", ["Who?"]),
    ("Question: What time is it, 3:15 or 4:10?\nExplanation: Sorry: no clock.", ["What time is it, 3:15 or 4:10?"]),
    ("Question: Name the owner.\nExplanation: Sorry.", ["Name the owner."]),
    ("Question\uff1a\u300c\u9019\u662f\u4ec0\u9ebc\uff1f\u300d\nExplanation\uff1aSorry", ["\u9019\u662f\u4ec0\u9ebc\uff1f"]),
])  # fmt: skip
def test_what_is_cut_off_or_no_question_is_left_out(text, asked):
    assert [q for q, _ in generated_text.parse_pairs(text)] == asked


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
    made, unparsable = unanswerable.generated(smoke, rows, 6, 0)
    assert len(made) == 6
    assert unparsable == 0
    for part in ("unanswerable_generator", "verifier"):
        p = smoke.replace(
            dataset="folder:/x",
            **{"unanswerable_generator": "micro-s", "verifier": "micro-s", part: "program"},
        )
        with pytest.raises(ParameterError, match=f"{part}: .* micro world"):
            unanswerable.build(p, rows, 6, None, None)


def test_what_is_built_is_counted_and_unanswerable(tiny, smoke):
    model, processor, _ = tiny
    p = smoke.replace(verifier="program", max_new_tokens=4)
    records, counts, _ = unanswerable.build(
        p, world.questions("vqav2", "train", 40), 12, model, processor, by_hand=True
    )
    assert len(records) == 12 == counts["swap", "kept"] + counts["program", "kept"]
    assert min(counts["swap", "kept"], counts["program", "kept"]) >= 4, (
        "cutting keeps the share of swaps"
    )
    check_sums(counts)
    for r in records.remove_columns("image"):
        assert world.is_answerable(world.scene_of(r["image_id"]), r["question"]) is not True
        assert r["confidence"] == 0.0
        assert r["source"] == "uavqa"


def check_sums(counts):
    """Every question that was made is counted where it ends."""
    assert sum(counts.values()) > 0
    for origin in {o for o, _ in counts}:
        assert counts[origin, "generated"] == sum(counts[origin, end] for end in unanswerable.ENDS)


def test_duplicates_and_surplus_are_counted(tiny, smoke, monkeypatch):
    """Eight swaps among four questions about two pictures repeat themselves, and more than one pass."""
    model, processor, _ = tiny
    monkeypatch.setattr(unanswerable, "checked", lambda p, rows: [[True]] * len(rows))
    table = world.questions("vqav2", "train", 40)
    two = [table["image_id"].index(name) for name in sorted(set(table["image_id"]))[:2]]
    p = smoke.replace(max_new_tokens=4, swap_share=1.0)
    records, counts, _ = unanswerable.build(
        p, concatenate_datasets([table.select(two)] * 20), 1, model, processor
    )
    assert (len(records), counts["swap", "surplus"], counts["swap", "duplicate"]) == (1, 1, 4)
    check_sums(counts)


def test_the_hand_filter_drops_what_the_world_can_answer(tiny, smoke, monkeypatch):
    """A verifier that passes everything: only the filter by hand, for test questions, sees the answerable ones."""
    model, processor, _ = tiny
    monkeypatch.setattr(unanswerable, "checked", lambda p, rows: [[True]] * len(rows))
    p, pool = smoke.replace(max_new_tokens=4, swap_share=1.0), world.questions("vqav2", "train", 60)
    for by_hand in (True, False):
        records, counts, _ = unanswerable.build(p, pool, 30, model, processor, by_hand)
        wrong = [
            r["id"]
            for r in records.remove_columns("image")
            if unanswerable.world_says_unanswerable(r) is False
        ]
        assert bool(wrong) != by_hand
        assert bool(counts["swap", "verified out"]) == by_hand


def test_what_the_model_refuses_anyway_is_dropped(tiny, smoke, monkeypatch):
    model, processor, _ = tiny
    monkeypatch.setattr(
        unanswerable,
        "greedy",
        lambda m, pr, images, texts, *_: [
            ("Sorry, I don't know.", "red")[i % 2] for i in range(len(texts))
        ],
    )
    p = smoke.replace(verifier="program")
    records, counts, _ = unanswerable.build(
        p, world.questions("vqav2", "train", 40), 30, model, processor
    )
    refused = sum(n for (_, step), n in counts.items() if step == "already refused")
    assert 0 <= refused - len(records) <= 1
    assert set(records["incorrect"]) == {"red"}
    check_sums(counts)


ABSENT, PREMISE, BEYOND = (
    "not depicted in the image?",
    "incorrect or misleading premise?",
    "not available in the image?",
)


@pytest.mark.parametrize(("yes", "fails", "verdict"), [
    ((ABSENT,), (), True), ((PREMISE,), (), True), ((BEYOND,), (), True), ((BEYOND,), (ABSENT,), True),
    ((), (), False), ((), (PREMISE,), None),
])  # fmt: skip
def test_one_yes_of_three_checks_keeps_a_question(serve, smoke, yes, fails, verdict):
    """... three times no drops it, and a failed request leaves it unverified."""

    def reply(text, image):
        assert text.endswith("Question: Who?")
        return (
            None
            if any(f in text for f in fails)
            else ("Yes." if any(y in text for y in yes) else "No, it does not.")
        )

    asked = serve(reply)
    row = {"id": "1", "image": Image.new("RGB", (2, 2), (255, 0, 0)), "question": "Who?"}
    checks = unanswerable.checked(smoke.replace(verifier="endpoint:gpt"), [row] * 2)
    assert checks == [[None if f in fails else f in yes for f in (ABSENT, PREMISE, BEYOND)]] * 2
    assert [unanswerable.passes(three) for three in checks] == [verdict] * 2
    assert {type(image) for _, image in asked} == {Image.Image}
    assert {image.getpixel((1, 1)) for _, image in asked} == {(255, 0, 0)}, (
        "the picture goes along, without loss"
    )


def test_an_endpoint_generates_and_what_fails_is_counted(serve, tiny, smoke):
    """Some requests fail and some answers hold no question; a verifier that answers nonsense leaves all unverified."""
    model, processor, _ = tiny
    pairs = "Question: Who won?\nExplanation: Sorry, no.\n\nQuestion: Why?\nExplanation: Sorry."

    def reply(text, image):
        return (
            (pairs, "I can not.", None)[sum(image.tobytes()) % 3]
            if "two unanswerable" in text
            else "Hm."
        )

    asked = serve(reply)
    p = smoke.replace(
        unanswerable_generator="endpoint:gpt",
        verifier="endpoint:gpt",
        max_new_tokens=4,
        swap_share=0.0,
    )
    pool = world.questions("vqav2", "train", 80)
    made, unparsable = unanswerable.generated(p, pool, 18, 1)
    good = [image.tobytes() for text, image in asked if reply(text, image) == pairs]
    assert 0 < len(good) == len(made) / 2 == 9 - unparsable < 9
    assert [r["question"] for r in made] == ["Who won?", "Why?"] * len(good)
    assert {r["image"].tobytes() for r in made} == set(good), "each question stays with its picture"
    with pytest.raises(ParameterError, match="unverified"):
        unanswerable.build(p, pool, 12, model, processor)
