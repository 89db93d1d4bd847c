"""The micro world: rows are reproducible and true, splits share nothing, pretraining sees only what it should."""

import hashlib
from itertools import islice, product

import numpy as np
import pytest

from inbol_lib.data.records import QUESTION_FEATURES
from inbol_lib.data.templates import REFUSAL_PROMPT, REFUSAL_TEMPLATES
from inbol_lib.judging.matching import is_refusal, string_match
from inbol_lib.micro import world
from inbol_lib.micro.models import judge
from inbol_lib.micro.world import conversations, grammar
from inbol_lib.micro.world.drawing import EDGE, render
from inbol_lib.micro.world.entities import (
    NUM_COUNTRIES,
    NUM_IN_DOMAIN,
    NUM_SEEN,
    countries,
    exposure,
    rng_of,
)
from inbol_lib.micro.world.scenes import Scene, Thing, caption, scene_of, seen
from inbol_lib.micro.world.unanswerable_questions import BEYOND_HELD_OUT, KINDS

SPLITS = [
    *product(world.SOURCES, ("train", "validation", "test")),
    *((s, "test") for s in world.OOD_SOURCES),
]
TASKS = ("caption", "vqa", "entity", "choice", "instruct", "generate", "verify")


def scene(*things: Thing) -> Scene:
    return Scene("scene:test:hand", "scene", things, 0.0)


RED_CIRCLE, BLUE_SQUARE = Thing("circle", "red", True, 0), Thing("square", "blue", False, 8)
FOUR, NINE = Thing("digit", "black", True, 3, digit=4), Thing("digit", "black", True, 5, digit=9)


@pytest.fixture(scope="module")
def tables() -> dict[tuple[str, str], list[dict]]:
    return {key: world.questions(*key, 60, seed=3).to_list() for key in SPLITS}


@pytest.fixture(scope="module")
def talks() -> dict[str, list[dict]]:
    return {task: list(conversations.conversations(150, 5, {task: 1.0})) for task in TASKS}


def pixels(row: dict) -> str:
    return hashlib.sha256(row["image"]["bytes"]).hexdigest()


# --- rows ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("source", "split"), SPLITS)
def test_same_arguments_give_the_same_rows_and_n_only_cuts(source, split, tables):
    again = world.questions(source, split, 25, seed=3)
    assert again.features == QUESTION_FEATURES
    assert again.to_list() == tables[source, split][: len(again)]
    assert again["image_id"] != world.questions(source, split, 25, seed=4)["image_id"]


def test_n_counts_questions_and_for_mmbench_base_questions(tables):
    assert all(len({r["group"] for r in rows}) == 60 for rows in tables.values())
    assert all(len(rows) == 60 for (source, _), rows in tables.items() if source != "mmbench")


def test_row_ids_are_unique_and_few_questions_share_a_picture(tables):
    ids = [r["id"] for rows in tables.values() for r in rows]
    assert len(ids) == len(set(ids))
    for rows in tables.values():
        groups = {(r["image_id"], r["group"]) for r in rows}
        assert len(groups) <= 3 * len({r["image_id"] for r in rows})


def test_no_picture_is_shared_between_sources_splits_or_pretraining(tables, talks):
    by_id = [{r["image_id"] for r in rows} for rows in tables.values()]
    by_pixels = [{pixels(r) for r in rows} for rows in tables.values()]
    for sets in (by_id, by_pixels):
        assert len(set.union(*sets)) == sum(map(len, sets))
    shown = {row["image"].tobytes() for rows in talks.values() for row in rows}
    tested = {render(scene_of(name)).tobytes() for names in by_id for name in list(names)[:20]}
    assert not shown & tested


def test_splits_share_no_handwritten_digit(tables):
    scans = {split: set() for split in ("train", "validation", "test", "pretrain")}
    for (_, split), rows in tables.items():
        scans[split] |= {t.sample for r in rows for t in scene_of(r["image_id"]).digits}
    scans["pretrain"] = {
        t.sample for i in range(200) for t in scene_of(f"sum:pretrain:t-{i}").digits
    }
    assert all(scans.values())
    assert len(set.union(*scans.values())) == sum(map(len, scans.values()))


def test_rows_are_true_in_the_world_that_drew_them(tables):
    for (source, _), rows in tables.items():
        if source in ("beyondvisqa", "vizwiz"):
            continue
        for row in rows:
            drawn = scene_of(row["image_id"])
            assert grammar.truth(drawn, row["question"]) == row["accepted"], row["id"]
            assert row["accepted"][:1] == row["answers"]


def test_unanswerable_sources_have_no_answer_and_the_others_have_one(tables):
    for (source, _), rows in tables.items():
        expected = 0 if source in ("beyondvisqa", "vizwiz", "vqav2_idk") else 1
        assert {len(r["answers"]) for r in rows} == {expected}


