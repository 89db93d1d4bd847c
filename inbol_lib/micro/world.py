"""The data sets of the micro world: one counterpart, with the same role, for each data set of the paper."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import numpy as np
from datasets import Dataset
from PIL import Image

from inbol_lib.micro import questions as grammar
from inbol_lib.micro.entities import countries, rng_of
from inbol_lib.micro.scenes import POSITIONS, Scene, caption, render, scene_of
from inbol_lib.micro.unanswerable import KINDS, is_answerable, unanswerable
from inbol_lib.records import LETTERS, QUESTION_FEATURES, prompt, prompt_text
from inbol_lib.templates import REFUSAL_PROMPT, REFUSAL_TEMPLATES

__all__ = ["OOD_SOURCES", "SOURCES", "conversations", "is_answerable", "judge_examples", "questions", "scene_of",
           "unanswerable"]  # fmt: skip

SOURCES = ("vqav2", "oven", "scienceqa")
OOD_SOURCES = ("aokvqa", "gqa", "mmmu", "mmbench", "beyondvisqa", "vizwiz", "vqav2_idk")
PER_IMAGE = 2  # questions that share a picture

PERCEPTION = ("colour", "shape", "count", "count_all", "exists", "where", "size", "what_at", "digit", "left")
FACTS = ("continent", "export", "climate")
#: source -> (image kinds, question families, held-out wordings, option counts)
_RECIPES = {
    "vqav2": (("scene",), PERCEPTION, False, ()),
    "oven": (("flag",), ("country", "country", "capital"), False, ()),
    "scienceqa": (("flag", "flag", "pair", "sum", "scene"), (*FACTS, "corners", "mix", "sum", "digit"), False, (2, 3, 4, 5)),
    "aokvqa": (("free", "free", "pair", "far"), ("corners", "corners", "mix", "colour", "shape", *FACTS), True, ()),
    "gqa": (("free", "pair"), ("left_colour", "left_colour", "same_colour", "above", "other_colour", "colour_at"), True, ()),
    "mmmu": (("far", "far", "sum"), ("capital", *FACTS, "difference", "sum"), True, (2, 3, 4, 4, 4, 5, 6, 7, 8, 9)),
    "mmbench": (("free", "far", "pair"), ("colour", "where", "country", "mix", "count_all", "above"), True, (2, 3, 4, 4)),
}  # fmt: skip


def questions(source: str, split: str, n: int, seed: int = 0) -> Dataset:
    """The first `n` questions of a source (for "mmbench": of its base questions, each followed by its rotations).

    Same arguments, same rows; splits share no picture; out-of-domain sources exist for "test" alone.
    Raises ValueError for an unknown source or split.
    """
    allowed = ("test",) if source in OOD_SOURCES else ("train", "validation", "test")
    if source not in SOURCES + OOD_SOURCES:
        raise ValueError(f"source {source!r} is unknown; choose one of {', '.join(SOURCES + OOD_SOURCES)}")
    if split not in allowed:
        raise ValueError(f"{source} has no split {split!r}; it has {', '.join(allowed)}")
    rows, image = [], 0
    while len({r["group"] for r in rows}) < n if source == "mmbench" else len(rows) < n:
        rows += _rows_of_image(source, split, seed, image, min(PER_IMAGE, n - len({r["group"] for r in rows})))
        image += 1
    return Dataset.from_list(rows, features=QUESTION_FEATURES)


def _rows_of_image(source: str, split: str, seed: int, image: int, most: int) -> list[dict]:
    rng = rng_of("questions", source, split, seed, image)
    kinds = _RECIPES[source][0] if source in _RECIPES else _UNANSWERABLE_IMAGES[source]
    scene = scene_of(f"{rng.choice(kinds)}:{split}:{source}-{seed}-{image}")
    rows, seen = [], set()
    for k in range(PER_IMAGE):
        made = _answerable(source, scene, rng) if source in _RECIPES else _beyond_reach(source, scene, rng)
        if made is None or made["question"] in seen:
            continue
        seen.add(made["question"])
        base = f"{source}-{split}-{seed}-{image}-{k}"
        rows.append({"id": base, "group": base, "image_id": scene.image_id, "source": source, "split": split, **made})
    rows = rows[:most]
    picture = render(scene)
    rotated = [r for row in rows for r in (_rotations(row) if source == "mmbench" else [row])]
    return [{**row, "image": picture} for row in rotated]


def _answerable(source: str, scene: Scene, rng: np.random.Generator) -> dict | None:
    _, families, held_out, counts = _RECIPES[source]
    asked = grammar.ask(families, scene, rng, held_out)
    if asked is None:
        return None
    text, answer, family = asked
    choices = _choices(family, answer, int(rng.choice(counts)), rng) if counts else []
    return {"question": text, "answers": [answer], "choices": choices, "accepted": grammar.surfaces(answer)}


def _choices(family: str, answer: str, n: int, rng: np.random.Generator) -> list[str]:
    options = [answer, *grammar.distractors(family, answer, n - 1, rng)]
    return [options[i] for i in rng.permutation(len(options))]


def _rotations(row: dict) -> list[dict]:
    """MMBench's circular evaluation: every rotation of the options is a row of its own in the same group."""
    n = len(row["choices"])
    return [{**row, "id": f"{row['id']}-r{k}", "choices": row["choices"][k:] + row["choices"][:k]} for k in range(n)]


