"""Minimal pairs: the same question about a picture and about the picture without its answer.

A scene is edited so little that the answer vanishes while the question stays as it is. Whoever is
right about the one and refuses about the other has looked; the wording tells nothing.
"""

import numpy as np
from datasets import Dataset

from inbol_lib.data.records import QUESTION_FEATURES
from inbol_lib.micro.world import grammar
from inbol_lib.micro.world.drawing import render
from inbol_lib.micro.world.entities import COLOURS
from inbol_lib.micro.world.randomness import rng_of
from inbol_lib.micro.world.scenes import Scene, edited, scene_of

#: What can be done to the thing that a question is about -> families that it leaves unanswerable.
#: A stain still tells a colour and a place; another colour leaves all but the premise.
EDITS = {
    "removed": ("colour", "where", "size", "pattern"),
    "covered": ("colour", "where", "size", "pattern"),
    "smudged": ("pattern", "shape", "corners"),
    "recoloured": ("shape", "corners"),
}


def pairs(split: str, n: int, seed: int = 0) -> Dataset:
    """Return questions twice: about a picture that holds the answer, and about its edited copy.

    Parameters
    ----------
    split : str
        "train", "validation" or "test".
    n : int
        Number of pairs; all kinds of edits take turns.
    seed : int
        Another seed gives other pictures.

    Returns
    -------
    datasets.Dataset
        2 n rows with `QUESTION_FEATURES`, two for each `group`; `source` is "pairs_<edit>", and
        the second row of a group has no answers.
    """
    rows: list[dict] = []
    number = 0
    while len(rows) < 2 * n:
        edit = list(EDITS)[len(rows) // 2 % len(EDITS)]
        rows += _pair(split, edit, f"{seed}-{number}")
        number += 1
    return Dataset.from_list(rows, features=QUESTION_FEATURES)


def _pair(split: str, edit: str, number: str) -> list[dict]:
    """Return the two rows of a pair, or none where the scene holds no fit question."""
    rng = rng_of("pairs", split, edit, number)
    scene = scene_of(f"scene:{split}:pairs-{number}")
    asked = grammar.ask(EDITS[edit], scene, rng)
    if asked is None:
        return []
    _, slots = grammar.parse(asked.question)
    target = scene.find(slots.get("shape"), slots.get("colour"))
    if len(target) != 1:
        return []
    how = _another_colour(scene, rng) if edit == "recoloured" else edit
    without = scene_of(edited(scene.image_id, how, scene.things.index(target[0])))
    if grammar.truth(without, asked.question) != []:
        return []
    row = {
        "group": f"pairs-{split}-{edit}-{number}",
        "source": f"pairs_{edit}",
        "split": split,
        "question": asked.question,
        "choices": [],
    }
    return [
        {**row, **_side(scene, "with"), "answers": [asked.answer]}
        | {"accepted": grammar.surfaces(asked.answer), "id": f"{row['group']}-with"},
        {**row, **_side(without, "without"), "answers": [], "accepted": []}
        | {"id": f"{row['group']}-without"},
    ]


def _another_colour(scene: Scene, rng: np.random.Generator) -> str:
    """Draw a colour that nothing in a scene has."""
    shown = {thing.colour for thing in scene.things}
    return str(rng.choice([colour for colour in COLOURS if colour not in shown]))


def _side(scene: Scene, side: str) -> dict:
    return {
        "image_id": scene.image_id,
        "image": QUESTION_FEATURES["image"].encode_example(render(scene)),
    }
