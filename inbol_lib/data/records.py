"""What stages hand to each other: rows of questions and records, in tables written whole."""

import hashlib
import mmap
import string
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from datasets import Dataset, Features, Image, List, Value
from datasets.fingerprint import generate_random_fingerprint
from datasets.table import table_cast

from inbol_lib.data.files import whole
from inbol_lib.data.templates import CHOICE_PROMPTS

BATCH = 1000  # rows of a table that are read at once
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
    return load_tables([path])


def load_tables(files: Sequence[Path]) -> Dataset:
    """Read parquet tables with the same columns, one after the other.

    The rows lie in a file without a name, which ends with the process: the cache of `datasets`
    would grow with every run, and give the old rows of a file that was put back with its old time.

    Parameters
    ----------
    files : sequence of Path
        At least one.
    """
    with tempfile.TemporaryFile() as opened:
        schema = Features.from_arrow_schema(pq.read_schema(files[0])).arrow_schema
        with pa.ipc.new_file(opened, schema) as written:
            for file in files:
                for batch in pq.ParquetFile(file).iter_batches(BATCH):
                    written.write(table_cast(pa.Table.from_batches([batch]), schema))
        opened.flush()
        mapped = pa.py_buffer(mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ))
    return Dataset(pa.ipc.open_file(mapped).read_all(), fingerprint=generate_random_fingerprint())
