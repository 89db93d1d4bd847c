"""What the micro world calls true: scenes, questions, pictures and countries."""

import numpy as np
import pytest
from scipy.spatial.distance import pdist
from world_samples import (
    BLUE_SQUARE,
    FOUR,
    HIGH_BROWN,
    LOW_TEAL,
    NINE,
    RED_CIRCLE,
    STRIPED_STAR,
    scene,
)

from inbol_lib.micro import world
from inbol_lib.micro.world import grammar
from inbol_lib.micro.world.drawing import EDGE, render
from inbol_lib.micro.world.entities import NUM_COUNTRIES, NUM_SEEN, countries, exposure
from inbol_lib.micro.world.randomness import rng_of
from inbol_lib.micro.world.scenes import Scene, Thing, caption, scene_of
from inbol_lib.micro.world.unanswerable_questions import KINDS


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
        ((STRIPED_STAR, RED_CIRCLE), "What pattern has the star?", "striped"),
        ((STRIPED_STAR, RED_CIRCLE), "Is the circle plain, striped or dotted?", "plain"),
        ((LOW_TEAL, HIGH_BROWN), "What color is the tallest bar?", "brown"),
        ((LOW_TEAL, HIGH_BROWN), "Which bar is the shortest?", "teal"),
        ((LOW_TEAL, HIGH_BROWN), "How high is the brown bar?", "5"),
        ((LOW_TEAL, HIGH_BROWN), "Is the teal bar taller than the brown bar?", "no"),
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
        ((RED_CIRCLE,), "What color is the tallest bar?"),  # no chart
        ((LOW_TEAL, HIGH_BROWN), "How high is the red bar?"),
        ((LOW_TEAL, HIGH_BROWN), "How many objects are there?"),  # a chart shows none
        ((RED_CIRCLE,), "What is written on the sign?"),  # no sign
    ],
)
def test_absent_or_ambiguous_subjects_are_unanswerable(things, question):
    assert grammar.truth(scene(*things), question) == []
    assert world.is_answerable(scene(*things), question) is False


def test_a_sign_has_a_word_and_a_colour():
    sign = scene_of("sign:test:hand")
    assert grammar.truth(sign, "Read the sign.") == [sign.word]
    assert grammar.truth(sign, "What color is the sign?")[0] == sign.things[0].colour
    assert grammar.truth(sign, "How many objects are there?") == []


def test_courtesies_change_nothing_about_the_answer():
    asked = "What color is the circle?"
    for courteous in grammar.parsing.COURTESIES:
        question = courteous.format(question=asked)
        assert grammar.truth(scene(RED_CIRCLE), question) == ["red"]
        assert world.is_answerable(scene(BLUE_SQUARE), question) is False


def test_the_world_does_not_judge_questions_outside_its_grammar():
    assert grammar.parse("Does he like tea?") is None
    assert world.is_answerable(scene(RED_CIRCLE), "Does he like tea?") is None


def test_every_wording_parses_back_to_its_own_family():
    for family in grammar.FAMILIES.values():
        slots = {s: grammar.VALUES[s][-1] for s in family.slots}
        for wording in (*family.wordings, *family.held_out):
            assert grammar.parse(wording.format(**slots)) == (family, slots)


def test_a_school_book_changes_nothing_about_the_answer():
    asked = "How many corners does the blue shape have?"
    for number in range(20):
        question = grammar.lesson(asked, rng_of(number))
        assert question != asked
        assert grammar.bare(question) == asked
        assert grammar.truth(scene(RED_CIRCLE, BLUE_SQUARE), question)[0] == "4"


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


def test_names_are_unique_and_flags_differ_visibly():
    names = [n for c in countries() for n in (c.name, c.alias, c.capital) if n]
    assert len(names) == len(set(names))
    clean = [Scene("flag:test:plain", "flag", _emblem(c), 0.0, country=c) for c in countries()]
    flat = np.stack([np.asarray(render(s), np.float32).ravel() for s in clean])
    assert len(flat) == NUM_COUNTRIES
    gaps = pdist(flat) / np.sqrt(flat.shape[1])
    assert gaps.min() > 5  # levels (RMS): a camera's noise is 3, two emblems that look alike 6


def _emblem(country) -> tuple[Thing, ...]:
    return (
        () if country.emblem == "none" else (Thing(country.emblem, country.emblem_colour, True, 4),)
    )


def test_exposure_is_zipf_like_and_the_last_sixth_is_never_seen():
    share = exposure()
    assert share.sum() == pytest.approx(1)
    assert (np.diff(share[:NUM_SEEN]) < 0).all()
    assert share[NUM_SEEN:].sum() == 0
    assert NUM_COUNTRIES == 1.2 * NUM_SEEN


def test_pretraining_never_names_an_unseen_country(talks):
    said = {
        answer
        for task in ("flags", "questions")
        for talk in talks[task]
        for _, answer in talk["turns"]
    }
    unseen = {n for c in countries()[NUM_SEEN:] for n in (c.name, c.alias, c.capital) if n}
    assert not said & unseen
    assert said & {c.name for c in countries()[:NUM_SEEN]}


def test_a_familiar_opening_alone_decides_nothing():
    assert world.is_answerable(scene(RED_CIRCLE), "What is the circle made of?") is False
    assert world.is_answerable(scene(RED_CIRCLE), "What is the meaning of this?") is None
