"""Pretraining sees only what it should."""

from itertools import islice

import numpy as np

from inbol_lib.data.templates import REFUSAL_PROMPT, REFUSAL_TEMPLATES
from inbol_lib.judging.matching import is_refusal, string_match
from inbol_lib.micro import world
from inbol_lib.micro.world import conversations, grammar
from inbol_lib.micro.world.drawing import render
from inbol_lib.micro.world.grammar.parsing import LESSONS
from inbol_lib.micro.world.instructions import DECLINES, HARMLESS, OWN_WORDS
from inbol_lib.micro.world.randomness import rng_of
from inbol_lib.micro.world.scenes import scene_of
from inbol_lib.micro.world.unanswerable_questions import BEYOND, BEYOND_HELD_OUT


def test_conversations_are_reproducible_and_complete(talks):
    mixture = {"objects": 0.5, "generate": 0.5}
    first, again = (list(islice(conversations.conversations(10, 1, mixture), 5)) for _ in range(2))
    assert [t["turns"] for t in first] == [t["turns"] for t in again]
    assert all(
        user and said for rows in talks.values() for talk in rows for user, said in talk["turns"]
    )
    assert all(len(rows) > 100 for rows in talks.values())


def test_pretraining_teaches_what_is_true_of_its_picture():
    drawn = [
        scene_of(f"{kind}:pretrain:5-{i}")
        for kind in ("scene", "free", "pair", "sum", "chart", "sign", "flag", "far")
        for i in range(40)
    ]
    by_pixels = {render(s).tobytes(): s for s in drawn}
    for task in ("objects", "flags"):
        for talk in islice(conversations.conversations(40, 5, {task: 1.0}), 30):
            shown = by_pixels[talk["image"].tobytes()]
            assert all(said in grammar.truth(shown, user) for user, said in talk["turns"])


def test_what_is_declined_follows_from_what_is_asked(talks):
    """Unasked: plain pictures and people's lives. With leave: courtesies, misfits, the beyond."""
    for task, rows in talks.items():
        for talk in rows:
            for user, said in talk["turns"]:
                if not is_refusal(said) or task in ("repeat", "generate"):
                    continue
                assert task in ("questions", "choice", "manners", "blind"), (user, said)
                if said == DECLINES:
                    assert user.endswith(REFUSAL_PROMPT)
                else:
                    assert said in OWN_WORDS
                    spread = np.asarray(talk["image"], float).reshape(-1, 3).std(0)
                    assert (spread < 6).all() or grammar.parse(user.split("\n")[0]) is None


def test_the_same_question_is_declined_always_or_never():
    """Declining that is a matter of chance would never show in greedy answers."""
    found = {}
    for talk in conversations.conversations(400, 6, {"questions": 1.0}):
        for user, said in talk["turns"]:
            question = user.split("\n")[0]
            if user.endswith(REFUSAL_PROMPT) and grammar.bare(question) != question:
                assert said == DECLINES
            for beyond, guesses in {**BEYOND, **BEYOND_HELD_OUT}.items():
                head = beyond.split("{")[0]
                if len(head) < 15 or not grammar.bare(question).startswith(head):
                    continue
                if said != DECLINES:
                    assert said in (guesses or OWN_WORDS)
                    found[beyond] = True
    assert len(found) > 8


def test_every_kind_of_question_meets_every_kind_of_ending(talks):
    for task in ("questions", "choice", "blind"):
        endings = [user.split("\n")[-1] for talk in talks[task] for user, _ in talk["turns"]]
        assert 0.1 < np.mean([ending in HARMLESS for ending in endings]) < 0.3
        assert 0.15 < np.mean([ending == REFUSAL_PROMPT for ending in endings]) < 0.35


def test_repeating_teaches_the_refusal_words(talks):
    repeated = {said for talk in talks["repeat"] for _, said in talk["turns"]}
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


def test_pretraining_hears_no_lesson(talks):
    for rows in talks.values():
        for talk in rows:
            for user, said in talk["turns"]:
                text = f"{user}\n{said}"
                assert not any(sentence in text for sentence in LESSONS)
