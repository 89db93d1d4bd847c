"""A-OKVQA: questions that ask for knowledge about COCO's photographs (Schwenk et al., 2022).

The validation split, each question without its four options (paper, App. F). Any of the direct
answers counts, the most frequent first: the paper's accuracies are those of this rule, not of
VQA's. Rows with `difficult_direct_answer` are kept, as the paper's 1,145 questions include them.
The Hub's rows do not say which of them share a photograph.
"""

from collections.abc import Iterator
from pathlib import Path

from inbol_lib.data.benchmarks.base import Benchmark
from inbol_lib.data.benchmarks.hub_tables import Hub, agreed, listed
from inbol_lib.data.benchmarks.published_counts import Count
from inbol_lib.data.benchmarks.release_files import COCO, coco, read_json

FILE = "aokvqa_v1p0_val.json"
ARCHIVE = "https://prior-datasets.s3.us-east-2.amazonaws.com/aokvqa/aokvqa_v1p0.tar.gz"


def official(home: Path, split: str) -> Iterator[dict]:
    """Yield the rows of the official file."""
    for row in read_json(home, FILE):
        yield row | {"image": coco(home, "val2017", row["image_id"])}


def question(row: dict, number: int) -> dict:
    """Return the question of a row, without its options."""
    return {
        "id": row["question_id"],
        "image_id": str(row.get("image_id", row["question_id"])),
        "question": row["question"],
        "answers": agreed(listed(row["direct_answers"]), 1),
    }


BENCHMARK = Benchmark(
    name="aokvqa",
    title="A-OKVQA",
    licence="Apache-2.0 (of its repository; none is stated for the data)",
    size="1 GB of photographs",
    splits={"test": "val"},
    published={"val": (Count(1_145, 1_145),)},
    files={"val": {FILE: ARCHIVE}},
    images=f"photographs: {COCO}/val2017.zip, unpacked in coco/",
    official=official,
    question=question,
    hub=(Hub("HuggingFaceM4/A-OKVQA"),),
    hub_splits={"val": "validation"},
)
