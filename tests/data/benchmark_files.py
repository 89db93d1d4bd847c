"""Small files of every benchmark in its own formats, as releases and as the Hub hold them."""

import base64
import io
import json

import pandas as pd
import pytest
from datasets import Dataset, Features, Image, List, Value
from PIL import Image as Pictures

from inbol_lib.data.benchmarks.out_of_domain import mmmu

TEXT = Value("string")


pytestmark = pytest.mark.filterwarnings("ignore:.*published are:UserWarning")


def pixels(shade=0, mode="RGB", kind="PNG"):
    """A picture's file."""
    Pictures.new(mode, (6, 4), shade if mode == "L" else (shade, 0, 0)).save(
        file := io.BytesIO(), kind
    )
    return file.getvalue()


def put(path, content):
    """A file with bytes, text, or anything else as JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(
        content
        if isinstance(content, bytes)
        else (content if isinstance(content, str) else json.dumps(content)).encode()
    )


def parquet(folder, config, split, rows, **types):
    """A table as the Hub's repositories hold it, in `config`'s folder; columns of texts but for
    `types`.
    """
    kinds = {key: types.get(key, TEXT) for key in rows[0]}
    kinds |= {
        key: Image()
        for key in kinds
        if key.startswith("image") and key not in ("imageId", "image_id")
    }
    path = folder / (config or "data") / f"{split}-00000-of-00001.parquet"
    path.parent.mkdir(parents=True, exist_ok=True)
    Dataset.from_list(rows, features=Features(kinds)).to_parquet(path)
    card = folder / "README.md"  # what load_dataset reads
    before = card.read_text().removesuffix("---\n") if card.exists() else "---\nconfigs:\n"
    one = f"- config_name: {config or 'default'}\n  data_files:\n"
    one += f"  - split: {split}\n    path: {path.parent.name}/{split}-*\n"
    card.write_text(f"{before}{one}---\n")


def ten(**votes):
    """Ten people's answers."""
    said = [answer.replace("_", " ") for answer, n in votes.items() for _ in range(n)]
    return [
        {"answer": a, "answer_confidence": "yes", "answer_id": i} for i, a in enumerate(said, 1)
    ]


VQA = [
    {
        "question_id": 42000,
        "image_id": 42,
        "question": "What is it?",
        "answers": ten(mesh=3, net=4, fence=2, wire=1),
    },
    {
        "question_id": 42001,
        "image_id": 42,
        "question": "Whose is it?",
        "answers": ten(hers=2, his=1, a=1, b=1, c=1, d=1, e=1, f=1, g=1),
    },
    {"question_id": 43000, "image_id": 43, "question": "Is it red?", "answers": ten(yes=10)},
]


def vqav2(home, split="val"):
    put(
        home / f"v2_OpenEnded_mscoco_{split}2014_questions.json",
        {"questions": [{k: v for k, v in r.items() if k != "answers"} for r in VQA]},
    )
    put(
        home / f"v2_mscoco_{split}2014_annotations.json",
        {"annotations": [{k: r[k] for k in ("question_id", "answers")} for r in VQA]},
    )
    for i in (42, 43):
        put(
            home.parent / "coco" / f"{split}2014" / f"COCO_{split}2014_{i:012d}.jpg",
            pixels(i, kind="JPEG"),
        )


def vqav2_hub(folder):
    answers = List({"answer": TEXT, "answer_confidence": TEXT, "answer_id": Value("int64")})
    rows = [{**r, "image": {"bytes": pixels(r["image_id"], kind="JPEG")}} for r in VQA]
    parquet(
        folder,
        None,
        "validation",
        rows,
        answers=answers,
        question_id=Value("int64"),
        image_id=Value("int64"),
    )


def oven(home):
    for part, name, i in (("entity", "oven_00000000", 0), ("query", "oven_04925757", 1)):
        put(
            home / f"oven_{part}_val.jsonl",
            json.dumps(
                {
                    "data_id": f"oven_{part}_val_{i}",
                    "image_id": name,
                    "question": "what is this?",
                    "entity_id": "Q1",
                    "entity_text": "Yogurt",
                    "data_split": f"{part}_val_seen",
                }
            )
            + "\n",
        )
        put(home / "oven_images" / name[5:7] / f"{name}{('.jpg', '.JPEG')[i]}", pixels(kind="JPEG"))


