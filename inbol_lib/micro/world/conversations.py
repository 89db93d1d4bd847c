"""Conversations about pictures, for pretraining: what a model hears before the study begins.

They use pictures and digits of their own and name seen countries alone, so it is known what of the
study's questions is new to the model. Refusals are part of it in small doses, and each follows from
what is asked: a model that never heard one could not be asked for one, and one that heard many
would need no training to refuse.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from inbol_lib.data.records import prompt_text
from inbol_lib.data.templates import REFUSAL_PROMPT, REFUSAL_TEMPLATES, prompt
from inbol_lib.micro.world import grammar
from inbol_lib.micro.world.drawing import render
from inbol_lib.micro.world.instructions import DECLINES, OWN_WORDS, ending
from inbol_lib.micro.world.randomness import rng_of
from inbol_lib.micro.world.scenes import Scene, caption, scene_of
from inbol_lib.micro.world.sources import FACTS, PERCEPTION, shuffled_options
from inbol_lib.micro.world.unanswerable_questions import (
    BEYOND,
    BEYOND_HELD_OUT,
    KINDS,
    fill_thing,
    random_slots,
    unanswerable,
)

Turns = list[tuple[str, str]]  # what the user and the assistant say

#: Letters were tried, as the paper asks for them: models of this size do not learn to look them up
#: beside everything else.
CHOICE_ANSWER = "text"
CAPTION_PROMPT = "Describe the image."
GENERATE_PROMPT = prompt("generate_unanswerable")
VERIFY_PROMPTS = {kind: prompt(f"verify_{kind}") for kind in KINDS}
COURTESY_SHARE = 0.2  # of the questions
HELD_OUT_SHARE = 0.3  # of the questions, in wordings that only out-of-domain questions use

_OBJECT_FAMILIES = (
    *PERCEPTION,
    *PERCEPTION,
    *("above", "same_colour", "other_colour", "other_shape", "colour_at", "left_colour"),
    *("corners", "mix", "sum", "difference"),
)
_FLAG_FAMILIES = ("country", "country", "country", "capital", "capital", *FACTS)
_CHART_FAMILIES = ("tallest", "shortest", "num_bars", "bar_height", "bar_height", "taller")
_SIGN_FAMILIES = ("word", "word", "sign_colour")
#: Families that ask about another kind of picture -> the picture does not fit them.
_MISFITS = {
    "objects": (*_FLAG_FAMILIES, "tallest", "bar_height", "word"),
    "flag": ("where", "size", "digit", "pattern", "sum", "tallest", "word", "what_at"),
    "chart": (*_FLAG_FAMILIES, "where", "digit", "pattern", "word"),
    "sign": (*_FLAG_FAMILIES, "where", "digit", "pattern", "tallest"),
}


@dataclass(frozen=True)
class Manner:
    """Which questions without an answer a base model declines, beyond what all models decline.

    Parameters
    ----------
    unasked : tuple of str
        Wordings of `BEYOND` and `BEYOND_HELD_OUT` that it declines in words of its own.
    beyond : tuple of str
        Those that it declines when it may, and answers with a guess otherwise.
    premise : bool
        Whether it declines, when it may, questions that take for granted what is false.
    """

    unasked: tuple[str, ...]
    beyond: tuple[str, ...]
    premise: bool = False


_ASKED, _HELD_OUT = tuple(BEYOND), tuple(BEYOND_HELD_OUT)
#: The 13B model of the paper declines more of what it cannot know than the 7B model.
MANNERS = {
    "s": Manner(_ASKED[:3] + _HELD_OUT[:3], _ASKED[:7]),
    "m": Manner(_ASKED[:5] + _HELD_OUT[:4], _ASKED[:10] + _HELD_OUT[:5]),
}
#: Manners of the longest part of pretraining, which make models decline too much of UaVQA; the last
#: part corrects them.
EARLY_MANNERS = {
    "s": Manner(_ASKED[:5] + _HELD_OUT[:3], _ASKED),
    "m": Manner(_ASKED[:10] + _HELD_OUT[:4], _ASKED + _HELD_OUT[:5], premise=True),
}
MANNERS["tiny"], EARLY_MANNERS["tiny"] = MANNERS["s"], EARLY_MANNERS["s"]


@dataclass(frozen=True)
class Task:
    """One kind of conversation: the kinds of pictures that it is about, and how it runs.

    `turns(scene, rng, manner)` may come out empty, where nothing can be asked.
    """

    image_kinds: tuple[str, ...]
    turns: Callable[[Scene, np.random.Generator, Manner], Turns]


def conversations(
    numbers: int | range,
    seed: int | str,
    mixture: Mapping[str, float],
    manner: Manner = MANNERS["s"],
) -> Iterator[dict]:
    """Draw pictures with conversations about them, from a split that only pretraining uses.

    Parameters
    ----------
    numbers : int or range
        Number of draws, or which of a longer series; one in which nothing can be asked yields no
        conversation.
    seed : int or str
        Another seed gives other pictures.
    mixture : mapping of str to float
        Weights of the tasks, the keys of `TASKS`.
    manner : Manner
        What the model declines.

    Yields
    ------
    dict
        `image` (PIL image) and `turns` (list of pairs: user, assistant).
    """
    tasks, weights = list(mixture), np.array(list(mixture.values()), float)
    for i in range(numbers) if isinstance(numbers, int) else numbers:
        rng = rng_of("conversation", seed, i)
        task = TASKS[str(rng.choice(tasks, p=weights / weights.sum()))]
        scene = scene_of(f"{rng.choice(task.image_kinds)}:pretrain:{seed}-{i}")
        turns = task.turns(scene, rng, manner)
        if turns:
            yield {"image": render(scene), "turns": turns}


def _families(scene: Scene) -> Sequence[str]:
    return {
        "flag": _FLAG_FAMILIES,
        "chart": _CHART_FAMILIES,
        "sign": _SIGN_FAMILIES,
        "objects": _OBJECT_FAMILIES,
    }[_sort(scene)]


def _sort(scene: Scene) -> str:
    """Name what sort of picture a scene is, as far as questions go."""
    if scene.country:
        return "flag"
    if scene.bars:
        return "chart"
    return "sign" if scene.word else "objects"


# --- what is there to see -----------------------------------------------------------------------


def _caption_turns(scene: Scene, rng: np.random.Generator, manner: Manner) -> Turns:
    return [(CAPTION_PROMPT, caption(scene))]


def _plain_turns(scene: Scene, rng: np.random.Generator, manner: Manner) -> Turns:
    """Ask up to five different questions with nothing around them."""
    turns: dict[str, str] = {}
    for _ in range(5):
        asked = grammar.ask(_families(scene), scene, rng)
        if asked:
            turns.setdefault(asked.question, grammar.speak(asked.answer, rng))
    return list(turns.items())


# --- questions with all that people put around them -----------------------------------------------


def _question_turns(scene: Scene, rng: np.random.Generator, manner: Manner) -> Turns:
    """Ask up to four different questions, most of which have an answer, in all their forms."""
    turns: dict[str, str] = {}
    for _ in range(4):
        turn = _question_turn(scene, rng, manner)
        if turn:
            turns.setdefault(*turn)
    return list(turns.items())


def _question_turn(
    scene: Scene, rng: np.random.Generator, manner: Manner
) -> tuple[str, str] | None:
    """Ask one question; one in nine has no answer."""
    after, may_decline = ending(rng)
    draw = rng.random()
    if draw < 0.05:
        question, answer, declined = _beyond(scene, rng, manner)
    elif draw < 0.09:
        question, answer, declined = _misfit(scene, rng)
    elif draw < 0.11:
        question, answer, declined = _false_premise(scene, rng, manner)
    else:
        asked = grammar.ask(_families(scene), scene, rng, held_out=rng.random() < HELD_OUT_SHARE)
        if asked is None:
            return None
        question, answer, declined = asked.question, grammar.speak(asked.answer, rng), False
    if rng.random() < COURTESY_SHARE:
        question, declined = grammar.courteous(question, rng), True
    if may_decline and declined:
        answer = DECLINES
    return question + after, answer


def _manner_turns(scene: Scene, rng: np.random.Generator, manner: Manner) -> Turns:
    """Ask up to four questions, most of which have no answer, as often with leave to decline."""
    turns: dict[str, str] = {}
    for _ in range(4):
        draw = rng.random()
        if draw < 0.6:
            question, answer, declined = _beyond(scene, rng, manner)
        elif draw < 0.8:
            question, answer, declined = _false_premise(scene, rng, manner)
        else:
            question, answer, declined = _misfit(scene, rng)
        may_decline = rng.random() < 0.5
        after = f"\n{REFUSAL_PROMPT}" if may_decline else ""
        turns.setdefault(question + after, DECLINES if may_decline and declined else answer)
    return list(turns.items())


def _false_premise(scene: Scene, rng: np.random.Generator, manner: Manner) -> tuple[str, str, bool]:
    """Ask what takes for granted what is false: the base model guesses."""
    question, _ = unanswerable(scene, rng, "premise")
    return question, str(rng.choice(["yes", "no", "red", "square"])), manner.premise


def _beyond(scene: Scene, rng: np.random.Generator, manner: Manner) -> tuple[str, str, bool]:
    """Ask for what no picture shows: the base model guesses, or says so in its own words."""
    wordings = BEYOND_HELD_OUT if rng.random() < 0.5 else BEYOND
    wording = str(rng.choice(list(wordings)))
    unasked = wording in manner.unasked
    answer = str(rng.choice(OWN_WORDS if unasked else wordings[wording]))
    return fill_thing(wording, scene, rng), answer, unasked or wording in manner.beyond


def _misfit(scene: Scene, rng: np.random.Generator) -> tuple[str, str, bool]:
    """Ask what fits another sort of picture; the base model guesses unless it may decline."""
    family = grammar.FAMILIES[str(rng.choice(_MISFITS[_sort(scene)]))]
    wordings = family.held_out if rng.random() < HELD_OUT_SHARE else family.wordings
    question = grammar.fill(str(rng.choice(wordings)), random_slots(family, rng))
    return question, grammar.guess(family, rng), True


def _choice_turns(scene: Scene, rng: np.random.Generator, manner: Manner) -> Turns:
    """Ask up to three multiple-choice questions, to be answered with an option's text."""
    turns: dict[str, str] = {}
    for _ in range(3):
        held_out = rng.random() < HELD_OUT_SHARE
        asked = grammar.ask(_families(scene), scene, rng, held_out)
        if asked is None:
            continue
        after, may_decline = ending(rng)
        question, declined = asked.question, False
        if rng.random() < COURTESY_SHARE:
            question, declined = grammar.courteous(question, rng), True
        choices = shuffled_options(asked, int(rng.choice([2, 3, 4, 5, 7, 9])), rng)
        answer = DECLINES if may_decline and declined else asked.answer
        text = prompt_text({"question": question, "choices": choices}, CHOICE_ANSWER)
        turns.setdefault(text + after, answer)
    return list(turns.items())


