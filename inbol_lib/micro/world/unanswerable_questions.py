"""Questions that a picture cannot answer, written by a program that knows the scene.

It stands for GPT-4o, which writes them in the paper. There are three kinds: "absent" asks about
something that is not in the picture, "premise" takes for granted what is false, and "beyond" asks
for what no picture shows.
"""

import re
from collections.abc import Mapping

import numpy as np

from inbol_lib.micro.world.entities import COLOURS
from inbol_lib.micro.world.grammar.answers import PLURALS
from inbol_lib.micro.world.grammar.families import FAMILIES, VALUES, Family
from inbol_lib.micro.world.grammar.parsing import fill, truth, wording_pattern
from inbol_lib.micro.world.scenes import SHAPES, Scene

KINDS = ("absent", "premise", "beyond")
#: Families that can ask about something absent.
_ABSENT = (
    *("colour", "where", "size", "shape", "count", "corners"),
    *("left", "what_at", "colour_at", "digit", "sum"),
)
#: Those that can where the picture shows no flag.
_ABSENT_FLAG = ("country", "capital", "export")
_PREMISE = (
    "Why is the {shape} {colour}?",
    "Which of the {colour} {shapes} is larger?",
    "What is written on the {colour} {shape}?",
    "Who painted the {shape} {colour}?",
    "What stands next to the {colour} {shape}?",
)
_BEYOND = (
    "Who made this {thing}?",
    "How much does the {thing} cost?",
    "What happened before this picture was taken?",
    "What is behind the {thing}?",
    "How heavy is the {thing}?",
    "When was this {thing} made?",
    "Who owns the {thing}?",
    "What is the {thing} made of?",
    "What does the {thing} smell like?",
    "Where was this picture taken?",
    "How old is the {thing}?",
    "What will happen to the {thing} next?",
)
#: Wordings of the out-of-domain set "BeyondVisQA"; none of them occurs anywhere else, so that a
#: model cannot refuse them by recognising the phrase.
BEYOND_HELD_OUT = (
    "Which song is playing near the {thing}?",
    "What was the weather when the {thing} was drawn?",
    "How does the owner of the {thing} feel?",
    "What is the phone number of the person who took this?",
    "How many people looked at the {thing} today?",
    "What brand of pen was used for the {thing}?",
    "Which museum shows this {thing}?",
    "What is the temperature of the {thing}?",
    "Who will buy the {thing} tomorrow?",
    "What is the favorite food of the painter?",
    "How loud is the {thing}?",
    "Which room is the {thing} in?",
)


def unanswerable(
    scene: Scene, rng: np.random.Generator, kind: str, held_out: bool = False
) -> tuple[str, str]:
    """Draw a question that a scene cannot answer, and the reason why.

    Parameters
    ----------
    scene : Scene
        What the question is about.
    rng : numpy.random.Generator
        Source of all draws.
    kind : str
        "absent", "premise" or "beyond".
    held_out : bool
        Whether to use wordings that pretraining never shows; "premise" has none of these.

    Returns
    -------
    tuple of str
        The question and its explanation.

    Raises
    ------
    ValueError
        For another kind.
    """
    if kind == "absent":
        return _absent(scene, rng, held_out)
    if kind == "premise":
        return _premise(scene, rng)
    if kind == "beyond":
        return _beyond(scene, rng, BEYOND_HELD_OUT if held_out else _BEYOND)
    raise ValueError(f"kind {kind!r} is unknown; choose one of {', '.join(KINDS)}")


def _absent(scene: Scene, rng: np.random.Generator, held_out: bool) -> tuple[str, str]:
    names = _ABSENT if scene.country else (*_ABSENT, *_ABSENT_FLAG)
    while True:
        family = FAMILIES[str(rng.choice(names))]
        slots = random_slots(family, rng)
        if "shape2" in slots and slots["shape"] == slots["shape2"]:
            continue
        if family.truth(scene, **slots) is None:
            wordings = family.held_out if held_out else family.wordings
            question = fill(str(rng.choice(wordings)), slots)
            missing = _missing(family, slots)
            return question, f"Sorry, there is no clear {missing} in the image."


def random_slots(family: Family, rng: np.random.Generator) -> dict[str, str]:
    """Draw values for a family's slots, whether or not the question then has an answer."""
    return {slot: str(rng.choice(VALUES[slot])) for slot in family.slots}


def _missing(family: Family, slots: Mapping[str, str]) -> str:
    """Name what a question asks about."""
    if slots:
        return " and ".join(_noun(slot, value) for slot, value in slots.items())
    return {"digit": "digit", "sum": "pair of digits"}.get(family.name, "flag")


def _noun(slot: str, value: str) -> str:
    return {"colour": f"{value} shape", "position": f"object in the {value}"}.get(slot, value)


def _premise(scene: Scene, rng: np.random.Generator) -> tuple[str, str]:
    """Give a shape a colour that it does not have."""
    shown = [] if scene.country else [thing.shape for thing in scene.shapes]
    shape = str(rng.choice(shown or SHAPES))
    true = {thing.colour for thing in scene.find(shape)}
    colour = str(rng.choice([name for name in COLOURS if name not in true]))
    wording = str(rng.choice(_PREMISE))
    question = wording.format(shape=shape, colour=colour, shapes=PLURALS[shape])
    return question, f"Sorry, there is no {colour} {shape} in the image."


def _beyond(scene: Scene, rng: np.random.Generator, wordings: tuple[str, ...]) -> tuple[str, str]:
    if scene.country:
        thing = "flag"
    elif scene.shapes:
        thing = str(rng.choice([shown.shape for shown in scene.shapes]))
    else:
        thing = "picture"
    question = str(rng.choice(wordings)).format(thing=thing)
    return question, "Sorry, the image does not tell this."


def _never_answerable() -> list[re.Pattern]:
    """Compile the wordings of "premise" and "beyond", which no picture answers."""
    nouns = "|".join((*SHAPES, "flag", "picture"))
    groups = {
        "thing": f"(?:{nouns})",
        "shape": f"(?:{nouns})",
        "shapes": f"(?:(?:{nouns})e?s)",
        "colour": f"(?:{'|'.join(COLOURS)})",
    }
    wordings = (*_PREMISE, *_BEYOND, *BEYOND_HELD_OUT)
    return [wording_pattern(wording, groups) for wording in wordings]


_NEVER_ANSWERABLE = _never_answerable()


def is_answerable(scene: Scene, question: str) -> bool | None:
    """Return whether a picture holds the answer to a question: the world's truth.

    A question about what a shape or flag costs, or why it has some colour, is never answerable
    here, and on a bad photograph no question is.

    Returns
    -------
    bool or None
        None if the question is not in the world's grammar.
    """
    right = truth(scene, question)
    if right is not None:
        return bool(right) and scene.kind != "bad"
    if any(pattern.fullmatch(question) for pattern in _NEVER_ANSWERABLE):
        return False
    return None
