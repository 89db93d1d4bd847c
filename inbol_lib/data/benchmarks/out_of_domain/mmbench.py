"""MMBench, English dev split (Liu et al., 2024): each question comes again with its options rotated, its index greater by a million.

All rows of a question share its `group`, so that `metrics.circular` (right only if every rotation is) and `metrics.vanilla` (the first
row alone) both apply; `n` counts questions. The hint stands before the question, as LLaVA asks it.
"""

import base64
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pandas as pd

from inbol_lib.data.benchmarks.base import Benchmark, Hub
from inbol_lib.data.benchmarks.release_files import located

FILES = "mmbench_dev_*.tsv|MMBench_DEV_EN*.tsv"
STEP = 10**6  # between the indices of a question's rotations
SHORT = (
    64  # characters: an image cell as short as that is the index of the row that holds the image
)


def official(home: Path, split: str) -> Iterator[dict]:
    table = pd.read_csv(
        located(home, FILES)[0], sep="\t", dtype=str, keep_default_na=False
    )  # "None" and "nan" are text
    cells = dict(zip(table["index"], table.get("image", [""] * len(table)), strict=True))
    for row in table.to_dict("records"):
        cell = cells[row["index"]]
        yield row | {
            "image": partial(_decoded, cells.get(cell, "") if len(cell) <= SHORT else cell)
        }


def _decoded(cell: str) -> bytes:
    if not cell:
        raise ValueError("the table's image column holds no picture of it")
    return base64.b64decode(cell)


def question(row: dict, number: int) -> dict:
    index = int(row["index"])
    choices = [
        row[letter] for letter in "ABCD" if row[letter] not in ("", "nan", None)
    ]  # an absent one is "nan" on the Hub
    hint = f"{row['hint']}\n" if row["hint"] not in ("", "nan", None) else ""
    return {"id": str(index), "group": str(index % STEP), "image_id": str(index % STEP), "question": hint + row["question"],
            "choices": choices, "answers": [row[row["answer"]]]}  # fmt: skip


BENCHMARK = Benchmark(
    name="mmbench", title="MMBench (en, dev)", licence="licence not verified", size="0.1 GB",
    splits={"test": "dev"}, published={"dev": ((4_329, 1_164), (4_377, 1_176))},
    files={"dev": {FILES: "https://github.com/open-compass/MMBench"}}, images="the table holds the images",
    official=official, question=question, rotations=4,
    hub=(Hub("lmms-lab/MMBench", ("en",)), Hub("lmms-lab-encoder/MMBench", ("en",)), Hub("lmms-lab/MMBench_EN")),
    note="Two versions; the paper's percentages fit the 1,164 questions. A table of 1,164 rows has no rotations.",
)  # fmt: skip
