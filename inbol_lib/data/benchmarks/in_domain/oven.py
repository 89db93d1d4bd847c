"""OVEN: which entity of Wikipedia does the image show (Hu et al., 2023).

Our test split is its validation split, because its test split names no entities. The entity set and
the query set are both read, or whichever of them there is; the answer is the entity's name.
"""

from collections.abc import Iterator
from pathlib import Path

from inbol_lib.data.benchmarks.base import Benchmark
from inbol_lib.data.benchmarks.release_files import Picture, json_lines, located, picture

STORE = "http://storage.googleapis.com/gresearch/open-vision-language/oven"
ENDINGS = (".jpg", ".JPEG", ".jpeg", ".png")


def names(split: str) -> str:
    """Return the patterns of a release's files."""
    return f"oven_entity_{split}.jsonl|oven_query_{split}.jsonl"


def official(home: Path, split: str) -> Iterator[dict]:
    """Yield the rows of the official files."""
    for path in located(home, names(split)):
        for row in json_lines(path):
            yield row | {"image": _picture(home, row["image_id"])}


def _picture(home: Path, image_id: str) -> Picture:
    """Return an image, which lies in a folder named after the first two digits of its id."""
    folder = image_id.removeprefix("oven_")[:2]
    places = []
    for ending in ENDINGS:
        file = f"{folder}/{image_id}{ending}"
        places += [f"oven_images/{file}", file]
    return picture(home, *places)


def question(row: dict, number: int) -> dict:
    """Return the question of a row."""
    return {
        "id": row["data_id"],
        "image_id": row["image_id"],
        "question": row["question"],
        "answers": [row["entity_text"]],
    }


BENCHMARK = Benchmark(
    name="oven",
    title="OVEN",
    licence="Apache-2.0; images as their 14 sources",
    size="1 GB of text, and images",
    splits={"train": "train", "validation": "train", "test": "val"},
    files={
        split: {names(split): f"{STORE}/oven_{{entity,query}}_{split}.jsonl"}
        for split in ("train", "val")
    },
    images=(
        "images: image_downloads/ of https://github.com/edchengg/oven_eval, "
        "as oven_images/<two digits>/<image id>.jpg"
    ),
    official=official,
    question=question,
    note=(
        "ychenNLP/oven on the Hub holds the same jsonl files and tar files of the images. "
        "Counts could not be verified."
    ),
)
