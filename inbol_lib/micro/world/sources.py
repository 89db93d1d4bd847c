"""The data sets of the micro world: one counterpart, with the same role, for each data set of the paper."""

from pathlib import Path

import numpy as np
from datasets import Dataset
from PIL import Image

from inbol_lib.data.records import LETTERS, QUESTION_FEATURES
from inbol_lib.micro.world import grammar
from inbol_lib.micro.world.drawing import render
from inbol_lib.micro.world.entities import rng_of
from inbol_lib.micro.world.scenes import Scene, scene_of
from inbol_lib.micro.world.unanswerable_questions import unanswerable

SOURCES = ("vqav2", "oven", "scienceqa")
OOD_SOURCES = ("aokvqa", "gqa", "mmmu", "mmbench", "beyondvisqa", "vizwiz", "vqav2_idk")
PER_IMAGE = 2  # questions that share a picture

PERCEPTION = (
    "colour",
    "shape",
    "count",
    "count_all",
    "exists",
    "where",
    "size",
    "what_at",
    "digit",
    "left",
)
FACTS = ("continent", "export", "climate")
#: source -> (image kinds, question families, held-out wordings, option counts)
_RECIPES = {
    "vqav2": (("scene",), PERCEPTION, False, ()),
    "oven": (("flag",), ("country", "country", "capital"), False, ()),
    "scienceqa": (("flag", "flag", "pair", "sum", "scene"), (*FACTS, "corners", "mix", "sum", "digit"), False, (2, 3, 4, 5)),
    "aokvqa": (("free", "free", "pair", "far"), ("corners", "corners", "mix", "colour", "shape", *FACTS), True, ()),
    "gqa": (("free", "pair"), ("left_colour", "left_colour", "same_colour", "above", "other_colour", "colour_at"), True, ()),
    "mmmu": (("far", "far", "sum"), ("capital", *FACTS, "difference", "sum"), True, (2, 3, 4, 4, 4, 5, 6, 7, 8, 9)),
    "mmbench": (("free", "far", "pair"), ("colour", "where", "country", "mix", "count_all", "above"), True, (2, 3, 4, 4)),
}  # fmt: skip


def questions(source: str, split: str, n: int, seed: int = 0) -> Dataset:
    """The first `n` questions of a source (for "mmbench": of its base questions, each followed by its rotations).

    Same arguments, same rows; splits share no picture; out-of-domain sources exist for "test" alone.
    Raises ValueError for an unknown source or split.
    """
    allowed = ("test",) if source in OOD_SOURCES else ("train", "validation", "test")
    if source not in SOURCES + OOD_SOURCES:
        raise ValueError(
            f"source {source!r} is unknown; choose one of {', '.join(SOURCES + OOD_SOURCES)}"
        )
    if split not in allowed:
        raise ValueError(f"{source} has no split {split!r}; it has {', '.join(allowed)}")
    rows, image = [], 0
    while len({r["group"] for r in rows}) < n if source == "mmbench" else len(rows) < n:
        rows += _rows_of_image(
            source, split, seed, image, min(PER_IMAGE, n - len({r["group"] for r in rows}))
        )
        image += 1
    return Dataset.from_list(rows, features=QUESTION_FEATURES)


def _rows_of_image(source: str, split: str, seed: int, image: int, most: int) -> list[dict]:
    rng = rng_of("questions", source, split, seed, image)
    kinds = _RECIPES[source][0] if source in _RECIPES else _UNANSWERABLE_IMAGES[source]
    scene = scene_of(f"{rng.choice(kinds)}:{split}:{source}-{seed}-{image}")
    rows, seen = [], set()
    for k in range(PER_IMAGE):
        made = (
            _answerable(source, scene, rng)
            if source in _RECIPES
            else _beyond_reach(source, scene, rng)
        )
        if made is None or made["question"] in seen:
            continue
        seen.add(made["question"])
        base = f"{source}-{split}-{seed}-{image}-{k}"
        rows.append(
            {
                "id": base,
                "group": base,
                "image_id": scene.image_id,
                "source": source,
                "split": split,
                **made,
            }
        )
    rows = rows[:most]
    picture = render(scene)
    rotated = [r for row in rows for r in (_rotations(row) if source == "mmbench" else [row])]
    return [{**row, "image": picture} for row in rotated]


def _answerable(source: str, scene: Scene, rng: np.random.Generator) -> dict | None:
    _, families, held_out, counts = _RECIPES[source]
    asked = grammar.ask(families, scene, rng, held_out)
    if asked is None:
        return None
    text, answer, family = asked
    choices = _choices(family, answer, int(rng.choice(counts)), rng) if counts else []
    return {
        "question": text,
        "answers": [answer],
        "choices": choices,
        "accepted": grammar.surfaces(answer),
    }


def _choices(family: str, answer: str, n: int, rng: np.random.Generator) -> list[str]:
    options = [answer, *grammar.distractors(family, answer, n - 1, rng)]
    return [options[i] for i in rng.permutation(len(options))]


def _rotations(row: dict) -> list[dict]:
    """MMBench's circular evaluation: every rotation of the options is a row of its own in the same group."""
    n = len(row["choices"])
    return [
        {**row, "id": f"{row['id']}-r{k}", "choices": row["choices"][k:] + row["choices"][:k]}
        for k in range(n)
    ]


_UNANSWERABLE_IMAGES = {
    "beyondvisqa": ("free", "far"),
    "vizwiz": ("bad", "bad", "bad", "blank"),
    "vqav2_idk": ("scene", "free"),
}


def _beyond_reach(source: str, scene: Scene, rng: np.random.Generator) -> dict:
    if source == "beyondvisqa":
        text, _ = unanswerable(scene, rng, "beyond", held_out=True)
    elif source == "vqav2_idk":
        text, _ = unanswerable(scene, rng, "absent", held_out=True)
    else:  # what a person asks who can not see how bad the photograph is
        family = grammar.FAMILIES[
            str(rng.choice(["colour", "digit", "what_at", "count_all", "where"]))
        ]
        slots = {s: str(rng.choice(grammar.VALUES[s])) for s in family.slots}
        text = grammar.fill(str(rng.choice(family.held_out)), slots)
    return {"question": text, "answers": [], "choices": [], "accepted": []}


# --- looking ----------------------------------------------------------------------------------------------------------


def contact_sheet(source: str, path: Path, split: str = "test", n: int = 24) -> Path:
    """A PNG with `n` pictures four times enlarged, each with its question and gold answer."""
    import matplotlib.pyplot as plt

    rows = questions(source, split, n, seed=0).select(range(n))
    figure, axes = plt.subplots(4, n // 4, figsize=(3 * n // 4, 14))
    for ax, row in zip(axes.flat, rows, strict=True):
        ax.imshow(row["image"].resize((192, 192), Image.Resampling.NEAREST))
        options = "".join(
            f"\n{letter}. {c}" for letter, c in zip(LETTERS, row["choices"], strict=False)
        )
        ax.set_title(
            f"{row['question']}{options}\n→ {', '.join(row['answers']) or '(unanswerable)'}",
            fontsize=8,
            wrap=True,
        )
        ax.axis("off")
    figure.tight_layout()
    figure.savefig(path, dpi=70)
    plt.close(figure)
    return path
