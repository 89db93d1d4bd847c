"""Every benchmark from small files in its own formats, and the counts of the real files where they are there."""

import base64
import dataclasses
import io
import json
import subprocess
import sys
import warnings

import pandas as pd
import pytest
from datasets import Dataset, Features, Image, List, Value
from huggingface_hub._local_folder import write_download_metadata
from PIL import Image as Pictures

from inbol_lib import params
from inbol_lib.data import benchmarks
from inbol_lib.data.benchmarks import __main__, base, hub_tables
from inbol_lib.data.benchmarks.out_of_domain import mmmu, vqav2_idk
from inbol_lib.data.records import LETTERS, QUESTION_FEATURES, RECORD_FEATURES, prompt_text
from inbol_lib.errors import ParameterError
from inbol_lib.evaluation import metrics
from inbol_lib.study import question_pools, run

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
    """A table as the Hub's repositories hold it, in `config`'s folder; columns of texts but for `types`."""
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
    one = f"- config_name: {config or 'default'}\n  data_files:\n  - split: {split}\n    path: {path.parent.name}/{split}-*\n"
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
        put(home / f"oven_{part}_val.jsonl", json.dumps(
            {"data_id": f"oven_{part}_val_{i}", "image_id": name, "question": "what is this?", "entity_id": "Q1", "entity_text": "Yogurt",
             "data_split": f"{part}_val_seen"}) + "\n")  # fmt: skip
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


ADVANCED = {"question_id": "22jb", "question": "What is in the mouth?", "choices": ["pick", "food", "stick", "cigarette"],
            "correct_choice_idx": 3, "direct_answers": ["smoke", *["cigarette"] * 9], "difficult_direct_answer": False}  # fmt: skip


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


EXAMS = [exam("validation_Art_1", ["$6", "it's \"7\""], "B"), exam("validation_Art_2", [], "['$MgS$', 'MgS']"),
         exam("validation_Art_3", [], "[1, 2)")]  # fmt: skip


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
    """Two questions of MMBench with two rotations each, `absent` where there is no option or hint."""
    rows = []
    for base_index, a, b, hint in ((241, "snow", "None", "Read."), (7, "one", "two", absent)):
        for k, (first, second, gold) in enumerate(((a, b, "B"), (b, a, "A"))):
            rows.append({"index": str(base_index + k * 10**6), "question": f"Which ({base_index})?", "hint": hint, "A": first, "B": second,
                         "C": absent, "D": absent, "answer": gold})  # fmt: skip
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
    put(home / "Annotations" / "val.json", [{"image": f"VizWiz_val_{i}.jpg", "question": "What is this? ", "answers": answers,
                                            "answer_type": kind, "answerable": i} for i, kind in enumerate(kinds)])  # fmt: skip
    put(home / "val" / "VizWiz_val_0.jpg", pixels(kind="JPEG"))


def vizwiz_hub(folder):
    row = {"image": {"bytes": pixels()}, "question": "What is this? ", "answers": ["a"]}
    rows = [
        row | {"question_id": f"VizWiz_val_{i}.jpg", "category": kind}
        for i, kind in enumerate(("unanswerable", "other"))
    ]
    parquet(folder, None, "val", rows, answers=List(TEXT))


def beyondvisqa(home):
    rows = [{"type": "Background", "question": "What is the cat called?", "options": ["Leo", "Sorry, I can't help with it"], "answer": "B",
             "image_path": "images/1.jpg"}]  # fmt: skip
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


OFFICIAL = {"vqav2": vqav2, "oven": oven, "scienceqa": scienceqa, "aokvqa": aokvqa, "gqa": gqa, "mmmu": mmmu_hub, "mmbench": mmbench,
            "vizwiz": vizwiz, "beyondvisqa": beyondvisqa, "vqav2_idk": vqav2_idk_file}  # fmt: skip
HUB = {"vqav2": vqav2_hub, "scienceqa": scienceqa_hub, "aokvqa": aokvqa_hub, "gqa": gqa_hub, "mmmu": mmmu_one_table, "mmbench": mmbench_hub,
       "vizwiz": vizwiz_hub}  # fmt: skip


