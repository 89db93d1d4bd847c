"""The families of questions: for each its wordings and the function that knows the answer.

Every family has held-out wordings, which the questions that a model is trained on in the study
never use. Out-of-domain questions use nothing else. The base model has met them, as LLaVA has met
the style of most benchmarks; a refusal that was learnt for certain phrases, rather than for what
the model does not know, shows there.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from inbol_lib.micro.world.entities import COLOURS
from inbol_lib.micro.world.grammar import answers
from inbol_lib.micro.world.scenes import POSITIONS, SHAPES

#: What can stand in each slot of a wording.
VALUES = {
    "colour": tuple(COLOURS),
    "colour2": tuple(COLOURS),
    "shape": SHAPES,
    "shape2": SHAPES,
    "shapes": tuple(answers.PLURALS.values()),
    "position": POSITIONS,
}


@dataclass(frozen=True)
class Family:
    """One kind of question.

    Parameters
    ----------
    name : str
        Its key in `FAMILIES`.
    truth : Callable
        `truth(scene, **slots)` is the gold answer, or None where the picture does not hold it.
    wordings : tuple of str
        What in-domain questions ask; `{shape}` and the like are slots.
    held_out : tuple of str
        What only out-of-domain questions ask.
    """

    name: str
    truth: Callable[..., str | None]
    wordings: tuple[str, ...]
    held_out: tuple[str, ...]

    @property
    def slots(self) -> list[str]:
        """The names of the slots; all wordings have the same ones."""
        return re.findall(r"{(\w+)}", self.wordings[0])


_ONE_OBJECT = [
    Family(
        "colour",
        answers.colour,
        (
            "What color is the {shape}?",
            "What is the color of the {shape}?",
            "Which color has the {shape}?",
        ),
        ("Tell me the color of the {shape}.", "The {shape} is of what color?"),
    ),
    Family(
        "shape",
        answers.shape,
        ("What shape is {colour}?", "Which shape is {colour}?", "What is the {colour} shape?"),
        ("Tell me the shape that is {colour}.", "The {colour} thing has what shape?"),
    ),
    Family(
        "count",
        answers.count,
        ("How many {shapes} are there?", "How many {shapes} are in the image?"),
        ("Count the {shapes}.",),
    ),
    Family(
        "count_all",
        answers.count_all,
        ("How many objects are there?", "How many objects are in the image?"),
        ("Count the objects.",),
    ),
    Family(
        "exists",
        answers.exists,
        ("Is there a {colour} {shape}?", "Do you see a {colour} {shape}?"),
        ("Does the image show a {colour} {shape}?",),
    ),
    Family(
        "where",
        answers.where,
        ("Where is the {shape}?", "In which place is the {shape}?"),
        ("Tell me where the {shape} is.",),
    ),
    Family(
        "size",
        answers.size,
        ("Is the {shape} large or small?", "What size is the {shape}?"),
        ("Tell me the size of the {shape}.",),
    ),
    Family(
        "pattern",
        answers.pattern,
        ("Is the {shape} plain, striped or dotted?", "What pattern has the {shape}?"),
        ("Tell me the pattern of the {shape}.", "The {shape} has what pattern?"),
    ),
    Family(
        "what_at",
        answers.what_at,
        ("What is in the {position}?", "What do you see in the {position}?"),
        ("Tell me what is in the {position}.",),
    ),
    Family(
        "digit",
        answers.digit,
        ("Which digit is shown?", "What digit is in the image?", "What number is written here?"),
        ("Tell me the digit.", "Read the digit."),
    ),
]
_RELATIONS = [
    Family(
        "left",
        answers.left,
        ("Is the {shape} left of the {shape2}?", "Is the {shape} to the left of the {shape2}?"),
        ("Does the {shape} lie left of the {shape2}?",),
    ),
    Family(
        "above",
        answers.above,
        ("Is the {shape} above the {shape2}?", "Is the {shape} higher than the {shape2}?"),
        ("Does the {shape} lie above the {shape2}?",),
    ),
    Family(
        "same_colour",
        answers.same_colour,
        ("Do the {shape} and the {shape2} have the same color?",),
        ("Are the {shape} and the {shape2} of one color?",),
    ),
    Family(
        "other_colour",
        answers.other_colour,
        ("What color is the shape that is not the {shape}?",),
        ("There is one more shape beside the {shape}. What color is it?",),
    ),
    Family(
        "other_shape",
        answers.other_shape,
        ("Which shape is there beside the {shape}?",),
        ("There is one more shape beside the {shape}. Which shape is it?",),
    ),
    Family(
        "colour_at",
        answers.colour_at,
        ("What color is the object in the {position}?",),
        ("The object in the {position} is of what color?",),
    ),
    Family(
        "left_colour",
        answers.left_colour,
        ("What color is the shape to the left of the {shape}?",),
        ("The shape to the left of the {shape} is of what color?",),
    ),
]
_REASONING = [
    Family(
        "corners",
        answers.corners,
        ("How many corners does the {colour} shape have?",),
        ("Count the corners of the {colour} shape.",),
    ),
    Family(
        "mix",
        answers.mix,
        ("Which color do you get by mixing the colors of the two shapes?",),
        ("If you mix the colors of both shapes, what color is it?",),
    ),
    Family(
        "sum",
        answers.sum_of_digits,
        ("What is the sum of the two digits?",),
        ("Add the two digits.",),
    ),
    Family(
        "difference",
        answers.difference_of_digits,
        ("What is the difference of the two digits?",),
        ("Take the smaller digit from the larger digit.",),
    ),
]
_CHARTS_AND_SIGNS = [
    Family(
        "tallest",
        answers.tallest,
        ("What color is the tallest bar?", "Which bar is the tallest?"),
        ("Tell me the color of the highest bar.",),
    ),
    Family(
        "shortest",
        answers.shortest,
        ("What color is the shortest bar?", "Which bar is the shortest?"),
        ("Tell me the color of the lowest bar.",),
    ),
    Family(
        "num_bars",
        answers.num_bars,
        ("How many bars has the chart?", "How many bars does the chart show?"),
        ("Count the bars.",),
    ),
    Family(
        "bar_height",
        answers.bar_height,
        ("How high is the {colour} bar?", "What is the value of the {colour} bar?"),
        ("Read the height of the {colour} bar.",),
    ),
    Family(
        "taller",
        answers.taller,
        ("Is the {colour} bar taller than the {colour2} bar?",),
        ("Does the {colour} bar exceed the {colour2} bar?",),
    ),
    Family(
        "word",
        answers.word,
        ("What is written on the sign?", "Which word is on the sign?"),
        ("Read the sign.", "Tell me the word on the sign."),
    ),
    Family(
        "sign_colour",
        answers.sign_colour,
        ("What color is the sign?", "Which color has the sign?"),
        ("Tell me the color of the sign.",),
    ),
]
_FLAGS = [
    Family(
        "country",
        answers.country,
        (
            "Which country has this flag?",
            "What country is this flag from?",
            "What is the name of this country?",
        ),
        ("Tell me the country of this flag.", "This flag is from which country?"),
    ),
    Family(
        "capital",
        partial(answers.fact, kind="capital"),
        (
            "What is the capital of the country with this flag?",
            "Which city is the capital of this country?",
        ),
        ("Tell me the capital of this country.",),
    ),
    Family(
        "continent",
        partial(answers.fact, kind="continent"),
        (
            "On which continent is the country with this flag?",
            "Which continent is this country on?",
        ),
        ("Tell me the continent of this country.",),
    ),
    Family(
        "export",
        partial(answers.fact, kind="export"),
        ("What does the country with this flag export?", "Which good does this country sell?"),
        ("Tell me what this country sells.",),
    ),
    Family(
        "climate",
        partial(answers.fact, kind="climate"),
        (
            "What is the climate of the country with this flag?",
            "How is the climate of this country?",
        ),
        ("Tell me the climate of this country.",),
    ),
    Family(
        "animal",
        partial(answers.fact, kind="animal"),
        (
            "What is the animal of the country with this flag?",
            "Which animal stands for this country?",
        ),
        ("Tell me the animal of this country.",),
    ),
]
#: Name -> family. The order matters: the first family whose wording fits reads a question.
FAMILIES = {
    family.name: family
    for family in (*_ONE_OBJECT, *_RELATIONS, *_REASONING, *_CHARTS_AND_SIGNS, *_FLAGS)
}
