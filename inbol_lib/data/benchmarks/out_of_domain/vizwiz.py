"""VizWiz-VQA: what blind people ask about their photographs (Gurari et al., 2018).

The validation questions whose answer type is "unanswerable". The paper does not say which VizWiz
questions it takes, and its percentages do not fit these alone.
"""

from collections.abc import Iterator
from pathlib import Path

from inbol_lib.data.benchmarks.base import Benchmark
from inbol_lib.data.benchmarks.hub_tables import Hub
from inbol_lib.data.benchmarks.published_counts import Count
from inbol_lib.data.benchmarks.release_files import picture, read_json

PAGE = "https://vizwiz.org/tasks-and-datasets/vqa/"


def official(home: Path, split: str) -> Iterator[dict]:
    """Yield the rows of the official file, with the Hub's names of their columns."""
    for row in read_json(home, "val.json"):
        name = row["image"]
        yield row | {
            "question_id": name,
            "category": row["answer_type"],
            "image": picture(home, f"val/{name}", name),
        }


def question(row: dict, number: int) -> dict | None:
    """Return the question of a row, None for one that can be answered."""
    if row["category"] != "unanswerable":
        return None
    return {"id": row["question_id"], "question": row["question"].strip(), "answers": []}


BENCHMARK = Benchmark(
    name="vizwiz",
    title="VizWiz (ua)",
    licence="CC BY 4.0",
    size="3 GB",
    splits={"test": "val"},
    published={"val": (Count(4_319, None),)},
    files={"val": {"val.json": PAGE}},
    images=f"photographs: {PAGE}, as val/VizWiz_val_<number>.jpg",
    official=official,
    question=question,
    hub=(Hub("lmms-lab/VizWiz-VQA"), Hub("lmms-lab-encoder/VizWiz-VQA")),
    note="How many of the 4,319 rows are unanswerable could not be verified.",
)
