"""What every reader makes of its rows: the same from both forms, in a seeded order."""

import dataclasses

import pandas as pd
import pytest
from benchmark_files import HUB, OFFICIAL, SCHOOL, mmbench, mmbench_hub, put, ten, texts, vqav2

from inbol_lib.data import benchmarks
from inbol_lib.data.benchmarks import base
from inbol_lib.data.benchmarks.out_of_domain import vqav2_idk
from inbol_lib.data.records import QUESTION_FEATURES, prompt_text
from inbol_lib.evaluation import metrics


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
        "vqav2": 3,
        "oven": 2,
        "scienceqa": 1,
        "aokvqa": 1,
        "gqa": 1,
        "mmmu": 32,
        "mmbench": 4,
        "beyondvisqa": 1,
        "vizwiz": 1,
        "vqav2_idk": 2,
    }
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
    outcomes = pd.DataFrame(
        {
            "outcome": ["correct", "incorrect"] * 2,
            "group": both["group"],
            "id": both["id"],
            "model": "m",
            "method": "o",
            "seed": 0,
        }
    )
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
