"""ScienceQA: multiple choice from school books (Lu et al., 2022).

Only the questions that come with an image are taken. The hint precedes the question, as LLaVA asks
it; the paper does not mention it.
"""

from collections.abc import Iterator
from pathlib import Path

from inbol_lib.data.benchmarks.base import Benchmark
from inbol_lib.data.benchmarks.hub_tables import Hub
from inbol_lib.data.benchmarks.published_counts import Count
from inbol_lib.data.benchmarks.release_files import picture, read_json

REPOSITORY = "https://github.com/lupantech/ScienceQA"
FILES = dict.fromkeys(("problems.json", "pid_splits.json"), f"{REPOSITORY} (data/scienceqa/)")


def official(home: Path, split: str) -> Iterator[dict]:
    """Yield the rows of the official files; `image` is None where a question has none."""
    problems = read_json(home, "problems.json")
    for pid in read_json(home, "pid_splits.json")[split]:
        row = problems.get(pid)
        if row:
            image = row["image"] and picture(home, f"{split}/{pid}/{row['image']}")
            yield row | {"pid": pid, "image": image}


def question(row: dict, number: int) -> dict | None:
    """Return the question of a row, None for one without an image."""
    if row["image"] is None:
        return None
    hint = f"Context: {row['hint']}\n" if row["hint"] else ""
    return {
        "id": row.get("pid") or f"row-{number}",
        "question": hint + row["question"],
        "choices": row["choices"],
        "answers": [row["choices"][row["answer"]]],
    }


BENCHMARK = Benchmark(
    name="scienceqa",
    title="ScienceQA",
    licence="CC BY-NC-SA 4.0",
    size="0.7 GB",
    splits={"train": "train", "validation": "val", "test": "test"},
    published={
        "train": (Count(12_726, 6_218),),
        "val": (Count(4_241, 2_097),),
        "test": (Count(4_241, 2_017),),
    },
    files=dict.fromkeys(("train", "val", "test"), FILES),
    images=f"images: tools/download.sh of {REPOSITORY}, as images/<split>/<id>/image.png",
    official=official,
    question=question,
    hub=(
        Hub("derek-thomas/ScienceQA"),
        Hub("lmms-lab/ScienceQA", ("ScienceQA-FULL",)),
        Hub("lmms-lab-encoder/ScienceQA", ("ScienceQA-FULL",)),
    ),
    hub_splits={"train": "train", "val": "validation", "test": "test"},
    note="The Hub's rows have no ids; they are numbered.",
)
