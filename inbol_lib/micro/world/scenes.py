"""What is in a picture: coloured shapes and handwritten digits on a grid of 3 x 3 cells, and flags.

A scene follows from the picture's id alone. The id names the split, and each split has its own
digits and flags, so what a model meets in training is never what it is tested on.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
from sklearn.datasets import load_digits
from sklearn.utils import Bunch

from inbol_lib.micro.world.entities import (
    COLOURS,
    NUM_COUNTRIES,
    NUM_IN_DOMAIN,
    Country,
    countries,
    exposure,
)
from inbol_lib.micro.world.randomness import rng_of

SHAPES = ("circle", "square", "triangle", "star", "cross", "diamond", "ring", "heart")
#: Names of the nine cells in reading order; a cell's number is its place here.
POSITIONS = (
    *("top left", "top center", "top right"),
    *("middle left", "center", "middle right"),
    *("bottom left", "bottom center", "bottom right"),
)
#: Disjoint shares of scikit-learn's 1,797 handwritten digits.
DIGIT_SHARES = {
    "pretrain": (0.0, 0.6),
    "train": (0.6, 0.75),
    "validation": (0.75, 0.85),
    "test": (0.85, 1.0),
}
#: The countries of each split, by their rank modulo 5. Training asks about half of the countries
#: that validation or test ask about, as in OVEN's validation split, whose entities are seen or
#: unseen. Validation and test share none, so what is chosen on one teaches nothing about the other.
RANKS_MODULO_5 = {"train": (2, 3, 4), "validation": (0, 2), "test": (1, 3)}


@dataclass(frozen=True)
class Thing:
    """One object: a coloured shape, or a handwritten digit.

    A digit has the shape "digit", its value in `digit` and the number of its scan in `sample`.
    """

    shape: str
    colour: str
    large: bool
    cell: int
    digit: int = -1
    sample: int = -1

    @property
    def column(self) -> int:
        """The column of its cell, 0 (left) to 2."""
        return self.cell % 3

    @property
    def row(self) -> int:
        """The row of its cell, 0 (top) to 2."""
        return self.cell // 3

    @property
    def position(self) -> str:
        """The name of its cell."""
        return POSITIONS[self.cell]

    @property
    def name(self) -> str:
        """What one would call it: "red circle" or "digit 4"."""
        return f"digit {self.digit}" if self.shape == "digit" else f"{self.colour} {self.shape}"


@dataclass(frozen=True)
class Scene:
    """What a picture shows, its layout (`kind`), and how badly it is photographed.

    `nuisance` runs from 0 (clean) to 1 (hopeless). Where `country` is given, the picture is its
    flag, and the only thing in it is the flag's emblem.
    """

    image_id: str
    kind: str
    things: tuple[Thing, ...]
    nuisance: float
    country: Country | None = None

    def find(self, shape: str | None = None, colour: str | None = None) -> list[Thing]:
        """Return all things of this shape and colour; None matches everything."""
        found = list(self.things)
        if shape is not None:
            found = [thing for thing in found if thing.shape == shape]
        if colour is not None:
            found = [thing for thing in found if thing.colour == colour]
        return found

    @property
    def shapes(self) -> list[Thing]:
        """All things that are not digits."""
        return [thing for thing in self.things if thing.shape != "digit"]

    @property
    def digits(self) -> list[Thing]:
        """All handwritten digits."""
        return [thing for thing in self.things if thing.shape == "digit"]

    @property
    def plain(self) -> bool:
        """Whether the picture is blank and of one colour (other blank pictures are noise)."""
        return self.kind == "blank" and self.nuisance < 0.67


def scene_of(image_id: str) -> Scene:
    """Rebuild the scene behind a picture from the picture's id.

    Parameters
    ----------
    image_id : str
        `<kind>:<split>:<number>`. Kinds: "scene" (things in their cells), "free" (off the grid),
        "pair" (two shapes), "sum" (two digits), "flag", "far" (a small, tilted flag), "bad" (a
        spoilt photograph) and "blank" (nothing).
    """
    kind, split, _ = image_id.split(":")
    rng = rng_of("scene", image_id)
    nuisance = float(rng.random())
    if kind == "flag":
        return _flag_scene(image_id, nuisance, rng)
    if kind == "far":
        return _flag_scene(image_id, 0.3 * nuisance, rng)
    if kind == "blank":
        return Scene(image_id, kind, (), nuisance)
    if kind in ("pair", "sum"):
        things = _things(rng, split, 2, digit_share=float(kind == "sum"))
    else:
        most = 3 if kind == "free" else 5
        things = _things(rng, split, int(rng.integers(1, most + 1)), digit_share=0.2)
    return Scene(image_id, kind, things, 0.35 * nuisance if kind == "free" else nuisance)


def _things(rng: np.random.Generator, split: str, n: int, digit_share: float) -> tuple[Thing, ...]:
    cells = rng.permutation(9)[:n]
    return tuple(_thing(rng, split, int(cell), digit_share) for cell in cells)


def _thing(rng: np.random.Generator, split: str, cell: int, digit_share: float) -> Thing:
    if rng.random() < digit_share:
        sample = int(rng.choice(_digit_indices(split)))
        return Thing("digit", "black", True, cell, int(digit_scans().target[sample]), sample)
    shape, colour = str(rng.choice(SHAPES)), str(rng.choice(list(COLOURS)))
    return Thing(shape, colour, bool(rng.random() < 0.6), cell)


def _flag_scene(image_id: str, nuisance: float, rng: np.random.Generator) -> Scene:
    kind, split, _ = image_id.split(":")
    if split == "pretrain":
        rank = rng.choice(NUM_COUNTRIES, p=exposure())
    else:
        rank = rng.choice(_ranks(kind, split))
    country = countries()[int(rank)]
    emblem = Thing(country.emblem, country.emblem_colour, True, POSITIONS.index("center"))
    things = () if country.emblem == "none" else (emblem,)
    return Scene(image_id, kind, things, nuisance, country)


def _ranks(kind: str, split: str) -> np.ndarray:
    """Ranks of the countries that a split asks about; only distant flags are out of domain."""
    ranks = np.arange(NUM_COUNTRIES)
    mine = np.isin(ranks % 5, RANKS_MODULO_5[split])
    return ranks[np.where(ranks < NUM_IN_DOMAIN, mine, kind == "far")]


def seen(image_id: str) -> bool | None:
    """Return whether training asks about a flag's country; None for a picture without a flag."""
    country = scene_of(image_id).country
    if country is None:
        return None
    return country.rank < NUM_IN_DOMAIN and country.rank % 5 in RANKS_MODULO_5["train"]


@cache
def digit_scans() -> Bunch:
    """Return scikit-learn's handwritten digits: `images` of 8 x 8 pixels (0 to 16), `target`."""
    return load_digits()


@cache
def _digit_indices(split: str) -> np.ndarray:
    """Numbers of the scans that belong to a split."""
    first, last = DIGIT_SHARES[split]
    order = rng_of("digits").permutation(len(digit_scans().target))
    return order[int(first * len(order)) : int(last * len(order))]


def caption(scene: Scene) -> str:
    """Describe everything in a picture, in reading order.

    Captions open pretraining: they name every object and its place, so the vision tower learns to
    see. Questions alone ask about one thing at a time and leave the tower at chance.
    """
    if scene.country:
        bands = " ".join(scene.country.colours)
        emblem = f" with {scene.things[0].name}" if scene.things else ""
        return f"flag {bands}{emblem}"
    if not scene.things:
        return "nothing"
    ordered = sorted(scene.things, key=lambda thing: thing.cell)
    return " ; ".join(map(_description, ordered))


def _description(thing: Thing) -> str:
    size = "large" if thing.large else "small"
    return f"{size} {thing.name} {thing.position}"
