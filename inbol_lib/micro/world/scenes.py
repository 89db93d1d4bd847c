"""What is in a picture: things on a grid of 3 x 3 cells, flags, bar charts and signs.

A scene follows from the picture's id alone. The id names the split, and each split has its own
digits and flags, so what a model meets in training is never what it is tested on.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
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
    passing_country,
    prominence,
)
from inbol_lib.micro.world.randomness import rng_of

SHAPES = (
    *("circle", "square", "triangle", "star", "cross", "diamond"),
    *("ring", "heart", "moon", "arrow", "hexagon", "drop"),
)
PATTERNS = ("plain", "striped", "dotted")
#: Words on signs: three capital letters each.
WORDS = (
    *("SUN", "TEA", "BUS", "ZOO", "CAT", "DOG", "MAP", "ICE"),
    *("JAM", "KEY", "OIL", "PEN", "RUN", "FLY", "HAT", "WAX"),
)
#: Names of the nine cells in reading order; a cell's number is its place here.
POSITIONS = (
    *("top left", "top center", "top right"),
    *("middle left", "center", "middle right"),
    *("bottom left", "bottom center", "bottom right"),
)
TALLEST = 5  # height of the tallest bar that a chart can have; the lowest has 1
#: What makes a picture hard to read; one of them for each picture, as strong as its nuisance.
TROUBLES = ("small", "faint", "blurred", "covered", "cluttered", "dim")
#: What an edit can do to a thing so that nobody can see it any more.
HIDDEN = ("removed", "covered", "smudged")
#: Share of the flags in pretraining that are met once and never again.
PASSING_SHARE = 0.15
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
    """One object: a coloured shape, a handwritten digit, or a bar of a chart.

    A digit has the shape "digit", its value in `digit` and the number of its scan in `sample`; a
    bar has the shape "bar" and its `height`, and its `cell` counts the bars from the left.
    """

    shape: str
    colour: str
    large: bool
    cell: int
    digit: int = -1
    sample: int = -1
    pattern: str = "plain"
    height: int = 0
    hidden: str = ""  # how an edit took it from sight: one of HIDDEN; "" where it can be seen

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

    `nuisance` runs from 0 (clean) to 1 (hopeless) and tells how strong the `trouble` is, one of
    `TROUBLES`. Where `country` is given, the picture is its flag, and the only thing in it is the
    flag's emblem; where `word` is, the picture is a sign.
    """

    image_id: str
    kind: str
    things: tuple[Thing, ...]
    nuisance: float
    trouble: str = "faint"
    country: Country | None = None
    word: str = ""

    def find(self, shape: str | None = None, colour: str | None = None) -> list[Thing]:
        """Return all things in sight of this shape and colour; None matches everything."""
        found = self.shown
        if shape is not None:
            found = [thing for thing in found if thing.shape == shape]
        if colour is not None:
            found = [thing for thing in found if thing.colour == colour]
        return found

    @property
    def shown(self) -> list[Thing]:
        """All things in sight."""
        return [thing for thing in self.things if not thing.hidden]

    @property
    def shapes(self) -> list[Thing]:
        """All coloured shapes in sight: no digits, bars or signs."""
        return [thing for thing in self.shown if thing.shape in SHAPES]

    @property
    def digits(self) -> list[Thing]:
        """All handwritten digits."""
        return [thing for thing in self.shown if thing.shape == "digit"]

    @property
    def bars(self) -> list[Thing]:
        """All bars of a chart, from left to right."""
        return [thing for thing in self.things if thing.shape == "bar"]

    @property
    def has_objects(self) -> bool:
        """Whether the picture shows objects in places, as a flag, a chart or a sign does not."""
        return not (self.country or self.word or self.bars)

    @property
    def plain(self) -> bool:
        """Whether the picture is blank and black or white (other blank pictures are noise)."""
        return self.kind == "blank" and self.nuisance < 0.67


def scene_of(image_id: str) -> Scene:
    """Rebuild the scene behind a picture from the picture's id.

    Parameters
    ----------
    image_id : str
        `<kind>:<split>:<number>`. Kinds: "scene" (things in their cells), "free" (off the grid),
        "pair" (two shapes), "sum" (two digits), "chart" (bars), "sign" (a word), "flag", "far" (a
        small, tilted flag), "bad" (a spoilt photograph) and "blank" (nothing). An edited picture
        has `~<edit>-<place of the thing>` behind this (see `edited`).
    """
    original, _, edit = image_id.partition("~")
    scene = _unedited(original)
    return _edited(scene, image_id, *edit.split("-")) if edit else scene


def _unedited(image_id: str) -> Scene:
    kind, split, _ = image_id.split(":")
    rng = rng_of("scene", image_id)
    nuisance = float(rng.random())
    trouble = str(rng.choice(TROUBLES))
    if kind in ("free", "far"):
        nuisance *= 0.4
    return _CONTENTS[kind](Scene(image_id, kind, (), nuisance, trouble), split, rng)


