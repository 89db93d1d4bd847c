"""Pictures of 48 x 48 pixels: coloured shapes and handwritten digits on a 3 x 3 grid, and flags."""

from dataclasses import dataclass
from functools import cache

import numpy as np
from sklearn.datasets import load_digits

from inbol_lib.micro.world.entities import (
    COLOURS,
    NUM_COUNTRIES,
    NUM_IN_DOMAIN,
    Country,
    countries,
    exposure,
    rng_of,
)

SHAPES = ("circle", "square", "triangle", "star", "cross", "diamond", "ring", "heart")
POSITIONS = (
    *("top left", "top center", "top right"),
    *("middle left", "center", "middle right"),
    *("bottom left", "bottom center", "bottom right"),
)
EDGE, CELL, ZOOM = 48, 16, 4
#: Disjoint shares of scikit-learn's 1,797 handwritten digits.
DIGIT_SHARES = {
    "pretrain": (0.0, 0.6),
    "train": (0.6, 0.75),
    "validation": (0.75, 0.85),
    "test": (0.85, 1.0),
}


@dataclass(frozen=True)
class Thing:
    """One object: a coloured shape, or a digit (`shape` = "digit", `digit` its value, `sample` its scan)."""

    shape: str
    colour: str
    large: bool
    cell: int
    digit: int = -1
    sample: int = -1

    @property
    def position(self) -> str:
        return POSITIONS[self.cell]

    @property
    def name(self) -> str:
        return f"digit {self.digit}" if self.shape == "digit" else f"{self.colour} {self.shape}"


@dataclass(frozen=True)
class Scene:
    """What is in a picture and how badly it is photographed (`nuisance` in [0, 1]); `kind` is its layout."""

    image_id: str
    kind: str
    things: tuple[Thing, ...]
    nuisance: float
    country: Country | None = None

    def find(self, shape: str | None = None, colour: str | None = None) -> list[Thing]:
        return [
            t
            for t in self.things
            if (shape is None or t.shape == shape) and (colour is None or t.colour == colour)
        ]

    @property
    def shapes(self) -> list[Thing]:
        return [t for t in self.things if t.shape != "digit"]

    @property
    def plain(self) -> bool:
        """A blank picture of one colour, not of noise."""
        return self.kind == "blank" and self.nuisance < 0.67

    @property
    def digits(self) -> list[Thing]:
        return [t for t in self.things if t.shape == "digit"]


def scene_of(image_id: str) -> Scene:
    """The scene behind an image id `<kind>:<split>:<number>`, rebuilt from the id alone, so that truth can be asked.

    Kinds: scene, free (off the grid), pair (two shapes), sum (two digits), flag, far (a small flag), bad, blank.
    """
    kind, split, number = image_id.split(":")
    rng = rng_of("scene", image_id)
    nuisance = float(rng.random())
    if kind in ("flag", "far"):
        return _flag_scene(
            image_id, kind, split, nuisance if kind == "flag" else 0.3 * nuisance, rng
        )
    if kind == "blank":
        return Scene(image_id, kind, (), nuisance)
    if kind in ("pair", "sum"):
        things = _things(rng, split, 2, digit_share=float(kind == "sum"))
    else:
        most = 4 if kind == "free" else 6
        things = _things(rng, split, int(rng.integers(1, most)), digit_share=0.2)
    scale = {"free": 0.35, "bad": 1.0}.get(kind, 1.0)
    return Scene(image_id, kind, things, nuisance * scale)


def _things(rng: np.random.Generator, split: str, n: int, digit_share: float) -> tuple[Thing, ...]:
    cells = rng.permutation(9)[:n]
    return tuple(_thing(rng, split, int(cell), digit_share) for cell in cells)


def _thing(rng: np.random.Generator, split: str, cell: int, digit_share: float) -> Thing:
    if rng.random() < digit_share:
        sample = int(rng.choice(_digit_indices(split)))
        return Thing("digit", "black", True, cell, int(_digits().target[sample]), sample)
    return Thing(
        str(rng.choice(SHAPES)), str(rng.choice(list(COLOURS))), bool(rng.random() < 0.6), cell
    )


TRAINED = (2, 3, 4)  # countries that training asks about: their rank modulo 5


def seen(image_id: str) -> bool | None:
    """Whether training asks about the country of a flag; None for a picture without one."""
    country = scene_of(image_id).country
    return country and country.rank < NUM_IN_DOMAIN and country.rank % 5 in TRAINED


def _ranks(kind: str, split: str) -> np.ndarray:
    """The countries of a split. Training asks about half of those that validation or test ask about, as in OVEN's validation split, whose
    entities are seen or unseen (`seen`); validation and test share none, so that what is chosen on one teaches nothing about the other."""
    ranks = np.arange(NUM_COUNTRIES)
    mine = np.isin(ranks % 5, {"validation": (0, 2), "test": (1, 3), "train": TRAINED}[split])
    return ranks[np.where(ranks < NUM_IN_DOMAIN, mine, kind == "far")]


def _flag_scene(
    image_id: str, kind: str, split: str, nuisance: float, rng: np.random.Generator
) -> Scene:
    rank = (
        rng.choice(NUM_COUNTRIES, p=exposure())
        if split == "pretrain"
        else rng.choice(_ranks(kind, split))
    )
    country = countries()[int(rank)]
    emblem = (
        (Thing(country.emblem, country.emblem_colour, True, 4),) if country.emblem != "none" else ()
    )
    return Scene(image_id, kind, emblem, nuisance, country)


@cache
def _digits():
    return load_digits()


@cache
def _digit_indices(split: str) -> np.ndarray:
    lo, hi = DIGIT_SHARES[split]
    order = rng_of("digits").permutation(len(_digits().target))
    return order[int(lo * len(order)) : int(hi * len(order))]


def caption(scene: Scene) -> str:
    """A full description in reading order, as used in the first stage of pretraining."""
    if scene.country:
        bands = " ".join(scene.country.colours)
        emblem = (
            f" with {scene.country.emblem_colour} {scene.country.emblem}" if scene.things else ""
        )
        return f"flag {bands}{emblem}"
    if not scene.things:
        return "nothing"
    ordered = sorted(scene.things, key=lambda t: t.cell)
    size = {True: "large", False: "small"}
    return " ; ".join(f"{size[t.large]} {t.name} {t.position}" for t in ordered)