def texts(rows):
    """What both forms must agree on: everything but the pictures and those ids that one of them lacks."""
    return sorted(
        (
            [r[k] for k in ("question", "answers", "choices", "split", "source", "accepted")]
            for r in rows
        ),
        key=str,
    )


@pytest.fixture
def everything(tmp_path):
    """A folder with all benchmarks in their official formats."""
    for name, write in OFFICIAL.items():
        write(tmp_path / name)
    return tmp_path


@pytest.mark.parametrize("name", HUB)
def test_both_forms_hold_the_same_questions(name, tmp_path, monkeypatch):
    benchmark = benchmarks.get(name)
    OFFICIAL[name](tmp_path / "official" / name)
    HUB[name](tmp_path / "hub" / name)
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", tmp_path / "cache")
    official, copied = (benchmark.load(tmp_path / form, "test", 99) for form in ("official", "hub"))
    assert copied.features == official.features == QUESTION_FEATURES
    assert texts(official) == texts(copied) != []
    shades = [
        {r["question"] + str(r["choices"]): r["image"].getpixel((0, 0))[0] for r in table}
        for table in (official, copied)
    ]
    assert shades[0] == pytest.approx(shades[1], abs=3), "the same pictures, JPEG or PNG"
    assert benchmark.form(tmp_path / "hub", "test") == "parquet"

    where = base.Hub(
        str(tmp_path / "hub" / name),
        benchmark.hub[-1].configs if name == "mmmu" else benchmark.hub[0].configs,
    )
    moved = dataclasses.replace(
        benchmark, hub=(base.Hub(str(tmp_path / "moved")), where)
    )  # the first name is gone
    assert moved.load(None, "test", 99, revision="main").to_list() == copied.to_list()


def test_what_each_reader_makes_of_its_rows(everything):
    rows = {
        name: {r["id"]: r for r in benchmarks.load(name, everything, "test", None)}
        for name in benchmarks.ALL
    }
    assert {name: len(r) for name, r in rows.items()} == {
        "vqav2": 3, "oven": 2, "scienceqa": 1, "aokvqa": 1, "gqa": 1, "mmmu": 32, "mmbench": 4, "beyondvisqa": 1, "vizwiz": 1,
        "vqav2_idk": 2,
    }  # fmt: skip
    vqa = rows["vqav2"]
    assert vqa["42000"]["answers"] == ["net", "mesh"], (
        "what three people said, the most frequent first"
    )
    assert vqa["42001"]["answers"] == ["hers"], "where no three agree, the most frequent"
    assert vqa["43000"]["image"].getpixel((0, 0))[0] in range(40, 47)
    assert vqa["42000"]["image_id"] == vqa["42001"]["image_id"] != vqa["43000"]["image_id"]
    assert {r["answers"][0] for r in rows["oven"].values()} == {"Yogurt"}
    assert rows["scienceqa"]["7"]["answers"] == ["cat"]
    assert prompt_text(rows["scienceqa"]["7"], "letter").startswith(
        "Context: Look.\nWhich is a mammal?\nA. frog\nB. cat\n"
    )
    assert rows["aokvqa"]["22jb"]["answers"] == ["cigarette", "smoke"]
    assert rows["aokvqa"]["22jb"]["choices"] == [], "the question is asked alone"
    art = [rows["mmmu"][f"validation_Art_{i}"] for i in (1, 2, 3)]
    assert [r["answers"] for r in art] == [['it\'s "7"'], ["$MgS$", "MgS"], ["[1, 2)"]]
    assert art[0]["choices"] == ["$6", 'it\'s "7"']
    assert art[0]["image"].getpixel((0, 0)) == (10, 0, 0), "the first of two images"
    assert [
        rows[name][i]["answers"]
        for name, i in (("vizwiz", "VizWiz_val_0.jpg"), ("beyondvisqa", "row-0"))
    ] == [[], []]
    assert rows["beyondvisqa"]["row-0"]["choices"] == []
    assert {i: i.endswith(vqav2_idk.NONE) for i in rows["vqav2_idk"]} == {
        "42001-none": True,
        "42002": False,
    }
    assert not any(r["answers"] for r in rows["vqav2_idk"].values())