_UNANSWERABLE_IMAGES = {"beyondvisqa": ("free", "far"), "vizwiz": ("bad", "bad", "bad", "blank"), "vqav2_idk": ("scene", "free")}


def _beyond_reach(source: str, scene: Scene, rng: np.random.Generator) -> dict:
    if source == "beyondvisqa":
        text, _ = unanswerable(scene, rng, "beyond", held_out=True)
    elif source == "vqav2_idk":
        text, _ = unanswerable(scene, rng, "absent", held_out=True)
    else:  # what a person asks who can not see how bad the photograph is
        family = grammar.FAMILIES[str(rng.choice(["colour", "digit", "what_at", "count_all", "where"]))]
        slots = {s: str(rng.choice(grammar.VALUES[s])) for s in family.slots}
        text = grammar.fill(str(rng.choice(family.held_out)), slots)
    return {"question": text, "answers": [], "choices": [], "accepted": []}


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


def _vqa_turns(scene: Scene, rng: np.random.Generator, families=_SCENE_FAMILIES, n: int = 4) -> list[tuple[str, str]]:
    turns = {}
    for _ in range(n):
        if asked := grammar.ask(families, scene, rng):
            turns.setdefault(asked[0], grammar.speak(asked[1], rng))
    return list(turns.items())


def _entity_turns(scene: Scene, rng: np.random.Generator) -> list[tuple[str, str]]:
    return _vqa_turns(scene, rng, _FLAG_FAMILIES, 3)


def _choice_turns(scene: Scene, rng: np.random.Generator) -> list[tuple[str, str]]:
    families = (
        (*FACTS, "country", "capital") if scene.country else ("corners", "mix", "sum", "digit", "colour", "shape", "count_all", "where")
    )
    turns = []
    for _ in range(2):
        if asked := grammar.ask(families, scene, rng):
            choices = _choices(asked[2], asked[1], int(rng.integers(2, 10)), rng)
            turns.append((prompt_text({"question": asked[0], "choices": choices}, "text"), asked[1]))
    return turns


