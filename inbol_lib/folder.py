"""Any VQA data set as a folder: images and a `questions.jsonl` with one JSON object a line.

    {"id": "q1", "image": "images/7.png", "question": "What color is it?", "answers": ["red"], "split": "train"}

`id` is unique; `image` is a path inside the folder; `answers` lists every accepted answer (at least one); optional
`choices` lists the options of a multiple-choice question, one of which is the answer; optional `split` is "train",
"validation" or "test" (without it, 60/20/20 by a stable hash of the image). No image may occur in two splits.
"""

import hashlib
import json
from functools import cache
from pathlib import Path

from datasets import Dataset
from PIL import Image, UnidentifiedImageError

from inbol_lib.records import QUESTION_FEATURES

SPLITS = ("train", "validation", "test")


class FolderError(ValueError):
    """The folder is broken; the message lists what is wrong line by line."""


@cache
def check(root: Path) -> tuple[dict, ...]:
    """All rows of a valid folder, each with its split. Raises FolderError that names every broken line."""
    table = root / "questions.jsonl"
    if not table.is_file():
        raise FolderError(f"{table} does not exist; see `python -c 'import inbol_lib.folder as f; help(f)'` for the format")
    try:
        lines = table.read_text(encoding="utf-8").split("\n")  # splitlines would also cut at U+2028 inside a question
    except UnicodeDecodeError as error:
        raise FolderError(f"{table} is not UTF-8 (byte {error.start}); save it as UTF-8") from None
    rows, problems, ids, images, splits = [], [], {}, {}, {}
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        row, wrong = _read(line)
        if row is not None:
            if isinstance(name := row.get("image"), str):
                wrong += images[name] if name in images else images.setdefault(name, _look(root, name))
            if not isinstance(row.get("id"), str):
                pass  # already named
            elif row["id"] in ids:
                wrong.append(f"id {row['id']!r} was used in line {ids[row['id']]}")
            else:
                ids[row["id"]] = number
        if not wrong:
            row["split"] = row.get("split") or _hashed_split(row["image"])
            first = splits.setdefault((root / row["image"]).resolve(), row["split"])
            if first != row["split"]:
                wrong.append(f"image {row['image']!r} is in split {first!r} as well as {row['split']!r}")
            rows.append(row)
        problems += [f"line {number}: {w}" for w in wrong]
    if problems:
        more = f"\n... and {len(problems) - 50} more" if len(problems) > 50 else ""
        raise FolderError(f"{table} has {len(problems)} problems:\n" + "\n".join(problems[:50]) + more)
    if not rows:
        raise FolderError(f"{table} holds no questions")
    return tuple(rows)


def _read(line: str) -> tuple[dict | None, list[str]]:
    try:
        row = json.loads(line)
    except json.JSONDecodeError as error:
        return None, [f"no JSON: {error.msg} at column {error.colno}"]
    if not isinstance(row, dict):
        return None, [f"expected an object, got {type(row).__name__}"]
    wrong = [f"{key!r} must be a non-empty string, given {row.get(key)!r}"
             for key in ("id", "image", "question") if not (isinstance(row.get(key), str) and row[key].strip())]  # fmt: skip
    wrong += _answer_problems(row)
    if row.get("split") not in (None, *SPLITS):
        wrong.append(f"'split' must be one of {', '.join(SPLITS)}, given {row['split']!r}")
    return row, wrong


def _answer_problems(row: dict) -> list[str]:
    answers, choices = row.get("answers"), row.get("choices") or []
    if not _texts(answers) or not answers:
        return [f"'answers' must list at least one non-empty string, given {answers!r}"]
    if not _texts(choices):
        return [f"'choices' must be a list of strings, given {choices!r}"]
    if choices and (not 2 <= len(choices) <= 9 or answers[0] not in choices):
        return [f"'choices' must hold 2 to 9 options, one of them the answer (the first of `answers`); given {choices!r}"]
    return []


def _texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(v, str) and v.strip() for v in value)


def _look(root: Path, name: str) -> list[str]:
    try:
        file = (root / name).resolve()
        there = file.is_file()
    except (OSError, ValueError) as error:
        return [f"image path {name[:40]!r} is no file name ({error.__class__.__name__})"]
    if not file.is_relative_to(root.resolve()):
        return [f"image path {name!r} leaves the folder"]
    if not there:
        return [f"image {name!r} does not exist"]
    try:
        with Image.open(file) as image:
            image.load()  # verify() alone passes a cut JPEG
    except (UnidentifiedImageError, OSError, SyntaxError, Image.DecompressionBombError) as error:
        return [f"{name!r} is no readable image ({type(error).__name__})"]
    return []


def _hashed_split(image: str) -> str:
    share = int.from_bytes(hashlib.sha256(image.encode()).digest()[:4], "little") / 2**32
    return "train" if share < 0.6 else ("validation" if share < 0.8 else "test")


def load(root: Path, split: str, n: int, seed: int = 0) -> Dataset:
    """Up to `n` questions of a split as Question rows, in an order drawn by `seed`."""
    mine = [r for r in check(root) if r["split"] == split]
    if not mine:
        raise FolderError(f"{root} has no questions in split {split!r}")
    mine.sort(key=lambda r: hashlib.sha256(f"{seed}|{r['id']}".encode()).digest())
    rows = [
        {"id": r["id"], "image": str(root / r["image"]), "image_id": r["image"], "question": r["question"],
         "answers": r["answers"], "choices": r.get("choices") or [], "source": root.name, "split": split,
         "group": r["id"], "accepted": []}
        for r in mine[:n]
    ]  # fmt: skip
    table = Dataset.from_list(rows, features=QUESTION_FEATURES)
    return table.map(lambda row: {"image": row["image"].convert("RGB")}, features=QUESTION_FEATURES)
