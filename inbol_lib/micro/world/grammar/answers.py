"""What the world answers: one function for each family of questions.

Each takes the scene and the question's slots. None means that the picture does not hold the answer,
because what is asked about is missing ("the star" where there is none) or not unique ("the star"
where there are two).
"""

from collections.abc import Callable
from functools import wraps

from inbol_lib.micro.world.scenes import SHAPES, Scene, Thing

Answer = str | None

PLURALS = {shape: shape + ("es" if shape == "cross" else "s") for shape in SHAPES}
_SINGULARS = {plural: shape for shape, plural in PLURALS.items()}
#: Two colours -> what comes of mixing them; other pairs have no answer.
MIXES = {
    frozenset({"red", "yellow"}): "orange",
    frozenset({"blue", "yellow"}): "green",
    frozenset({"red", "blue"}): "purple",
    frozenset({"red", "green"}): "brown",
    frozenset({"green", "blue"}): "teal",
    frozenset({"orange", "blue"}): "brown",
    frozenset({"purple", "yellow"}): "brown",
}
#: Shapes whose number of corners nobody would argue about.
CORNERS = {"circle": 0, "ring": 0, "triangle": 3, "square": 4, "diamond": 4, "hexagon": 6}


def _of_objects(answer: Callable[..., Answer]) -> Callable[..., Answer]:
    """Leave a question unanswerable on flags, charts and signs: they show no objects in places."""

    @wraps(answer)
    def answer_where_objects_are(scene: Scene, **slots: str) -> Answer:
        return answer(scene, **slots) if scene.has_objects else None

    return answer_where_objects_are


def _only(things: list[Thing]) -> Thing | None:
    return things[0] if len(things) == 1 else None


def _attribute(thing: Thing | None, name: str) -> Answer:
    return None if thing is None else getattr(thing, name)


def _yes(value: bool) -> str:
    return "yes" if value else "no"


def _count(n: int) -> Answer:
    """Write a count in digits; nothing to count is a missing subject, not an answer of zero."""
    return str(n) if n else None


# --- one object ---------------------------------------------------------------------------------


def colour(scene: Scene, shape: str) -> Answer:
    """Return the colour of the only `shape`."""
    return _attribute(_only(scene.find(shape)), "colour")


def shape(scene: Scene, colour: str) -> Answer:
    """Return the shape of the only thing of a colour; digits do not count."""
    shapes = [thing for thing in scene.shapes if thing.colour == colour]
    return _attribute(_only(shapes), "shape")


def count(scene: Scene, shapes: str) -> Answer:
    """Return the number of things of a shape, which is named in the plural."""
    return _count(len(scene.find(_SINGULARS[shapes])))


@_of_objects
def count_all(scene: Scene) -> Answer:
    """Return the number of all objects."""
    return _count(len(scene.shown))


def exists(scene: Scene, colour: str, shape: str) -> Answer:
    """Return whether there is such a thing; this question always has an answer."""
    return _yes(bool(scene.find(shape, colour)))


@_of_objects
def where(scene: Scene, shape: str) -> Answer:
    """Return the cell of the only `shape`."""
    return _attribute(_only(scene.find(shape)), "position")


@_of_objects
def size(scene: Scene, shape: str) -> Answer:
    """Return whether the only `shape` is "large" or "small"."""
    thing = _only(scene.find(shape))
    if thing is None:
        return None
    return "large" if thing.large else "small"


@_of_objects
def pattern(scene: Scene, shape: str) -> Answer:
    """Return whether the only `shape` is "plain", "striped" or "dotted"."""
    return _attribute(_only(scene.find(shape)), "pattern")


@_of_objects
def what_at(scene: Scene, position: str) -> Answer:
    """Return the name of what is in a cell."""
    things = [thing for thing in scene.shown if thing.position == position]
    return _attribute(_only(things), "name")


@_of_objects
def colour_at(scene: Scene, position: str) -> Answer:
    """Return the colour of the shape in a cell."""
    shapes = [thing for thing in scene.shapes if thing.position == position]
    return _attribute(_only(shapes), "colour")


@_of_objects
def corners(scene: Scene, colour: str) -> Answer:
    """Return the number of corners of the only thing of a colour."""
    thing = _only(scene.find(colour=colour))
    return str(CORNERS[thing.shape]) if thing and thing.shape in CORNERS else None


# --- two shapes ---------------------------------------------------------------------------------


def _pair(scene: Scene, shape: str, shape2: str) -> tuple[Thing, Thing] | None:
    """Return two different things, each the only one of its shape."""
    first, second = _only(scene.find(shape)), _only(scene.find(shape2))
    if first is None or second is None or first is second:
        return None
    return first, second


