"""The refusal detector on what people and models really said."""

import json
from collections import Counter

import hard_cases
import pytest

from inbol_lib.judging.refusals import is_refusal


def lines(text):
    return text.strip().splitlines()


@pytest.mark.parametrize("text", lines(hard_cases.REFUSALS))
def test_declines_in_other_words_are_refusals(text):
    assert is_refusal(text)


@pytest.mark.parametrize("text", lines(hard_cases.ANSWERS))
def test_answers_that_sound_like_refusals_are_answers(text):
    assert not is_refusal(text)


def test_real_answers_of_llava_are_no_refusals(shared):
    rows = [
        json.loads(line)
        for line in (shared / "llava_open_ended" / "mm-vet_llava-v1.5-7b.jsonl")
        .read_text()
        .splitlines()
    ]
    flagged = [row["question_id"] for row in rows if is_refusal(row["text"])]
    declining = [
        143
    ]  # read by hand: one of 218 declines, "It is not possible to determine from the image ..."
    false = len(set(flagged) - set(declining))
    print(f"false positives: {false} of {len(rows) - 1}")
    assert flagged == declining


def test_short_answers_of_the_crowd(shared):
    rows = json.loads((shared / "vqav2_idk" / "VQAv2-IDK-val.json").read_text())
    said = Counter(answer for row in rows for answer in row["answer"])
    flagged = {answer: n for answer, n in said.items() if is_refusal(answer)}
    hedged = {"not sure yes", "don't know guess mozzarella"}
    declining = (
        "know",
        "not sure",
        "unsure",
        "not quite sure",
        "uncertain",
        "not certain",
        "unanswerable",
        "idea",
        "idk",
        "clue",
        "tell",
        "see",
        "say",
        "read",
        "determine",
        "make out",
        "answer",
        "unclear",
        "unsuitable",
        "sorry",
        "no indication",
        "not able",
        "illegible",
        "understand",
    )
    # Short forms of "it is not shown" decline a question about it; "not visible" is no answer.
    unseen = {f"not {word}" for word in ("available", "given", "shown", "stated", "visible")}
    unseen |= {"dunno", "not applicable"}
    flagged = {answer: n for answer, n in flagged.items() if answer not in unseen}
    assert {answer for answer in flagged if not any(word in answer for word in declining)} == set()
    print(f"{sum(flagged.values())} of {sum(said.values())} flagged")
    print(f"{sum(said[answer] for answer in hedged)} of them hedge and answer")
    assert hedged <= set(flagged), "read by hand; the only answers among those flagged"
    for answer in (
        "don't know",
        "not sure",
        "unanswerable",
        "can't tell",
        "cannot tell",
        "unsure",
        "no idea",
        "can't see",
    ):
        assert answer in flagged


def test_options_of_real_benchmarks_are_answers_but_for_those_that_decline(shared):
    problems = json.loads((shared / "scienceqa" / "problems_partial.json").read_text())
    options = {choice for problem in problems.values() for choice in problem["choices"]}
    assert len(options) > 2000
    assert not [option for option in options if is_refusal(option)]
