"""OVEN: which entity of Wikipedia does the image show (Hu et al., 2023). Our test split is its validation split.

Read is what there is of the entity and the query set; the answer is the entity's name. The test split has no entities.
"""

import json
from collections.abc import Iterator
from pathlib import Path

from inbol_lib.data.benchmarks.base import Benchmark
from inbol_lib.data.benchmarks.release_files import located, picture

STORE = "http://storage.googleapis.com/gresearch/open-vision-language/oven"


def names(split: str) -> str:
    return f"oven_entity_{split}.jsonl|oven_query_{split}.jsonl"


def official(home: Path, split: str) -> Iterator[dict]:
    for path in located(home, names(split)):
        with path.open(encoding="utf-8") as lines:
            for row in map(json.loads, lines):
                folder = row["image_id"].removeprefix("oven_")[:2]
                files = (
                    f"{folder}/{row['image_id']}{ending}"
                    for ending in (".jpg", ".JPEG", ".jpeg", ".png")
                )
                yield row | {
                    "image": picture(
                        home, *(name for file in files for name in (f"oven_images/{file}", file))
                    )
                }


def question(row: dict, number: int) -> dict:
    return {
        "id": row["data_id"],
        "image_id": row["image_id"],
        "question": row["question"],
        "answers": [row["entity_text"]],
    }


BENCHMARK = Benchmark(
    name="oven", title="OVEN", licence="Apache-2.0; images as their 14 sources", size="1 GB of text, and images",
    splits={"train": "train", "validation": "train", "test": "val"}, published={},
    files={split: {names(split): f"{STORE}/oven_{{entity,query}}_{split}.jsonl"} for split in ("train", "val")},
    images="images: image_downloads/ of https://github.com/edchengg/oven_eval, as oven_images/<two digits>/<image id>.jpg",
    official=official, question=question,
    note="ychenNLP/oven on the Hub holds the same jsonl files and tar files of the images. Counts could not be verified.",
)  # fmt: skip
