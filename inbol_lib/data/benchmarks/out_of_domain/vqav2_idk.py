"""VQAv2-IDK, filtered: questions to which several of the ten people gave no answer.

They are from VQAv2's validation split (Cha et al., 2024). Those with more than one keyword ("don't
know", "not sure", ...) are taken, 1,566 of 6,624 as in the paper. Of these, 806 have the keyword
"none" alone, which often is an answer ("What facial piercing ..?"): their ids end in "-none", so
that both parts can be reported.
"""

from collections.abc import Iterator
from pathlib import Path

from inbol_lib.data.benchmarks.base import Benchmark
from inbol_lib.data.benchmarks.published_counts import Count
from inbol_lib.data.benchmarks.release_files import COCO, picture, read_json

FILE = "VQAv2-IDK-val.json"
NONE = "-none"


def official(home: Path, split: str) -> Iterator[dict]:
    """Yield the rows of the official file."""
    for row in read_json(home, FILE):
        file = row["image"]
        yield row | {"image": picture(home, file, Path(file).name), "file": file}


def question(row: dict, number: int) -> dict | None:
    """Return the question of a row, None for one with fewer than two keywords."""
    if len(row["keywords"]) <= 1:
        return None
    name = row["question_id"]
    if only_none(row["keywords"]):
        name += NONE
    return {
        "id": name,
        "image_id": Path(row["file"]).stem,
        "question": row["question"],
        "answers": [],
    }


def only_none(keywords: list[str]) -> bool:
    """Tell whether "none" is the only keyword, however often it was given."""
    return set(keywords) == {"none"}


BENCHMARK = Benchmark(
    name="vqav2_idk",
    title="VQAv2-IDK (filter)",
    licence="BSD-3-Clause; VQAv2: CC BY 4.0",
    size="3 MB of text, 6 GB of photographs",
    splits={"test": "val"},
    published={"val": (Count(6_624, 1_566),)},
    files={"val": {FILE: "https://github.com/ncsoft/idk (data/)"}},
    images=f"photographs: {COCO}/val2014.zip, unpacked in coco/",
    official=official,
    question=question,
    note="Not on the Hub. Ids of rows whose only keyword is none end in -none.",
)