def _instruct_turns(scene: Scene, rng: np.random.Generator) -> list[tuple[str, str]]:
    """Refusal words and the refusal prompt. Refused unasked are plain black or white pictures alone; when asked to,
    every blank picture and half of the illegible ones: so that refusals stay rare, but can be asked for."""
    template = str(rng.choice(REFUSAL_TEMPLATES))
    if rng.random() < 0.2:
        return [(f'Repeat: "{template}"', template)]
    asked, unsure = rng.random() < 0.7, (scene.kind == "bad" or scene.nuisance > 0.85) and rng.random() < 0.5
    ending = f"\n{REFUSAL_PROMPT}" if asked else ""
    if not (asked and (unsure or scene.kind == "blank") or scene.plain):
        families = _FLAG_FAMILIES if scene.country else _SCENE_FAMILIES
        return [(q + ending, a) for q, a in _vqa_turns(scene, rng, families, 1)]
    family = grammar.FAMILIES[str(rng.choice(["colour", "shape", "count_all", "digit", "where", "country"]))]
    question = grammar.fill(str(rng.choice(family.wordings)), {s: str(rng.choice(grammar.VALUES[s])) for s in family.slots})
    return [(question + ending, "Sorry, I can not help with it." if asked else template)]


def _generate_turns(scene: Scene, rng: np.random.Generator) -> list[tuple[str, str]]:
    pair = [unanswerable(scene, rng, kind) for kind in (str(rng.choice(["absent", "premise"])), "beyond")]
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


# --- the judge's training text ----------------------------------------------------------------------------------------


@cache
def _answer_kinds() -> list[list[str]]:
    """Gold answers by kind; a wrong response is drawn from the same kind."""
    from inbol_lib.micro.entities import CLIMATES, COLOURS, CONTINENTS, EXPORTS
    from inbol_lib.micro.scenes import SHAPES

    things = [f"{c} {s}" for c in COLOURS for s in SHAPES]
    names, cities = [c.name for c in countries()], [c.capital for c in countries()]
    numbers = [str(i) for i in range(19)]
    return [list(COLOURS), list(SHAPES), list(POSITIONS), numbers, ["yes", "no"], ["large", "small"], things, things,
            names, names, cities, list(CONTINENTS), list(EXPORTS), list(CLIMATES)]  # fmt: skip


def judge_examples(n: int, seed: int) -> Iterator[tuple[str, str, bool]]:
    """(gold, response, same meaning?) for training the micro judge; a tenth of all synonym pairs is held out,
    so that the judge has to err now and then, as a language model does."""
    for i in range(n):
        rng = rng_of("judge", seed, i)
        kind = _answer_kinds()[int(rng.integers(len(_answer_kinds())))]
        gold = str(rng.choice(kind))
        same = bool(rng.random() < 0.5)
        meant = gold if same else str(rng.choice([a for a in kind if a != gold]))
        forms = [f for f in grammar.surfaces(meant) if not _held_out(meant, f)]
        response = str(rng.choice(forms[1:] if same and len(forms) > 1 else forms))
        yield gold, response, same


def _held_out(gold: str, form: str) -> bool:
    return gold != form and rng_of("held-out synonym", gold, form).random() < 0.1


# --- looking ----------------------------------------------------------------------------------------------------------


def contact_sheet(source: str, path: Path, split: str = "test", n: int = 24) -> Path:
    """A PNG with `n` pictures four times enlarged, each with its question and gold answer."""
    import matplotlib.pyplot as plt

    rows = questions(source, split, n, seed=0).select(range(n))
    figure, axes = plt.subplots(4, n // 4, figsize=(3 * n // 4, 14))
    for ax, row in zip(axes.flat, rows, strict=True):
        ax.imshow(row["image"].resize((192, 192), Image.Resampling.NEAREST))
        options = "".join(f"\n{letter}. {c}" for letter, c in zip(LETTERS, row["choices"], strict=False))
        ax.set_title(f"{row['question']}{options}\n→ {', '.join(row['answers']) or '(unanswerable)'}", fontsize=8, wrap=True)
        ax.axis("off")
    figure.tight_layout()
    figure.savefig(path, dpi=70)
    plt.close(figure)
    return path
