"""TODO."""

from collections.abc import Iterator

import numpy as np

from inbol_lib.data.records import prompt_text
from inbol_lib.data.templates import REFUSAL_PROMPT, REFUSAL_TEMPLATES, prompt
from inbol_lib.micro.world import grammar
from inbol_lib.micro.world.drawing import render
from inbol_lib.micro.world.entities import rng_of
from inbol_lib.micro.world.scenes import Scene, caption, scene_of
from inbol_lib.micro.world.sources import FACTS, PERCEPTION, _choices
from inbol_lib.micro.world.unanswerable_questions import KINDS, unanswerable

# --- pretraining ------------------------------------------------------------------------------------------------------

CAPTION_PROMPT = "Describe the image."
GENERATE_PROMPT = prompt("generate_unanswerable")
VERIFY_PROMPTS = {kind: prompt(f"verify_{kind}") for kind in KINDS}
#: Everything the world may ask, in its training wordings.
_SCENE_FAMILIES = (*PERCEPTION, *PERCEPTION, "above", "same_colour", "other_colour", "other_shape", "colour_at",
                   "corners", "mix", "sum", "difference")  # fmt: skip
_FLAG_FAMILIES = ("country", "country", "capital", *FACTS)


def conversations(n: int, seed: int, mixture: dict[str, float]) -> Iterator[dict]:
    """`n` pictures with turns [(user, assistant), ...] for pretraining, drawn from a split of their own.

    `mixture` weighs the tasks caption, vqa, entity, choice, instruct, generate and verify.
    """
    tasks, weights = list(mixture), np.array(list(mixture.values()), float)
    for i in range(n):
        rng = rng_of("conversation", seed, i)
        task = str(rng.choice(tasks, p=weights / weights.sum()))
        kinds, turns = _TASKS[task]
        scene = scene_of(f"{rng.choice(kinds)}:pretrain:{seed}-{i}")
        said = turns(scene, rng)
        if said:
            yield {"image": render(scene), "turns": said}


def _vqa_turns(
    scene: Scene, rng: np.random.Generator, families=_SCENE_FAMILIES, n: int = 4
) -> list[tuple[str, str]]:
    turns = {}
    for _ in range(n):
        if asked := grammar.ask(families, scene, rng):
            turns.setdefault(asked[0], grammar.speak(asked[1], rng))
    return list(turns.items())


def _entity_turns(scene: Scene, rng: np.random.Generator) -> list[tuple[str, str]]:
    return _vqa_turns(scene, rng, _FLAG_FAMILIES, 3)


def _choice_turns(scene: Scene, rng: np.random.Generator) -> list[tuple[str, str]]:
    families = (
        (*FACTS, "country", "capital")
        if scene.country
        else ("corners", "mix", "sum", "digit", "colour", "shape", "count_all", "where")
    )
    turns = []
    for _ in range(2):
        if asked := grammar.ask(families, scene, rng):
            choices = _choices(asked[2], asked[1], int(rng.integers(2, 10)), rng)
            turns.append(
                (prompt_text({"question": asked[0], "choices": choices}, "text"), asked[1])
            )
    return turns


def _instruct_turns(scene: Scene, rng: np.random.Generator) -> list[tuple[str, str]]:
    """Refusal words and the refusal prompt. Refused unasked are plain black or white pictures alone; when asked to,
    every blank picture and half of the illegible ones: so that refusals stay rare, but can be asked for."""
    template = str(rng.choice(REFUSAL_TEMPLATES))
    if rng.random() < 0.2:
        return [(f'Repeat: "{template}"', template)]
    asked, unsure = (
        rng.random() < 0.7,
        (scene.kind == "bad" or scene.nuisance > 0.85) and rng.random() < 0.5,
    )
    ending = f"\n{REFUSAL_PROMPT}" if asked else ""
    if not (asked and (unsure or scene.kind == "blank") or scene.plain):
        families = _FLAG_FAMILIES if scene.country else _SCENE_FAMILIES
        return [(q + ending, a) for q, a in _vqa_turns(scene, rng, families, 1)]
    family = grammar.FAMILIES[
        str(rng.choice(["colour", "shape", "count_all", "digit", "where", "country"]))
    ]
    question = grammar.fill(
        str(rng.choice(family.wordings)),
        {s: str(rng.choice(grammar.VALUES[s])) for s in family.slots},
    )
    return [(question + ending, "Sorry, I can not help with it." if asked else template)]


def _generate_turns(scene: Scene, rng: np.random.Generator) -> list[tuple[str, str]]:
    pair = [
        unanswerable(scene, rng, kind)
        for kind in (str(rng.choice(["absent", "premise"])), "beyond")
    ]
    return [(GENERATE_PROMPT, "\n".join(f"Question: {q}\nExplanation: {e}" for q, e in pair))]


def _verify_turns(scene: Scene, rng: np.random.Generator) -> list[tuple[str, str]]:
    """The three checks, as often yes as no. A question of another kind is a "no" only where nobody could argue."""
    turns = []
    for _ in range(2):
        check, draw = str(rng.choice(KINDS)), rng.random()
        if draw < 0.5:
            text, verdict = unanswerable(scene, rng, check)[0], "yes"
        elif draw < 0.65 and check != "beyond":
            text, verdict = unanswerable(scene, rng, "beyond")[0], "no"
        else:
            asked = grammar.ask(_FLAG_FAMILIES if scene.country else _SCENE_FAMILIES, scene, rng)
            text, verdict = (asked[0] if asked else None), "no"
        if text:
            turns.append((VERIFY_PROMPTS[check].format(question=text), verdict))
    return turns


_SCENES, _FLAGS = ("scene", "scene", "scene", "pair", "sum"), ("flag",)
_TASKS = {
    "caption": ((*_SCENES, *_FLAGS), lambda scene, rng: [(CAPTION_PROMPT, caption(scene))]),
    "vqa": (_SCENES, _vqa_turns),
    "entity": (_FLAGS, _entity_turns),
    "choice": (("flag", "flag", "pair", "sum", "scene"), _choice_turns),
    "instruct": (("blank", "bad", "scene", "flag"), _instruct_turns),
    "generate": (("scene", "scene", "flag"), _generate_turns),
    "verify": (("scene", "scene", "flag"), _verify_turns),
}
