"""The grammar of the micro world: question families, their wordings, and what the world itself answers."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import product

import numpy as np

from inbol_lib.micro.world.entities import COLOURS, countries
from inbol_lib.micro.world.scenes import POSITIONS, SHAPES, Scene, Thing

NUMBERS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
           "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen")  # fmt: skip
PLURALS = {s: {"cross": "crosses"}.get(s, s + "s") for s in SHAPES}

#: Other words for the same thing; the first of a pair is the gold form.
SYNONYMS = {
    "gray": ("grey", "silver"), "purple": ("violet",), "teal": ("turquoise",), "orange": ("amber",), "brown": ("tan",),
    "circle": ("disc", "dot"), "square": ("box",), "cross": ("plus",), "ring": ("hoop",), "diamond": ("rhombus",),
    "yes": ("yeah",), "no": ("nope",), "large": ("big",), "small": ("little",),
    "center": ("middle",), "top center": ("upper middle",), "bottom center": ("lower middle",),
    "top left": ("upper left",), "top right": ("upper right",),
    "bottom left": ("lower left",), "bottom right": ("lower right",),
    "North": ("northern",), "South": ("southern",), "East": ("eastern",), "West": ("western",), "Center": ("central",),
    **{str(i): (word,) for i, word in enumerate(NUMBERS)},
    **{c.name: (c.alias,) for c in countries() if c.alias},
}  # fmt: skip


def surfaces(answer: str) -> list[str]:
    """Every surface form of a gold answer, gold form first; "red circle" combines the forms of its words."""
    if answer in SYNONYMS:
        return [answer, *SYNONYMS[answer]]
    words = answer.split()
    if len(words) == 2 and words[1] in SHAPES:
        return [" ".join(pair) for pair in product(*map(surfaces, words))]
    return [answer]


def speak(answer: str, rng: np.random.Generator, share: float = 0.3) -> str:
    """The answer as somebody might say it: another surface form with probability `share`."""
    forms = surfaces(answer)
    return (
        forms[int(rng.integers(1, len(forms)))]
        if len(forms) > 1 and rng.random() < share
        else forms[0]
    )


# --- what the world answers: None = the picture does not hold it ------------------------------------------------------

MIXES = {frozenset(k.split("+")): v for k, v in {
    "red+yellow": "orange", "blue+yellow": "green", "red+blue": "purple", "red+green": "brown",
    "green+blue": "teal", "orange+blue": "brown", "purple+yellow": "brown"}.items()}  # fmt: skip
CORNERS = {"circle": 0, "ring": 0, "triangle": 3, "square": 4, "diamond": 4}


def _only(things: list[Thing]) -> Thing | None:
    return things[0] if len(things) == 1 else None


def _one(things: list[Thing], attribute: str) -> str | None:
    thing = _only(things)
    return getattr(thing, attribute) if thing else None


def _size(thing: Thing | None) -> str | None:
    return None if thing is None else ("large" if thing.large else "small")


def _yes(value: bool | None) -> str | None:
    return None if value is None else ("yes" if value else "no")


def _count(n: int) -> str | None:
    return str(n) if n else None


def _pair(scene: Scene, shape: str, shape2: str) -> tuple[Thing, Thing] | None:
    a, b = _only(scene.find(shape)), _only(scene.find(shape2))
    return (a, b) if a and b and a is not b else None


def _left(scene: Scene, shape: str, shape2: str) -> str | None:
    pair = _pair(scene, shape, shape2)
    return (
        _yes(pair[0].cell % 3 < pair[1].cell % 3)
        if pair and pair[0].cell % 3 != pair[1].cell % 3
        else None
    )


def _above(scene: Scene, shape: str, shape2: str) -> str | None:
    pair = _pair(scene, shape, shape2)
    return (
        _yes(pair[0].cell // 3 < pair[1].cell // 3)
        if pair and pair[0].cell // 3 != pair[1].cell // 3
        else None
    )


def _same_colour(scene: Scene, shape: str, shape2: str) -> str | None:
    pair = _pair(scene, shape, shape2)
    return _yes(pair[0].colour == pair[1].colour) if pair else None


def _other(scene: Scene, shape: str) -> Thing | None:
    """The second shape of a picture with exactly two."""
    if len(scene.shapes) != 2 or not _only(scene.find(shape)):
        return None
    return next(t for t in scene.shapes if t.shape != shape)


def _left_colour(scene: Scene, shape: str) -> str | None:
    """Two hops: find the shape, then the colour of the only shape left of it."""
    thing = _only(scene.find(shape)) if not scene.country else None
    return _one([t for t in scene.shapes if thing and t.cell % 3 < thing.cell % 3], "colour")


def _mix(scene: Scene) -> str | None:
    return MIXES.get(frozenset(t.colour for t in scene.shapes)) if len(scene.shapes) == 2 else None


def _corners(scene: Scene, colour: str) -> str | None:
    thing = _only(scene.find(colour=colour)) if not scene.country else None
    return str(CORNERS[thing.shape]) if thing and thing.shape in CORNERS else None


def _digit(scene: Scene, i: int, n: int) -> int | None:
    ordered = sorted(scene.digits, key=lambda t: t.cell)
    return ordered[i].digit if len(ordered) == n else None


def _single_digit(scene: Scene) -> str | None:
    digit = _digit(scene, 0, 1)
    return None if digit is None else str(digit)


def _sum(scene: Scene, sign: int) -> str | None:
    if len(scene.digits) != 2:
        return None
    a, b = _digit(scene, 0, 2), _digit(scene, 1, 2)
    return str(a + b) if sign > 0 else str(abs(a - b))


def _fact(kind: str) -> Callable[[Scene], str | None]:
    return lambda scene: scene.country.fact(kind) if scene.country else None


@dataclass(frozen=True)
class Family:
    """A kind of question: wordings with slots ({colour}, {shape}, {shape2}, {shapes}, {position}), and its truth."""

    name: str
    wordings: tuple[str, ...]
    truth: Callable[..., str | None]
    held_out: tuple[str, ...] = ()

    @property
    def slots(self) -> list[str]:
        return re.findall(r"{(\w+)}", self.wordings[0])


FAMILIES = {f.name: f for f in [
    Family("colour", ("What color is the {shape}?", "What is the color of the {shape}?", "Which color has the {shape}?"),
           lambda s, shape: _one(s.find(shape), "colour"), ("Tell me the color of the {shape}.", "The {shape} is of what color?")),
    Family("shape", ("What shape is {colour}?", "Which shape is {colour}?", "What is the {colour} shape?"),
           lambda s, colour: _one([t for t in s.find(colour=colour) if t.shape != "digit"], "shape"),
           ("Tell me the shape that is {colour}.", "The {colour} thing has what shape?")),
    Family("count", ("How many {shapes} are there?", "How many {shapes} are in the image?"),
           lambda s, shapes: _count(len(s.find(next(k for k, v in PLURALS.items() if v == shapes)))),
           ("Count the {shapes}.",)),
    Family("count_all", ("How many objects are there?", "How many objects are in the image?"),
           lambda s: _count(len(s.things)) if not s.country else None, ("Count the objects.",)),
    Family("exists", ("Is there a {colour} {shape}?", "Do you see a {colour} {shape}?"),
           lambda s, colour, shape: _yes(bool(s.find(shape, colour))), ("Does the image show a {colour} {shape}?",)),
    Family("where", ("Where is the {shape}?", "In which place is the {shape}?"),
           lambda s, shape: _one(s.find(shape), "position") if not s.country else None, ("Tell me where the {shape} is.",)),
    Family("size", ("Is the {shape} large or small?", "What size is the {shape}?"),
           lambda s, shape: _size(_only(s.find(shape))) if not s.country else None, ("Tell me the size of the {shape}.",)),
    Family("what_at", ("What is in the {position}?", "What do you see in the {position}?"),
           lambda s, position: _one([t for t in s.things if t.position == position], "name") if not s.country else None,
           ("Tell me what is in the {position}.",)),
    Family("digit", ("Which digit is shown?", "What digit is in the image?", "What number is written here?"),
           _single_digit, ("Tell me the digit.", "Read the digit.")),
    Family("left", ("Is the {shape} left of the {shape2}?", "Is the {shape} to the left of the {shape2}?"), _left,
           ("Does the {shape} lie left of the {shape2}?",)),
    Family("above", ("Is the {shape} above the {shape2}?", "Is the {shape} higher than the {shape2}?"), _above,
           ("Does the {shape} lie above the {shape2}?",)),
    Family("same_colour", ("Do the {shape} and the {shape2} have the same color?",), _same_colour,
           ("Are the {shape} and the {shape2} of one color?",)),
    Family("other_colour", ("What color is the shape that is not the {shape}?",),
           lambda s, shape: getattr(_other(s, shape), "colour", None),
           ("There is one more shape beside the {shape}. What color is it?",)),
    Family("other_shape", ("Which shape is there beside the {shape}?",),
           lambda s, shape: getattr(_other(s, shape), "shape", None),
           ("There is one more shape beside the {shape}. Which shape is it?",)),
    Family("colour_at", ("What color is the object in the {position}?",),
           lambda s, position: _one([t for t in s.shapes if t.position == position], "colour") if not s.country else None,
           ("The object in the {position} is of what color?",)),
    Family("left_colour", ("What color is the shape to the left of the {shape}?",), _left_colour,
           ("The shape to the left of the {shape} is of what color?",)),
    Family("corners", ("How many corners does the {colour} shape have?",), _corners, ("Count the corners of the {colour} shape.",)),
    Family("mix", ("Which color do you get by mixing the colors of the two shapes?",), _mix,
           ("If you mix the colors of both shapes, what color is it?",)),
    Family("sum", ("What is the sum of the two digits?",), lambda s: _sum(s, 1), ("Add the two digits.",)),
    Family("difference", ("What is the difference of the two digits?",), lambda s: _sum(s, -1),
           ("Take the smaller digit from the larger digit.",)),
    Family("country", ("Which country has this flag?", "What country is this flag from?", "What is the name of this country?"),
           lambda s: s.country.name if s.country else None, ("Tell me the country of this flag.", "This flag is from which country?")),
    Family("capital", ("What is the capital of the country with this flag?", "Which city is the capital of this country?"),
           _fact("capital"), ("Tell me the capital of this country.",)),
    Family("continent", ("On which continent is the country with this flag?", "Which continent is this country on?"),
           _fact("continent"), ("Tell me the continent of this country.",)),
    Family("export", ("What does the country with this flag export?", "Which good does this country sell?"),
           _fact("export"), ("Tell me what this country sells.",)),
    Family("climate", ("What is the climate of the country with this flag?", "How is the climate of this country?"),
           _fact("climate"), ("Tell me the climate of this country.",)),
]}  # fmt: skip

VALUES = {
    "colour": tuple(COLOURS),
    "shape": SHAPES,
    "shape2": SHAPES,
    "shapes": tuple(PLURALS.values()),
    "position": POSITIONS,
}


def fill(wording: str, slots: dict[str, str]) -> str:
    """The question that a wording and its slot values make, with the right article: "a red ring", "an orange ring"."""
    return re.sub(r"\ba (?=[aeiou])", "an ", wording.format(**slots))


def _pattern(wording: str) -> re.Pattern:
    slot = {
        name: f"(?P<{name}>{'|'.join(sorted(values, key=len, reverse=True))})"
        for name, values in VALUES.items()
    }
    return re.compile(
        re.escape(wording).replace(r"\{", "{").replace(r"\}", "}").format(**slot) + r"\Z"
    )


_PARSERS = [(f, _pattern(w)) for f in FAMILIES.values() for w in (*f.wordings, *f.held_out)]


def parse(question: str) -> tuple[Family, dict[str, str]] | None:
    """The family and slot values of a question in the world's grammar, else None."""
    for family, pattern in _PARSERS:
        if match := pattern.match(re.sub(r"\ban (?=[aeiou])", "a ", question)):
            return family, match.groupdict()
    return None


