"""Questions that a picture can not answer: the program that knows the scene (it stands for GPT-4o in the paper)."""

import re

import numpy as np

from inbol_lib.micro.world.entities import COLOURS
from inbol_lib.micro.world.grammar import FAMILIES, VALUES, fill, truth
from inbol_lib.micro.world.scenes import SHAPES, Scene

KINDS = ("absent", "premise", "beyond")
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
#: Wordings of the out-of-domain set "BeyondVisQA"; none of them occurs anywhere else.
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


def _absent(scene: Scene, rng: np.random.Generator, held_out: bool) -> tuple[str, str]:
    names = (
        "colour",
        "where",
        "size",
        "shape",
        "count",
        "corners",
        "left",
        "what_at",
        "colour_at",
        "digit",
        "sum",
    )
    if not scene.country:
        names += ("country", "capital", "export")
    while True:
        family = FAMILIES[str(rng.choice(names))]
        slots = {s: str(rng.choice(VALUES[s])) for s in family.slots}
        if slots.get("shape") and slots.get("shape") == slots.get("shape2"):
            continue
        if family.truth(scene, **slots) is None:
            missing = " and ".join(_noun(k, v) for k, v in slots.items()) or {
                "digit": "digit",
                "sum": "pair of digits",
            }.get(family.name, "flag")
            wordings = family.held_out if held_out else family.wordings
            return fill(
                str(rng.choice(wordings)), slots
            ), f"Sorry, there is no clear {missing} in the image."


def _noun(slot: str, value: str) -> str:
    return {"colour": f"{value} shape", "position": f"object in the {value}"}.get(slot, value)


def _premise(scene: Scene, rng: np.random.Generator) -> tuple[str, str]:
    shape = str(
        rng.choice(SHAPES if scene.country or not scene.shapes else [t.shape for t in scene.shapes])
    )
    true = {t.colour for t in scene.find(shape)}
    colour = str(rng.choice([c for c in COLOURS if c not in true]))
    wording = str(rng.choice(_PREMISE))
    text = wording.format(
        shape=shape, colour=colour, shapes=shape + ("es" if shape == "cross" else "s")
    )
    return text, f"Sorry, there is no {colour} {shape} in the image."


def _beyond(scene: Scene, rng: np.random.Generator, wordings: tuple[str, ...]) -> tuple[str, str]:
    thing = (
        "flag"
        if scene.country
        else (str(rng.choice([t.shape for t in scene.shapes])) if scene.shapes else "picture")
    )
    return str(rng.choice(wordings)).format(thing=thing), "Sorry, the image does not tell this."


def unanswerable(
    scene: Scene, rng: np.random.Generator, kind: str, held_out: bool = False
) -> tuple[str, str]:
    """An unanswerable question about `scene` and its explanation; `kind` is "absent", "premise" or "beyond".

    `held_out` takes wordings that pretraining never shows ("premise" has none). Raises ValueError for another kind.
    """
    if kind == "absent":
        return _absent(scene, rng, held_out)
    if kind == "premise":
        return _premise(scene, rng)
    if kind == "beyond":
        return _beyond(scene, rng, BEYOND_HELD_OUT if held_out else _BEYOND)
    raise ValueError(f"kind {kind!r} is unknown; choose one of {', '.join(KINDS)}")


def _matcher(wording: str) -> re.Pattern:
    nouns = "|".join((*SHAPES, "flag", "picture"))
    slots = {
        "thing": nouns,
        "shape": nouns,
        "shapes": rf"(?:{nouns})e?s",
        "colour": "|".join(COLOURS),
    }
    return re.compile(re.sub(r"\\{(\w+)\\}", lambda m: f"(?:{slots[m[1]]})", re.escape(wording)))


_NEVER_ANSWERABLE = tuple(_matcher(w) for w in (*_PREMISE, *_BEYOND, *BEYOND_HELD_OUT))


def is_answerable(scene: Scene, question: str) -> bool | None:
    """The world's truth: does the picture hold the answer? None when the question is not in the world's grammar.

    A question about what a shape or flag costs, or why it has some colour, is never answerable here, and on a bad
    photograph no question is.
    """
    right = truth(scene, question)
    if right is not None:
        return bool(right) and scene.kind != "bad"
    return False if any(p.fullmatch(question) for p in _NEVER_ANSWERABLE) else None