SCHOOL = {
    "question": "Which is a mammal?",
    "choices": ["frog", "cat"],
    "answer": 1,
    "hint": "Look.",
    "image": "image.png",
    "split": "test",
}


def scienceqa(home):
    put(
        home / "problems.json",
        {
            "7": SCHOOL,
            "8": SCHOOL | {"image": None},
            "9": SCHOOL | {"hint": "", "answer": 0, "split": "train"},
        },
    )
    put(home / "pid_splits.json", {"train": ["9"], "val": [], "test": ["7", "8"]})
    for split, pid in (("test", 7), ("train", 9)):
        put(home / "images" / split / str(pid) / "image.png", pixels())


def scienceqa_hub(folder):
    rows = [SCHOOL | {"image": image} for image in ({"bytes": pixels()}, None)]
    parquet(folder, None, "test", rows, choices=List(TEXT), answer=Value("int8"))


ADVANCED = {
    "question_id": "22jb",
    "question": "What is in the mouth?",
    "choices": ["pick", "food", "stick", "cigarette"],
    "correct_choice_idx": 3,
    "direct_answers": ["smoke", *["cigarette"] * 9],
    "difficult_direct_answer": False,
}


def aokvqa(home):
    put(home / "aokvqa_v1p0_val.json", [ADVANCED | {"split": "val", "image_id": 461751}])
    put(home.parent / "coco" / "val2017" / "000000461751.jpg", pixels(kind="JPEG"))


def aokvqa_hub(folder):
    row = ADVANCED | {
        "direct_answers": str(ADVANCED["direct_answers"]),
        "image": {"bytes": pixels()},
    }
    parquet(
        folder,
        None,
        "validation",
        [row],
        choices=List(TEXT),
        correct_choice_idx=Value("int8"),
        difficult_direct_answer=Value("bool"),
    )


def gqa(home):
    put(
        home / "testdev_balanced_questions.json",
        {"2022": {"question": "What hangs there?", "imageId": "n57", "answer": "picture"}},
    )
    put(home / "images" / "n57.jpg", pixels(200, kind="JPEG"))


def gqa_hub(folder):
    asked = {"id": "2022", "imageId": "n57", "question": "What hangs there?", "answer": "picture"}
    parquet(folder, "testdev_balanced_instructions", "testdev", [asked])
    images = [
        {"id": name, "image": {"bytes": pixels(shade)}}
        for name, shade in (("n56", 0), ("n57", 200))
    ]
    parquet(folder, "testdev_balanced_images", "testdev", images)


def exam(name, options, answer, **more):
    """A row of MMMU: lists are texts, and of seven images most are none."""
    kind = "multiple-choice" if options else "open"
    pictures = {f"image_{i}": {"bytes": pixels(10 * i)} if i < 3 else None for i in range(1, 8)}
    return (
        {
            "id": name,
            "question": "What does <image 1> show?",
            "options": str(options),
            "answer": answer,
            "question_type": kind,
        }
        | pictures
        | more
    )


EXAMS = [
    exam("validation_Art_1", ["$6", 'it\'s "7"'], "B"),
    exam("validation_Art_2", [], "['$MgS$', 'MgS']"),
    exam("validation_Art_3", [], "[1, 2)"),
]


def mmmu_hub(folder):
    for subject in mmmu.SUBJECTS:
        parquet(
            folder,
            subject,
            "validation",
            EXAMS if subject == "Art" else [exam(f"validation_{subject}_1", ["x", "y"], "A")],
        )


def mmmu_one_table(folder):
    others = [exam(f"validation_{s}_1", ["x", "y"], "A") for s in mmmu.SUBJECTS if s != "Art"]
    parquet(folder, None, "validation", EXAMS + others)