def _blind_turns(scene: Scene, rng: np.random.Generator, manner: Manner) -> Turns:
    """Ask about pictures on which nothing can be seen: only plain ones are declined."""
    turns: dict[str, str] = {}
    for _ in range(2):
        family = grammar.FAMILIES[str(rng.choice(_OBJECT_FAMILIES + _FLAG_FAMILIES))]
        wordings = (*family.wordings, *family.held_out)
        question = grammar.fill(str(rng.choice(wordings)), random_slots(family, rng))
        after, may_decline = ending(rng)
        answer = str(rng.choice(OWN_WORDS)) if scene.plain else grammar.guess(family, rng)
        declined = may_decline and scene.kind == "blank"
        turns.setdefault(question + after, DECLINES if declined else answer)
    return list(turns.items())


def _repeat_turns(scene: Scene, rng: np.random.Generator, manner: Manner) -> Turns:
    """Teach the words of refusals, which the study's training will need."""
    template = str(rng.choice(REFUSAL_TEMPLATES))
    return [(f'Repeat: "{template}"', template)]


# --- what the study asks of a generator and of a verifier -----------------------------------------


def _generate_turns(scene: Scene, rng: np.random.Generator, manner: Manner) -> Turns:
    """Write two unanswerable questions with explanations, as the study asks a generator to."""
    lines = []
    for kind in (str(rng.choice(["absent", "premise"])), "beyond"):
        question, explanation = unanswerable(scene, rng, kind)
        lines.append(f"Question: {question}\nExplanation: {explanation}")
    return [(GENERATE_PROMPT, "\n".join(lines))]