def truth(scene: Scene, question: str) -> list[str] | None:
    """All surface forms that are right for `question` about `scene`; [] = unanswerable; None = not in the grammar."""
    parsed = parse(question)
    if parsed is None:
        return None
    answer = parsed[0].truth(scene, **parsed[1])
    return [] if answer is None else surfaces(answer)


def candidates(family: Family, scene: Scene) -> Iterator[dict[str, str]]:
    """Slot values under which `family` has an answer on `scene`; "exists" is thinned to as many no as yes."""
    for values in product(*(VALUES[s] for s in family.slots)):
        slots = dict(zip(family.slots, values, strict=True))
        if family.truth(scene, **slots) is not None:
            yield slots


def ask(
    names: tuple[str, ...], scene: Scene, rng: np.random.Generator, held_out: bool = False
) -> tuple[str, str, str] | None:
    """A random answerable question (text, gold answer, family name) of the named families, or None if none applies."""
    for name in rng.permutation(names):
        family = FAMILIES[str(name)]
        options = list(candidates(family, scene))
        if family.name == "exists" and scene.shapes:
            near = {t.colour for t in scene.shapes} | {t.shape for t in scene.shapes}
            yes = [o for o in options if scene.find(o["shape"], o["colour"])]
            no = [
                o for o in options if o not in yes and (o["colour"] in near or o["shape"] in near)
            ]
            options = yes if rng.random() < 0.5 else no
        if options:
            slots = options[int(rng.integers(len(options)))]
            wordings = family.held_out if held_out else family.wordings
            return fill(str(rng.choice(wordings)), slots), family.truth(scene, **slots), family.name
    return None


