"""What stages hand to each other: rows of questions and records, in tables written whole."""

import hashlib
import string
from pathlib import Path

import numpy as np
import pandas as pd
from datasets import Dataset, Features, Image, List, Value

from inbol_lib.data.files import whole
from inbol_lib.data.templates import CHOICE_PROMPTS

LETTERS = string.ascii_uppercase
_TEXT, _TEXTS = Value("string"), List(Value("string"))

#: One question about one image. `answers` = [] means unanswerable; `choices` = [] means open-ended,
#: otherwise `answers` holds the text of the right option. `group` joins the rotations of one base
#: question. `accepted` (micro world only) lists every wording that the world itself calls right; it
#: is used only to audit evaluators.
QUESTION_FEATURES = Features(
    {
        "id": _TEXT,
        "image": Image(),
        "image_id": _TEXT,
        "question": _TEXT,
        "answers": _TEXTS,
        "choices": _TEXTS,
        "source": _TEXT,
        "split": _TEXT,
        "group": _TEXT,
        "accepted": _TEXTS,
    }
)

#: The paper's standard record (Fig. 2): a question with one correct, one incorrect and one refusing
#: response, and the model's confidence in [0, 1]. `responses` and `verdicts` keep all samples;
#: `origin` says how an unanswerable question was made.
RECORD_FEATURES = Features(
    {
        **QUESTION_FEATURES,
        "responses": _TEXTS,
        "verdicts": _TEXTS,
        "confidence": Value("float64"),
        "correct": _TEXT,
        "incorrect": _TEXT,
        "refusal": _TEXT,
        "origin": _TEXT,
    }
)


def prompt_text(row: dict, answer: str = "letter") -> str:
    """Return the user's message for a question.

    Parameters
    ----------
    row : dict
        A Question row.
    answer : str
        How multiple choice is to be answered, "letter" (paper, App. F) or "text". Options then
        follow the question, one lettered line each.
    """
    if not row["choices"]:
        return row["question"]
    options = (f"{letter}. {text}" for letter, text in zip(LETTERS, row["choices"], strict=False))
    return "\n".join([row["question"], *options, CHOICE_PROMPTS[answer]])


def rng_for(seed: int, name: str) -> np.random.Generator:
    """Return a generator that depends on the seed and one item's name alone."""
    digest = hashlib.sha256(f"{seed}|{name}".encode()).digest()
    return np.random.default_rng(int.from_bytes(digest[:8], "little"))


def save_table(table: Dataset | pd.DataFrame, path: Path) -> Path:
    """Write a parquet file, whole or not at all, and return its path."""
    with whole(path) as unfinished:
        table.to_parquet(unfinished)
    return path


def load_table(path: Path) -> Dataset:
    """Read a parquet table written by `save_table`; images come back as PIL images."""
    return Dataset.from_parquet(str(path), keep_in_memory=False)
