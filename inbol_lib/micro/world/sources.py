"""The data sets of the micro world: one counterpart, with the same role, for each of the paper's.

"vqav2", "oven" and "scienceqa" are what a model is trained on; they differ in what they need (eyes,
memory, both and some thought). The others are out of domain: they use held-out wordings, other
layouts and other countries, and exist for testing alone.

What out-of-domain sources are made of, and how many of their questions are courteous, is calibrated
on what LLaVA-1.5 makes of the benchmarks without any training (figures/world_card.md).
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from datasets import Dataset
from PIL import Image

from inbol_lib.data.records import LETTERS, QUESTION_FEATURES
from inbol_lib.micro.world import grammar
from inbol_lib.micro.world.drawing import render
from inbol_lib.micro.world.randomness import rng_of
from inbol_lib.micro.world.scenes import Scene, scene_of
from inbol_lib.micro.world.unanswerable_questions import random_slots, unanswerable

SOURCES = ("vqav2", "oven", "scienceqa")
OOD_SOURCES = ("aokvqa", "gqa", "mmmu", "mmbench", "beyondvisqa", "vizwiz", "vqav2_idk")
PER_IMAGE = 3  # questions that share a picture

#: Families that need eyes alone.
PERCEPTION = (
    *("colour", "shape", "count", "count_all", "exists"),
    *("where", "size", "what_at", "digit", "left", "pattern"),
)
#: Families that need knowledge about a flag's country.
FACTS = ("continent", "export", "climate", "animal")


@dataclass(frozen=True)
class Recipe:
    """How the answerable questions of a source are made; what is named twice is drawn more often.

    Parameters
    ----------
    image_kinds : tuple of str
        Kinds of pictures (see `scene_of`).
    families : tuple of str
        Families of questions.
    held_out : bool
        Whether questions use the wordings that training never shows.
    option_counts : tuple of int
        Numbers of options of a multiple-choice question; empty if questions are open-ended.
    courtesy : float
        Share (in [0, 1]) of questions with words of courtesy (see `grammar.courteous`).
    lessons : float
        Share (in [0, 1]) of questions asked as a school book does (see `grammar.lesson`).
    """

    image_kinds: tuple[str, ...]
    families: tuple[str, ...]
    held_out: bool = False
    option_counts: tuple[int, ...] = ()
    courtesy: float = 0.0
    lessons: float = 0.0


_RECIPES = {
    "vqav2": Recipe(
        ("scene",) * 8 + ("sign",), (*PERCEPTION, "word", "sign_colour"), courtesy=0.04
    ),
    "oven": Recipe(("flag",), ("country", "country", "capital"), courtesy=0.19),
    "scienceqa": Recipe(
        ("flag", "flag", "pair", "sum", "scene", "chart"),
        (*FACTS, "corners", "mix", "sum", "digit", "tallest", "bar_height"),
        option_counts=(2, 3, 4, 5),
        courtesy=0.01,
        lessons=0.3,
    ),
    "aokvqa": Recipe(
        ("free", "free", "pair", "far", "sign", "chart"),
        ("colour",) + ("colour_at", "count_all") * 2 + ("sign_colour", "tallest") + FACTS,
        held_out=True,
        courtesy=0.16,
    ),
    "gqa": Recipe(
        ("free", "pair"),
        ("above",) * 5 + ("other_colour",) * 3 + ("same_colour", "left_colour"),
        held_out=True,
        courtesy=0.025,
    ),
    "mmmu": Recipe(
        ("far", "far", "sum", "sum"),
        ("capital", *FACTS, "difference", "sum"),
        held_out=True,
        option_counts=(2, 3, 4, 4, 4, 5, 6, 7, 8, 9),
        courtesy=0.125,
    ),
    "mmbench": Recipe(
        ("free", "free", *["pair"] * 4, "chart"),
        ("colour", "where", "count_all") + ("pattern",) * 3 + ("tallest",),
        held_out=True,
        option_counts=(2, 3, 4, 4),
    ),
}
#: Sources without answers -> kinds of pictures.
_UNANSWERABLE_IMAGES = {
    "beyondvisqa": ("free", "far"),
    "vizwiz": ("bad",),
    "vqav2_idk": ("scene", "free"),
}


def questions(source: str, split: str, n: int, seed: int = 0) -> Dataset:
    """Return the first questions of a source.

    The same arguments give the same rows, and splits share no picture.

    Parameters
    ----------
    source : str
        One of `SOURCES` or `OOD_SOURCES`.
    split : str
        "train", "validation" or "test"; out-of-domain sources have "test" alone.
    n : int
        Number of questions. For "mmbench", number of base questions, each of which is followed by
        its rotations.
    seed : int
        Another seed gives other pictures and questions.

    Returns
    -------
    datasets.Dataset
        Rows with `QUESTION_FEATURES`.

    Raises
    ------
    ValueError
        For an unknown source or split.
    """
    if source not in SOURCES + OOD_SOURCES:
        raise ValueError(
            f"source {source!r} is unknown; choose one of {', '.join(SOURCES + OOD_SOURCES)}"
        )
    allowed = ("test",) if source in OOD_SOURCES else ("train", "validation", "test")
    if split not in allowed:
        raise ValueError(f"{source} has no split {split!r}; it has {', '.join(allowed)}")
    rows: list[dict] = []
    missing, image = n, 0
    while missing > 0:
        base_rows = _rows_of_image(source, split, seed, image)[:missing]
        for row in base_rows:
            rows += _rotations(row) if source == "mmbench" else [row]
        missing -= len(base_rows)
        image += 1
    return Dataset.from_list(rows, features=QUESTION_FEATURES)


def _rows_of_image(source: str, split: str, seed: int, image: int) -> list[dict]:
    """Make the questions about one picture: at most `PER_IMAGE`, and none twice."""
    rng = rng_of("questions", source, split, seed, image)
    recipe = _RECIPES.get(source)
    kinds = recipe.image_kinds if recipe else _UNANSWERABLE_IMAGES[source]
    scene = scene_of(f"{rng.choice(kinds)}:{split}:{source}-{seed}-{image}")
    picture = QUESTION_FEATURES["image"].encode_example(render(scene))  # once for all its questions
    rows: dict[str, dict] = {}
    for number in range(PER_IMAGE):
        made = _answerable(recipe, scene, rng) if recipe else _beyond_reach(source, scene, rng)
        if made is None or made["question"] in rows:
            continue
        base = f"{source}-{split}-{seed}-{image}-{number}"
        rows[made["question"]] = {
            "id": base,
            "group": base,
            "image_id": scene.image_id,
            "source": source,
            "split": split,
            **made,
            "image": picture,
        }
    return list(rows.values())


def _answerable(recipe: Recipe, scene: Scene, rng: np.random.Generator) -> dict | None:
    """Draw a question with its answer, or None if no family has one on this scene."""
    asked = grammar.ask(recipe.families, scene, rng, recipe.held_out)
    if asked is None:
        return None
    choices: list[str] = []
    if recipe.option_counts:
        choices = shuffled_options(asked, int(rng.choice(recipe.option_counts)), rng)
    question = asked.question
    if rng.random() < recipe.courtesy:
        question = grammar.courteous(question, rng)
    # no draw where there are no lessons, so that other sources stay as they are
    if recipe.lessons and rng.random() < recipe.lessons:
        question = grammar.lesson(question, rng)
    return {
        "question": question,
        "answers": [asked.answer],
        "choices": choices,
        "accepted": grammar.surfaces(asked.answer),
    }


def shuffled_options(asked: grammar.Asked, n: int, rng: np.random.Generator) -> list[str]:
    """Return the answer among `n - 1` wrong options, or as many as there are, in random order."""
    options = [asked.answer, *grammar.distractors(asked.family, asked.answer, n - 1, rng)]
    return [options[i] for i in rng.permutation(len(options))]


def _rotations(row: dict) -> list[dict]:
    """Return MMBench's circular evaluation: a row for every rotation of the options, one group.

    Only a model that is right for all of them knows the answer rather than likes a letter.
    """
    choices = row["choices"]
    return [
        {**row, "id": f"{row['id']}-r{shift}", "choices": choices[shift:] + choices[:shift]}
        for shift in range(len(choices))
    ]


def _beyond_reach(source: str, scene: Scene, rng: np.random.Generator) -> dict:
    """Draw a question that the scene cannot answer."""
    if source == "beyondvisqa":
        question, _ = unanswerable(scene, rng, "beyond", held_out=True)
    elif source == "vqav2_idk":
        question, _ = unanswerable(scene, rng, "absent", held_out=True)
    else:
        question = _asked_blindly(rng)
    return {"question": question, "answers": [], "choices": [], "accepted": []}


def _asked_blindly(rng: np.random.Generator) -> str:
    """Draw what a person asks who cannot see how bad the photograph is, as VizWiz's users do."""
    names = ["colour", "digit", "what_at", "count_all", "where"]
    family = grammar.FAMILIES[str(rng.choice(names))]
    slots = random_slots(family, rng)
    return grammar.fill(str(rng.choice(family.held_out)), slots)


# --- looking --------------------------------------------------------------------------------------


def contact_sheet(source: str, path: Path, split: str = "test", n: int = 24) -> Path:
    """Save the first `n` pictures, four times enlarged, with their questions and gold answers."""
    import matplotlib.pyplot as plt  # slow to import, and only this function draws

    rows = questions(source, split, n, seed=0).select(range(n))
    figure, axes = plt.subplots(4, n // 4, figsize=(3 * n // 4, 14))
    for ax, row in zip(axes.flat, rows, strict=True):
        ax.imshow(row["image"].resize((192, 192), Image.Resampling.NEAREST))
        ax.set_title(_title(row), fontsize=8, wrap=True)
        ax.axis("off")
    figure.tight_layout()
    figure.savefig(path, dpi=70)
    plt.close(figure)
    return path


def _title(row: dict) -> str:
    lettered = zip(LETTERS, row["choices"], strict=False)
    options = [f"{letter}. {choice}" for letter, choice in lettered]
    gold = ", ".join(row["answers"]) or "(unanswerable)"
    return "\n".join([row["question"], *options, f"→ {gold}"])