def options(name: str) -> list[str]:
    """All answers that a family with answers of one kind can have."""
    return {
        "colour": list(COLOURS),
        "shape": list(SHAPES),
        "where": list(POSITIONS),
        "digit": [str(v) for v in range(10)],
        "capital": [c.capital for c in countries()],
        "country": [c.name for c in countries()],
        "continent": ["North", "South", "East", "West", "Center"],
        "export": sorted({c.export for c in countries()}),
        "climate": sorted({c.climate for c in countries()}),
        "corners": ["0", "3", "4", "5", "6", "8"],
    }[name]


def distractors(name: str, answer: str, n: int, rng: np.random.Generator) -> list[str]:
    """`n` wrong options of the same kind as `answer`."""
    if name in ("sum", "difference", "count", "count_all", "digit"):
        pool = [str(v) for v in range(19 if name == "sum" else 10)]
    elif answer in COLOURS:
        pool = options("colour")
    elif answer in SHAPES:
        pool = options("shape")
    elif answer in POSITIONS:
        pool = options("where")
    elif answer in ("yes", "no"):
        pool = ["yes", "no"]
    elif answer in ("large", "small"):
        pool = ["large", "small"]
    elif name == "what_at":
        pool = [f"{c} {s}" for c in list(COLOURS)[:5] for s in SHAPES[:5]]
    else:
        pool = options(name)
    wrong = [v for v in pool if v != answer]
    return [str(v) for v in rng.permutation(wrong)[:n]]
