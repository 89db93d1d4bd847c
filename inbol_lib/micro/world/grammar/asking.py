"""Draw questions about a scene, and wrong options beside the right one."""

from collections.abc import Iterator, Sequence
from itertools import product
from typing import NamedTuple

import numpy as np

from inbol_lib.micro.world.entities import (
    ANIMALS,
    CLIMATES,
    COLOURS,
    CONTINENTS,
    EXPORTS,
    NUM_SEEN,
    countries,
)
from inbol_lib.micro.world.grammar.families import FAMILIES, VALUES, Family
from inbol_lib.micro.world.grammar.parsing import fill
from inbol_lib.micro.world.scenes import PATTERNS, POSITIONS, SHAPES, WORDS, Scene

Slots = dict[str, str]


class Asked(NamedTuple):
    """A question about a scene, its gold answer and the name of its family."""

    question: str
    answer: str
    family: str


def candidates(family: Family, scene: Scene) -> Iterator[Slots]:
    """Yield all slot values for which a family's question has an answer on a scene."""
    for values in product(*(VALUES[slot] for slot in family.slots)):
        slots = dict(zip(family.slots, values, strict=True))
        if family.truth(scene, **slots) is not None:
            yield slots


def ask(
    names: Sequence[str], scene: Scene, rng: np.random.Generator, held_out: bool = False
) -> Asked | None:
    """Draw an answerable question.

    Parameters
    ----------
    names : sequence of str
        Families to draw from; one that is named twice is drawn twice as often.
    scene : Scene
        What the question is about.
    rng : numpy.random.Generator
        Source of all draws.
    held_out : bool
        Whether to use the wordings that training never shows.

    Returns
    -------
    Asked or None
        None if no family has an answer on this scene.
    """
    for name in rng.permutation(names):
        family = FAMILIES[str(name)]
        choices = list(candidates(family, scene))
        if family.name == "exists" and scene.shapes:
            choices = _as_often_yes_as_no(choices, scene, rng)
        if choices:
            slots = choices[int(rng.integers(len(choices)))]
            wordings = family.held_out if held_out else family.wordings
            question = fill(str(rng.choice(wordings)), slots)
            return Asked(question, family.truth(scene, **slots), family.name)
    return None


def _as_often_yes_as_no(
    choices: list[Slots], scene: Scene, rng: np.random.Generator
) -> list[Slots]:
    """Keep the choices with one answer, drawn at even odds; nearly all would be "no" otherwise.

    A "no" asks for a colour or a shape that the picture has, so a glance does not settle it.
    """
    shown = {thing.colour for thing in scene.shapes} | {thing.shape for thing in scene.shapes}
    if rng.random() < 0.5:
        return [slots for slots in choices if _found(scene, slots)]
    absent = [slots for slots in choices if not _found(scene, slots)]
    return [slots for slots in absent if slots["colour"] in shown or slots["shape"] in shown]


def _found(scene: Scene, slots: Slots) -> bool:
    return bool(scene.find(slots["shape"], slots["colour"]))


def guess(family: Family, rng: np.random.Generator) -> str:
    """Draw an answer of the kind that a family has, for a picture that does not hold it.

    Names are those of countries that pretraining knows.
    """
    options = _options(family.name, _EXAMPLES.get(family.name, ""))
    if family.name in ("country", "capital"):
        options = options[:NUM_SEEN]
    return str(options[int(rng.integers(len(options)))])


def distractors(family: str, answer: str, n: int, rng: np.random.Generator) -> list[str]:
    """Draw wrong options of the same kind as the answer.

    Returns
    -------
    list of str
        `n` different options, fewer where there are no more of this kind.
    """
    wrong = [option for option in _options(family, answer) if option != answer]
    return [str(option) for option in rng.permutation(wrong)[:n]]


#: Families answered with a number -> how many numbers are options, from zero on.
_NUMBERS = {"count": 10, "count_all": 10, "digit": 10, "difference": 10, "sum": 19} | {
    "num_bars": 7,
    "bar_height": 7,
}
#: Answers whose kind is clear from the answer itself.
_KINDS = (tuple(COLOURS), SHAPES, POSITIONS, ("yes", "no"), ("large", "small"), PATTERNS, WORDS)
#: Family -> all answers that it can have, where only the family tells the kind.
_ANSWERS = {
    "capital": [country.capital for country in countries()],
    "country": [country.name for country in countries()],
    "continent": list(CONTINENTS),
    "export": sorted(EXPORTS),
    "climate": sorted(CLIMATES),
    "animal": sorted(ANIMALS),
    "corners": ["0", "3", "4", "5", "6", "8"],
    "what_at": [f"{colour} {shape}" for colour in list(COLOURS)[:5] for shape in SHAPES[:5]],
}


#: An answer of each family whose kind is clear from the answer.
_EXAMPLES = {
    **dict.fromkeys(("colour", "mix", "other_colour", "colour_at", "left_colour"), "red"),
    **dict.fromkeys(("tallest", "shortest", "sign_colour"), "red"),
    **dict.fromkeys(("shape", "other_shape"), "circle"),
    **dict.fromkeys(("exists", "left", "above", "same_colour", "taller"), "yes"),
    "where": "center",
    "size": "large",
    "pattern": "plain",
    "word": "SUN",
}


def _options(family: str, answer: str) -> Sequence[str]:
    """All options of the same kind as an answer, itself (mostly) included."""
    if family in _NUMBERS:
        return [str(number) for number in range(_NUMBERS[family])]
    for kind in _KINDS:
        if answer in kind:
            return kind
    return _ANSWERS[family]
