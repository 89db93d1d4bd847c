"""The text that the micro judge is trained on: pairs of answers that mean the same or do not.

A tenth of all synonyms is held out. The judge therefore errs now and then, as a language model
does, and the study can measure what such errors do.
"""

from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

import numpy as np

from inbol_lib.data.templates import prompt
from inbol_lib.micro.world import grammar
from inbol_lib.micro.world.conversations import COURTESY_SHARE
from inbol_lib.micro.world.entities import (
    ANIMALS,
    CLIMATES,
    COLOURS,
    CONTINENTS,
    EXPORTS,
    countries,
)
from inbol_lib.micro.world.randomness import rng_of
from inbol_lib.micro.world.scenes import PATTERNS, POSITIONS, SHAPES, WORDS
from inbol_lib.micro.world.unanswerable_questions import random_slots


class Example(NamedTuple):
    """A gold answer, a response, and whether they mean the same."""

    gold: str
    response: str
    same: bool


class Dialogue(NamedTuple):
    """What the judge is asked, and the right verdict: "yes" or "no"."""

    prompt: str
    verdict: str


@cache
def answer_kinds() -> list[list[str]]:
    """Return gold answers by kind; one that is listed twice is drawn twice as often."""
    things = [f"{colour} {shape}" for colour in COLOURS for shape in SHAPES]
    names = [country.name for country in countries()]
    aliased = [country.name for country in countries() if country.alias]
    return [
        list(COLOURS),
        list(SHAPES),
        list(PATTERNS),
        list(POSITIONS),
        [str(number) for number in range(19)],
        ["yes", "no"],
        ["large", "small"],
        things,
        things,
        names,
        *[aliased] * 6,  # a second name follows from nothing and must be learnt by heart
        [country.capital for country in countries()],
        list(CONTINENTS),
        list(EXPORTS),
        list(CLIMATES),
        list(ANIMALS),
        list(WORDS),
    ]


def judge_examples(n: int, seed: int) -> Iterator[Example]:
    """Draw pairs of answers of one kind, half of which mean the same.

    A right response is in other words than the gold answer wherever it can be: to see that two
    equal strings are equal, nobody needs a judge.
    """
    for i in range(n):
        rng = rng_of("judge", seed, i)
        kind = answer_kinds()[int(rng.integers(len(answer_kinds())))]
        gold = str(rng.choice(kind))
        same = bool(rng.random() < 0.5)
        meant = gold if same else str(rng.choice([answer for answer in kind if answer != gold]))
        forms = [form for form in grammar.surfaces(meant) if not _held_out(meant, form)]
        if same and len(forms) > 1:
            forms = forms[1:]
        yield Example(gold, str(rng.choice(forms)), same)


def _held_out(gold: str, form: str) -> bool:
    """Whether a synonym is in the tenth that training never shows."""
    return gold != form and rng_of("held-out synonym", gold, form).random() < 0.1


def dialogues(n: int, seed: int) -> list[Dialogue]:
    """Return examples in the words of the judge's prompt.

    The question is any of the world's, whatever the answers are: they alone decide, and the judge
    learns to look at nothing else.
    """
    template = prompt("judge")
    made = []
    for i, example in enumerate(judge_examples(n, seed)):
        question = _any_question(rng_of("judge question", seed, i))
        asked = template.format(question=question, gold=example.gold, response=example.response)
        made.append(Dialogue(asked, "yes" if example.same else "no"))
    return made


def _any_question(rng: np.random.Generator) -> str:
    families = list(grammar.FAMILIES.values())
    family = families[int(rng.integers(len(families)))]
    slots = random_slots(family, rng)
    wordings = family.wordings + family.held_out
    question = grammar.fill(wordings[int(rng.integers(len(wordings)))], slots)
    return grammar.courteous(question, rng) if rng.random() < COURTESY_SHARE else question