@pytest.mark.parametrize("form", ["official", "hub"])
def test_rotations_stay_together_and_n_counts_base_questions(form, tmp_path):
    (mmbench if form == "official" else mmbench_hub)(tmp_path / "mmbench")
    one = benchmarks.load("mmbench", tmp_path, "test", 1, seed=0)
    assert len(one) == 2
    both = benchmarks.load("mmbench", tmp_path, "test", 2, seed=0)
    assert both["id"][:2] == one["id"]
    assert len(both) == 4
    assert all(i == g for i, g in zip(both["id"][::2], both["group"][::2], strict=True)), (
        "the unrotated row is the first: the vanilla one"
    )
    by_id = {r["id"]: r for r in both}
    assert by_id["241"]["choices"] == ["snow", "None"], (
        "an option named None is none that is absent"
    )
    assert by_id["1000241"]["choices"] == ["None", "snow"]
    assert by_id["241"]["answers"] == by_id["1000241"]["answers"] == ["None"]
    assert by_id["241"]["question"] == "Read.\nWhich (241)?"
    assert by_id["7"]["question"] == "Which (7)?"
    outcomes = pd.DataFrame({"outcome": ["correct", "incorrect"] * 2, "group": both["group"], "id": both["id"], "model": "m", "method": "o",
                             "seed": 0})  # fmt: skip
    assert [list(f(outcomes).outcome) for f in (metrics.circular, metrics.vanilla)] == [
        ["incorrect"] * 2,
        ["correct"] * 2,
    ]


def test_the_order_is_drawn_by_the_seed_and_a_smaller_n_is_its_beginning(tmp_path):
    school = {str(i): SCHOOL | {"question": f"Which ({i})?"} for i in range(20)}
    put(tmp_path / "scienceqa" / "problems.json", school)
    put(tmp_path / "scienceqa" / "pid_splits.json", {"test": [*school]})
    drawn = [
        [r["id"] for r in benchmarks.get("scienceqa").drawn(tmp_path, "test", n, seed)]
        for n, seed in ((20, 0), (None, 0), (5, 0), (20, 1))
    ]
    assert drawn[0] == drawn[1]
    assert drawn[2] == drawn[0][:5]
    assert sorted(drawn[3]) == sorted(drawn[0])
    assert drawn[3] != drawn[0]


