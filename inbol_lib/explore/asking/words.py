"""A picture from a few words: "a red circle left of a blue square", "small dotted red star on top".

The words for colours, patterns, shapes and places are the micro world's own.
"""

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import permutations

from inbol_lib.errors import ParameterError
from inbol_lib.micro.world.entities import COLOURS
from inbol_lib.micro.world.scenes import PATTERNS, POSITIONS, SHAPES

MOST = 4  # things in a picture
SIDE = math.isqrt(len(POSITIONS))  # cells on an edge of the picture; POSITIONS reads row by row
SIZES = {"large": True, "big": True, "small": False, "little": False}
#: relation -> (rows, columns) from the second thing to the first, as signs; 0 is preferred
RELATIONS = {
    "left of": (0, -1),
    "right of": (0, 1),
    "above": (-1, 0),
    "over": (-1, 0),
    "below": (1, 0),
    "under": (1, 0),
    "beneath": (1, 0),
}
FILLING = frozenset("a an the and with is are in at of on to there it one some picture".split())


@dataclass
class Thing:
    """A shape with its colour, size and pattern, and the names of the cells in which it may lie."""

    shape: str
    colour: str
    large: bool
    cells: tuple[str, ...] = POSITIONS
    pattern: str = "plain"


#: (place of the first thing, relation, place of the second)
Relation = tuple[int, str, int]


def places() -> dict[str, tuple[str, ...]]:
    """Return words for a place -> the cells that they may mean: "top left", or "left" alone."""
    words = {word for name in POSITIONS for word in name.split()}
    partly = {word: tuple(n for n in POSITIONS if word in n.split()) for word in sorted(words)}
    return partly | {name: (name,) for name in POSITIONS}


def read(text: str) -> tuple[list[Thing], list[Relation]]:
    """Return the things that a text names, and how they lie to each other.

    Raises
    ------
    ParameterError
        For words that mean nothing here, a shape without a colour, nothing at all, or too much;
        the message says what is allowed.
    """
    reader = _Reader()
    for phrase in _phrases(text):
        reader.take(phrase)
    return reader.done(text)


def _phrases(text: str) -> Iterator[str]:
    """Yield the known phrases of a text, the longest first where several begin alike."""
    tokens = re.findall(r"[^\W\d_]+", text.lower())
    longest = max(len(phrase.split()) for phrase in (*RELATIONS, *POSITIONS))
    at = 0
    while at < len(tokens):
        candidates = (" ".join(tokens[at : at + size]) for size in range(longest, 1, -1))
        known = next((text for text in candidates if text in RELATIONS or text in POSITIONS), "")
        if known or tokens[at] not in FILLING:
            yield known or tokens[at]
        at += len(known.split()) or 1


class _Reader:
    """Takes phrases one after the other and remembers what belongs to the next shape."""

    def __init__(self) -> None:
        self.things: list[Thing] = []
        self.relations: list[Relation] = []
        self.colour, self.pattern, self.large, self.cells = "", "plain", True, ()
        self.between = ""  # the relation that waits for its second thing

    def take(self, phrase: str) -> None:
        """Take the next phrase."""
        if phrase in COLOURS:
            self.colour = phrase
        elif phrase in SIZES:
            self.large = SIZES[phrase]
        elif phrase in PATTERNS:
            self.pattern = phrase
        elif phrase in SHAPES:
            self._add(phrase)
        elif phrase in RELATIONS:
            if not self.things:
                raise ParameterError(f"{phrase!r} needs a shape before it")
            self.between = phrase
        elif phrase in places():
            self._place(places()[phrase])
        else:
            raise ParameterError(_unknown(phrase))

    def _add(self, shape: str) -> None:
        if not self.colour:
            raise ParameterError(f"{shape}: no colour is named; allowed are {', '.join(COLOURS)}")
        cells = self.cells or POSITIONS
        self.things.append(Thing(shape, self.colour, self.large, cells, self.pattern))
        if self.between:
            self.relations.append((len(self.things) - 2, self.between, len(self.things) - 1))
        self.colour, self.pattern, self.large, self.cells = "", "plain", True, ()
        self.between = ""

    def _place(self, cells: tuple[str, ...]) -> None:
        """Put the next shape there if it has begun already, else the last one."""
        if self.colour or self.between or not self.things:
            self.cells = cells
        else:
            self.things[-1].cells = cells

    def done(self, text: str) -> tuple[list[Thing], list[Relation]]:
        """Return what was read, if it is whole."""
        if self.between or self.colour:
            raise ParameterError(f"{text!r} ends before its last shape is named")
        if not 1 <= len(self.things) <= MOST:
            (one, two, *_), (circle, square, *_) = COLOURS, SHAPES
            raise ParameterError(
                f"{text!r} names {len(self.things)} shapes; 1 to {MOST} are allowed, such as "
                f"'a {one} {circle} left of a {two} {square}'"
            )
        return self.things, self.relations


def _unknown(word: str) -> str:
    """Return the message for a word that means nothing here."""
    every = [*COLOURS, *PATTERNS, *SHAPES, *SIZES, *RELATIONS, *places()]
    near = get_close_matches(word, every, 1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    return (
        f"{word!r} is not understood{hint} Colours: {', '.join(COLOURS)}. Shapes: "
        f"{', '.join(SHAPES)}. Patterns: {', '.join(PATTERNS)}. "
        f"Sizes: {', '.join(SIZES)}. Relations: {', '.join(RELATIONS)}. "
        f"Places: {', '.join(POSITIONS)}."
    )


def laid_out(things: Sequence[Thing], relations: Sequence[Relation]) -> list[int]:
    """Return a cell for every thing, as its place in `POSITIONS`, no two alike.

    Of all layouts that fit, the one in which related things lie in line is taken, and among these
    the one that is nearest to the middle.

    Raises
    ------
    ParameterError
        When none fits.
    """
    best, least = None, math.inf
    for cells in permutations(range(len(POSITIONS)), len(things)):
        inside = all(POSITIONS[cell] in one.cells for cell, one in zip(cells, things, strict=True))
        effort = _effort(cells, relations) if inside else math.inf
        if effort < least:
            best, least = cells, effort
    if best is None:
        raise ParameterError("no picture is like that: the places contradict each other")
    return list(best)


def _effort(cells: Sequence[int], relations: Sequence[Relation]) -> float:
    """Return how far from tidy a layout is; infinite where it breaks a relation."""
    middle = (SIDE - 1) / 2
    spots = [divmod(cell, SIDE) for cell in cells]
    effort = sum(abs(row - middle) + abs(column - middle) for row, column in spots) / 100
    for first, relation, second in relations:
        rows, columns = (a - b for a, b in zip(spots[first], spots[second], strict=True))
        down, right = RELATIONS[relation]
        if (down and rows * down <= 0) or (right and columns * right <= 0):
            return math.inf
        effort += abs(columns) if down else abs(rows)
    return effort
