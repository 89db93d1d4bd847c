"""Other words for an answer.

People say "grey" or "silver" where the gold answer is "gray". Comparing strings then misses right
answers, which is why the study needs a judge. The world knows all forms, so it can tell how often
the judge errs.
"""

from itertools import product

import numpy as np

from inbol_lib.micro.world.entities import countries
from inbol_lib.micro.world.scenes import SHAPES

NUMBERS = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"),
    *("ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen"),
    *("seventeen", "eighteen"),
)
#: Gold answer -> its other forms.
SYNONYMS: dict[str, tuple[str, ...]] = {
    "gray": ("grey", "silver"),
    "purple": ("violet",),
    "teal": ("turquoise",),
    "orange": ("amber",),
    "brown": ("tan",),
    "circle": ("disc", "dot"),
    "square": ("box",),
    "cross": ("plus",),
    "ring": ("hoop",),
    "moon": ("crescent",),
    "drop": ("droplet",),
    "striped": ("stripes",),
    "dotted": ("dots",),
    "diamond": ("rhombus",),
    "yes": ("yeah",),
    "no": ("nope",),
    "large": ("big",),
    "small": ("little",),
    "center": ("middle",),
    "top center": ("upper middle",),
    "bottom center": ("lower middle",),
    "top left": ("upper left",),
    "top right": ("upper right",),
    "bottom left": ("lower left",),
    "bottom right": ("lower right",),
    "North": ("northern",),
    "South": ("southern",),
    "East": ("eastern",),
    "West": ("western",),
    "Center": ("central",),
    **{str(number): (word,) for number, word in enumerate(NUMBERS)},
    **{country.name: (country.alias,) for country in countries() if country.alias},
}


def surfaces(answer: str) -> list[str]:
    """Return every form of a gold answer, the gold form first.

    The forms of two words combine: "gray circle" is a "silver dot" as well.
    """
    if answer in SYNONYMS:
        return [answer, *SYNONYMS[answer]]
    words = answer.split()
    if len(words) == 2 and words[1] in SHAPES:
        return [" ".join(pair) for pair in product(*map(surfaces, words))]
    return [answer]


def speak(answer: str, rng: np.random.Generator, share: float = 0.3) -> str:
    """Return the answer as somebody might say it.

    Parameters
    ----------
    answer : str
        A gold answer.
    rng : numpy.random.Generator
        Used only where the answer has more than one form.
    share : float
        Probability in [0, 1] of a form other than the gold one.
    """
    gold, *others = surfaces(answer)
    if others and rng.random() < share:
        return others[int(rng.integers(len(others)))]
    return gold
