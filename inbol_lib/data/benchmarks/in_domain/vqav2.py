"""VQAv2: ten people's answers to questions about COCO's photographs (Goyal et al., 2017).

Our test split is its validation split. An answer counts as right when three of the ten gave it,
for which VQA accuracy gives full marks; where no answer has three, the most frequent one (ours).
"""

from collections.abc import Iterator
from pathlib import Path

from inbol_lib.data.benchmarks.base import Benchmark
from inbol_lib.data.benchmarks.hub_tables import Hub, agreed
from inbol_lib.data.benchmarks.published_counts import Count
from inbol_lib.data.benchmarks.release_files import COCO, coco, read_json

PEOPLE = 3  # who must agree
S3 = "https://s3.amazonaws.com/cvmlp/vqa/mscoco/vqa"


def questions_file(split: str) -> str:
    """Return the name of a release's file of questions."""
    return f"v2_OpenEnded_mscoco_{split}2014_questions.json"


def annotations_file(split: str) -> str:
    """Return the name of a release's file of answers."""
    return f"v2_mscoco_{split}2014_annotations.json"


def files(split: str) -> dict[str, str]:
    """Return the files of a release and where to get them."""
    return {
        questions_file(split): f"{S3}/v2_Questions_{split.title()}_mscoco.zip",
        annotations_file(split): f"{S3}/v2_Annotations_{split.title()}_mscoco.zip",
    }


def official(home: Path, split: str) -> Iterator[dict]:
    """Yield the rows of the official files: questions and answers joined."""
    annotations = read_json(home, annotations_file(split))["annotations"]
    answers = {row["question_id"]: row["answers"] for row in annotations}
    for row in read_json(home, questions_file(split))["questions"]:
        image = coco(home, f"{split}2014", row["image_id"])
        yield row | {"answers": answers[row["question_id"]], "image": image}


def question(row: dict, number: int) -> dict:
    """Return the question of a row."""
    return {
        "id": str(row["question_id"]),
        "image_id": str(row["image_id"]),
        "question": row["question"],
        "answers": agreed((given["answer"] for given in row["answers"]), PEOPLE),
    }


BENCHMARK = Benchmark(
    name="vqav2",
    title="VQAv2",
    licence="CC BY 4.0; photographs: terms of Flickr",
    size="19 GB of photographs, 0.6 GB of text",
    splits={"train": "train", "validation": "train", "test": "val"},
    published={"train": (Count(443_757, 443_757),), "val": (Count(214_354, 214_354),)},
    files={"train": files("train"), "val": files("val")},
    images=f"photographs: {COCO}/train2014.zip and val2014.zip, unpacked in coco/",
    official=official,
    question=question,
    hub=(Hub("lmms-lab/VQAv2"), Hub("lmms-lab-encoder/VQAv2")),
    hub_splits={"val": "validation"},
    note="The Hub has no train split, and the test split has no answers.",
)
