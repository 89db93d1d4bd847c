"""Sample data that tests of several files build, sorted by the room that it belongs to."""

import json

import numpy as np
import pandas as pd
from PIL import Image

from inbol_lib.boundary import review
from inbol_lib.data import folder
from inbol_lib.micro import world

# boundary

RED = Image.new("RGB", (8, 8), "red")


def decision_line(p, name="q", accepted=False, split="test", origin="swap") -> dict:
    """A line of the file of decisions, about the question `name` of the red picture."""
    return {
        "id": name,
        "digest": review.digest(RED, name),
        "accepted": accepted,
        "split": split,
        "origin": origin,
        "pool": review.pool(p, split),
        "question": name,
    }


def write_decisions(p, *lines) -> None:
    """Append lines, texts or what becomes JSON, to the file of decisions."""
    path = review.file(p)
    path.parent.mkdir(parents=True, exist_ok=True)
    texts = [line if isinstance(line, str) else json.dumps(line) for line in lines]
    with path.open("a") as file:
        file.writelines(f"{text}\n" for text in texts)


def question_table(*questions) -> pd.DataFrame:
    """A table of questions about the red picture, given as (name, origin, end)."""
    rows = [
        {
            "id": name,
            "image_id": "red",
            "question": name,
            "origin": origin,
            "explanation": "<b>why</b>",
            "checks": [True, False, None],
            "incorrect": "blue",
            "digest": review.digest(RED, name),
            "end": end,
        }
        for name, origin, end in questions
    ]
    return review.table(rows)


def review_of(p, *names) -> review.Review:
    """A review of swapped test questions about the red picture."""
    items = question_table(*((name, "swap", "") for name in names))
    return review.Review(p, "test", items, lambda _: RED)


# data


def question_folder(root, pictures=1) -> None:
    """Write a question on each of some pictures of every split, as `folder:` reads them.

    The first question of a split has its name as its id.
    """
    lines = []
    for split in folder.SPLITS:
        for number in range(pictures):
            name = f"{split}{number or ''}"
            Image.new("RGB", (4, 4)).save(root / f"{name}.png")
            question = {"id": name, "question": "What?", "answers": ["red"], "split": split}
            lines.append(json.dumps({**question, "image": f"{name}.png"}))
    (root / "questions.jsonl").write_text("\n".join(lines))


def picture_folder(root, sizes) -> None:
    """Write questions of the micro world with their pictures: split -> how many."""
    lines = []
    for split, n in sizes.items():
        for row in world.questions("vqav2", split, n):
            name = f"{row['image_id'].replace(':', '-')}.png"
            row["image"].save(root / name)
            lines.append({key: row[key] for key in ("id", "question", "answers", "choices")})
            lines[-1] |= {"image": name, "split": split}
    (root / "questions.jsonl").write_text("\n".join(map(json.dumps, lines)))


# evaluation


def outcome_table(
    words, source="vqav2", method="original", answerable=True, **extra
) -> pd.DataFrame:
    """An outcome table with one row per word of `words`, two questions on each image.

    Confidences rise evenly from 0 to 1; `extra` gives more columns.
    """
    n = len(words)
    return pd.DataFrame(
        {
            "id": [f"{source}-{i}" for i in range(n)],
            "image_id": [f"{source}-{i // 2}" for i in range(n)],
            "group": [f"g{i // 2}" for i in range(n)],
            "source": source,
            "split": "test",
            "model": "micro-s",
            "method": method,
            "seed": 0,
            "response": "",
            "outcome": words,
            "confidence": np.linspace(0, 1, n),
            "answerable": answerable,
            **extra,
        }
    )


def scored_outcomes(scores, n=300, seed=0) -> pd.DataFrame:
    """Validation outcomes of the original model and columns `scores` that hold P(right) of each.

    The first nine of the `n` questions are refused.
    """
    rng = np.random.default_rng(seed)
    chance = rng.integers(0, 11, n) / 10
    words = np.where(rng.random(n) < chance, "correct", "incorrect")
    words[:9] = "refusal"
    ids = [f"q{i}" for i in range(n)]
    return pd.DataFrame(
        {
            "id": ids,
            "image_id": ids,
            "model": "micro-s",
            "method": "original",
            "seed": 0,
            "source": "vqav2",
            "split": "validation",
            "answerable": True,
            "outcome": words,
            **dict.fromkeys(scores, chance),
        }
    )


# report


def outcome_rows(rows, method="idk_it", **extra) -> pd.DataFrame:
    """An outcome table from (id, outcome, confidence), each question on an image of its own.

    `extra` gives more columns, or other values for those that there are.
    """
    table = pd.DataFrame(rows, columns=["id", "outcome", "confidence"])
    fixed = {
        "image_id": "flag:test:" + table.id,
        "group": table.id,
        "source": "vqav2",
        "split": "test",
        "model": "micro-s",
        "method": method,
        "seed": 0,
        "answerable": True,
    }
    return table.assign(**fixed | extra)
