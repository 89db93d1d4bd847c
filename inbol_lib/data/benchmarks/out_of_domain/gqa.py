"""GQA: compositional questions about photographs (Hudson and Manning, 2019), the balanced questions of testdev.

The paper says "GQA test", whose published questions have no answers: only testdev can be scored.
"""

from collections.abc import Iterator
from pathlib import Path

from datasets import Dataset

from inbol_lib.data.benchmarks.base import Benchmark, Hub
from inbol_lib.data.benchmarks.hub_tables import unread
from inbol_lib.data.benchmarks.release_files import picture, read_json

FILE = "testdev_balanced_questions.json"
STORE = "https://downloads.cs.stanford.edu/nlp/data/gqa"
CONFIGS = ("testdev_balanced_instructions", "testdev_balanced_images")


def official(home: Path, split: str) -> Iterator[dict]:
    for name, row in read_json(home, FILE).items():
        yield row | {"id": name, "image": picture(home, f"{row['imageId']}.jpg")}


def join(tables: list[Dataset]) -> Iterator[dict]:
    """Questions and images are two configs; `imageId` of one is `id` of the other."""
    questions, images = tables
    pictures = {row["id"]: row["image"] for row in unread(images)}
    return (row | {"image": pictures[row["imageId"]]} for row in unread(questions))


def question(row: dict, number: int) -> dict:
    return {
        "id": row["id"],
        "image_id": row["imageId"],
        "question": row["question"],
        "answers": [row["answer"]],
    }


BENCHMARK = Benchmark(
    name="gqa", title="GQA", licence="CC BY 4.0", size="20 GB of photographs",
    splits={"test": "testdev"}, published={"testdev": ((12_578, 12_578),)},
    files={"testdev": {FILE: f"{STORE}/questions1.2.zip"}}, images=f"photographs: {STORE}/images.zip, as images/<image id>.jpg",
    official=official, question=question, join=join, hub=(Hub("lmms-lab/GQA", CONFIGS), Hub("lmms-lab-encoder/GQA", CONFIGS)),
    note="testdev: the test split has no answers.",
)  # fmt: skip
