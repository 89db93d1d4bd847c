"""Making questions that their image cannot answer (paper, Sec. 3.2 and App. D.2).

There are two ways: show a question with another image, or ask a generator for two questions about
an image. Nothing is filtered here; `unanswerable.py` does that.
"""

from collections.abc import Sequence

import numpy as np
from datasets import Dataset

from inbol_lib.boundary.asking import ask, wording
from inbol_lib.boundary.generated_text import parse_pairs
from inbol_lib.data.records import rng_for
from inbol_lib.data.templates import prompt
from inbol_lib.errors import ParameterError
from inbol_lib.micro import world
from inbol_lib.params import Params

#: Longest answer of a generator in tokens, by the `wording` of its prompt.
_LONGEST = {"": 96, "_paper": 256}


def swapped(questions: Dataset, n: int, seed: int) -> list[dict]:
    """Show questions with the image of another row.

    Parameters
    ----------
    questions : Dataset
        Rows to take questions and images from. Open questions are used where there are any.
    n : int
        How many to make; fewer come back when there are fewer questions.
    seed : int

    Returns
    -------
    list of dict
        Unanswerable rows, none of which keeps its own image.

    Raises
    ------
    ParameterError
        When all questions share one image.
    """
    rng = np.random.default_rng(seed)
    rows = questions.remove_columns("image").to_list()
    if n and len({row["image_id"] for row in rows}) < 2:
        raise ParameterError(
            "swapping needs at least two images, and all questions share one; "
            "set swap_share to 0 or add images"
        )
    open_ended = [index for index, row in enumerate(rows) if not row["choices"]]
    candidates = open_ended or list(range(len(rows)))
    made = []
    for index in rng.permutation(candidates)[:n]:
        row = rows[index]
        other = _row_with_another_image(rows, row["image_id"], rng)
        shown = questions[other]
        made.append(_unanswerable_row(shown, row["question"], f"swap-{row['id']}", "swap"))
    return made


def _row_with_another_image(rows: Sequence[dict], own: str, rng: np.random.Generator) -> int:
    order = rng.permutation(len(rows)).tolist()
    return next(index for index in order if rows[index]["image_id"] != own)


def generated(p: Params, questions: Dataset, n: int, seed: int) -> tuple[list[dict], int]:
    """Ask `p.unanswerable_generator` for questions, two for each image.

    The generator "program" knows the scenes of the micro world and stands in for GPT-4o. Micro
    models get a prompt of their own, all others the paper's (Fig. 8; what is illegible in the
    available copy is ours).

    Parameters
    ----------
    p : Params
    questions : Dataset
        Rows whose images are used, each image once.
    n : int
        How many questions to make; fewer come back when images or readable answers run out.
    seed : int

    Returns
    -------
    rows : list of dict
        At most `n` unanswerable rows, each with its `explanation`.
    unparsable : int
        How many of the generator's answers held no question.
    """
    name = p.unanswerable_generator
    rows = _one_for_each_image(questions, (n + 1) // 2, seed)
    if name == "program":
        pairs = [_programmed(row["image_id"], seed) for row in rows]
    else:
        texts = [prompt(f"generate_unanswerable{wording(name)}")] * len(rows)
        # Sampled at `p.temperature`, because greedy answers repeat each other.
        answers = ask(p, name, rows, texts, _LONGEST[wording(name)], p.temperature, seed)
        pairs = [parse_pairs(answer) for answer in answers]
    made = []
    for row, found in zip(rows, pairs, strict=True):
        for number, (question, explanation) in enumerate(found[:2]):
            new = _unanswerable_row(row, question, f"{name}-{number}-{row['image_id']}", name)
            made.append(new | {"explanation": explanation})
    unparsable = sum(not found for found in pairs)
    return made[:n], unparsable


def _one_for_each_image(questions: Dataset, count: int, seed: int) -> list[dict]:
    """Return the first rows of randomly drawn images."""
    _, firsts = np.unique(questions["image_id"], return_index=True)
    order = np.random.default_rng(seed).permutation(np.sort(firsts))
    return list(questions.select(order[:count]))


def _programmed(image_id: str, seed: int) -> list[tuple[str, str]]:
    """Return two questions about a scene of the micro world, with their explanations."""
    rng = rng_for(seed, image_id)
    scene = world.scene_of(image_id)
    first = str(rng.choice(["absent", "absent", "premise"]))
    return [world.unanswerable(scene, rng, kind) for kind in (first, "beyond")]


def _unanswerable_row(shown: dict, question: str, name: str, origin: str) -> dict:
    """Return a question about the image of `shown`: a record that still lacks its responses."""
    return {
        "image": shown["image"],
        "image_id": shown["image_id"],
        "split": shown["split"],
        "id": name,
        "group": name,
        "question": question,
        "answers": [],
        "choices": [],
        "source": "uavqa",
        "accepted": [],
        "origin": origin,
        "verdicts": ["incorrect"],
        "confidence": 0.0,
        "correct": "",
    }