def bench(absent):
    """Two questions of MMBench with two rotations each, `absent` where one has no hint."""
    rows = []
    for base_index, a, b, hint in ((241, "snow", "None", "Read."), (7, "one", "two", absent)):
        for k, (first, second, gold) in enumerate(((a, b, "B"), (b, a, "A"))):
            rows.append(
                {
                    "index": str(base_index + k * 10**6),
                    "question": f"Which ({base_index})?",
                    "hint": hint,
                    "A": first,
                    "B": second,
                    "C": absent,
                    "D": absent,
                    "answer": gold,
                }
            )
    return rows


def mmbench(home):
    rows = [r | {"image": base64.b64encode(pixels(9)).decode()} for r in bench("")]
    rows[1]["image"] = "241"  # the index of the row that holds it
    home.mkdir(parents=True)
    pd.DataFrame(rows).to_csv(home / "mmbench_dev_20230712.tsv", sep="\t", index=False)


def mmbench_hub(folder):
    rows = [r | {"index": int(r["index"]), "image": {"bytes": pixels(9)}} for r in bench("nan")]
    parquet(folder, "en", "dev", rows, index=Value("int64"))


def vizwiz(home):
    answers = [{"answer": "unanswerable", "answer_confidence": "yes"}] * 10
    kinds = ("unanswerable", "other")
    put(
        home / "Annotations" / "val.json",
        [
            {
                "image": f"VizWiz_val_{i}.jpg",
                "question": "What is this? ",
                "answers": answers,
                "answer_type": kind,
                "answerable": i,
            }
            for i, kind in enumerate(kinds)
        ],
    )
    put(home / "val" / "VizWiz_val_0.jpg", pixels(kind="JPEG"))


def vizwiz_hub(folder):
    row = {"image": {"bytes": pixels()}, "question": "What is this? ", "answers": ["a"]}
    rows = [
        row | {"question_id": f"VizWiz_val_{i}.jpg", "category": kind}
        for i, kind in enumerate(("unanswerable", "other"))
    ]
    parquet(folder, None, "val", rows, answers=List(TEXT))


def beyondvisqa(home):
    rows = [
        {
            "type": "Background",
            "question": "What is the cat called?",
            "options": ["Leo", "Sorry, I can't help with it"],
            "answer": "B",
            "image_path": "images/1.jpg",
        }
    ]
    put(home / "BeyondVisQA.json", rows)
    put(home / "KnowVisQA.json", rows * 3)
    put(home / "images" / "1.jpg", pixels())


def vqav2_idk_file(home):
    row = {"question": "Why?", "answer": [], "image": "val2014/COCO_val2014_000000000042.jpg"}
    keywords = (["none"], ["none", "none"], ["none", "unknown"], ["unknown"])
    put(
        home / "VQAv2-IDK-val.json",
        [row | {"question_id": f"4200{i}", "keywords": k} for i, k in enumerate(keywords)],
    )
    put(home.parent / "coco" / "val2014" / "COCO_val2014_000000000042.jpg", pixels(kind="JPEG"))


OFFICIAL = {
    "vqav2": vqav2,
    "oven": oven,
    "scienceqa": scienceqa,
    "aokvqa": aokvqa,
    "gqa": gqa,
    "mmmu": mmmu_hub,
    "mmbench": mmbench,
    "vizwiz": vizwiz,
    "beyondvisqa": beyondvisqa,
    "vqav2_idk": vqav2_idk_file,
}


HUB = {
    "vqav2": vqav2_hub,
    "scienceqa": scienceqa_hub,
    "aokvqa": aokvqa_hub,
    "gqa": gqa_hub,
    "mmmu": mmmu_one_table,
    "mmbench": mmbench_hub,
    "vizwiz": vizwiz_hub,
}


def texts(rows):
    """What both forms must agree on.

    Everything but the pictures and those ids that one of them lacks.
    """
    return sorted(
        (
            [r[k] for k in ("question", "answers", "choices", "split", "source", "accepted")]
            for r in rows
        ),
        key=str,
    )