def left(scene: Scene, shape: str, shape2: str) -> Answer:
    """Return whether one shape is left of another; unanswerable if they share a column."""
    pair = _pair(scene, shape, shape2)
    if pair is None or pair[0].column == pair[1].column:
        return None
    return _yes(pair[0].column < pair[1].column)


def above(scene: Scene, shape: str, shape2: str) -> Answer:
    """Return whether one shape is above another; unanswerable if they share a row."""
    pair = _pair(scene, shape, shape2)
    if pair is None or pair[0].row == pair[1].row:
        return None
    return _yes(pair[0].row < pair[1].row)


def same_colour(scene: Scene, shape: str, shape2: str) -> Answer:
    """Return whether two shapes have the same colour."""
    pair = _pair(scene, shape, shape2)
    return None if pair is None else _yes(pair[0].colour == pair[1].colour)


def _other(scene: Scene, shape: str) -> Thing | None:
    """Return the second shape of a picture with exactly two."""
    if len(scene.shapes) != 2 or not _only(scene.find(shape)):
        return None
    return next(thing for thing in scene.shapes if thing.shape != shape)


def other_colour(scene: Scene, shape: str) -> Answer:
    """Return the colour of the shape that is not `shape`, in a picture with two shapes."""
    return _attribute(_other(scene, shape), "colour")


def other_shape(scene: Scene, shape: str) -> Answer:
    """Return the shape that is not `shape`, in a picture with two shapes."""
    return _attribute(_other(scene, shape), "shape")


@_of_objects
def left_colour(scene: Scene, shape: str) -> Answer:
    """Return the colour of the only shape left of `shape`: a question of two hops."""
    known = _only(scene.find(shape))
    if known is None:
        return None
    shapes = [thing for thing in scene.shapes if thing.column < known.column]
    return _attribute(_only(shapes), "colour")


def mix(scene: Scene) -> Answer:
    """Return what comes of mixing the colours of the picture's two shapes."""
    if len(scene.shapes) != 2:
        return None
    return MIXES.get(frozenset(thing.colour for thing in scene.shapes))


# --- digits -------------------------------------------------------------------------------------


def _two_digits(scene: Scene) -> tuple[int, int] | None:
    if len(scene.digits) != 2:
        return None
    first, second = scene.digits
    return first.digit, second.digit


def digit(scene: Scene) -> Answer:
    """Return the only digit."""
    thing = _only(scene.digits)
    return None if thing is None else str(thing.digit)


def sum_of_digits(scene: Scene) -> Answer:
    """Return the sum of the picture's two digits."""
    digits = _two_digits(scene)
    return None if digits is None else str(digits[0] + digits[1])


def difference_of_digits(scene: Scene) -> Answer:
    """Return how much larger one of the picture's two digits is than the other."""
    digits = _two_digits(scene)
    return None if digits is None else str(abs(digits[0] - digits[1]))


# --- charts and signs -----------------------------------------------------------------------------


def tallest(scene: Scene) -> Answer:
    """Return the colour of the tallest bar."""
    bars = sorted(scene.bars, key=lambda bar: bar.height)
    return bars[-1].colour if bars else None


def shortest(scene: Scene) -> Answer:
    """Return the colour of the shortest bar."""
    bars = sorted(scene.bars, key=lambda bar: bar.height)
    return bars[0].colour if bars else None


def num_bars(scene: Scene) -> Answer:
    """Return the number of bars."""
    return _count(len(scene.bars))


def bar_height(scene: Scene, colour: str) -> Answer:
    """Return the height of the bar of a colour, in units of the chart's lines."""
    bar = _only([bar for bar in scene.bars if bar.colour == colour])
    return None if bar is None else str(bar.height)


def taller(scene: Scene, colour: str, colour2: str) -> Answer:
    """Return whether one bar is taller than another."""
    first, second = (
        _only([bar for bar in scene.bars if bar.colour == name]) for name in (colour, colour2)
    )
    if first is None or second is None or first is second:
        return None
    return _yes(first.height > second.height)


def word(scene: Scene) -> Answer:
    """Return what is written on the sign."""
    return scene.word or None


def sign_colour(scene: Scene) -> Answer:
    """Return the colour of the sign."""
    return scene.things[0].colour if scene.word else None


# --- flags --------------------------------------------------------------------------------------


def country(scene: Scene) -> Answer:
    """Return the name of a flag's country."""
    return scene.country.name if scene.country else None


def fact(scene: Scene, kind: str) -> Answer:
    """Return a fact about a flag's country, which its picture does not show."""
    return scene.country.fact(kind) if scene.country else None
