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

NUM_COUNTRIES = 240
NUM_SEEN = 192  # the last fifth never appears in pretraining
NUM_IN_DOMAIN = 216  # the last tenth appears only in out-of-domain questions

#: Syllables of the names of countries and cities.
_HEADS = (
    *("Bel", "Zur", "Kor", "Mi", "Tal", "Ves", "Or", "Du"),
    *("Fen", "Gra", "Hol", "Ja", "Lu", "Nor", "Pel", "Ra"),
)
_MIDDLES = ("mo", "ri", "va", "ta", "ne", "lo", "ka", "su", "da", "be")
_TAILS = ("ra", "nia", "land", "stan", "via", "mar", "don", "tis", "que", "lia")


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

    `rank` orders the countries by their exposure in pretraining (0 is shown most often), and
    `alias` is a second name in use ("" for most).
    """

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
        """Return one fact: "capital", "continent", "export" or "climate"."""
        return getattr(self, kind)


def exposure() -> np.ndarray:
    """Return the share of pretraining's flags that each country has.

    The shares follow a shifted Zipf law, as the mentions of real entities do: a few countries are
    met all the time, most are rare. So a model's knowledge fades from certain to none instead of
    being all or nothing, and there are countries that it half knows.

    Returns
    -------
    numpy.ndarray
        Shape `(NUM_COUNTRIES,)`, sums to 1; countries that pretraining never shows have 0.
    """
    weight = (np.arange(NUM_COUNTRIES) + 4.0) ** -1.4
    weight[NUM_SEEN:] = 0.0
    return weight / weight.sum()


@cache
def countries() -> tuple[Country, ...]:
    """Return all countries, the most exposed first.

    Flags are unique, and facts are drawn independently of the flag, so that nothing about a country
    can be guessed from its picture.
    """
    rng = rng_of("countries")
    names = _names(rng, 3 * NUM_COUNTRIES)
    aliases, capitals = names[NUM_COUNTRIES : 2 * NUM_COUNTRIES], names[2 * NUM_COUNTRIES :]
    taken: set[Flag] = set()
    made: list[Country] = []
    while len(made) < NUM_COUNTRIES:
        flag = _random_flag(rng)
        if flag.visible in taken:
            continue
        taken.add(flag.visible)
        rank = len(made)
        country = Country(
            rank=rank,
            name=names[rank],
            alias=aliases[rank] if rng.random() < 0.35 else "",
            capital=capitals[rank],
            continent=str(rng.choice(CONTINENTS)),
            export=str(rng.choice(EXPORTS)),
            climate=str(rng.choice(CLIMATES)),
            **flag._asdict(),
        )
        made.append(country)
    return tuple(made)


def _names(rng: np.random.Generator, n: int) -> list[str]:
    every = ["".join(syllables) for syllables in product(_HEADS, _MIDDLES, _TAILS)]
    return [every[i] for i in rng.permutation(len(every))[:n]]


def _random_flag(rng: np.random.Generator) -> Flag:
    palette = list(COLOURS)
    layout = str(rng.choice(LAYOUTS))
    num_colours = 3 if layout in ("h3", "v3") else 2
    colours = tuple(str(colour) for colour in rng.permutation(palette)[:num_colours])
    emblem = str(rng.choice(EMBLEMS))
    unused = [colour for colour in palette if colour not in colours]
    return Flag(layout, colours, emblem, emblem_colour=str(rng.choice(unused)))
