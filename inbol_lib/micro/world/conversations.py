"""Conversations about pictures, for pretraining: what a model hears before the study begins.

They use pictures and digits of their own, never a held-out wording, and name seen countries alone,
so it is known what of the study's questions is new to the model. Refusals are part of it in small
doses: a model that never heard one could not be asked for one, and one that heard many would need
no training to refuse.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from inbol_lib.data.records import prompt_text
from inbol_lib.data.templates import REFUSAL_PROMPT, REFUSAL_TEMPLATES, prompt
from inbol_lib.micro.world import grammar
from inbol_lib.micro.world.drawing import render
from inbol_lib.micro.world.randomness import rng_of
from inbol_lib.micro.world.scenes import Scene, caption, scene_of
from inbol_lib.micro.world.sources import FACTS, PERCEPTION, shuffled_options
from inbol_lib.micro.world.unanswerable_questions import KINDS, random_slots, unanswerable

Turns = list[tuple[str, str]]  # what the user and the assistant say

CAPTION_PROMPT = "Describe the image."
GENERATE_PROMPT = prompt("generate_unanswerable")
VERIFY_PROMPTS = {kind: prompt(f"verify_{kind}") for kind in KINDS}

_SCENE_FAMILIES = (
    *PERCEPTION,
    *PERCEPTION,
    *("above", "same_colour", "other_colour", "other_shape", "colour_at"),
    *("corners", "mix", "sum", "difference"),
)
_FLAG_FAMILIES = ("country", "country", "capital", *FACTS)
_SCENE_CHOICES = ("corners", "mix", "sum", "digit", "colour", "shape", "count_all", "where")
_FLAG_CHOICES = (*FACTS, "country", "capital")
#: Families that ask about pictures on which nothing can be seen.
_ILLEGIBLE_FAMILIES = ["colour", "shape", "count_all", "digit", "where", "country"]


@dataclass(frozen=True)
class Task:
    """One kind of conversation: the kinds of pictures that it is about, and how it runs.

    `turns(scene, rng)` may come out empty, where nothing can be asked.
    """

    image_kinds: tuple[str, ...]
    turns: Callable[[Scene, np.random.Generator], Turns]


def conversations(n: int, seed: int | str, mixture: Mapping[str, float]) -> Iterator[dict]:
    """Draw pictures with conversations about them, from a split that only pretraining uses.

    Parameters
    ----------
    n : int
        Number of draws; one in which nothing can be asked yields no conversation.
    seed : int or str
        Another seed gives other pictures.
    mixture : mapping of str to float
        Weights of the tasks: caption, vqa, entity, choice, instruct, generate and verify.

    Yields
    ------
    dict
        `image` (PIL image) and `turns` (list of pairs: user, assistant).
    """
    tasks, weights = list(mixture), np.array(list(mixture.values()), float)
    for i in range(n):
        rng = rng_of("conversation", seed, i)
        task = _TASKS[str(rng.choice(tasks, p=weights / weights.sum()))]
        scene = scene_of(f"{rng.choice(task.image_kinds)}:pretrain:{seed}-{i}")
        turns = task.turns(scene, rng)
        if turns:
            yield {"image": render(scene), "turns": turns}


def _families(scene: Scene) -> Sequence[str]:
    return _FLAG_FAMILIES if scene.country else _SCENE_FAMILIES


def _caption_turns(scene: Scene, rng: np.random.Generator) -> Turns:
    return [(CAPTION_PROMPT, caption(scene))]


def _question_turns(
    families: Sequence[str], scene: Scene, rng: np.random.Generator, n: int
) -> Turns:
    """Ask up to `n` different questions; answers come in all their forms."""
    turns: dict[str, str] = {}
    for _ in range(n):
        asked = grammar.ask(families, scene, rng)
        if asked:
            turns.setdefault(asked.question, grammar.speak(asked.answer, rng))
    return list(turns.items())


def _vqa_turns(scene: Scene, rng: np.random.Generator) -> Turns:
    return _question_turns(_SCENE_FAMILIES, scene, rng, 4)


def _entity_turns(scene: Scene, rng: np.random.Generator) -> Turns:
    return _question_turns(_FLAG_FAMILIES, scene, rng, 3)


def _choice_turns(scene: Scene, rng: np.random.Generator) -> Turns:
    """Ask two multiple-choice questions, to be answered with the text of an option."""
    turns = []
    for _ in range(2):
        asked = grammar.ask(_FLAG_CHOICES if scene.country else _SCENE_CHOICES, scene, rng)
        if asked:
            choices = shuffled_options(asked, int(rng.integers(2, 10)), rng)
            question = prompt_text({"question": asked.question, "choices": choices}, "text")
            turns.append((question, asked.answer))
    return turns


def _instruct_turns(scene: Scene, rng: np.random.Generator) -> Turns:
    """Teach the words of a refusal, and to obey the refusal prompt.

    Refusals should stay rare but be there to be asked for. So without the prompt only plain black
    or bright pictures are refused; with it, every blank picture and half of the illegible ones.
    """
    template = str(rng.choice(REFUSAL_TEMPLATES))
    if rng.random() < 0.2:
        return [(f'Repeat: "{template}"', template)]
    prompted = rng.random() < 0.7
    illegible = scene.kind == "bad" or scene.nuisance > 0.85
    unsure = illegible and rng.random() < 0.5
    ending = f"\n{REFUSAL_PROMPT}" if prompted else ""
    if scene.plain or (prompted and (unsure or scene.kind == "blank")):
        refusal = "Sorry, I can not help with it." if prompted else template
        return [(_illegible_question(rng) + ending, refusal)]
    turns = _question_turns(_families(scene), scene, rng, 1)
    return [(question + ending, answer) for question, answer in turns]


def _illegible_question(rng: np.random.Generator) -> str:
    family = grammar.FAMILIES[str(rng.choice(_ILLEGIBLE_FAMILIES))]
    wording = str(rng.choice(family.wordings))
    return grammar.fill(wording, random_slots(family, rng))


def _generate_turns(scene: Scene, rng: np.random.Generator) -> Turns:
    """Write two unanswerable questions with explanations, as the study asks a generator to."""
    lines = []
    for kind in (str(rng.choice(["absent", "premise"])), "beyond"):
        question, explanation = unanswerable(scene, rng, kind)
        lines.append(f"Question: {question}\nExplanation: {explanation}")
    return [(GENERATE_PROMPT, "\n".join(lines))]


def _verify_turns(scene: Scene, rng: np.random.Generator) -> Turns:
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


_SCENES = ("scene", "scene", "scene", "pair", "sum")
_TASKS = {
    "caption": Task((*_SCENES, "flag"), _caption_turns),
    "vqa": Task(_SCENES, _vqa_turns),
    "entity": Task(("flag",), _entity_turns),
    "choice": Task(("flag", "flag", "pair", "sum", "scene"), _choice_turns),
    "instruct": Task(("blank", "bad", "scene", "flag"), _instruct_turns),
    "generate": Task(("scene", "scene", "flag"), _generate_turns),
    "verify": Task(("scene", "scene", "flag"), _verify_turns),
}
