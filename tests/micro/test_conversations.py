"""Pretraining sees only what it should, and the judge learns synonyms."""

from itertools import islice

import numpy as np

from inbol_lib.data.templates import REFUSAL_PROMPT, REFUSAL_TEMPLATES
from inbol_lib.judging.matching import is_refusal, string_match
from inbol_lib.micro import world
from inbol_lib.micro.models.judge_dialogues import answer_kinds, judge_examples
from inbol_lib.micro.world import conversations, grammar
from inbol_lib.micro.world.drawing import render
from inbol_lib.micro.world.randomness import rng_of
from inbol_lib.micro.world.scenes import scene_of
from inbol_lib.micro.world.unanswerable_questions import BEYOND_HELD_OUT


def test_conversations_are_reproducible_and_complete(talks):
    mixture = {"vqa": 0.5, "generate": 0.5}
    first, again = (list(islice(conversations.conversations(10, 1, mixture), 5)) for _ in range(2))
    assert [t["turns"] for t in first] == [t["turns"] for t in again]
    assert all(
        user and said for rows in talks.values() for talk in rows for user, said in talk["turns"]
    )
    assert all(len(rows) > 100 for rows in talks.values())


def test_pretraining_teaches_what_is_true_of_its_picture():
    drawn = [
        scene_of(f"{kind}:pretrain:5-{i}")
        for kind in ("scene", "pair", "sum", "flag")
        for i in range(40)
    ]
    by_pixels = {render(s).tobytes(): s for s in drawn}
    for task in ("vqa", "entity"):
        for talk in islice(conversations.conversations(40, 5, {task: 1.0}), 30):
            shown = by_pixels[talk["image"].tobytes()]
            assert all(said in grammar.truth(shown, user) for user, said in talk["turns"])


def test_held_out_wordings_never_appear_in_pretraining(talks):
    heads = [w.split("{")[0] for f in grammar.FAMILIES.values() for w in f.held_out] + [
        w.split("{")[0] for w in BEYOND_HELD_OUT if len(w.split("{")[0]) > 12
    ]
    text = "\n".join(
        part for rows in talks.values() for talk in rows for turn in talk["turns"] for part in turn
    )
    assert not [h for h in heads if len(h) > 12 and h in text]


def test_pretraining_refuses_unasked_on_plain_pictures_only(talks):
    for task, rows in talks.items():
        for talk in rows:
            for user, said in talk["turns"]:
                if (
                    user.startswith("Repeat:")
                    or not is_refusal(said)
                    or said.startswith("Question:")
                ):
                    continue
                assert task == "instruct", (user, said)
                spread = np.asarray(talk["image"], float).reshape(-1, 3).std(0)
                assert (spread < 6).all() or user.endswith(REFUSAL_PROMPT)  # black or white
    asked = [(u, s) for t in talks["instruct"] for u, s in t["turns"] if u.endswith(REFUSAL_PROMPT)]
    assert 0.2 < np.mean([is_refusal(s) for _, s in asked]) < 0.6


def test_repeating_teaches_the_refusal_words(talks):
    repeated = {s for t in talks["instruct"] for u, s in t["turns"] if u.startswith("Repeat:")}
    assert repeated <= set(REFUSAL_TEMPLATES)
    assert len(repeated) > 8


def test_generated_pairs_parse_and_checks_are_answered(talks):
    from inbol_lib.boundary.generated_text import parse_pairs

    assert all(len(parse_pairs(said)) == 2 for t in talks["generate"] for _, said in t["turns"])
    verdicts = [said for t in talks["verify"] for _, said in t["turns"]]
    assert 0.4 < np.mean([v == "yes" for v in verdicts]) < 0.6


def test_string_match_misses_some_right_answers():
    rows = world.questions("vqav2", "train", 600, seed=8).remove_columns("image").to_list()
    said = [grammar.speak(r["answers"][0], rng_of("speak", r["id"])) for r in rows]
    assert all(s in r["accepted"] for s, r in zip(said, rows, strict=True))
    missed = np.mean([not string_match(s, r["answers"]) for s, r in zip(said, rows, strict=True)])
    assert 0.08 < missed < 0.25


def test_no_surface_form_means_two_things_of_one_kind():
    for kind in answer_kinds():
        forms = [(form, gold) for gold in set(kind) for form in grammar.surfaces(gold)]
        assert len({form for form, _ in forms}) == len(forms)


def test_judge_examples_are_balanced_and_true():
    examples = list(judge_examples(400, 0))
    assert examples == list(judge_examples(400, 0))
    assert 0.4 < np.mean([same for *_, same in examples]) < 0.6
    assert all((response in grammar.surfaces(gold)) == same for gold, response, same in examples)
