"""ScienceQA: multiple choice from school books (Lu et al., 2022); the questions that come with an image, as a question without one has
nothing to look at. The hint stands before the question, as LLaVA asks it (the paper says nothing about it)."""

from collections.abc import Iterator
from pathlib import Path

from inbol_lib.data.benchmarks.base import Benchmark, Hub
from inbol_lib.data.benchmarks.release_files import picture, read_json

REPOSITORY = "https://github.com/lupantech/ScienceQA"


def official(home: Path, split: str) -> Iterator[dict]:
    problems = read_json(home, "problems.json")
    for pid in read_json(home, "pid_splits.json")[split]:
        if row := problems.get(pid):
            yield row | {
                "pid": pid,
                "image": row["image"] and picture(home, f"{split}/{pid}/{row['image']}"),
            }


def question(row: dict, number: int) -> dict | None:
    if row["image"] is None:
        return None
    hint = f"Context: {row['hint']}\n" if row["hint"] else ""
    return {"id": row.get("pid") or f"row-{number}", "question": hint + row["question"], "choices": row["choices"],
            "answers": [row["choices"][row["answer"]]]}  # fmt: skip


BENCHMARK = Benchmark(
    name="scienceqa", title="ScienceQA", licence="CC BY-NC-SA 4.0", size="0.7 GB",
    splits={"train": "train", "validation": "val", "test": "test"},
    published={"train": ((12_726, 6_218),), "val": ((4_241, 2_097),), "test": ((4_241, 2_017),)},
    files={s: dict.fromkeys(("problems.json", "pid_splits.json"), f"{REPOSITORY} (data/scienceqa/)") for s in ("train", "val", "test")},
    images=f"images: tools/download.sh of {REPOSITORY}, as images/<split>/<id>/image.png",
    official=official, question=question, hub_splits={"train": "train", "val": "validation", "test": "test"},
    hub=(Hub("derek-thomas/ScienceQA"), *(Hub(f"{org}/ScienceQA", ("ScienceQA-FULL",)) for org in ("lmms-lab", "lmms-lab-encoder"))),
    note="The Hub's rows have no ids; they are numbered.",
)  # fmt: skip
