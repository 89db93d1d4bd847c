"""Imaginary countries: flags that can be seen, and names and facts that must be known.

They play the role of OVEN's entities. A model cannot read a capital off a flag; it knows it from
pretraining or not at all. How often pretraining shows a country (`exposure`) therefore decides
what a model knows, and the study has questions on both sides of that boundary.
"""

from dataclasses import dataclass
from functools import cache
from itertools import product
from typing import NamedTuple

import numpy as np

from inbol_lib.micro.world.randomness import rng_of

#: Red, green and blue of each colour, 0 to 255.
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
ANIMALS = ("lion", "eagle", "bear", "horse", "wolf", "owl", "bull", "deer", "swan", "fox")

NUM_COUNTRIES = 1200
NUM_SEEN = 1000  # the others never appear in pretraining
NUM_IN_DOMAIN = 1100  # the last hundred appear only in out-of-domain questions
TWIN_SHARE = 0.3  # of the flags: they differ from another country's in their emblem alone
ALIAS_SHARE = 0.3  # of the countries: they have a second name in use

#: Syllables of the names of countries and cities.
_HEADS = (
    *("Bel", "Zur", "Kor", "Mi", "Tal", "Ves", "Or", "Du", "Fen", "Gra", "Hol", "Ja"),
    *("Lu", "Nor", "Pel", "Ra", "Sim", "Tor", "Ul", "Wen", "Yar", "Cas", "Eb", "Is"),
)
_MIDDLES = ("mo", "ri", "va", "ta", "ne", "lo", "ka", "su", "da", "be", "gi", "pu")
_TAILS = (
    *("ra", "nia", "land", "stan", "via", "mar", "don", "tis", "que", "lia", "burg", "zen"),
    *("ford", "los"),
)


class Flag(NamedTuple):
    """A flag's bands and the emblem in its middle ("none" for a flag without one)."""

    layout: str
    colours: tuple[str, ...]
    emblem: str
    emblem_colour: str

    @property
    def visible(self) -> "Flag":
        """The flag without what nobody can see: the colour of an emblem that is not there."""
        return self._replace(emblem_colour="") if self.emblem == "none" else self


@dataclass(frozen=True)
class Country:
    """One entity.

    `rank` orders the countries by their exposure in pretraining (0 is shown most often; -1 is a
    country that is met once and never again), and `alias` is a second name in use ("" for most).
    """

    rank: int
    name: str
    alias: str
    capital: str
    continent: str
    export: str
    climate: str
    animal: str
    layout: str
    colours: tuple[str, ...]
    emblem: str
    emblem_colour: str

    def fact(self, kind: str) -> str:
        """Return one fact: "capital", "continent", "export", "climate" or "animal"."""
        return getattr(self, kind)


def exposure() -> np.ndarray:
    """Return the share of pretraining's known flags that each country has.

    The shares follow a shifted Zipf law, as the mentions of real entities do: a few countries are
    met all the time, most are rare. So a model's knowledge fades from certain to none instead of
    being all or nothing, and there are countries that it half knows.

    Returns
    -------
    numpy.ndarray
        Shape `(NUM_COUNTRIES,)`, sums to 1; countries that pretraining never shows have 0.
    """
    weight = (np.arange(NUM_COUNTRIES) + 10.0) ** -1.2
    weight[NUM_SEEN:] = 0.0
    return weight / weight.sum()


def prominence() -> np.ndarray:
    """Return how often the study asks about each country, relative to the others.

    People ask more about what is well known, though less than the world speaks of it.

    Returns
    -------
    numpy.ndarray
        Shape `(NUM_COUNTRIES,)`, positive.
    """
    return (np.arange(NUM_COUNTRIES) + 30.0) ** -0.6


@cache
def countries() -> tuple[Country, ...]:
    """Return all countries, the most exposed first.

    Flags are unique, though some differ in their emblem alone, and facts are drawn independently
    of the flag, so that nothing about a country can be guessed from its picture.
    """
    rng = rng_of("countries")
    names = _names(rng, 3 * NUM_COUNTRIES)
    taken: set[Flag] = set()
    made: list[Country] = []
    while len(made) < NUM_COUNTRIES:
        twin = made[int(rng.integers(len(made)))] if made and rng.random() < TWIN_SHARE else None
        flag = _random_flag(rng, twin)
        if flag.visible not in taken:
            taken.add(flag.visible)
            rank = len(made)
            made.append(_country(rank, names[rank::NUM_COUNTRIES], flag, rng))
    return tuple(made)


def passing_country(rng: np.random.Generator) -> Country:
    """Return a country that is met once: a model learns from these what not to know feels like.

    Its flag is drawn like all others, and its names from those that no unseen country has.
    """
    free = _names_for_passing()
    names = [free[int(rng.integers(len(free)))] for _ in range(3)]
    while True:
        flag = _random_flag(rng)
        if flag.visible not in _flags():
            return _country(-1, names, flag, rng)


@cache
def _names_for_passing() -> list[str]:
    unseen = {
        name for each in countries()[NUM_SEEN:] for name in (each.name, each.alias, each.capital)
    }
    return [name for name in _every_name() if name not in unseen]


@cache
def _flags() -> frozenset[Flag]:
    return frozenset(
        Flag(each.layout, each.colours, each.emblem, each.emblem_colour).visible
        for each in countries()
    )


def _country(rank: int, names: list[str], flag: Flag, rng: np.random.Generator) -> Country:
    """Give a flag its names (country, alias, capital) and facts."""
    name, alias, capital = names
    return Country(
        rank=rank,
        name=name,
        alias=alias if rng.random() < ALIAS_SHARE else "",
        capital=capital,
        continent=str(rng.choice(CONTINENTS)),
        export=str(rng.choice(EXPORTS)),
        climate=str(rng.choice(CLIMATES)),
        animal=str(rng.choice(ANIMALS)),
        **flag._asdict(),
    )


@cache
def _every_name() -> list[str]:
    return ["".join(syllables) for syllables in product(_HEADS, _MIDDLES, _TAILS)]


def _names(rng: np.random.Generator, n: int) -> list[str]:
    every = _every_name()
    return [every[i] for i in rng.permutation(len(every))[:n]]


def _random_flag(rng: np.random.Generator, twin: Country | None = None) -> Flag:
    """Draw a flag; that of a twin has the other country's bands."""
    palette = list(COLOURS)
    if twin:
        layout, colours = twin.layout, twin.colours
    else:
        layout = str(rng.choice(LAYOUTS))
        num_colours = 3 if layout in ("h3", "v3") else 2
        colours = tuple(str(colour) for colour in rng.permutation(palette)[:num_colours])
    emblem = str(rng.choice(EMBLEMS))
    unused = [colour for colour in palette if colour not in colours]
    return Flag(layout, colours, emblem, emblem_colour=str(rng.choice(unused)))