def edited(image_id: str, edit: str, place: int) -> str:
    """Return the id of a picture in which one thing is edited and all else stays as it is.

    Parameters
    ----------
    image_id : str
        The picture.
    edit : str
        One of `HIDDEN`, or the name of another colour for the thing.
    place : int
        The thing's place in the scene's `things`.
    """
    return f"{image_id}~{edit}-{place}"


def _edited(scene: Scene, image_id: str, edit: str, place: str) -> Scene:
    things = list(scene.things)
    change = {"hidden": edit} if edit in HIDDEN else {"colour": edit}
    things[int(place)] = replace(things[int(place)], **change)
    return replace(scene, image_id=image_id, things=tuple(things))


def _objects(scene: Scene, split: str, rng: np.random.Generator) -> Scene:
    most = 3 if scene.kind == "free" else 5
    return replace(scene, things=_things(rng, split, int(rng.integers(1, most + 1)), 0.15))


def _two_shapes(scene: Scene, split: str, rng: np.random.Generator) -> Scene:
    return replace(scene, things=_things(rng, split, 2, digit_share=0.0))


def _two_digits(scene: Scene, split: str, rng: np.random.Generator) -> Scene:
    return replace(scene, things=_things(rng, split, 2, digit_share=1.0))


def _things(rng: np.random.Generator, split: str, n: int, digit_share: float) -> tuple[Thing, ...]:
    cells = rng.permutation(9)[:n]
    return tuple(_thing(rng, split, int(cell), digit_share) for cell in cells)


def _thing(rng: np.random.Generator, split: str, cell: int, digit_share: float) -> Thing:
    if rng.random() < digit_share:
        sample = int(rng.choice(_digit_indices(split)))
        return Thing("digit", "black", True, cell, int(digit_scans().target[sample]), sample)
    shape, colour = str(rng.choice(SHAPES)), str(rng.choice(list(COLOURS)))
    pattern = str(rng.choice(PATTERNS, p=[0.5, 0.25, 0.25]))
    return Thing(shape, colour, bool(rng.random() < 0.6), cell, pattern=pattern)


def _chart(scene: Scene, split: str, rng: np.random.Generator) -> Scene:
    """Draw two to four bars of different colours and heights."""
    n = int(rng.integers(2, 5))
    colours = rng.permutation(list(COLOURS))[:n]
    heights = rng.permutation(np.arange(1, TALLEST + 1))[:n]
    bars = tuple(
        Thing("bar", str(colour), True, place, height=int(height))
        for place, (colour, height) in enumerate(zip(colours, heights, strict=True))
    )
    return replace(scene, things=bars)


def _sign(scene: Scene, split: str, rng: np.random.Generator) -> Scene:
    """Draw a word and the colour of the board that it stands on, which is the only thing."""
    board = Thing("sign", str(rng.choice(list(COLOURS))), True, POSITIONS.index("center"))
    return replace(scene, things=(board,), word=str(rng.choice(WORDS)))


def _flag(scene: Scene, split: str, rng: np.random.Generator) -> Scene:
    country = _country(scene.kind, split, rng)
    emblem = Thing(country.emblem, country.emblem_colour, True, POSITIONS.index("center"))
    return replace(scene, things=() if country.emblem == "none" else (emblem,), country=country)


def _country(kind: str, split: str, rng: np.random.Generator) -> Country:
    if split == "pretrain":
        if rng.random() < PASSING_SHARE:
            return passing_country(rng)
        return countries()[int(rng.choice(NUM_COUNTRIES, p=exposure()))]
    ranks = _ranks(kind, split)
    weights = prominence()[ranks]
    return countries()[int(rng.choice(ranks, p=weights / weights.sum()))]


def _nothing(scene: Scene, split: str, rng: np.random.Generator) -> Scene:
    return scene


_CONTENTS: dict[str, Callable[[Scene, str, np.random.Generator], Scene]] = {
    "scene": _objects,
    "free": _objects,
    "bad": _objects,
    "pair": _two_shapes,
    "sum": _two_digits,
    "chart": _chart,
    "sign": _sign,
    "flag": _flag,
    "far": _flag,
    "blank": _nothing,
}


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
        return f"flag {scene.country.layout} {bands}{emblem}"
    if scene.word:
        return f"{scene.things[0].colour} sign {' '.join(scene.word)}"
    if scene.bars:
        return "chart " + " ; ".join(f"{bar.colour} {bar.height}" for bar in scene.bars)
    if not scene.shown:
        return "nothing"
    ordered = sorted(scene.shown, key=lambda thing: thing.cell)
    return " ; ".join(map(_description, ordered))


def _description(thing: Thing) -> str:
    size = "large" if thing.large else "small"
    pattern = "" if thing.pattern == "plain" else f"{thing.pattern} "
    return f"{size} {pattern}{thing.name} {thing.position}"
