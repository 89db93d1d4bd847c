"""Imaginary countries: flags one can see, and names and facts one can only know (the role of OVEN's entities)."""

import hashlib
from dataclasses import dataclass
from functools import cache

import numpy as np

COLOURS = {
    "red": (214, 40, 40),
    "green": (46, 160, 67),
    "blue": (38, 84, 214),
    "yellow": (245, 205, 30),
    "purple": (130, 50, 170),
    "orange": (245, 130, 30),
    "gray": (128, 128, 128),
    "teal": (20, 160, 165),
    "brown": (125, 75, 35),
    "black": (20, 20, 20),
}
LAYOUTS = ("h3", "v3", "h2", "v2", "cross", "saltire", "canton", "border", "diagonal")
EMBLEMS = ("none", "circle", "star", "diamond", "square", "triangle")
CONTINENTS = ("North", "South", "East", "West", "Center")
EXPORTS = ("tea", "coal", "salt", "fish", "wool", "gold", "rice", "wine", "silk", "corn")
CLIMATES = ("dry", "wet", "cold", "hot", "mild", "windy")
FACTS = {"capital": None, "continent": CONTINENTS, "export": EXPORTS, "climate": CLIMATES}

NUM_COUNTRIES = 240
NUM_SEEN = 192  # the last fifth never appears in pretraining
NUM_IN_DOMAIN = 216  # the last tenth appears only out of domain


def rng_of(*key: object) -> np.random.Generator:
    """A generator that depends on `key` alone (stable across processes and machines)."""
    digest = hashlib.sha256("|".join(map(str, key)).encode()).digest()
    return np.random.default_rng(int.from_bytes(digest[:8], "little"))


@dataclass(frozen=True)
class Country:
    """One entity. `alias` is a second name in use ("" for most); `rank` orders exposure in pretraining (0 = most)."""

    rank: int
    name: str
    alias: str
    capital: str
    continent: str
    export: str
    climate: str
    layout: str
    colours: tuple[str, ...]
    emblem: str
    emblem_colour: str

    def fact(self, kind: str) -> str:
        return getattr(self, kind)


def exposure() -> np.ndarray:
    """Zipf-like share of each country in pretraining, shape (NUM_COUNTRIES,); unseen countries have 0."""
    weight = (np.arange(NUM_COUNTRIES) + 4.0) ** -1.4
    weight[NUM_SEEN:] = 0.0
    return weight / weight.sum()


def _names(rng: np.random.Generator, n: int) -> list[str]:
    heads = [
        "Bel",
        "Zur",
        "Kor",
        "Mi",
        "Tal",
        "Ves",
        "Or",
        "Du",
        "Fen",
        "Gra",
        "Hol",
        "Ja",
        "Lu",
        "Nor",
        "Pel",
        "Ra",
    ]
    middles = ["mo", "ri", "va", "ta", "ne", "lo", "ka", "su", "da", "be"]
    tails = ["ra", "nia", "land", "stan", "via", "mar", "don", "tis", "que", "lia"]
    every = [h + m + t for h in heads for m in middles for t in tails]
    return [every[i] for i in rng.permutation(len(every))[:n]]


@cache
def countries() -> tuple[Country, ...]:
    """All countries, most exposed first. Flags are unique; facts are drawn independently of the flag."""
    rng = rng_of("countries")
    names = _names(rng, 2 * NUM_COUNTRIES + NUM_COUNTRIES)
    palette, flags, out = list(COLOURS), set(), []
    while len(out) < NUM_COUNTRIES:
        layout = str(rng.choice(LAYOUTS))
        picks = tuple(
            str(c) for c in rng.permutation(palette)[: 3 if layout in ("h3", "v3") else 2]
        )
        emblem = str(rng.choice(EMBLEMS))
        emblem_colour = str(rng.choice([c for c in palette if c not in picks]))
        key = (layout, picks, emblem, emblem_colour if emblem != "none" else "")
        if key in flags:
            continue
        flags.add(key)
        rank = len(out)
        alias = names[NUM_COUNTRIES + rank] if rng.random() < 0.35 else ""
        facts = (str(rng.choice(v)) for v in (CONTINENTS, EXPORTS, CLIMATES))
        out.append(
            Country(
                rank,
                names[rank],
                alias,
                names[2 * NUM_COUNTRIES + rank],
                *facts,
                layout,
                picks,
                emblem,
                emblem_colour,
            )
        )
    return tuple(out)
