"""Any VQA data set as a folder: images and a `questions.jsonl` with one JSON object a line.

    {"id": "q1", "image": "images/7.png", "question": "What color is it?", "answers": ["red"], "split": "train"}

`id` is unique; `image` is a path inside the folder; `answers` lists every accepted answer (at least one); optional
`choices` lists the options of a multiple-choice question, one of which is the answer; optional `split` is "train",
"validation" or "test" (without it, 60/20/20 by a stable hash of the image). No image may occur in two splits.
"""

import hashlib
import json
from functools import cache, partial
from pathlib import Path
from typing import Any

from datasets import Dataset
from PIL import Image

from inbol_lib.data.records import QUESTION_FEATURES
from inbol_lib.errors import ParameterError

SPLITS = ("train", "validation", "test")
FIFTHS = ("train", "train", "train", "validation", "test")


def _texts(*values: Any) -> bool:
    return all(isinstance(v, str) and v.strip() for v in values)


#: key -> what it must be, and whether a value is
RULES = {
    "id": ("a non-empty string", _texts),
    "image": ("a non-empty string", _texts),
    "question": ("a non-empty string", _texts),
    "answers": ("a list of at least one non-empty string", lambda v: v and isinstance(v, list) and _texts(*v)),
    "choices": ("a list of 2 to 9 different options, or absent",
                lambda v: not v or (isinstance(v, list) and _texts(*v) and 2 <= len({*v}) == len(v) <= 9)),
    "split": (f"one of {', '.join(SPLITS)}, or absent", lambda v: v in (None, *SPLITS)),
}  # fmt: skip


@cache
def check(root: Path) -> tuple[dict, ...]:
    """All rows of a valid folder, each with its split. Raises ParameterError that names every broken line or the empty splits."""
    table = root / "questions.jsonl"
    if not table.is_file():
        raise ParameterError(
            f"{table} does not exist; see `python -c 'import inbol_lib.data.folder as f; help(f)'` for the format"
        )
    rows, problems, ids, splits, look = [], [], {}, {}, cache(partial(_look, root))
    for number, line in enumerate(table.read_bytes().split(b"\n"), 1):
        if not line.strip():
            continue
        row, wrong = _read(line)
        wrong = wrong or look(row["image"])
        if not wrong:
            row["split"] = (
                row.get("split")
                or FIFTHS[int(hashlib.sha256(row["image"].encode()).hexdigest(), 16) % 5]
            )
            if (first := ids.setdefault(row["id"], number)) != number:
                wrong = [f"id {row['id']!r} was used in line {first}"]
            elif (first := splits.setdefault((root / row["image"]).resolve(), row["split"])) != row[
                "split"
            ]:
                wrong = [
                    f"image {row['image']!r} is in split {first!r} as well as {row['split']!r}"
                ]
            rows.append(row)
        problems += [f"line {number}: {w}" for w in wrong]
    if problems:
        raise ParameterError(
            "\n".join(
                [f"{table} has {len(problems)} problems (at most 50 are listed):", *problems[:50]]
            )
        )
    if empty := [s for s in SPLITS if s not in {r["split"] for r in rows}]:
        raise ParameterError(
            f'{table} holds no {" and no ".join(empty)} question; add questions, or give every line a "split"'
        )
    return tuple(rows)


def _read(line: bytes) -> tuple[dict, list[str]]:
    """A line's object, and what is wrong with it."""
    try:
        row = json.loads(line)
    except ValueError as error:
        return {}, [f"no JSON in UTF-8: {error}".replace("line 1 column", "column")]
    if not isinstance(row, dict):
        return {}, [f"expected an object, got {type(row).__name__}"]
    wrong = [
        f"{key!r} must be {what}, given {row.get(key)!r:.200}"
        for key, (what, right) in RULES.items()
        if not right(row.get(key))
    ]
    if not wrong and row.get("choices") and row["answers"][0] not in row["choices"]:
        wrong.append(
            f"'choices' must hold the answer {row['answers'][0]!r}, given {row['choices']!r}"
        )
    return row, wrong


def _look(root: Path, name: str) -> list[str]:
    """What is wrong with an image."""
    try:
        file = (root / name).resolve()
        if not file.is_relative_to(root.resolve()):
            return [f"image path {name!r} leaves the folder"]
        if not file.is_file():
            return [f"image {name!r} does not exist"]
        with Image.open(file) as image:
            image.load()  # verify() alone passes a cut JPEG
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        return [f"{name!r:.200} is no readable image ({type(error).__name__})"]
    return []


def load(root: Path, split: str, n: int, seed: int = 0) -> Dataset:
    """Up to `n` questions of a split as Question rows, in an order drawn by `seed`."""
    mine = sorted(check(root), key=lambda r: hashlib.sha256(f"{seed}|{r['id']}".encode()).digest())
    rows = [
        {"id": r["id"], "image": str(root / r["image"]), "image_id": r["image"], "question": r["question"],
         "answers": r["answers"], "choices": r.get("choices") or [], "source": root.name, "split": split,
         "group": r["id"], "accepted": []}
        for r in [r for r in mine if r["split"] == split][:n]
    ]  # fmt: skip
    table = Dataset.from_list(rows, features=QUESTION_FEATURES)
    return table.map(lambda row: {"image": row["image"].convert("RGB")}, features=QUESTION_FEATURES)
