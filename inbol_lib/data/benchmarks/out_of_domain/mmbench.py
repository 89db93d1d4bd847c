"""MMBench, English dev split (Liu et al., 2024): multiple choice with rotated options.

Each question comes again with its options rotated, under an index greater by a million. All rows of
a question share its `group`, so that `metrics.circular` (right only if every rotation is) and
`metrics.vanilla` (the first row alone) both apply; `n` counts questions. The hint precedes the
question, as LLaVA asks it.
"""

import base64
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pandas as pd

from inbol_lib.data.benchmarks.base import Benchmark
from inbol_lib.data.benchmarks.hub_tables import Hub
from inbol_lib.data.benchmarks.published_counts import Count
from inbol_lib.data.benchmarks.release_files import located

FILES = "mmbench_dev_*.tsv|MMBench_DEV_EN*.tsv"
STEP = 10**6  # between the indices of a question's rotations
SHORT = 64  # characters: a cell no longer than that is the index of the row that holds the image
ABSENT = ("", "nan", None)  # an option or hint that is not there is "nan" on the Hub


def official(home: Path, split: str) -> Iterator[dict]:
    """Yield the rows of the official table."""
    file = located(home, FILES)[0]
    # "None" and "nan" are text, such as the name of an option
    table = pd.read_csv(file, sep="\t", dtype=str, keep_default_na=False)
    images = table.get("image", [""] * len(table))
    cells = dict(zip(table["index"], images, strict=True))
    for row in table.to_dict("records"):
        cell = cells[row["index"]]
        if len(cell) <= SHORT:
            cell = cells.get(cell, "")
        yield row | {"image": partial(_decoded, cell)}


def _decoded(cell: str) -> bytes:
    if not cell:
        raise ValueError("the table's image column holds no picture of it")
    return base64.b64decode(cell)


def question(row: dict, number: int) -> dict:
    """Return the question of a row, in the group of its base question."""
    index = int(row["index"])
    base = str(index % STEP)
    hint = "" if row["hint"] in ABSENT else f"{row['hint']}\n"
    return {
        "id": str(index),
        "group": base,
        "image_id": base,
        "question": hint + row["question"],
        "choices": [row[letter] for letter in "ABCD" if row[letter] not in ABSENT],
        "answers": [row[row["answer"]]],
    }


BENCHMARK = Benchmark(
    name="mmbench",
    title="MMBench (en, dev)",
    licence="licence not verified",
    size="0.1 GB",
    splits={"test": "dev"},
    published={"dev": (Count(4_329, 1_164), Count(4_377, 1_176))},
    files={"dev": {FILES: "https://github.com/open-compass/MMBench"}},
    images="the table holds the images",
    official=official,
    question=question,
    rotations=4,
    hub=(
        Hub("lmms-lab/MMBench", ("en",)),
        Hub("lmms-lab-encoder/MMBench", ("en",)),
        Hub("lmms-lab/MMBench_EN"),
    ),
    note=(
        "Two versions; the paper's percentages fit the 1,164 questions. "
        "A table of 1,164 rows has no rotations."
    ),
)
