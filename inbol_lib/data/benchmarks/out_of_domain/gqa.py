"""GQA: compositional questions about photographs (Hudson and Manning, 2019).

The balanced questions of testdev: the paper says "GQA test", whose published questions have no
answers, so that only testdev can be scored.
"""

from collections.abc import Iterator
from pathlib import Path

from datasets import Dataset

from inbol_lib.data.benchmarks.base import Benchmark
from inbol_lib.data.benchmarks.hub_tables import Hub, unread
from inbol_lib.data.benchmarks.published_counts import Count
from inbol_lib.data.benchmarks.release_files import picture, read_json

FILE = "testdev_balanced_questions.json"
STORE = "https://downloads.cs.stanford.edu/nlp/data/gqa"
CONFIGS = ("testdev_balanced_instructions", "testdev_balanced_images")


def official(home: Path, split: str) -> Iterator[dict]:
    """Yield the rows of the official file."""
    for name, row in read_json(home, FILE).items():
        yield row | {"id": name, "image": picture(home, f"{row['imageId']}.jpg")}


def join(tables: list[Dataset]) -> Iterator[dict]:
    """Yield the Hub's rows: `imageId` of a question is the `id` of an image."""
    questions, images = tables
    pictures = {row["id"]: row["image"] for row in unread(images)}
    for row in unread(questions):
        yield row | {"image": pictures[row["imageId"]]}


def question(row: dict, number: int) -> dict:
    """Return the question of a row."""
    return {
        "id": row["id"],
        "image_id": row["imageId"],
        "question": row["question"],
        "answers": [row["answer"]],
    }


BENCHMARK = Benchmark(
    name="gqa",
    title="GQA",
    licence="CC BY 4.0",
    size="20 GB of photographs",
    splits={"test": "testdev"},
    published={"testdev": (Count(12_578, 12_578),)},
    files={"testdev": {FILE: f"{STORE}/questions1.2.zip"}},
    images=f"photographs: {STORE}/images.zip, as images/<image id>.jpg",
    official=official,
    question=question,
    join=join,
    hub=(Hub("lmms-lab/GQA", CONFIGS), Hub("lmms-lab-encoder/GQA", CONFIGS)),
    note="testdev: the test split has no answers.",
)
