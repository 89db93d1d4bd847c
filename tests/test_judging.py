import json

import pytest

from inbol_lib import judging
from inbol_lib.templates import REFUSAL_TEMPLATES


@pytest.mark.parametrize("template", REFUSAL_TEMPLATES)
def test_every_template_and_its_variants_are_refusals(template):
    core = template.removeprefix("Sorry, ")
    for text in (template, core, f"I'm sorry, but {core}", template.lower(), template.replace("'", "\u2019"), template.rstrip(".")):
        assert judging.is_refusal(text), text


@pytest.mark.parametrize("text", [
    "red", "no", "No.", "not red", "There is no dog in the picture.", "The sign is unclear because of snow, but it says STOP.",
    "I'm not sure, but it looks like a cat.", "It is not a circle.", "The man is sorry.", "Nobody knows him.", "none", "unknown",
    "It can not be seen from the left, so he turns right.",
])  # fmt: skip
def test_answers_are_not_refusals(text):
    assert not judging.is_refusal(text)


def test_real_answers_are_not_refusals(shared):
    lines = (shared / "llava_open_ended" / "mm-vet_llava-v1.5-7b.jsonl").read_text().splitlines()
    assert len(lines) == 218
    assert not [t for t in (json.loads(line)["text"] for line in lines) if judging.is_refusal(t)]


@pytest.mark.parametrize(("response", "gold", "right"), [
    ("It is red.", "red", True), ("redder", "red", False), ("10", "1", False), ("two", "2", True), ("2", "two", True),
    ("not red", "red", False), ("not Mark Twain", "Mark Twain", False), ("3.5", "3", False), ("1,000", "1000", True),
    ("", "red", False), ("re", "red", False), ("a red circle", "the red circle", True), ("No, it is not", "no", True),
    ("yes", "no", False), ("yes, no doubt", "yes", True), ("know", "no", False),
])  # fmt: skip
def test_string_match(response, gold, right):
    assert judging.string_match(response, [gold]) is right


@pytest.mark.parametrize(("response", "right"), [
    ("B", True), ("(B)", True), ("b.", True), ("Answer: B", True), ("The answer is B", True), ("salt", True), ("B. salt", True),
    ("A. salt", False), ("A", False), ("tea or salt", False), ("Because of this", False), ("", False),
])  # fmt: skip
def test_multiple_choice(response, right):
    assert judging.string_match(response, ["salt"], ["tea", "salt", "gold"]) is right


def test_refusal_comes_before_correctness():
    row = {"question": "Is it?", "answers": ["no"], "choices": []}
    assert judging.judge([row] * 3, ["Sorry, I have no answer and can't help.", "no", "maybe"], "string") == [
        "refusal",
        "correct",
        "incorrect",
    ]


def test_an_unanswerable_question_is_never_answered_right():
    row = {"question": "Who?", "answers": [], "choices": []}
    assert judging.judge([row], ["Bob"], "string") == ["incorrect"]


@pytest.mark.parametrize(
    ("text", "verdict"), [("yes", True), ("Yes.", True), (" no", False), ("maybe", None), ("", None), ("I say yes", None)]
)
def test_verdicts_are_parsed_strictly(text, verdict):
    assert judging.parse_verdict(text) is verdict


def test_the_micro_judge_knows_synonyms_and_differences():
    row = {"question": "What color is it?", "answers": ["gray"], "choices": []}
    assert judging.judge([row, row], ["grey", "blue"], "micro-judge") == ["correct", "incorrect"]


def test_an_unreadable_verdict_is_unjudged(monkeypatch):
    monkeypatch.setattr(judging, "_local", lambda judge: lambda prompts: ["perhaps"] * len(prompts))
    row = {"question": "What color is it?", "answers": ["gray"], "choices": []}
    assert judging.judge([row], ["ash"], "any") == ["unjudged"]
