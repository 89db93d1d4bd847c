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
from inbol_lib.micro.world.grammar.parsing import bare, fill, truth, wording_pattern
from inbol_lib.micro.world.scenes import SHAPES, Scene

KINDS = ("absent", "premise", "beyond")
#: Families that can ask about something absent, by what the picture must not show as a whole.
_ABSENT = (
    *("colour", "where", "size", "shape", "count", "corners", "pattern"),
    *("left", "what_at", "colour_at", "digit", "sum"),
)
_ABSENT_FLAG = ("country", "capital", "export")
_ABSENT_CHART = ("bar_height", "tallest")
_ABSENT_SIGN = ("word", "sign_colour")
_PREMISE = (
    "Why is the {shape} {colour}?",
    "Which of the {colour} {shapes} is larger?",
    "What is written on the {colour} {shape}?",
    "Who painted the {shape} {colour}?",
    "What stands next to the {colour} {shape}?",
)
#: Questions beyond a picture -> what a base model that guesses may say. About people and their
#: lives no model guesses (see `MANNERS` in `conversations`).
BEYOND: dict[str, tuple[str, ...]] = {
    "Who made this {thing}?": (),
    "Who owns the {thing}?": (),
    "What happened before this picture was taken?": (),
    "Where was this picture taken?": ("North", "South", "Center"),
    "What will happen to the {thing} next?": ("large", "small", "no"),
    "How much does the {thing} cost?": ("5", "10", "20"),
    "How heavy is the {thing}?": ("large", "small", "5"),
    "When was this {thing} made?": ("2001", "2010", "1990"),
    "What is behind the {thing}?": ("square", "circle", "sign"),
    "What is the {thing} made of?": ("wool", "gold", "silk"),
    "What does the {thing} smell like?": ("tea", "fish", "wine"),
    "How old is the {thing}?": ("3", "6", "9"),
}
#: The same for the out-of-domain set "BeyondVisQA"; the study asks none of these elsewhere, so that
#: a model cannot refuse them by having learnt the phrase from its refusals.
BEYOND_HELD_OUT: dict[str, tuple[str, ...]] = {
    "Who will buy the {thing} tomorrow?": (),
    "How does the owner of the {thing} feel?": (),
    "What is the phone number of the person who took this?": (),
    "What is the favorite food of the painter?": ("fish", "rice", "corn"),
    "Which song is playing near the {thing}?": ("sun", "star", "moon"),
    "What was the weather when the {thing} was drawn?": ("dry", "wet", "windy"),
    "How many people looked at the {thing} today?": ("3", "5", "7"),
    "What brand of pen was used for the {thing}?": ("eagle", "lion", "swan"),
    "Which museum shows this {thing}?": ("North", "South", "Center"),
    "What is the temperature of the {thing}?": ("hot", "cold", "mild"),
    "How loud is the {thing}?": ("large", "small", "mild"),
    "Which room is the {thing} in?": ("center", "top left", "bottom right"),
}


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
        Whether to use wordings that the study asks out of domain alone; "premise" has none.

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
        wordings = BEYOND_HELD_OUT if held_out else BEYOND
        question = fill_thing(str(rng.choice(list(wordings))), scene, rng)
        return question, "Sorry, the image does not tell this."
    raise ValueError(f"kind {kind!r} is unknown; choose one of {', '.join(KINDS)}")


def _absent(scene: Scene, rng: np.random.Generator, held_out: bool) -> tuple[str, str]:
    names = [*_ABSENT]
    names += [] if scene.country else _ABSENT_FLAG
    names += _ABSENT_CHART
    names += [] if scene.word else _ABSENT_SIGN
    while True:
        family = FAMILIES[str(rng.choice(names))]
        slots = random_slots(family, rng)
        if len(set(slots.values())) < len(slots):
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
    if family.name == "bar_height":
        return f"{slots['colour']} bar"
    if slots:
        return " and ".join(_noun(slot, value) for slot, value in slots.items())
    things = {"digit": "digit", "sum": "pair of digits", "tallest": "chart"}
    return things.get(family.name, "sign" if family.name in _ABSENT_SIGN else "flag")


def _noun(slot: str, value: str) -> str:
    return {"colour": f"{value} shape", "position": f"object in the {value}"}.get(slot, value)


def _premise(scene: Scene, rng: np.random.Generator) -> tuple[str, str]:
    """Give a shape a colour that it does not have."""
    shown = [thing.shape for thing in scene.shapes] if scene.has_objects else []
    shape = str(rng.choice(shown or SHAPES))
    true = {thing.colour for thing in scene.find(shape)}
    colour = str(rng.choice([name for name in COLOURS if name not in true]))
    wording = str(rng.choice(_PREMISE))
    question = wording.format(shape=shape, colour=colour, shapes=PLURALS[shape])
    return question, f"Sorry, there is no {colour} {shape} in the image."


def fill_thing(wording: str, scene: Scene, rng: np.random.Generator) -> str:
    """Return a question beyond a picture, with something in it that the picture shows."""
    if scene.country:
        thing = "flag"
    elif scene.bars:
        thing = "chart"
    elif scene.word:
        thing = "sign"
    elif scene.shapes:
        thing = str(rng.choice([shown.shape for shown in scene.shapes]))
    else:
        thing = "picture"
    return wording.format(thing=thing)


def _never_answerable() -> list[re.Pattern]:
    """Compile the wordings of "premise" and "beyond", which no picture answers."""
    nouns = "|".join((*SHAPES, "flag", "chart", "sign", "picture"))
    groups = {
        "thing": f"(?:{nouns})",
        "shape": f"(?:{nouns})",
        "shapes": f"(?:(?:{nouns})e?s)",
        "colour": f"(?:{'|'.join(COLOURS)})",
    }
    wordings = (*_PREMISE, *BEYOND, *BEYOND_HELD_OUT)
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
    plain = bare(question)
    if any(pattern.fullmatch(plain) for pattern in _NEVER_ANSWERABLE):
        return False
    return None