def test_a_release_s_training_split_is_divided_by_image(tmp_path):
    vqav2(tmp_path / "vqav2", "train")
    many = [{"image_id": i // 2, "question": "What?", "question_id": i} for i in range(400)]
    put(tmp_path / "vqav2" / "v2_OpenEnded_mscoco_train2014_questions.json", {"questions": many})
    put(
        tmp_path / "vqav2" / "v2_mscoco_train2014_annotations.json",
        {"annotations": [r | {"answers": ten(yes=10)} for r in many]},
    )
    parts = {s: [*benchmarks.get("vqav2").rows(tmp_path, s)] for s in ("train", "validation")}
    images = {s: {r["image_id"] for r in rows} for s, rows in parts.items()}
    assert not images["train"] & images["validation"]
    assert sum(map(len, parts.values())) == 400
    assert 10 <= len(images["validation"]) <= 35
    assert {r["split"] for r in parts["validation"]} == {"validation"}


@pytest.mark.parametrize("name", benchmarks.ALL)
def test_what_is_missing_is_named_with_where_to_get_it(name, tmp_path):
    benchmark = benchmarks.get(name)
    for split, release in benchmark.splits.items():
        with pytest.raises(ParameterError) as error:
            benchmark.load(tmp_path, split, 1)
        assert str(tmp_path / name) in str(error.value)
        for file, place in benchmark.files[release].items():
            assert place in str(error.value)
            assert all(pattern in str(error.value) for pattern in file.split("|"))
        if benchmark.hub and benchmark.hub_split(release):
            assert f"hf download {benchmark.hub[0].repo}" in str(error.value)
    with pytest.raises(ParameterError, match="it has .*test"):
        benchmark.load(tmp_path, "testdev", 1)


def test_the_hub_s_refusals_are_all_shown(monkeypatch):
    def refuse(repo, config, **rest):
        raise FileNotFoundError(f"no {repo} at {rest['revision']}")

    monkeypatch.setattr(base, "load_dataset", refuse)
    with pytest.raises(
        ParameterError, match=r"(?s)no lmms-lab/VQAv2 at abc.*no lmms-lab-encoder/VQAv2 at abc"
    ):
        benchmarks.load("vqav2", None, "test", 1, revision="abc")
    with pytest.raises(ParameterError, match="v2_OpenEnded_mscoco_train2014_questions.json"):
        benchmarks.load("vqav2", None, "train", 1)
    with pytest.raises(ParameterError, match="VQAv2-IDK-val.json"):
        benchmarks.load("vqav2_idk", None, "test", 1)


def test_pictures_that_can_not_be_read_are_named_and_counted(tmp_path):
    vqav2(tmp_path / "vqav2")
    photographs = tmp_path / "coco" / "val2014"
    cut = photographs / "COCO_val2014_000000000043.jpg"
    cut.write_bytes(cut.read_bytes()[:-60])
    (photographs / "COCO_val2014_000000000042.jpg").unlink()
    with pytest.raises(
        ParameterError, match=r"(?s)3 of 3 pictures.*val2014.zip.*42000: there is no val2014/COCO"
    ) as error:
        benchmarks.load("vqav2", tmp_path, "test", 9)
    assert "43000" in str(error.value)


def test_a_grey_picture_becomes_rgb_and_an_rgb_one_stays_as_it_is():
    grey, jpeg = pixels(7, "L"), pixels(7, kind="JPEG")
    assert Pictures.open(io.BytesIO(hub_tables.rgb(grey))).getpixel((0, 0)) == (7, 7, 7)
    assert hub_tables.rgb(jpeg) is jpeg
    Pictures.effect_noise((64, 64), 90).convert("RGB").save(noise := io.BytesIO(), "JPEG")
    with pytest.raises(OSError, match="truncated"):
        hub_tables.rgb(noise.getvalue()[:-500])


@pytest.mark.filterwarnings("always:.*published are:UserWarning")
def test_another_count_than_the_published_ones_is_said(tmp_path):
    vqav2_idk_file(tmp_path / "vqav2_idk")
    with pytest.warns(UserWarning, match="2 questions of 4 rows; published are 1,566 of 6,624"):
        benchmarks.load("vqav2_idk", tmp_path, "test", 1)


@pytest.mark.parametrize(("name", "rows"), [
    ("rows.jsonl", [{"question": "Who?", "image": "1.jpg", "A": "x", "B": "y"}]),
    ("rows.tsv", [{"index": "3", "question": "Who?", "image": base64.b64encode(pixels() * 9).decode()}]),
    ("rows.parquet", [{"id": "q", "question": "Who?", "image": {"bytes": pixels(), "path": None}}]),
    ("rows.json", {"5": {"question": "Who?", "img": "1"}}),
])  # fmt: skip
def test_beyondvisqa_reads_whatever_table_it_comes_as(tmp_path, name, rows):
    home = tmp_path / "beyondvisqa"
    put(home / "images" / "1.jpg", pixels())
    match name.split(".")[1]:
        case "jsonl":
            put(home / name, "\n".join(map(json.dumps, rows)))
        case "json":
            put(home / name, rows)
        case "tsv":
            pd.DataFrame(rows).to_csv(home / name, sep="\t", index=False)
        case "parquet":
            pd.DataFrame(rows).to_parquet(home / name)
    (row,) = benchmarks.load("beyondvisqa", tmp_path, "test", 9)
    assert (row["question"], row["answers"], row["choices"], row["image"].size) == (
        "Who?",
        [],
        [],
        (6, 4),
    )


def test_the_study_reads_them_by_its_parameter(everything, monkeypatch):
    p = params.load(
        "smoke", dataset=f"benchmarks:{everything}", sources=["scienceqa"], train_questions=5
    )
    assert (
        question_pools.load(p, "vqav2", "test", 2).to_list()
        == benchmarks.load("vqav2", everything, "test", 2, p.data_seed).to_list()
    )
    assert [t["id"] for t in question_pools.pool(p, "train")] == [["9"]]
    assert question_pools.ood_sources(p) == p.ood_sources
    assert question_pools.ood_sources(p.replace(dataset="folder:x")) == []
    benchmarks.check(everything, ["scienceqa"], p.ood_sources)
    with pytest.raises(
        ParameterError, match=r"(?s)train2014_questions.json.*oven_entity_train.jsonl"
    ):
        benchmarks.check(everything, ["vqav2", "oven"], p.ood_sources)


def test_out_of_domain_benchmarks_are_evaluated_beside_the_in_domain_test_set(everything, tmp_path):
    inside = benchmarks.load("scienceqa", everything, "test", 1).to_list()
    rows = [row | {"confidence": 0.5, "responses": [], "verdicts": []} | dict.fromkeys(("correct", "incorrect", "refusal", "origin"), "")
            for row in inside]  # fmt: skip
    Dataset.from_list(rows, features=RECORD_FEATURES).to_parquet(
        tmp_path / "in_domain_test.parquet"
    )
    p = params.load(
        "smoke",
        dataset=f"benchmarks:{everything}",
        ood_sources=["mmbench", "vizwiz"],
        ood_questions=1,
    )
    asked = question_pools.test_questions(p, tmp_path, tmp_path / "nothing")
    assert [(r["source"], r["in_domain"]) for r in asked] == [
        ("scienceqa", True),
        ("mmbench", False),
        ("mmbench", False),
        ("vizwiz", False),
    ]


def test_a_row_without_a_picture_is_named(tmp_path):
    vizwiz_hub(tmp_path / "vizwiz")
    table = next((tmp_path / "vizwiz").rglob("*.parquet"))
    Dataset.from_list([r | {"image": None} for r in Dataset.from_parquet(str(table))]).cast_column(
        "image", Image()
    ).to_parquet(table)
    with pytest.raises(ParameterError, match="VizWiz_val_0.jpg: its row holds none"):
        benchmarks.load("vizwiz", tmp_path, "test", 1)


def test_a_run_on_benchmarks_that_are_not_there_stops_before_a_kernel_starts(tmp_path, capsys):
    assert run.main(["confidence", "-p", f"dataset=benchmarks:{tmp_path}"]) == 2
    said = capsys.readouterr().err
    for benchmark in benchmarks.ALL.values():
        assert str(tmp_path / benchmark.name) in said


def test_the_list_says_what_there_is_and_what_is_found(everything, capsys):
    assert __main__.main(["--root", str(everything), "--json"]) == 0
    shown = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    assert [*shown] == [*benchmarks.ALL]
    assert shown["vqav2"]["found"] == {"train": "", "validation": "", "test": "official"}
    assert shown["mmmu"]["found"] == {"test": "parquet"}
    assert all(
        row["licence"] and row["size"] and (row["hub"] or row["files"]) for row in shown.values()
    )
    assert __main__.main(["--root", str(everything)]) == 0
    text = capsys.readouterr().out
    assert all(f"\n{b.name}: {b.title}" in f"\n{text}" for b in benchmarks.ALL.values())
    assert "214,354" in text
    assert "commit" not in text
    write_download_metadata(
        everything / "mmmu", "data/x.parquet", "a1" * 20, "etag"
    )  # what `hf download` does
    assert __main__.main(["mmmu", "--root", str(everything)]) == 0
    assert (
        f"in {everything / 'mmmu'}: test (parquet), commit {'a1' * 20}\n" in capsys.readouterr().out
    )


@pytest.mark.parametrize("name", benchmarks.ALL)
def test_exported_records_say_what_was_loaded(everything, name, capsys):
    target = everything / "out.jsonl"
    assert __main__.main([name, "--root", str(everything), "--export", str(target)]) == 0
    loaded = benchmarks.load(name, everything, "test", None)
    rows = [json.loads(line) for line in target.read_text(encoding="utf-8").split("\n")[:-1]]
    assert texts(rows) == texts(loaded)
    assert [r["id"] for r in rows] == loaded["id"]
    assert [Pictures.open(r["image"]).size for r in rows] == [(6, 4)] * len(rows)
    assert f"{len(rows)} records" in capsys.readouterr().out


def test_an_export_that_fails_leaves_no_file(everything, capsys):
    (everything / "gqa" / "images" / "n57.jpg").unlink()
    target = everything / "out.jsonl"
    assert __main__.main(["gqa", "--root", str(everything), "--export", str(target)]) == 2
    assert __main__.main(["nlvr", "--export", str(target)]) == 2
    assert __main__.main(["--export", str(target)]) == 2
    assert not target.exists()
    said = capsys.readouterr().err
    assert "n57.jpg" in said
    assert "there are vqav2" in said


def test_the_module_is_a_command(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "inbol_lib.data.benchmarks", "gqa", "--root", tmp_path],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert "12,578" in done.stdout
    assert "nothing" in done.stdout


# The real files


def real(shared, root, name, **files):
    """The benchmark's folder with links to real files: name there -> path in the shared folder."""
    (root / name).mkdir()
    for target, source in files.items():
        (root / name / target.replace("__", ".")).symlink_to(shared / source)
    return benchmarks.get(name)


def test_real_vqav2_idk_has_the_paper_s_count(shared, tmp_path):
    benchmark = real(
        shared, tmp_path, "vqav2_idk", **{"VQAv2-IDK-val.json": "vqav2_idk/VQAv2-IDK-val.json"}
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # the count is a published one
        rows = benchmark.drawn(tmp_path, "test", None)
    assert len(rows) == 1566
    assert sum(r["id"].endswith(vqav2_idk.NONE) for r in rows) == 806


def test_real_mmbench_has_1176_base_questions(shared, tmp_path):
    benchmark = real(
        shared,
        tmp_path,
        "mmbench",
        **{"mmbench_dev_20230712.tsv": "mmbench/mmbench_dev_20230712_text_only.tsv"},
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        rows = benchmark.drawn(tmp_path, "test", None)
    assert len(rows) == 4377
    groups = pd.DataFrame(rows).groupby("group")
    assert len(groups) == 1176
    assert all(
        len(set(map(tuple, part.answers))) == 1 and len(set(map(len, part.choices))) == 1
        for _, part in groups
    ), "one gold, rotated"
    assert all(r["answers"][0] in r["choices"] for r in rows)
    with pytest.raises(ParameterError, match="no picture of it"):
        benchmark.load(tmp_path, "test", 1)


def test_real_mmmu_golds_give_900_questions(shared, tmp_path):
    """The golds and options are real; the table around them has the Hub's form."""
    golds = json.loads((shared / "mmmu" / "answer_dict_val.json").read_text())
    outputs = json.loads((shared / "mmmu" / "llava1.5_13b_outputs_all_subjects.json").read_text())
    rows = []
    for item in outputs:
        options, gold = (
            [item["index2ans"][k] for k in item.get("all_choices", [])],
            golds[item["id"]]["ground_truth"],
        )
        rows.append(exam(item["id"], options, str(gold)))
    parquet(tmp_path / "mmmu", None, "validation", rows)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        read = {r["id"]: r for r in benchmarks.get("mmmu").drawn(tmp_path, "test", None)}
    assert len(read) == 900
    assert sum(bool(r["choices"]) for r in read.values()) == 847
    for name, gold in golds.items():
        gold, row = gold["ground_truth"], read[name]
        if row["choices"]:
            assert row["answers"] == [row["choices"][LETTERS.index(gold)]]
        else:
            assert row["answers"] == (gold if isinstance(gold, list) else [gold])


def test_real_scienceqa_splits_and_images(shared, tmp_path):
    benchmark = real(shared, tmp_path, "scienceqa", images="scienceqa/images",
                     **{"problems.json": "scienceqa/problems_partial.json", "pid_splits.json": "scienceqa/pid_splits.json"})  # fmt: skip
    splits = json.loads((shared / "scienceqa" / "pid_splits.json").read_text())
    assert {s: len(splits[s]) for s in benchmark.published} == {
        s: rows for s, ((rows, _),) in benchmark.published.items()
    }
    with pytest.warns(UserWarning, match="167 questions of 361 rows; published are 2,017 of 4,241"):
        assert len(benchmark.drawn(tmp_path, "test", None)) == 167
    assert [len(benchmark.drawn(tmp_path, s, None)) for s in ("train", "validation")] == [521, 191]

    problems = json.loads((shared / "scienceqa" / "problems_partial.json").read_text())
    filled = {
        pid: problems["1"] | {"image": problems.get(pid, {"image": None})["image"]}
        for s in benchmark.published
        for pid in splits[s]
    }
    (tmp_path / "scienceqa" / "problems.json").unlink()
    put(tmp_path / "scienceqa" / "problems.json", filled)
    with pytest.warns(UserWarning, match="167 questions of 4,241 rows"):
        assert len(benchmark.drawn(tmp_path, "test", None)) == 167

    there = [
        r
        for r in benchmark.drawn(tmp_path, "test", None)
        if (shared / "scienceqa" / "images" / "test" / r["id"]).is_dir()
    ]
    assert there
    assert Pictures.open(there[0]["image"]()).size[0] > 100


def test_real_vqav2_gqa_aokvqa_oven_and_vizwiz_rows(shared, tmp_path):
    named = {"v2_OpenEnded_mscoco_train2014_questions.json": "vqav2/questions.json",
             "v2_mscoco_train2014_annotations.json": "vqav2/annotations.json", "images": "vqav2/images"}  # fmt: skip
    vqa = real(shared, tmp_path, "vqav2", **named)
    drawn = {split: vqa.drawn(tmp_path, split, None) for split in ("train", "validation")}
    split, other = sorted(drawn, key=lambda s: -len(drawn[s]))
    rows = vqa.load(tmp_path, split, None)
    assert {r["question"]: r["answers"][0] for r in rows}[
        "What is this photo taken looking through?"
    ] == "net"
    assert rows["image_id"] == ["458752"] * 3, (
        "three questions about one photograph, so all in one split"
    )
    with pytest.raises(ParameterError, match=f"no {other} question"):
        vqa.load(tmp_path, other, None)

    gqa_ = real(
        shared,
        tmp_path,
        "gqa",
        images="gqa/allennlp_images",
        **{"testdev_balanced_questions.json": "gqa/allennlp_questions.json"},
    )
    (row,) = gqa_.load(tmp_path, "test", None)
    assert (row["id"], row["image_id"], row["answers"]) == ("202218649", "n578564", ["picture"])

    advanced = real(
        shared,
        tmp_path,
        "aokvqa",
        **{"aokvqa_v1p0_val.json": "aokvqa/documented_example_official.json"},
    )
    assert [(r["image_id"], r["answers"]) for r in advanced.drawn(tmp_path, "test", None)] == [
        ("461751", ["cigarette"])
    ]

    entities = real(
        shared, tmp_path, "oven", **{"oven_query_val.jsonl": "oven/documented_examples.jsonl"}
    )
    assert [r["answers"] for r in entities.rows(tmp_path, "test")] == [
        ["Dassault Falcon 900"],
        ["Yogurt"],
    ]

    asked = json.loads(
        (shared / "vizwiz" / "lfvqa_expert.json").read_text()
    ).values()  # 600 questions of VizWiz, another layout
    put(tmp_path / "vizwiz" / "val.json", [{"image": f"{i}-{r['image_url'].rpartition('/')[2]}", "question": r["question"],
                                           "answers": [{"answer": a} for a in r["crowd_answers"]], "answer_type": r["answerability"]}
                                          for i, r in enumerate(asked)])  # fmt: skip
    assert len(benchmarks.get("vizwiz").drawn(tmp_path, "test", None)) == 230


def test_real_transcribed_questions_of_beyondvisqa_are_asked_alone(shared, tmp_path):
    rows = json.loads((shared / "beyondvisqa" / "transcribed_examples.json").read_text())
    put(
        tmp_path / "beyondvisqa" / "rows.json",
        [r | {"image": f"{i}.jpg"} for i, r in enumerate(rows)],
    )
    read = benchmarks.get("beyondvisqa").drawn(tmp_path, "test", None)
    assert {r["question"] for r in read} == {r["question"] for r in rows}
    assert all(prompt_text(r) == r["question"] for r in read)