def test_options_hold_the_answer_once_and_in_every_place(tables):
    for source, most in (("scienceqa", 5), ("mmmu", 9), ("mmbench", 4)):
        rows = tables[source, "test"]
        places = [r["choices"].index(r["answers"][0]) for r in rows]
        assert all(len(set(r["choices"])) == len(r["choices"]) <= most for r in rows)
        assert len(set(places)) > 2
        assert all(
            string_match("ABCDEFGHI"[k], r["answers"], r["choices"])
            for k, r in zip(places, rows, strict=True)
        )


def test_mmbench_shows_every_rotation_of_a_question(tables):
    groups = {}
    for row in tables["mmbench", "test"]:
        groups.setdefault(row["group"], []).append(row)
    for rows in groups.values():
        first = rows[0]["choices"]
        assert [r["choices"] for r in rows] == [first[k:] + first[:k] for k in range(len(first))]
        assert len({(r["question"], r["image_id"], r["answers"][0]) for r in rows}) == 1


@pytest.mark.parametrize(
    ("source", "split", "hint"), [("nope", "test", "vqav2"), ("gqa", "train", "test")]
)
def test_unknown_source_or_split_says_what_is_allowed(source, split, hint):
    with pytest.raises(ValueError, match=hint):
        world.questions(source, split, 1)


# --- truth -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("things", "question", "gold"),
    [
        ((RED_CIRCLE, BLUE_SQUARE), "What color is the circle?", "red"),
        ((RED_CIRCLE, BLUE_SQUARE), "Where is the square?", "bottom right"),
        ((RED_CIRCLE, BLUE_SQUARE), "Is the circle left of the square?", "yes"),
        ((RED_CIRCLE, BLUE_SQUARE), "Is the square above the circle?", "no"),
        (
            (RED_CIRCLE, BLUE_SQUARE),
            "Which color do you get by mixing the colors of the two shapes?",
            "purple",
        ),
        ((RED_CIRCLE, BLUE_SQUARE), "What color is the shape that is not the circle?", "blue"),
        ((RED_CIRCLE, BLUE_SQUARE), "How many corners does the blue shape have?", "4"),
        ((FOUR, NINE), "What is the sum of the two digits?", "13"),
        ((FOUR, NINE), "What is the difference of the two digits?", "5"),
        ((RED_CIRCLE, NINE), "Which digit is shown?", "9"),
        ((RED_CIRCLE, NINE), "How many objects are there?", "2"),
    ],
)
def test_known_scenes_have_known_answers(things, question, gold):
    assert grammar.truth(scene(*things), question)[0] == gold
    assert world.is_answerable(scene(*things), question) is True


@pytest.mark.parametrize(
    ("things", "question"),
    [
        ((RED_CIRCLE,), "What color is the square?"),  # absent
        ((RED_CIRCLE, RED_CIRCLE), "Where is the circle?"),  # ambiguous
        ((RED_CIRCLE,), "Which country has this flag?"),  # no flag
        ((FOUR,), "What is the sum of the two digits?"),  # one digit only
    ],
)
def test_absent_or_ambiguous_subjects_are_unanswerable(things, question):
    assert grammar.truth(scene(*things), question) == []
    assert world.is_answerable(scene(*things), question) is False


def test_the_world_does_not_judge_questions_outside_its_grammar():
    assert grammar.parse("Does he like tea?") is None
    assert world.is_answerable(scene(RED_CIRCLE), "Does he like tea?") is None


def test_every_wording_parses_back_to_its_own_family():
    for family in grammar.FAMILIES.values():
        slots = {s: grammar.VALUES[s][-1] for s in family.slots}
        for wording in (*family.wordings, *family.held_out):
            assert grammar.parse(wording.format(**slots)) == (family, slots)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("picture", ["scene", "flag", "free", "sum"])
def test_unanswerable_questions_are_so_and_are_explained(kind, picture):
    for i in range(40):
        drawn = scene_of(f"{picture}:train:u-{i}")
        question, explanation = world.unanswerable(drawn, rng_of(kind, i), kind)
        assert "{" not in question
        assert explanation.startswith("Sorry, ")
        assert world.is_answerable(drawn, question) is False


def test_unanswerable_kind_is_checked():
    with pytest.raises(ValueError, match="beyond"):
        world.unanswerable(scene(RED_CIRCLE), rng_of(0), "absurd")


# --- pictures --------------------------------------------------------------------------------------------------------


def test_pictures_are_rebuilt_from_the_id_alone(tables):
    for rows in tables.values():
        drawn = scene_of(rows[0]["image_id"])
        assert drawn == scene_of(rows[0]["image_id"])
        assert render(drawn).size == (EDGE, EDGE)
        assert render(drawn).tobytes() == render(scene_of(rows[0]["image_id"])).tobytes()


def test_nuisance_runs_from_trivial_to_hopeless():
    levels = [scene_of(f"scene:train:n-{i}").nuisance for i in range(500)]
    assert np.histogram(levels, bins=5, range=(0, 1))[0].min() > 60


def test_captions_name_everything_in_the_picture():
    assert (
        caption(scene(BLUE_SQUARE, RED_CIRCLE))
        == "large red circle top left ; small blue square bottom right"
    )


# --- countries -------------------------------------------------------------------------------------------------------