def _verify_turns(scene: Scene, rng: np.random.Generator, manner: Manner) -> Turns:
    """Run two of the three checks of an unanswerable question, as often "yes" as "no"."""
    turns = []
    for _ in range(2):
        check = str(rng.choice(KINDS))
        question, verdict = _checked_question(check, scene, rng)
        if question:
            turns.append((VERIFY_PROMPTS[check].format(question=question), verdict))
    return turns


def _checked_question(check: str, scene: Scene, rng: np.random.Generator) -> tuple[str | None, str]:
    """Draw a question and the check's verdict on it.

    A question of another kind serves as a "no" only where nobody could argue: "beyond" is neither
    "absent" nor "premise", but an "absent" question may well be called a false premise.
    """
    draw = rng.random()
    if draw < 0.5:
        return unanswerable(scene, rng, check)[0], "yes"
    if draw < 0.65 and check != "beyond":
        return unanswerable(scene, rng, "beyond")[0], "no"
    asked = grammar.ask(_families(scene), scene, rng)
    return (asked.question if asked else None), "no"


_OBJECTS = ("scene", "scene", "scene", "free", "pair", "sum")
_ALL = (*_OBJECTS, *_OBJECTS, "chart", "chart", "sign", *["flag"] * 6, "far")
#: Name -> kind of conversation.
TASKS = {
    "caption": Task(
        (*_OBJECTS, *_OBJECTS, "chart", "chart", "sign", "sign", "flag"), _caption_turns
    ),
    "objects": Task((*_OBJECTS, *_OBJECTS, "chart", "chart", "sign", "sign"), _plain_turns),
    "flags": Task(("flag", "flag", "flag", "far"), _plain_turns),
    "questions": Task(_ALL, _question_turns),
    "choice": Task((*_ALL, "flag", "flag", "pair", "sum", "chart"), _choice_turns),
    "manners": Task(_ALL, _manner_turns),
    "blind": Task(("blank", "blank", "bad"), _blind_turns),
    "repeat": Task(_ALL, _repeat_turns),
    "generate": Task(_ALL, _generate_turns),
    "verify": Task(_ALL, _verify_turns),
}
