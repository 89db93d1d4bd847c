"""VQAv2: ten people's answers to questions about COCO's photographs (Goyal et al., 2017). Our test split is its validation split.

An answer is right that three of the ten gave, to which VQA accuracy gives full marks; where none has three, the most frequent one (ours).
"""

from collections.abc import Iterator
from pathlib import Path

from inbol_lib.data.benchmarks.base import Benchmark, Hub
from inbol_lib.data.benchmarks.hub_tables import agreed
from inbol_lib.data.benchmarks.release_files import COCO, coco, read_json

PEOPLE = 3  # who must agree
S3 = "https://s3.amazonaws.com/cvmlp/vqa/mscoco/vqa"


def official(home: Path, split: str) -> Iterator[dict]:
    given = {
        a["question_id"]: a["answers"]
        for a in read_json(home, f"v2_mscoco_{split}2014_annotations.json")["annotations"]
    }
    for row in read_json(home, f"v2_OpenEnded_mscoco_{split}2014_questions.json")["questions"]:
        yield row | {
            "answers": given[row["question_id"]],
            "image": coco(home, f"{split}2014", row["image_id"]),
        }


def question(row: dict, number: int) -> dict:
    return {"id": str(row["question_id"]), "image_id": str(row["image_id"]), "question": row["question"],
            "answers": agreed((a["answer"] for a in row["answers"]), PEOPLE)}  # fmt: skip


BENCHMARK = Benchmark(
    name="vqav2", title="VQAv2", licence="CC BY 4.0; photographs: terms of Flickr", size="19 GB of photographs, 0.6 GB of text",
    splits={"train": "train", "validation": "train", "test": "val"},
    published={"train": ((443_757, 443_757),), "val": ((214_354, 214_354),)},
    files={split: {f"v2_OpenEnded_mscoco_{split}2014_questions.json": f"{S3}/v2_Questions_{split.title()}_mscoco.zip",
                   f"v2_mscoco_{split}2014_annotations.json": f"{S3}/v2_Annotations_{split.title()}_mscoco.zip"}
           for split in ("train", "val")},
    images=f"photographs: {COCO}/train2014.zip and val2014.zip, unpacked in coco/",
    official=official, question=question, hub=(Hub("lmms-lab/VQAv2"), Hub("lmms-lab-encoder/VQAv2")), hub_splits={"val": "validation"},
    note="The Hub has no train split, and the test split has no answers.",
)  # fmt: skip