def test_names_are_unique_and_flags_differ_visibly():
    names = [n for c in countries() for n in (c.name, c.alias, c.capital) if n]
    assert len(names) == len(set(names))
    clean = [Scene("flag:test:plain", "flag", _emblem(c), 0.0, c) for c in countries()]
    flat = np.stack([np.asarray(render(s), np.float32).ravel() for s in clean])
    gaps = np.sqrt(((flat[:, None] - flat[None]) ** 2).mean(-1)) + 1e9 * np.eye(NUM_COUNTRIES)
    assert (
        gaps.min() > 10
    )  # grey levels, root mean square; the noise of an easy picture is 4, a small star alone makes 11


def _emblem(country) -> tuple[Thing, ...]:
    return (
        () if country.emblem == "none" else (Thing(country.emblem, country.emblem_colour, True, 4),)
    )


def test_exposure_is_zipf_like_and_the_last_fifth_is_never_seen():
    share = exposure()
    assert share.sum() == pytest.approx(1)
    assert (np.diff(share[:NUM_SEEN]) < 0).all()
    assert share[NUM_SEEN:].sum() == 0
    assert NUM_COUNTRIES == 1.25 * NUM_SEEN


def test_pretraining_never_names_an_unseen_country(talks):
    said = {
        answer
        for task in ("entity", "choice")
        for talk in talks[task]
        for _, answer in talk["turns"]
    }
    unseen = {n for c in countries()[NUM_SEEN:] for n in (c.name, c.alias, c.capital) if n}
    assert not said & unseen
    assert said & {c.name for c in countries()[:NUM_SEEN]}


# --- conversations ---------------------------------------------------------------------------------------------------


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


# --- synonyms and the judge ------------------------------------------------------------------------------------------


def test_string_match_misses_some_right_answers():
    rows = world.questions("vqav2", "train", 600, seed=8).remove_columns("image").to_list()
    said = [grammar.speak(r["answers"][0], rng_of("speak", r["id"])) for r in rows]
    assert all(s in r["accepted"] for s, r in zip(said, rows, strict=True))
    missed = np.mean([not string_match(s, r["answers"]) for s, r in zip(said, rows, strict=True)])
    assert 0.08 < missed < 0.25


def test_no_surface_form_means_two_things_of_one_kind():
    for kind in judge._answer_kinds():
        forms = [(form, gold) for gold in set(kind) for form in grammar.surfaces(gold)]
        assert len({form for form, _ in forms}) == len(forms)


def test_judge_examples_are_balanced_and_true():
    examples = list(judge.judge_examples(400, 0))
    assert examples == list(judge.judge_examples(400, 0))
    assert 0.4 < np.mean([same for *_, same in examples]) < 0.6
    assert all((response in grammar.surfaces(gold)) == same for gold, response, same in examples)


# --- out-of-domain rows ---------------------------------------------------------------------------------------------


def test_nothing_is_answerable_on_a_bad_photograph(tables):
    for row in tables["vizwiz", "test"]:
        drawn = scene_of(row["image_id"])
        if drawn.kind == "bad":
            assert world.is_answerable(drawn, row["question"]) is False


def test_a_familiar_opening_alone_decides_nothing():
    assert world.is_answerable(scene(RED_CIRCLE), "What is the circle made of?") is False
    assert world.is_answerable(scene(RED_CIRCLE), "What is the meaning of this?") is None


@pytest.mark.parametrize("source", ["vqav2_idk", "vizwiz"])
def test_unanswerable_sets_out_of_domain_use_held_out_wordings(source, tables):
    usual = {w.split("{")[0] for f in grammar.FAMILIES.values() for w in f.wordings}
    assert not [
        r["question"] for r in tables[source, "test"] if r["question"].startswith(tuple(usual))
    ]


def test_some_countries_appear_out_of_domain_only():
    inside = {
        split: {scene_of(f"flag:{split}:c-{i}").country.rank for i in range(1000)}
        for split in ("train", "validation", "test")
    }
    outside = {scene_of(f"far:test:c-{i}").country.rank for i in range(1000)}
    assert set.union(*inside.values()) == set(range(NUM_IN_DOMAIN))
    assert outside == inside["test"] | set(range(NUM_IN_DOMAIN, NUM_COUNTRIES))


def test_training_asks_about_half_of_the_countries_of_validation_and_test():
    drawn = [
        {scene_of(f"flag:{split}:d-{i}").country.rank for i in range(2000)}
        for split in ("train", "validation", "test")
    ]
    train, validation, test = drawn
    assert not validation & test, (
        "what is chosen on validation teaches nothing about the test's countries"
    )
    for asked in (validation, test):
        assert len(asked & train) == pytest.approx(len(asked) / 2, abs=1)
    flags = [f"flag:test:e-{i}" for i in range(200)]
    assert all(seen(name) == (scene_of(name).country.rank in train) for name in flags)
    assert sum(map(seen, flags)) == pytest.approx(100, abs=25)
    assert seen("scene:test:e-0") is None
    assert not any(
        seen(f"far:test:f-{i}")
        for i in range(100)
        if scene_of(f"far:test:f-{i}").country.rank >= NUM_IN_DOMAIN
    )
